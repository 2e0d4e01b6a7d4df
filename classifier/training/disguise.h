/*
 * disguise.h - the header of a message as another sender would have written it.
 *
 * A model has to judge what comes without a header that tells, and what comes
 * with one that lies. The same samples and messages serve to see whether it
 * does, with their header
 *
 *     mixed        as it is
 *     stripped     but for From, To, Subject, Date, Message-ID and MIME fields
 *     adversarial  in bulk mail: without the fields of lists and campaigns, from
 *                  a security@ or noreply@ sender, Auto-Submitted, declared
 *                  transactional; all other mail as it is
 */
#ifndef CLASSIFIER_TRAINING_DISGUISE_H
#define CLASSIFIER_TRAINING_DISGUISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"

enum disguise { DISGUISE_MIXED, DISGUISE_STRIPPED, DISGUISE_ADVERSARIAL };
#define DISGUISE_COUNT 3

const char *disguise_name(enum disguise disguise);

/* False when it is no name of one. */
bool disguise_of_name(struct slice name, enum disguise *disguise);

/* The marks that are left of these (marks.h), and those that are added. */
uint64_t disguise_marks(enum disguise disguise, uint64_t marks, bool is_bulk);

/* Appends the header block. False: `out` has no room. */
bool disguise_header(enum disguise disguise, struct slice header, bool is_bulk,
                     struct buf *out);

#endif
