/*
 * verdict.h - what the far side decided about one recipient, as data.
 *
 * A verdict flows from the dialog to the log, the retry plan and the DSN. It
 * says nothing about whether *we* could do our work: that is an enum rc. What
 * we find out ourselves (no MX, expired, suppressed) is a verdict too, with
 * code 0, because it ends in the same places.
 *
 * The text is safe to print: one line of valid UTF-8 without control bytes
 * (escape.h). The enhanced status code is of RFC 3463, and stands only when its
 * class agrees with the reply code, as RFC 2034 section 4 demands.
 */
#ifndef COMMON_PROTO_VERDICT_H
#define COMMON_PROTO_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct reply;

#define VERDICT_TEXT_SIZE  512 /* with the NUL: an SMTP line, RFC 5321 4.5.3.1 */
#define ENHANCED_TEXT_SIZE 16  /* any three numbers that fit, and a NUL */

enum verdict_class {
    VERDICT_DELIVERED, /* 2yz: the far side has it */
    VERDICT_DEFERRED,  /* 4yz, or a reply that makes no sense: try again */
    VERDICT_FAILED,    /* 5yz: it will never take it */
};

/* RFC 3463: class.subject.detail; class 0 means there is none. */
struct enhanced {
    uint8_t class;
    uint16_t subject;
    uint16_t detail;
};

struct verdict {
    enum verdict_class class;
    uint16_t code; /* of the reply; 0: our own finding */
    struct enhanced enhanced;
    char text[VERDICT_TEXT_SIZE];
};

/* The verdict of a final reply: 2yz delivered, 5yz failed, all else deferred. */
void verdict_from_reply(const struct reply *reply, struct verdict *verdict);

/* Our own finding. enhanced.class (2, 4, 5) gives the verdict's class; the
 * text is escaped and cut to size. */
void verdict_local(struct verdict *verdict, struct enhanced enhanced,
                   const char *format, ...) printf_like(3, 4);

/* "delivered", "deferred", "failed". */
const char *verdict_class_name(enum verdict_class class);

/* The class a name of verdict_class_name() stands for; false: none. */
bool verdict_class_parse(struct slice name, enum verdict_class *class);

/* Reads "5.7.1" at the front of the cursor when it is followed by a blank or
 * the end, class 2, 4 or 5, at most 3 digits each; takes the blanks after it.
 * RFC 2034 section 4, RFC 3463 section 2:
 *
 *     status-code = class "." subject "." detail
 *     class       = "2"/"4"/"5"
 *     subject     = 1*3digit
 *     detail      = 1*3digit
 */
bool enhanced_take(struct cursor *cursor, struct enhanced *enhanced);

/* "5.7.1", or "" for none; returns `text`. */
const char *enhanced_format(struct enhanced enhanced,
                            char text[ENHANCED_TEXT_SIZE]);

#endif
