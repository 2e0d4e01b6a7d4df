/* test_iprange - what is a range of addresses, and what lies in it. */
#include "common/base/iprange.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/attr.h"

static void addresses_lie_in_their_ranges_alone(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        const char *inside;
        const char *outside;
    } cases[] = {
        { "127.0.0.0/8", "127.255.255.255", "128.0.0.0" },
        { "127.0.0.0/8", "::ffff:127.0.0.1", "::7f00:1" },
        { "::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0" },
        { "192.0.2.1", "192.0.2.1", "192.0.2.0" },
        { "172.16.0.0/12", "172.31.0.1", "172.32.0.1" },
        { "198.51.100.128/25", "198.51.100.255", "198.51.100.127" },
        { "0.0.0.0/0", "255.255.255.255", "2001:db8::1" },
        { "::1", "::1", "::" },
        { "fe80::/10", "febf::1", "fec0::1" },
        { "ff00::/8", "ff02::1", "fe00::" },
        { "2001:db8::/127", "2001:db8::1", "2001:db8::2" },
        { "::/0", "1.2.3.4", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct iprange range;
        struct iprange ip;
        assert_true(iprange_parse(slice_text(cases[i].range), &range));
        assert_true(iprange_parse(slice_text(cases[i].inside), &ip));
        if (!iprange_has(&range, ip.ip))
            fail_msg("%s lacks %s", cases[i].range, cases[i].inside);
        if (!cases[i].outside)
            continue;
        assert_true(iprange_parse(slice_text(cases[i].outside), &ip));
        if (iprange_has(&range, ip.ip))
            fail_msg("%s has %s", cases[i].range, cases[i].outside);
    }
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "/",
        "/8",
        "127.0.0.0/",
        "127.0.0/8",
        "127.0.0.1/8",
        "10.0.0.0/33",
        "::/129",
        "fe80::1/10",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8/8",
        "[::1]",
        "localhost",
        "::1%lo",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct iprange range = { .bits = 77 };
        if (iprange_parse(slice_text(cases[i]), &range))
            fail_msg("'%s' was taken", cases[i]);
        assert_int_equal(range.bits, 77);
    }
    struct iprange range;
    assert_false(iprange_parse(slice_of("::1\0", 4), &range));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_lie_in_their_ranges_alone),
        cmocka_unit_test(what_is_no_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
