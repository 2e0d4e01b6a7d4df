/* test_undisclosed - whether a message says whom it is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/undisclosed.h"
#include "common/base/attr.h"

struct row {
    const char *header;
    bool of_one; /* recipient */
    bool of_two;
};

static const struct row rows[] = {
    { "To: Anna <anna@b.test>\r\n", false, false },
    { "TO:anna@b.test\r\n", false, false },
    { "Subject: x\r\nCc: anna@b.test\r\n", false, false },
    { "To: undisclosed-recipients:;\r\nCc: anna@b.test\r\n", false, false },
    { "To: Team:\r\n anna@b.test, tom@b.test;\r\n", false, false },
    { "To: Anna [Sales] <anna@b.test>\r\n", false, false },
    { "To: undisclosed-recipients:;\r\n", true, true },
    { "To: Undisclosed recipients: ;\r\n", true, true },
    { "To: \"Our customers\" :\r\n ;\r\n", true, true },
    { "To: undisclosed recipients\r\n", true, true },
    { "To:\r\n", true, true },
    { "Cc: friends:;\r\n", true, true },
    { "To: root\r\n", false, true },
    { "To: Anna Doe\r\n", false, true },
    { "Subject: x\r\n", false, true },
    { "Bcc: anna@b.test\r\n", false, true },
    { "Reply-To: anna@b.test\r\nX-To: anna@b.test\r\n", false, true },
    { "no field\r\nTo: anna@b.test\r\n", false, true },
    { "", false, true },
};

static void a_message_names_its_recipients_or_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct slice header = slice_text(rows[i].header);
        if (undisclosed(header, 1) != rows[i].of_one
            || undisclosed(header, 2) != rows[i].of_two)
            fail_msg("%s", rows[i].header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_names_its_recipients_or_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
