/* acceptance.c - may this message leave here, in which stream, by which
 * routes? */
#include "router/submission/acceptance.h"

#include <stdio.h>

#include "common/base/chars.h"
#include "common/proto/addresses.h"
#include "common/proto/escape.h"
#include "common/proto/path.h"
#include "router/submission/limits.h"
#include "router/templates/templates.h"
#include "router/templates/trial.h"

/* Bytes of a stranger's text that a refusal repeats. */
#define REPEAT_SIZE 128

bool acceptance_allows_domain(const struct conf_account *account,
                              struct slice domain)
{
    for (size_t i = 0; i < account->from_domains.count; i++) {
        struct slice allowed = slice_text(account->from_domains.items[i]);
        bool is_match =
            allowed.len > 0 && allowed.ptr[0] == '.'
                ? domain.len > allowed.len && slice_ends_nocase(domain, allowed)
                : slice_equal_nocase(domain, allowed);
        if (is_match)
            return true;
    }
    return false;
}

static bool refuse(struct acceptance *acceptance, uint16_t code,
                   struct enhanced enhanced, const char *text,
                   struct slice repeated)
{
    char safe[REPEAT_SIZE];
    struct escape escape;
    escape_init(&escape, safe, sizeof safe);
    escape_add(&escape, repeated);
    acceptance->code = code;
    acceptance->enhanced = enhanced;
    (void)snprintf(acceptance->text, sizeof acceptance->text, "%s%s%s", text,
                   repeated.len > 0 ? ": " : "", safe);
    return false;
}

static bool refuse_form(struct acceptance *acceptance, const char *text,
                        struct slice repeated)
{
    return refuse(acceptance, 550, (struct enhanced){ 5, 6, 0 }, text,
                  repeated);
}

/* Every address of a From or Sender field is within the account's domains. */
static bool check_authors(const struct acceptance_question *question,
                          const char *name, struct slice value,
                          struct acceptance *acceptance)
{
    struct addresses addresses;
    struct address address;
    enum rc rc;
    size_t count = 0;
    char text[REPEAT_SIZE];
    addresses_init(&addresses, value);
    while ((rc = addresses_next(&addresses, &address)) == RC_OK) {
        count++;
        if (acceptance_allows_domain(question->account, address.domain))
            continue;
        (void)snprintf(text, sizeof text, "Not allowed to send as this %s",
                       name);
        return refuse(acceptance, 550, (struct enhanced){ 5, 7, 1 }, text,
                      address.domain);
    }
    if (rc == RC_NONE && count > 0)
        return true;
    (void)snprintf(text, sizeof text, "Cannot read the addresses in %s", name);
    return refuse_form(acceptance, text, slice_text(""));
}

static bool check_header(const struct acceptance_question *question,
                         struct acceptance *acceptance)
{
    const struct survey *survey = &acceptance->survey;
    const struct slice nothing = slice_text("");
    if (question->is_header_cut)
        return refuse_form(acceptance, "The header has a line that is no field",
                           nothing);
    if (survey->received_count > SUBMISSION_RECEIVED_MAX)
        return refuse(acceptance, 554, (struct enhanced){ 5, 4, 6 },
                      "Too many Received fields: this message is in a loop",
                      nothing);
    if (survey->from_count > 1 || survey->sender_count > 1)
        return refuse_form(acceptance, "From or Sender is there twice",
                           nothing);
    if (survey->from_count == 0 && question->mail_from.len == 0)
        return refuse_form(acceptance, "The header has no From field", nothing);
    if (survey->from_count > 0
        && !check_authors(question, "From", survey->from, acceptance))
        return false;
    return survey->sender_count == 0
           || check_authors(question, "Sender", survey->sender, acceptance);
}

/* The recipients whose names the sketch masks: more would hardly be named. */
#define NAMED_MAX 2

/* Of mail that is not to be read the header alone. */
static void take_marks(const struct acceptance_question *question,
                       struct sketch *sketch)
{
    struct marks marks;
    *sketch = (struct sketch){ .token_count = 0 };
    marks_read(question->header, &marks);
    sketch->marks = marks.bits;
}

static void take_sketch(const struct acceptance_question *question,
                        struct sketch *sketch)
{
    struct slice named[NAMED_MAX];
    size_t count = 0;
    for (; count < NAMED_MAX && count < question->recipient_count; count++)
        named[count] = question->recipients[count].address;
    const struct sketch_message message = {
        .header = question->header,
        .body = question->text,
        .recipients = named,
        .recipient_count = count,
    };
    sketch_take(question->sketcher, &message, sketch);
}

static bool refuse_moved(const struct acceptance_question *question,
                         struct acceptance *acceptance)
{
    const struct judgement *judgement = &acceptance->judgement;
    char text[REPEAT_SIZE];
    (void)snprintf(text, sizeof text, "Declared %s, but found to be %s",
                   question->conf->streams[judgement->declared].name,
                   judge_kind_name(judgement->kind));
    return refuse(acceptance, 550, (struct enhanced){ 5, 7, 1 }, text,
                  slice_text(""));
}

static struct slice name_of(const struct conf_stream *stream)
{
    return slice_text(stream ? stream->name : NULL);
}

static void judge_message(const struct acceptance_question *question,
                          struct acceptance *acceptance)
{
    struct judge_account account;
    struct sketch sketch;
    struct slice recipients[TEMPLATES_HASHES_MAX];
    const struct judge_message message = {
        .mail_from = question->mail_from,
        .recipient_count = question->recipient_count,
        .header = question->header,
        .tag = name_of(question->tagged),
        .listener =
            name_of(question->listener ? question->listener->stream : NULL),
    };
    policy_account(question->conf, question->account, &account);
    if (account.is_off)
        take_marks(question, &sketch);
    else
        take_sketch(question, &sketch);
    for (size_t i = 0;
         i < TEMPLATES_HASHES_MAX && i < question->recipient_count; i++)
        recipients[i] = question->recipients[i].address;
    const struct trial trial = {
        .policy = &question->policy->judge,
        .account = &account,
        .message = &message,
        .sketch = &sketch,
        .templates = account.is_off ? NULL : question->templates,
        .asker = account.is_off ? NULL : question->asker,
        .tenant = slice_text(question->account ? question->account->tenant->name
                                               : NULL),
        .recipients = recipients,
        .recipient_count = question->recipient_count,
        .now_utc_ms = question->now_utc_ms,
    };
    acceptance->template = trial_judge(&trial, &acceptance->judgement);
}

static bool choose_stream(const struct acceptance_question *question,
                          struct acceptance *acceptance)
{
    judge_message(question, acceptance);
    struct slice unknown = acceptance->judgement.unknown_stream;
    if (unknown.len > 0)
        return refuse_form(acceptance, "X-Sendyard-Stream names no stream",
                           unknown);
    if (acceptance->judgement.is_moved
        && question->conf->classifier.disagree == DISAGREE_REJECT)
        return refuse_moved(question, acceptance);
    acceptance->stream = &question->conf->streams[acceptance->judgement.stream];
    return true;
}

/* What follows the last "@", in lower case. */
static struct slice lower_domain(struct slice address,
                                 char text[PATH_DOMAIN_MAX])
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    if (at == 0)
        return slice_text("");
    struct slice domain = slice_head(slice_from(address, at), PATH_DOMAIN_MAX);
    for (size_t i = 0; i < domain.len; i++)
        text[i] = char_lower(domain.ptr[i]);
    return slice_of(text, domain.len);
}

static void choose_routes(const struct acceptance_question *question,
                          const struct conf_stream *stream,
                          struct route_answer *routes)
{
    char sender[PATH_DOMAIN_MAX];
    char recipient[PATH_DOMAIN_MAX];
    const struct route_question asked = {
        .account = question->account,
        .stream = stream,
        .sender_domain = lower_domain(question->mail_from, sender),
        .header = question->header,
    };
    for (size_t i = 0; i < question->recipient_count; i++)
        route_choose(question->conf, &asked,
                     lower_domain(question->recipients[i].address, recipient),
                     &routes[i]);
}

void acceptance_decide(const struct acceptance_question *question,
                       struct acceptance *acceptance,
                       struct route_answer *routes)
{
    acceptance->is_allowed = false;
    acceptance->code = 0;
    survey_read(question->header, &question->conf->classifier.declare_in,
                &acceptance->survey);
    if (!check_header(question, acceptance)
        || !choose_stream(question, acceptance))
        return;
    choose_routes(question, acceptance->stream, routes);
    acceptance->is_allowed = true;
}
