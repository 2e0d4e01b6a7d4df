/* line.c - one connection of an outlet, its slot, and the jobs on it. */
#include "workers/sites/line.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "workers/sites/carrier.h"

/* What we say is of the newest message under way, what we hear of the oldest. */
static const struct wire_job *job_of(const struct line *line,
                                     enum tap_kind kind)
{
    if (line->delivery_count == 0)
        return NULL;
    struct list *at =
        kind == TAP_SAID ? line->deliveries.prev : line->deliveries.next;
    return &container_of(at, struct delivery, link)->job;
}

/* A line of the dialogue, for who traces it. */
static void show(void *context, enum tap_kind kind, struct slice text)
{
    struct line *line = context;
    const struct passage *passage = line->carrier->passage;
    const struct wire_job *job = job_of(line, kind);
    struct traces *traces = passage->ground->traces;
    if (line->number == 0)
        line->number = traces_number(traces);
    const struct wire_line shown = {
        .connection = line->number,
        .since_ms = passage_now_ms(passage) - channel_began_ms(line->channel),
        .kind = (uint8_t)kind,
        .site = slice_text(passage->site),
        .source = slice_text(passage->source->name),
        .host = slice_text(channel_host(line->channel)),
        .host_ip = slice_text(channel_host_ip(line->channel)),
        .text = text,
    };
    const uint64_t opened_for =
        line->state == LINE_CONNECTING ? line->first_message : 0;
    traces_show(traces, &shown, job ? job->domain : slice_text(passage->domain),
                job ? job->message : opened_for);
}

struct line *line_new(struct carrier *carrier, struct conf *conf,
                      const struct channel_options *options,
                      const struct delivery *first, channel_fn *on_change)
{
    struct line *line = NEW(struct line);
    list_init(&line->link);
    list_init(&line->deliveries);
    line->carrier = carrier;
    line->conf = conf_hold(conf);
    line->route_key = first->route_key;
    line->first_message = first->job.message;
    struct channel_options traced = *options;
    traced.tap = (struct channel_tap){
        .is_on = traces_switch(carrier->passage->ground->traces),
        .fn = show,
        .context = line,
    };
    line->channel =
        channel_new(&traced, first->job.hosts, first->job.host_count,
                    first->job.lease, on_change, line);
    return line;
}

void line_free(struct line **line)
{
    struct line *held = steal(*line);
    CHECK(held->delivery_count == 0);
    list_remove(&held->link);
    channel_free(&held->channel);
    conf_release(&held->conf);
    mem_free(held);
}

void line_quit(struct line *line)
{
    CHECK(line->state == LINE_READY);
    line->state = LINE_LEAVING;
    channel_leave(line->channel);
}

struct line *line_of(struct list *link)
{
    return container_of(link, struct line, link);
}
