/* line.c - one connection of an outlet, its slot, and the jobs on it. */
#include "workers/sites/line.h"

#include "common/base/check.h"
#include "common/base/mem.h"

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
    line->channel =
        channel_new(options, first->job.hosts, first->job.host_count,
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
