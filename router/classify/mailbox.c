/* mailbox.c - the messages of a mailbox in one file. */
#include "router/classify/mailbox.h"

#define MARK "From "

bool mailbox_is(struct slice bytes)
{
    const size_t len = sizeof MARK - 1;
    return bytes.len >= len && memcmp(bytes.ptr, MARK, len) == 0;
}

/* Where the next mark stands, its line end before it: behind an empty line. */
static size_t find_mark(struct slice bytes)
{
    size_t at = 0;
    for (;;) {
        at += slice_find_slice(slice_from(bytes, at), SLICE("\n" MARK));
        if (at >= bytes.len)
            return bytes.len;
        size_t before = at > 0 && bytes.ptr[at - 1] == '\r' ? at - 1 : at;
        if (before == 0 || bytes.ptr[before - 1] == '\n')
            return at + 1;
        at++;
    }
}

bool mailbox_next(struct cursor *cursor, struct slice *message)
{
    struct slice rest = cursor_rest(cursor);
    if (slice_is_empty(rest))
        return false;
    if (mailbox_is(rest))
        rest = slice_from(rest, slice_find(rest, '\n') + 1);
    size_t len = find_mark(rest);
    *message = slice_head(rest, len);
    cursor->at = rest.ptr + len;
    return true;
}
