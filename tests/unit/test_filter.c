/* test_filter - which recipients an operator means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/proto/message_id.h"
#include "router/actions/filter.h"

static struct filter_view view_of_mail(void)
{
    struct filter_view view = { .id = 77, .age_ms = 7200000, .attempts = 3 };
    view.texts[FILTER_ACCOUNT] = SLICE("app");
    view.texts[FILTER_TENANT] = SLICE("acme");
    view.texts[FILTER_STREAM] = SLICE("bulk");
    view.texts[FILTER_ROUTE] = SLICE("b");
    view.texts[FILTER_SITE] = SLICE("google.com");
    view.texts[FILTER_POOL] = SLICE("pool-b");
    view.texts[FILTER_DOMAIN] = SLICE("gmail.com");
    view.texts[FILTER_RECIPIENT] = SLICE("Jo@gmail.com");
    view.texts[FILTER_SENDER] = SLICE("news@acme.example");
    view.texts[FILTER_TEMPLATE] = SLICE("0123456789abc");
    view.texts[FILTER_REPLY] = SLICE("try again later");
    view.texts[FILTER_CODE] = SLICE("451");
    view.texts[FILTER_STATE] = SLICE("waiting");
    return view;
}

static bool means(const char *text)
{
    struct filter filter;
    struct fault fault = { .text = "" };
    const struct filter_view view = view_of_mail();
    filter_init(&filter);
    if (filter_parse(&filter, slice_text(text), &fault) != RC_OK)
        fail_msg("%s: %s", text, fault.text);
    const bool matches = filter_match(&filter, &view);
    filter_release(&filter);
    return matches;
}

static void each_criterion_matches_alone(void **state)
{
    (void)state;
    static const char *const right[] = {
        "all",
        "account=app",
        "tenant=AC*",
        "stream=bulk",
        "route=b",
        "site=*.com",
        "pool=pool-*",
        "domain=gmail.*",
        "recipient=jo@*",
        "sender=news@*",
        "reply=*later",
        "reply=\"try again later\"",
        "template=0123456789abc",
        "template=*",
        "code=4*",
        "code=451",
        "state=waiting",
        "older=2h",
        "younger=121m",
        "attempts=3",
        "attempts=2..4",
        "attempts=3..",
        "attempts=..3",
    };
    static const char *const wrong[] = {
        "account=ap",   "tenant=b*",    "stream=bul",   "route=bb",
        "site=google",  "pool=x",       "domain=*.org", "recipient=mo@*",
        "sender=news",  "reply=again",  "code=5*",      "state=held",
        "template=1",   "older=3h",     "younger=2h",   "attempts=2",
        "attempts=4..", "attempts=..2", "sender=\"\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        if (!means(right[i]))
            fail_msg("%s does not match", right[i]);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (means(wrong[i]))
            fail_msg("%s matches", wrong[i]);
}

static void all_criteria_must_match(void **state)
{
    (void)state;
    assert_true(means("stream=bulk domain=gmail.com older=1h attempts=1.."));
    assert_false(means("stream=bulk domain=gmail.com older=3h"));
    assert_false(means("stream=transactional domain=gmail.com"));
}

static void one_of_the_ids_is_enough(void **state)
{
    (void)state;
    char id[ID_TEXT_SIZE];
    char text[80];
    (void)snprintf(text, sizeof text, "id=0000000000001 id=%s",
                   id_format(77, id));
    assert_true(means(text));
    assert_false(means("id=0000000000001"));
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", "the filter is empty; to mean everything say all" },
        { "   ", "the filter is empty; to mean everything say all" },
        { "stream", "not name=value: stream" },
        { "shape=round", "\"shape\" is no criterion" },
        { "stream=a stream=b", "stream=b: given twice" },
        { "stream=", "stream=: has no value" },
        { "older=soon", "older=soon: is no time such as 90m or 2d" },
        { "older=0", "older=0: is no time such as 90m or 2d" },
        { "attempts=x", "attempts=x: is no number, nor 2.. or ..4" },
        { "attempts=4..2", "attempts=4..2: is no number, nor 2.. or ..4" },
        { "attempts=..", "attempts=..: is no number, nor 2.. or ..4" },
        { "id=x", "id=x: is no message id" },
        { "state=asleep", "state=asleep: is no state" },
        { "reply=\"x", "badly quoted: reply=\"x" },
        { "reply=\"x\"y", "badly quoted: reply=\"x\"y" },
        { "reply=x\"y", "badly quoted: reply=x\"y" },
        { "reply=\"x\\", "badly quoted: reply=\"x\\" },
        { "sender=a\tb", "sender=?: holds a control character" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filter filter;
        struct fault fault = { .text = "" };
        filter_init(&filter);
        assert_int_not_equal(
            filter_parse(&filter, slice_text(cases[i].text), &fault), RC_OK);
        assert_string_equal(fault.text, cases[i].why);
        filter_release(&filter);
    }
}

static void the_canonical_text_reads_back_to_itself(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *canonical;
    } cases[] = {
        { " all ", "all" },
        { "older=120m   stream=bulk", "stream=bulk older=2h" },
        { "younger=1500ms", "younger=1500ms" },
        { "older=48h", "older=2d" },
        { "attempts=5.. sender=\"\"", "sender=\"\" attempts=5.." },
        { "attempts=0..4", "attempts=..4" },
        { "attempts=2..2", "attempts=2" },
        { "reply=\"a \\\"b\\\" \\\\ c\"", "reply=\"a \\\"b\\\" \\\\ c\"" },
        { "id=0000000000001 id=0000000000001", "id=0000000000001" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice text = slice_text(cases[i].given);
        for (unsigned turn = 0; turn < 2; turn++) {
            struct filter filter;
            struct buf out;
            filter_init(&filter);
            buf_init(&out, FILTER_TEXT_MAX);
            assert_int_equal(filter_parse(&filter, text, NULL), RC_OK);
            assert_true(filter_format(&filter, &out));
            (void)buf_add_byte(&out, '\0');
            assert_string_equal(buf_slice(&out).ptr, cases[i].canonical);
            text = slice_text(cases[i].canonical);
            filter_release(&filter);
            buf_release(&out);
        }
    }
}

static void a_share_decides_only_what_all_its_jobs_have(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool of_share;
        bool needs_envelope;
    } cases[] = {
        { "all", true, false },
        { "tenant=a stream=b site=c pool=d", true, false },
        { "route=x", false, false },
        { "stream=b older=1h", false, false },
        { "stream=b attempts=1", false, false },
        { "id=0000000000001", false, false },
        { "domain=x", false, true },
        { "account=x", false, true },
        { "recipient=x", false, true },
        { "sender=x", false, true },
        { "state=ready code=4* reply=*", false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filter filter;
        filter_init(&filter);
        assert_int_equal(filter_parse(&filter, slice_text(cases[i].text), NULL),
                         RC_OK);
        assert_int_equal(filter_is_of_share(&filter), cases[i].of_share);
        assert_int_equal(filter_needs_envelope(&filter),
                         cases[i].needs_envelope);
        filter_release(&filter);
    }
}

static void without_the_envelope_the_others_still_decide(void **state)
{
    (void)state;
    struct filter filter;
    struct filter_view view = view_of_mail();
    view.texts[FILTER_RECIPIENT] = SLICE("");
    filter_init(&filter);
    assert_int_equal(
        filter_parse(&filter, SLICE("recipient=jo@* stream=bulk"), NULL),
        RC_OK);
    assert_true(filter_match_others(&filter, &view));
    assert_false(filter_match(&filter, &view));
    view.texts[FILTER_STREAM] = SLICE("neutral");
    assert_false(filter_match_others(&filter, &view));
    filter_release(&filter);
}

static void there_is_an_end_to_ids_and_to_length(void **state)
{
    (void)state;
    struct filter filter;
    struct fault fault;
    char id[ID_TEXT_SIZE];
    filter_init(&filter);
    for (uint64_t i = 1; i <= FILTER_IDS_MAX; i++)
        assert_int_equal(filter_set(&filter, SLICE("id"),
                                    slice_text(id_format(i, id)), &fault),
                         RC_OK);
    assert_int_equal(filter_set(&filter, SLICE("id"),
                                slice_text(id_format(9999, id)), &fault),
                     RC_LIMIT);
    filter_release(&filter);
    static char text[FILTER_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    filter_init(&filter);
    assert_int_equal(filter_parse(&filter, slice_of(text, sizeof text), &fault),
                     RC_LIMIT);
    filter_release(&filter);
}

static void many_quoted_values_fit_beside_many_ids(void **state)
{
    (void)state;
    struct filter filter;
    struct fault fault = { .text = "" };
    struct buf text;
    struct buf canonical;
    char id[ID_TEXT_SIZE];
    buf_init(&text, FILTER_TEXT_MAX);
    buf_init(&canonical, FILTER_TEXT_MAX);
    assert_true(buf_add_text(&text, "tenant=\"a b\" route=\"b c\" "
                                    "sender=\"\" recipient=\"c d\" "
                                    "reply=\"try again\" pool=\"d e\""));
    for (uint64_t i = 1; i <= FILTER_IDS_MAX; i++)
        assert_true(buf_addf(&text, " id=%s", id_format(i, id)));
    filter_init(&filter);
    if (filter_parse(&filter, buf_slice(&text), &fault) != RC_OK)
        fail_msg("%s", fault.text);
    assert_true(filter_format(&filter, &canonical));
    assert_int_equal(canonical.len, text.len);
    filter_release(&filter);
    buf_release(&canonical);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_criterion_matches_alone),
        cmocka_unit_test(all_criteria_must_match),
        cmocka_unit_test(one_of_the_ids_is_enough),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(the_canonical_text_reads_back_to_itself),
        cmocka_unit_test(a_share_decides_only_what_all_its_jobs_have),
        cmocka_unit_test(without_the_envelope_the_others_still_decide),
        cmocka_unit_test(there_is_an_end_to_ids_and_to_length),
        cmocka_unit_test(many_quoted_values_fit_beside_many_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
