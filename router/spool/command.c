/* command.c - `sendyard spool`: looking into a spool without a router. */
#include "router/spool/command.h"

#include "common/base/mem.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "config/loader.h"
#include "router/spool/check.h"
#include "router/spool/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* An envelope of all its 16 MB, every byte of it written as six. */
#define TEXT_MAX (128u << 20)

#define WORDS_MAX 4

struct command {
    FILE *out;
    FILE *err;
    bool json;
    bool beside;
    bool all;
    const char *config;           /* names the path; NULL: a word does */
    const char *words[WORDS_MAX]; /* verb, path, ... without the options */
    int word_count;
    struct check *check;
    uint64_t id;
    const char *folder;
    int folder_fd;
    struct buf text;
    uint64_t told;
    uint64_t bad_bodies;
    int exit_code;
};

static int usage(FILE *err)
{
    (void)fputs("usage: spool verify [--json] [--beside] SPOOL\n"
                "       spool show [--json] [--beside] SPOOL ID\n"
                "       spool export [--beside] SPOOL ID|--all DIR\n"
                "SPOOL is the folder, or --config FILE; --beside looks while a "
                "router has it\n",
                err);
    return EX_USAGE;
}

static int exit_code_of(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return EX_OK;
    case RC_NONE:
        return EX_NOINPUT;
    case RC_LIMIT:
        return EX_TEMPFAIL;
    case RC_SYNTAX:
        return EX_DATAERR;
    case RC_IO:
    case RC_MORE:
    case RC_TIMEOUT:
    case RC_CLOSED:
        return EX_IOERR;
    }
    return EX_SOFTWARE;
}

static int complain(const struct command *command, const struct fault *fault)
{
    const bool is_busy = fault->rc == RC_LIMIT && !command->beside;
    (void)fprintf(command->err, "spool: %s%s\n", fault->text,
                  is_busy ? "; --beside looks all the same" : "");
    return exit_code_of(fault->rc);
}

static bool parse(struct command *command, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            command->json = true;
        else if (strcmp(argv[i], "--beside") == 0)
            command->beside = true;
        else if (strcmp(argv[i], "--all") == 0)
            command->all = true;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            command->config = argv[++i];
        else if (argv[i][0] == '-' || command->word_count == WORDS_MAX)
            return false;
        else
            command->words[command->word_count++] = argv[i];
    }
    return true;
}

static bool print_text(struct command *command)
{
    const struct slice text = buf_slice(&command->text);
    return text.len == 0
           || fwrite(text.ptr, 1, text.len, command->out) == text.len;
}

/* verify */

static void add_number(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    json_number(json, number);
}

static void verify_body(void *context, uint64_t id, struct slice envelope,
                        struct slice state)
{
    (void)envelope;
    (void)state;
    struct command *command = context;
    struct body *body = NULL;
    struct fault fault = { .rc = RC_OK };
    command->told++;
    if (check_read_body(command->check, id, &body, &fault) != RC_OK) {
        command->bad_bodies++;
        (void)fprintf(command->err, "spool: %s\n", fault.text);
    }
    body_release(&body);
}

static void print_totals_json(struct command *command,
                              const struct check_totals *totals)
{
    struct json json;
    json_init(&json, &command->text);
    json_begin_object(&json);
    add_number(&json, "segments", totals->segments);
    add_number(&json, "messages", command->told);
    add_number(&json, "bytes", totals->bytes);
    add_number(&json, "bytes_live", totals->bytes_live);
    add_number(&json, "damaged_records", totals->damaged);
    add_number(&json, "damaged_bodies", command->bad_bodies);
    json_end(&json);
    buf_add_byte(&command->text, '\n');
}

static int verify(struct command *command)
{
    check_each(command->check, verify_body, command);
    const struct check_totals totals = check_totals(command->check);
    if (command->json)
        print_totals_json(command, &totals);
    else
        buf_addf(&command->text,
                 "%" PRIu64 " segments, %" PRIu64 " bytes\n%" PRIu64
                 " messages, %" PRIu64 " bytes\n%" PRIu64
                 " damaged records, %" PRIu64 " damaged bodies\n",
                 totals.segments, totals.bytes, command->told,
                 totals.bytes_live, totals.damaged, command->bad_bodies);
    if (!print_text(command))
        return EX_IOERR;
    if (totals.damaged == 0 && command->bad_bodies == 0)
        return EX_OK;
    if (command->beside)
        (void)fputs("spool: what a router writes or recycles meanwhile looks "
                    "damaged, too: look again\n",
                    command->err);
    return EX_DATAERR;
}

/* show */

static void describe(struct command *command, uint64_t id,
                     struct slice envelope, struct slice state, bool json)
{
    buf_clear(&command->text);
    const enum rc rc = json
                           ? describe_json(id, envelope, state, &command->text)
                           : describe_text(id, envelope, state, &command->text);
    if (rc == RC_OK && json)
        buf_add_byte(&command->text, '\n');
    if (rc == RC_OK)
        return;
    char name[ID_TEXT_SIZE];
    (void)fprintf(command->err,
                  "spool: envelope or state of message %s cannot be read "
                  "(%s)\n",
                  id_format(id, name), rc_name(rc));
    command->exit_code = EX_DATAERR;
}

static void show_one(void *context, uint64_t id, struct slice envelope,
                     struct slice state)
{
    struct command *command = context;
    if (id != command->id)
        return;
    command->told++;
    describe(command, id, envelope, state, command->json);
    if (command->exit_code == EX_OK && !print_text(command))
        command->exit_code = EX_IOERR;
}

static int finish(const struct command *command)
{
    if (command->told > 0 || command->all)
        return command->exit_code;
    char name[ID_TEXT_SIZE];
    (void)fprintf(command->err, "spool: no message %s\n",
                  id_format(command->id, name));
    return EX_NOINPUT;
}

static int show(struct command *command)
{
    check_each(command->check, show_one, command);
    return finish(command);
}

/* export */

static int cannot_create(const struct command *command, const char *name)
{
    struct fault fault;
    (void)fault_set(&fault, RC_IO, errno, "%s/%s", command->folder, name);
    (void)complain(command, &fault);
    return EX_CANTCREAT;
}

static bool write_file(struct command *command, uint64_t id, const char *suffix,
                       struct slice bytes)
{
    char text[ID_TEXT_SIZE];
    char name[ID_TEXT_SIZE + 8];
    (void)snprintf(name, sizeof name, "%s%s", id_format(id, text), suffix);
    const int fd =
        openat(command->folder_fd, name,
               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    bool written = file != NULL;
    if (file && bytes.len > 0)
        written = fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (file && fclose(file) != 0)
        written = false;
    if (written)
        return true;
    command->exit_code = cannot_create(command, name);
    return false;
}

static void export_one(void *context, uint64_t id, struct slice envelope,
                       struct slice state)
{
    struct command *command = context;
    if (!command->all && id != command->id)
        return;
    command->told++;
    describe(command, id, envelope, state, true);
    if (!write_file(command, id, ".json", buf_slice(&command->text)))
        return;

    struct body *body = NULL;
    struct fault fault = { .rc = RC_OK };
    if (check_read_body(command->check, id, &body, &fault) == RC_OK)
        (void)write_file(command, id, ".eml", body_slice(body));
    else
        command->exit_code = complain(command, &fault);
    body_release(&body);
}

static int export_messages(struct command *command)
{
    if (mkdir(command->folder, 0700) == 0 || errno == EEXIST)
        command->folder_fd =
            open(command->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (command->folder_fd < 0)
        return cannot_create(command, "");
    check_each(command->check, export_one, command);
    (void)close(command->folder_fd);
    if (command->told > 0)
        (void)fprintf(command->out, "%" PRIu64 " messages to %s\n",
                      command->told, command->folder);
    return finish(command);
}

/* clang-format off */
static const struct verb {
    const char *name;
    int (*run)(struct command *command);
    int         word_count; /* verb and path included; --all stands for an ID */
    bool        takes_all;
} verbs[] = {
    { "verify", verify,          2, false },
    { "show",   show,            3, false },
    { "export", export_messages, 4, true  },
};
/* clang-format on */

static const struct verb *find_verb(const struct command *command)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        const struct verb *verb = &verbs[i];
        if (command->word_count == 0
            || strcmp(verb->name, command->words[0]) != 0)
            continue;
        const int given =
            command->word_count + command->all + (command->config != NULL);
        const bool fits =
            given == verb->word_count && (verb->takes_all || !command->all);
        return fits ? verb : NULL;
    }
    return NULL;
}

/* ID and DIR, as far as the verb has them. */
static bool take_words(struct command *command, const struct verb *verb)
{
    int at = command->config ? 1 : 2;
    if (verb->word_count > 2 && !command->all
        && !id_parse(slice_text(command->words[at++]), &command->id))
        return false;
    if (verb->takes_all)
        command->folder = command->words[at];
    return true;
}

/* The folder that the config names; false: it has errors, which were told. */
static bool load_path(const struct command *command, struct conf **conf)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    const bool is_good =
        conf_load_for(command->config, CONF_FILES_NONE, conf, &errors) == RC_OK;
    if (!is_good)
        conf_errors_print(&errors, command->err);
    conf_errors_release(&errors);
    return is_good;
}

static int look(struct command *command, const struct verb *verb,
                const char *path)
{
    struct fault fault = { .rc = RC_OK };
    if (check_open(path, command->beside, &command->check, &fault) != RC_OK)
        return complain(command, &fault);
    buf_init(&command->text, TEXT_MAX);
    const int exit_code = verb->run(command);
    buf_release(&command->text);
    check_close(&command->check);
    return exit_code;
}

int command_spool(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct command command = { .out = out, .err = err, .folder_fd = -1 };
    if (!parse(&command, argc, argv))
        return usage(err);
    const struct verb *verb = find_verb(&command);
    if (!verb || !take_words(&command, verb))
        return usage(err);

    if (!command.config)
        return look(&command, verb, command.words[1]);
    struct conf *conf = NULL;
    if (!load_path(&command, &conf))
        return EX_CONFIG;
    const int exit_code = look(&command, verb, conf->spool.path);
    conf_release(&conf);
    return exit_code;
}
