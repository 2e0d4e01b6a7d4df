/*
 * sink.c - sendyard-sink: takes mail by SMTP and throws it away.
 *
 * Reads the options, runs the pier, prints one JSON object at the end. Exit
 * status: 0 ended by signal or by --expect, 1 it could not run, 2 wrong
 * options.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pier.h"

struct options {
    struct pier_plan plan;
    struct endpoint *listeners; /* room for LISTENERS_MAX */
    const char *ledger_path;
};

enum option_id {
    OPTION_LISTEN = 256,
    OPTION_LISTEN_NET,
    OPTION_LEDGER,
    OPTION_EXPECT,
    OPTION_LINGER_MS,
    OPTION_DELAY_MS,
    OPTION_REFUSE,
    OPTION_HELP,
};

/* clang-format off */
static const struct option option_table[] = {
    { "listen",     required_argument, NULL, OPTION_LISTEN },
    { "listen-net", required_argument, NULL, OPTION_LISTEN_NET },
    { "ledger",     required_argument, NULL, OPTION_LEDGER },
    { "expect",     required_argument, NULL, OPTION_EXPECT },
    { "linger-ms",  required_argument, NULL, OPTION_LINGER_MS },
    { "delay-ms",   required_argument, NULL, OPTION_DELAY_MS },
    { "refuse",     required_argument, NULL, OPTION_REFUSE },
    { "help",       no_argument,       NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static const char usage[] =
    "usage: sendyard-sink --listen ADDRESS:PORT [options]\n"
    "  --listen ADDRESS:PORT        repeatable\n"
    "  --listen-net A.B.C.D/N:PORT  every address of the net; repeatable\n"
    "  --ledger FILE                append a line for each message taken\n"
    "  --expect N                   end after N messages\n"
    "  --linger-ms N                ... but stay so long for more (0)\n"
    "  --delay-ms N                 before the reply to the final dot (0)\n"
    "  --refuse CODE                every recipient, by 421, 450, 550 ...\n"
    "signals: TERM, INT end with the summary; USR1 turns refusing on, off\n";

static bool add_listeners(struct options *options, const struct endpoint *first,
                          uint32_t count)
{
    struct pier_plan *plan = &options->plan;
    if (count > LISTENERS_MAX - plan->listener_count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        options->listeners[plan->listener_count++] =
            i == 0 ? *first : endpoint_above(first, i);
    return true;
}

static bool take_option(struct options *options, int id, const char *text)
{
    struct pier_plan *plan = &options->plan;
    struct endpoint first = { 0 };
    uint32_t count = 1;
    uint64_t code;
    switch (id) {
    case OPTION_LISTEN:
        return endpoint_parse(text, &first)
               && add_listeners(options, &first, 1);
    case OPTION_LISTEN_NET:
        return endpoint_parse_net(text, &first, &count)
               && add_listeners(options, &first, count);
    case OPTION_LEDGER:
        options->ledger_path = text;
        return true;
    case OPTION_EXPECT:
        return number_parse(text, UINT32_MAX, &plan->expect);
    case OPTION_LINGER_MS:
        return number_parse(text, UINT32_MAX, &plan->linger_ms);
    case OPTION_DELAY_MS:
        return number_parse(text, UINT32_MAX, &plan->delay_ms);
    case OPTION_REFUSE:
        if (!number_parse(text, 599, &code) || code < 400)
            return false;
        plan->refuse_code = (uint32_t)code;
        return true;
    default:
        return false;
    }
}

/* False: the reason, or the help asked for, was printed. */
static bool parse_options(int argc, char **argv, struct options *options)
{
    int id;
    int index = 0;
    while ((id = getopt_long(argc, argv, "", option_table, &index)) != -1) {
        if (id == '?' || id == OPTION_HELP) {
            fputs(usage, stderr);
            return false;
        }
        if (!take_option(options, id, optarg)) {
            fprintf(stderr, "sendyard-sink: --%s %s: not understood\n",
                    option_table[index].name, optarg);
            return false;
        }
    }
    if (optind < argc || options->plan.listener_count == 0) {
        fputs(usage, stderr);
        return false;
    }
    return true;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int receive_all(const struct options *options)
{
    struct tally tally = { 0 };
    struct ledger ledger;
    const int signal_fd = open_signals();
    if (signal_fd < 0 || !ledger_open(&ledger, options->ledger_path)) {
        fprintf(stderr, "sendyard-sink: ledger: %s\n", strerror(errno));
        return 1;
    }
    const bool is_done = pier_run(&options->plan, signal_fd, &ledger, &tally);
    if (!is_done)
        fprintf(stderr, "sendyard-sink: %s\n", strerror(errno));
    tally_print(&tally);
    tally_release(&tally);
    ledger_release(&ledger);
    close(signal_fd);
    return is_done ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    options.listeners = calloc(LISTENERS_MAX, sizeof *options.listeners);
    if (options.listeners == NULL)
        abort();
    options.plan.listeners = options.listeners;
    const int status =
        parse_options(argc, argv, &options) ? receive_all(&options) : 2;
    free(options.listeners);
    return status;
}
