/* test_waitword - waits as real servers write them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/waitword.h"

static void waits_of_real_servers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned seconds;
    } cases[] = {
        /* postgrey, its --greylist-text with %s */
        { "<u@b.example>: Recipient address rejected: Greylisted for 300 "
          "seconds (see http://postgrey.schweikert.ch/help/b.example.html)",
          300 },
        { "Greylisted for 299 seconds", 299 },
        { "4.2.0 Greylisted for 50 seconds. policy[Greylisting]", 50 },
        { "Recipient address rejected greylisted for 300 seconds.....", 300 },
        { "Sender address rejected: Greylisted for 60 sec.", 60 },
        /* sqlgrey */
        { "Greylisted for 5 minutes (6)", 300 },
        /* milter-greylist */
        { "Greylisting in action, please come back in 00:04:59", 299 },
        { "4.7.1 Greylisting in action, please come back in 01:00:00 (ACL 12)",
          3600 },
        { "Greylisting in Action, Please Come Back in 00:02:00 [minutes]",
          120 },
        { "Greylisting in action, please come back in 4m", 240 },
        { "Greylisting in action, please come back in 300 seconds", 300 },
        /* others, policy servers and MTAs of our day */
        { "<u@b.example>: Recipient address rejected: Greylisted, try again "
          "in 500 seconds",
          500 },
        { "Greylisted, try again in 60s", 60 },
        { "Message was greylisted, try again in 4 minutes 58 seconds; see "
          "https://b.example/faq for more information",
          298 },
        { "Deferred: come back in 2 hours", 7200 },
        { "Please retry in 120 seconds", 120 },
        { "Greylisting in effect, please retry in 300 seconds", 300 },
        { "temporarily deferred, please wait at least 15 minutes", 900 },
        { "you have been grey-listed for 10 minutes.", 600 },
        { "GRAYLISTED FOR 1 HOUR", 3600 },
        { "Too many sessions. Please try again after 30 min.", 1800 },
        { "temporary failure; Retry-After: 300s", 300 },
        { "retry after 00:05:00", 300 },
        { "Try again in about 1h30m", 5400 },
        { "Please try again in 1 hour and 5 minutes", 3900 },
        { "Please try again later (in 90 seconds)", 90 },
        { "delivery is delayed for 0:10:00", 600 },
        { "Please retry your message in 5 minute(s).", 300 },
        { "Message delayed. Wait 60 seconds before the next attempt", 60 },
        { "mail from 192.0.2.1 deferred for another 2 days", 172800 },
        { "try again in x minutes, that is: try again in 7 minutes", 420 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms = 0;
        if (!waitword_find(slice_text(cases[i].text), &ms)
            || ms != cases[i].seconds * 1000u)
            fail_msg("%llu ms: %s", (unsigned long long)ms, cases[i].text);
    }
}

static void other_texts_name_no_wait(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "try again later",
        "Greylisting in action, please come back later",
        "Greylisted, see http://postgrey.schweikert.ch/help/300s.html",
        "Greylisted, please try again in a few moments.",
        "4.7.500 Server busy. Please try again later from [192.0.2.10]. "
        "(S77719)",
        "4.7.650 The mail server [192.0.2.10] has been temporarily rate "
        "limited "
        "due to IP reputation. (S775)",
        "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to "
        "unexpected volume or user complaints - 4.16.55.1",
        "Our system has detected an unusual rate, try again later",
        "more than 5 messages per 60 seconds",
        "You may send 5 messages in 60 seconds, try again later",
        "Try again later. Limit: 100 messages in 10 minutes",
        "try again later, after 5 failures in 60 seconds",
        "wait 60 seconds between messages",
        "rate limit exceeded: wait 5 minutes per connection",
        "greylisted for sending 5 messages in 60 seconds",
        "last seen greylisted for 5 minutes ago",
        "connection timed out after 300 seconds",
        "retry timeout exceeded after 5 days",
        "Retry time not reached for any host",
        "message delayed 2 hours",
        "your IP is listed for 3 days at bl.example",
        "try again in 300",
        "try again in 0 seconds",
        "try again in 00:00:00",
        "try again after 12:05",
        "retry after 12:05:00 UTC",
        "retry after 11:05:00 pm",
        "try again at 12:05:00",
        "try again in 5.5 minutes",
        "try again in -5 minutes",
        "try again in 5 fortnights",
        "try again in 99999999999999999999 seconds",
        "try again in 8 days",
        "try again. In 5 minutes the daily report is sent",
        "see http://b.example/retry/in/5m",
        "wait",
        "greylisted for",
        "try again in",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint64_t ms = 12345;
        if (waitword_find(slice_text(texts[i]), &ms))
            fail_msg("%llu ms: %s", (unsigned long long)ms, texts[i]);
        assert_int_equal(ms, 12345);
    }
}

static void greylisting_is_known_by_its_name(void **state)
{
    (void)state;
    static const char *const grey[] = {
        "Greylisted",
        "4.7.1 GRAYLISTING in effect",
        "you are grey-listed",
        "message has been grey listed",
    };
    static const char *const other[] = { "", "grey", "try again later",
                                         "listed at bl.example" };
    for (size_t i = 0; i < ARRAY_LEN(grey); i++)
        assert_true(waitword_is_greylisting(slice_text(grey[i])));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        assert_false(waitword_is_greylisting(slice_text(other[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_of_real_servers_are_read),
        cmocka_unit_test(other_texts_name_no_wait),
        cmocka_unit_test(greylisting_is_known_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
