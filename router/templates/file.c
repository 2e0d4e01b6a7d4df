/* file.c - the file that keeps templates. */
#include "router/templates/file.h"

#include <stdio.h>

#include "common/base/file.h"
#include "router/spool/framed.h"

#define NAME       "templates"
#define NAME_ASIDE "templates.damaged"

static const char magic[8] = { 'S', 'Y', 'D', 'T', 'P', 'L', 0, 1 };

void templates_file_begin(struct buf *out)
{
    (void)buf_add(out, slice_of(magic, sizeof magic));
}

bool templates_file_add(struct buf *out, const struct template_record *record)
{
    scoped(buf_release) struct buf payload;
    buf_init(&payload, RECORD_PACKED_MAX);
    return template_record_pack(record, &payload)
           && framed_add(out, buf_slice(&payload));
}

bool templates_file_parse(struct slice bytes, templates_file_fn *fn,
                          void *context)
{
    struct template_record record;
    bool good = true;
    if (bytes.len == 0)
        return true;
    if (!slice_equal(slice_head(bytes, sizeof magic),
                     slice_of(magic, sizeof magic)))
        return false;
    struct cursor cursor = cursor_of(slice_from(bytes, sizeof magic));
    struct slice payload;
    enum rc rc;
    while ((rc = framed_next(&cursor, &payload)) == RC_OK || rc == RC_SYNTAX) {
        if (rc == RC_OK && template_record_unpack(payload, &record) == RC_OK)
            fn(context, &record);
        else
            good = false;
    }
    return good && rc == RC_NONE;
}

enum rc templates_file_read(int folder_fd, struct buf *bytes,
                            struct fault *fault)
{
    return file_read_at(folder_fd, NAME, bytes, fault);
}

enum rc templates_file_write(int folder_fd, struct slice bytes,
                             struct fault *fault)
{
    return file_replace_at(folder_fd, NAME, bytes, fault);
}

void templates_file_set_aside(int folder_fd)
{
    (void)renameat(folder_fd, NAME, folder_fd, NAME_ASIDE);
}
