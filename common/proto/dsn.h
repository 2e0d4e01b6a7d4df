/*
 * dsn.h - builds a delivery status notification.
 *
 * RFC 3464 in a multipart/report of RFC 3462 (now 6522), with the parameters of
 * RFC 3461:
 *
 *     multipart/report; report-type=delivery-status
 *       text/plain               what happened, for people
 *       message/delivery-status  the same, for machines
 *       message/rfc822           the message (RET=FULL), or
 *       text/rfc822-headers      its header (RET=HDRS)
 *
 * When an address has bytes over 127 the parts become those of RFC 6533
 * (message/global-delivery-status, message/global, message/global-headers), and
 * the notification itself needs SMTPUTF8. The text of far sides comes in as
 * verdicts, hence escaped; here it is made plain ASCII besides. Lines end in
 * CRLF and hold at most 998 bytes. The sender of a notification is always <>.
 */
#ifndef COMMON_PROTO_DSN_H
#define COMMON_PROTO_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/proto/verdict.h"

enum dsn_action {
    DSN_FAILED,
    DSN_DELAYED,
    DSN_DELIVERED,
    DSN_RELAYED, /* handed to a system that sends no notifications itself */
};

/* Everything is borrowed; addresses have been checked by path.h. */
struct dsn_recipient {
    enum dsn_action action;
    struct slice final;  /* the address that was tried */
    struct slice orcpt;  /* ORCPT as given, "type;xtext"; or empty */
    struct slice remote; /* host that said it; empty when none did */
    const struct verdict *verdict;
    uint64_t last_attempt_utc_ms; /* 0: none was made */
    uint64_t retry_until_utc_ms;  /* DSN_DELAYED only; else 0 */
};

struct dsn {
    uint64_t id;             /* of the notification, message_id.h */
    uint64_t now_utc_ms;     /* for Date */
    uint64_t arrival_utc_ms; /* when the original came in */
    struct slice reporting;  /* our host name */
    struct slice to;         /* sender of the original */
    struct slice envid;      /* ENVID as given, xtext; or empty */
    struct slice original;   /* header, empty line, body; or the header alone */
    bool full;               /* RET=FULL: return the body, too */
    const struct dsn_recipient *recipients;
    size_t recipient_count; /* at least 1 */
};

/* Whether the notification needs SMTPUTF8 to be sent. */
bool dsn_needs_utf8(const struct dsn *dsn);

/* Appends the whole message. RC_LIMIT, with `out` unchanged, when it has no
 * room. */
enum rc dsn_build(const struct dsn *dsn, struct buf *out) must_check;

/* "failed", "delayed" ...: the words of RFC 3464 section 2.3.3. */
const char *dsn_action_name(enum dsn_action action);

#endif
