/*
 * fuzz_socks.c - any answers of a proxy end in a connection or in a finding of
 * our own that is temporary. The first byte says whether we have a login.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/check.h"
#include "workers/smtp/socks.h"

#define BYTES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    const bool has_login = size > 0 && (data[0] & 1);
    const struct socks_login login =
        socks_login_of(has_login ? SLICE("me:secret") : SLICE(""));
    scoped(buf_release) struct buf in = { .max = BYTES_MAX };
    scoped(buf_release) struct buf out = { .max = BYTES_MAX };
    struct verdict why = { .code = 1 };
    struct socks socks;
    struct addr to;
    CHECK(addr_of_ip(SLICE("192.0.2.1"), 25, &to));
    socks_begin(&socks, &login, &to, &out);
    for (bytes = slice_from(bytes, 1); bytes.len > 0 && in.len < BYTES_MAX;
         bytes = slice_from(bytes, 1)) {
        (void)buf_add(&in, slice_head(bytes, 1));
        const enum socks_state state = socks_hear(&socks, &in, &out, &why);
        CHECK(state == SOCKS_OPEN || state == SOCKS_FAILED || in.len < 300);
    }
    CHECK(!out.full && (has_login || out.len <= 13));
    if (socks.state == SOCKS_FAILED)
        CHECK(why.code == 0 && why.class == VERDICT_DEFERRED);
    return 0;
}
