/* evidence.c - what the protocol shows of a message's kind. */
#include "classifier/evidence.h"

#include "common/base/check.h"
#include "common/proto/header.h"

#define DETAIL_MAX 60 /* bytes of a field's value that a reason keeps */

static void add(struct evidence *evidence, enum judge_reason_code code,
                int points, struct slice detail)
{
    /* A field that is given twice says no more than given once. */
    for (size_t i = 0; i < evidence->count; i++)
        if (evidence->reasons[i].code == code)
            return;
    CHECK(evidence->count < EVIDENCE_MAX);
    evidence->reasons[evidence->count++] = (struct judge_reason){
        .code = code,
        .points = points,
        .detail = slice_head(slice_trim(detail), DETAIL_MAX),
    };
    evidence->points += points;
}

static void hear_precedence(struct evidence *evidence, struct slice value)
{
    value = slice_trim(value);
    if (slice_equal_nocase(value, SLICE("bulk"))
        || slice_equal_nocase(value, SLICE("list"))
        || slice_equal_nocase(value, SLICE("junk")))
        add(evidence, REASON_PRECEDENCE, 60, value);
}

/* RFC 3834 section 5: "no" says nothing, everything else is automatic. */
static void hear_auto_submitted(struct evidence *evidence, struct slice value)
{
    value = slice_trim(value);
    if (slice_equal_nocase(value, SLICE("no")))
        return;
    evidence->is_automatic = true;
    add(evidence, REASON_AUTO_GENERATED, -20, value);
}

static void hear_unsubscribe(struct evidence *evidence, struct slice value)
{
    (void)value;
    add(evidence, REASON_LIST_UNSUBSCRIBE, 60, slice_text(NULL));
}

static void hear_unsubscribe_post(struct evidence *evidence, struct slice value)
{
    (void)value; /* RFC 8058: it has but one */
    add(evidence, REASON_ONE_CLICK, 100, slice_text(NULL));
}

static void hear_list_id(struct evidence *evidence, struct slice value)
{
    add(evidence, REASON_LIST_ID, 75, value);
}

/* Campaign tools set it, and some send receipts by it. */
static void hear_feedback_id(struct evidence *evidence, struct slice value)
{
    add(evidence, REASON_FEEDBACK_ID, 30, value);
}

static void hear_stream(struct evidence *evidence, struct slice value)
{
    if (slice_is_empty(evidence->declared))
        evidence->declared = slice_trim(value);
}

/* clang-format off */
static const struct {
    struct slice name;
    void (*hear)(struct evidence *evidence, struct slice value);
} fields[] = {
    { { "List-Unsubscribe", 16 },      hear_unsubscribe      },
    { { "List-Unsubscribe-Post", 21 }, hear_unsubscribe_post },
    { { "List-Id", 7 },                hear_list_id          },
    { { "Precedence", 10 },            hear_precedence       },
    { { "Feedback-ID", 11 },           hear_feedback_id      },
    { { "Auto-Submitted", 14 },        hear_auto_submitted   },
    { { "X-Sendyard-Stream", 17 },     hear_stream           },
};
/* clang-format on */

static void hear_field(struct evidence *evidence,
                       const struct header_field *field)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (slice_equal_nocase(field->name, fields[i].name))
            fields[i].hear(evidence, field->value);
}

void evidence_read(const struct judge_message *message,
                   uint32_t bulk_recipients, struct evidence *evidence)
{
    *evidence = (struct evidence){ .count = 0 };
    struct cursor cursor = cursor_of(message->header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK)
        hear_field(evidence, &field);

    if (slice_is_empty(message->mail_from)) {
        evidence->is_automatic = true;
        add(evidence, REASON_NULL_SENDER, -20, slice_text(NULL));
    }
    if (bulk_recipients > 0 && message->recipient_count >= bulk_recipients)
        add(evidence, REASON_RECIPIENTS, 100, slice_text(NULL));
}
