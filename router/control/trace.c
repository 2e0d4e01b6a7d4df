/* trace.c - `sendyard trace`: the talk with receivers, live. */
#include "router/control/trace.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/time.h"
#include "config/units.h"
#include "router/control/asking.h"
#include "router/control/client.h"

#define LOOK_EACH_US   200000u
#define PATH_BYTES_MAX 8192u
#define WORDS_MAX      32

/* What was typed; NULL: not given. */
struct wish {
    const char *worker;
    const char *site;
    const char *domain;
    const char *id;
    const char *time;
    uint64_t for_ms; /* 0: until somebody ends it */
    struct options options;
};

static const char **value_of(struct wish *wish, const char *word)
{
    const struct {
        const char *word;
        const char **value;
    } known[] = {
        { "--worker", &wish->worker }, { "--site", &wish->site },
        { "--domain", &wish->domain }, { "--id", &wish->id },
        { "--for", &wish->time },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].value;
    return NULL;
}

/* What is not ours is left for options_read(). */
static bool read_words(int argc, char *const *argv, struct wish *wish,
                       FILE *err)
{
    char *rest[WORDS_MAX];
    int rest_count = 0;
    for (int i = 0; i < argc && rest_count < WORDS_MAX; i++) {
        const char **value = value_of(wish, argv[i]);
        if (value && i + 1 < argc)
            *value = argv[++i];
        else
            rest[rest_count++] = argv[i];
    }
    return options_read(rest_count, rest, &wish->options, err);
}

static bool read_wish(int argc, char *const *argv, struct wish *wish, FILE *err)
{
    if (!read_words(argc, argv, wish, err))
        return false;
    if (wish->options.word_count > 0) {
        (void)fprintf(err, "what is \"%s\"?\n", wish->options.words[0]);
        return false;
    }
    if (!wish->site && !wish->domain && !wish->id && !wish->worker) {
        (void)fprintf(err, "say what to trace: --site SITE, --domain DOMAIN, "
                           "--id ID or --worker NAME\n");
        return false;
    }
    if (!wish->time
        || (units_duration(slice_text(wish->time), &wish->for_ms)
            && wish->for_ms > 0))
        return true;
    (void)fprintf(err, "--for %s: no time such as 30s or 5m\n", wish->time);
    return false;
}

static void add_query(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    (void)buf_addf(path, "&%s=", name);
    client_encode(path, value);
}

/* One trace has one path, from its first question to the last. */
static void make_path(const struct wish *wish, struct buf *path)
{
    (void)buf_addf(path, "/v1/trace?name=%ld-%" PRIu64, (long)getpid(),
                   time_utc_ms());
    add_query(path, "worker", wish->worker);
    add_query(path, "site", wish->site);
    add_query(path, "domain", wish->domain);
    add_query(path, "id", wish->id);
    (void)buf_add_byte(path, '\0');
}

static const char *sign_of(const char *kind)
{
    if (strcmp(kind, "said") == 0)
        return ">";
    return strcmp(kind, "heard") == 0 ? "<" : "-";
}

static void show_lines(const struct value *root, FILE *out)
{
    const struct value *lines = value_member(root, "lines");
    for (size_t i = 0; i < value_count(lines); i++) {
        const struct value *line = value_item(lines, i);
        (void)fprintf(
            out, "%s#%" PRIu64 " %s %s [%s] %6" PRIu64 " ms %s %s\n",
            value_text(line, "worker"), value_number(line, "connection"),
            value_text(line, "source"), value_text(line, "host"),
            value_text(line, "ip"), value_number(line, "ms"),
            sign_of(value_text(line, "kind")), value_text(line, "text"));
    }
    const uint64_t left_out = value_number(root, "left_out");
    if (left_out > 0)
        (void)fprintf(out, "(%" PRIu64 " lines left out)\n", left_out);
}

static void show(const struct asking *asking, bool json, FILE *out)
{
    const struct value *root = answer_root(asking->answer);
    if (!json)
        show_lines(root, out);
    else if (value_count(value_member(root, "lines")) > 0)
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
    (void)fflush(out);
}

static int listen_on(struct asking *asking, const struct wish *wish,
                     const char *path, FILE *out)
{
    const uint64_t began_ms = time_now_ms();
    uint64_t passed_ms = 0;
    int code = asking_do(asking, "GET", path, SLICE(""));
    if (code == EX_OK)
        (void)fprintf(asking->err, "router %s, %" PRIu64 " workers\n",
                      asking->router->name,
                      value_number(answer_root(asking->answer), "workers"));
    while (code == EX_OK) {
        show(asking, wish->options.json, out);
        passed_ms = time_now_ms() - began_ms;
        if (wish->for_ms > 0 && passed_ms >= wish->for_ms)
            break;
        (void)usleep(LOOK_EACH_US);
        code = asking_do(asking, "GET", path, SLICE(""));
    }
    return code;
}

int command_trace(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct wish wish = { .for_ms = 0 };
    struct asking asking;
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    if (!read_wish(argc, argv, &wish, err))
        return EX_USAGE;
    make_path(&wish, &path);
    int code = asking_open(&asking, &wish.options, err);
    if (code == EX_OK)
        code = listen_on(&asking, &wish, buf_slice(&path).ptr, out);
    asking_close(&asking);
    return code;
}
