/* fuzz_session - any bytes into a submission session, in pieces. */
#include "tests/unit/session_fixture.h"

#include "common/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    size_t step = (size_t)data[0] + 1;
    struct slice rest = slice_of((const char *)data + 1, size - 1);
    enum session_want want = SESSION_READ;
    while (rest.len > 0 && want == SESSION_READ) {
        want = fixture_say(&fixture, slice_head(rest, step));
        rest = slice_from(rest, step);
        CHECK(want == SESSION_READ || want == SESSION_CLOSE);
        CHECK(!fixture.out.full && !fixture.in.full);
    }
    fixture_release(&fixture);
    return 0;
}
