/* fuzz_origin - any header has an origin of ours or none; of those that it can
 * have, only what we would write is found. */
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/check.h"
#include "router/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_account accounts[] = { { .name = "app" }, { .name = "news" } };
    const struct conf conf = { .accounts = accounts,
                               .account_count = ARRAY_LEN(accounts) };
    const struct conf_account *account = NULL;
    const struct slice header = slice_of((const char *)data, size);
    struct origin origin;
    char text[ORIGIN_TEXT_SIZE];
    if (origin_find(&conf, header, &origin, &account) != RC_OK)
        return 0;
    (void)origin_format(&conf, account, &origin, text);
    /* Its last word is the seal; all of it was there, perhaps folded. */
    CHECK(slice_find_nocase(header, slice_text(strrchr(text, ' ') + 1))
          < header.len);
    return 0;
}
