/* framed.c - records in a small file that is written whole. */
#include "router/spool/framed.h"

#include "router/spool/bytes.h"
#include "router/spool/record.h"

#define HEAD_SIZE 12u /* length and sum */

bool framed_add(struct buf *out, struct slice payload)
{
    char head[HEAD_SIZE];
    bytes_put32(head, (uint32_t)payload.len);
    bytes_put64(head + 4, record_sum(payload));
    return buf_add(out, slice_of(head, sizeof head)) && buf_add(out, payload);
}

/* Takes the next record: RC_OK; RC_NONE at the end; RC_SYNTAX: its sum is
 * wrong, go on; RC_LIMIT: it leads out, and that is the end. */
static enum rc next_record(struct cursor *cursor, struct slice *payload)
{
    const struct slice rest = cursor_rest(cursor);
    if (rest.len == 0)
        return RC_NONE;
    if (rest.len < HEAD_SIZE)
        return RC_LIMIT;
    const size_t len = bytes_get32(rest.ptr);
    if (len > rest.len - HEAD_SIZE)
        return RC_LIMIT;
    *payload = slice_head(slice_from(rest, HEAD_SIZE), len);
    cursor->at += HEAD_SIZE + len;
    return record_sum(*payload) == bytes_get64(rest.ptr + 4) ? RC_OK
                                                             : RC_SYNTAX;
}

bool framed_each(struct slice file, struct slice magic, framed_fn *fn,
                 void *context)
{
    if (file.len == 0)
        return true;
    if (!slice_equal(slice_head(file, magic.len), magic))
        return false;
    struct cursor cursor = cursor_of(slice_from(file, magic.len));
    struct slice payload;
    bool good = true;
    enum rc rc;
    while ((rc = next_record(&cursor, &payload)) == RC_OK || rc == RC_SYNTAX)
        good = rc == RC_OK && fn(context, payload) && good;
    return good && rc == RC_NONE;
}
