/*
 * envelope.h - what we know of one accepted message besides its bytes.
 *
 * The packed form is what the spool writes and what the lanes keep in memory:
 * one run of bytes per message, decoded when it is needed. Packed fields carry
 * tags and lengths; a reader skips tags that it does not know. Names (tenant,
 * stream, route ...) are packed as text, so that they mean the same after a
 * reload and a restart.
 */
#ifndef ROUTER_ENVELOPE_H
#define ROUTER_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define ENVELOPE_RECIPIENTS_MAX 10000
#define ENVELOPE_BYTES_MAX      (16u << 20)

struct envelope_recipient {
    struct slice address;
    struct slice orcpt; /* RFC 3461, as given; or empty */
    struct slice route; /* name of the virtual route */
    uint8_t notify;     /* NOTIFY_* of command.h; 0: not given */
};

struct envelope {
    uint64_t id;
    uint64_t accepted_utc_ms;
    uint64_t expires_utc_ms;
    uint64_t body_size;
    uint64_t template; /* of its text (router/templates); 0: unknown */
    struct slice account;
    struct slice tenant;
    struct slice stream;
    struct slice declared; /* stream that it was declared for; or empty */
    uint8_t kind; /* 1 + enum judge_kind of what it was found; 0: not known */
    struct slice reasons;    /* why this stream: words of classifier/judge.h */
    struct slice mail_from;  /* empty: the null sender */
    struct slice envid;      /* RFC 3461, xtext as given; or empty */
    struct slice message_id; /* header field's value, for logs; bounded */
    uint8_t ret;             /* RET_* of command.h; 0: not given */
    bool body_8bit;
    bool smtputf8;
    const struct envelope_recipient *recipients;
    size_t recipient_count;
};

/* Appends the packed form to `out`; RC_LIMIT when it does not fit. */
enum rc envelope_pack(const struct envelope *envelope,
                      struct buf *out) must_check;

/* Total over any bytes: RC_OK, RC_SYNTAX, RC_LIMIT. Slices point into `packed`;
 * the recipients live in the arena. */
enum rc envelope_unpack(struct slice packed, struct arena *arena,
                        struct envelope *envelope) must_check;

#endif
