/* tally.c - how often a model was right, and where its errors went. */
#include "classifier/training/tally.h"

#include <math.h>

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

void tally_add(struct tally *tally, const struct tally_verdict *verdict)
{
    tally->found[verdict->is][verdict->found]++;
    tally->is_protected[verdict->is] += verdict->is_protected;
    tally->to_bulk[verdict->is] += verdict->to_bulk;
    if (verdict->found == KIND_SYSTEM)
        return;
    uint32_t bin = verdict->per_mille * TALLY_BINS / 1000;
    bin = bin < TALLY_BINS ? bin : TALLY_BINS - 1;
    tally->bins[bin]++;
    tally->bins_right[bin] += verdict->is == verdict->found;
    tally->bins_sure[bin] += verdict->per_mille;
}

uint32_t tally_of(const struct tally *tally, enum judge_kind kind)
{
    uint32_t sum = 0;
    for (unsigned found = 0; found < JUDGE_KIND_COUNT; found++)
        sum += tally->found[kind][found];
    return sum;
}

uint32_t tally_all(const struct tally *tally)
{
    uint32_t sum = 0;
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++)
        sum += tally_of(tally, (enum judge_kind)kind);
    return sum;
}

double tally_precision(const struct tally *tally, enum judge_kind kind)
{
    uint32_t sum = 0;
    for (unsigned is = 0; is < JUDGE_KIND_COUNT; is++)
        sum += tally->found[is][kind];
    return share(tally->found[kind][kind], sum);
}

double tally_recall(const struct tally *tally, enum judge_kind kind)
{
    return share(tally->found[kind][kind], tally_of(tally, kind));
}

double tally_f1(const struct tally *tally, enum judge_kind kind)
{
    double precision = tally_precision(tally, kind);
    double recall = tally_recall(tally, kind);
    return precision + recall > 0
               ? 2 * precision * recall / (precision + recall)
               : 0;
}

double tally_macro_f1(const struct tally *tally)
{
    double sum = 0;
    unsigned count = 0;
    for (unsigned kind = 0; kind < MODEL_CLASSES; kind++) {
        if (tally_of(tally, (enum judge_kind)kind) == 0)
            continue;
        sum += tally_f1(tally, (enum judge_kind)kind);
        count++;
    }
    return count > 0 ? sum / count : 0;
}

double tally_protected(const struct tally *tally, enum judge_kind kind)
{
    return share(tally->is_protected[kind], tally_of(tally, kind));
}

double tally_to_bulk(const struct tally *tally, enum judge_kind kind)
{
    return share(tally->to_bulk[kind], tally_of(tally, kind));
}

double tally_calibration_error(const struct tally *tally)
{
    uint64_t all = 0;
    double sum = 0;
    for (unsigned bin = 0; bin < TALLY_BINS; bin++) {
        all += tally->bins[bin];
        sum += fabs((double)tally->bins_right[bin]
                    - (double)tally->bins_sure[bin] / 1000);
    }
    return all > 0 ? sum / (double)all : 0;
}
