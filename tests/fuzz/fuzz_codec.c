/* fuzz_codec - what decodes encodes back to the same text, and the reverse. */
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/codec.h"

#define OUT_MAX (1u << 22)

typedef bool encode_fn(struct slice bytes, struct buf *out);
typedef enum rc decode_fn(struct slice text, struct buf *out);

static void go_around(struct slice input, encode_fn *encode, decode_fn *decode,
                      bool one_form)
{
    struct buf text;
    struct buf bytes;
    buf_init(&text, OUT_MAX);
    buf_init(&bytes, OUT_MAX);
    CHECK(encode(input, &text));
    CHECK(decode(buf_slice(&text), &bytes) == RC_OK);
    CHECK(slice_equal(buf_slice(&bytes), input));

    buf_clear(&text);
    buf_clear(&bytes);
    if (decode(input, &bytes) == RC_OK) {
        CHECK(encode(buf_slice(&bytes), &text));
        CHECK(!one_form || slice_equal(buf_slice(&text), input));
    } else {
        CHECK(bytes.len == 0);
    }
    buf_release(&bytes);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    go_around(input, base64_encode, base64_decode, true);
    /* xtext may write any byte in hexadecimal. */
    go_around(input, xtext_encode, xtext_decode, false);
    CHECK(!xtext_is_valid(input) || slice_find(input, '\n') == size);
    return 0;
}
