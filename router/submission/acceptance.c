/* acceptance.c - may this message leave here, in which stream, by which
 * routes? */
#include "router/submission/acceptance.h"

#include <stdio.h>

#include "common/base/chars.h"
#include "common/proto/addresses.h"
#include "common/proto/escape.h"
#include "common/proto/path.h"
#include "router/submission/limits.h"

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

static bool choose_stream(const struct acceptance_question *question,
                          struct acceptance *acceptance)
{
    struct judge_account account;
    const struct judge_message message = {
        .mail_from = question->mail_from,
        .recipient_count = question->recipient_count,
        .header = question->header,
        .text = question->text,
    };
    policy_account(question->account, &account);
    judge(&question->policy->judge, &account, &message, &acceptance->judgement);
    struct slice unknown = acceptance->judgement.unknown_stream;
    if (unknown.len > 0)
        return refuse_form(acceptance, "X-Sendyard-Stream names no stream",
                           unknown);
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
    survey_read(question->header, &acceptance->survey);
    if (!check_header(question, acceptance)
        || !choose_stream(question, acceptance))
        return;
    choose_routes(question, acceptance->stream, routes);
    acceptance->is_allowed = true;
}
