/*
 * state.c - packs and unpacks how far a message has come.
 *
 * An INDEX begins a recipient. Each other field is written only when it differs
 * from the recipient's before, and read back from there: ten thousand that wait
 * for the same site cost two bytes each.
 */
#include "router/state.h"

#include "common/base/check.h"
#include "common/proto/tlv.h"

/* On disk: never renumber. */
enum state_tag {
    TAG_INDEX = 1,
    TAG_ATTEMPTS = 2,
    TAG_NEXT = 3,
    TAG_CODE = 4,
    TAG_TEXT = 5,
    TAG_HELD = 6,
    TAG_SOURCE = 7,
    TAG_TOLD = 8,
    TAG_ROUTE = 20,
};

static void pack_recipient(struct buf *out, const struct state_recipient *at,
                           const struct state_recipient *before)
{
    const struct slice text = slice_head(at->text, STATE_TEXT_MAX);
    tlv_add_number(out, TAG_INDEX, at->index);
    if (at->attempts != before->attempts)
        tlv_add_number(out, TAG_ATTEMPTS, at->attempts);
    if (at->next_utc_ms != before->next_utc_ms)
        tlv_add_number(out, TAG_NEXT, at->next_utc_ms);
    if (at->code != before->code)
        tlv_add_number(out, TAG_CODE, at->code);
    if (!slice_equal(text, slice_head(before->text, STATE_TEXT_MAX)))
        tlv_add_bytes(out, TAG_TEXT, text);
    if (at->held != before->held)
        tlv_add_number(out, TAG_HELD, at->held);
    const struct slice source = slice_head(at->source, STATE_SOURCE_MAX);
    if (!slice_equal(source, slice_head(before->source, STATE_SOURCE_MAX)))
        tlv_add_bytes(out, TAG_SOURCE, source);
    if (at->told != before->told)
        tlv_add_number(out, TAG_TOLD, at->told);
    if (!slice_equal(at->route, before->route))
        tlv_add_bytes(out, TAG_ROUTE, slice_head(at->route, STATE_NAME_MAX));
}

enum rc state_pack(const struct state *state, struct buf *out)
{
    const size_t len = out->len;
    if (state->pending_count > ENVELOPE_RECIPIENTS_MAX)
        return RC_LIMIT;

    out->full = false;
    const struct state_recipient none = { .text = SLICE(""),
                                          .source = SLICE(""),
                                          .route = SLICE("") };
    const struct state_recipient *before = &none;
    for (size_t i = 0; i < state->pending_count; i++) {
        const struct state_recipient *at = &state->pending[i];
        CHECK(at->index < ENVELOPE_RECIPIENTS_MAX);
        CHECK(i == 0 || at->index > before->index);
        pack_recipient(out, at, before);
        before = at;
    }
    if (!out->full && out->len - len <= STATE_BYTES_MAX)
        return RC_OK;
    buf_cut(out, len);
    return RC_LIMIT;
}

static bool take_number(const struct tlv_field *field, uint64_t max,
                        uint64_t *number)
{
    *number = field->number;
    return !field->is_bytes && field->number <= max;
}

static bool take_field(const struct tlv_field *field,
                       struct state_recipient *recipient)
{
    uint64_t number = 0;
    bool good = true;
    switch (field->tag) {
    case TAG_INDEX:
        good = take_number(field, ENVELOPE_RECIPIENTS_MAX - 1, &number);
        recipient->index = (uint32_t)number;
        return good;
    case TAG_ATTEMPTS:
        good = take_number(field, UINT32_MAX, &number);
        recipient->attempts = (uint32_t)number;
        return good;
    case TAG_NEXT:
        return take_number(field, UINT64_MAX, &recipient->next_utc_ms);
    case TAG_CODE:
        good = take_number(field, UINT16_MAX, &number);
        recipient->code = (uint16_t)number;
        return good;
    case TAG_TEXT:
        recipient->text = field->bytes;
        return field->is_bytes && field->bytes.len <= STATE_TEXT_MAX;
    case TAG_HELD:
        good = take_number(field, 1, &number);
        recipient->held = number == 1;
        return good;
    case TAG_SOURCE:
        recipient->source = field->bytes;
        return field->is_bytes && field->bytes.len <= STATE_SOURCE_MAX;
    case TAG_TOLD:
        good = take_number(field, 1, &number);
        recipient->told = number == 1;
        return good;
    case TAG_ROUTE:
        recipient->route = field->bytes;
        return field->is_bytes && field->bytes.len <= STATE_NAME_MAX;
    default:
        return true; /* of a later version */
    }
}

static bool take_fields(struct slice packed, struct state_recipient *pending)
{
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    size_t count = 0;
    while (tlv_next(&cursor, &field) == RC_OK) {
        if (field.tag == TAG_INDEX) {
            const struct state_recipient none = { .text = SLICE(""),
                                                  .source = SLICE(""),
                                                  .route = SLICE("") };
            pending[count] = count > 0 ? pending[count - 1] : none;
            count++;
        }
        if (count == 0 && field.tag <= TAG_TOLD)
            return false;
        if (count == 0)
            continue; /* of a later version */
        struct state_recipient *at = &pending[count - 1];
        if (!take_field(&field, at))
            return false;
        if (field.tag == TAG_INDEX && count > 1 && at->index <= at[-1].index)
            return false;
    }
    return true;
}

enum rc state_unpack(struct slice packed, struct arena *arena,
                     struct state *state)
{
    if (packed.len > STATE_BYTES_MAX)
        return RC_LIMIT;
    size_t count = 0;
    const enum rc rc =
        tlv_count(packed, TAG_INDEX, ENVELOPE_RECIPIENTS_MAX, &count);
    if (rc != RC_OK)
        return rc;

    /* One more than needed: no recipient at all is legal, too. */
    struct state_recipient *pending =
        arena_new(arena, count + 1, sizeof *pending);
    if (!pending)
        return RC_LIMIT;
    if (!take_fields(packed, pending))
        return RC_SYNTAX;
    state->pending = pending;
    state->pending_count = count;
    return RC_OK;
}
