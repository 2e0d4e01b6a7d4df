/*
 * addresses.h - the addresses in a From, Sender, To or Cc field.
 *
 * RFC 5322 section 3.4, UTF-8 by RFC 6532 section 3.2:
 *
 *     address-list = address *("," address)
 *     address      = mailbox / group
 *     mailbox      = [display-name] angle-addr / addr-spec
 *     angle-addr   = [CFWS] "<" addr-spec ">" [CFWS]
 *     group        = display-name ":" [mailbox-list / CFWS] ";" [CFWS]
 *     display-name = 1*( atom / quoted-string / "." )    ; 4.1 obs-phrase
 *     addr-spec    = local-part "@" domain
 *     local-part   = dot-atom / quoted-string
 *     domain       = dot-atom / "[" *dtext "]"
 *
 * Comments may stand wherever CFWS may, nested up to a bound; empty list
 * members (4.4 obs-addr-list) are skipped. Other obsolete forms (routes, blanks
 * inside an addr-spec's parts) and everything else that two readers could take
 * for different addresses is RC_SYNTAX: the answer decides who may send.
 */
#ifndef COMMON_PROTO_ADDRESSES_H
#define COMMON_PROTO_ADDRESSES_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define ADDRESSES_COMMENT_DEPTH 16u

/* Slices point into the input. */
struct address {
    struct slice display; /* as written, quotes and encoded words untouched */
    struct slice local;   /* as written, quotes included */
    struct slice domain;  /* as written, brackets included */
};

struct addresses {
    struct cursor at;
    bool in_group;
    bool after_address; /* a comma must come before the next one */
};

/* Begins to walk a field's value, folds included. */
void addresses_init(struct addresses *addresses, struct slice value);

/* RC_OK with the next address, RC_NONE at the end, RC_SYNTAX (final: every
 * further call gives it again). */
enum rc addresses_next(struct addresses *addresses,
                       struct address *address) must_check;

#endif
