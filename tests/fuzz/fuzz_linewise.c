/*
 * fuzz_linewise - the decoder against a plain one that goes byte by byte, at a
 * split that the input chooses; and what is encoded comes back.
 *
 * The first byte says where to split, the rest is the wire.
 */
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/linewise.h"

#define BODY_MAX (1u << 20)

static struct linewise_findings decode(struct slice wire, size_t cut,
                                       enum linewise_bare bare,
                                       struct buf *body, size_t *left)
{
    struct linewise_decoder decoder;
    linewise_decoder_init(&decoder, bare, BODY_MAX);
    struct cursor cursor = cursor_of(slice_head(wire, cut));
    if (linewise_decode(&decoder, &cursor, body) == RC_MORE) {
        CHECK(cursor_done(&cursor));
        cursor.end = wire.ptr + wire.len;
        enum rc rc = linewise_decode(&decoder, &cursor, body);
        CHECK(rc == RC_OK || cursor_done(&cursor));
    }
    *left = (size_t)(wire.ptr + wire.len - cursor.at);
    return decoder.findings;
}

/* The rule of RFC 5321 section 4.5.2 in its plainest form. `at_start`: behind
 * CRLF. Returns the bytes behind the end. */
static size_t decode_plainly(struct slice wire, struct buf *body)
{
    bool at_start = true;
    for (size_t i = 0; i < wire.len; i++) {
        struct slice rest = slice_from(wire, i);
        if (at_start && slice_starts_nocase(rest, SLICE(".\r\n")))
            return rest.len - 3;
        if (!at_start || wire.ptr[i] != '.')
            CHECK(buf_add_byte(body, wire.ptr[i]));
        at_start = i > 0 && wire.ptr[i] == '\n' && wire.ptr[i - 1] == '\r';
    }
    return 0;
}

static void compare(struct slice wire, size_t cut)
{
    struct buf got;
    struct buf want;
    buf_init(&got, BODY_MAX);
    buf_init(&want, BODY_MAX);
    size_t left = 0;
    struct linewise_findings findings =
        decode(wire, cut, LINEWISE_KEEP, &got, &left);
    CHECK(left == decode_plainly(wire, &want));
    CHECK(findings.bytes == got.len);
    /* Without an end, CR and "." may still wait for what follows. */
    CHECK(got.len <= want.len && want.len - got.len <= 1);
    CHECK(slice_equal(buf_slice(&got), slice_head(buf_slice(&want), got.len)));
    buf_release(&want);
    buf_release(&got);
}

/* Normalising leaves no bare CR or LF, and then encoding and decoding is the
 * identity. */
static void go_around(struct slice wire, size_t cut)
{
    struct buf body;
    struct buf again;
    struct buf stuffed;
    buf_init(&body, BODY_MAX);
    buf_init(&again, BODY_MAX);
    buf_init(&stuffed, BODY_MAX);
    size_t left = 0;
    (void)decode(wire, cut, LINEWISE_NORMALISE, &body, &left);

    struct linewise_encoder encoder;
    linewise_encoder_init(&encoder);
    cut = cut < body.len ? cut : body.len;
    CHECK(
        linewise_encode(&encoder, slice_head(buf_slice(&body), cut), &stuffed));
    CHECK(
        linewise_encode(&encoder, slice_from(buf_slice(&body), cut), &stuffed));
    CHECK(linewise_encode_end(&encoder, &stuffed));
    struct linewise_findings findings =
        decode(buf_slice(&stuffed), cut, LINEWISE_KEEP, &again, &left);
    CHECK(left == 0 && findings.bare_cr == 0 && findings.bare_lf == 0);
    CHECK(again.len >= body.len && again.len <= body.len + 2);
    CHECK(
        slice_equal(buf_slice(&body), slice_head(buf_slice(&again), body.len)));
    buf_release(&stuffed);
    buf_release(&again);
    buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice wire = slice_of((const char *)data + 1, size - 1);
    size_t cut = data[0] % size;
    compare(wire, cut);
    go_around(wire, cut);
    return 0;
}
