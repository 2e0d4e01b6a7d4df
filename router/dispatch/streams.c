/* streams.c - how long the mail of each stream waits. */
#include "router/dispatch/streams.h"

#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/dispatch/core.h"

static void wait_init(struct stream_wait *wait)
{
    rolling_init(&wait->minute, 6, SECONDS_MS(10));
    rolling_init(&wait->ten_minutes, 10, MINUTES_MS(1));
}

static void wait_release(struct stream_wait *wait)
{
    rolling_release(&wait->minute);
    rolling_release(&wait->ten_minutes);
}

static void wait_note(struct stream_wait *wait, uint64_t wait_ms,
                      uint64_t now_ms)
{
    histogram_add(&wait->all, wait_ms);
    rolling_add(&wait->minute, wait_ms, now_ms);
    rolling_add(&wait->ten_minutes, wait_ms, now_ms);
}

static struct stream_view *view_new(const char *name)
{
    struct stream_view *view = NEW(struct stream_view);
    view->name = mem_copy_text(name, strlen(name));
    wait_init(&view->attempt);
    wait_init(&view->delivery);
    return view;
}

static void view_free(struct stream_view **view)
{
    struct stream_view *freed = steal(*view);
    if (!freed)
        return;
    wait_release(&freed->attempt);
    wait_release(&freed->delivery);
    mem_free(freed->name);
    mem_free(freed);
}

void streams_init(struct streams *streams)
{
    *streams = (struct streams){ 0 };
}

void streams_release(struct streams *streams)
{
    for (size_t i = 0; i < streams->count; i++)
        view_free(&streams->items[i]);
    mem_free(streams->items);
    streams_init(streams);
}

static struct stream_view *take(struct streams *streams, const char *name)
{
    for (size_t i = 0; i < streams->count; i++)
        if (streams->items[i] && strcmp(streams->items[i]->name, name) == 0)
            return steal(streams->items[i]);
    return NULL;
}

void streams_reconf(struct streams *streams, const struct conf *conf)
{
    struct streams before = *streams;
    streams->count = conf->stream_count;
    streams->items =
        mem_new(conf->stream_count + 1, sizeof(struct stream_view *));
    for (size_t i = 0; i < conf->stream_count; i++) {
        struct stream_view *view = take(&before, conf->streams[i].name);
        streams->items[i] = view ? view : view_new(conf->streams[i].name);
    }
    streams_release(&before);
}

void streams_tried(struct streams *streams, const struct conf_stream *stream,
                   uint64_t wait_ms, uint64_t now_ms)
{
    struct stream_view *view = streams->items[stream->index];
    wait_note(&view->attempt, wait_ms, now_ms);
    view->within += wait_ms <= stream->latency_ms;
}

void streams_delivered(struct streams *streams,
                       const struct conf_stream *stream, uint64_t wait_ms,
                       uint64_t now_ms)
{
    wait_note(&streams->items[stream->index]->delivery, wait_ms, now_ms);
}

static void add_histogram(const struct histogram *histogram, const char *key,
                          struct json *json)
{
    json_key(json, key);
    json_begin_object(json);
    json_add_number(json, "count", histogram->count);
    json_add_number(json, "p50_ms", histogram_quantile(histogram, 500));
    json_add_number(json, "p90_ms", histogram_quantile(histogram, 900));
    json_add_number(json, "p99_ms", histogram_quantile(histogram, 990));
    json_add_number(json, "max_ms", histogram->max);
    json_end(json);
}

static void add_rolling(const struct rolling *rolling, const char *key,
                        uint64_t now_ms, struct json *json)
{
    struct histogram *sum = NEW(struct histogram);
    rolling_sum(rolling, now_ms, sum);
    add_histogram(sum, key, json);
    mem_free(sum);
}

static void add_wait(const struct stream_wait *wait, const char *key,
                     uint64_t now_ms, struct json *json)
{
    json_key(json, key);
    json_begin_object(json);
    add_rolling(&wait->minute, "minute", now_ms, json);
    add_rolling(&wait->ten_minutes, "ten_minutes", now_ms, json);
    add_histogram(&wait->all, "since_start", json);
    json_end(json);
}

/* What the lanes have of a stream. */
static void add_lanes(const struct dispatch *dispatch, size_t stream,
                      struct json *json)
{
    const uint64_t utc_ms = time_utc_ms();
    uint64_t ready = 0;
    uint64_t behind = 0;
    size_t at = 0;
    for (const struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        ready += lane_ready_of(lane, stream);
        behind += band_is_behind(&lane->bands[stream], utc_ms);
    }
    json_add_number(json, "ready", ready);
    json_add_number(json, "lanes_behind", behind);
}

static void add_stream(const struct dispatch *dispatch, size_t index,
                       struct json *json)
{
    const struct conf_stream *stream = &dispatch->conf->streams[index];
    const struct stream_view *view = dispatch->streams.items[index];
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    json_begin_object(json);
    json_add_text(json, "name", slice_text(stream->name));
    json_add_bool(json, "urgent", stream->urgent);
    json_add_number(json, "weight", stream->weight);
    json_add_number(json, "objective_ms", stream->latency_ms);
    add_lanes(dispatch, index, json);
    if (stream->latency_ms > 0)
        json_add_number(json, "within_objective", view->within);
    add_wait(&view->attempt, "first_attempt", now_ms, json);
    add_wait(&view->delivery, "delivered", now_ms, json);
    json_end(json);
}

void streams_add(const struct dispatch *dispatch, struct json *json)
{
    json_key(json, "streams");
    json_begin_array(json);
    for (size_t i = 0; i < dispatch->streams.count; i++)
        add_stream(dispatch, i, json);
    json_end(json);
}
