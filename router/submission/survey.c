/* survey.c - one walk over a header. */
#include "router/submission/survey.h"

#include "common/base/chars.h"
#include "common/proto/header.h"
#include "router/origin.h"

bool survey_is_private(const struct survey *survey, struct slice name)
{
    for (size_t i = 0; survey->declare_in && i < survey->declare_in->count; i++)
        if (slice_equal_nocase(name, slice_text(survey->declare_in->items[i])))
            return true;
    return slice_equal_nocase(name, SLICE("Bcc"))
           || slice_equal_nocase(name, SLICE("Resent-Bcc"))
           || slice_equal_nocase(name, SLICE("Return-Path"))
           || slice_equal_nocase(name, SLICE("X-Sendyard-Stream"))
           || slice_equal_nocase(name, SLICE(ORIGIN_FIELD));
}

static void count_first(uint32_t *count, struct slice *first,
                        struct slice value)
{
    if ((*count)++ == 0)
        *first = value;
}

/* The first letter decides which few names are looked at. */
static void note(struct survey *survey, const struct header_field *field)
{
    switch (char_lower(field->name.ptr[0])) {
    case 'f':
        if (slice_equal_nocase(field->name, SLICE("From")))
            count_first(&survey->from_count, &survey->from, field->value);
        else if (slice_equal_nocase(field->name, SLICE("Feedback-ID")))
            survey->has_feedback_id = true;
        break;
    case 's':
        if (slice_equal_nocase(field->name, SLICE("Sender")))
            count_first(&survey->sender_count, &survey->sender, field->value);
        break;
    case 'd':
        if (slice_equal_nocase(field->name, SLICE("Date")))
            survey->has_date = true;
        break;
    case 'm':
        if (!survey->has_message_id
            && slice_equal_nocase(field->name, SLICE("Message-ID"))) {
            survey->has_message_id = true;
            survey->message_id = slice_trim(field->value);
        }
        break;
    case 'r':
        if (slice_equal_nocase(field->name, SLICE("Received")))
            survey->received_count++;
        break;
    default:
        break;
    }
    if (survey_is_private(survey, field->name)) {
        survey->has_private = true;
        survey->private_bytes += field->whole.len;
    }
}

void survey_read(struct slice header, const struct conf_texts *declare_in,
                 struct survey *survey)
{
    *survey = (struct survey){ .declare_in = declare_in };
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK)
        note(survey, &field);
}
