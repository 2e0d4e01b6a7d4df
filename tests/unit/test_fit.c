/* test_fit - messages as servers can take them that lack an extension. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "workers/smtp/fit.h"

#define UE     "\xc3\xbc" /* u with two dots, UTF-8 */
#define BODY   "A: b\r\n\r\nGr" UE "n, green\r\n"
#define SIGNED "DKIM-Signature: x\r\n" BODY

static const struct ehlo plain = { .size = true };
static const struct ehlo eight = { .eight_bit_mime = true };
static const struct ehlo all = { .eight_bit_mime = true, .smtputf8 = true };

struct example {
    const char *from;
    const char *to;
    const char *message;
    bool body_8bit;
    bool smtputf8;
    const struct ehlo *peer;
    enum fit_rule rule;
    /* what comes of it */
    const char *fitted_from; /* NULL: refused */
    const char *fitted_to;
    bool is_converted;
    bool fitted_8bit;
    uint16_t detail; /* of the status, when refused */
};

static void check(const struct example *example)
{
    const struct slice message = slice_text(example->message);
    const struct wire_recipient recipient = { .index = 7,
                                              .address =
                                                  slice_text(example->to) };
    const struct wire_job job = {
        .mail_from = slice_text(example->from),
        .recipients = &recipient,
        .recipient_count = 1,
        .body_8bit = example->body_8bit,
        .smtputf8 = example->smtputf8,
        .size = message.len,
    };
    const struct fit_case given = { example->peer, &job, message,
                                    example->rule };
    struct arena arena;
    struct buf text = { .max = 0 };
    struct fitted fitted;
    struct verdict why;
    arena_init(&arena, 1u << 20);
    assert_true(fit_is_needed(example->peer, &job));
    if (!fit_make(&given, &arena, &text, &fitted, &why)) {
        assert_null(example->fitted_from);
        assert_int_equal(why.class, VERDICT_FAILED);
        assert_int_equal(why.enhanced.detail, example->detail);
        assert_int_equal(text.len, 0);
    } else {
        const struct wire_job *said = &fitted.envelope;
        assert_non_null(example->fitted_from);
        assert_true(
            slice_equal(said->mail_from, slice_text(example->fitted_from)));
        assert_true(slice_equal(said->recipients[0].address,
                                slice_text(example->fitted_to)));
        assert_int_equal(said->recipients[0].index, 7);
        assert_int_equal(slice_equal(fitted.body, message),
                         !example->is_converted);
        assert_int_equal(said->size, fitted.body.len);
        assert_int_equal(said->body_8bit, example->fitted_8bit);
        assert_false(said->smtputf8 && !example->peer->smtputf8);
    }
    buf_release(&text);
    arena_release(&arena);
}

static void each_need_is_met_or_told(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "a@b", "c@d", BODY, true, false, &plain, FIT_UNSIGNED, "a@b", "c@d",
          true, false, 0 },
        { "a@b", "c@d", SIGNED, true, false, &plain, FIT_UNSIGNED, NULL, NULL,
          false, false, 3 },
        { "a@b", "c@d", SIGNED, true, false, &plain, FIT_ALWAYS, "a@b", "c@d",
          true, false, 0 },
        { "a@b", "c@d", BODY, true, false, &plain, FIT_NEVER, NULL, NULL, false,
          false, 3 },
        { "a@b", "c@d", "Date: " UE "\r\n\r\n", true, false, &plain,
          FIT_UNSIGNED, NULL, NULL, false, false, 3 },
        /* a U-label alone changes no text, whatever the rule */
        { "a@b" UE "r.de", "c@d", SIGNED, true, true, &eight, FIT_NEVER,
          "a@xn--br-xka.de", "c@d", false, true, 0 },
        { "", "c@b" UE "r.de", BODY, true, true, &plain, FIT_UNSIGNED, "",
          "c@xn--br-xka.de", true, false, 0 },
        { UE "@b", "c@d", BODY, true, true, &eight, FIT_UNSIGNED, NULL, NULL,
          false, false, 7 },
        { "a@b", UE "@d", BODY, true, true, &eight, FIT_ALWAYS, NULL, NULL,
          false, false, 7 },
        { "a@b", "\"x y\"@b" UE "r.de", BODY, true, true, &eight, FIT_UNSIGNED,
          "a@b", "\"x y\"@xn--br-xka.de", false, true, 0 },
        /* a header that needs SMTPUTF8 */
        { "a@b", "c@d", "Subject: " UE "\r\n\r\nhi\r\n", true, true, &eight,
          FIT_UNSIGNED, "a@b", "c@d", true, false, 0 },
        { "a@b", "c@d", "Subject: " UE "\r\n\r\n" UE "\r\n", true, true, &eight,
          FIT_UNSIGNED, "a@b", "c@d", true, true, 0 },
        { "a@b", "c@d", "Subject: " UE "\r\n\r\n" UE "\r\n", true, true, &plain,
          FIT_UNSIGNED, "a@b", "c@d", true, false, 0 },
        { "a@b", "c@d", "To: " UE "@d\r\n\r\nhi\r\n", true, true, &eight,
          FIT_UNSIGNED, NULL, NULL, false, false, 7 },
        { "a@b", "c@d", "Subject: " UE "\r\n" SIGNED, true, true, &eight,
          FIT_UNSIGNED, NULL, NULL, false, false, 7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        check(&examples[i]);
}

static void most_need_nothing(void **state)
{
    (void)state;
    const struct wire_job ascii = { .body_8bit = false };
    const struct wire_job full = { .body_8bit = true, .smtputf8 = true };
    assert_false(fit_is_needed(&plain, &ascii));
    assert_false(fit_is_needed(&all, &full));
    assert_true(fit_is_needed(&eight, &full));
    assert_true(fit_is_needed(&plain, &full));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_need_is_met_or_told),
        cmocka_unit_test(most_need_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
