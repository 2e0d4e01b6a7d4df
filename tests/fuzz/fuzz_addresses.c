/* fuzz_addresses - the walk ends, and an address found reads the same alone. */
#include <stdint.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/addresses.h"

static void check_address(const struct address *address)
{
    CHECK(address->local.len > 0 && address->domain.len > 0);
    for (size_t i = 0; i < address->domain.len; i++)
        CHECK(!char_is(address->domain.ptr[i], CHAR_CTRL | CHAR_BLANK));

    struct addresses alone;
    struct address again;
    addresses_init(&alone, address->local);
    CHECK(addresses_next(&alone, &again) == RC_SYNTAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct addresses addresses;
    struct address address;
    addresses_init(&addresses, slice_of((const char *)data, size));
    enum rc rc;
    size_t count = 0;
    while ((rc = addresses_next(&addresses, &address)) == RC_OK) {
        check_address(&address);
        CHECK(++count <= size);
    }
    CHECK(rc == RC_NONE || rc == RC_SYNTAX);
    CHECK(addresses_next(&addresses, &address) == rc);
    return 0;
}
