/* test_state - a state comes back as it was packed, and stays small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/tlv.h"
#include "router/state.h"

#define ARENA_MAX (8u << 20)

static void check_round_trip(const struct state *wanted)
{
    struct buf buf;
    struct arena arena;
    buf_init(&buf, STATE_BYTES_MAX);
    arena_init(&arena, ARENA_MAX);
    assert_int_equal(state_pack(wanted, &buf), RC_OK);
    struct state found;
    assert_int_equal(state_unpack(buf_slice(&buf), &arena, &found), RC_OK);
    assert_int_equal(found.pending_count, wanted->pending_count);
    for (size_t i = 0; i < wanted->pending_count; i++) {
        const struct state_recipient *left = &found.pending[i];
        const struct state_recipient *right = &wanted->pending[i];
        assert_int_equal(left->index, right->index);
        assert_int_equal(left->attempts, right->attempts);
        assert_true(left->next_utc_ms == right->next_utc_ms);
        assert_int_equal(left->code, right->code);
        assert_int_equal(left->held, right->held);
        assert_int_equal(left->told, right->told);
        assert_true(slice_equal(left->source,
                                slice_head(right->source, STATE_SOURCE_MAX)));
        assert_true(
            slice_equal(left->text, slice_head(right->text, STATE_TEXT_MAX)));
        assert_true(slice_equal(left->route, right->route));
    }
    arena_release(&arena);
    buf_release(&buf);
}

static void a_state_comes_back(void **state)
{
    (void)state;
    char text[STATE_TEXT_MAX + 50];
    memset(text, 'x', sizeof text);
    const struct state_recipient pending[] = {
        { .index = 0 },
        { .index = 3,
          .attempts = UINT32_MAX,
          .next_utc_ms = UINT64_MAX,
          .code = 451,
          .text = SLICE("4.7.1 greylisted \xc3\xa4"),
          .source = SLICE("mail-1"),
          .told = true },
        { .index = 4,
          .attempts = 1,
          .held = true,
          .route = SLICE("slow"),
          .code = 451,
          .text = SLICE("4.7.1 greylisted \xc3\xa4") },
        { .index = 5 },
        { .index = 6, .source = slice_of(text, sizeof text), .told = true },
        { .index = 9999,
          .code = UINT16_MAX,
          .text = slice_of(text, sizeof text) },
    };
    const struct state full = { .pending = pending,
                                .pending_count = ARRAY_LEN(pending) };
    const struct state nobody = { .pending_count = 0 };
    check_round_trip(&full);
    check_round_trip(&nobody);
}

static void recipients_in_the_same_state_are_cheap(void **state)
{
    (void)state;
    struct state_recipient *pending =
        mem_new(ENVELOPE_RECIPIENTS_MAX, sizeof *pending);
    for (uint32_t i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++)
        pending[i] = (struct state_recipient){
            .index = i,
            .attempts = 4,
            .next_utc_ms = 1769903999999u,
            .code = 421,
            .text = SLICE("4.7.0 try again later"),
        };
    const struct state all = { .pending = pending,
                               .pending_count = ENVELOPE_RECIPIENTS_MAX };
    check_round_trip(&all);
    struct buf buf;
    buf_init(&buf, STATE_BYTES_MAX);
    assert_int_equal(state_pack(&all, &buf), RC_OK);
    assert_true(buf.len < 3 * ENVELOPE_RECIPIENTS_MAX + 64);
    buf_release(&buf);

    buf_init(&buf, 100);
    assert_int_equal(state_pack(&all, &buf), RC_LIMIT);
    assert_int_equal(buf.len, 0);
    buf_release(&buf);
    mem_free(pending);
}

struct field {
    uint32_t tag;
    uint64_t number;
};

static enum rc unpack_fields(const struct field *fields, size_t count)
{
    struct buf buf;
    struct arena arena;
    buf_init(&buf, 1000);
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(tlv_add_number(&buf, fields[i].tag, fields[i].number));
    struct state found;
    const enum rc rc = state_unpack(buf_slice(&buf), &arena, &found);
    arena_release(&arena);
    buf_release(&buf);
    return rc;
}

static void what_is_no_state_is_refused(void **state)
{
    (void)state;
    const struct field good[] = { { 77, 1 }, { 1, 4 }, { 2, 1 }, { 1, 5 } };
    const struct field twice[] = { { 1, 4 }, { 1, 4 } };
    const struct field falling[] = { { 1, 4 }, { 1, 3 } };
    const struct field of_nobody[] = { { 2, 1 } };
    const struct field too_high[] = { { 1, ENVELOPE_RECIPIENTS_MAX } };
    const struct field long_code[] = { { 1, 1 }, { 4, 65536 } };
    const struct field text_number[] = { { 1, 1 }, { 5, 1 } };
    assert_int_equal(unpack_fields(good, 4), RC_OK);
    assert_int_equal(unpack_fields(twice, 2), RC_SYNTAX);
    assert_int_equal(unpack_fields(falling, 2), RC_SYNTAX);
    assert_int_equal(unpack_fields(of_nobody, 1), RC_SYNTAX);
    assert_int_equal(unpack_fields(too_high, 1), RC_SYNTAX);
    assert_int_equal(unpack_fields(long_code, 2), RC_SYNTAX);
    assert_int_equal(unpack_fields(text_number, 2), RC_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back),
        cmocka_unit_test(recipients_in_the_same_state_are_cheap),
        cmocka_unit_test(what_is_no_state_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
