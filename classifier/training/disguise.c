/* disguise.c - the header of a message as another sender would have written it. */
#include "classifier/training/disguise.h"

#include "classifier/sketch/marks.h"
#include "common/base/attr.h"
#include "common/proto/addresses.h"
#include "common/proto/header.h"

#define BIT(mark) (UINT64_C(1) << (mark))

/* What is seen in fields that stay when all others are stripped. */
#define MARKS_PLAIN                                                            \
    (BIT(MARK_MANY_TO) | BIT(MARK_NO_TO) | BIT(MARK_TO_NAMED)                  \
     | BIT(MARK_SUBJECT_ANSWER) | MARKS_SENDER)

#define MARKS_SENDER                                                           \
    (BIT(MARK_FROM_NO_REPLY) | BIT(MARK_FROM_NEWS) | BIT(MARK_FROM_MONEY)      \
     | BIT(MARK_FROM_SECURITY) | BIT(MARK_FROM_DESK) | BIT(MARK_FROM_ROBOT)    \
     | BIT(MARK_FROM_PERSON) | BIT(MARK_FROM_UNNAMED)                          \
     | BIT(MARK_FROM_SUBDOMAIN))

#define MARKS_OF_LISTS                                                         \
    (BIT(MARK_LIST_UNSUBSCRIBE) | BIT(MARK_ONE_CLICK) | BIT(MARK_LIST_ID)      \
     | BIT(MARK_LIST_OTHER) | BIT(MARK_PRECEDENCE) | BIT(MARK_FEEDBACK_ID)     \
     | BIT(MARK_CAMPAIGN) | BIT(MARK_ERRORS_TO))

/* What a liar's sender keeps: he is named or not, in a subdomain or not. */
#define MARKS_SENDER_KEPT (BIT(MARK_FROM_UNNAMED) | BIT(MARK_FROM_SUBDOMAIN))

static const char *const names[DISGUISE_COUNT] = {
    [DISGUISE_MIXED] = "mixed",
    [DISGUISE_STRIPPED] = "stripped",
    [DISGUISE_ADVERSARIAL] = "adversarial",
};

const char *disguise_name(enum disguise disguise)
{
    return names[disguise];
}

bool disguise_of_name(struct slice name, enum disguise *disguise)
{
    for (unsigned i = 0; i < DISGUISE_COUNT; i++)
        if (slice_equal(name, slice_text(names[i]))) {
            *disguise = (enum disguise)i;
            return true;
        }
    return false;
}

uint64_t disguise_marks(enum disguise disguise, uint64_t marks, bool is_bulk)
{
    if (disguise == DISGUISE_STRIPPED)
        return marks & MARKS_PLAIN;
    if (disguise == DISGUISE_MIXED || !is_bulk)
        return marks;
    uint64_t kept =
        marks & ~MARKS_OF_LISTS & ~(MARKS_SENDER & ~MARKS_SENDER_KEPT);
    return kept | BIT(MARK_AUTO_GENERATED) | BIT(MARK_FROM_NO_REPLY);
}

static bool is_one_of(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_nocase(name, slice_text(list[i])))
            return true;
    return false;
}

static bool is_plain(struct slice name)
{
    static const char *const plain[] = { "From", "To",         "Subject",
                                         "Date", "Message-ID", "MIME-Version" };
    return slice_starts_nocase(name, SLICE("Content-"))
           || is_one_of(name, plain, ARRAY_LEN(plain));
}

static bool is_of_lists(struct slice name)
{
    static const char *const of_lists[] = {
        "Precedence",    "Feedback-ID",    "Errors-To",         "X-Campaign",
        "X-Campaign-ID", "X-CampaignID",   "X-CSA-Complaints",  "X-MC-User",
        "X-Mailgun-Tag", "X-Report-Abuse", "X-Report-Abuse-To", "X-Abuse",
        "X-List-Member", "Auto-Submitted", "X-Sendyard-Stream",
    };
    return slice_starts_nocase(name, SLICE("List-"))
           || is_one_of(name, of_lists, ARRAY_LEN(of_lists));
}

/* The same display name and domain, another local part. */
static bool add_liar(struct slice from, struct buf *out)
{
    struct addresses addresses;
    struct address address;
    addresses_init(&addresses, from);
    if (addresses_next(&addresses, &address) != RC_OK)
        return buf_add_text(out, "From: noreply@mail.example\r\n");
    size_t named = (size_t)(address.local.ptr - from.ptr);
    return buf_add_text(out, "From:") && buf_add(out, slice_head(from, named))
           && buf_add_text(out, "noreply@") && buf_add(out, address.domain)
           && buf_add_text(out,
                           slice_find(from, '<') < from.len ? ">\r\n" : "\r\n");
}

static bool add_field(enum disguise disguise, const struct header_field *field,
                      bool is_bulk, struct buf *out)
{
    if (disguise == DISGUISE_STRIPPED)
        return !is_plain(field->name) || buf_add(out, field->whole);
    if (disguise == DISGUISE_MIXED || !is_bulk)
        return buf_add(out, field->whole);
    if (slice_equal_nocase(field->name, SLICE("From")))
        return add_liar(field->value, out);
    return is_of_lists(field->name) || buf_add(out, field->whole);
}

bool disguise_header(enum disguise disguise, struct slice header, bool is_bulk,
                     struct buf *out)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK)
        if (!add_field(disguise, &field, is_bulk, out))
            return false;
    return disguise != DISGUISE_ADVERSARIAL || !is_bulk
           || buf_add_text(out, "Auto-Submitted: auto-generated\r\n"
                                "X-Sendyard-Stream: transactional\r\n");
}
