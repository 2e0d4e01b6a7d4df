/* test_tap - the dialogue as lines: nothing secret, no text of a message. */
#include "workers/smtp/tap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

#define SEEN_MAX 8192u

static void note(void *context, enum tap_kind kind, struct slice line)
{
    static const char signs[] = {
        [TAP_NOTE] = '-', [TAP_SAID] = '>', [TAP_HEARD] = '<'
    };
    assert_true(line.len <= TAP_LINE_MAX + 20);
    (void)buf_add_byte(context, signs[kind]);
    (void)buf_add(context, line);
    (void)buf_add_byte(context, '|');
}

struct act {
    bool is_ours;
    const char *bytes;
};

struct scene {
    struct act acts[8];
    const char *seen;
};

static void feed(struct tap *tap, bool is_ours, struct slice bytes)
{
    if (is_ours)
        tap_said(tap, bytes);
    else
        tap_heard(tap, bytes);
}

static void assert_scene(const struct scene *scene, size_t step)
{
    struct tap tap;
    scoped(buf_release) struct buf seen;
    buf_init(&seen, SEEN_MAX);
    tap_init(&tap, note, &seen);
    for (size_t i = 0; scene->acts[i].bytes; i++) {
        struct slice bytes = slice_text(scene->acts[i].bytes);
        for (; bytes.len > 0; bytes = slice_from(bytes, step))
            feed(&tap, scene->acts[i].is_ours, slice_head(bytes, step));
    }
    (void)buf_add_byte(&seen, '\0');
    assert_string_equal(buf_slice(&seen).ptr, scene->seen);
}

/* However the bytes come. */
static void play(const struct scene *scenes, size_t count)
{
    static const size_t steps[] = { 1, 2, 3, 7, 1000 };
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < ARRAY_LEN(steps); j++)
            assert_scene(&scenes[i], steps[j]);
}

static void lines_of_both_sides_are_shown(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { { { false, "220 mx\r\n" },
            { true, "EHLO a\r\n" },
            { false, "250-mx\r\n250 SIZE\r\n" },
            { true, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n" } },
          "<220 mx|>EHLO a|<250-mx|<250 SIZE|>MAIL FROM:<a@b>|>RCPT "
          "TO:<c@d>|" },
        { { { false, "220 \033[2Jbell\a\n" } }, "<220 ?[2Jbell?|" },
        { { { false, "half a line" } }, "" },
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void texts_are_counted_and_not_shown(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { { { true, "DATA\r\n" },
            { false, "354 go\r\n" },
            { true, "Subject: x\r\n\r\nsecret\r\n..\r\n.\r\nMAIL\r\n" },
            { false, "250 ok\r\n" } },
          ">DATA|<354 go|>... 26 bytes|>.|>MAIL|<250 ok|" },
        { { { true, "DATA\r\n" },
            { false, "354 go\r\n" },
            { true, ".\r\nQUIT\r\n" } },
          ">DATA|<354 go|>... 0 bytes|>.|>QUIT|" },
        { { { true, "DATA\r\n" },
            { false, "354 go\r\n" },
            { true, "a\n.\n\r\r\n.\r\r\n.x\r\n.\r\n" } },
          ">DATA|<354 go|>... 15 bytes|>.|" },
        { { { true, "DATA\r\n" },
            { false, "550 no\r\n" },
            { true, "RSET\r\n" } },
          ">DATA|<550 no|>RSET|" },
        { { { true, "BDAT 6\r\nse\r\ncrBDAT 5 LAST\r\neret\nRSET\r\n" } },
          ">BDAT 6|>... 6 bytes|>BDAT 5 LAST|>... 5 bytes|>RSET|" },
        { { { true, "BDAT 0 LAST\r\nQUIT\r\n" } }, ">BDAT 0 LAST|>QUIT|" },
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void secrets_are_hidden(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { { { true, "AUTH PLAIN AGZvbwBiYXI=\r\n" } },
          ">AUTH PLAIN (hidden)|" },
        { { { true, "auth login\r\n" },
            { false, "334 VXNlcm5hbWU6\r\n" },
            { true, "Zm9v\r\n" },
            { false, "334 UGFzc3dvcmQ6\r\n" },
            { true, "YmFy\r\n" },
            { false, "235 ok\r\n" },
            { true, "MAIL\r\n" } },
          ">auth login|<334 VXNlcm5hbWU6|>(hidden)|<334 UGFzc3dvcmQ6|>"
          "(hidden)|<235 ok|>MAIL|" },
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    struct tap tap;
    scoped(buf_release) struct buf seen;
    buf_init(&seen, SEEN_MAX);
    tap_init(&tap, note, &seen);
    for (unsigned i = 0; i < 2 * TAP_LINE_MAX; i++)
        tap_heard(&tap, SLICE("x"));
    tap_heard(&tap, SLICE("\r\n"));
    assert_int_equal(seen.len, TAP_LINE_MAX + 2);
    tap_said(&tap, SLICE("AUTH "));
    for (unsigned i = 0; i < 2 * TAP_LINE_MAX; i++)
        tap_said(&tap, SLICE("y"));
    tap_said(&tap, SLICE("\n"));
    assert_int_equal(seen.len, 2 * (TAP_LINE_MAX + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_both_sides_are_shown),
        cmocka_unit_test(texts_are_counted_and_not_shown),
        cmocka_unit_test(secrets_are_hidden),
        cmocka_unit_test(long_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
