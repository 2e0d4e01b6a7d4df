/* test_spamword - which refusals hold something against the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/spamword.h"

static void the_message_is_called_spam(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Our system has detected an unusual rate of unsolicited mail "
        "originating from your DKIM domain",
        "Our system has detected that this message is likely unsolicited "
        "mail. To reduce the amount of spam sent to Gmail, this message has "
        "been blocked.",
        "Message rejected as spam by Content Filtering.",
        "Message contains spam or virus",
        "High probability of spam",
        "too much bulk mail",
        "JUNK!",
        "(UCE)",
        "SPAM",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!spamword_is_in(slice_text(cases[i])))
            fail_msg("%s", cases[i]);
}

static void something_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "User unknown",
        "Mailbox full",
        /* the host is, not the message */
        ("Service unavailable; Client host [192.0.2.1] blocked using "
         "bl.spamcop.example; Blocked - see spam policy"),
        "Mail from IP 2001:db8::1 was refused as spam",
        "your IP has sent too much spam",
        "listed for sending spam",
        "blacklisted as spam source",
        "Greylisted to fight spam, try again later",
        /* names */
        "see https://www.example.com/spam/faq",
        "contact no-spam@example.com",
        "spam.example.com says no",
        "antispam check failed",
        "bulkhead",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (spamword_is_in(slice_text(cases[i])))
            fail_msg("%s", cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_is_called_spam),
        cmocka_unit_test(something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
