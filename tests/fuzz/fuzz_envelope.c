/*
 * fuzz_envelope.c - any bytes unpack or are refused, as an envelope and as a
 * state; and what was unpacked packs to something that unpacks to the same.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/check.h"
#include "router/envelope.h"
#include "router/state.h"

#define ARENA_MAX (4u << 20)

static void try_envelope(struct slice bytes)
{
    struct envelope first;
    struct envelope second;
    scoped(arena_release) struct arena arena;
    scoped(buf_release) struct buf packed;
    arena_init(&arena, ARENA_MAX);
    buf_init(&packed, ENVELOPE_BYTES_MAX);
    if (envelope_unpack(bytes, &arena, &first) != RC_OK)
        return;
    CHECK(envelope_pack(&first, &packed) == RC_OK);
    CHECK(envelope_unpack(buf_slice(&packed), &arena, &second) == RC_OK);
    CHECK(first.id == second.id);
    CHECK(slice_equal(first.mail_from, second.mail_from));
    CHECK(first.recipient_count == second.recipient_count);
    for (size_t i = 0; i < first.recipient_count; i++) {
        const struct envelope_recipient *left = &first.recipients[i];
        const struct envelope_recipient *right = &second.recipients[i];
        CHECK(slice_equal(left->address, right->address));
        CHECK(slice_equal(left->orcpt, right->orcpt));
        CHECK(slice_equal(left->route, right->route));
        CHECK(left->notify == right->notify);
    }
}

static void try_state(struct slice bytes)
{
    struct state first;
    struct state second;
    scoped(arena_release) struct arena arena;
    scoped(buf_release) struct buf packed;
    arena_init(&arena, ARENA_MAX);
    buf_init(&packed, STATE_BYTES_MAX);
    if (state_unpack(bytes, &arena, &first) != RC_OK)
        return;
    CHECK(state_pack(&first, &packed) == RC_OK);
    CHECK(state_unpack(buf_slice(&packed), &arena, &second) == RC_OK);
    CHECK(first.pending_count == second.pending_count);
    for (size_t i = 0; i < first.pending_count; i++) {
        const struct state_recipient *left = &first.pending[i];
        const struct state_recipient *right = &second.pending[i];
        CHECK(left->index == right->index);
        CHECK(left->attempts == right->attempts);
        CHECK(left->next_utc_ms == right->next_utc_ms);
        CHECK(left->code == right->code);
        CHECK(slice_equal(left->text, right->text));
        CHECK(slice_equal(left->source, right->source));
        CHECK(left->told == right->told);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice bytes = slice_of((const char *)data, size);
    try_envelope(bytes);
    try_state(bytes);
    return 0;
}
