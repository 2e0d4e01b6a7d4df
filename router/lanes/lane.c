/* lane.c - the queue of one pool and one site. */
#include "router/lanes/lane.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/lanes/queued.h"

/* Virtual time of one turn of a band with weight 1. */
#define STRIDE (UINT64_C(1) << 20)

struct share {
    struct lane *lane;
    struct list link; /* in its band while it has jobs in memory */
    struct list jobs;
    uint64_t key;
    uint32_t weight;
    uint32_t left; /* recipients that it may still send in this turn */
    uint32_t hot;  /* jobs in memory */
    uint32_t fetching;
    struct cold_queue cold; /* behind them; open once it was needed */
    struct list thirst;     /* in lane->thirsty */
};

static struct slice put_text(char **at, struct slice text)
{
    struct slice put = { *at, text.len };
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return put;
}

static void make_bands(struct lane *lane, const struct conf *conf)
{
    lane->band_count = conf->stream_count;
    lane->bands = mem_new(conf->stream_count, sizeof *lane->bands);
    lane->floor_pass[false] = lane->floor_pass[true] = 0;
    for (size_t i = 0; i < conf->stream_count; i++) {
        const struct conf_stream *stream = &conf->streams[i];
        list_init(&lane->bands[i].shares);
        lane->bands[i].urgent = stream->urgent;
        lane->bands[i].weight = stream->weight > 0 ? stream->weight : 1;
    }
}

struct lane *lane_new(uint32_t number, const struct conf *conf,
                      const struct lane_warmth *warmth,
                      const struct conf_pool *pool,
                      const struct destination *destination)
{
    const struct slice name = slice_text(pool->name);
    const struct slice site = destination->site;
    struct lane *lane =
        mem_new(1, sizeof *lane + name.len + 1 + site.len
                       + destination->domain.len + destination->provider.len);
    char *at = (char *)(lane + 1);
    lane->number = number;
    lane->pool = pool;
    lane->pool_name = put_text(&at, name);
    (void)put_text(&at, SLICE("\n"));
    lane->site = put_text(&at, site);
    lane->key = slice_of(lane->pool_name.ptr, name.len + 1 + site.len);
    lane->domain = put_text(&at, destination->domain);
    lane->provider = put_text(&at, destination->provider);
    lane->warmth = warmth;
    list_init(&lane->link);
    list_init(&lane->thirsty);
    list_init(&lane->thirst);
    cold_open(warmth->cold, &lane->cold_waiting, COLD_WAITING);
    list_init(&lane->out);
    list_init(&lane->waiting);
    list_init(&lane->held);
    table_init(&lane->shares);
    aside_init(&lane->aside);
    make_bands(lane, conf);
    return lane;
}

void lane_free(struct lane **lane)
{
    struct lane *freed = steal(*lane);
    if (!freed)
        return;
    CHECK(lane_is_empty(freed));
    list_remove(&freed->link);
    list_remove(&freed->thirst);
    cold_close(freed->warmth->cold, &freed->cold_waiting);
    table_release(&freed->shares);
    aside_release(&freed->aside);
    mem_free(freed->bands);
    mem_free(freed);
}

void lane_reconf(struct lane *lane, const struct conf *conf)
{
    CHECK(lane->ready == 0);
    mem_free(lane->bands);
    make_bands(lane, conf);
    lane->pool = conf_pool(conf, lane->pool_name);
}

uint64_t lane_share_of(const struct job *job)
{
    return (uint64_t)job->stream << 32 | job->tenant;
}

static struct share *share_for(struct lane *lane, const struct job *job)
{
    const uint64_t key = lane_share_of(job);
    struct share *share = table_get(&lane->shares, key);
    if (share)
        return share;
    share = NEW(struct share);
    share->lane = lane;
    share->key = key;
    list_init(&share->jobs);
    list_init(&share->link);
    list_init(&share->thirst);
    table_put(&lane->shares, share->key, share);
    return share;
}

/* It has jobs again. */
static void enter_band(struct band *band, struct share *share, uint32_t weight)
{
    share->weight = weight > 0 ? weight : 1;
    share->left = share->weight;
    list_push_back(&band->shares, &share->link);
}

/* After each change: is it thirsty, or nothing any more? */
static void review_share(struct lane *lane, struct share *share)
{
    const uint32_t near = share->hot + share->fetching;
    const bool thirsty =
        share->cold.in_line > 0 && 2 * near <= lane->warmth->hot_max;
    if (!thirsty)
        list_remove(&share->thirst);
    else if (list_is_empty(&share->thirst))
        list_push_back(&lane->thirsty, &share->thirst);
    if (near > 0 || share->cold.in_line > 0)
        return;
    cold_close(lane->warmth->cold, &share->cold);
    (void)table_take(&lane->shares, share->key);
    mem_free(share);
}

void lane_push(struct lane *lane, struct job *job, uint32_t weight,
               enum lane_end end)
{
    CHECK(job->stream < lane->band_count);
    struct band *band = &lane->bands[job->stream];
    struct share *share = share_for(lane, job);
    if (share->hot++ == 0)
        enter_band(band, share, weight);
    if (end == LANE_FRONT)
        list_push_front(&share->jobs, &job->link);
    else
        list_push_back(&share->jobs, &job->link);

    const uint64_t floor = lane->floor_pass[band->urgent];
    if (band->ready == 0 && band->pass < floor)
        band->pass = floor;
    band->ready++;
    lane->ready++;
    job->lane = lane;
    job->state = JOB_READY;
}

/* Of the bands with jobs: an urgent one before all others, then the one whose
 * turn came first. */
static struct band *next_band(struct lane *lane)
{
    struct band *best = NULL;
    for (size_t i = 0; i < lane->band_count; i++) {
        struct band *band = &lane->bands[i];
        if (band->ready == 0)
            continue;
        if (!best || band->urgent > best->urgent
            || (band->urgent == best->urgent && band->pass < best->pass))
            best = band;
    }
    return best;
}

static uint32_t cost_of(const struct job *job)
{
    return job->recipient_count < LANE_COST_MAX ? job->recipient_count
                                                : LANE_COST_MAX;
}

static struct job *first_job(const struct share *share)
{
    return container_of(share->jobs.next, struct job, link);
}

/* Deficit round robin. Each round gives every share at least one recipient, so
 * within LANE_COST_MAX rounds one can pay for its first job; alone it always
 * can. */
static struct share *next_share(struct band *band)
{
    for (;;) {
        struct share *share =
            container_of(band->shares.next, struct share, link);
        const uint32_t cost = cost_of(first_job(share));
        const bool alone = share->link.next == &band->shares;
        if (alone && share->left < cost)
            share->left = cost;
        if (share->left >= cost) {
            share->left -= cost;
            return share;
        }
        list_remove(&share->link);
        list_push_back(&band->shares, &share->link);
        share->left += share->weight;
    }
}

static void unlink_job(struct lane *lane, struct band *band,
                       struct share *share, struct job *job)
{
    list_remove(&job->link);
    band->ready--;
    lane->ready--;
    if (--share->hot == 0)
        list_remove(&share->link);
    review_share(lane, share);
}

struct job *lane_take(struct lane *lane)
{
    struct band *band = next_band(lane);
    if (!band)
        return NULL;
    lane->floor_pass[band->urgent] = band->pass;
    band->pass += STRIDE / band->weight;
    struct share *share = next_share(band);
    struct job *job = first_job(share);
    unlink_job(lane, band, share, job);
    return job;
}

void lane_set_aside(struct lane *lane, struct job *job)
{
    aside_add(&lane->aside, job);
    lane->ready++;
    job->lane = lane;
    job->state = JOB_READY;
}

void lane_drain(struct lane *lane, struct list *jobs)
{
    for (struct job *job; (job = lane_take(lane));)
        list_push_back(jobs, &job->link);
    size_t at = 0;
    for (uint32_t source; (source = aside_next(&lane->aside, &at)); at = 0)
        for (struct job *job; (job = aside_take(&lane->aside, source));) {
            lane->ready--;
            list_push_back(jobs, &job->link);
        }
}

static struct share *share_of(const struct lane *lane, const struct job *job)
{
    struct share *share = table_get(&lane->shares, lane_share_of(job));
    CHECK(share);
    return share;
}

void lane_remove(struct lane *lane, struct job *job)
{
    CHECK(job->state == JOB_READY && job->lane == lane);
    if (job->aside) {
        aside_remove(&lane->aside, job);
        lane->ready--;
        return;
    }
    unlink_job(lane, &lane->bands[job->stream], share_of(lane, job), job);
}

bool lane_is_deep(const struct lane *lane, const struct job *job, bool is_next)
{
    CHECK(job->state == JOB_READY && job->lane == lane);
    if (job->aside)
        return false;
    const struct share *share = share_of(lane, job);
    if (share->hot > lane->warmth->hot_max)
        return true;
    return !is_next && share->cold.in_line + share->fetching > 0;
}

void lane_freeze(struct lane *lane, struct job *job, uint64_t due_ms)
{
    struct share *share = share_of(lane, job);
    if (share->cold.number == 0)
        cold_open(lane->warmth->cold, &share->cold, COLD_READY);
    cold_push(lane->warmth->cold, &share->cold, job->queued->id, due_ms);
    lane->cold_ready++;
    lane_remove(lane, job);
}

static void begin_fetch(struct lane *lane, struct share *share,
                        struct cold_queue *queue, struct lane_fetch *fetch)
{
    struct cold *cold = lane->warmth->cold;
    *fetch = (struct lane_fetch){
        .id = cold_first(cold, &share->cold),
        .lane = lane->number,
        .share = share->key,
    };
    cold_move(cold, queue, fetch->id);
    share->fetching++;
    lane->fetching++;
    lane->cold_ready--;
    review_share(lane, share);
}

bool lane_fetch(struct lane *lane, struct cold_queue *queue,
                struct lane_fetch *fetch)
{
    if (list_is_empty(&lane->thirsty))
        return false;
    begin_fetch(lane, container_of(lane->thirsty.next, struct share, thirst),
                queue, fetch);
    return true;
}

bool lane_fetch_due(struct lane *lane, struct cold_queue *queue,
                    uint64_t now_ms, struct lane_fetch *fetch)
{
    size_t at = 0;
    for (struct share *share;
         lane->cold_ready > 0 && (share = table_next(&lane->shares, &at));) {
        if (!cold_first_is_due(lane->warmth->cold, &share->cold, now_ms))
            continue;
        begin_fetch(lane, share, queue, fetch);
        return true;
    }
    return false;
}

void lane_leave_line(struct cold_queue *line, struct cold_queue *queue,
                     uint64_t id)
{
    struct share *share = container_of(line, struct share, cold);
    cold_move(share->lane->warmth->cold, queue, id);
    share->lane->cold_ready--;
    review_share(share->lane, share);
}

void lane_fetched(struct lane *lane, const struct lane_fetch *fetch)
{
    struct share *share = table_get(&lane->shares, fetch->share);
    if (!share || share->fetching == 0)
        return; /* lane_empty_cold() came between */
    share->fetching--;
    lane->fetching--;
    review_share(lane, share);
}

void lane_empty_cold(struct lane *lane, struct cold_queue *queue)
{
    struct cold *cold = lane->warmth->cold;
    size_t at = 0;
    for (struct share *share; (share = table_next(&lane->shares, &at));) {
        for (uint64_t id; (id = cold_first(cold, &share->cold)) != 0;)
            cold_move(cold, queue, id);
        cold_close(cold, &share->cold);
        CHECK(share->hot == 0);
        list_remove(&share->thirst);
        mem_free(share);
    }
    table_release(&lane->shares);
    lane->cold_ready = lane->fetching = 0;
}

const struct job *lane_next_first(const struct lane *lane, size_t *at)
{
    for (;;) {
        const struct share *share = table_next(&lane->shares, at);
        if (!share)
            return NULL;
        if (share->hot > 0)
            return first_job(share);
    }
}

bool lane_is_empty(const struct lane *lane)
{
    return lane_depth(lane) == 0 && cold_queued(&lane->cold_waiting) == 0
           && list_is_empty(&lane->out) && list_is_empty(&lane->waiting)
           && list_is_empty(&lane->held);
}
