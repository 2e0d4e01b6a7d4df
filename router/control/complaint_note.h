/*
 * complaint_note.h - a complaint as one router tells it to another.
 *
 *     ID TEMPLATE RECIPIENTS WHO
 *
 * The first two in the text form of message_id.h; WHO is all the rest: whatever
 * tells those who complain of one message apart (tally.h).
 */
#ifndef ROUTER_CONTROL_COMPLAINT_NOTE_H
#define ROUTER_CONTROL_COMPLAINT_NOTE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "router/origin.h"

struct complaint_note {
    struct origin origin; /* of the message that it is about */
    struct slice who;     /* borrowed */
};

/* Appends it. False: it does not fit. */
bool complaint_note_write(const struct complaint_note *note,
                          struct buf *out) must_check;

/* RC_OK, *note is written and borrows from `text`; RC_SYNTAX. */
enum rc complaint_note_read(struct slice text,
                            struct complaint_note *note) must_check;

#endif
