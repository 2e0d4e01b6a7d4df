/*
 * envelope.c - packs and unpacks what we know of one message.
 *
 * Fields that are zero or empty are left out. Times are differences, modulo
 * 2^64: of acceptance to the moment in the id, of expiry to acceptance; so the
 * first is mostly zero and the second short. An ADDRESS begins a recipient,
 * and ORCPT, ROUTE and NOTIFY after it belong to that one. A recipient without
 * ROUTE has that of the recipient before it: most share one, and this text
 * stays in memory as long as the message lives.
 */
#include "router/envelope.h"

#include "common/proto/message_id.h"
#include "common/proto/tlv.h"

/* On disk: never renumber. */
enum envelope_tag {
    TAG_ID = 1,
    TAG_ACCEPTED = 2,
    TAG_EXPIRES = 3,
    TAG_BODY_SIZE = 4,
    TAG_ACCOUNT = 5,
    TAG_TENANT = 6,
    TAG_STREAM = 7,
    TAG_REASONS = 8,
    TAG_MAIL_FROM = 9,
    TAG_ENVID = 10,
    TAG_MESSAGE_ID = 11,
    TAG_RET = 12,
    TAG_BODY_8BIT = 13,
    TAG_SMTPUTF8 = 14,
    TAG_TEMPLATE = 15,
    TAG_ADDRESS = 16,
    TAG_ORCPT = 17,
    TAG_ROUTE = 18,
    TAG_NOTIFY = 19,
    TAG_DECLARED = 20,
    TAG_KIND = 21,
};

static void pack_number(struct buf *out, enum envelope_tag tag, uint64_t number)
{
    if (number != 0)
        tlv_add_number(out, tag, number);
}

static void pack_text(struct buf *out, enum envelope_tag tag, struct slice text)
{
    if (!slice_is_empty(text))
        tlv_add_bytes(out, tag, text);
}

static void pack_recipients(struct buf *out, const struct envelope *envelope)
{
    struct slice route = SLICE("");
    for (size_t i = 0; i < envelope->recipient_count; i++) {
        const struct envelope_recipient *recipient = &envelope->recipients[i];
        tlv_add_bytes(out, TAG_ADDRESS, recipient->address);
        pack_text(out, TAG_ORCPT, recipient->orcpt);
        if (!slice_equal(recipient->route, route))
            tlv_add_bytes(out, TAG_ROUTE, recipient->route);
        route = recipient->route;
        pack_number(out, TAG_NOTIFY, recipient->notify);
    }
}

enum rc envelope_pack(const struct envelope *envelope, struct buf *out)
{
    const size_t before = out->len;
    if (envelope->recipient_count > ENVELOPE_RECIPIENTS_MAX)
        return RC_LIMIT;

    out->full = false;
    pack_number(out, TAG_ID, envelope->id);
    pack_number(out, TAG_ACCEPTED,
                envelope->accepted_utc_ms - id_utc_ms(envelope->id));
    pack_number(out, TAG_EXPIRES,
                envelope->expires_utc_ms - envelope->accepted_utc_ms);
    pack_number(out, TAG_BODY_SIZE, envelope->body_size);
    pack_text(out, TAG_ACCOUNT, envelope->account);
    pack_text(out, TAG_TENANT, envelope->tenant);
    pack_text(out, TAG_STREAM, envelope->stream);
    pack_text(out, TAG_REASONS, envelope->reasons);
    pack_text(out, TAG_MAIL_FROM, envelope->mail_from);
    pack_text(out, TAG_ENVID, envelope->envid);
    pack_text(out, TAG_MESSAGE_ID, envelope->message_id);
    pack_number(out, TAG_RET, envelope->ret);
    pack_number(out, TAG_BODY_8BIT, envelope->body_8bit);
    pack_number(out, TAG_SMTPUTF8, envelope->smtputf8);
    pack_number(out, TAG_TEMPLATE, envelope->template);
    pack_text(out, TAG_DECLARED, envelope->declared);
    pack_number(out, TAG_KIND, envelope->kind);
    pack_recipients(out, envelope);

    if (!out->full && out->len - before <= ENVELOPE_BYTES_MAX)
        return RC_OK;
    buf_cut(out, before);
    return RC_LIMIT;
}

static bool take_number(const struct tlv_field *field, uint64_t *number)
{
    *number = field->number;
    return !field->is_bytes;
}

static bool take_octet(const struct tlv_field *field, uint8_t *octet)
{
    *octet = (uint8_t)field->number;
    return !field->is_bytes && field->number <= UINT8_MAX;
}

static bool take_flag(const struct tlv_field *field, bool *flag)
{
    *flag = field->number != 0;
    return !field->is_bytes && field->number <= 1;
}

static bool take_text(const struct tlv_field *field, struct slice *text)
{
    *text = field->bytes;
    return field->is_bytes;
}

/* `recipient` is the one begun last; NULL when there is none yet. */
static bool take_of_recipient(const struct tlv_field *field,
                              struct envelope_recipient *recipient)
{
    switch (field->tag) {
    case TAG_ADDRESS:
        return take_text(field, &recipient->address);
    case TAG_ORCPT:
        return recipient && take_text(field, &recipient->orcpt);
    case TAG_ROUTE:
        return recipient && take_text(field, &recipient->route);
    case TAG_NOTIFY:
        return recipient && take_octet(field, &recipient->notify);
    default:
        return true; /* of a later version */
    }
}

static bool take_field(const struct tlv_field *field, struct envelope *envelope,
                       struct envelope_recipient *recipient)
{
    switch (field->tag) {
    case TAG_ID:
        return take_number(field, &envelope->id);
    case TAG_ACCEPTED:
        return take_number(field, &envelope->accepted_utc_ms);
    case TAG_EXPIRES:
        return take_number(field, &envelope->expires_utc_ms);
    case TAG_BODY_SIZE:
        return take_number(field, &envelope->body_size);
    case TAG_ACCOUNT:
        return take_text(field, &envelope->account);
    case TAG_TENANT:
        return take_text(field, &envelope->tenant);
    case TAG_STREAM:
        return take_text(field, &envelope->stream);
    case TAG_REASONS:
        return take_text(field, &envelope->reasons);
    case TAG_MAIL_FROM:
        return take_text(field, &envelope->mail_from);
    case TAG_ENVID:
        return take_text(field, &envelope->envid);
    case TAG_MESSAGE_ID:
        return take_text(field, &envelope->message_id);
    case TAG_RET:
        return take_octet(field, &envelope->ret);
    case TAG_BODY_8BIT:
        return take_flag(field, &envelope->body_8bit);
    case TAG_SMTPUTF8:
        return take_flag(field, &envelope->smtputf8);
    case TAG_DECLARED:
        return take_text(field, &envelope->declared);
    case TAG_KIND:
        return take_octet(field, &envelope->kind);
    case TAG_TEMPLATE:
        return take_number(field, &envelope->template);
    default:
        return take_of_recipient(field, recipient);
    }
}

/* RC_LIMIT: there are more recipients than room. */
static enum rc take_fields(struct slice packed, struct envelope *envelope,
                           struct envelope_recipient *recipients, size_t room)
{
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    struct envelope_recipient *recipient = NULL;
    enum rc rc = RC_OK;
    *envelope = (struct envelope){ .recipients = recipients };
    while ((rc = tlv_next(&cursor, &field)) == RC_OK) {
        if (field.tag == TAG_ADDRESS) {
            if (envelope->recipient_count == room)
                return RC_LIMIT;
            const struct slice route = recipient ? recipient->route : SLICE("");
            recipient = &recipients[envelope->recipient_count++];
            recipient->route = route;
        }
        if (!take_field(&field, envelope, recipient))
            return RC_SYNTAX;
    }
    return rc == RC_NONE ? RC_OK : rc;
}

/* Most messages have one recipient: they are read once. Those of others are
 * counted, and then read again. */
static enum rc take_all(struct slice packed, struct arena *arena,
                        struct envelope *envelope)
{
    size_t count = 1;
    for (;;) {
        struct envelope_recipient *recipients =
            arena_new(arena, count, sizeof *recipients);
        if (!recipients)
            return RC_LIMIT;
        enum rc rc = take_fields(packed, envelope, recipients, count);
        if (rc != RC_LIMIT || count > 1)
            return rc;
        rc = tlv_count(packed, TAG_ADDRESS, ENVELOPE_RECIPIENTS_MAX, &count);
        if (rc != RC_OK)
            return rc;
    }
}

enum rc envelope_unpack(struct slice packed, struct arena *arena,
                        struct envelope *envelope)
{
    struct envelope found;
    if (packed.len > ENVELOPE_BYTES_MAX)
        return RC_LIMIT;
    const enum rc rc = take_all(packed, arena, &found);
    if (rc != RC_OK)
        return rc;
    found.accepted_utc_ms += id_utc_ms(found.id);
    found.expires_utc_ms += found.accepted_utc_ms;
    *envelope = found;
    return RC_OK;
}
