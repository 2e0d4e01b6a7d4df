/* utf8.c - is it UTF-8, is it ASCII? */
#include "common/proto/utf8.h"

#include <stdint.h>
#include <string.h>

/* RFC 3629 section 4: the range of the second byte depends on the first. */
static size_t sequence_len(unsigned char first, unsigned char second)
{
    if (first >= 0xc2 && first <= 0xdf)
        return second >= 0x80 && second <= 0xbf ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        unsigned low = first == 0xe0 ? 0xa0 : 0x80;
        unsigned high = first == 0xed ? 0x9f : 0xbf;
        return second >= low && second <= high ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        unsigned low = first == 0xf0 ? 0x90 : 0x80;
        unsigned high = first == 0xf4 ? 0x8f : 0xbf;
        return second >= low && second <= high ? 4 : 0;
    }
    return 0;
}

size_t utf8_sequence(struct slice bytes)
{
    const unsigned char *byte = (const unsigned char *)bytes.ptr;
    if (bytes.len == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    size_t len = bytes.len > 1 ? sequence_len(byte[0], byte[1]) : 0;
    if (len > bytes.len)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool utf8_is_valid(struct slice bytes)
{
    while (bytes.len > 0) {
        size_t len = utf8_sequence(bytes);
        if (len == 0)
            return false;
        bytes = slice_from(bytes, len);
    }
    return true;
}

bool utf8_is_ascii(struct slice bytes)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    size_t at = 0;
    for (; bytes.len - at >= sizeof high; at += sizeof high) {
        uint64_t word;
        memcpy(&word, bytes.ptr + at, sizeof word);
        if (word & high)
            return false;
    }
    for (; at < bytes.len; at++)
        if (bytes.ptr[at] & 0x80)
            return false;
    return true;
}
