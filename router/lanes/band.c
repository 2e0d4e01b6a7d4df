/* band.c - the streams of one lane: whose turn it is. */
#include "router/lanes/band.h"

/* Virtual time of one turn of a band with weight 1. */
#define STRIDE (UINT64_C(1) << 20)

/* Of an age, so that its product with an objective is a number: 2 years. */
#define AGE_MAX_MS (UINT64_C(1) << 36)

/* Of an objective, likewise: 3 days. */
#define LATENCY_MAX_MS (UINT64_C(1) << 28)

void band_init(struct band *band, const struct conf_stream *stream)
{
    *band = (struct band){
        .urgent = stream->urgent,
        .weight = stream->weight > 0 ? stream->weight : 1,
        .latency_ms = stream->latency_ms < LATENCY_MAX_MS ? stream->latency_ms
                                                          : LATENCY_MAX_MS,
    };
    if (band->urgent && band->latency_ms == 0)
        band->latency_ms = BAND_URGENT_MS;
    list_init(&band->shares);
    heap_init(&band->fresh);
}

void band_release(struct band *band)
{
    heap_release(&band->fresh);
}

void band_add(struct band *band, const struct band_class *class, uint32_t count)
{
    if (band->ready == 0 && band->pass < class->floor_pass)
        band->pass = class->floor_pass;
    band->ready += count;
}

/* Of the oldest job that was never tried; 0: there is none. */
static uint64_t age_of(const struct band *band, uint64_t utc_ms)
{
    const struct heap_place *first = heap_first(&band->fresh);
    if (!first || first->key >= utc_ms)
        return 0;
    const uint64_t age_ms = utc_ms - first->key;
    return age_ms < AGE_MAX_MS ? age_ms : AGE_MAX_MS;
}

bool band_is_behind(const struct band *band, uint64_t utc_ms)
{
    return band->latency_ms > 0 && age_of(band, utc_ms) > 0
           && 2 * age_of(band, utc_ms) >= band->latency_ms;
}

enum wire_rank band_rank(const struct band *band, uint64_t utc_ms)
{
    if (band->urgent)
        return WIRE_RANK_URGENT;
    return band_is_behind(band, utc_ms) ? WIRE_RANK_BEHIND : WIRE_RANK_NORMAL;
}

/* Is `a` to be helped before `b`? Both have an objective. */
static bool is_nearer(const struct band *a, const struct band *b,
                      uint64_t utc_ms)
{
    const uint64_t age_a = age_of(a, utc_ms);
    const uint64_t age_b = age_of(b, utc_ms);
    const bool a_missed = age_a >= a->latency_ms;
    const bool b_missed = age_b >= b->latency_ms;
    if (a_missed != b_missed)
        return b_missed;
    if (a_missed)
        return age_a * b->latency_ms > age_b * a->latency_ms;
    return a->latency_ms - age_a < b->latency_ms - age_b;
}

/* Has its age a say? Urgent bands are told apart by it at any age. */
static bool counts_by_age(const struct band *band, uint64_t utc_ms)
{
    return band->urgent ? band->fresh.count > 0 : band_is_behind(band, utc_ms);
}

struct choice {
    bool urgent;
    struct band *by_weight;
    struct band *by_age;
};

static void look_at(struct choice *choice, struct band *band, uint64_t utc_ms)
{
    if (!choice->by_weight || band->pass < choice->by_weight->pass)
        choice->by_weight = band;
    if (counts_by_age(band, utc_ms)
        && (!choice->by_age || is_nearer(band, choice->by_age, utc_ms)))
        choice->by_age = band;
}

static bool has_urgent(const struct band *bands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bands[i].urgent && bands[i].ready > 0)
            return true;
    return false;
}

struct band *band_next(struct band *bands, size_t count,
                       struct band_class classes[2], uint64_t utc_ms)
{
    struct choice choice = { .urgent = has_urgent(bands, count) };
    for (size_t i = 0; i < count; i++)
        if (bands[i].ready > 0 && bands[i].urgent == choice.urgent)
            look_at(&choice, &bands[i], utc_ms);
    if (!choice.by_weight)
        return NULL;

    struct band_class *class = &classes[choice.urgent];
    if (choice.by_age && class->helped + 1 < BAND_TURNS) {
        class->helped++;
        return choice.by_age;
    }
    class->helped = 0;
    class->floor_pass = choice.by_weight->pass;
    choice.by_weight->pass += STRIDE / choice.by_weight->weight;
    return choice.by_weight;
}
