/* complaint_note.c - a complaint as one router tells it to another. */
#include "router/control/complaint_note.h"

#include "common/proto/message_id.h"

bool complaint_note_write(const struct complaint_note *note, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    char template[ID_TEXT_SIZE];
    return buf_addf(out, "%s %s %u ", id_format(note->origin.id, id),
                    id_format(note->origin.template, template),
                    (unsigned)note->origin.recipients)
           && buf_add(out, note->who);
}

enum rc complaint_note_read(struct slice text, struct complaint_note *note)
{
    struct slice id;
    struct slice template;
    struct slice recipients;
    uint64_t count;
    struct complaint_note read;
    struct cursor cursor = cursor_of(text);
    if (!cursor_until(&cursor, ' ', &id)
        || !cursor_until(&cursor, ' ', &template)
        || !cursor_until(&cursor, ' ', &recipients)
        || !id_parse(id, &read.origin.id)
        || !id_parse(template, &read.origin.template)
        || !slice_number(recipients, UINT32_MAX, &count))
        return RC_SYNTAX;
    read.origin.recipients = (uint32_t)count;
    read.who = cursor_rest(&cursor);
    *note = read;
    return RC_OK;
}
