/*
 * evidence.h - what the protocol shows of a message's kind, in points.
 *
 * One pass over the header. Points are hundredths; those of one field count
 * once, and JUDGE_BULK_POINTS together are bulk. The weights follow what list
 * recognisers give the same fields: one-click unsubscription alone says bulk,
 * no other single field does.
 */
#ifndef CLASSIFIER_EVIDENCE_H
#define CLASSIFIER_EVIDENCE_H

#include <stddef.h>

#include "classifier/judge.h"

#define EVIDENCE_MAX 10

struct evidence {
    struct judge_reason reasons[EVIDENCE_MAX];
    size_t count;
    int points;            /* the sum */
    struct slice declared; /* value of X-Sendyard-Stream; empty: none */
    bool is_automatic;     /* Auto-Submitted, or the null sender */
};

void evidence_read(const struct judge_message *message,
                   uint32_t bulk_recipients, struct evidence *evidence);

#endif
