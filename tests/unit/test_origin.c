/* test_origin - the field by which a message of ours is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "router/origin.h"

static struct conf_account accounts[] = {
    { .name = "app" },
    { .name = "news" },
};

static struct conf conf_with(const char *key)
{
    return (struct conf){
        .accounts = accounts,
        .account_count = ARRAY_LEN(accounts),
        .classifier = { .feedback = { .key = key } },
    };
}

static const struct origin sent = { .id = UINT64_C(0x0123456789abcd),
                                    .template = UINT64_MAX,
                                    .recipients = UINT32_MAX };

static enum rc find(const struct conf *conf, const char *header,
                    struct origin *origin, const struct conf_account **account)
{
    return origin_find(conf, slice_text(header), origin, account);
}

/* A header whose field has this value; in a buffer of the test's own. */
static const char *header_of(const char *value)
{
    static char header[512];
    (void)snprintf(header, sizeof header,
                   "Received: from x\r\n%s: %s\r\nSubject: x\r\n", ORIGIN_FIELD,
                   value);
    return header;
}

static void what_was_written_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        const struct conf conf = conf_with(i == 0 ? NULL : "0123456789abcdef");
        const struct conf_account *account = NULL;
        struct origin found;
        char text[ORIGIN_TEXT_SIZE];
        (void)origin_format(&conf, &accounts[i], &sent, text);
        assert_int_equal(find(&conf, header_of(text), &found, &account), RC_OK);
        assert_ptr_equal(account, &accounts[i]);
        assert_int_equal(found.id, sent.id);
        assert_int_equal(found.template, sent.template);
        assert_int_equal(found.recipients, sent.recipients);
    }
}

/* A Bcc is nobody's business. */
static void no_reader_sees_how_many_there_were(void **state)
{
    (void)state;
    const struct conf conf = conf_with("0123456789abcdef");
    size_t len = 0;
    for (uint32_t count = 1; count <= 1000; count *= 10) {
        const struct origin origin = { .id = count, .recipients = count };
        char number[16];
        char text[ORIGIN_TEXT_SIZE];
        (void)snprintf(number, sizeof number, " %u ", (unsigned)count);
        (void)origin_format(&conf, &accounts[0], &origin, text);
        assert_null(strstr(text, number));
        assert_true(len == 0 || strlen(text) == len);
        len = strlen(text);
    }
}

/* It may be folded, and others' fields may stand above it. */
static void it_survives_its_way(void **state)
{
    (void)state;
    const struct conf conf = conf_with("0123456789abcdef");
    const struct conf conf_of_others = conf_with("fedcba9876543210");
    const struct conf_account *account = NULL;
    struct origin found;
    char ours[ORIGIN_TEXT_SIZE];
    char theirs[ORIGIN_TEXT_SIZE];
    char header[512];
    (void)origin_format(&conf, &accounts[1], &sent, ours);
    (void)origin_format(&conf_of_others, &accounts[0], &sent, theirs);
    (void)snprintf(header, sizeof header,
                   "%s: %s\r\nx-sendyard-origin: %.14s\r\n\t%s\r\n",
                   ORIGIN_FIELD, theirs, ours, ours + 14);
    assert_int_equal(find(&conf, header, &found, &account), RC_OK);
    assert_ptr_equal(account, &accounts[1]);
}

/* Each byte that is another one breaks the seal. */
static void what_was_changed_is_not_ours(void **state)
{
    (void)state;
    const struct conf conf = conf_with("0123456789abcdef");
    const struct conf other = conf_with("0123456789abcdeg");
    const struct conf_account *account = NULL;
    struct origin found = { .id = 7 };
    char text[ORIGIN_TEXT_SIZE];
    const char *written = origin_format(&conf, &accounts[0], &sent, text);
    assert_int_equal(find(&other, header_of(written), &found, &account),
                     RC_NONE);
    for (char *at = text; *at; at++) {
        const char was = *at;
        *at = (char)(was == '7' ? '8' : '7');
        assert_int_equal(find(&conf, header_of(text), &found, &account),
                         RC_NONE);
        *at = was;
    }
    assert_null(account);
    assert_int_equal(found.id, 7);
}

static void no_field_is_no_origin(void **state)
{
    static const char *const values[] = {
        "",
        "1",
        "000938nkrkayd",
        "000938nkrkayd 000938nkrkayd",
        "000938nkrkayd 000938nkrkayd 000938nkrkayd",
        "000938nkrkayd 000938nkrkayd 1 000938nkrkayd",
        "000938nkrkayd 000938nkrkayd 000938nkrkayd 000938nkrkayd",
        "000938nkrkayd 000938nkrkayd 000938nkrkayd 000938nkrkayd x",
    };
    (void)state;
    const struct conf conf = conf_with(NULL);
    const struct conf_account *account;
    struct origin found;
    assert_int_equal(find(&conf, "", &found, &account), RC_NONE);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_int_equal(find(&conf, header_of(values[i]), &found, &account),
                         RC_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_found),
        cmocka_unit_test(no_reader_sees_how_many_there_were),
        cmocka_unit_test(it_survives_its_way),
        cmocka_unit_test(what_was_changed_is_not_ours),
        cmocka_unit_test(no_field_is_no_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
