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

struct hearer {
    templates_file_fn *fn;
    void *context;
};

static bool hear_record(void *context, struct slice payload)
{
    const struct hearer *hearer = context;
    struct template_record record;
    if (template_record_unpack(payload, &record) != RC_OK)
        return false;
    hearer->fn(hearer->context, &record);
    return true;
}

bool templates_file_parse(struct slice bytes, templates_file_fn *fn,
                          void *context)
{
    struct hearer hearer = { fn, context };
    return framed_each(bytes, slice_of(magic, sizeof magic), hear_record,
                       &hearer);
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
