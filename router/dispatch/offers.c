/* offers.c - workers hear which lanes have jobs. */
#include "router/dispatch/offers.h"

#include "common/base/time.h"

static void say(struct dispatch *dispatch, const struct worker *worker,
                const struct lane *lane)
{
    const struct wire_frame frame = {
        .kind = WIRE_OFFER,
        .as.offer = {
            .lane = lane->number,
            .pool = lane->pool_name,
            .site = lane->site,
            .domain = lane->domain,
            .provider = lane->provider,
            .depth = lane->ready > 0 ? lane_depth(lane) : 0,
            .urgent = lane->offer.urgent,
            .is_behind = lane->offer.is_behind,
        },
    };
    /* A worker that does not hear it hears the next one. */
    (void)dispatch_say(dispatch, &worker->peer, &frame);
}

static bool concerns(const struct dispatch *dispatch, const struct lane *lane,
                     const struct worker *worker)
{
    return lane->pool && !worker->draining
           && pools_serves(&dispatch->pools, lane->pool, worker);
}

static void tell(struct dispatch *dispatch, struct lane *lane)
{
    lane->offer = (struct lane_offer){
        .is_open = lane->ready > 0,
        .depth = lane->ready > 0 ? lane_depth(lane) : 0,
        .urgent = lane_urgent(lane),
        .is_behind = lane_is_behind(lane, time_utc_ms()),
        .told_ms = dispatch_now_ms(dispatch),
    };
    list_each (link, &dispatch->workers.all) {
        const struct worker *worker = container_of(link, struct worker, link);
        if (concerns(dispatch, lane, worker))
            say(dispatch, worker, lane);
    }
}

void offers_open(struct dispatch *dispatch, struct lane *lane)
{
    lane->idle_ms = dispatch_now_ms(dispatch);
    if (lane->ready == 0)
        return;
    if (lane->offer.depth == 0)
        tell(dispatch, lane);
    else if (!lane->credits)
        offers_need(dispatch, lane);
}

void offers_need(struct dispatch *dispatch, struct lane *lane)
{
    const struct lane_offer *offer = &lane->offer;
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    const bool is_behind = !offer->is_behind
                           && now_ms >= offer->told_ms + DISPATCH_DEEPER_EACH_MS
                           && lane_is_behind(lane, time_utc_ms());
    if (is_behind || (offer->urgent == 0 && lane_urgent(lane) > 0))
        tell(dispatch, lane);
}

void offers_greet(struct dispatch *dispatch, const struct worker *worker)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        if (!concerns(dispatch, lane, worker))
            continue;
        if (lane->ready > 0)
            say(dispatch, worker, lane);
        else
            lane->offer.depth = 0; /* open for those who know it, not for him */
    }
}

/* A lane that nobody asks for: nobody may send now, or an OFFER was lost. */
static bool is_forgotten(const struct lane *lane, uint64_t now_ms)
{
    return now_ms >= lane->offer.told_ms + DISPATCH_REMIND_MS
           && (!lane->credits || credits_total(lane->credits) == 0);
}

static bool is_news(const struct lane *lane, uint64_t now_ms)
{
    const struct lane_offer *offer = &lane->offer;
    if (lane->ready == 0)
        return offer->is_open
               && now_ms >= lane->idle_ms + DISPATCH_CLOSE_AFTER_MS;
    return offer->depth == 0 || is_forgotten(lane, now_ms)
           || (offer->is_behind && !lane_is_behind(lane, time_utc_ms()))
           || (lane_depth(lane) >= 2 * offer->depth + 1
               && now_ms >= offer->told_ms + DISPATCH_DEEPER_EACH_MS);
}

void offers_tick(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        if (lane->ready > 0)
            lane->idle_ms = now_ms;
        if (is_news(lane, now_ms))
            tell(dispatch, lane);
    }
}

void offers_forget(struct dispatch *dispatch)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        lane->offer = (struct lane_offer){ 0 };
        credits_free(&lane->credits);
    }
}
