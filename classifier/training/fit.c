/* fit.c - weights that fit samples. */
#include "classifier/training/fit.h"

#include <math.h>
#include <string.h>

#include "classifier/judge.h"
#include "classifier/training/disguise.h"
#include "common/base/mem.h"

#define LENGTH_MIN 32.0F /* tokens that a text has at least, for its length */

/* Many samples need fewer rounds: so many shown in all are enough. */
#define SHOWN_ENOUGH 400000u
#define ROUNDS_MIN   10u

#define MARKS_CAP ((float)MODEL_MARKS_CAP / MODEL_POINT / 2) /* of a class */

const struct fit_options fit_usual = {
    .rounds = 60,
    .step = 0.05F,
    .decay = 0.02F,
    .measure_step = 0.1F,
    .mark_step = 1.0F,
    .measure_decay = 0.02F,
    .spread = 0.25F,
    .solo = 0.3F,
    .lie = 0.7F,
    .word_drop = 0.5F,
    .measure_drop = 0.3F,
    .margin = 1.0F,
};

const struct fit_options fit_on_base = {
    .rounds = 20,
    .step = 0.05F,
    .decay = 0.02F,
    .measure_step = 0.2F,
    .mark_step = 0.5F,
    .measure_decay = 0.02F,
    .spread = 0.5F,
    .solo = 1.0F,
    .lie = 0.5F,
};

/* What a fit works with beside the weights. */
struct fit {
    const struct samples *samples;
    const struct fit_options *options;
    struct weights *weights;
    float *reach;         /* of each bucket: what its words may learn */
    uint16_t *tokens;     /* room for those that are seen */
    struct weights *sums; /* of the weights of the last rounds */
    uint32_t *order;
    size_t count;
    uint64_t random;
    float rate;
};

/* What is seen of a sample's body: all of it, or a part. */
struct sight {
    const uint16_t *tokens;
    uint32_t token_count;
    float measures[MEASURE_COUNT]; /* what each counts for; 0: unseen */
};

/* A header that a sample is shown with. */
struct showing {
    uint64_t marks;
    float prior; /* toward transactional: what its declaration is worth */
    float weight;
};

struct weights *weights_new(void)
{
    struct weights *weights = NEW(struct weights);
    weights->temperature = 1;
    return weights;
}

void weights_free(struct weights **weights)
{
    mem_free(steal(*weights));
}

/* xorshift64*; a seed that is always the same, for models that are. */
static uint32_t next_random(struct fit *fit)
{
    fit->random ^= fit->random >> 12;
    fit->random ^= fit->random << 25;
    fit->random ^= fit->random >> 27;
    return (uint32_t)(fit->random * 0x2545F4914F6CDD1Du >> 32);
}

static float length_factor(uint32_t token_count)
{
    float count = (float)token_count;
    return 4.0F / sqrtf(count > LENGTH_MIN ? count : LENGTH_MIN);
}

static float clamp(float value, float limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

/* What the marks say for each class, beyond what they say for all alike. */
static void sum_marks(uint64_t marks, const struct weights *weights,
                      float sums[MODEL_CLASSES])
{
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        sums[c] = 0;
    for (; marks != 0; marks &= marks - 1)
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            sums[c] += weights->marks[__builtin_ctzll(marks)][c];
    const float mean = (sums[0] + sums[1] + sums[2]) / MODEL_CLASSES;
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        sums[c] -= mean;
}

static void add_marks(uint64_t marks, const struct weights *weights,
                      float score[MODEL_CLASSES])
{
    float sums[MODEL_CLASSES];
    sum_marks(marks, weights, sums);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        score[c] += clamp(sums[c], MARKS_CAP);
}

static void see_whole(const struct samples *samples,
                      const struct sample *sample, struct sight *sight)
{
    sight->tokens = samples->tokens + sample->token_at;
    sight->token_count = sample->token_count;
    for (uint32_t i = 0; i < MEASURE_COUNT; i++)
        sight->measures[i] = 1;
}

/* What words and measures say, without the header. */
static void score_body(const struct sample *sample, const struct sight *sight,
                       const struct weights *weights,
                       float score[MODEL_CLASSES])
{
    float sums[MODEL_CLASSES] = { 0 };
    for (uint32_t i = 0; i < sight->token_count; i++)
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            sums[c] += weights->words[sight->tokens[i]][c];
    float factor = length_factor(sight->token_count);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        score[c] = weights->bias[c] + factor * sums[c];
    for (uint32_t i = 0; i < MEASURE_COUNT; i++)
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            score[c] +=
                sight->measures[i] * weights->steps[i][sample->steps[i]][c];
}

void fit_score(const struct samples *samples, const struct sample *sample,
               uint64_t marks, const struct weights *weights,
               float score[MODEL_CLASSES])
{
    struct sight sight;
    see_whole(samples, sample, &sight);
    score_body(sample, &sight, weights, score);
    add_marks(marks, weights, score);
}

void fit_softmax(float score[MODEL_CLASSES], float temperature)
{
    float most = fmaxf(score[0], fmaxf(score[1], score[2]));
    float sum = 0;
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        score[c] = expf((score[c] - most) / temperature);
        sum += score[c];
    }
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        score[c] /= sum;
}

/* A step teaches its neighbours a part of what it learns: seven links say nearly
 * what eight do. */
static void learn_steps(struct fit *fit, const struct sample *sample,
                        const struct sight *sight,
                        const float error[MODEL_CLASSES])
{
    for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
        unsigned step = sample->steps[i];
        float(*weights)[MODEL_CLASSES] = fit->weights->steps[i];
        for (unsigned c = 0; c < MODEL_CLASSES; c++) {
            float change =
                error[c] * fit->options->measure_step * sight->measures[i];
            weights[step][c] += change;
            if (step > 1)
                weights[step - 1][c] += change * fit->options->spread;
            if (step > 0 && step + 1 < MEASURE_STEPS)
                weights[step + 1][c] += change * fit->options->spread;
        }
    }
}

/* What a class would learn by its own error, where its sum is capped already, is
 * left: it would not count, and marks would grow without end. What the others
 * learn may still move it, to twice the cap at most. */
static void step_marks(struct fit *fit, uint64_t marks,
                       const float error[MODEL_CLASSES])
{
    float sums[MODEL_CLASSES];
    float steps[MODEL_CLASSES];
    sum_marks(marks, fit->weights, sums);
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        const bool is_over =
            error[c] > 0 ? sums[c] > MARKS_CAP : sums[c] < -MARKS_CAP;
        steps[c] = is_over ? 0 : error[c] * fit->options->mark_step;
    }
    for (; marks != 0; marks &= marks - 1)
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            fit->weights->marks[__builtin_ctzll(marks)][c] += steps[c];
}

/* How far the score with this header is from what is right; the marks learn of
 * it at once. */
static void learn_marks(struct fit *fit, const struct sample *sample,
                        const float body[MODEL_CLASSES],
                        const struct showing *showing,
                        float errors[MODEL_CLASSES])
{
    struct weights *weights = fit->weights;
    float error[MODEL_CLASSES] = { body[0], body[1], body[2] };
    error[MODEL_TRANSACTIONAL] += showing->prior;
    add_marks(showing->marks, weights, error);
    fit_softmax(error, weights->temperature);
    error[sample->class] -= 1;
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        error[c] *= -fit->rate * sample->weight * showing->weight;
        errors[c] += error[c];
    }
    step_marks(fit, showing->marks, error);
}

/* By this chance, in 2^32; nothing that a processor would have to guess. */
static bool is_by_chance(struct fit *fit, uint32_t chance)
{
    return next_random(fit) < chance;
}

/* A share below 1. */
static uint32_t chance_of(float share)
{
    return (uint32_t)(share * 4294967296.0F);
}

/* Leaves a part of the words, as of a shorter message, and a part of the
 * measures, which count for the others too. A sender at hand is known by a few
 * things that another does not have; where these may be missing, all else that
 * tells has to learn as well. Either alone does little: what the one leaves out,
 * the other would stand in for. */
static void glimpse(struct fit *fit, struct sight *sight)
{
    const float words = fit->options->word_drop;
    const float measures = fit->options->measure_drop;
    if (words > 0) {
        const uint32_t kept = chance_of(1 - words);
        uint32_t count = 0;
        for (uint32_t i = 0; i < sight->token_count; i++) {
            fit->tokens[count] = sight->tokens[i];
            count += is_by_chance(fit, kept);
        }
        sight->tokens = fit->tokens;
        sight->token_count = count;
    }
    if (measures > 0) {
        const uint32_t kept = chance_of(1 - measures);
        const float counts = 1 / (1 - measures);
        for (uint32_t i = 0; i < MEASURE_COUNT; i++)
            sight->measures[i] = (float)is_by_chance(fit, kept) * counts;
    }
}

static void learn_words(struct fit *fit, const struct sight *sight,
                        const float error[MODEL_CLASSES])
{
    float factor = length_factor(sight->token_count);
    for (uint32_t i = 0; i < sight->token_count; i++) {
        float *word = fit->weights->words[sight->tokens[i]];
        float reach = fit->reach[sight->tokens[i]] * factor;
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            word[c] += error[c] * reach;
    }
}

/* One step down the slope of one sample, shown with several headers. */
static void learn(struct fit *fit, const struct sample *sample,
                  const struct showing *showings, size_t count)
{
    struct weights *weights = fit->weights;
    struct sight sight;
    float body[MODEL_CLASSES];
    float error[MODEL_CLASSES] = { 0 };
    see_whole(fit->samples, sample, &sight);
    glimpse(fit, &sight);
    score_body(sample, &sight, weights, body);
    body[sample->class] -= fit->options->margin;
    for (size_t i = 0; i < count; i++)
        learn_marks(fit, sample, body, &showings[i], error);
    learn_words(fit, &sight, error);
    learn_steps(fit, sample, &sight, error);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        weights->bias[c] += error[c] * fit->options->mark_step;
}

static void choose_samples(struct fit *fit)
{
    const struct fit_options *options = fit->options;
    fit->order = mem_new(fit->samples->count, sizeof *fit->order);
    for (uint32_t i = 0; i < fit->samples->count; i++) {
        uint32_t sender = fit->samples->items[i].sender;
        if (!options->folds || options->folds[sender] != options->held)
            fit->order[fit->count++] = i;
    }
}

static void shuffle(struct fit *fit)
{
    for (size_t i = fit->count; i > 1; i--) {
        size_t other = next_random(fit) % i;
        uint32_t held = fit->order[i - 1];
        fit->order[i - 1] = fit->order[other];
        fit->order[other] = held;
    }
}

/* Words that one sender alone uses are mostly names; they learn less. */
static void measure_reach(struct fit *fit)
{
    uint32_t *first = mem_new(MODEL_BUCKETS, sizeof *first);
    uint8_t *senders = mem_new(MODEL_BUCKETS, sizeof *senders);
    for (size_t i = 0; i < fit->count; i++) {
        const struct sample *sample = &fit->samples->items[fit->order[i]];
        for (uint32_t k = 0; k < sample->token_count; k++) {
            uint16_t token = fit->samples->tokens[sample->token_at + k];
            if (first[token] == sample->sender + 1)
                continue;
            first[token] = sample->sender + 1;
            if (senders[token] < UINT8_MAX)
                senders[token]++;
        }
    }
    for (uint32_t b = 0; b < MODEL_BUCKETS; b++)
        fit->reach[b] = senders[b] < 2 ? fit->options->solo : 1.0F;
    mem_free(first);
    mem_free(senders);
}

/* Keeps a part of the distance to `base`, or to 0 without one. */
static void shrink_row(float *weights, const float *base, size_t count,
                       float keep)
{
    for (size_t i = 0; i < count; i++) {
        float from = base ? base[i] : 0;
        weights[i] = from + (weights[i] - from) * keep;
    }
}

static void shrink(struct fit *fit)
{
    struct weights *weights = fit->weights;
    const struct weights *base = fit->options->base;
    shrink_row(&weights->words[0][0], base ? &base->words[0][0] : NULL,
               (size_t)MODEL_BUCKETS * MODEL_CLASSES, 1 - fit->options->decay);
    float keep = 1 - fit->options->measure_decay;
    shrink_row(&weights->steps[0][0][0], base ? &base->steps[0][0][0] : NULL,
               (size_t)MEASURE_COUNT * MEASURE_STEPS * MODEL_CLASSES, keep);
    shrink_row(&weights->marks[0][0], base ? &base->marks[0][0] : NULL,
               (size_t)MARK_COUNT * MODEL_CLASSES, keep);
}

static void add_up(struct weights *sums, const struct weights *weights)
{
    float *to = (float *)sums;
    const float *from = (const float *)weights;
    for (size_t i = 0; i < sizeof *sums / sizeof(float); i++)
        to[i] += from[i];
}

static void divide(struct weights *weights, const struct weights *sums,
                   float by)
{
    float *to = (float *)weights;
    const float *from = (const float *)sums;
    float temperature = weights->temperature;
    for (size_t i = 0; i < sizeof *sums / sizeof(float); i++)
        to[i] = from[i] / by;
    weights->temperature = temperature;
}

#define BORROW_TRIES 16u

/* The marks that one who lies would wear: those of some transactional mail,
 * picked at random, so that no single mark becomes the mark of liars. */
static uint64_t borrowed_marks(struct fit *fit, uint64_t own)
{
    if (next_random(fit) & 1)
        return disguise_marks(DISGUISE_ADVERSARIAL, own, true);
    for (unsigned i = 0; i < BORROW_TRIES; i++) {
        const struct sample *other =
            &fit->samples->items[fit->order[next_random(fit) % fit->count]];
        if (other->class == MODEL_TRANSACTIONAL)
            return other->marks;
    }
    return disguise_marks(DISGUISE_ADVERSARIAL, own, true);
}

/* With its own header; with none, or half of it; and, where it could be declared
 * transactional, so: bulk in the header of other mail. The declaration is the
 * prior of judge(), which the text has to overcome. */
static void show(struct fit *fit, const struct sample *sample)
{
    uint64_t kept = 0;
    if (next_random(fit) & 1)
        kept = sample->marks
               & ((uint64_t)next_random(fit) << 32 | next_random(fit));
    const float lie = fit->options->lie;
    const bool is_declared = lie > 0 && sample->class != MODEL_PERSONAL;
    const int32_t prior = JUDGE_PRIOR;
    const struct showing showings[3] = {
        { .marks = sample->marks, .weight = is_declared ? 1 - lie / 2 : 1 },
        { .marks = kept, .weight = is_declared ? 1 - lie / 2 : 1 },
        { .marks = sample->class == MODEL_BULK
                       ? borrowed_marks(fit, sample->marks)
                       : sample->marks,
          .prior = (float)prior / MODEL_POINT,
          .weight = lie },
    };
    size_t count = is_declared ? 3 : 2;
    learn(fit, sample, showings, count);
}

static void round_once(struct fit *fit)
{
    shuffle(fit);
    for (size_t i = 0; i < fit->count; i++)
        show(fit, &fit->samples->items[fit->order[i]]);
}

/* What a measure of nothing says goes to the bias, for all alike: so reasons
 * tell of what is in a message, not of what is not. The sums stay the same. */
static void settle_nothing(struct weights *weights)
{
    for (uint32_t i = 0; i < MEASURE_COUNT; i++)
        for (unsigned c = 0; c < MODEL_CLASSES; c++) {
            float nothing = weights->steps[i][0][c];
            weights->bias[c] += nothing;
            for (unsigned k = 0; k < MEASURE_STEPS; k++)
                weights->steps[i][k][c] -= nothing;
        }
}

static uint32_t round_count(const struct fit *fit)
{
    size_t enough = SHOWN_ENOUGH / (fit->count > 0 ? fit->count : 1);
    enough = enough > ROUNDS_MIN ? enough : ROUNDS_MIN;
    return enough < fit->options->rounds ? (uint32_t)enough
                                         : fit->options->rounds;
}

void fit(const struct samples *samples, const struct fit_options *options,
         struct weights *weights)
{
    struct fit fit = { .samples = samples,
                       .options = options,
                       .weights = weights,
                       .reach = mem_new(MODEL_BUCKETS, sizeof(float)),
                       .tokens =
                           mem_new((size_t)SKETCH_TOKENS_MAX, sizeof(uint16_t)),
                       .sums = weights_new(),
                       .random = 0x9E3779B97F4A7C15u };
    choose_samples(&fit);
    measure_reach(&fit);
    if (options->base)
        *weights = *options->base;
    const uint32_t rounds = round_count(&fit);
    const uint32_t averaged = (rounds + 1) / 2;
    for (uint32_t i = 0; i < rounds; i++) {
        fit.rate = options->step / (1 + 0.1F * (float)i);
        round_once(&fit);
        shrink(&fit);
        if (i >= rounds - averaged)
            add_up(fit.sums, weights);
    }
    divide(weights, fit.sums, (float)averaged);
    settle_nothing(weights);
    mem_free(fit.order);
    mem_free(fit.reach);
    mem_free(fit.tokens);
    weights_free(&fit.sums);
}
