/* traces.c - which of our connections somebody at a router listens to. */
#include "workers/sites/traces.h"

#include <inttypes.h>

#include "common/base/arena.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"

#define LINES_AT_ONCE 64u          /* then they leave, before the turn's end */
#define TEXTS_MAX     (256u << 10) /* of those lines */

_Static_assert(LINES_AT_ONCE <= WIRE_LINES_MAX, "they fit into one frame");

struct trace {
    struct list link;
    struct link *router;
    uint64_t number;
    char *site;   /* "": any */
    char *domain; /* likewise */
    uint64_t message;
    uint64_t until_ms;
    uint64_t second_ms; /* when the count of `shown` began */
    uint32_t shown;
    uint64_t left_out;
    struct arena texts; /* of the lines */
    struct wire_line lines[LINES_AT_ONCE];
    size_t line_count;
};

struct traces {
    struct loop *loop;
    struct defer *leave; /* sends what has gathered */
    struct list all;
    uint32_t count;
    uint64_t number_last;
    bool is_on;
};

static struct trace *trace_of(struct list *link)
{
    return container_of(link, struct trace, link);
}

static void flush(struct trace *trace)
{
    if (trace->line_count == 0)
        return;
    const struct wire_lines lines = {
        .trace = trace->number,
        .left_out = trace->left_out,
        .lines = trace->lines,
        .line_count = trace->line_count,
    };
    if (link_lines(trace->router, &lines))
        trace->left_out = 0;
    else
        trace->left_out += trace->line_count;
    trace->line_count = 0;
    arena_clear(&trace->texts);
}

static void flush_all(void *context)
{
    const struct traces *traces = context;
    list_each (at, &traces->all)
        flush(trace_of(at));
}

static void drop(struct traces *traces, struct trace *trace)
{
    list_remove(&trace->link);
    traces->count--;
    traces->is_on = traces->count > 0;
    arena_release(&trace->texts);
    mem_free(trace->site);
    mem_free(trace->domain);
    mem_free(trace);
}

struct traces *traces_new(struct loop *loop)
{
    struct traces *traces = NEW(struct traces);
    traces->loop = loop;
    traces->leave = defer_new(loop, flush_all, traces);
    list_init(&traces->all);
    return traces;
}

void traces_free(struct traces **traces)
{
    struct traces *held = steal(*traces);
    if (!held)
        return;
    list_each (at, &held->all)
        drop(held, trace_of(at));
    defer_free(&held->leave);
    mem_free(held);
}

const bool *traces_switch(const struct traces *traces)
{
    return &traces->is_on;
}

uint64_t traces_number(struct traces *traces)
{
    return ++traces->number_last;
}

static struct trace *find(const struct traces *traces,
                          const struct link *router, uint64_t number)
{
    list_each (at, &traces->all)
        if (trace_of(at)->router == router && trace_of(at)->number == number)
            return trace_of(at);
    return NULL;
}

static struct trace *begin(struct traces *traces, struct link *router,
                           const struct wire_trace *asked)
{
    struct trace *trace = NEW(struct trace);
    trace->router = router;
    trace->number = asked->trace;
    trace->site = mem_copy_text(asked->site.ptr, asked->site.len);
    trace->domain = mem_copy_text(asked->domain.ptr, asked->domain.len);
    trace->message = asked->message;
    arena_init(&trace->texts, TEXTS_MAX);
    list_push_back(&traces->all, &trace->link);
    traces->count++;
    traces->is_on = true;
    log_line(LOG_INFO, "trace_begun", "trace=%" PRIu64, trace->number);
    return trace;
}

void traces_hear(struct traces *traces, struct link *router,
                 const struct wire_trace *asked)
{
    struct trace *trace = find(traces, router, asked->trace);
    if (!trace && traces->count == TRACES_MAX) {
        log_line(LOG_WARNING, "trace_refused", "trace=%" PRIu64 " why=many",
                 asked->trace);
        return;
    }
    if (!trace)
        trace = begin(traces, router, asked);
    const uint64_t for_ms =
        asked->for_ms < TRACES_FOR_MAX ? asked->for_ms : TRACES_FOR_MAX;
    trace->until_ms = loop_now_ms(traces->loop) + for_ms;
}

static bool matches(const struct trace *trace, const struct wire_line *line,
                    struct slice domain, uint64_t message)
{
    const struct slice site = slice_text(trace->site);
    const struct slice wanted = slice_text(trace->domain);
    return (site.len == 0 || slice_equal_nocase(site, line->site))
           && (wanted.len == 0 || slice_equal_nocase(wanted, domain))
           && (trace->message == 0 || trace->message == message);
}

/* Whether one line more is within the rate. */
static bool may_show(struct trace *trace, uint64_t now_ms)
{
    if (now_ms >= trace->second_ms + SECONDS_MS(1)) {
        trace->second_ms = now_ms;
        trace->shown = 0;
    }
    return trace->shown++ < TRACES_RATE;
}

/* A copy that lives until the lines have left. */
static bool copy(struct trace *trace, struct slice *text)
{
    *text = arena_slice(&trace->texts, *text);
    return text->ptr;
}

static bool keep(struct trace *trace, const struct wire_line *line)
{
    struct wire_line kept = *line;
    if (!copy(trace, &kept.site) || !copy(trace, &kept.source)
        || !copy(trace, &kept.host) || !copy(trace, &kept.host_ip)
        || !copy(trace, &kept.text))
        return false;
    trace->lines[trace->line_count++] = kept;
    return true;
}

void traces_show(struct traces *traces, const struct wire_line *line,
                 struct slice domain, uint64_t message)
{
    const uint64_t now_ms = loop_now_ms(traces->loop);
    list_each (at, &traces->all) {
        struct trace *trace = trace_of(at);
        if (now_ms >= trace->until_ms) {
            log_line(LOG_INFO, "trace_ended", "trace=%" PRIu64, trace->number);
            drop(traces, trace);
            continue;
        }
        if (!matches(trace, line, domain, message))
            continue;
        if (!may_show(trace, now_ms) || !keep(trace, line))
            trace->left_out++;
        if (trace->line_count == LINES_AT_ONCE)
            flush(trace);
        defer_set(traces->leave);
    }
}
