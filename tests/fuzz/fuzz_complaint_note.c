/* fuzz_complaint_note - any bytes are a note or none, and a note that was read is
 * written so that it reads the same. */
#include <stdint.h>

#include "common/base/check.h"
#include "router/control/complaint_note.h"

#define TEXT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct complaint_note note;
    struct complaint_note again;
    struct buf text;
    if (complaint_note_read(slice_of((const char *)data, size), &note) != RC_OK)
        return 0;
    buf_init(&text, TEXT_MAX + size);
    CHECK(complaint_note_write(&note, &text));
    CHECK(complaint_note_read(buf_slice(&text), &again) == RC_OK);
    CHECK(again.origin.id == note.origin.id
          && again.origin.template == note.origin.template
          && again.origin.recipients == note.origin.recipients);
    CHECK(slice_equal(again.who, note.who));
    buf_release(&text);
    return 0;
}
