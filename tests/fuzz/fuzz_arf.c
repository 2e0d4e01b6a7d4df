/* fuzz_arf - any bytes are a report or none; what is found is in them. */
#include <stdint.h>

#include "common/base/check.h"
#include "common/proto/arf.h"

static void check_within(struct slice part, struct slice whole)
{
    CHECK(part.len == 0
          || (part.ptr >= whole.ptr
              && part.ptr + part.len <= whole.ptr + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice message = slice_of((const char *)data, size);
    struct arf arf;
    const enum rc rc = arf_read(message, &arf);
    CHECK(rc == RC_OK || rc == RC_NONE);
    if (rc != RC_OK)
        return 0;
    CHECK(arf.type <= ARF_OTHER && arf_type_name(arf.type)[0] != '\0');
    CHECK(arf.header.len > 0);
    check_within(arf.header, message);
    check_within(arf.user_agent, message);
    check_within(arf.recipient, message);
    check_within(arf.report_id, message);
    return 0;
}
