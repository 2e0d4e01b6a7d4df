/* trial.c - what a model is worth on senders that it has not seen. */
#include "classifier/training/trial.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define BULK_LIKELY      500u /* per mille, as in judge.c */
#define SAMPLES_TO_MOVE  200.0F
#define SAMPLES_FOR_BIAS 20u /* of each class */
#define SHARE_MIN        1e-6F
#define BIAS_MAX         1.0F
#define TEMPERATURE_MAX  8.0F
#define STEP_FIRST       0.4F
#define STEP_LAST        0.01F

struct sender {
    uint32_t number;
    uint32_t count;
};

static int compare_counts(const void *a, const void *b)
{
    const struct sender *left = a;
    const struct sender *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return (left->number > right->number) - (left->number < right->number);
}

/* The largest first, each to the fold that has least. */
static void deal(struct trial *trial, uint32_t sender_count)
{
    struct sender *senders = mem_new(sender_count, sizeof *senders);
    uint32_t sizes[FIT_FOLDS_MAX] = { 0 };
    for (uint32_t i = 0; i < sender_count; i++)
        senders[i].number = i;
    for (size_t i = 0; i < trial->samples->count; i++)
        senders[trial->samples->items[i].sender].count++;
    qsort(senders, sender_count, sizeof *senders, compare_counts);
    for (uint32_t i = 0; i < sender_count; i++) {
        uint32_t least = 0;
        for (uint32_t k = 1; k < trial->fold_count; k++)
            least = sizes[k] < sizes[least] ? k : least;
        trial->folds[senders[i].number] = (uint8_t)least;
        sizes[least] += senders[i].count;
    }
    mem_free(senders);
}

void trial_init(struct trial *trial, const struct samples *samples,
                uint32_t sender_count, uint32_t fold_count)
{
    CHECK(sender_count > 0 && fold_count > 0 && fold_count <= FIT_FOLDS_MAX);
    *trial = (struct trial){
        .samples = samples,
        .fold_count = sender_count < fold_count ? sender_count : fold_count,
        .folds = mem_new(sender_count, sizeof *trial->folds),
        .scores = mem_new(samples->count, sizeof *trial->scores),
    };
    deal(trial, sender_count);
}

void trial_release(struct trial *trial)
{
    mem_free(trial->folds);
    mem_free(trial->scores);
    *trial = (struct trial){ .fold_count = 0 };
}

static void score(const struct samples *samples, const struct sample *sample,
                  const struct weights *weights, struct trial_scores *scores)
{
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        fit_score(samples, sample,
                  disguise_marks((enum disguise)d, sample->marks,
                                 sample->class == MODEL_BULK),
                  weights, scores->by[d]);
}

void trial_fold(const struct trial *trial, const struct fit_options *options,
                uint8_t fold)
{
    struct fit_options without = *options;
    struct weights *weights = weights_new();
    without.folds = trial->folds;
    without.held = fold;
    fit(trial->samples, &without, weights);
    for (size_t i = 0; i < trial->samples->count; i++) {
        const struct sample *sample = &trial->samples->items[i];
        if (trial->folds[sample->sender] == fold)
            score(trial->samples, sample, weights, &trial->scores[i]);
    }
    weights_free(&weights);
}

void trial_by(const struct trial *trial, const struct weights *weights,
              struct trial_scores *scores)
{
    for (size_t i = 0; i < trial->samples->count; i++)
        score(trial->samples, &trial->samples->items[i], weights, &scores[i]);
}

static void calibrate(const float score[MODEL_CLASSES],
                      const struct calibration *calibration,
                      float calibrated[MODEL_CLASSES])
{
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        calibrated[c] =
            (score[c] + calibration->bias[c]) / calibration->temperature;
}

/* The log-loss of the right class, summed up. */
static double loss(const struct trial *trial,
                   const struct calibration *calibration)
{
    double sum = 0;
    for (size_t i = 0; i < trial->samples->count; i++)
        for (unsigned d = DISGUISE_MIXED; d <= DISGUISE_STRIPPED; d++) {
            float shares[MODEL_CLASSES];
            calibrate(trial->scores[i].by[d], calibration, shares);
            fit_softmax(shares, 1);
            float right = shares[trial->samples->items[i].class];
            sum -= (double)logf(right > SHARE_MIN ? right : SHARE_MIN);
        }
    return sum;
}

/* One step of one number: the logarithm of the temperature, or the bias of a
 * class that is not the last. */
static struct calibration moved(const struct calibration *from, unsigned which,
                                float step)
{
    struct calibration to = *from;
    if (which == MODEL_CLASSES - 1)
        to.temperature *= expf(step);
    else
        to.bias[which] += step;
    return to;
}

static bool is_within(const struct calibration *calibration)
{
    bool is_within = calibration->temperature > 1 / TEMPERATURE_MAX
                     && calibration->temperature < TEMPERATURE_MAX;
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        is_within &= fabsf(calibration->bias[c]) <= BIAS_MAX;
    return is_within;
}

/* Down the valley, one number after the other, by steps that are halved where
 * none helps. */
static void descend(const struct trial *trial, unsigned first,
                    struct calibration *best)
{
    double least = loss(trial, best);
    for (float step = STEP_FIRST; step > STEP_LAST;) {
        bool has_moved = false;
        for (unsigned i = 2 * first; i < 2 * MODEL_CLASSES; i++) {
            struct calibration next =
                moved(best, i / 2, i % 2 == 0 ? step : -step);
            double here = is_within(&next) ? loss(trial, &next) : least;
            if (here >= least)
                continue;
            least = here;
            *best = next;
            has_moved = true;
        }
        if (!has_moved)
            step /= 2;
    }
}

void trial_calibrate(const struct trial *trial, float usual,
                     struct calibration *calibration)
{
    uint32_t counts[MODEL_CLASSES] = { 0 };
    bool is_rich = true;
    struct calibration best = { .temperature = 1 };
    for (size_t i = 0; i < trial->samples->count; i++)
        counts[trial->samples->items[i].class]++;
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        is_rich &= counts[c] >= SAMPLES_FOR_BIAS;
    descend(trial, is_rich ? 0 : MODEL_CLASSES - 1, &best);
    float count = (float)trial->samples->count;
    float part = count / (count + SAMPLES_TO_MOVE);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        calibration->bias[c] = part * best.bias[c];
    calibration->temperature =
        expf(part * logf(best.temperature) + (1 - part) * logf(usual));
}

static struct tally_verdict verdict_of(const float score[MODEL_CLASSES],
                                       enum model_class is,
                                       const struct calibration *calibration,
                                       bool is_declared, uint32_t floor)
{
    const int32_t prior = JUDGE_PRIOR;
    float shares[MODEL_CLASSES];
    uint32_t per_mille[MODEL_CLASSES];
    unsigned most = 0;
    calibrate(score, calibration, shares);
    if (is_declared)
        shares[MODEL_TRANSACTIONAL] += (float)prior / MODEL_POINT;
    fit_softmax(shares, 1);
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        per_mille[c] = (uint32_t)(shares[c] * 1000);
        most = shares[c] > shares[most] ? c : most;
    }
    bool to_bulk = per_mille[MODEL_BULK] >= BULK_LIKELY;
    return (struct tally_verdict){
        .is = (enum judge_kind)is,
        .found = (enum judge_kind)most,
        .per_mille = per_mille[most],
        .is_protected = !to_bulk && per_mille[MODEL_TRANSACTIONAL] >= floor,
        .to_bulk = to_bulk,
    };
}

void trial_count(const struct trial *trial, const struct trial_scores *scores,
                 const struct calibration *calibration, enum disguise disguise,
                 uint32_t floor, struct tally *tally)
{
    for (size_t i = 0; i < trial->samples->count; i++) {
        enum model_class is = trial->samples->items[i].class;
        bool is_declared = disguise == DISGUISE_ADVERSARIAL && is == MODEL_BULK;
        const struct tally_verdict verdict = verdict_of(
            scores[i].by[disguise], is, calibration, is_declared, floor);
        tally_add(tally, &verdict);
    }
}
