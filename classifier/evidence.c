/* evidence.c - of all that a model weighs, the few pieces that weigh most. */
#include "classifier/evidence.h"

#include "common/base/check.h"

void evidence_init(struct evidence *evidence, uint32_t max)
{
    CHECK(max > 0 && max <= EVIDENCE_MAX);
    evidence->count = 0;
    evidence->max = max;
    evidence->least = 0;
}

void evidence_keep(struct evidence *evidence,
                   const struct evidence_piece *piece)
{
    struct evidence_piece *pieces = evidence->pieces;
    uint32_t at =
        evidence->count < evidence->max ? evidence->count++ : evidence->max - 1;
    for (; at > 0 && pieces[at - 1].spread < piece->spread; at--)
        pieces[at] = pieces[at - 1];
    pieces[at] = *piece;
    if (evidence->count == evidence->max)
        evidence->least = pieces[evidence->max - 1].spread;
}
