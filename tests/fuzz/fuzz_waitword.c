/* fuzz_waitword - any text: a wait within bounds, or none; the same in capitals,
 * and nothing is read behind its end. */
#include <stdint.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/proto/waitword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = slice_of((const char *)data, size);
    uint64_t ms = 0;
    const bool found = waitword_find(text, &ms);
    CHECK(found == (ms > 0) && ms <= WAITWORD_MAX_MS);

    char *upper = mem_copy_text(text.ptr, size);
    for (size_t i = 0; i < size; i++)
        if (upper[i] >= 'a' && upper[i] <= 'z')
            upper[i] = (char)(upper[i] - 32);
    uint64_t again = 0;
    CHECK(waitword_find(slice_of(upper, size), &again) == found);
    CHECK(again == ms);
    CHECK(waitword_is_greylisting(text)
          == waitword_is_greylisting(slice_of(upper, size)));
    mem_free(upper);
    return 0;
}
