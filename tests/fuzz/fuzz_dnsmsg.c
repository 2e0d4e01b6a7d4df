/*
 * fuzz_dnsmsg.c - any bytes are read as an answer within bounds, every host
 * that comes out is one, and every address has its size.
 */
#include "common/base/check.h"
#include "common/proto/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct dnsmsg *msg)
{
    char host[DNSMSG_NAME_SIZE];
    uint16_t preference = 0;
    struct slice ip;
    if (msg->type == DNSMSG_MX) {
        while (dnsmsg_next_mx(msg, &preference, host) == RC_OK)
            CHECK(host[0] == 0 || dnsmsg_is_host(slice_text(host)));
        return;
    }
    while (dnsmsg_next_address(msg, &ip) == RC_OK)
        CHECK(ip.len == (msg->type == DNSMSG_A ? 4 : 16)
              && ip.ptr >= msg->bytes.ptr
              && ip.ptr + ip.len <= msg->bytes.ptr + msg->bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dnsmsg msg;
    if (dnsmsg_open(&msg, slice_of((const char *)data, size)) != RC_OK)
        return 0;
    CHECK(strlen(msg.name) < DNSMSG_NAME_SIZE - 2);
    (void)dnsmsg_negative_ttl(&msg);
    read_all(&msg);
    return 0;
}
