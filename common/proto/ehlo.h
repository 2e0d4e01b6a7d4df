/*
 * ehlo.h - what a server offers in its reply to EHLO.
 *
 * RFC 5321 section 4.1.1.1:
 *
 *     ehlo-ok-rsp  = ( "250-" Domain [ SP ehlo-greet ] CRLF
 *                      *( "250-" ehlo-line CRLF )
 *                      "250" SP ehlo-line CRLF )
 *     ehlo-line    = ehlo-keyword *( SP ehlo-param )
 *     ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *
 * Keywords that we do not use, and lines that are none, are skipped. A SIZE
 * whose number makes no sense counts as SIZE without a number. "AUTH=LOGIN", as
 * servers before RFC 2554 said it, counts as "AUTH LOGIN".
 */
#ifndef COMMON_PROTO_EHLO_H
#define COMMON_PROTO_EHLO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "common/proto/reply.h"

/* Bits of ehlo.auth. */
#define EHLO_AUTH_PLAIN         0x01u /* RFC 4616 */
#define EHLO_AUTH_LOGIN         0x02u
#define EHLO_AUTH_CRAM_MD5      0x04u /* RFC 2195 */
#define EHLO_AUTH_XOAUTH2       0x08u
#define EHLO_AUTH_OAUTHBEARER   0x10u /* RFC 7628 */
#define EHLO_AUTH_SCRAM_SHA_256 0x20u /* RFC 7677 */
#define EHLO_AUTH_EXTERNAL      0x40u /* RFC 4422 */
#define EHLO_AUTH_OTHER         0x80u /* one that we have no name for */

struct ehlo {
    struct slice domain;     /* as the server calls itself; into the input */
    bool pipelining;         /* RFC 2920 */
    bool size;               /* RFC 1870 */
    uint64_t size_max;       /* bytes; 0: no fixed maximum */
    bool eight_bit_mime;     /* RFC 6152 */
    bool smtputf8;           /* RFC 6531 */
    bool starttls;           /* RFC 3207 */
    bool chunking;           /* RFC 3030 */
    bool dsn;                /* RFC 3461 */
    bool enhanced_codes;     /* RFC 2034 */
    bool requiretls;         /* RFC 8689 */
    uint8_t auth;            /* EHLO_AUTH_* */
    uint32_t recipients_max; /* LIMITS RCPTMAX, RFC 9422; 0: not said */
    uint32_t mails_max;      /* LIMITS MAILMAX, RFC 9422; 0: not said */
};

/* Reads a positive reply to EHLO; any reply gives some result. */
void ehlo_read(const struct reply *reply, struct ehlo *ehlo);

#endif
