/*
 * mime.h - the form of a message or body part, as its header tells it.
 *
 * RFC 2045 sections 5 and 6, RFC 2046:
 *
 *     content   = type "/" subtype *( ";" parameter )
 *     parameter = attribute "=" ( token / quoted-string )
 *     encoding  = "7bit" / "8bit" / "binary" / "quoted-printable" / "base64"
 *
 * Comments and folds may stand between all of these. Tolerant where only one
 * reading is left: values may hold tspecials without quotes, as real boundaries
 * do. What two readers could take for different structures is RC_SYNTAX: a field
 * twice, a boundary that is missing, encoded, or has quoted pairs.
 *
 * mime_delimiter() finds the lines that part a multipart:
 *
 *     delimiter = "--" boundary [ "--" ] *WSP CRLF      ; at the start of a line
 */
#ifndef COMMON_PROTO_MIME_H
#define COMMON_PROTO_MIME_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define MIME_BOUNDARY_MAX  200u /* RFC 2046 section 5.1.1: 70; more is met */
#define MIME_COMMENT_DEPTH 16u

enum mime_form {
    MIME_TEXT,      /* one part, for people; also what has no type at all */
    MIME_DATA,      /* one part of anything else */
    MIME_MULTIPART, /* parts between boundaries */
    MIME_SIGNED,    /* multipart/signed: not one byte in it may be changed */
    MIME_MESSAGE,   /* message/rfc822: a message */
    MIME_FIXED,     /* other message/...: must not be encoded (RFC 2046 5.2) */
};

enum mime_encoding {
    MIME_PLAIN,   /* 7bit, 8bit, or not said */
    MIME_BINARY,  /* as it is, but no lines */
    MIME_ENCODED, /* quoted-printable or base64 */
    MIME_UNKNOWN,
};

/* Slices point into the header. */
struct mime {
    enum mime_form form;
    enum mime_encoding encoding;
    struct slice boundary; /* of MIME_MULTIPART and MIME_SIGNED */
    bool is_digest;   /* its parts are messages unless they say otherwise */
    bool has_version; /* MIME-Version is there */
    bool has_type;
    bool has_encoding;
};

/* Reads a header. `in_digest`: it is that of a part of a multipart/digest.
 * RC_SYNTAX: its form cannot be told. */
enum rc mime_read(struct slice header, bool in_digest,
                  struct mime *mime) must_check;

/* Slices point into the value. */
struct mime_param {
    struct slice name;
    struct slice value; /* between its quotes, pairs as written; or as it is */
    struct slice whole; /* from the name to the end of the value */
    bool is_quoted;
};

/* Takes "type/subtype", or a type alone, off the value of Content-Type or
 * Content-Disposition; *subtype is empty then. */
enum rc mime_take_type(struct cursor *value, struct slice *type,
                       struct slice *subtype) must_check;

/* Takes the next parameter. RC_NONE at the end. */
enum rc mime_next_param(struct cursor *value,
                        struct mime_param *param) must_check;

struct mime_delimiter {
    struct slice line; /* with its line end, if it has one */
    bool is_last;      /* "--" stands behind the boundary */
};

/* Takes all lines up to and with the next delimiter. False, with the cursor
 * unchanged, when there is none. The cursor is at the start of a line. */
bool mime_next_delimiter(struct cursor *lines, struct slice boundary,
                         struct mime_delimiter *delimiter);

#endif
