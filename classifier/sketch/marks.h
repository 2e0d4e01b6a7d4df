/*
 * marks.h - what the header of a message shows of its kind.
 *
 * One bit for each thing that is there: fields of lists and campaigns,
 * traces of a person's mail program, what the sender calls itself. Each can be
 * forged and left out, so a mark is evidence with a weight that the model has
 * learnt, and their sum is capped; none decides.
 */
#ifndef CLASSIFIER_SKETCH_MARKS_H
#define CLASSIFIER_SKETCH_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

enum mark {
    MARK_LIST_UNSUBSCRIBE, /* RFC 2369 */
    MARK_ONE_CLICK,        /* RFC 8058 */
    MARK_LIST_ID,          /* RFC 2919 */
    MARK_LIST_OTHER,
    MARK_PRECEDENCE, /* bulk, list, junk */
    MARK_FEEDBACK_ID,
    MARK_AUTO_GENERATED, /* RFC 3834 */
    MARK_AUTO_REPLIED,
    MARK_AUTO_SUPPRESS,    /* X-Auto-Response-Suppress */
    MARK_ANSWER,           /* In-Reply-To, References */
    MARK_PERSONAL_PROGRAM, /* of a person: Thunderbird, iPhone, ... */
    MARK_OTHER_PROGRAM,
    MARK_CAMPAIGN, /* X-Campaign..., of sending services */
    MARK_ERRORS_TO,
    MARK_REPLY_TO,
    MARK_SENDER,
    MARK_CC,
    MARK_MANY_TO,
    MARK_NO_TO, /* none, or undisclosed */
    MARK_TO_NAMED,
    MARK_PRIORITY,
    MARK_ENTITY_REF, /* X-Entity-Ref-ID: keeps notices apart in threads */
    MARK_RECEIVED,
    MARK_SUBJECT_ANSWER, /* "Re:", "Fwd:" */
    MARK_FROM_NO_REPLY,
    MARK_FROM_NEWS,     /* newsletter@, offers@ */
    MARK_FROM_MONEY,    /* billing@, orders@ */
    MARK_FROM_SECURITY, /* security@, accounts@ */
    MARK_FROM_DESK,     /* support@, hello@, team@ */
    MARK_FROM_ROBOT,    /* notifications@, alerts@, updates@ */
    MARK_FROM_PERSON,   /* anna.berg@ */
    MARK_FROM_UNNAMED,  /* an address alone */
    MARK_FROM_SUBDOMAIN,
};
#define MARK_COUNT 33

_Static_assert(MARK_COUNT <= 64, "marks are bits of one word");

struct marks {
    uint64_t bits;
    struct slice subject; /* as it stands; empty: none */
    struct slice from;
    struct slice to;
    struct slice content; /* from the first Content- field on; empty: none */
    bool names_stream;    /* X-Sendyard-Stream is there */
};

/* Reads the header once. */
void marks_read(struct slice header, struct marks *marks);

const char *mark_name(enum mark mark);

#endif
