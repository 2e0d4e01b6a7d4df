/*
 * findings.h - declarations, findings and complaints, added up by account.
 *
 * Pure: lines of the event log in, sums out. Accounts and streams are the
 * operator's own and few; what goes beyond the bounds is added to the last.
 */
#ifndef ROUTER_CLASSIFY_FINDINGS_H
#define ROUTER_CLASSIFY_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

#define FINDINGS_NAME_SIZE    64u
#define FINDINGS_ROWS_MAX     32u
#define FINDINGS_EXAMPLES_MAX 3u
#define FINDINGS_ID_SIZE      32u

/* One thing declared and found, of one account. */
struct finding_row {
    char declared[FINDINGS_NAME_SIZE]; /* stream, "rule NAME", or "" */
    char kind[FINDINGS_NAME_SIZE];     /* what it was found to be, or "" */
    char stream[FINDINGS_NAME_SIZE];   /* where it went */
    uint64_t count;
    uint64_t moved;      /* lower than declared */
    uint64_t would_move; /* were the mode not to observe */
    char examples[FINDINGS_EXAMPLES_MAX]
                 [FINDINGS_ID_SIZE]; /* of ids, the last */
};

struct finding_account {
    char name[FINDINGS_NAME_SIZE];
    uint64_t count;
    uint64_t disagreed; /* moved, or would be */
    uint64_t complaints;
    struct finding_row rows[FINDINGS_ROWS_MAX];
    size_t row_count;
};

struct findings {
    struct finding_account *accounts;
    size_t count;
    size_t size;
};

void findings_init(struct findings *findings);
void findings_release(struct findings *findings);

/* One "accepted" event; all borrowed. */
struct finding {
    const char *id;
    const char *account;
    const char *stream;
    const char *declared; /* "": look into `reasons` */
    const char *kind;
    const char *reasons; /* judge_reasons_text() */
};

void findings_add(struct findings *findings, const struct finding *event);

/* One complaint that was counted. */
void findings_add_complaint(struct findings *findings, const char *account);

/* The accounts with the most disagreements first, their rows the same. */
void findings_sort(struct findings *findings);

#endif
