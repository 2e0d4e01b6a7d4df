/* test_base - slices, cursors, buffers, arenas and lists keep their contracts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/glob.h"
#include "common/base/list.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/base/time.h"

static void slices_are_searched_and_trimmed(void **state)
{
    (void)state;
    struct slice s = SLICE("  Mail From \r\n");
    assert_int_equal(slice_trim(s).len, 9);
    assert_int_equal(slice_find(s, 'F'), 7);
    assert_int_equal(slice_find(s, 'z'), s.len);
    assert_int_equal(slice_find_nocase(s, SLICE("fROM")), 7);
    assert_true(slice_starts_nocase(slice_trim(s), SLICE("MAIL")));
    assert_false(slice_ends_nocase(s, SLICE("a much longer text than that")));
    assert_true(slice_compare(SLICE("ab"), SLICE("abc")) < 0);
    assert_true(slice_equal(slice_text(NULL), SLICE("")));
}

static void globs_match_any_run(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        { "", "", true },
        { "*", "", true },
        { "", "a", false },
        { "a*b", "ab", true },
        { "a*b*c", "aXbXbc", true },
        { "a*b*c", "aXbXb", false },
        { "*.x", "a.X", true },
        { "*.x", "ax", false },
        { "**a", "bba", true },
        { "promo*", "Promotion", true },
        { "a", "b", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(
            glob_match(slice_text(cases[i].pattern), slice_text(cases[i].text)),
            cases[i].matches);
}

static void numbers_stop_at_their_maximum(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(slice_number(SLICE("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    n = 7;
    assert_false(slice_number(SLICE("18446744073709551616"), UINT64_MAX, &n));
    assert_false(slice_number(SLICE("256"), 255, &n));
    assert_false(slice_number(SLICE("9"), 5, &n));
    assert_false(slice_number(SLICE(""), 5, &n));
    assert_false(slice_number(SLICE("+1"), 5, &n));
    assert_false(slice_number(SLICE("1 "), 5, &n));
    assert_true(n == 7);
}

static void a_cursor_stays_when_it_finds_nothing(void **state)
{
    (void)state;
    struct cursor cursor = cursor_of(SLICE("SIZE=42 X"));
    struct slice part;
    assert_false(cursor_word(&cursor, SLICE("BODY")));
    assert_false(cursor_until(&cursor, ';', &part));
    assert_true(cursor_until(&cursor, '=', &part));
    assert_int_equal(part.len, 4);
    uint64_t n = 0;
    assert_true(cursor_number(&cursor, 100, &n));
    assert_int_equal(n, 42);
    cursor_blanks(&cursor);
    assert_true(cursor_byte(&cursor, 'X'));
    assert_true(cursor_done(&cursor));
}

static void a_buffer_refuses_what_is_over_its_cap(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 300);
    for (int i = 0; i < 100; i++)
        assert_true(buf_add(&buf, SLICE("abc")));
    assert_false(buf_add_byte(&buf, 'x'));
    assert_true(buf.full);
    assert_int_equal(buf.len, 300);
    buf_take(&buf, 297);
    assert_true(buf_addf(&buf, "%d", 12345));
    assert_true(slice_equal(buf_slice(&buf), SLICE("abc12345")));
    size_t len = 0;
    char *text = buf_steal(&buf, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(text, "abc12345", 8);
    buf_release(&buf);
    buf.ptr = text;
    buf_release(&buf);
}

/* Also of a buffer that is full, or has no memory yet; the cap stays. */
static void what_is_behind_a_buffer_can_be_read(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 300);
    buf_pad(&buf, 64);
    assert_non_null(buf_slice(&buf).ptr);
    for (int i = 0; i < 100; i++)
        assert_true(buf_add(&buf, SLICE("abc")));
    buf_take(&buf, 3);
    assert_true(buf_add(&buf, SLICE("def")));
    buf_pad(&buf, 1000);
    memset(buf.ptr + buf.start + buf.len, 'x', 1000);
    assert_int_equal(buf.len, 300);
    assert_memory_equal(buf.ptr + buf.start + 294, "abcdef", 6);
    assert_false(buf_add_byte(&buf, 'x'));
    buf_release(&buf);
}

static void an_arena_hands_out_at_most_its_cap(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 10000);
    assert_non_null(arena_new(&arena, 1, 9000));
    assert_null(arena_new(&arena, 1, 2000));
    assert_null(arena_new(&arena, SIZE_MAX, 2));
    assert_string_equal(arena_text(&arena, SLICE("abc")), "abc");
    arena_clear(&arena);
    const char *zeroed = arena_new(&arena, 1, 5000);
    assert_non_null(zeroed);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(zeroed[i], 0);
    arena_release(&arena);
}

static void a_list_keeps_its_order(void **state)
{
    (void)state;
    struct list head;
    struct list links[3];
    list_init(&head);
    for (int i = 0; i < 3; i++)
        list_push_back(&head, &links[i]);
    list_remove(&links[1]);
    list_remove(&links[1]);
    list_push_front(&head, &links[1]);
    int seen = 0;
    list_each (at, &head) {
        list_remove(at);
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_null(list_take(&head));
}

static void dates_are_written_in_utc(void **state)
{
    (void)state;
    char iso[TIME_RFC3339_SIZE];
    time_rfc3339(1769903999999u, iso);
    assert_string_equal(iso, "2026-01-31T23:59:59.999Z");
    char mail[TIME_RFC5322_SIZE];
    time_rfc5322(1769903999999u, mail);
    assert_string_equal(mail, "Sat, 31 Jan 2026 23:59:59 +0000");
}

static void a_fault_keeps_its_reason(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(fault_set(&fault, RC_IO, 2, "open %s", "x"), RC_IO);
    assert_string_equal(fault.text, "open x: No such file or directory");
    assert_string_equal(rc_name(RC_TIMEOUT), "timeout");
    assert_int_equal(fault_set(NULL, RC_LIMIT, 0, "none"), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_searched_and_trimmed),
        cmocka_unit_test(globs_match_any_run),
        cmocka_unit_test(numbers_stop_at_their_maximum),
        cmocka_unit_test(a_cursor_stays_when_it_finds_nothing),
        cmocka_unit_test(a_buffer_refuses_what_is_over_its_cap),
        cmocka_unit_test(what_is_behind_a_buffer_can_be_read),
        cmocka_unit_test(an_arena_hands_out_at_most_its_cap),
        cmocka_unit_test(a_list_keeps_its_order),
        cmocka_unit_test(dates_are_written_in_utc),
        cmocka_unit_test(a_fault_keeps_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
