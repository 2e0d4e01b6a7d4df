/*
 * arf.h - reads a report of abuse: what a receiver's feedback loop sends when
 * somebody there called a message spam.
 *
 * RFC 5965 in a multipart/report of RFC 6522:
 *
 *     multipart/report; report-type=feedback-report
 *       text/plain               what happened, for people
 *       message/feedback-report  the same, for machines:
 *                                  Feedback-Type: abuse
 *                                  User-Agent: SomeGenerator/1.0
 *                                  Version: 1
 *                                  Original-Rcpt-To: <bob@example.net>  ...
 *       message/rfc822           the message, or
 *       text/rfc822-headers      its header
 *
 * Outlook's JMRP is taken besides: a multipart/mixed whose subject begins with
 * "complaint about message from", with the message and no part for machines.
 *
 * Tolerant, since a report is evidence and not an order: lines may end in a lone
 * LF, parts may come in any order and lack their last boundary, fields that are
 * not known are passed over. Recipients are often redacted, and then whatever
 * the receiver put in their place is what is found here. Texts are as they came:
 * whoever prints them escapes them. Parts with a transfer encoding are not
 * decoded (RFC 5965 wants 7bit).
 */
#ifndef COMMON_PROTO_ARF_H
#define COMMON_PROTO_ARF_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define ARF_PARTS_MAX 16u

/* What is looked for is in front: a report is known by so much of it. */
#define ARF_FRONT_BYTES (512u << 10)

enum arf_type {
    ARF_ABUSE,
    ARF_FRAUD,
    ARF_VIRUS,
    ARF_NOT_SPAM,
    ARF_OPT_OUT,
    ARF_AUTH_FAILURE, /* RFC 6591 */
    ARF_OTHER,        /* also what is not registered */
};

/* All slices point into the message; what is not there is empty. */
struct arf {
    enum arf_type type;
    struct slice user_agent; /* which generator */
    struct slice recipient;  /* who complained, without <> */
    struct slice report_id;  /* Message-ID of the report itself */
    struct slice header;     /* of the message that it is about */
};

/* RC_OK; RC_NONE: it is no report of feedback, or one without the message. */
enum rc arf_read(struct slice message, struct arf *arf) must_check;

/* Does it speak against the message? Abuse, fraud and viruses do. */
bool arf_is_complaint(enum arf_type type);

/* "abuse", "not-spam" ...: the words of the registry. */
const char *arf_type_name(enum arf_type type);

#endif
