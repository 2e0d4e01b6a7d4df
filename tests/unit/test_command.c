/* test_command - command lines of clients, and what a bad one is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/command.h"

static void verbs_are_known_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum command_verb verb;
        const char *argument;
    } cases[] = {
        { "EHLO client.example", COMMAND_EHLO, "client.example" },
        { "mail FROM:<a@b>", COMMAND_MAIL, "FROM:<a@b>" },
        { "Quit  ", COMMAND_QUIT, "" },
        { "AUTH\tPLAIN =", COMMAND_AUTH, "PLAIN =" },
        { "starttls", COMMAND_STARTTLS, "" },
        { "BDAT 10 LAST", COMMAND_BDAT, "10 LAST" },
        { "QUITX", COMMAND_UNKNOWN, "" },
        { "QUI", COMMAND_UNKNOWN, "" },
        { "QUIT1", COMMAND_UNKNOWN, "1" },
        { " QUIT", COMMAND_UNKNOWN, "QUIT" },
        { "", COMMAND_UNKNOWN, "" },
        { "NOOP \x01", COMMAND_UNKNOWN, "\x01" },
        { "NOOP\rQUIT", COMMAND_UNKNOWN, "QUIT" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct command command;
        command_read(slice_text(cases[i].line), &command);
        assert_int_equal(command.verb, cases[i].verb);
        assert_true(
            slice_equal(command.argument, slice_text(cases[i].argument)));
    }
    assert_string_equal(command_name(COMMAND_STARTTLS), "STARTTLS");
}

static struct mail_command mail_of(const char *argument)
{
    struct mail_command mail;
    struct refusal refusal;
    assert_int_equal(command_read_mail(slice_text(argument), &mail, &refusal),
                     RC_OK);
    return mail;
}

static void mail_parameters_are_read(void **state)
{
    (void)state;
    struct mail_command mail =
        mail_of("from: <a@b>  size=18446744073709551615 Body=8BitMime "
                "SMTPUTF8 RET=hdrs ENVID=QQ+2B1 AUTH=<> ");
    assert_true(slice_equal(mail.from.whole, SLICE("a@b")));
    assert_true(mail.has_size && mail.size == UINT64_MAX);
    assert_int_equal(mail.body, COMMAND_BODY_8BITMIME);
    assert_true(mail.smtputf8 && mail.has_auth);
    assert_int_equal(mail.ret, RET_HDRS);
    assert_true(slice_equal(mail.envid, SLICE("QQ+2B1")));
    mail = mail_of("FROM:<>");
    assert_true(mail.from.is_null && !mail.has_size && mail.ret == 0);
    assert_true(mail_of("FROM:<\xc3\xbc@b> SMTPUTF8").from.needs_utf8);
}

static void rcpt_parameters_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        uint8_t notify;
        const char *orcpt;
    } cases[] = {
        { "TO:<a@b>", 0, "" },
        { "TO:<a@b> NOTIFY=never", NOTIFY_NEVER, "" },
        { "TO:<a@b> notify=SUCCESS,failure,DELAY",
          NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY, "" },
        { "TO:<a@b> ORCPT=rfc822;x+2By@z NOTIFY=DELAY", NOTIFY_DELAY,
          "rfc822;x+2By@z" },
        { "TO:<a@b> ORCPT=utf-8;\xc3\xbc@z", 0, "utf-8;\xc3\xbc@z" },
        { "TO:<postmaster>", 0, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rcpt_command rcpt;
        struct refusal refusal;
        assert_int_equal(command_read_rcpt(slice_text(cases[i].argument), true,
                                           &rcpt, &refusal),
                         RC_OK);
        assert_int_equal(rcpt.notify, cases[i].notify);
        assert_true(slice_equal(rcpt.orcpt, slice_text(cases[i].orcpt)));
    }
}

struct bad {
    const char *argument;
    uint16_t code;
    uint16_t subject;
    uint16_t detail;
};

static void assert_refused(const struct bad *bad, const struct refusal *refusal)
{
    assert_int_equal(refusal->code, bad->code);
    assert_int_equal(refusal->enhanced.class, 5);
    assert_int_equal(refusal->enhanced.subject, bad->subject);
    assert_int_equal(refusal->enhanced.detail, bad->detail);
    assert_true(strlen(refusal->text) > 0);
}

static void a_bad_mail_gets_its_answer(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        { "", 501, 5, 4 },
        { "<a@b>", 501, 5, 4 },
        { "TO:<a@b>", 501, 5, 4 },
        { "FROM:a@b", 501, 1, 7 },
        { "FROM:<a@b", 501, 1, 7 },
        { "FROM:<a@b>SIZE=1", 501, 5, 4 },
        { "FROM:<a@b> SIZE=", 501, 5, 4 },
        { "FROM:<a@b> SIZE", 501, 5, 4 },
        { "FROM:<a@b> SIZE=-1", 501, 5, 4 },
        { "FROM:<a@b> SIZE=18446744073709551616", 501, 5, 4 },
        { "FROM:<a@b> SIZE=1 SIZE=1", 501, 5, 4 },
        { "FROM:<a@b> SIZE=1=2", 501, 5, 4 },
        { "FROM:<a@b> =1", 501, 5, 4 },
        { "FROM:<a@b> BODY=BINARYMIME", 501, 5, 4 },
        { "FROM:<a@b> SMTPUTF8=yes", 501, 5, 4 },
        { "FROM:<a@b> SMTPUTF8=", 501, 5, 4 },
        { "FROM:<a@b> RET=ALL", 501, 5, 4 },
        { "FROM:<a@b> ENVID=a+2", 501, 5, 4 },
        { "FROM:<a@b> ENVID=", 501, 5, 4 },
        { "FROM:<a@b> AUTH=a\xc3\xbc", 501, 5, 4 },
        { "FROM:<a@b> NOTIFY=NEVER", 555, 5, 4 },
        { "FROM:<a@b> FOO", 555, 5, 4 },
        { "FROM:<\xc3\xbc@b>", 553, 6, 7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mail_command mail = { .size = 7 };
        struct refusal refusal = { 0 };
        assert_int_equal(
            command_read_mail(slice_text(cases[i].argument), &mail, &refusal),
            RC_SYNTAX);
        assert_refused(&cases[i], &refusal);
        assert_int_equal(mail.size, 7);
    }
}

static void a_bad_rcpt_gets_its_answer(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        { "FROM:<a@b>", 501, 5, 4 },
        { "TO:<>", 501, 1, 3 },
        { "TO:<a@b_c>", 501, 1, 3 },
        { "TO:<a@b> NOTIFY=", 501, 5, 4 },
        { "TO:<a@b> NOTIFY=NEVER,DELAY", 501, 5, 4 },
        { "TO:<a@b> NOTIFY=DELAY,", 501, 5, 4 },
        { "TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", 501, 5, 4 },
        { "TO:<a@b> ORCPT=rfc822", 501, 5, 4 },
        { "TO:<a@b> ORCPT=;x", 501, 5, 4 },
        { "TO:<a@b> ORCPT=rfc822;", 501, 5, 4 },
        { "TO:<a@b> ORCPT=rfc822;a+4", 501, 5, 4 },
        { "TO:<a@b> ORCPT=rfc822;\xc3\xbc", 501, 5, 4 },
        { "TO:<a@b> SIZE=1", 555, 5, 4 },
        { "TO:<a@b> ORCPT=utf-8;\xc3\xbc", 553, 6, 7 },
        { "TO:<\xc3\xbc@b>", 553, 6, 7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rcpt_command rcpt;
        struct refusal refusal = { 0 };
        assert_int_equal(command_read_rcpt(slice_text(cases[i].argument), false,
                                           &rcpt, &refusal),
                         RC_SYNTAX);
        assert_refused(&cases[i], &refusal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_are_known_in_any_case),
        cmocka_unit_test(mail_parameters_are_read),
        cmocka_unit_test(rcpt_parameters_are_read),
        cmocka_unit_test(a_bad_mail_gets_its_answer),
        cmocka_unit_test(a_bad_rcpt_gets_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
