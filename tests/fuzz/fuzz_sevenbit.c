/* fuzz_sevenbit - what is converted is 7-bit, has short lines, is not too long,
 * and converting it again changes nothing. */
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/header.h"
#include "common/proto/sevenbit.h"
#include "common/proto/utf8.h"

static void check_lines(struct slice text)
{
    while (text.len > 0) {
        const size_t end = slice_find(text, '\n');
        const size_t cr = slice_find(slice_head(text, end), '\r');
        CHECK(cr <= SEVENBIT_LINE_MAX);
        CHECK(end == text.len ? cr == end : cr + 1 == end);
        text = slice_from(text, end + 1);
    }
}

static void check_all(struct slice message)
{
    struct buf out;
    struct buf again;
    buf_init(&out, SEVENBIT_MAX(message.len));
    if (sevenbit_convert(message, SEVENBIT_ALL, &out) != RC_OK) {
        CHECK(out.len == 0);
        buf_release(&out);
        return;
    }
    const struct slice got = buf_slice(&out);
    CHECK(utf8_is_ascii(got));
    check_lines(got);
    CHECK(!utf8_is_ascii(message) || slice_equal(got, message));
    buf_init(&again, got.len);
    CHECK(sevenbit_convert(got, SEVENBIT_ALL, &again) == RC_OK);
    CHECK(slice_equal(buf_slice(&again), got));
    buf_release(&again);
    buf_release(&out);
}

static void check_header(struct slice message)
{
    struct buf out;
    struct header_split split;
    buf_init(&out, SEVENBIT_MAX(message.len));
    if (sevenbit_convert(message, SEVENBIT_HEADER, &out) == RC_OK) {
        check_lines(buf_slice(&out));
        CHECK(header_split(buf_slice(&out), &split) == RC_OK);
        CHECK(utf8_is_ascii(split.header));
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice message = slice_of((const char *)data, size);
    check_all(message);
    check_header(message);
    (void)sevenbit_is_signed(message);
    return 0;
}
