/*
 * streams.h - how long the mail of each stream waits: measured always.
 *
 * Two waits, both from acceptance: to the begin of the first attempt, as the
 * worker that made it tells, and to the 250 of the receiver. Each over the last
 * minute (six spans of ten seconds), the last ten minutes (ten spans of one)
 * and since the start. What a reload keeps is told by the stream's name.
 *
 * A message counts once for each job: for each of its domains. Mail that was
 * given up, or never left this router, counts in neither. Fixed memory: about
 * 140 kB a stream.
 */
#ifndef ROUTER_DISPATCH_STREAMS_H
#define ROUTER_DISPATCH_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/histogram.h"
#include "common/proto/json.h"
#include "config/conf.h"

struct dispatch;

/* One wait, over its three times. */
struct stream_wait {
    struct histogram all;
    struct rolling minute;
    struct rolling ten_minutes;
};

struct stream_view {
    char *name;
    struct stream_wait attempt;
    struct stream_wait delivery;
    uint64_t within; /* first attempts that kept the objective of their time */
};

struct streams {
    struct stream_view **items; /* by the stream's index */
    size_t count;
};

void streams_init(struct streams *streams);
void streams_release(struct streams *streams);

/* A new config, or the first. */
void streams_reconf(struct streams *streams, const struct conf *conf);

/* A first attempt began `wait_ms` after acceptance; a 250 came. */
void streams_tried(struct streams *streams, const struct conf_stream *stream,
                   uint64_t wait_ms, uint64_t now_ms);
void streams_delivered(struct streams *streams,
                       const struct conf_stream *stream, uint64_t wait_ms,
                       uint64_t now_ms);

/* The array of all streams, with what waits in the lanes. */
void streams_add(const struct dispatch *dispatch, struct json *json);

#endif
