/* fuzz_path - what is taken as a path reads the same when it is written again,
 * and holds nothing that could end a command line. */
#include <stdint.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/path.h"

static void check_path(const struct path *path)
{
    CHECK(path->whole.len <= PATH_MAX_BYTES);
    for (size_t i = 0; i < path->whole.len; i++)
        CHECK(!char_is(path->whole.ptr[i], CHAR_CTRL));
    if (path->is_null || path->domain.len == 0)
        return;
    struct path again;
    CHECK(path_from_text(path->whole, &again) == RC_OK);
    CHECK(slice_equal(again.local, path->local));
    CHECK(slice_equal(again.domain, path->domain));
    CHECK(path->is_literal ? path_is_literal(path->domain)
                           : path_is_domain(path->domain, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct path path;
    for (enum path_kind kind = PATH_REVERSE; kind <= PATH_FORWARD; kind++) {
        struct cursor cursor = cursor_of(text);
        if (path_take(&cursor, kind, &path) == RC_OK)
            check_path(&path);
    }
    if (path_from_text(text, &path) == RC_OK)
        check_path(&path);
    return 0;
}
