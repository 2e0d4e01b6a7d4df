/* marks.c - what the header of a message shows of its kind. */
#include "classifier/sketch/marks.h"

#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/proto/addresses.h"
#include "common/proto/header.h"

static void set(struct marks *marks, enum mark mark)
{
    marks->bits |= UINT64_C(1) << mark;
}

static bool starts_with_any(struct slice text, const struct slice *starts,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts_nocase(text, starts[i]))
            return true;
    return false;
}

#define STARTS_WITH(text, starts)                                              \
    starts_with_any(text, starts, sizeof(starts) / sizeof((starts)[0]))

static void hear_precedence(struct marks *marks, struct slice value)
{
    if (slice_equal_nocase(value, SLICE("bulk"))
        || slice_equal_nocase(value, SLICE("list"))
        || slice_equal_nocase(value, SLICE("junk")))
        set(marks, MARK_PRECEDENCE);
}

/* RFC 3834 section 5. */
static void hear_auto_submitted(struct marks *marks, struct slice value)
{
    if (slice_starts_nocase(value, SLICE("auto-replied")))
        set(marks, MARK_AUTO_REPLIED);
    else if (!slice_equal_nocase(value, SLICE("no")))
        set(marks, MARK_AUTO_GENERATED);
}

static void hear_program(struct marks *marks, struct slice value)
{
    static const struct slice personal[] = {
        { "Microsoft", 9 }, { "Apple Mail", 10 },    { "iPhone", 6 },
        { "iPad", 4 },      { "Mozilla", 7 },        { "Thunderbird", 11 },
        { "Mutt", 4 },      { "NeoMutt", 7 },        { "K-9", 3 },
        { "Evolution", 9 }, { "KMail", 5 },          { "Gnus", 4 },
        { "Roundcube", 9 }, { "Claws", 5 },          { "git-send", 8 },
        { "Sylpheed", 8 },  { "Internet Mail", 13 }, { "QUALCOMM", 8 },
        { "Ximian", 6 },    { "exmh", 4 },           { "Pine", 4 },
        { "Alpine", 6 },    { "YahooMail", 9 },      { "Aqua", 4 },
    };
    set(marks, STARTS_WITH(value, personal) ? MARK_PERSONAL_PROGRAM
                                            : MARK_OTHER_PROGRAM);
}

static void hear_subject(struct marks *marks, struct slice value)
{
    static const struct slice answers[] = {
        { "re:", 3 }, { "fwd:", 4 }, { "fw:", 3 },   { "aw:", 3 },
        { "wg:", 3 }, { "sv:", 3 },  { "antw:", 5 }, { "rv:", 3 },
        { "tr:", 3 }, { "odp:", 4 }, { "re[", 3 },
    };
    marks->subject = value;
    if (STARTS_WITH(value, answers))
        set(marks, MARK_SUBJECT_ANSWER);
}

static void hear_from(struct marks *marks, struct slice value)
{
    marks->from = value;
}

static void hear_to(struct marks *marks, struct slice value)
{
    marks->to = value;
}

static void hear_stream(struct marks *marks, struct slice value)
{
    (void)value;
    marks->names_stream = true;
}

/* A field that a message may have, and what it is heard for. */
struct known_field {
    struct slice name; /* empty: no more of this length */
    enum mark mark;
    void (*hear)(struct marks *marks,
                 struct slice value); /* NULL: it is there */
};

#define NAME_LEN_MAX 24u
#define NAMES_A_ROW  6u

/* By the length of their names: that alone rules out nearly all. */
/* clang-format off */
static const struct known_field fields[NAME_LEN_MAX + 1][NAMES_A_ROW] = {
    [2] = {
        { { "To", 2 }, 0, hear_to },
        { { "Cc", 2 }, MARK_CC, NULL } },
    [4] = {
        { { "From", 4 }, 0, hear_from } },
    [6] = {
        { { "Sender", 6 }, MARK_SENDER, NULL } },
    [7] = {
        { { "Subject", 7 }, 0, hear_subject },
        { { "List-Id", 7 }, MARK_LIST_ID, NULL },
        { { "X-Abuse", 7 }, MARK_CAMPAIGN, NULL } },
    [8] = {
        { { "X-Mailer", 8 }, 0, hear_program },
        { { "Reply-To", 8 }, MARK_REPLY_TO, NULL },
        { { "Received", 8 }, MARK_RECEIVED, NULL } },
    [9] = {
        { { "List-Post", 9 }, MARK_LIST_OTHER, NULL },
        { { "List-Help", 9 }, MARK_LIST_OTHER, NULL },
        { { "X-MC-User", 9 }, MARK_CAMPAIGN, NULL },
        { { "Errors-To", 9 }, MARK_ERRORS_TO, NULL } },
    [10] = {
        { { "Precedence", 10 }, 0, hear_precedence },
        { { "References", 10 }, MARK_ANSWER, NULL },
        { { "User-Agent", 10 }, 0, hear_program },
        { { "X-Campaign", 10 }, MARK_CAMPAIGN, NULL },
        { { "X-Priority", 10 }, MARK_PRIORITY, NULL },
        { { "Importance", 10 }, MARK_PRIORITY, NULL } },
    [11] = {
        { { "Feedback-ID", 11 }, MARK_FEEDBACK_ID, NULL },
        { { "In-Reply-To", 11 }, MARK_ANSWER, NULL } },
    [12] = {
        { { "List-Archive", 12 }, MARK_LIST_OTHER, NULL },
        { { "X-CampaignID", 12 }, MARK_CAMPAIGN, NULL } },
    [13] = {
        { { "X-Campaign-ID", 13 }, MARK_CAMPAIGN, NULL },
        { { "X-Mailgun-Tag", 13 }, MARK_CAMPAIGN, NULL },
        { { "X-List-Member", 13 }, MARK_CAMPAIGN, NULL } },
    [14] = {
        { { "Auto-Submitted", 14 }, 0, hear_auto_submitted },
        { { "X-Report-Abuse", 14 }, MARK_CAMPAIGN, NULL } },
    [15] = {
        { { "X-Entity-Ref-ID", 15 }, MARK_ENTITY_REF, NULL } },
    [16] = {
        { { "List-Unsubscribe", 16 }, MARK_LIST_UNSUBSCRIBE, NULL },
        { { "X-CSA-Complaints", 16 }, MARK_CAMPAIGN, NULL } },
    [17] = {
        { { "X-Sendyard-Stream", 17 }, 0, hear_stream },
        { { "X-Report-Abuse-To", 17 }, MARK_CAMPAIGN, NULL } },
    [21] = {
        { { "List-Unsubscribe-Post", 21 }, MARK_ONE_CLICK, NULL } },
    [24] = {
        { { "X-Auto-Response-Suppress", 24 }, MARK_AUTO_SUPPRESS, NULL } },
};

static const struct {
    enum mark mark;
    struct slice start; /* of the local part */
} senders[] = {
    { MARK_FROM_NO_REPLY, { "no-reply", 8 } },
    { MARK_FROM_NO_REPLY, { "noreply", 7 } },
    { MARK_FROM_NO_REPLY, { "no_reply", 8 } },
    { MARK_FROM_NO_REPLY, { "donotreply", 10 } },
    { MARK_FROM_NO_REPLY, { "do-not-reply", 12 } },
    { MARK_FROM_NEWS,     { "news", 4 } },
    { MARK_FROM_NEWS,     { "offer", 5 } },
    { MARK_FROM_NEWS,     { "deals", 5 } },
    { MARK_FROM_NEWS,     { "promo", 5 } },
    { MARK_FROM_NEWS,     { "marketing", 9 } },
    { MARK_FROM_NEWS,     { "campaign", 8 } },
    { MARK_FROM_NEWS,     { "digest", 6 } },
    { MARK_FROM_NEWS,     { "events", 6 } },
    { MARK_FROM_NEWS,     { "list", 4 } },
    { MARK_FROM_MONEY,    { "billing", 7 } },
    { MARK_FROM_MONEY,    { "order", 5 } },
    { MARK_FROM_MONEY,    { "invoice", 7 } },
    { MARK_FROM_MONEY,    { "receipt", 7 } },
    { MARK_FROM_MONEY,    { "payment", 7 } },
    { MARK_FROM_MONEY,    { "shipping", 8 } },
    { MARK_FROM_MONEY,    { "rechnung", 8 } },
    { MARK_FROM_SECURITY, { "security", 8 } },
    { MARK_FROM_SECURITY, { "account", 7 } },
    { MARK_FROM_SECURITY, { "auth", 4 } },
    { MARK_FROM_SECURITY, { "login", 5 } },
    { MARK_FROM_SECURITY, { "verify", 6 } },
    { MARK_FROM_DESK,     { "support", 7 } },
    { MARK_FROM_DESK,     { "help", 4 } },
    { MARK_FROM_DESK,     { "hello", 5 } },
    { MARK_FROM_DESK,     { "info", 4 } },
    { MARK_FROM_DESK,     { "contact", 7 } },
    { MARK_FROM_DESK,     { "team", 4 } },
    { MARK_FROM_DESK,     { "service", 7 } },
    { MARK_FROM_ROBOT,    { "notif", 5 } },
    { MARK_FROM_ROBOT,    { "alert", 5 } },
    { MARK_FROM_ROBOT,    { "update", 6 } },
    { MARK_FROM_ROBOT,    { "mailer", 6 } },
    { MARK_FROM_ROBOT,    { "robot", 5 } },
    { MARK_FROM_ROBOT,    { "system", 6 } },
};
/* clang-format on */

/* Letters with one dot or underscore between, or none and few: a person's. */
static bool is_personal(struct slice local)
{
    size_t dots = 0;
    for (size_t i = 0; i < local.len; i++) {
        dots += local.ptr[i] == '.' || local.ptr[i] == '_';
        if (local.ptr[i] == '+' || local.ptr[i] == '=')
            return false;
    }
    return dots == 1;
}

static void judge_sender(struct marks *marks)
{
    struct addresses addresses;
    struct address address;
    addresses_init(&addresses, marks->from);
    if (addresses_next(&addresses, &address) != RC_OK)
        return;
    struct slice local = address.local;
    bool is_found = false;
    for (size_t i = 0; i < ARRAY_LEN(senders) && !is_found; i++) {
        is_found = slice_starts_nocase(local, senders[i].start);
        if (is_found)
            set(marks, senders[i].mark);
    }
    if (!is_found && is_personal(local))
        set(marks, MARK_FROM_PERSON);
    if (slice_find(marks->from, '<') == marks->from.len)
        set(marks, MARK_FROM_UNNAMED);
    struct slice domain = address.domain;
    size_t dot = slice_find(domain, '.');
    if (slice_find(slice_from(domain, dot + 1), '.') < domain.len - dot - 1)
        set(marks, MARK_FROM_SUBDOMAIN);
}

static void judge_recipients(struct marks *marks)
{
    if (slice_is_empty(slice_trim(marks->to))
        || slice_starts_nocase(slice_trim(marks->to), SLICE("undisclosed")))
        set(marks, MARK_NO_TO);
    if (slice_find(marks->to, '<') < marks->to.len)
        set(marks, MARK_TO_NAMED);
    size_t at = slice_find(marks->to, '@');
    struct slice behind = slice_from(marks->to, at + 1);
    if (slice_find(behind, '@') < behind.len)
        set(marks, MARK_MANY_TO);
}

static void hear(struct marks *marks, const struct header_field *field)
{
    if (field->name.len > NAME_LEN_MAX)
        return;
    const struct known_field *row = fields[field->name.len];
    for (size_t i = 0; i < NAMES_A_ROW && row[i].name.len > 0; i++) {
        if (!slice_equal_nocase(field->name, row[i].name))
            continue;
        if (row[i].hear)
            row[i].hear(marks, slice_trim(field->value));
        else
            set(marks, row[i].mark);
        return;
    }
}

void marks_read(struct slice header, struct marks *marks)
{
    *marks = (struct marks){ .bits = 0 };
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK) {
        hear(marks, &field);
        if (!marks->content.ptr
            && slice_starts_nocase(field.name, SLICE("Content-")))
            marks->content = slice_of(field.whole.ptr,
                                      (size_t)(cursor.end - field.whole.ptr));
    }
    judge_sender(marks);
    judge_recipients(marks);
}

const char *mark_name(enum mark mark)
{
    static const char *const names[MARK_COUNT] = {
        [MARK_LIST_UNSUBSCRIBE] = "list-unsubscribe",
        [MARK_ONE_CLICK] = "one-click-unsubscribe",
        [MARK_LIST_ID] = "list-id",
        [MARK_LIST_OTHER] = "list-fields",
        [MARK_PRECEDENCE] = "precedence",
        [MARK_FEEDBACK_ID] = "feedback-id",
        [MARK_AUTO_GENERATED] = "auto-generated",
        [MARK_AUTO_REPLIED] = "auto-replied",
        [MARK_AUTO_SUPPRESS] = "auto-response-suppress",
        [MARK_ANSWER] = "in-reply-to",
        [MARK_PERSONAL_PROGRAM] = "mail-program",
        [MARK_OTHER_PROGRAM] = "mailer",
        [MARK_CAMPAIGN] = "campaign-field",
        [MARK_ERRORS_TO] = "errors-to",
        [MARK_REPLY_TO] = "reply-to",
        [MARK_SENDER] = "sender-field",
        [MARK_CC] = "cc",
        [MARK_MANY_TO] = "many-in-to",
        [MARK_NO_TO] = "nobody-in-to",
        [MARK_TO_NAMED] = "recipient-named",
        [MARK_PRIORITY] = "priority",
        [MARK_ENTITY_REF] = "entity-ref",
        [MARK_RECEIVED] = "received",
        [MARK_SUBJECT_ANSWER] = "subject-answer",
        [MARK_FROM_NO_REPLY] = "from-noreply",
        [MARK_FROM_NEWS] = "from-news",
        [MARK_FROM_MONEY] = "from-billing",
        [MARK_FROM_SECURITY] = "from-security",
        [MARK_FROM_DESK] = "from-desk",
        [MARK_FROM_ROBOT] = "from-robot",
        [MARK_FROM_PERSON] = "from-person",
        [MARK_FROM_UNNAMED] = "from-unnamed",
        [MARK_FROM_SUBDOMAIN] = "from-subdomain",
    };
    return names[mark];
}
