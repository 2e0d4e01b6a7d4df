/* fuzz_ehlo - any reply to EHLO gives some offer. */
#include <stdint.h>

#include "common/base/check.h"
#include "common/proto/ehlo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(slice_of((const char *)data, size));
    struct reply reply;
    if (reply_take(&cursor, &reply) != RC_OK)
        return 0;
    struct ehlo ehlo;
    ehlo_read(&reply, &ehlo);
    CHECK(ehlo.domain.len < reply.whole.len);
    CHECK(ehlo.size || ehlo.size_max == 0);
    return 0;
}
