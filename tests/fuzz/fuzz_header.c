/* fuzz_header - fields lie one behind the other and make up the header. */
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_of((const char *)data, size);
    struct header_split split;
    enum rc end = header_split(message, &split);
    CHECK(split.header.len + split.body.len <= message.len);

    struct buf line;
    buf_init(&line, 1u << 20);
    struct cursor cursor = cursor_of(message);
    struct header_field field;
    size_t sum = 0;
    enum rc rc;
    while ((rc = header_next(&cursor, &field)) == RC_OK) {
        CHECK(field.whole.ptr == message.ptr + sum);
        sum += field.whole.len;
        CHECK(field.name.len > 0 && field.name.len <= HEADER_NAME_MAX);
        buf_clear(&line);
        CHECK(header_unfold(field.value, &line));
        CHECK(slice_find(buf_slice(&line), '\n') == line.len);
        (void)header_is_msg_id(field.value);
    }
    CHECK(sum == split.header.len);
    CHECK(rc == RC_NONE ? end == RC_OK : end == rc);
    CHECK(split.body.ptr == cursor.at);
    buf_release(&line);
    return 0;
}
