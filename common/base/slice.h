/*
 * slice.h - a borrowed run of bytes, and a cursor that walks one.
 *
 * A slice owns nothing, is never NUL-terminated by contract, and lives as long
 * as what it was cut from. A cursor only moves forward; every cursor_ function
 * leaves it where it was when it returns false, so a parser can try the next
 * alternative of its grammar.
 */
#ifndef COMMON_BASE_SLICE_H
#define COMMON_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal or a char array with a terminating NUL. */
#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){ ptr, len };
}

/* The text up to its NUL; NULL gives the empty slice. */
static inline struct slice slice_text(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool slice_is_empty(struct slice s)
{
    return s.len == 0;
}

/* From `from` to the end; past the end gives the empty slice. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    if (from > s.len)
        from = s.len;
    /* NULL + 0 is undefined in C, and the empty slice may have no bytes. */
    return (struct slice){ from > 0 ? s.ptr + from : s.ptr, s.len - from };
}

/* The first `len` bytes, or all when there are fewer. */
static inline struct slice slice_head(struct slice s, size_t len)
{
    return (struct slice){ s.ptr, len < s.len ? len : s.len };
}

bool slice_equal(struct slice a, struct slice b);

/* ASCII letters match without regard to case, all else exactly. */
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Most that are compared differ in length: no call for those. */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && slice_starts_nocase(a, b);
}

/* Like memcmp with the shorter first among equals: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

/* Position of the first `byte`, or s.len when there is none. */
static inline size_t slice_find(struct slice s, char byte)
{
    const char *found = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;
    return found ? (size_t)(found - s.ptr) : s.len;
}

/* Position of the first `needle`, or s.len when there is none. */
size_t slice_find_slice(struct slice s, struct slice needle);

/* Position of the first `needle`, ASCII case ignored, or s.len. */
size_t slice_find_nocase(struct slice s, struct slice needle);

/* Without spaces and tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Decimal digits and nothing else, no sign, at most `max`. On false *number is
 * untouched. */
bool slice_number(struct slice s, uint64_t max, uint64_t *number);

struct cursor {
    const char *at;
    const char *end;
};

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){ s.ptr, s.len > 0 ? s.ptr + s.len : s.ptr };
}

static inline struct slice cursor_rest(const struct cursor *cursor)
{
    return (struct slice){ cursor->at, (size_t)(cursor->end - cursor->at) };
}

static inline bool cursor_done(const struct cursor *cursor)
{
    return cursor->at == cursor->end;
}

/* The next byte, which stays; NUL at the end. */
static inline char cursor_peek(const struct cursor *cursor)
{
    return cursor->at == cursor->end ? (char)0 : *cursor->at;
}

/* Takes the next byte when it is `byte`. */
static inline bool cursor_byte(struct cursor *cursor, char byte)
{
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

/* Takes `word` when it comes next, ASCII case ignored. */
bool cursor_word(struct cursor *cursor, struct slice word);

/* Takes all bytes before the next `stop` into *part, and `stop` itself. False
 * when there is no `stop`. */
bool cursor_until(struct cursor *cursor, char stop, struct slice *part);

/* Takes the longest run of bytes of `class` (chars.h), at least one. */
bool cursor_run(struct cursor *cursor, unsigned class, struct slice *part);

/* Takes a run of digits worth at most `max`, at least one digit. */
bool cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number);

/* Takes spaces and tabs, perhaps none. */
void cursor_blanks(struct cursor *cursor);

#endif
