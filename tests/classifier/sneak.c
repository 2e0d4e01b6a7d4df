/*
 * sneak.c - campaigns hidden among transactional mail: what do they leak?
 *
 *     sneak FOLDER [SEED]
 *
 * FOLDER is a corpus (router/classify/corpus.h). Thirty tenants send mail of
 * transactional templates, twenty each, for four days: what they earn of trust
 * is earned as in life. One template in twenty is new on the fifth day, when
 * eighty campaigns to 300 recipients each are hidden among 36,000 messages, all
 * declared transactional and dressed as such. In every third no message has the
 * words of another.
 *
 * Twice: campaigns with the texts of bulk mail, and with texts that the model
 * takes for transactional, so that the guard alone stands. What is protected
 * of a campaign is its leak. Fails when one leaks more than the budget of a
 * template, or with words that vary of a tenant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "classifier/shipped.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/classify/corpus.h"
#include "router/templates/templates.h"
#include "router/templates/trial.h"

#define TENANTS       30u
#define THEIR_OWN     20u /* templates of a tenant */
#define NEW_ONES      1u  /* of those, on the last day */
#define DAYS          4u
#define A_DAY         60u /* messages of a template */
#define LAST_MESSAGES 36000u
#define LAST_MS       HOURS_MS(8)
#define CAMPAIGNS     80u
#define CAMPAIGN_SIZE 300u
#define START_MS      UINT64_C(1767225600000)
#define DAY_MS        HOURS_MS(24)
#define SAMPLES_MAX   20000u
#define N             50u
#define POT           150u
#define FLOOR         JUDGE_FLOOR_USUAL

struct sample {
    struct sketch sketch;
    uint64_t template; /* hash of source and template */
};

struct pile {
    struct sample **samples;
    size_t count;
};

/* The samples of one template. */
struct kind {
    size_t first;
    size_t count;
};

struct world {
    struct pile pile[JUDGE_KIND_COUNT];
    struct sketcher *sketcher;
    struct model model;
    uint64_t random;
};

static const struct judge_stream streams[] = {
    { .name = { "transactional", 13 },
      .class = JUDGE_TRANSACTIONAL,
      .floor = FLOOR },
    { .name = { "general", 7 }, .class = JUDGE_NEUTRAL },
    { .name = { "bulk", 4 }, .class = JUDGE_BULK },
};

static const struct guard_rules rules = {
    .recipients = N,
    .per_ms = HOURS_MS(1),
    .tenant = POT,
    .trust_after_ms = HOURS_MS(72),
    .trip_recipients = 500,
    .trip_within_ms = MINUTES_MS(10),
    .complaints = 3000,
    .hard_bounces = 80000,
    .routers = 1,
    .is_alone = true,
};

static uint32_t draw(struct world *world, uint32_t below)
{
    world->random = world->random * UINT64_C(6364136223846793005)
                    + UINT64_C(1442695040888963407);
    return (uint32_t)((world->random >> 33) % below);
}

/* ---- the corpus -------------------------------------------------------- */

static uint64_t hash_of(const char *a, const char *b)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *a; a++)
        hash = (hash ^ (unsigned char)*a) * UINT64_C(1099511628211);
    for (hash ^= 1; *b; b++)
        hash = (hash ^ (unsigned char)*b) * UINT64_C(1099511628211);
    return hash;
}

static void keep(void *context, const struct corpus_message *message)
{
    struct world *world = context;
    struct pile *pile = &world->pile[message->label];
    if (!message->is_known || pile->count == SAMPLES_MAX)
        return;
    const struct sketch_message read = { .header = message->header,
                                         .body = message->body,
                                         .recipients = &message->rcpt,
                                         .recipient_count = 1 };
    struct sample *sample = NEW(struct sample);
    sample->template = hash_of(message->source, message->template);
    sketch_take(world->sketcher, &read, &sample->sketch);
    pile->samples[pile->count++] = sample;
}

static int by_template(const void *a, const void *b)
{
    const struct sample *const *left = a;
    const struct sample *const *right = b;
    return ((*left)->template > (*right)->template)
           - ((*left)->template <(*right)->template);
}

static size_t find_kinds(const struct pile *pile, struct kind *kinds)
{
    size_t count = 0;
    for (size_t i = 0; i < pile->count; i++) {
        if (i == 0
            || pile->samples[i]->template != pile->samples[i - 1]->template)
            kinds[count++] = (struct kind){ .first = i };
        kinds[count - 1].count++;
    }
    return count;
}

/* ---- what happens ------------------------------------------------------ */

struct event {
    uint64_t at_ms;
    uint32_t tenant;
    uint32_t campaign; /* 0: none; else its number */
    struct kind kind;
};

struct campaign {
    uint32_t tenant;
    bool varies;
    uint32_t leaked;
};

struct play {
    struct world *world;
    struct templates *templates; /* NULL: there is no guard */
    struct judge_policy policy;
    bool fools;
    struct kind *kinds[JUDGE_KIND_COUNT];
    size_t kind_count[JUDGE_KIND_COUNT];
    struct kind own[TENANTS][THEIR_OWN];
    struct campaign campaigns[CAMPAIGNS + 1];
    uint64_t recipient;
    uint64_t sure;  /* transactional mail that the model is sure of */
    uint64_t moved; /* and that was not protected */
    uint64_t seen;  /* all of it */
    uint64_t lost;  /* that was not protected */
};

static bool send(struct play *play, const struct event *event,
                 const struct sketch *sketch, uint32_t *likely)
{
    char tenant[16];
    char address[48];
    struct judgement judgement;
    const struct judge_account account = { .default_stream = 0,
                                           .enforce = true };
    const struct judge_message message = { .mail_from = SLICE("app@x.test"),
                                           .recipient_count = 1 };
    (void)snprintf(tenant, sizeof tenant, "t%u", event->tenant);
    (void)snprintf(address, sizeof address, "u%" PRIu64 "@example.com",
                   play->recipient++);
    const struct slice to = slice_text(address);
    const struct trial trial = { .policy = &play->policy,
                                 .account = &account,
                                 .message = &message,
                                 .sketch = sketch,
                                 .templates = play->templates,
                                 .tenant = slice_text(tenant),
                                 .recipients = &to,
                                 .recipient_count = 1,
                                 .now_utc_ms = event->at_ms };
    const uint64_t id = trial_judge(&trial, &judgement);
    if (play->templates && judgement.is_protected)
        templates_hear(play->templates, id, GUARD_DELIVERED, 1, event->at_ms);
    *likely = judgement.per_mille[KIND_TRANSACTIONAL];
    return judgement.is_protected;
}

static const struct sample *pick(struct play *play, enum judge_kind label,
                                 const struct kind *kind)
{
    return play->world->pile[label]
        .samples[kind->first + draw(play->world, (uint32_t)kind->count)];
}

static void send_own(struct play *play, const struct event *event)
{
    uint32_t likely = 0;
    const struct sample *sample = pick(play, KIND_TRANSACTIONAL, &event->kind);
    const bool is_protected = send(play, event, &sample->sketch, &likely);
    play->seen++;
    play->lost += !is_protected;
    play->sure += likely >= FLOOR;
    play->moved += likely >= FLOOR && !is_protected;
}

/* Dressed as a notice; where words vary, all that tells the template does. */
static void send_campaign(struct play *play, const struct event *event)
{
    struct campaign *campaign = &play->campaigns[event->campaign];
    const enum judge_kind label = play->fools ? KIND_TRANSACTIONAL : KIND_BULK;
    const struct pile *notices = &play->world->pile[KIND_TRANSACTIONAL];
    uint32_t likely = 0;
    struct sketch sketch = pick(play, label, &event->kind)->sketch;
    sketch.marks = notices->samples[draw(play->world, (uint32_t)notices->count)]
                       ->sketch.marks;
    sketch.own_hash = 0;
    for (uint32_t i = 0; campaign->varies && i < SKETCH_HASHES; i++)
        sketch.min_hashes[i] = draw(play->world, UINT32_C(1) << 31);
    if (campaign->varies)
        sketch.text_hash = sketch.min_hashes[0];
    campaign->leaked += send(play, event, &sketch, &likely);
}

static int by_time(const void *a, const void *b)
{
    const struct event *left = a;
    const struct event *right = b;
    return (left->at_ms > right->at_ms) - (left->at_ms < right->at_ms);
}

static void happen(struct play *play, struct event *events, size_t count)
{
    qsort(events, count, sizeof *events, by_time);
    for (size_t i = 0; i < count; i++)
        if (events[i].campaign > 0)
            send_campaign(play, &events[i]);
        else
            send_own(play, &events[i]);
}

static const struct kind *any_kind(struct play *play, enum judge_kind label)
{
    return &play->kinds[label]
                       [draw(play->world, (uint32_t)play->kind_count[label])];
}

static void earn_trust(struct play *play)
{
    const size_t count = (size_t)TENANTS * (THEIR_OWN - NEW_ONES) * A_DAY;
    struct event *events = mem_new(count, sizeof *events);
    for (unsigned day = 0; day < DAYS; day++) {
        for (size_t i = 0; i < count; i++) {
            const uint32_t tenant = (uint32_t)(i % TENANTS);
            events[i] = (struct event){
                .at_ms = START_MS + day * DAY_MS
                         + draw(play->world, (uint32_t)DAY_MS),
                .tenant = tenant,
                .kind = play->own[tenant][i / TENANTS % (THEIR_OWN - NEW_ONES)],
            };
        }
        happen(play, events, count);
    }
    mem_free(events);
    play->seen = play->lost = play->sure = play->moved = 0;
}

static unsigned hashes_shared(const struct sketch *a, const struct sketch *b)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SKETCH_HASHES; i++)
        count += a->min_hashes[i] == b->min_hashes[i];
    return count;
}

/* Also one that differs from a template of theirs by a word or two ("added" for
 * "removed"): to the guard, and to their readers, it is that template. */
static bool is_own(const struct play *play, uint32_t tenant,
                   const struct kind *kind)
{
    const struct pile *pile = &play->world->pile[KIND_TRANSACTIONAL];
    const struct sketch *text = &pile->samples[kind->first]->sketch;
    for (uint32_t i = 0; i < THEIR_OWN; i++) {
        const struct kind *own = &play->own[tenant][i];
        for (size_t k = 0; k < own->count; k++)
            if (hashes_shared(&pile->samples[own->first + k]->sketch, text)
                > SKETCH_HASHES / 2)
                return true;
    }
    return false;
}

static void begin_campaign(struct play *play, uint32_t number,
                           struct event *events)
{
    struct campaign *campaign = &play->campaigns[number];
    const uint64_t start_ms =
        START_MS + DAYS * DAY_MS + draw(play->world, (uint32_t)LAST_MS);
    const uint32_t lasts_ms =
        (uint32_t)MINUTES_MS(5) + draw(play->world, (uint32_t)MINUTES_MS(45));
    const enum judge_kind label = play->fools ? KIND_TRANSACTIONAL : KIND_BULK;
    const struct kind *kind = any_kind(play, label);
    *campaign = (struct campaign){ .tenant = draw(play->world, TENANTS),
                                   .varies = number % 3 == 0 };
    while (play->fools && is_own(play, campaign->tenant, kind))
        kind = any_kind(play, label);
    /* A text, not a template that somebody has a right to. */
    for (uint32_t i = 0; i < CAMPAIGN_SIZE; i++)
        events[i] = (struct event){
            .at_ms = start_ms + draw(play->world, lasts_ms),
            .tenant = campaign->tenant,
            .campaign = number,
            .kind = { kind->first, 1 },
        };
}

static void last_day(struct play *play)
{
    const size_t count = LAST_MESSAGES + (size_t)CAMPAIGNS * CAMPAIGN_SIZE;
    struct event *events = mem_new(count, sizeof *events);
    for (uint32_t i = 0; i < LAST_MESSAGES; i++) {
        const uint32_t tenant = draw(play->world, TENANTS);
        events[i] = (struct event){
            .at_ms =
                START_MS + DAYS * DAY_MS + draw(play->world, (uint32_t)LAST_MS),
            .tenant = tenant,
            .kind = play->own[tenant][draw(play->world, THEIR_OWN)],
        };
    }
    for (uint32_t i = 0; i < CAMPAIGNS; i++)
        begin_campaign(play, i + 1,
                       &events[LAST_MESSAGES + (size_t)i * CAMPAIGN_SIZE]);
    happen(play, events, count);
    mem_free(events);
}

/* ---- the play ---------------------------------------------------------- */

static bool tell(const struct play *play)
{
    uint32_t worst[2] = { 0, 0 };
    uint32_t sum = 0;
    uint32_t leaky = 0;
    for (uint32_t i = 1; i <= CAMPAIGNS; i++) {
        const struct campaign *campaign = &play->campaigns[i];
        sum += campaign->leaked;
        leaky += campaign->leaked > 0;
        if (campaign->leaked > worst[campaign->varies])
            worst[campaign->varies] = campaign->leaked;
    }
    (void)printf("%-22s %-9s %7.1f %6u %6u %6u/%u %9.2f%% %9.2f%%\n",
                 play->fools ? "texts that fool it" : "texts of bulk mail",
                 play->templates ? "guarded" : "open", (double)sum / CAMPAIGNS,
                 worst[0], worst[1], leaky, CAMPAIGNS,
                 100.0 * (double)play->moved / (double)play->sure,
                 100.0 * (double)play->lost / (double)play->seen);
    return !play->templates || (worst[0] <= N && worst[1] <= POT);
}

static bool play(struct world *world, bool is_guarded, bool fools)
{
    struct play *play = NEW(struct play);
    play->world = world;
    play->fools = fools;
    play->policy = (struct judge_policy){
        .streams = streams,
        .stream_count = ARRAY_LEN(streams),
        .kind_streams = { 0, 2, 1, 1 },
        .unsure_stream = 1,
        .max_recipients = 10,
        .model = &world->model,
    };
    for (int label = 0; label < JUDGE_KIND_COUNT; label++) {
        play->kinds[label] =
            mem_new(world->pile[label].count + 1, sizeof(struct kind));
        play->kind_count[label] =
            find_kinds(&world->pile[label], play->kinds[label]);
    }
    for (uint32_t i = 0; i < TENANTS; i++)
        for (uint32_t k = 0; k < THEIR_OWN; k++)
            play->own[i][k] = *any_kind(play, KIND_TRANSACTIONAL);
    if (is_guarded) {
        play->templates = templates_new();
        templates_reconf(play->templates, &rules, 100000);
        earn_trust(play);
    }
    last_day(play);
    const bool is_kept = tell(play);
    templates_free(&play->templates);
    for (int label = 0; label < JUDGE_KIND_COUNT; label++)
        mem_free(play->kinds[label]);
    mem_free(play);
    return is_kept;
}

static void end(struct world *world)
{
    for (int label = 0; label < JUDGE_KIND_COUNT; label++) {
        for (size_t i = 0; i < world->pile[label].count; i++)
            mem_free(world->pile[label].samples[i]);
        mem_free(world->pile[label].samples);
    }
    sketcher_free(&world->sketcher);
}

int main(int argc, char **argv)
{
    struct world world = { .sketcher = sketcher_new() };
    uint64_t seed = 1;
    bool is_kept = true;
    if (argc < 2 || argc > 3
        || (argc == 3
            && !slice_number(slice_text(argv[2]), UINT32_MAX, &seed))) {
        (void)fprintf(stderr, "usage: sneak FOLDER [SEED]\n");
        return EX_USAGE;
    }
    world.random = seed;
    CHECK(model_open(shipped_model(), &world.model) == RC_OK);
    for (int label = 0; label < JUDGE_KIND_COUNT; label++)
        world.pile[label].samples =
            mem_new(SAMPLES_MAX, sizeof(struct sample *));
    if (!corpus_each(argv[1], keep, &world, stderr))
        return EX_NOINPUT;
    for (int label = 0; label < JUDGE_KIND_COUNT; label++)
        if (world.pile[label].count > 0)
            qsort(world.pile[label].samples, world.pile[label].count,
                  sizeof(struct sample *), by_template);
    (void)printf("%-22s %-9s %7s %6s %6s %9s %10s %10s\n", "campaigns with", "",
                 "mean", "worst", "varied", "leaky", "moved", "lost");
    for (int fools = 0; fools < 2; fools++)
        for (int is_guarded = 0; is_guarded < 2; is_guarded++)
            is_kept = play(&world, is_guarded, fools) && is_kept;
    end(&world);
    return is_kept ? EX_OK : EX_SOFTWARE;
}
