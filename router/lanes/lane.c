/* lane.c - the queue of one pool and one site. */
#include "router/lanes/lane.h"

#include "common/base/check.h"
#include "common/base/mem.h"

/* Virtual time of one turn of a band with weight 1. */
#define STRIDE (UINT64_C(1) << 20)

struct share {
    struct list link; /* in its band while it has jobs */
    struct list jobs;
    uint64_t key;
    uint32_t weight;
    uint32_t left; /* recipients that it may still send in this turn */
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
    list_init(&lane->link);
    list_init(&lane->out);
    list_init(&lane->waiting);
    list_init(&lane->held);
    table_init(&lane->shares);
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
    table_release(&freed->shares);
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

static uint64_t share_key(const struct job *job)
{
    return (uint64_t)job->stream << 32 | job->tenant;
}

static struct share *share_for(struct lane *lane, struct band *band,
                               const struct job *job, uint32_t weight)
{
    struct share *share = table_get(&lane->shares, share_key(job));
    if (share)
        return share;
    share = NEW(struct share);
    share->key = share_key(job);
    share->weight = weight > 0 ? weight : 1;
    share->left = share->weight;
    list_init(&share->jobs);
    list_push_back(&band->shares, &share->link);
    table_put(&lane->shares, share->key, share);
    return share;
}

void lane_push(struct lane *lane, struct job *job, uint32_t weight,
               enum lane_end end)
{
    CHECK(job->stream < lane->band_count);
    struct band *band = &lane->bands[job->stream];
    struct share *share = share_for(lane, band, job, weight);
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
    if (!list_is_empty(&share->jobs))
        return;
    list_remove(&share->link);
    (void)table_take(&lane->shares, share->key);
    mem_free(share);
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

void lane_remove(struct lane *lane, struct job *job)
{
    CHECK(job->state == JOB_READY && job->lane == lane);
    struct share *share = table_get(&lane->shares, share_key(job));
    CHECK(share);
    unlink_job(lane, &lane->bands[job->stream], share, job);
}

const struct job *lane_next_first(const struct lane *lane, size_t *at)
{
    const struct share *share = table_next(&lane->shares, at);
    return share ? first_job(share) : NULL;
}

bool lane_is_empty(const struct lane *lane)
{
    return lane->ready == 0 && list_is_empty(&lane->out)
           && list_is_empty(&lane->waiting) && list_is_empty(&lane->held);
}
