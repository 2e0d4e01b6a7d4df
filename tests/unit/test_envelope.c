/* test_envelope - an envelope comes back as it was packed, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/tlv.h"
#include "router/envelope.h"

#define ARENA_MAX (8u << 20)

/* Like SLICE, but a constant. */
#define TEXT(literal)                                                          \
    {                                                                          \
        (literal), sizeof(literal) - 1                                         \
    }

static const struct envelope_recipient recipients[] = {
    { .address = TEXT("a@example.com"), .route = TEXT("bulk"), .notify = 6 },
    { .address = TEXT("b@example.com"), .route = TEXT("bulk") },
    { .address = TEXT("c@example.net"),
      .orcpt = TEXT("rfc822;C@example.net"),
      .route = TEXT("fast") },
    { .address = TEXT("d@example.net") },
};

static const struct envelope full = {
    .id = UINT64_MAX,
    .accepted_utc_ms = 1769903999999u,
    .expires_utc_ms = 1770335999999u,
    .body_size = 5u << 30,
    .template = UINT64_MAX - 1,
    .account = TEXT("shop"),
    .tenant = TEXT("acme"),
    .stream = TEXT("bulk"),
    .declared = TEXT("fast"),
    .kind = 2,
    .reasons = TEXT("list-unsubscribe declared"),
    .mail_from = TEXT("bounce@acme.example"),
    .envid = TEXT("QQ+2B1"),
    .message_id = TEXT("<1@acme.example>\r\n\0"),
    .ret = 2,
    .body_8bit = true,
    .smtputf8 = true,
    .recipients = recipients,
    .recipient_count = ARRAY_LEN(recipients),
};

static void assert_text(struct slice found, struct slice wanted)
{
    assert_int_equal(found.len, wanted.len);
    assert_true(slice_equal(found, wanted));
}

static void assert_same(const struct envelope *found,
                        const struct envelope *wanted)
{
    assert_true(found->id == wanted->id);
    assert_true(found->accepted_utc_ms == wanted->accepted_utc_ms);
    assert_true(found->expires_utc_ms == wanted->expires_utc_ms);
    assert_true(found->body_size == wanted->body_size);
    assert_true(found->template == wanted->template);
    assert_text(found->account, wanted->account);
    assert_text(found->tenant, wanted->tenant);
    assert_text(found->stream, wanted->stream);
    assert_text(found->declared, wanted->declared);
    assert_int_equal(found->kind, wanted->kind);
    assert_text(found->reasons, wanted->reasons);
    assert_text(found->mail_from, wanted->mail_from);
    assert_text(found->envid, wanted->envid);
    assert_text(found->message_id, wanted->message_id);
    assert_int_equal(found->ret, wanted->ret);
    assert_int_equal(found->body_8bit, wanted->body_8bit);
    assert_int_equal(found->smtputf8, wanted->smtputf8);
    assert_int_equal(found->recipient_count, wanted->recipient_count);
    for (size_t i = 0; i < wanted->recipient_count; i++) {
        const struct envelope_recipient *left = &found->recipients[i];
        const struct envelope_recipient *right = &wanted->recipients[i];
        assert_text(left->address, right->address);
        assert_text(left->orcpt, right->orcpt);
        assert_text(left->route, right->route);
        assert_int_equal(left->notify, right->notify);
    }
}

static void check_round_trip(const struct envelope *wanted)
{
    struct buf buf;
    struct arena arena;
    buf_init(&buf, ENVELOPE_BYTES_MAX);
    arena_init(&arena, ARENA_MAX);
    assert_int_equal(envelope_pack(wanted, &buf), RC_OK);
    struct envelope found;
    assert_int_equal(envelope_unpack(buf_slice(&buf), &arena, &found), RC_OK);
    assert_same(&found, wanted);
    arena_release(&arena);
    buf_release(&buf);
}

static void an_envelope_comes_back(void **state)
{
    (void)state;
    const struct envelope empty = { .id = 0 };
    check_round_trip(&full);
    check_round_trip(&empty);
}

static void the_same_route_is_written_once(void **state)
{
    (void)state;
    struct envelope_recipient *many =
        mem_new(ENVELOPE_RECIPIENTS_MAX + 1, sizeof *many);
    for (size_t i = 0; i <= ENVELOPE_RECIPIENTS_MAX; i++)
        many[i] = (struct envelope_recipient){
            .address = SLICE("someone@example.com"),
            .route = SLICE("a-route-with-a-long-name"),
        };
    struct envelope envelope = {
        .recipients = many,
        .recipient_count = ENVELOPE_RECIPIENTS_MAX,
    };
    check_round_trip(&envelope);
    struct buf buf;
    buf_init(&buf, ENVELOPE_BYTES_MAX);
    assert_int_equal(envelope_pack(&envelope, &buf), RC_OK);
    assert_true(buf.len < 22 * ENVELOPE_RECIPIENTS_MAX);

    const size_t before = buf.len;
    envelope.recipient_count++;
    assert_int_equal(envelope_pack(&envelope, &buf), RC_LIMIT);
    assert_int_equal(buf.len, before);
    buf_release(&buf);
    mem_free(many);
}

static void what_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        struct buf buf;
        buf_init(&buf, max);
        if (envelope_pack(&full, &buf) == RC_LIMIT)
            assert_int_equal(buf.len, 0);
        else
            assert_true(max > 100);
        buf_release(&buf);
    }
}

static void unknown_tags_are_stepped_over(void **state)
{
    (void)state;
    struct buf buf;
    struct arena arena;
    buf_init(&buf, 1000);
    arena_init(&arena, ARENA_MAX);
    assert_true(tlv_add_number(&buf, 900, 1));
    assert_int_equal(envelope_pack(&full, &buf), RC_OK);
    assert_true(tlv_add_bytes(&buf, 901, SLICE("later")));
    struct envelope found;
    assert_int_equal(envelope_unpack(buf_slice(&buf), &arena, &found), RC_OK);
    assert_same(&found, &full);
    arena_release(&arena);
    buf_release(&buf);
}

static enum rc unpack_field(uint32_t tag, bool is_bytes, uint64_t number)
{
    struct buf buf;
    struct arena arena;
    buf_init(&buf, 1000);
    arena_init(&arena, ARENA_MAX);
    assert_true(is_bytes ? tlv_add_bytes(&buf, tag, SLICE("x"))
                         : tlv_add_number(&buf, tag, number));
    struct envelope found;
    const enum rc rc = envelope_unpack(buf_slice(&buf), &arena, &found);
    arena_release(&arena);
    buf_release(&buf);
    return rc;
}

static void fields_of_the_wrong_kind_are_refused(void **state)
{
    (void)state;
    assert_int_equal(unpack_field(1, false, 9), RC_OK);
    assert_int_equal(unpack_field(1, true, 0), RC_SYNTAX);
    assert_int_equal(unpack_field(5, false, 9), RC_SYNTAX);
    assert_int_equal(unpack_field(12, false, 256), RC_SYNTAX);
    assert_int_equal(unpack_field(13, false, 2), RC_SYNTAX);
    assert_int_equal(unpack_field(16, false, 1), RC_SYNTAX);
    assert_int_equal(unpack_field(17, true, 0), RC_SYNTAX); /* of nobody */
    assert_int_equal(unpack_field(19, false, 1), RC_SYNTAX);
}

static void an_arena_too_small_is_a_limit(void **state)
{
    (void)state;
    struct buf buf;
    struct arena arena;
    buf_init(&buf, 1000);
    arena_init(&arena, 16);
    assert_int_equal(envelope_pack(&full, &buf), RC_OK);
    struct envelope found = { .id = 4 };
    assert_int_equal(envelope_unpack(buf_slice(&buf), &arena, &found),
                     RC_LIMIT);
    assert_true(found.id == 4);
    arena_release(&arena);
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_comes_back),
        cmocka_unit_test(the_same_route_is_written_once),
        cmocka_unit_test(what_does_not_fit_leaves_nothing),
        cmocka_unit_test(unknown_tags_are_stepped_over),
        cmocka_unit_test(fields_of_the_wrong_kind_are_refused),
        cmocka_unit_test(an_arena_too_small_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
