/*
 * ascii_field.h - a header field with bytes over 127 made one without.
 *
 *     Subject, Comments, X-..., any other   encoded words       RFC 2047 5 (1)
 *     From, To, Cc, Sender, Reply-To ...    display names, too  RFC 2047 5 (3)
 *     Content-Type, Content-Disposition     name*=utf-8''...    RFC 2231 4
 *     Received                              "?" for each        for people only
 *
 * Only whole words are touched, and nothing outside of them. Where such bytes
 * have no place (addresses, dates, ids, URLs, comments), or where the field has
 * an encoded word already, nothing safe can be done.
 */
#ifndef COMMON_PROTO_ASCII_FIELD_H
#define COMMON_PROTO_ASCII_FIELD_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/proto/header.h"

#define ASCII_FIELD_LINE_MAX 998u /* RFC 5322 section 2.1.1 */

/* Appends the whole field, with the line end that it had. RC_SYNTAX: cannot be
 * done safely; RC_LIMIT: `out` has no room. On both a part may be there. */
enum rc ascii_field_add(const struct header_field *field,
                        struct buf *out) must_check;

#endif
