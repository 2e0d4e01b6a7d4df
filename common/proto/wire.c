/* wire.c - the job protocol between a router and its workers, as bytes. */
#include "common/proto/wire.h"

#include <msgpack/pack.h>

#include "common/base/check.h"
#include "common/proto/msgpack_reader.h"
#include "common/proto/wire_schema.h"

/* The key in the map of a hole or a newer neighbour: no table has it. */
#define KEY_UNKNOWN WIRE_KEYS_MAX

const char *wire_kind_name(enum wire_kind kind)
{
    static const char *const names[] = {
        [WIRE_HELLO] = "hello",   [WIRE_WELCOME] = "welcome",
        [WIRE_OFFER] = "offer",   [WIRE_PULL] = "pull",
        [WIRE_JOB] = "job",       [WIRE_HANDBACK] = "handback",
        [WIRE_RESULT] = "result", [WIRE_ACK] = "ack",
        [WIRE_BEAT] = "beat",     [WIRE_DRAIN] = "drain",
        [WIRE_TRACE] = "trace",   [WIRE_LINES] = "lines",
    };
    return wire_schema_of((size_t)kind) ? names[kind] : "unknown";
}

static uint64_t number_at(const void *at, size_t size)
{
    uint64_t number = 0;
    switch (size) {
    case sizeof(uint8_t):
        return *(const uint8_t *)at;
    case sizeof(uint16_t):
        return *(const uint16_t *)at;
    case sizeof(uint32_t):
        return *(const uint32_t *)at;
    default:
        memcpy(&number, at, sizeof number);
        return number;
    }
}

static void set_number(void *at, size_t size, uint64_t number)
{
    switch (size) {
    case sizeof(uint8_t):
        *(uint8_t *)at = (uint8_t)number;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)at = (uint16_t)number;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)at = (uint32_t)number;
        break;
    default:
        memcpy(at, &number, sizeof number);
    }
}

/* How many items a list has, or how many bytes a text: 0 is not sent. */
static uint64_t weight(const struct wire_field *field, const char *base)
{
    const void *at = base + field->offset;
    switch (field->type) {
    case FIELD_NUMBER:
        return number_at(at, field->size);
    case FIELD_FLAG:
        return *(const bool *)at;
    case FIELD_TEXT:
        return ((const struct slice *)at)->len;
    case FIELD_CHARS:
        return strnlen(at, field->size);
    case FIELD_LIST:
        return number_at(base + field->list->count_offset, sizeof(size_t));
    case FIELD_NONE:
    case FIELD_RECORD:
        break;
    }
    return 0;
}

static int add_packed(void *context, const char *bytes, size_t len)
{
    return buf_add(context, slice_of(bytes, len)) ? 0 : -1;
}

static enum rc encode_record(msgpack_packer *packer,
                             const struct wire_record *record,
                             const char *base);

/* Room in the buffer is asked for once, at the end (buf.full). */
static enum rc encode_value(msgpack_packer *packer,
                            const struct wire_field *field, const char *base)
{
    const uint64_t size = weight(field, base);
    const void *at = base + field->offset;
    enum rc rc = RC_OK;
    switch (field->type) {
    case FIELD_NUMBER:
        (void)msgpack_pack_uint64(packer, size);
        break;
    case FIELD_FLAG:
        (void)(size ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        break;
    case FIELD_TEXT:
        (void)msgpack_pack_str(packer, size);
        (void)msgpack_pack_str_body(packer, ((const struct slice *)at)->ptr,
                                    size);
        break;
    case FIELD_CHARS:
        (void)msgpack_pack_str(packer, size);
        (void)msgpack_pack_str_body(packer, at, size);
        break;
    case FIELD_LIST:
        if (size > field->list->max)
            return RC_LIMIT;
        (void)msgpack_pack_array(packer, size);
        for (size_t i = 0; i < size && rc == RC_OK; i++)
            rc = encode_value(packer, &field->list->item,
                              *(const char *const *)at
                                  + i * field->list->item_size);
        break;
    case FIELD_RECORD:
        return encode_record(packer, field->record, at);
    case FIELD_NONE:
        break;
    }
    return rc;
}

static bool is_sent(const struct wire_field *field, const char *base)
{
    return field->type != FIELD_NONE
           && (field->needed || weight(field, base) > 0);
}

static enum rc encode_record(msgpack_packer *packer,
                             const struct wire_record *record, const char *base)
{
    size_t count = 0;
    for (size_t key = 0; key < record->keys; key++)
        count += is_sent(&record->fields[key], base);
    (void)msgpack_pack_map(packer, count);

    enum rc rc = RC_OK;
    for (size_t key = 0; key < record->keys && rc == RC_OK; key++) {
        if (!is_sent(&record->fields[key], base))
            continue;
        (void)msgpack_pack_uint64(packer, key);
        rc = encode_value(packer, &record->fields[key], base);
    }
    return rc;
}

enum rc wire_encode(const struct wire_frame *frame, struct buf *out)
{
    const struct wire_record *schema = wire_schema_of((size_t)frame->kind);
    CHECK(schema);
    buf_clear(out);
    buf_add_byte(out, WIRE_VERSION);
    buf_add_byte(out, (char)frame->kind);

    msgpack_packer packer;
    msgpack_packer_init(&packer, out, add_packed);
    enum rc rc = encode_record(&packer, schema, (const char *)&frame->as);
    return rc == RC_OK && out->full ? RC_LIMIT : rc;
}

/* Texts end up in SMTP commands and log lines: what could break out of one is
 * refused here, where it comes in. */
static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\0' || text.ptr[i] == '\r' || text.ptr[i] == '\n')
            return false;
    return true;
}

static enum rc decode_number(struct cursor *cursor,
                             const struct wire_field *field, void *at)
{
    uint64_t number = 0;
    if (!msgpack_read_number(cursor, &number) || number > field->max)
        return RC_SYNTAX;
    set_number(at, field->size, number);
    return RC_OK;
}

static enum rc decode_text(struct cursor *cursor, struct slice *text)
{
    return msgpack_read_bytes(cursor, text) && is_clean(*text) ? RC_OK
                                                               : RC_SYNTAX;
}

static bool is_utf8_tail(char byte)
{
    return ((unsigned char)byte & 0xc0u) == 0x80u;
}

static enum rc decode_chars(struct cursor *cursor, size_t size, char *chars)
{
    struct slice text;
    enum rc rc = decode_text(cursor, &text);
    if (rc != RC_OK)
        return rc;
    if (text.len >= size) {
        text.len = size - 1;
        while (text.len > 0 && is_utf8_tail(text.ptr[text.len]))
            text.len--;
    }
    memcpy(chars, text.ptr, text.len);
    chars[text.len] = '\0';
    return RC_OK;
}

static enum rc decode_value(struct cursor *cursor, struct arena *arena,
                            const struct wire_field *field, char *base);

static enum rc decode_list(struct cursor *cursor, struct arena *arena,
                           const struct wire_field *field, char *base)
{
    const struct wire_list *list = field->list;
    uint32_t count = 0;
    if (!msgpack_read_array(cursor, &count))
        return RC_SYNTAX;
    if (count > list->max)
        return RC_LIMIT;
    if (count > cursor_rest(cursor).len) /* an item has at least one byte */
        return RC_SYNTAX;

    char *items = NULL;
    if (count > 0) {
        items = arena_new(arena, count, list->item_size);
        if (!items)
            return RC_LIMIT;
    }
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = decode_value(cursor, arena, &list->item,
                          items + i * list->item_size);
    *(char **)(void *)(base + field->offset) = items;
    set_number(base + list->count_offset, sizeof(size_t), count);
    return rc;
}

static enum rc decode_record(struct cursor *cursor, struct arena *arena,
                             const struct wire_record *record, char *base)
{
    uint32_t count = 0;
    uint32_t seen = 0;
    if (!msgpack_read_map(cursor, &count))
        return RC_SYNTAX;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = KEY_UNKNOWN;
        if (!msgpack_read_number(cursor, &key) && !msgpack_skip(cursor))
            return RC_SYNTAX;
        bool known =
            key < record->keys && record->fields[key].type != FIELD_NONE;
        if (!known && !msgpack_skip(cursor))
            return RC_SYNTAX;
        if (!known)
            continue;
        enum rc rc = decode_value(cursor, arena, &record->fields[key], base);
        if (rc != RC_OK)
            return rc;
        seen |= UINT32_C(1) << key;
    }
    for (size_t key = 0; key < record->keys; key++)
        if (record->fields[key].needed && !(seen >> key & 1))
            return RC_SYNTAX;
    return RC_OK;
}

static enum rc decode_value(struct cursor *cursor, struct arena *arena,
                            const struct wire_field *field, char *base)
{
    void *at = base + field->offset;
    switch (field->type) {
    case FIELD_NUMBER:
        return decode_number(cursor, field, at);
    case FIELD_FLAG:
        return msgpack_read_flag(cursor, at) ? RC_OK : RC_SYNTAX;
    case FIELD_TEXT:
        return decode_text(cursor, at);
    case FIELD_CHARS:
        return decode_chars(cursor, field->size, at);
    case FIELD_LIST:
        return decode_list(cursor, arena, field, base);
    case FIELD_RECORD:
        return decode_record(cursor, arena, field->record, at);
    case FIELD_NONE:
        break;
    }
    return RC_SYNTAX;
}

enum rc wire_decode(struct slice bytes, struct arena *arena,
                    struct wire_frame *frame)
{
    if (bytes.len < 2 || bytes.ptr[0] != WIRE_VERSION)
        return RC_SYNTAX;
    size_t kind = (unsigned char)bytes.ptr[1];
    const struct wire_record *schema = wire_schema_of(kind);
    if (!schema)
        return RC_SYNTAX;

    struct wire_frame decoded = { .kind = (enum wire_kind)kind };
    struct cursor cursor = cursor_of(slice_from(bytes, 2));
    enum rc rc = decode_record(&cursor, arena, schema, (char *)&decoded.as);
    if (rc != RC_OK)
        return rc;
    if (!cursor_done(&cursor))
        return RC_SYNTAX;
    *frame = decoded;
    return RC_OK;
}
