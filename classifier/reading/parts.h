/*
 * parts.h - the parts of a MIME message, one after the other.
 *
 * RFC 2045 and 2046. One pass over the body: a line that begins with "--" is
 * compared to the boundaries that are open, the innermost first, so the work
 * is linear in the bytes whatever is nested in what. An inner multipart that
 * was never closed ends with the outer one, as mail readers have it.
 *
 *     struct parts parts;
 *     parts_init(&parts, header, body);
 *     while (parts_next(&parts, &part)) ...
 *
 * Only leaves are given: what multipart and message/rfc822 parts wrap comes
 * by itself. What is nested deeper than PARTS_DEPTH_MAX, or comes after
 * PARTS_MAX leaves, ends the walk, and is_cut says so. All slices borrow from
 * the message.
 */
#ifndef CLASSIFIER_READING_PARTS_H
#define CLASSIFIER_READING_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/slice.h"

#define PARTS_DEPTH_MAX 16u
#define PARTS_MAX       64u
/* Lines that begin with "--" and are compared to boundaries. A signature has
 * one, a patch some hundreds. */
#define PARTS_DASH_LINES_MAX 20000u

enum part_kind {
    PART_TEXT,  /* text/plain, and what says nothing of its type */
    PART_HTML,  /* text/html */
    PART_IMAGE, /* image/ *, shown in place or attached */
    PART_CALENDAR,
    PART_REPORT, /* message/delivery-status, message/feedback-report */
    PART_OTHER,
};

enum part_encoding { PART_IDENTITY, PART_BASE64, PART_QUOTED };

struct part {
    enum part_kind kind;
    enum part_encoding encoding;
    struct slice charset; /* as named; empty: none was */
    bool is_attached;     /* Content-Disposition: attachment */
    struct slice body;    /* as it stands, encoded */
};

enum parts_state {
    PARTS_WHOLE, /* the body is one leaf */
    PARTS_SKIP,  /* in a preamble or epilogue: up to the next boundary */
    PARTS_HEAD,  /* at the header of a part */
    PARTS_OVER,
};

struct parts {
    struct cursor cursor; /* behind what was given */
    struct slice boundaries[PARTS_DEPTH_MAX];
    size_t depth;
    size_t count; /* leaves given so far */
    size_t dash_lines;
    struct part whole;
    enum parts_state state;
    bool is_cut;
    bool is_report; /* the message is a multipart/report */
};

void parts_init(struct parts *parts, struct slice header, struct slice body);
bool parts_next(struct parts *parts, struct part *part);

#endif
