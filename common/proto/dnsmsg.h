/*
 * dnsmsg.h - reading the answer to a DNS question about MX or addresses.
 *
 * RFC 1035 section 4: a header, the question, then records; names may end in a
 * pointer to an earlier place (4.1.4). Any bytes are read safely: a pointer must
 * lead to before the name that holds it, a name has at most 255 bytes, and at
 * most DNSMSG_RECORDS_MAX records of a message are looked at.
 *
 *     dnsmsg_open -> dnsmsg_next_mx      ... until RC_NONE
 *                 -> dnsmsg_next_address ... until RC_NONE
 *
 * Names come out in lower case without the final dot. Those with bytes other
 * than letters, digits, hyphens and underscores belong to nobody and are passed
 * over; a mail host with an underscore, or a hyphen at a label's edge, makes
 * its record void (RFC 1123 section 2.1). So no byte of an answer can harm a
 * log, a command, or a comparison.
 */
#ifndef COMMON_PROTO_DNSMSG_H
#define COMMON_PROTO_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define DNSMSG_NAME_SIZE   256 /* RFC 1035 section 3.1, as text with a NUL */
#define DNSMSG_RECORDS_MAX 512
#define DNSMSG_CNAMES_MAX  8 /* as far as resolvers follow them */

/* RFC 1035 sections 3.2.2, 4.1.1; RFC 3596. */
enum dnsmsg_type {
    DNSMSG_A = 1,
    DNSMSG_CNAME = 5,
    DNSMSG_SOA = 6,
    DNSMSG_MX = 15,
    DNSMSG_AAAA = 28,
};

enum dnsmsg_rcode {
    DNSMSG_NOERROR = 0,
    DNSMSG_NXDOMAIN = 3,
};

struct dnsmsg {
    unsigned rcode;              /* RFC 1035 section 4.1.1; others exist */
    bool truncated;              /* the answer does not hold all records */
    uint16_t type;               /* what was asked */
    char name[DNSMSG_NAME_SIZE]; /* that was asked, or its last CNAME */
    uint32_t ttl_s;              /* least of all that was used so far;
                                    UINT32_MAX before there was any */
    unsigned voids;              /* records passed over as void */

    struct slice bytes; /* the rest is for dnsmsg.c */
    size_t answers_at;
    unsigned answer_count;
    unsigned authority_count;
    size_t at;
    unsigned left;
};

/* Reads header and question of `bytes`, which must outlive *msg, and follows
 * the CNAMEs. RC_SYNTAX when it is no answer to one question. */
enum rc dnsmsg_open(struct dnsmsg *msg, struct slice bytes) must_check;

/* The next mail host; "" is the root, with which a domain says that it takes
 * no mail (RFC 7505). RC_OK, RC_NONE at the end, RC_SYNTAX. */
enum rc dnsmsg_next_mx(struct dnsmsg *msg, uint16_t *preference,
                       char host[DNSMSG_NAME_SIZE]) must_check;

/* The next address of the type asked: 4 bytes for A, 16 for AAAA, within the
 * message. RC_OK, RC_NONE, RC_SYNTAX. */
enum rc dnsmsg_next_address(struct dnsmsg *msg, struct slice *ip) must_check;

/* How long "there is none" may be kept: RFC 2308 section 5, the lesser of the
 * SOA's TTL and its minimum. 0 when the answer does not say. */
uint32_t dnsmsg_negative_ttl(const struct dnsmsg *msg);

/* Whether the name is a host name by RFC 1123 (LDH labels). */
bool dnsmsg_is_host(struct slice name);

#endif
