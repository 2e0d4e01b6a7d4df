/* undisclosed.c - a message that does not say whom it is for. */
#include "classifier/undisclosed.h"

#include "common/proto/header.h"

bool undisclosed(struct slice header, size_t recipient_count)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    bool has_field = false;
    while (header_next(&cursor, &field) == RC_OK) {
        if (!slice_equal_nocase(field.name, SLICE("To"))
            && !slice_equal_nocase(field.name, SLICE("Cc")))
            continue;
        if (slice_find(field.value, '@') < field.value.len)
            return false;
        has_field = true;
    }
    return has_field || recipient_count > 1;
}
