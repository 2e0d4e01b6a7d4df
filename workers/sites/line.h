/*
 * line.h - one connection of an outlet, the slot that it holds, and the jobs on
 * it.
 *
 *     CONNECTING -> READY <-> BUSY      READY -> LEAVING (QUIT was said)
 *          '----------'---------'----------' -> gone: the owner drops it
 *
 * A line that leaves keeps its slot until the server has seen it go, for so
 * long the server counts it.
 */
#ifndef WORKERS_SITES_LINE_H
#define WORKERS_SITES_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "config/conf.h"
#include "workers/sites/delivery.h"
#include "workers/smtp/channel.h"

struct carrier;

enum line_state { LINE_CONNECTING, LINE_READY, LINE_BUSY, LINE_LEAVING };

struct line {
    struct list link; /* in the owner's list of its state */
    enum line_state state;
    struct carrier *carrier; /* the owner */
    struct conf *conf;       /* what the channel's options point into */
    struct channel *channel;
    struct list deliveries; /* under way, in order; in BUSY at least one */
    uint32_t delivery_count;
    uint64_t route_key;
    uint64_t first_message; /* it was opened for */
    uint64_t number;        /* for traces; 0: none saw it yet */
    uint32_t sent;
};

/* Connects to the hosts of the job; takes a reference to the conf. `on_change`
 * gets the line. */
struct line *line_new(struct carrier *carrier, struct conf *conf,
                      const struct channel_options *options,
                      const struct delivery *first,
                      channel_fn *on_change) must_check;

/* Closes at once; it must have no delivery. */
void line_free(struct line **line);

/* Only when READY: says QUIT, and is LEAVING. */
void line_quit(struct line *line);

/* The line of a link in the list of its state. */
struct line *line_of(struct list *link);

#endif
