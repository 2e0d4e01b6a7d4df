/*
 * path.h - the addresses of an SMTP envelope.
 *
 * RFC 5321 section 4.1.2, widened to UTF-8 by RFC 6531 section 3.3:
 *
 *     Reverse-path   = Path / "<>"
 *     Forward-path   = Path / "<Postmaster>"
 *     Path           = "<" [ A-d-l ":" ] Mailbox ">"
 *     A-d-l          = At-domain *( "," At-domain )
 *     At-domain      = "@" Domain
 *     Domain         = sub-domain *("." sub-domain)
 *     sub-domain     = Let-dig [Ldh-str] / U-label
 *     Mailbox        = Local-part "@" ( Domain / address-literal )
 *     Local-part     = Dot-string / Quoted-string
 *     Dot-string     = Atom *("." Atom)
 *     Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *     QcontentSMTP   = qtextSMTP / "\" %d32-126
 *     address-literal = "[" ( Snum 3("." Snum) / "IPv6:" IPv6-addr ) "]"
 *
 * Source routes are taken and dropped (appendix C lets us). General address
 * literals are refused: no tag but IPv6 was ever registered. U-labels are any
 * well-formed UTF-8; whether they make a real domain is for the resolver.
 * Limits, in octets: local part 64, domain 255 (4.5.3.1), and 254 for the whole
 * mailbox, because a path of 256 includes its "<>".
 */
#ifndef COMMON_PROTO_PATH_H
#define COMMON_PROTO_PATH_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define PATH_MAX_BYTES  254u
#define PATH_LOCAL_MAX  64u
#define PATH_DOMAIN_MAX 255u
#define PATH_LABEL_MAX  63u

/* All slices point into the input. */
struct path {
    struct slice whole;  /* the mailbox, without <> and route */
    struct slice local;  /* as written, quotes included */
    struct slice domain; /* as written, brackets of a literal included */
    bool is_null;        /* <>; all slices are empty */
    bool is_literal;     /* the domain is [an address] */
    bool needs_utf8;     /* has bytes over 127: only with SMTPUTF8 */
};

enum path_kind {
    PATH_REVERSE, /* may be <> */
    PATH_FORWARD, /* may be <postmaster>: then the domain is empty */
};

/* Takes a path with its <> off the cursor. RC_SYNTAX, or RC_LIMIT when a part
 * is too long; then cursor and path are unchanged. */
enum rc path_take(struct cursor *cursor, enum path_kind kind,
                  struct path *path) must_check;

/* The whole text is a mailbox without <>. Returns as path_take(). */
enum rc path_from_text(struct slice text, struct path *path) must_check;

/* Is the whole text a domain name: labels of letters, digits and hyphens, or
 * of UTF-8 when `utf8` allows it? No address literal, no dot at the end. */
bool path_is_domain(struct slice text, bool utf8);

/* Is the whole text an address literal with its brackets? */
bool path_is_literal(struct slice text);

#endif
