/*
 * promises.h - what a spool must hold at some moment of a run.
 *
 * Fed with the marks of the run up to that moment. A message's writes are a
 * row; some of them, from the first on, were told as done. What is on the disk
 * must be the row cut anywhere behind those: a write that was told counts, one
 * that was only posted may count or not, and nothing else exists.
 */
#ifndef TESTS_CRASH_PROMISES_H
#define TESTS_CRASH_PROMISES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "tests/crash/trace.h"

struct promises;

struct promises *promises_new(void) must_check;
void promises_free(struct promises **promises);

void promises_hear(struct promises *promises, const struct mark *mark);

/* Checks one opening of a spool: begin, each message that it tells of in its
 * order, end. Each writes what is wrong to `why` (160 bytes) and is false. */
void promises_begin(struct promises *promises);
bool promises_found(struct promises *promises, uint64_t id,
                    struct slice envelope, struct slice state,
                    char *why) must_check;
bool promises_end(struct promises *promises, char *why) must_check;

#define PROMISES_WHY_MAX 160u

#endif
