/* test_json - whatever is put in, what comes out is JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/json.h"

static void commas_and_brackets_are_set(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    struct json json;
    json_init(&json, &out);
    json_begin_object(&json);
    json_key(&json, "event");
    json_text(&json, SLICE("accepted"));
    json_key(&json, "list");
    json_begin_array(&json);
    json_number(&json, UINT64_MAX);
    json_signed(&json, INT64_MIN);
    json_decimal(&json, 0.25);
    json_decimal(&json, (double)INFINITY);
    json_begin_object(&json);
    json_end(&json);
    json_begin_array(&json);
    json_end(&json);
    json_end(&json);
    json_key(&json, "ok");
    json_bool(&json, true);
    json_key(&json, "none");
    json_null(&json);
    json_end(&json);
    assert_true(slice_equal(
        buf_slice(&out),
        SLICE("{\"event\":\"accepted\",\"list\":[18446744073709551615,"
              "-9223372036854775808,0.25,null,{},[]],\"ok\":true,"
              "\"none\":null}")));
    buf_release(&out);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *json;
    } cases[] = {
        { "", "\"\"" },
        { "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
        { "\r\n\t\x01\x7f", "\"\\r\\n\\t\\u0001\\u007f\"" },
        { "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
        { "\xff\xc3x", "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 256);
        struct json json;
        json_init(&json, &out);
        json_text(&json, slice_text(cases[i].raw));
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].json)));
        buf_release(&out);
    }
    struct buf out;
    buf_init(&out, 256);
    struct json json;
    json_init(&json, &out);
    json_text(&json, slice_of("a\0b", 3));
    assert_true(slice_equal(buf_slice(&out), SLICE("\"a\\u0000b\"")));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_brackets_are_set),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
