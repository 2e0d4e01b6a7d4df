/* workers.c - `sendyard worker`: who sends, and who shall not for a while. */
#include "router/control/workers.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "router/control/asking.h"
#include "router/control/client.h"
#include "router/control/status.h"

#define PATH_BYTES_MAX 1024u
#define LOOK_EACH_US   50000u
#define LOOKS_MAX      100u /* five seconds */

static int ask_workers(struct asking *asking)
{
    return asking_do(asking, "GET", "/v1/workers", SLICE(""));
}

static int list(struct asking *asking, bool json, FILE *out)
{
    const int code = ask_workers(asking);
    if (code == EX_OK && json)
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
    else if (code == EX_OK)
        status_show_workers(
            value_member(answer_root(asking->answer), "workers"), out);
    return code;
}

/* In the answer of /v1/workers; NULL: it left. */
static const struct value *find(const struct asking *asking, const char *name)
{
    const struct value *workers =
        value_member(answer_root(asking->answer), "workers");
    for (size_t i = 0; i < value_count(workers); i++)
        if (strcmp(value_text(value_item(workers, i), "name"), name) == 0)
            return value_item(workers, i);
    return NULL;
}

/* Until the router has heard from the worker that it is so. */
static int await(struct asking *asking, const char *name, bool draining,
                 FILE *out)
{
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        const int code = ask_workers(asking);
        if (code != EX_OK)
            return code;
        const struct value *worker = find(asking, name);
        if (worker && value_flag(worker, "draining") == draining) {
            (void)fprintf(out, "%s %s, jobs under way: %" PRIu64 "\n", name,
                          draining ? "is draining" : "goes on",
                          value_number(worker, "leases"));
            return EX_OK;
        }
        (void)usleep(LOOK_EACH_US);
    }
    (void)fprintf(asking->err, "%s was told, and has not answered yet\n", name);
    return EX_TEMPFAIL;
}

static int order(struct asking *asking, const char *name, bool draining,
                 FILE *out)
{
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    (void)buf_add_text(&path, "/v1/drain/");
    client_encode(&path, name);
    if (!buf_add_byte(&path, '\0')) {
        (void)fprintf(asking->err, "no worker has such a name\n");
        return EX_DATAERR;
    }
    const int code = asking_do(asking, draining ? "POST" : "DELETE",
                               buf_slice(&path).ptr, SLICE(""));
    return code == EX_OK ? await(asking, name, draining, out) : code;
}

static bool is_verb(const struct options *options, const char *verb, int words)
{
    return options->word_count == words && strcmp(options->words[0], verb) == 0;
}

int command_worker(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    const bool lists = is_verb(&options, "list", 1);
    const bool drains = is_verb(&options, "drain", 2);
    if (!lists && !drains && !is_verb(&options, "resume", 2)) {
        (void)fprintf(err, "usage: sendyard worker [--config FILE] list | "
                           "drain NAME | resume NAME\n");
        return EX_USAGE;
    }
    struct asking asking;
    int code = asking_open(&asking, &options, err);
    if (code == EX_OK && lists)
        code = list(&asking, options.json, out);
    else if (code == EX_OK)
        code = order(&asking, options.words[1], drains, out);
    asking_close(&asking);
    return code;
}
