/* status.c - asking a running router, and showing what it says. */
#include "router/control/status.h"

#include <inttypes.h>
#include <sysexits.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "router/control/answer.h"
#include "router/control/asking.h"
#include "router/control/client.h"
#include "router/control/options.h"
#include "router/control/showing.h"
#include "router/control/table.h"

typedef void show_fn(const struct value *root, FILE *out);

/* One question: what to ask, and how to show the answer. */
struct question {
    const char *method;
    const char *path;
    show_fn *show;
};

static void add_number(struct text_table *table, const struct value *value,
                       const char *name)
{
    text_table_addf(table, "%" PRIu64, value_number(value, name));
}

static void print_and_free(struct text_table *table, FILE *out)
{
    text_table_print(table, out);
    text_table_free(&table);
}

static void show_numbers(const struct value *value, const char *const *names,
                         size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, "%s%s %" PRIu64, i > 0 ? ", " : "  ", names[i],
                      value_number(value, names[i]));
    (void)fprintf(out, "\n");
}

void status_show_workers(const struct value *workers, FILE *out)
{
    static const char *const heads[] = { "worker", "host",   "pid",
                                         "leases", "sent",   "last heard",
                                         "state",  "sources" };
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(workers); i++) {
        const struct value *worker = value_item(workers, i);
        const struct value *sources = value_member(worker, "sources");
        text_table_add(table, value_text(worker, "name"));
        text_table_add(table, value_text(worker, "host"));
        add_number(table, worker, "pid");
        add_number(table, worker, "leases");
        add_number(table, worker, "jobs_sent");
        showing_age(table, value_number(worker, "heard_ms_ago"));
        text_table_add(table, value_flag(worker, "draining") ? "draining"
                              : value_flag(worker, "same_config")
                                  ? "live"
                                  : "live, other config");
        text_table_addf(table, "%zu", value_count(sources));
    }
    print_and_free(table, out);
}

static void show_pools(const struct value *pools, FILE *out)
{
    static const char *const heads[] = { "pool", "state" };
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(pools); i++) {
        text_table_add(table, value_text(value_item(pools, i), "name"));
        text_table_add(table, value_text(value_item(pools, i), "state"));
    }
    print_and_free(table, out);
}

static void show_lanes(const struct value *lanes, FILE *out)
{
    static const char *const jobs[] = {
        "messages", "recipients", "cold", "lanes", "leases", "bodies_bytes"
    };
    static const char *const totals[] = { "accepted",  "delivered", "deferred",
                                          "bounced",   "expired",   "in_doubt",
                                          "unreadable" };
    if (value_flag(lanes, "full"))
        (void)fprintf(out,
                      "queue (FULL, max_recipients is %" PRIu64
                      ": new mail gets 452)\n",
                      value_number(lanes, "max_recipients"));
    else
        (void)fprintf(out, "queue\n");
    show_numbers(lanes, jobs, ARRAY_LEN(jobs), out);
    const uint64_t pauses = value_number(lanes, "pauses");
    if (pauses > 0)
        (void)fprintf(out,
                      "  %" PRIu64 " pauses in force: see `sendyard "
                      "actions`\n",
                      pauses);
    (void)fprintf(out, "since the start\n");
    show_numbers(value_member(lanes, "since_start"), totals, ARRAY_LEN(totals),
                 out);
}

static void show_spool(const struct value *store, FILE *out)
{
    static const char *const numbers[] = {
        "messages",    "segments", "bytes_live", "syncs",
        "sync_us_max", "failures", "damaged",    "free_bytes",
        "free_inodes", "min_free", "hard_free"
    };
    if (value_flag(store, "accepts"))
        (void)fprintf(out, "spool\n");
    else
        (void)fprintf(out, "spool (FULL, %s: new mail gets 452)\n",
                      value_text(store, "refuses"));
    show_numbers(store, numbers, ARRAY_LEN(numbers), out);
}

static void show_status(const struct value *root, FILE *out)
{
    static const char *const door[] = { "connections", "accepted",
                                        "logins",      "logins_failed",
                                        "refused_4yz", "refused_5yz" };
    const struct value *lanes = value_member(root, "dispatch");
    (void)fprintf(out, "router %s, version %s, pid %" PRIu64 "%s\n",
                  value_text(root, "router"), value_text(root, "version"),
                  value_number(root, "pid"),
                  value_flag(lanes, "gathering")
                      ? ", waiting for workers to tell what they hold"
                      : "");
    show_lanes(lanes, out);
    show_spool(value_member(root, "spool"), out);
    (void)fprintf(out, "submission\n");
    show_numbers(value_member(root, "submission"), door, ARRAY_LEN(door), out);
    (void)fprintf(out, "\n");
    status_show_workers(value_member(lanes, "workers"), out);
    (void)fprintf(out, "\n");
    show_pools(value_member(lanes, "pools"), out);
}

/* Milliseconds below ten seconds, so that a quick stream shows its digits. */
static void add_wait(struct text_table *table, const struct value *wait,
                     const char *name)
{
    uint64_t ms = value_number(wait, name);
    if (value_number(wait, "count") == 0)
        text_table_add(table, "-");
    else if (ms < 10000)
        text_table_addf(table, "%" PRIu64 "ms", ms);
    else
        showing_age(table, ms);
}

static void add_waits(struct text_table *table, const struct value *stream,
                      const char *name)
{
    static const char *const quantiles[] = { "p50_ms", "p90_ms", "p99_ms",
                                             "max_ms" };
    const struct value *wait =
        value_member(value_member(stream, name), "ten_minutes");
    for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
        add_wait(table, wait, quantiles[i]);
}

/* Of the messages since the start those whose first attempt was in time. */
static void add_share(struct text_table *table, const struct value *stream)
{
    const struct value *all =
        value_member(value_member(stream, "first_attempt"), "since_start");
    uint64_t count = value_number(all, "count");
    if (count == 0 || value_number(stream, "objective_ms") == 0)
        text_table_add(table, "-");
    else
        text_table_addf(table, "%.2f%%",
                        100.0 * (double)value_number(stream, "within_objective")
                            / (double)count);
}

static void show_streams(const struct value *root, FILE *out)
{
    static const char *const heads[] = { "stream",    "band",    "objective",
                                         "in time",   "ready",   "behind now",
                                         "tried p50", "p90",     "p99",
                                         "max",       "250 p50", "p90",
                                         "p99",       "max" };
    const struct value *streams =
        value_member(value_member(root, "dispatch"), "streams");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(streams); i++) {
        const struct value *stream = value_item(streams, i);
        uint64_t objective = value_number(stream, "objective_ms");
        text_table_add(table, value_text(stream, "name"));
        if (value_flag(stream, "urgent"))
            text_table_add(table, "urgent");
        else
            add_number(table, stream, "weight");
        if (objective == 0)
            text_table_add(table, "none");
        else
            showing_age(table, objective);
        add_share(table, stream);
        add_number(table, stream, "ready");
        text_table_add(table,
                       value_number(stream, "lanes_behind") > 0 ? "yes" : "no");
        add_waits(table, stream, "first_attempt");
        add_waits(table, stream, "delivered");
    }
    print_and_free(table, out);
    (void)fprintf(out, "waits of the last ten minutes, from acceptance to the "
                       "first attempt and to the receiver's 250;\nin time: "
                       "since the start\n");
}

static void show_queue(const struct value *root, FILE *out)
{
    static const char *const heads[] = { "pool",   "site",    "ready",
                                         "leased", "waiting", "held",
                                         "paused", "oldest",  "state" };
    const struct value *lanes = value_member(root, "lanes");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(lanes); i++) {
        const struct value *lane = value_item(lanes, i);
        text_table_add(table, value_text(lane, "pool"));
        text_table_add(table, value_text(lane, "site"));
        add_number(table, lane, "ready");
        add_number(table, lane, "leased");
        add_number(table, lane, "waiting");
        add_number(table, lane, "held");
        add_number(table, lane, "paused");
        if (value_member(lane, "oldest_ms"))
            showing_age(table, value_number(lane, "oldest_ms"));
        else
            text_table_add(table, "-"); /* all that it has is on disk */
        text_table_add(table, value_text(lane, "state"));
    }
    print_and_free(table, out);
    uint64_t homeless = value_number(root, "resolving_or_unknown");
    if (homeless > 0)
        (void)fprintf(out,
                      "%" PRIu64 " more wait for the DNS or for a worker's "
                      "word\n",
                      homeless);
}

static void show_message(const struct value *root, FILE *out)
{
    static const char *const texts[] = { "id",        "account", "tenant",
                                         "stream",    "reasons", "sender",
                                         "message_id" };
    static const char *const heads[] = { "recipient", "state", "attempts",
                                         "route",     "site",  "next try in",
                                         "last reply" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        (void)fprintf(out, "%-10s  %s\n", texts[i], value_text(root, texts[i]));
    const struct value *pending = value_member(root, "pending");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(pending); i++) {
        const struct value *recipient = value_item(pending, i);
        text_table_add(table, value_text(recipient, "recipient"));
        text_table_add(table, value_text(recipient, "state"));
        add_number(table, recipient, "attempts");
        text_table_add(table, value_text(recipient, "route"));
        text_table_add(table, value_text(recipient, "site"));
        showing_age(table, value_number(recipient, "next_retry_ms"));
        text_table_add(table, value_text(recipient, "last_reply"));
    }
    print_and_free(table, out);
}

static void show_holders(const struct value *root, FILE *out)
{
    static const char *const heads[] = { "pool", "source", "worker",
                                         "may send now", "sent" };
    const struct value *holders = value_member(root, "holders");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(holders); i++) {
        const struct value *holder = value_item(holders, i);
        text_table_add(table, value_text(holder, "pool"));
        text_table_add(table, value_text(holder, "source"));
        text_table_add(table, value_text(holder, "worker"));
        add_number(table, holder, "credit");
        add_number(table, holder, "sent");
    }
    print_and_free(table, out);
}

static void show_reload(const struct value *root, FILE *out)
{
    (void)fprintf(out, "%s\n", value_text(root, "title"));
}

static int ask(const struct question *question, const struct options *options,
               FILE *out, FILE *err)
{
    struct asking asking;
    int code = asking_open(&asking, options, err);
    if (code == EX_OK)
        code = asking_do(&asking, question->method, question->path, SLICE(""));
    if (code == EX_OK && options->json)
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking.json)));
    else if (code == EX_OK)
        question->show(answer_root(asking.answer), out);
    asking_close(&asking);
    return code;
}

/* A command without words of its own, or with `words` of them. */
static int ask_command(const struct question *question, int argc,
                       char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count > 0) {
        (void)fprintf(err, "unexpected: %s\n", options.words[0]);
        return EX_USAGE;
    }
    return ask(question, &options, out, err);
}

int command_status(int argc, char *const *argv, FILE *out, FILE *err)
{
    const struct question question = { "GET", "/v1/status", show_status };
    return ask_command(&question, argc, argv, out, err);
}

int command_streams(int argc, char *const *argv, FILE *out, FILE *err)
{
    const struct question question = { "GET", "/v1/status", show_streams };
    return ask_command(&question, argc, argv, out, err);
}

int command_queue(int argc, char *const *argv, FILE *out, FILE *err)
{
    const struct question question = { "GET", "/v1/queue", show_queue };
    return ask_command(&question, argc, argv, out, err);
}

int command_reload(int argc, char *const *argv, FILE *out, FILE *err)
{
    const struct question question = { "POST", "/v1/reload", show_reload };
    return ask_command(&question, argc, argv, out, err);
}

int command_message(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count != 1) {
        (void)fprintf(err, "usage: sendyard message [--config FILE] ID\n");
        return EX_USAGE;
    }
    struct buf path;
    buf_init(&path, 4096);
    (void)buf_add_text(&path, "/v1/messages/");
    client_encode(&path, options.words[0]);
    (void)buf_add_byte(&path, '\0');
    const struct question question = { "GET", buf_slice(&path).ptr,
                                       show_message };
    int code = ask(&question, &options, out, err);
    buf_release(&path);
    return code;
}

void status_print_holders(struct slice json, FILE *out)
{
    struct fault fault;
    struct answer *answer = answer_parse(json, &fault);
    if (!answer) {
        (void)fprintf(out, "%s\n", fault.text);
        return;
    }
    show_holders(answer_root(answer), out);
    answer_free(&answer);
}
