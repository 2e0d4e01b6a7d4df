/* test_classify - mailboxes are parted; what the log tells adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "router/classify/findings.h"
#include "router/classify/mailbox.h"

static const struct {
    const char *file;
    const char *messages; /* each in brackets */
} files[] = {
    { "", "" },
    { "From a\nX: 1\n\nhi\n", "[X: 1\n\nhi\n]" },
    { "From a\nX: 1\n\nhi\n\nFrom b\nX: 2\n\nho\n",
      "[X: 1\n\nhi\n\n][X: 2\n\nho\n]" },
    { "From a\r\nX: 1\r\n\r\nFrom b\r\nX: 2\r\n", "[X: 1\r\n\r\n][X: 2\r\n]" },
    /* Behind a line that is not empty it is text. */
    { "From a\nX: 1\n\nhi\nFrom here on\n", "[X: 1\n\nhi\nFrom here on\n]" },
    { "From a\nX: 1\n\n>From here\n", "[X: 1\n\n>From here\n]" },
    { "From a", "[]" },
    { "From a\n\nFrom b\n\nFrom c\n", "[\n][\n][]" },
    { "no mailbox\n", "[no mailbox\n]" },
};

static void messages_are_parted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct cursor cursor = cursor_of(slice_text(files[i].file));
        struct slice message;
        struct buf out;
        buf_init(&out, 4096);
        while (mailbox_next(&cursor, &message)) {
            (void)buf_add_byte(&out, '[');
            (void)buf_add(&out, message);
            (void)buf_add_byte(&out, ']');
        }
        if (!slice_equal(buf_slice(&out), slice_text(files[i].messages)))
            fail_msg("%zu: %.*s", i, SLICE_ARG(buf_slice(&out)));
        buf_release(&out);
    }
}

static void findings_add_up(void **state)
{
    (void)state;
    static const struct finding found[] = {
        { "1", "app", "bulk", "", "",
          "declared-header=fast declared(+1.50:transactional) "
          "moved-down=bulk" },
        { "2", "app", "bulk", "", "", "declared-header=fast moved-down=bulk" },
        { "3", "app", "fast", "fast", "transactional", "text(+2.00:bulk)" },
        { "4", "quiet", "fast", "", "",
          "declared-rule=r1 moved-down=neutral "
          "observe-only" },
        { "5", "quiet", "general", "", "personal", "undeclared" },
        { "6", "other", "general", "", "", "" },
    };
    struct findings findings;
    findings_init(&findings);
    for (size_t i = 0; i < ARRAY_LEN(found); i++)
        findings_add(&findings, &found[i]);
    findings_add_complaint(&findings, "app");
    findings_add_complaint(&findings, "app");
    findings_sort(&findings);
    assert_int_equal(findings.count, 3);
    const struct finding_account *app = &findings.accounts[0];
    assert_string_equal(app->name, "app");
    assert_int_equal(app->count, 3);
    assert_int_equal(app->disagreed, 2);
    assert_int_equal(app->complaints, 2);
    assert_int_equal(app->row_count, 2);
    assert_string_equal(app->rows[0].declared, "fast");
    assert_string_equal(app->rows[0].kind, "bulk");
    assert_int_equal(app->rows[0].moved, 2);
    assert_int_equal(app->rows[0].would_move, 0);
    assert_string_equal(app->rows[0].examples[1], "2");
    assert_string_equal(app->rows[1].kind, "transactional");
    const struct finding_account *quiet = &findings.accounts[1];
    assert_string_equal(quiet->rows[0].declared, "rule r1");
    assert_int_equal(quiet->rows[0].moved, 0);
    assert_int_equal(quiet->rows[0].would_move, 1);
    assert_string_equal(quiet->rows[1].declared, "");
    findings_release(&findings);
}

/* More different ones than there are rows: the last takes the rest. */
static void rows_are_bounded(void **state)
{
    (void)state;
    struct findings findings;
    findings_init(&findings);
    for (unsigned i = 0; i < 3 * FINDINGS_ROWS_MAX; i++) {
        char stream[16];
        (void)snprintf(stream, sizeof stream, "s%u", i);
        const struct finding found = { "1", "app", stream, "", "", "" };
        findings_add(&findings, &found);
    }
    const struct finding_account *app = &findings.accounts[0];
    assert_int_equal(app->row_count, FINDINGS_ROWS_MAX);
    assert_int_equal(app->rows[FINDINGS_ROWS_MAX - 1].count,
                     2 * FINDINGS_ROWS_MAX + 1);
    findings_release(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_parted),
        cmocka_unit_test(findings_add_up),
        cmocka_unit_test(rows_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
