/* test_idn - domains come out as the DNS knows them, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/edge/idn.h"

static void domains_come_out_in_ascii(void **state)
{
    (void)state;
    static const struct {
        const char *domain;
        const char *ascii; /* NULL: refused */
    } cases[] = {
        { "Example.COM", "example.com" },
        { "b\xc3\xbc"
          "cher.example",
          "xn--bcher-kva.example" },
        { "fa\xc3\x9f.de", "xn--fa-hia.de" },
        { "[127.0.0.1]", "[127.0.0.1]" },
        { "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
        { "", NULL },
        { "a\xff.example", NULL },
        { "\xe2\x98\x83 x.example", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char ascii[IDN_DOMAIN_SIZE] = "";
        bool is_name = idn_to_ascii(slice_text(cases[i].domain), ascii);
        assert_int_equal(is_name, cases[i].ascii != NULL);
        if (is_name)
            assert_string_equal(ascii, cases[i].ascii);
    }
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char name[IDN_DOMAIN_SIZE + 1];
    char ascii[IDN_DOMAIN_SIZE];
    memset(name, 'a', sizeof name);
    assert_true(idn_to_ascii(slice_of(name, IDN_DOMAIN_SIZE - 1), ascii));
    assert_false(idn_to_ascii(slice_of(name, IDN_DOMAIN_SIZE), ascii));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_come_out_in_ascii),
        cmocka_unit_test(long_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
