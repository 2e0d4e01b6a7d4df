/*
 * undisclosed.h - a message that does not say whom it is for.
 *
 * "To: undisclosed-recipients:;" is what senders of one text to many write; so
 * is a header without To and Cc, where the message has several recipients. Mail
 * that is for somebody names him: a field counts when it has an "@" at all, since
 * a display name that is badly quoted is no reason to take the address behind it
 * for none. One recipient without any such field may be a program that writes
 * none, and passes; and so does one whose field has a name alone ("To: root").
 */
#ifndef CLASSIFIER_UNDISCLOSED_H
#define CLASSIFIER_UNDISCLOSED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/slice.h"

/* Total over any bytes. */
bool undisclosed(struct slice header, size_t recipient_count);

#endif
