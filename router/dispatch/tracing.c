/* tracing.c - operators who listen to the talk with receivers. */
#include "router/dispatch/tracing.h"

#include <inttypes.h>

#include "common/base/mem.h"
#include "common/edge/log.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/dispatch/core.h"

/* Of one line, and of a text in it; each byte of that may take six in JSON. */
#define TEXT_MAX       1024u
#define LINE_BYTES_MAX (6u * 6u * TEXT_MAX + 256u)

/* What was asked, in the order of its words. */
enum word { WORD_NAME, WORD_WORKER, WORD_SITE, WORD_DOMAIN, WORD_ID, WORDS };

struct trace {
    struct list link;
    uint64_t number; /* as workers know it */
    char *question;
    struct slice words[WORDS]; /* into question; empty: any */
    uint64_t message;          /* 0: any */
    uint64_t asked_ms;         /* last */
    uint64_t told_ms;          /* the workers */
    uint64_t left_out;
    struct buf lines; /* a JSON array that is still open */
    struct json json; /* writes it */
};

static struct trace *trace_of(struct list *link)
{
    return container_of(link, struct trace, link);
}

static void begin_lines(struct trace *trace)
{
    buf_clear(&trace->lines);
    json_init(&trace->json, &trace->lines);
    json_begin_array(&trace->json);
}

void tracing_init(struct tracing *tracing)
{
    *tracing = (struct tracing){ .count = 0 };
    list_init(&tracing->all);
}

static void free_trace(struct trace *trace)
{
    list_remove(&trace->link);
    buf_release(&trace->lines);
    mem_free(trace->question);
    mem_free(trace);
}

static void drop(struct tracing *tracing, struct trace *trace)
{
    log_line(LOG_INFO, "trace_ended", "trace=%" PRIu64, trace->number);
    tracing->count--;
    free_trace(trace);
}

void tracing_release(struct tracing *tracing)
{
    list_each (at, &tracing->all)
        free_trace(trace_of(at));
}

/* RC_SYNTAX: these are not the words of a question. */
static enum rc read_words(struct trace *trace)
{
    struct cursor cursor = cursor_of(slice_text(trace->question));
    for (size_t i = 0; i < WORDS; i++) {
        struct slice *word = &trace->words[i];
        *word = cursor_rest(&cursor);
        if (i + 1 < WORDS && !cursor_until(&cursor, ' ', word))
            return RC_SYNTAX;
        if (slice_equal(*word, SLICE("-")))
            *word = slice_of(NULL, 0);
    }
    const struct slice id = trace->words[WORD_ID];
    if (slice_is_empty(trace->words[WORD_NAME]) || slice_find(id, ' ') < id.len
        || (!slice_is_empty(id) && !id_parse(id, &trace->message)))
        return RC_SYNTAX;
    return RC_OK;
}

static struct trace *find(const struct tracing *tracing, struct slice question)
{
    list_each (at, &tracing->all)
        if (slice_equal(slice_text(trace_of(at)->question), question))
            return trace_of(at);
    return NULL;
}

static enum rc begin(struct tracing *tracing, struct slice question,
                     struct trace **begun)
{
    if (tracing->count == TRACING_MAX)
        return RC_LIMIT;
    struct trace *trace = NEW(struct trace);
    list_init(&trace->link);
    buf_init(&trace->lines, TRACING_BYTES_MAX);
    begin_lines(trace);
    trace->question = mem_copy_text(question.ptr, question.len);
    const enum rc rc = read_words(trace);
    if (rc != RC_OK) {
        free_trace(trace);
        return rc;
    }
    trace->number = ++tracing->number_last;
    tracing->count++;
    list_push_back(&tracing->all, &trace->link);
    log_line(LOG_INFO, "trace_begun", "trace=%" PRIu64, trace->number);
    *begun = trace;
    return RC_OK;
}

static bool is_meant(const struct trace *trace, const struct worker *worker)
{
    const struct slice name = trace->words[WORD_WORKER];
    return slice_is_empty(name) || slice_equal(name, slice_text(worker->name));
}

/* A frame that is lost is made up for by the next. */
static void tell_workers(struct dispatch *dispatch, struct trace *trace)
{
    const struct wire_frame frame = {
        .kind = WIRE_TRACE,
        .as.trace = {
            .trace = trace->number,
            .site = trace->words[WORD_SITE],
            .domain = trace->words[WORD_DOMAIN],
            .message = trace->message,
            .for_ms = TRACING_QUIET_MS,
        },
    };
    trace->told_ms = dispatch_now_ms(dispatch);
    list_each (at, &dispatch->workers.all) {
        const struct worker *worker = container_of(at, struct worker, link);
        if (is_meant(trace, worker))
            (void)dispatch_say(dispatch, &worker->peer, &frame);
    }
}

static uint64_t count_meant(const struct dispatch *dispatch,
                            const struct trace *trace)
{
    uint64_t count = 0;
    list_each (at, &dispatch->workers.all)
        count += is_meant(trace, container_of(at, struct worker, link));
    return count;
}

enum rc tracing_answer(struct dispatch *dispatch, struct slice question,
                       struct json *json)
{
    struct tracing *tracing = &dispatch->tracing;
    struct trace *trace = find(tracing, question);
    if (!trace) {
        const enum rc rc = begin(tracing, question, &trace);
        if (rc != RC_OK)
            return rc;
        tell_workers(dispatch, trace);
    }
    trace->asked_ms = dispatch_now_ms(dispatch);
    json_add_text(json, "router", slice_text(dispatch->router->name));
    json_add_number(json, "workers", count_meant(dispatch, trace));
    json_add_number(json, "left_out", trace->left_out);
    json_end(&trace->json);
    json_key(json, "lines");
    json_raw(json, buf_slice(&trace->lines));
    trace->left_out = 0;
    begin_lines(trace);
    return RC_OK;
}

static void add_text(struct json *json, const char *key, struct slice text)
{
    json_add_text(json, key, slice_head(text, TEXT_MAX));
}

static void add_line(struct trace *trace, const struct worker *worker,
                     const struct wire_line *line)
{
    static const char *const kinds[] = { "note", "said", "heard" };
    const size_t kind = line->kind < ARRAY_LEN(kinds) ? line->kind : 0;
    struct json *json = &trace->json;
    if (trace->lines.len + LINE_BYTES_MAX > trace->lines.max) {
        trace->left_out++;
        return;
    }
    json_begin_object(json);
    add_text(json, "worker", slice_text(worker->name));
    json_add_number(json, "connection", line->connection);
    json_add_number(json, "ms", line->since_ms);
    add_text(json, "kind", slice_text(kinds[kind]));
    add_text(json, "site", line->site);
    add_text(json, "source", line->source);
    add_text(json, "host", line->host);
    add_text(json, "ip", line->host_ip);
    add_text(json, "text", line->text);
    json_end(json);
}

void tracing_hear(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_lines *lines)
{
    list_each (at, &dispatch->tracing.all) {
        struct trace *trace = trace_of(at);
        if (trace->number != lines->trace || !is_meant(trace, worker))
            continue;
        trace->left_out += lines->left_out;
        for (size_t i = 0; i < lines->line_count; i++)
            add_line(trace, worker, &lines->lines[i]);
    }
}

void tracing_tick(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    list_each (at, &dispatch->tracing.all) {
        struct trace *trace = trace_of(at);
        if (now_ms >= trace->asked_ms + TRACING_QUIET_MS)
            drop(&dispatch->tracing, trace);
        else if (now_ms >= trace->told_ms + TRACING_SAY_MS)
            tell_workers(dispatch, trace);
    }
}
