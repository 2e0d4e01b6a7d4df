/* tlv.c - tags, lengths and values. */
#include "common/proto/tlv.h"

#include "common/base/check.h"

static bool add_varint(struct buf *buf, uint64_t number)
{
    char bytes[TLV_VARINT_MAX];
    size_t len = 0;
    for (; number > 0x7f; number >>= 7)
        bytes[len++] = (char)(unsigned char)(0x80 | (number & 0x7f));
    bytes[len++] = (char)number;
    return buf_add(buf, slice_of(bytes, len));
}

/* A field is added whole or not at all. */
static bool undo(struct buf *buf, size_t len)
{
    buf_cut(buf, len);
    buf->full = true;
    return false;
}

bool tlv_add_number(struct buf *buf, uint32_t tag, uint64_t number)
{
    CHECK(tag <= TLV_TAG_MAX);
    size_t before = buf->len;
    if (add_varint(buf, (uint64_t)tag << 1) && add_varint(buf, number))
        return true;
    return undo(buf, before);
}

bool tlv_add_bytes(struct buf *buf, uint32_t tag, struct slice bytes)
{
    CHECK(tag <= TLV_TAG_MAX);
    size_t before = buf->len;
    if (add_varint(buf, (uint64_t)tag << 1 | 1) && add_varint(buf, bytes.len)
        && buf_add(buf, bytes))
        return true;
    return undo(buf, before);
}

static bool take_varint(struct cursor *cursor, uint64_t *number)
{
    /* Nearly all tags and lengths are one byte. */
    if (cursor->at < cursor->end && !(*cursor->at & 0x80)) {
        *number = (unsigned char)*cursor->at++;
        return true;
    }
    uint64_t sum = 0;
    const char *at = cursor->at;
    for (unsigned shift = 0; shift < 7 * TLV_VARINT_MAX; shift += 7) {
        if (at == cursor->end)
            return false;
        const unsigned char byte = (unsigned char)*at++;
        const uint64_t bits = byte & 0x7f;
        if (shift == 63 && bits > 1)
            return false;
        sum |= bits << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift > 0)
            return false;
        cursor->at = at;
        *number = sum;
        return true;
    }
    return false;
}

static bool take_bytes(struct cursor *cursor, struct slice *bytes)
{
    uint64_t len = 0;
    if (!take_varint(cursor, &len))
        return false;
    if (len > (uint64_t)(cursor->end - cursor->at))
        return false;
    *bytes = slice_of(cursor->at, (size_t)len);
    cursor->at += len;
    return true;
}

enum rc tlv_next(struct cursor *cursor, struct tlv_field *field)
{
    if (cursor_done(cursor))
        return RC_NONE;

    struct cursor ahead = *cursor;
    struct tlv_field found = { .tag = 0 };
    uint64_t key = 0;
    if (!take_varint(&ahead, &key) || key >> 1 > TLV_TAG_MAX)
        return RC_SYNTAX;
    found.tag = (uint32_t)(key >> 1);
    found.is_bytes = key & 1;
    const bool whole = found.is_bytes ? take_bytes(&ahead, &found.bytes)
                                      : take_varint(&ahead, &found.number);
    if (!whole)
        return RC_SYNTAX;
    *cursor = ahead;
    *field = found;
    return RC_OK;
}

enum rc tlv_count(struct slice fields, uint32_t tag, size_t max, size_t *count)
{
    struct cursor cursor = cursor_of(fields);
    struct tlv_field field;
    size_t found = 0;
    enum rc rc = RC_OK;
    while ((rc = tlv_next(&cursor, &field)) == RC_OK)
        found += field.tag == tag;
    if (rc != RC_NONE)
        return rc;
    if (found > max)
        return RC_LIMIT;
    *count = found;
    return RC_OK;
}
