/* lane.c - the queue of one pool and one site. */
#include "router/lanes/lane.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/proto/message_id.h"
#include "router/lanes/queued.h"

/* The jobs of a share: never tried, and tried before. */
enum kind { FRESH, AGAIN };
#define KINDS 2

struct share {
    struct lane *lane;
    struct list link;        /* in its band: open, with jobs in memory */
    struct heap_place place; /* in band->fresh while it has FRESH ones */
    struct list jobs[KINDS];
    enum kind turn; /* which of the two is next, when there are both */
    uint64_t key;
    uint32_t weight;
    uint32_t left; /* recipients that it may still send in this turn */
    uint32_t hot;  /* jobs in memory */
    uint32_t fetching;
    struct cold_queue cold; /* behind them; open once it was needed */
    struct list thirst;     /* in lane->thirsty */
    bool closed;            /* in no band, never thirsty */
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
    memset(lane->classes, 0, sizeof lane->classes);
    for (size_t i = 0; i < conf->stream_count; i++)
        band_init(&lane->bands[i], &conf->streams[i]);
}

static void free_bands(struct lane *lane)
{
    for (size_t i = 0; i < lane->band_count; i++)
        band_release(&lane->bands[i]);
    mem_free(lane->bands);
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
    list_init(&lane->paused);
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
    free_bands(freed);
    mem_free(freed);
}

void lane_reconf(struct lane *lane, const struct conf *conf)
{
    CHECK(lane->ready == 0 && lane->closed == 0);
    free_bands(lane);
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
    for (size_t kind = 0; kind < KINDS; kind++)
        list_init(&share->jobs[kind]);
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
    if (!share->closed)
        list_push_back(&band->shares, &share->link);
}

/* So many jobs of the band may leave now that could not before. */
static void add_ready(struct lane *lane, struct band *band, uint32_t count)
{
    band_add(band, &lane->classes[band->urgent], count);
    lane->ready += count;
}

/* After each change: is it thirsty, or nothing any more? */
static void review_share(struct lane *lane, struct share *share)
{
    const uint32_t near = share->hot + share->fetching;
    const bool thirsty = share->cold.in_line > 0 && !share->closed
                         && 2 * near <= lane->warmth->hot_max;
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

static enum kind kind_of(const struct job *job)
{
    return job->attempts > 0 ? AGAIN : FRESH;
}

static struct job *first_of(const struct share *share, enum kind kind)
{
    const struct list *jobs = &share->jobs[kind];
    return list_is_empty(jobs) ? NULL
                               : container_of(jobs->next, struct job, link);
}

/* The share's FRESH jobs begin with another one, or may no longer leave. */
static void note_age(struct band *band, struct share *share)
{
    const struct job *first = first_of(share, FRESH);
    if (first && !share->closed)
        heap_set(&band->fresh, &share->place, id_utc_ms(first->queued->id));
    else
        heap_remove(&band->fresh, &share->place);
}

/* FRESH ones stay in the order of their arrival: several that come back do so in
 * any order. */
static void push_front(struct list *jobs, struct job *job)
{
    struct list *at = jobs->next;
    for (unsigned step = 0;
         kind_of(job) == FRESH && at != jobs && step < LANE_STEPS_MAX
         && container_of(at, struct job, link)->queued->id < job->queued->id;
         step++)
        at = at->next;
    list_push_back(at, &job->link);
}

void lane_push(struct lane *lane, struct job *job, uint32_t weight,
               enum lane_end end)
{
    CHECK(job->stream < lane->band_count);
    struct band *band = &lane->bands[job->stream];
    struct share *share = share_for(lane, job);
    struct list *jobs = &share->jobs[kind_of(job)];
    if (share->hot++ == 0)
        enter_band(band, share, weight);
    if (end == LANE_FRONT)
        push_front(jobs, job);
    else
        list_push_back(jobs, &job->link);
    if (first_of(share, FRESH) == job)
        note_age(band, share);
    if (share->closed)
        lane->closed++;
    else
        add_ready(lane, band, 1);
    job->lane = lane;
    job->state = JOB_READY;
}

static uint32_t cost_of(const struct job *job)
{
    return job->recipient_count < LANE_COST_MAX ? job->recipient_count
                                                : LANE_COST_MAX;
}

/* The next job of a share that has one in memory. */
static struct job *first_job(const struct share *share)
{
    struct job *first = first_of(share, share->turn);
    if (!first)
        first = first_of(share, share->turn == FRESH ? AGAIN : FRESH);
    CHECK(first);
    return first;
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
    const bool was_first = first_of(share, FRESH) == job;
    list_remove(&job->link);
    if (was_first)
        note_age(band, share);
    if (share->closed) {
        lane->closed--;
    } else {
        band->ready--;
        lane->ready--;
    }
    if (--share->hot == 0)
        list_remove(&share->link);
    review_share(lane, share);
}

struct job *lane_next(struct lane *lane, uint64_t utc_ms, enum wire_rank *rank)
{
    struct band *band =
        band_next(lane->bands, lane->band_count, lane->classes, utc_ms);
    if (!band)
        return NULL;
    *rank = band_rank(band, utc_ms);
    struct share *share = next_share(band);
    struct job *job = first_job(share);
    share->turn = kind_of(job) == FRESH ? AGAIN : FRESH;
    unlink_job(lane, band, share, job);
    return job;
}

struct job *lane_take(struct lane *lane)
{
    enum wire_rank rank;
    return lane_next(lane, 0, &rank);
}

uint64_t lane_ready_of(const struct lane *lane, size_t stream)
{
    uint64_t ready = lane->bands[stream].ready;
    size_t at = 0;
    for (const struct share *share; (share = table_next(&lane->shares, &at));)
        if (share->key >> 32 == stream)
            ready += share->cold.in_line + share->fetching;
    return ready;
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

uint32_t lane_urgent(const struct lane *lane)
{
    uint32_t urgent = 0;
    for (size_t i = 0; i < lane->band_count; i++)
        if (lane->bands[i].urgent)
            urgent += lane->bands[i].ready;
    return urgent;
}

bool lane_is_behind(const struct lane *lane, uint64_t utc_ms)
{
    for (size_t i = 0; i < lane->band_count; i++)
        if (!lane->bands[i].urgent && band_is_behind(&lane->bands[i], utc_ms))
            return true;
    return false;
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
    if (is_next)
        return false;
    const struct share *share = share_of(lane, job);
    return share->hot > lane->warmth->hot_max
           || share->cold.in_line + share->fetching > 0;
}

void lane_freeze(struct lane *lane, struct job *job, uint64_t due_ms)
{
    struct share *share = share_of(lane, job);
    if (share->cold.number == 0)
        cold_open(lane->warmth->cold, &share->cold, COLD_READY);
    cold_push(lane->warmth->cold, &share->cold, job->queued->id, due_ms);
    lane->cold_ready++;
    lane->cold_closed += share->closed;
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
    lane->cold_closed -= share->closed;
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
    share->lane->cold_closed -= share->closed;
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
    lane->cold_ready = lane->cold_closed = lane->fetching = 0;
}

static void set_closed(struct lane *lane, struct share *share, bool closed)
{
    struct band *band = &lane->bands[share->key >> 32];
    if (share->closed == closed)
        return;
    share->closed = closed;
    if (closed) {
        list_remove(&share->link);
        band->ready -= share->hot;
        lane->ready -= share->hot;
        lane->closed += share->hot;
        lane->cold_closed += share->cold.in_line;
    } else {
        if (share->hot > 0) {
            list_push_back(&band->shares, &share->link);
            add_ready(lane, band, share->hot);
        }
        lane->closed -= share->hot;
        lane->cold_closed -= share->cold.in_line;
    }
    note_age(band, share);
    review_share(lane, share);
}

/* A share that is reviewed here is not empty, so the table stays. */
void lane_close_by(struct lane *lane, lane_closes_fn *closes, void *context)
{
    size_t at = 0;
    for (struct share *share; (share = table_next(&lane->shares, &at));)
        set_closed(lane, share,
                   closes
                       && closes(context, lane, (uint16_t)(share->key >> 32),
                                 (uint32_t)share->key));
}

void lane_close_share(struct lane *lane, const struct job *job, bool closed)
{
    set_closed(lane, share_of(lane, job), closed);
}

bool lane_has_share(const struct lane *lane, const struct job *job)
{
    return table_get(&lane->shares, lane_share_of(job)) != NULL;
}

bool lane_has_closed(const struct lane *lane, const struct job *job)
{
    const struct share *share = table_get(&lane->shares, lane_share_of(job));
    return share && share->closed;
}

struct lane *lane_of_line(struct cold_queue *line, uint16_t *stream,
                          uint32_t *tenant)
{
    const struct share *share = container_of(line, struct share, cold);
    *stream = (uint16_t)(share->key >> 32);
    *tenant = (uint32_t)share->key;
    return share->lane;
}

const struct job *lane_next_first(const struct lane *lane, size_t *at)
{
    for (;;) {
        const struct share *share = table_next(&lane->shares, at);
        if (!share)
            return NULL;
        if (share->hot == 0)
            continue;
        const struct job *fresh = first_of(share, FRESH);
        const struct job *again = first_of(share, AGAIN);
        if (!fresh || !again)
            return fresh ? fresh : again;
        return fresh->queued->id < again->queued->id ? fresh : again;
    }
}

void lane_find(const struct lane *lane, const struct job *job, uint64_t max,
               struct lane_place *place)
{
    const struct band *band = &lane->bands[job->stream];
    const struct share *share = share_of(lane, job);
    CHECK(job->state == JOB_READY);
    const bool is_cold = list_is_empty(&job->link);
    *place = (struct lane_place){
        .in_turn = list_count(&band->shares),
        .in_band = band->ready,
    };
    for (size_t i = 0; i < lane->band_count && !band->urgent; i++)
        if (lane->bands[i].urgent)
            place->urgent += lane->bands[i].ready;
    if (is_cold) {
        place->ahead = share->hot;
        place->is_least = true;
        return;
    }
    const struct list *at = share->jobs[kind_of(job)].next;
    for (; at != &job->link && place->ahead < max; at = at->next)
        place->ahead++;
    place->is_least = at != &job->link;
    /* Its kind and the other take turns. */
    const struct list *others =
        &share->jobs[kind_of(job) == FRESH ? AGAIN : FRESH];
    const struct list *other = others->next;
    for (uint64_t turns = place->ahead; turns > 0 && other != others;
         turns--, other = other->next)
        place->ahead++;
}

bool lane_is_empty(const struct lane *lane)
{
    return lane_depth(lane) == 0 && lane_closed(lane) == 0
           && cold_queued(&lane->cold_waiting) == 0 && list_is_empty(&lane->out)
           && list_is_empty(&lane->waiting) && list_is_empty(&lane->held)
           && list_is_empty(&lane->paused);
}
