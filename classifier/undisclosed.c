/* undisclosed.c - a message that does not say whom it is for. */
#include "classifier/undisclosed.h"

#include "common/proto/header.h"

static bool names_somebody(struct slice value, size_t recipient_count)
{
    if (slice_find(value, '@') < value.len)
        return true;
    return recipient_count == 1 && !slice_is_empty(slice_trim(value))
           && slice_find(value, ';') == value.len
           && !slice_starts_nocase(slice_trim(value), SLICE("undisclosed"));
}

bool undisclosed(struct slice header, size_t recipient_count)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    bool has_field = false;
    while (header_next(&cursor, &field) == RC_OK) {
        if (!slice_equal_nocase(field.name, SLICE("To"))
            && !slice_equal_nocase(field.name, SLICE("Cc")))
            continue;
        if (names_somebody(field.value, recipient_count))
            return false;
        has_field = true;
    }
    return has_field || recipient_count > 1;
}
