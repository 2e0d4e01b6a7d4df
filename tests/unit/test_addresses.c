/* test_addresses - who a From field names; what is unclear is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/addresses.h"

struct want {
    const char *display;
    const char *local;
    const char *domain;
};

static void valid_lists_give_every_address(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        struct want want[3]; /* ended by a NULL */
    } cases[] = {
        { " a@b.c", { { "", "a", "b.c" } } },
        { " <a@b.c>", { { "", "a", "b.c" } } },
        { " Ann <a@b>, b@c,\r\n\t\"C, D\" <c@d>",
          { { "Ann", "a", "b" }, { "", "b", "c" }, { "\"C, D\"", "c", "d" } } },
        { "=?utf-8?q?J=C3=BC?= <j@x>",
          { { "=?utf-8?q?J=C3=BC?=", "j", "x" } } },
        { "John Q. Public <j@x>", { { "John Q. Public", "j", "x" } } },
        { "J\xc3\xbc <\xc3\xbc@x>", { { "J\xc3\xbc", "\xc3\xbc", "x" } } },
        { "\"a b\"@c", { { "", "\"a b\"", "c" } } },
        { "\"say \\\"hi\\\"\" <a@b>", { { "\"say \\\"hi\\\"\"", "a", "b" } } },
        { "a@[192.0.2.1]", { { "", "a", "[192.0.2.1]" } } },
        { "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
          { { "Pete(A nice \\) chap)", "pete", "silly.test" } } },
        { "(one (two (three))) a@b (c)", { { "", "a", "b" } } },
        { "A Group:Ed <a@b>,c@d;", { { "Ed", "a", "b" }, { "", "c", "d" } } },
        { "none: ;", { { NULL, NULL, NULL } } },
        { "none:;, a@b", { { "", "a", "b" } } },
        { ",, a@b ,,", { { "", "a", "b" } } },
        { "\"fold\r\n ed\" <a@b>", { { "\"fold\r\n ed\"", "a", "b" } } },
        { "", { { NULL, NULL, NULL } } },
        { "(nobody)", { { NULL, NULL, NULL } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addresses addresses;
        struct address address;
        addresses_init(&addresses, slice_text(cases[i].value));
        for (size_t n = 0; n < 3 && cases[i].want[n].local; n++) {
            const struct want *want = &cases[i].want[n];
            assert_int_equal(addresses_next(&addresses, &address), RC_OK);
            assert_true(
                slice_equal(address.display, slice_text(want->display)));
            assert_true(slice_equal(address.local, slice_text(want->local)));
            assert_true(slice_equal(address.domain, slice_text(want->domain)));
        }
        assert_int_equal(addresses_next(&addresses, &address), RC_NONE);
        assert_int_equal(addresses_next(&addresses, &address), RC_NONE);
    }
}

static void unclear_lists_are_refused_for_good(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a",
        "a@",
        "@b",
        "a@b c@d",
        "a@b <c@d>",
        "<a@b> <c@d>",
        "<a@b>x",
        "<a@b",
        "a@b>",
        "<>",
        "Ann <>",
        "Ann",
        "<@r:a@b>",
        "a . b@c",
        "a@b . c",
        "a..b@c",
        ".a@b",
        "a@b.",
        "a b@c",
        "\"a@b",
        "(a@b",
        "a@b)",
        "g: a@b",
        "g: h: a@b;;",
        ": a@b;",
        "a@b;",
        "\"x\r\n y\"@b",
        "a@[b",
        "a@[b c]",
        "a@b\x01",
        "\"\x01\" <a@b>",
        "a@b <script>",
        "trusted@bank.example <thief@evil.example>",
        "((((((((((((((((()))))))))))))))) a@b",
        "a@b\\",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct addresses addresses;
        struct address address;
        addresses_init(&addresses, slice_text(bad[i]));
        enum rc rc;
        while ((rc = addresses_next(&addresses, &address)) == RC_OK)
            ;
        assert_int_equal(rc, RC_SYNTAX);
        assert_int_equal(addresses_next(&addresses, &address), RC_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_lists_give_every_address),
        cmocka_unit_test(unclear_lists_are_refused_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
