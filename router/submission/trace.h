/*
 * trace.h - the final bytes of a message: what we add, and what we take out.
 *
 * In front come a Received field (RFC 5321 section 4.4, protocol names of RFC
 * 3848 and RFC 6531 section 4.3), and From, Date and Message-ID where the
 * client sent none (RFC 6409 section 8), X-Sendyard-Origin (router/origin.h),
 * Feedback-ID where the account has one and the message has not, and
 * X-Sendyard-Found where the config says that mail which was moved to a lower
 * stream is tagged. Private fields (survey.h) are left out. All else stays byte for byte, so signatures of the client stay valid. The
 * text is copied once. Pure.
 *
 *     Received: from laptop.example ([192.0.2.1])
 *         by mail.example with ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384)
 *         id 01k4zq8w0r00g
 *         for <bob@example.net>; Sat, 31 Jan 2026 23:59:59 +0000
 *
 * "for" is said of a sole recipient only: others must not see each other.
 */
#ifndef ROUTER_SUBMISSION_TRACE_H
#define ROUTER_SUBMISSION_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/proto/header.h"
#include "router/submission/survey.h"

/* All texts are safe for a header: no control bytes. */
struct trace {
    uint64_t id;
    uint64_t now_utc_ms;
    struct slice host;  /* our name */
    struct slice hello; /* what the client called itself */
    struct slice client_ip;
    bool is_client_ipv6;
    bool is_esmtp; /* said EHLO, not HELO */
    bool is_authenticated;
    bool is_utf8;             /* the message needs SMTPUTF8 */
    const char *tls;          /* "TLSv1.3"; NULL: in clear */
    const char *cipher;       /* NULL: in clear */
    struct slice mail_from;   /* becomes From when there is none */
    struct slice origin;      /* value of X-Sendyard-Origin; empty: no word */
    struct slice feedback_id; /* value of Feedback-ID; empty: none is added */
    struct slice found;       /* what mail that was moved is; empty: no word */
    struct slice recipient;   /* the sole one; empty when there are several */
};

/* Makes `out` hold the whole message in memory of exactly its size; `out` is
 * initialised here, and the caller's to release or steal from. */
void trace_build(const struct trace *trace, const struct survey *survey,
                 const struct header_split *message, struct buf *out);

#endif
