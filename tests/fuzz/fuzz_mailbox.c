/* fuzz_mailbox - messages lie one behind the other, each behind its mark. */
#include <stdint.h>

#include "common/base/check.h"
#include "router/classify/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice file = slice_of((const char *)data, size);
    struct cursor cursor = cursor_of(file);
    const char *before = file.ptr;
    struct slice message;
    while (mailbox_next(&cursor, &message)) {
        CHECK(message.ptr >= before && message.ptr + message.len == cursor.at);
        CHECK(cursor.at > before && cursor.at <= file.ptr + file.len);
        /* What was passed over is a line "From ...", or nothing. */
        struct slice passed = slice_of(before, (size_t)(message.ptr - before));
        CHECK(passed.len == 0 || mailbox_is(passed));
        CHECK(slice_find(passed, '\n') + 1 >= passed.len);
        before = cursor.at;
    }
    CHECK(before == file.ptr + file.len);
    return 0;
}
