/* msgpack_reader.c - takes msgpack values one by one from untrusted bytes. */
#include "common/proto/msgpack_reader.h"

#include <stddef.h>

/* Leading bytes that stand alone; the rest are ranges. */
enum lead {
    LEAD_NIL = 0xc0,
    LEAD_NEVER_USED = 0xc1,
    LEAD_FALSE = 0xc2,
    LEAD_TRUE = 0xc3,
    LEAD_BIN_8 = 0xc4,
    LEAD_EXT_8 = 0xc7,
    LEAD_FLOAT_32 = 0xca,
    LEAD_UINT_8 = 0xcc,
    LEAD_INT_8 = 0xd0,
    LEAD_FIXEXT_1 = 0xd4,
    LEAD_STR_8 = 0xd9,
    LEAD_ARRAY_16 = 0xdc,
    LEAD_MAP_16 = 0xde,
};

#define FIXMAP_FIRST       0x80u
#define FIXARRAY_FIRST     0x90u
#define FIXSTR_FIRST       0xa0u
#define FIXSTR_LAST        0xbfu
#define NEGATIVE_FIX_FIRST 0xe0u

static size_t left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* Takes a big-endian number of `width` bytes. */
static bool take_wide(struct cursor *cursor, size_t width, uint64_t *number)
{
    if (left(cursor) < width)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | (unsigned char)cursor->at[i];
    cursor->at += width;
    *number = value;
    return true;
}

static bool take_lead(struct cursor *cursor, unsigned *lead)
{
    if (cursor_done(cursor))
        return false;
    *lead = (unsigned char)*cursor->at++;
    return true;
}

/* A container's head: small counts in the lead byte (`fixed`, 16 of them), the
 * others in the 2 or 4 bytes behind `wide` or `wide` + 1. */
static bool read_count(struct cursor *cursor, unsigned fixed, unsigned wide,
                       uint32_t *count)
{
    struct cursor at = *cursor;
    unsigned lead = 0;
    uint64_t value = 0;
    if (!take_lead(&at, &lead))
        return false;
    bool is_wide = lead == wide || lead == wide + 1;
    if ((lead & 0xf0u) == fixed)
        value = lead & 0x0fu;
    else if (!is_wide || !take_wide(&at, lead == wide ? 2 : 4, &value))
        return false;
    *cursor = at;
    *count = (uint32_t)value;
    return true;
}

bool msgpack_read_map(struct cursor *cursor, uint32_t *count)
{
    return read_count(cursor, FIXMAP_FIRST, LEAD_MAP_16, count);
}

bool msgpack_read_array(struct cursor *cursor, uint32_t *count)
{
    return read_count(cursor, FIXARRAY_FIRST, LEAD_ARRAY_16, count);
}

bool msgpack_read_number(struct cursor *cursor, uint64_t *number)
{
    struct cursor at = *cursor;
    unsigned lead = 0;
    if (!take_lead(&at, &lead))
        return false;
    uint64_t value = lead;
    if (lead >= LEAD_UINT_8 && lead < LEAD_FIXEXT_1) {
        static const uint64_t signs[] = { 1u << 7, 1u << 15, 1u << 31,
                                          UINT64_C(1) << 63 };
        unsigned power = lead & 3u;
        if (!take_wide(&at, (size_t)1 << power, &value))
            return false;
        bool negative = lead >= LEAD_INT_8 && (value & signs[power]) != 0;
        if (negative)
            return false;
    } else if (lead >= FIXMAP_FIRST) {
        return false;
    }
    *cursor = at;
    *number = value;
    return true;
}

bool msgpack_read_flag(struct cursor *cursor, bool *flag)
{
    if (cursor_done(cursor))
        return false;
    unsigned lead = (unsigned char)*cursor->at;
    if (lead != LEAD_FALSE && lead != LEAD_TRUE)
        return false;
    cursor->at++;
    *flag = lead == LEAD_TRUE;
    return true;
}

bool msgpack_read_bytes(struct cursor *cursor, struct slice *bytes)
{
    struct cursor at = *cursor;
    unsigned lead = 0;
    uint64_t len = 0;
    if (!take_lead(&at, &lead))
        return false;
    if (lead >= FIXSTR_FIRST && lead <= FIXSTR_LAST) {
        len = lead & 0x1fu;
    } else {
        bool is_bin = lead >= LEAD_BIN_8 && lead < LEAD_EXT_8;
        bool is_str = lead >= LEAD_STR_8 && lead < LEAD_ARRAY_16;
        if (!is_bin && !is_str)
            return false;
        unsigned power = lead - (is_bin ? LEAD_BIN_8 : LEAD_STR_8);
        if (!take_wide(&at, (size_t)1 << power, &len))
            return false;
    }
    if (len > left(&at))
        return false;
    *bytes = slice_of(at.at, (size_t)len);
    at.at += len;
    *cursor = at;
    return true;
}

/* Takes a value that the other readers refuse: nil, a flag, a float, an
 * extension, a negative number. */
static bool take_other(struct cursor *cursor)
{
    unsigned lead = 0;
    uint64_t len = 0;
    if (!take_lead(cursor, &lead) || lead < LEAD_NIL || lead == LEAD_NEVER_USED)
        return false;
    if (lead >= LEAD_EXT_8 && lead < LEAD_FLOAT_32) {
        if (!take_wide(cursor, (size_t)1 << (lead - LEAD_EXT_8), &len))
            return false;
        len += 1; /* the extension's type */
    } else if (lead >= LEAD_FLOAT_32 && lead < LEAD_UINT_8) {
        len = lead == LEAD_FLOAT_32 ? 4 : 8;
    } else if (lead >= LEAD_INT_8 && lead < LEAD_FIXEXT_1) {
        len = 1u << (lead - LEAD_INT_8);
    } else if (lead >= LEAD_FIXEXT_1 && lead < LEAD_STR_8) {
        len = 1 + (1u << (lead - LEAD_FIXEXT_1));
    } else if (lead > LEAD_TRUE && lead < NEGATIVE_FIX_FIRST) {
        return false;
    }
    if (len > left(cursor))
        return false;
    cursor->at += len;
    return true;
}

bool msgpack_skip(struct cursor *cursor)
{
    struct cursor at = *cursor;
    /* Values still to take. Each takes at least a byte, so the loop ends with
     * the input whatever the counts claim; the sum cannot overflow. */
    uint64_t open = 1;
    for (; open > 0; open--) {
        uint32_t count = 0;
        uint64_t number = 0;
        struct slice bytes;
        if (msgpack_read_map(&at, &count))
            open += 2 * (uint64_t)count;
        else if (msgpack_read_array(&at, &count))
            open += count;
        else if (!msgpack_read_number(&at, &number)
                 && !msgpack_read_bytes(&at, &bytes) && !take_other(&at))
            return false;
    }
    *cursor = at;
    return true;
}
