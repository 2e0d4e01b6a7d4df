/* slice.c - comparing, searching and walking borrowed bytes. */
#include "common/base/slice.h"

#include "common/base/chars.h"

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (s.ptr[i] != prefix.ptr[i]
            && char_lower(s.ptr[i]) != char_lower(prefix.ptr[i]))
            return false;
    return true;
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len
           && slice_equal_nocase(slice_from(s, s.len - suffix.len), suffix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

size_t slice_find_slice(struct slice s, struct slice needle)
{
    if (needle.len == 0 || s.len < needle.len)
        return needle.len == 0 ? 0 : s.len;
    const char *found = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return found ? (size_t)(found - s.ptr) : s.len;
}

size_t slice_find_nocase(struct slice s, struct slice needle)
{
    for (size_t at = 0; at + needle.len <= s.len; at++)
        if (slice_starts_nocase(slice_from(s, at), needle))
            return at;
    return s.len;
}

static bool is_space(char byte)
{
    return byte <= ' ' && byte >= '\t' /* most bytes are seen by this */
           && (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n');
}

struct slice slice_trim(struct slice s)
{
    const char *from = s.ptr;
    size_t len = s.len;
    for (; len > 0 && is_space(*from); len--)
        from++;
    while (len > 0 && is_space(from[len - 1]))
        len--;
    return slice_of(from, len);
}

bool slice_number(struct slice s, uint64_t max, uint64_t *number)
{
    struct cursor cursor = cursor_of(s);
    uint64_t value = 0;
    if (!cursor_number(&cursor, max, &value) || !cursor_done(&cursor))
        return false;
    *number = value;
    return true;
}

bool cursor_word(struct cursor *cursor, struct slice word)
{
    if (!slice_starts_nocase(cursor_rest(cursor), word))
        return false;
    cursor->at += word.len;
    return true;
}

bool cursor_until(struct cursor *cursor, char stop, struct slice *part)
{
    struct slice rest = cursor_rest(cursor);
    size_t at = slice_find(rest, stop);
    if (at == rest.len)
        return false;
    *part = slice_head(rest, at);
    cursor->at += at + 1;
    return true;
}

bool cursor_run(struct cursor *cursor, unsigned class, struct slice *part)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end && char_is(*cursor->at, class))
        cursor->at++;
    if (cursor->at == from)
        return false;
    *part = slice_of(from, (size_t)(cursor->at - from));
    return true;
}

bool cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number)
{
    struct cursor ahead = *cursor;
    struct slice digits;
    if (!cursor_run(&ahead, CHAR_DIGIT, &digits))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint64_t digit = (uint64_t)(digits.ptr[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *cursor = ahead;
    *number = value;
    return true;
}

void cursor_blanks(struct cursor *cursor)
{
    struct slice blanks;
    (void)cursor_run(cursor, CHAR_BLANK, &blanks);
}
