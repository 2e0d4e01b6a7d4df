/*
 * fuzz_tap.c - any bytes of the two sides give lines that are short, whole and
 * harmless; a byte under 128 tells whose the next bytes are, and how many.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "workers/smtp/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(void *context, enum tap_kind kind, struct slice line)
{
    (void)context;
    CHECK(kind != TAP_NOTE);
    CHECK(line.len <= TAP_LINE_MAX + sizeof " (hidden)");
    for (size_t i = 0; i < line.len; i++)
        CHECK(!char_is(line.ptr[i], CHAR_CTRL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap tap;
    struct slice bytes = slice_of((const char *)data, size);
    tap_init(&tap, check_line, NULL);
    while (bytes.len > 0) {
        const uint8_t head = (uint8_t)bytes.ptr[0];
        const struct slice part = slice_head(slice_from(bytes, 1), head >> 1);
        if (head & 1)
            tap_said(&tap, part);
        else
            tap_heard(&tap, part);
        bytes = slice_from(bytes, 1 + part.len);
    }
    return 0;
}
