/*
 * fit.h - a message as a server can take it that lacks 8BITMIME or SMTPUTF8.
 *
 *     lacks      the message has                    what becomes of it
 *     8BITMIME   bytes over 127                     sevenbit.h, or 5.6.3
 *     SMTPUTF8   addresses with U-labels            A-labels (RFC 5891)
 *                others with bytes over 127         5.6.7
 *                a header with such                 sevenbit.h, or 5.6.7
 *
 * What needs neither is sent as it is and costs nothing: the job tells. A signed
 * message is converted only where the config wants it, since its signature would
 * not hold any more. Signing of our own comes after this.
 *
 * Does no I/O and reads no clock. Allocates only where something is converted.
 */
#ifndef WORKERS_SMTP_FIT_H
#define WORKERS_SMTP_FIT_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/proto/ehlo.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"

/* Which texts may be converted. Addresses always may: they stay the same. */
enum fit_rule { FIT_UNSIGNED, FIT_ALWAYS, FIT_NEVER };

/* What was asked; everything is borrowed. */
struct fit_case {
    const struct ehlo *peer;
    const struct wire_job *job;
    struct slice body;
    enum fit_rule rule;
};

/* What to say: slices into the job, the body, the arena, and the text. */
struct fitted {
    struct wire_job envelope;
    struct slice body;
};

/* Whether the server can take the message only when it is changed. */
bool fit_is_needed(const struct ehlo *peer, const struct wire_job *job);

/* False: it cannot be changed so, and *why says the reason. A converted text is
 * kept in `text`, which is cleared first. */
bool fit_make(const struct fit_case *given, struct arena *arena,
              struct buf *text, struct fitted *fitted,
              struct verdict *why) must_check;

#endif
