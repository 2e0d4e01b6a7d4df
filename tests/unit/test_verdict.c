/* test_verdict - verdicts tell the truth, and their texts are safe to print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/escape.h"
#include "common/proto/reply.h"
#include "common/proto/utf8.h"
#include "common/proto/verdict.h"

static struct verdict verdict_of(const char *bytes)
{
    struct cursor cursor = cursor_of(slice_text(bytes));
    struct reply reply;
    struct verdict verdict;
    assert_int_equal(reply_take(&cursor, &reply), RC_OK);
    verdict_from_reply(&reply, &verdict);
    return verdict;
}

static void the_first_digit_decides(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum verdict_class class;
    } cases[] = {
        { "250 ok\r\n", VERDICT_DELIVERED },
        { "251 will forward\r\n", VERDICT_DELIVERED },
        { "354 go on\r\n", VERDICT_DEFERRED },
        { "421 later\r\n", VERDICT_DEFERRED },
        { "450 5.7.1 mixed\r\n", VERDICT_DEFERRED },
        { "550 no\r\n", VERDICT_FAILED },
        { "599 no\r\n", VERDICT_FAILED },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(verdict_of(cases[i].reply).class, cases[i].class);
    struct verdict verdict = verdict_of("550 5.1.1 No such user\r\n");
    assert_int_equal(verdict.code, 550);
    assert_int_equal(verdict.enhanced.detail, 1);
    assert_string_equal(verdict.text, "No such user");
}

static void our_own_findings_have_no_code(void **state)
{
    (void)state;
    struct verdict verdict;
    verdict_local(&verdict, (struct enhanced){ 5, 4, 4 }, "no MX for %s\n",
                  "a\x1b[31mb");
    assert_int_equal(verdict.class, VERDICT_FAILED);
    assert_int_equal(verdict.code, 0);
    assert_string_equal(verdict.text, "no MX for a\\x1b[31mb\\x0a");
    verdict_local(&verdict, (struct enhanced){ 4, 4, 1 }, "%600d", 1);
    assert_int_equal(verdict.class, VERDICT_DEFERRED);
    assert_int_equal(strlen(verdict.text), VERDICT_TEXT_SIZE - 1);
}

static void class_names_go_both_ways(void **state)
{
    (void)state;
    for (enum verdict_class class = VERDICT_DELIVERED; class <= VERDICT_FAILED;
         class ++) {
        enum verdict_class again = VERDICT_DELIVERED;
        const char *name = verdict_class_name(class);
        assert_true(verdict_class_parse(slice_text(name), &again));
        assert_int_equal(again, class);
    }
    enum verdict_class none;
    assert_false(verdict_class_parse(SLICE("failedx"), &none));
}

static void enhanced_codes_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code; /* "": none */
        const char *rest;
    } cases[] = {
        { "5.7.1 rest", "5.7.1", "rest" },  { "4.2.999", "4.2.999", "" },
        { "2.0.0\tok", "2.0.0", "ok" },     { "3.0.0 x", "", "3.0.0 x" },
        { "5.7.1234 x", "", "5.7.1234 x" }, { "5.7 x", "", "5.7 x" },
        { "5.7.1x", "", "5.7.1x" },         { "5..1 x", "", "5..1 x" },
        { "55.1.1 x", "", "55.1.1 x" },     { "", "", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cursor cursor = cursor_of(slice_text(cases[i].text));
        struct enhanced enhanced = { 0 };
        char text[ENHANCED_TEXT_SIZE];
        assert_int_equal(enhanced_take(&cursor, &enhanced),
                         cases[i].code[0] != '\0');
        assert_string_equal(enhanced_format(enhanced, text), cases[i].code);
        assert_true(
            slice_equal(cursor_rest(&cursor), slice_text(cases[i].rest)));
    }
}

static void strange_bytes_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *safe;
    } cases[] = {
        { "plain \\ text", "plain \\ text" },
        { "tab\there", "tab here" },
        { "\x01\r\n\x7f", "\\x01\\x0d\\x0a\\x7f" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xff\xc3", "\\xff\\xc3" },
        { "\xc0\xaf", "\\xc0\\xaf" },
        { "\xc2\x9b", "\\xc2\\x9b" },
        { "\xc2\xa0", "\xc2\xa0" },
        { "a\xe2\x80\xae", "a\\xe2\\x80\\xae" },
        { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
        { "\xe2\x82\xac", "\xe2\x82\xac" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];
        struct escape escape;
        escape_init(&escape, text, sizeof text);
        escape_add(&escape, slice_text(cases[i].raw));
        assert_string_equal(text, cases[i].safe);
        assert_int_equal(escape.len, strlen(cases[i].safe));
    }
}

static void a_full_text_is_cut_between_characters(void **state)
{
    (void)state;
    char text[6];
    struct escape escape;
    escape_init(&escape, text, sizeof text);
    escape_add(&escape, SLICE("abcd\xc3\xbc"));
    assert_string_equal(text, "abcd");
    escape_add(&escape, SLICE("e"));
    assert_string_equal(text, "abcd");
}

static void utf8_is_checked_as_the_rfc_says(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len; /* of the first sequence */
    } cases[] = {
        { "a", 1 },
        { "\xc2\x80", 2 },
        { "\xe0\xa0\x80", 3 },
        { "\xed\x9f\xbf", 3 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "", 0 },
        { "\x80", 0 },
        { "\xc1\x80", 0 },
        { "\xe0\x9f\x80", 0 },
        { "\xed\xa0\x80", 0 },
        { "\xf0\x8f\x80\x80", 0 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
        { "\xe2\x82", 0 },
        { "\xe2\x82\x41", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_sequence(slice_text(cases[i].bytes)),
                         cases[i].len);
    assert_true(utf8_is_ascii(SLICE("0123456789abcdef~")));
    assert_false(utf8_is_ascii(SLICE("0123456789abcdef\x80")));
    assert_false(utf8_is_ascii(SLICE("012345\x80"
                                     "789abcdef")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_digit_decides),
        cmocka_unit_test(our_own_findings_have_no_code),
        cmocka_unit_test(class_names_go_both_ways),
        cmocka_unit_test(enhanced_codes_are_read_whole_or_not_at_all),
        cmocka_unit_test(strange_bytes_are_escaped),
        cmocka_unit_test(a_full_text_is_cut_between_characters),
        cmocka_unit_test(utf8_is_checked_as_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
