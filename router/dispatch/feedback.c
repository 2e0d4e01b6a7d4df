/* feedback.c - what becomes of mail tells of its template. */
#include "router/dispatch/feedback.h"

#include "common/base/time.h"
#include "common/proto/spamword.h"
#include "router/templates/templates.h"

/* RFC 3463: X.1.x is about the address, X.2.1 a mailbox that is closed. Old
 * servers say no more than 550. */
static bool is_of_address(const struct verdict *verdict)
{
    const struct enhanced status = verdict->enhanced;
    return status.class == 0 || status.subject == 1
           || (status.subject == 2 && status.detail == 1);
}

static bool outcome_of(const struct verdict *verdict,
                       enum guard_outcome *outcome)
{
    if (verdict->class == VERDICT_DELIVERED) {
        *outcome = GUARD_DELIVERED;
        return true;
    }
    if (verdict->code == 0)
        return false; /* our own finding */
    if (spamword_is_in(slice_text(verdict->text))) {
        *outcome = GUARD_SPAM_REPLY;
        return true;
    }
    *outcome = GUARD_HARD_BOUNCE;
    return verdict->class == VERDICT_FAILED && is_of_address(verdict);
}

void feedback_accepted(struct dispatch *dispatch,
                       const struct envelope *envelope)
{
    if (dispatch->options.templates && envelope->template != 0)
        templates_saw(dispatch->options.templates, envelope->template,
                      envelope->id);
}

void feedback_hear(struct dispatch *dispatch, const struct queued *queued,
                   const struct verdict *verdict)
{
    enum guard_outcome outcome;
    struct templates *templates = dispatch->options.templates;
    if (!templates || !outcome_of(verdict, &outcome))
        return;
    const uint64_t template = dispatch_open(dispatch, queued)->template;
    if (template == 0)
        return;
    if (outcome == GUARD_SPAM_REPLY)
        templates_saw_blamed(templates, template, queued->id);
    templates_hear(templates, template, outcome, 1, time_utc_ms());
}
