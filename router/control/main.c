/* main.c - sendyard, the one command that people type. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/attr.h"
#include "config/command.h"
#include "router/classify/classify.h"
#include "router/classify/feedback.h"
#include "router/control/explain.h"
#include "router/control/keys.h"
#include "router/control/metrics.h"
#include "router/control/operate.h"
#include "router/control/serve.h"
#include "router/control/status.h"
#include "router/control/template.h"
#include "router/control/trace.h"
#include "router/control/workers.h"
#include "router/spool/command.h"

typedef int command_fn(int argc, char *const *argv, FILE *out, FILE *err);

/* clang-format off */
static const struct command {
    const char *name;
    const char *arguments;
    const char *help;
    command_fn *run;
} commands[] = {
    { "serve", "--config FILE",
      "run the platform on this machine: router, workers, private Redis",
      command_serve },
    { "check", "[--no-files | --worker] FILE",
      "check a config; print every error with file and line", command_check },
    { "config", "reference | dump [--no-files | --worker] FILE",
      "print what may stand in a config, or what is in force and where from",
      command_config },
    { "reload", "[--config FILE]",
      "make the running routers and workers read their config again",
      command_reload },
    { "status", "[--config FILE] [--json]",
      "what runs: router, workers, their sources, the spool", command_status },
    { "streams", "[--config FILE] [--json]",
      "how long the mail of each stream waits, and whether it is in time",
      command_streams },
    { "metrics", "[--config FILE] [--router NAME]",
      "totals of the router and of the classifier's verdicts, as Prometheus reads "
      "them",
      command_metrics },
    { "queue", "[--config FILE] [--json] [VERB ...]",
      "the lanes: how much waits, since when, and why; with a verb: list, pause, "
      "resume,\n      requeue, reroute, expire, bounce, delete, release",
      command_queue_verbs },
    { "actions", "[--config FILE] [--json] [ID | cancel ID]",
      "pauses, and bulk actions with their progress; cancel ends one",
      command_actions },
    { "why", "[--config FILE] [--json] ID",
      "what holds a message, since when, and the earliest time it can go",
      command_why },
    { "worker",
      "[--config FILE] [--router NAME] [--json] list | drain NAME | resume NAME",
      "the workers that are live; drain has one finish what it is sending, hand "
      "back the\n      rest and take nothing more, of any router, until resume "
      "or its restart",
      command_worker },
    { "template",
      "[--config FILE] [--router NAME] [--json] list [STATE] | show ID |\n"
      "      trust ID | distrust ID | forget ID | teach KIND ID | complain ID",
      "what is known of the templates of messages, and how far they are trusted; "
      "trust,\n      distrust and teach are the operator's word, forget takes "
      "it back",
      command_template },
    { "trace",
      "[--config FILE] [--json] --site SITE | --domain DOMAIN | --id ID\n"
      "      [--worker NAME] [--for TIME]",
      "what is said to receivers (>) and heard of them (<), as it happens; "
      "secrets are\n      hidden, message texts counted; several criteria must "
      "all match",
      command_trace },
    { "message", "[--config FILE] [--json] ID",
      "where one queued message stands", command_message },
    { "explain",
      "[--config FILE] [--account NAME] [--listener NAME] FILE.eml --to "
      "ADDRESS",
      "what would happen to a message, and which lines of the config say so",
      command_explain },
    { "classify",
      "[--config FILE] [--account NAME] [--model FILE] [--json] FILE... |\n"
      "      train ... | eval ... | diff ... | report ... | --teach KIND ID",
      "what kinds of mail these are, and why; models made, measured, compared; "
      "what\n      accounts declared and what was found; corrections",
      command_classify },
    { "feedback", "[--config FILE] [--router NAME] [--json] FILE... | FOLDER | -",
      "reports of abuse (RFC 5965) that came in: each is a complaint against its\n"
      "      template and account; \"-\" is for pipes of mail servers",
      command_feedback },
    { "spool",
      "verify|show|export [--beside] PATH|--config FILE [ID|--all] [FOLDER]",
      "look into a spool, with --beside into that of a running router",
      command_spool },
    { "password", "", "read a password, print the hash for the config",
      command_password },
    { "keygen", "FILE", "make a CURVE key pair for the bus", command_keygen },
};
/* clang-format on */

static void print_help(FILE *out)
{
    (void)fprintf(out, "usage: sendyard COMMAND ...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)fprintf(out, "  %s%s%s\n      %s\n", commands[i].name,
                      commands[i].arguments[0] ? " " : "",
                      commands[i].arguments, commands[i].help);
    (void)fprintf(out,
                  "\nExit codes are those of sysexits.h: 0 well, 64 usage, "
                  "69 not running, 78 config.\n");
}

static int run_command(const struct command *command, int argc,
                       char *const *argv)
{
    const bool has_own = command->run == command_queue_verbs;
    if (has_own || argc != 1 || strcmp(argv[0], "--help") != 0)
        return command->run(argc, argv, stdout, stderr);
    (void)printf("usage: sendyard %s %s\n    %s\n", command->name,
                 command->arguments, command->help);
    return EX_OK;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0) {
        (void)printf("sendyard %s\n", SENDYARD_VERSION);
        return EX_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return EX_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(word, commands[i].name) == 0)
            return run_command(&commands[i], argc - 2, argv + 2);
    if (argc > 1)
        (void)fprintf(stderr, "sendyard: no command \"%s\"\n", word);
    print_help(stderr);
    return EX_USAGE;
}
