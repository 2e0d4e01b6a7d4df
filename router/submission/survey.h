/*
 * survey.h - one walk over a header: all that submission must know of it.
 *
 * RFC 5322 section 3.6. Slices point into the header. What is found is judged
 * by acceptance.h and used by trace.h.
 */
#ifndef ROUTER_SUBMISSION_SURVEY_H
#define ROUTER_SUBMISSION_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "config/conf.h"

struct survey {
    uint32_t from_count; /* From fields; so on */
    uint32_t sender_count;
    uint32_t received_count;
    struct slice from;   /* value of the first one */
    struct slice sender; /* the same */
    struct slice message_id;
    bool has_date;
    bool has_message_id;
    bool has_feedback_id;
    bool has_private;     /* fields that are survey_is_private() */
    size_t private_bytes; /* of those fields, line ends included */
    const struct conf_texts *declare_in; /* borrowed */
};

/* `declare_in` (NULL: none) are further fields in which clients declare a
 * stream, and which are private, too. */
void survey_read(struct slice header, const struct conf_texts *declare_in,
                 struct survey *survey);

/* Fields that must not leave with the message: Bcc and Resent-Bcc (RFC 5322
 * section 3.6.3), Return-Path (RFC 5321 section 4.4: the last hop writes it),
 * our own X-Sendyard-Stream and X-Sendyard-Origin (which is nobody else's to
 * write), and what else streams are declared in. */
bool survey_is_private(const struct survey *survey, struct slice name);

#endif
