/* arf.c - reads a report of abuse. */
#include "common/proto/arf.h"

#include "common/proto/header.h"
#include "common/proto/mime.h"

static const char *const type_names[] = {
    [ARF_ABUSE] = "abuse",     [ARF_FRAUD] = "fraud",
    [ARF_VIRUS] = "virus",     [ARF_NOT_SPAM] = "not-spam",
    [ARF_OPT_OUT] = "opt-out", [ARF_AUTH_FAILURE] = "auth-failure",
    [ARF_OTHER] = "other",
};

/* What a Content-Type says; slices into the header. */
struct form {
    struct slice type;
    struct slice subtype;
    struct slice boundary;
    struct slice report_type;
};

static struct slice value_of(struct slice header, struct slice name)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    return header_find(&cursor, name, &field) ? slice_trim(field.value)
                                              : slice_text(NULL);
}

static void read_form(struct slice header, struct form *form)
{
    struct cursor value = cursor_of(value_of(header, SLICE("Content-Type")));
    struct mime_param param;
    *form = (struct form){ .type = slice_text(NULL) };
    if (mime_take_type(&value, &form->type, &form->subtype) != RC_OK)
        return;
    while (mime_next_param(&value, &param) == RC_OK) {
        if (slice_equal_nocase(param.name, SLICE("boundary")))
            form->boundary = param.value;
        else if (slice_equal_nocase(param.name, SLICE("report-type")))
            form->report_type = param.value;
    }
}

static bool is_form(const struct form *form, struct slice type,
                    struct slice subtype)
{
    return slice_equal_nocase(form->type, type)
           && slice_equal_nocase(form->subtype, subtype);
}

static bool is_jmrp(const struct form *form, struct slice header)
{
    return is_form(form, SLICE("multipart"), SLICE("mixed"))
           && slice_starts_nocase(value_of(header, SLICE("Subject")),
                                  SLICE("complaint about message from"));
}

static bool is_feedback(const struct form *form)
{
    return is_form(form, SLICE("multipart"), SLICE("report"))
           && slice_equal_nocase(form->report_type, SLICE("feedback-report"));
}

static enum arf_type type_of(struct slice word)
{
    for (int i = ARF_ABUSE; i < ARF_OTHER; i++)
        if (slice_equal_nocase(word, slice_text(type_names[i])))
            return (enum arf_type)i;
    /* Older than the registry, which has none for it. */
    return slice_equal_nocase(word, SLICE("opt-out-list")) ? ARF_OPT_OUT
                                                           : ARF_OTHER;
}

/* "rfc822; <bob@example.net>" is bob@example.net. */
static struct slice bare_address(struct slice value)
{
    if (slice_starts_nocase(value, SLICE("rfc822;")))
        value = slice_trim(slice_from(value, 7));
    if (value.len >= 2 && value.ptr[0] == '<'
        && value.ptr[value.len - 1] == '>')
        value = slice_head(slice_from(value, 1), value.len - 2);
    return value;
}

/* The part for machines has the form of a header. */
static void read_machine_part(struct slice body, struct arf *arf)
{
    body = slice_trim(body);
    arf->type = type_of(value_of(body, SLICE("Feedback-Type")));
    arf->user_agent = value_of(body, SLICE("User-Agent"));
    arf->recipient = bare_address(value_of(body, SLICE("Original-Rcpt-To")));
    if (slice_is_empty(arf->recipient))
        arf->recipient =
            bare_address(value_of(body, SLICE("Removal-Recipient")));
}

static bool is_returned(const struct form *form)
{
    return is_form(form, SLICE("message"), SLICE("rfc822"))
           || is_form(form, SLICE("message"), SLICE("global"))
           || is_form(form, SLICE("message"), SLICE("global-headers"))
           || is_form(form, SLICE("text"), SLICE("rfc822-headers"))
           || is_form(form, SLICE("text"), SLICE("rfc822-header"));
}

/* A header that ends badly is taken as far as it goes. */
static struct slice header_of(struct slice message)
{
    struct header_split split;
    const enum rc rc = header_split(message, &split);
    (void)rc;
    return split.header;
}

/* What one part adds. True: it is the one for machines. */
static bool read_part(struct slice part, struct arf *arf)
{
    struct header_split split;
    struct form form;
    if (header_split(part, &split) != RC_OK)
        return false;
    read_form(split.header, &form);
    if (is_returned(&form) && slice_is_empty(arf->header))
        arf->header = header_of(split.body);
    if (!is_form(&form, SLICE("message"), SLICE("feedback-report")))
        return false;
    read_machine_part(split.body, arf);
    return true;
}

/* True: one of the parts is for machines. */
static bool read_parts(struct slice body, struct slice boundary,
                       struct arf *arf)
{
    struct cursor lines = cursor_of(body);
    struct mime_delimiter delimiter;
    bool has_machine_part = false;
    bool is_in = mime_next_delimiter(&lines, boundary, &delimiter);
    for (unsigned i = 0; is_in && !delimiter.is_last && i < ARF_PARTS_MAX;
         i++) {
        const char *from = lines.at;
        is_in = mime_next_delimiter(&lines, boundary, &delimiter);
        const char *end = is_in ? delimiter.line.ptr : lines.end;
        has_machine_part |=
            read_part(slice_of(from, (size_t)(end - from)), arf);
    }
    return has_machine_part;
}

enum rc arf_read(struct slice message, struct arf *arf)
{
    struct header_split split;
    struct form form;
    struct arf found = { .type = ARF_ABUSE };
    if (header_split(message, &split) != RC_OK)
        return RC_NONE;
    read_form(split.header, &form);
    const bool has_no_machine_part = is_jmrp(&form, split.header);
    if (slice_is_empty(form.boundary)
        || (!is_feedback(&form) && !has_no_machine_part))
        return RC_NONE;
    const bool is_whole = read_parts(split.body, form.boundary, &found);
    if (slice_is_empty(found.header) || (!is_whole && !has_no_machine_part))
        return RC_NONE;
    if (slice_is_empty(found.recipient))
        found.recipient = bare_address(
            value_of(found.header, SLICE("X-HmXmrOriginalRecipient")));
    found.report_id = value_of(split.header, SLICE("Message-ID"));
    *arf = found;
    return RC_OK;
}

bool arf_is_complaint(enum arf_type type)
{
    return type == ARF_ABUSE || type == ARF_FRAUD || type == ARF_VIRUS;
}

const char *arf_type_name(enum arf_type type)
{
    return type_names[type];
}
