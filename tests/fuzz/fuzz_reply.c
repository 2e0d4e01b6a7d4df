/* fuzz_reply - any bytes of a server: replies are taken or refused, and their
 * texts are safe to print. */
#include <stdint.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/reply.h"
#include "common/proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of((const char *)data, size);
    struct cursor cursor = cursor_of(all);
    struct reply reply;
    while (reply_take(&cursor, &reply) == RC_OK) {
        CHECK(reply.code >= 200 && reply.code <= 599);
        CHECK(reply.whole.len > 0 && reply.whole.len <= REPLY_BYTES_MAX);
        struct slice text = slice_text(reply.text);
        CHECK(text.len < sizeof reply.text && utf8_is_valid(text));
        for (size_t i = 0; i < text.len; i++)
            CHECK(!char_is(text.ptr[i], CHAR_CTRL));
        struct verdict verdict;
        verdict_from_reply(&reply, &verdict);
        CHECK(verdict.code == reply.code);
        /* The same bytes alone are the same reply, and none is to spare. */
        struct reply again;
        struct cursor alone = cursor_of(reply.whole);
        CHECK(reply_take(&alone, &again) == RC_OK && cursor_done(&alone));
        alone = cursor_of(slice_head(reply.whole, reply.whole.len - 1));
        CHECK(reply_take(&alone, &again) == RC_MORE);
    }
    return 0;
}
