/*
 * mailbox.h - the messages of a mailbox in one file (RFC 4155, "mbox").
 *
 * A message begins behind a line "From ...", the first of the file or one that
 * follows an empty line. What was quoted (">From ") stays so.
 */
#ifndef ROUTER_CLASSIFY_MAILBOX_H
#define ROUTER_CLASSIFY_MAILBOX_H

#include <stdbool.h>

#include "common/base/slice.h"

/* Do these bytes begin as a mailbox does? */
bool mailbox_is(struct slice bytes);

/* Takes the next message; false at the end. Begin with the whole file. */
bool mailbox_next(struct cursor *cursor, struct slice *message);

#endif
