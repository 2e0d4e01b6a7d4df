/* lanes.c - every lane and every queued message of this router. */
#include "router/lanes/lanes.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#define POOL_NAME_MAX 255u

void lanes_init(struct lanes *lanes, const struct conf *conf, uint64_t now_ms)
{
    *lanes = (struct lanes){ .conf = conf };
    lanes->hot_share = LANES_HOT_SHARE;
    lanes->warmth = (struct lane_warmth){ cold_new(now_ms), LANES_HOT_SHARE };
    table_init(&lanes->by_key);
    table_init(&lanes->by_number);
    table_init(&lanes->messages);
    names_init(&lanes->tenants);
}

/* Lanes go when nothing is in them: the cold mail is put aside, and forgotten. */
static void free_lanes(struct lanes *lanes)
{
    struct cold *cold = lanes->warmth.cold;
    struct cold_queue aside;
    cold_open(cold, &aside, COLD_FOUND);
    size_t at = 0;
    for (struct lane *lane; (lane = table_next(&lanes->by_number, &at));)
        lane_empty_cold(lane, &aside);
    at = 0;
    for (uint64_t id; (id = cold_next(cold, &at)) != 0;)
        cold_take(cold, id);
    at = 0;
    for (struct lane *lane; (lane = table_next(&lanes->by_number, &at));)
        lane_free(&lane);
}

void lanes_release(struct lanes *lanes)
{
    struct list ready;
    list_init(&ready);
    size_t at = 0;
    for (struct lane *lane; (lane = table_next(&lanes->by_number, &at));) {
        lane_close_by(lane, NULL, NULL);
        lane_drain(lane, &ready);
    }
    while (list_take(&ready))
        ;
    at = 0;
    for (struct queued *queued; (queued = table_next(&lanes->messages, &at));)
        queued_free(&queued);
    free_lanes(lanes);
    cold_free(&lanes->warmth.cold);
    table_release(&lanes->messages);
    table_release(&lanes->by_key);
    table_release(&lanes->by_number);
    names_release(&lanes->tenants);
    mem_free(lanes->weights);
}

static bool same_streams(const struct conf *a, const struct conf *b)
{
    if (a->stream_count != b->stream_count)
        return false;
    for (size_t i = 0; i < a->stream_count; i++)
        if (strcmp(a->streams[i].name, b->streams[i].name) != 0)
            return false;
    return true;
}

void lanes_reconf(struct lanes *lanes, const struct conf *conf,
                  struct cold_queue *found)
{
    const bool stays = same_streams(lanes->conf, conf);
    lanes->conf = conf;
    lanes->weight_count = 0;
    size_t at = 0;
    for (struct lane *lane; (lane = table_next(&lanes->by_number, &at));) {
        if (!stays)
            lane_empty_cold(lane, found);
        lane_reconf(lane, conf);
    }
}

/* The more lanes, the less of each is kept in memory. */
static void share_warmth(struct lanes *lanes)
{
    size_t share = LANES_HOT_MAX / (lanes->by_number.count + 1);
    if (share < LANES_HOT_SHARE_LOW)
        share = LANES_HOT_SHARE_LOW;
    lanes->warmth.hot_max =
        share < lanes->hot_share ? (uint32_t)share : lanes->hot_share;
}

void lanes_keep_hot(struct lanes *lanes, uint32_t hot_share)
{
    lanes->hot_share = hot_share;
    share_warmth(lanes);
}

static bool has_key(const void *value, struct slice key)
{
    return slice_equal(((const struct lane *)value)->key, key);
}

struct lane *lanes_lane(struct lanes *lanes, const struct conf_pool *pool,
                        const struct destination *destination)
{
    char text[POOL_NAME_MAX + 1 + SITE_NAME_MAX];
    const struct slice name = slice_head(slice_text(pool->name), POOL_NAME_MAX);
    const struct slice site = destination->site;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\n';
    memcpy(text + name.len + 1, site.ptr, site.len);
    const struct slice key = slice_of(text, name.len + 1 + site.len);

    struct lane *lane = table_get_text(&lanes->by_key, key, has_key);
    if (lane)
        return lane;
    lane = lane_new(++lanes->number_last, lanes->conf, &lanes->warmth, pool,
                    destination);
    table_put_text(&lanes->by_key, lane->key, lane);
    table_put(&lanes->by_number, lane->number, lane);
    share_warmth(lanes);
    return lane;
}

struct lane *lanes_by_number(const struct lanes *lanes, uint32_t number)
{
    return table_get(&lanes->by_number, number);
}

void lanes_drop(struct lanes *lanes, struct lane **lane)
{
    (void)table_take_text(&lanes->by_key, (*lane)->key, has_key);
    (void)table_take(&lanes->by_number, (*lane)->number);
    share_warmth(lanes);
    lane_free(lane);
}

/* The config is gone through once for each tenant, not for each job. */
static uint32_t weight_of(struct lanes *lanes, uint32_t number)
{
    if (number >= lanes->weight_count) {
        const size_t count = lanes->tenants.count;
        lanes->weights =
            mem_resize(lanes->weights, count, sizeof *lanes->weights);
        memset(lanes->weights + lanes->weight_count, 0,
               (count - lanes->weight_count) * sizeof *lanes->weights);
        lanes->weight_count = count;
    }
    uint32_t *weight = &lanes->weights[number];
    if (*weight > 0)
        return *weight;
    const struct conf_tenant *tenant =
        conf_tenant(lanes->conf, names_text(&lanes->tenants, number));
    *weight = tenant && tenant->weight > 0 ? tenant->weight : 1;
    return *weight;
}

void lanes_push(struct lanes *lanes, struct lane *lane, struct job *job,
                enum lane_end end)
{
    const bool is_new = lanes->closes && !lane_has_share(lane, job);
    lane_push(lane, job, weight_of(lanes, job->tenant), end);
    if (is_new
        && lanes->closes(lanes->closes_context, lane, job->stream, job->tenant))
        lane_close_share(lane, job, true);
}

void lanes_leave(struct job *job)
{
    if (job->state == JOB_READY)
        lane_remove(job->lane, job);
    else
        list_remove(&job->link);
}

void lanes_park(struct lane *lane, struct job *job, enum job_state state)
{
    struct list *list = NULL;
    if (state == JOB_LEASED)
        list = &lane->out;
    else if (state == JOB_WAITING)
        list = &lane->waiting;
    else if (state == JOB_HELD)
        list = &lane->held;
    else if (state == JOB_PAUSED)
        list = &lane->paused;
    CHECK(list);
    list_push_back(list, &job->link);
    job->lane = lane;
    job->state = state;
}
