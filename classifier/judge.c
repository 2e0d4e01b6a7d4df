/* judge.c - which stream a message belongs to, and why. */
#include "classifier/judge.h"

#include "classifier/reasons.h"
#include "classifier/undisclosed.h"
#include "common/base/attr.h"
#include "common/base/check.h"
#include "common/base/glob.h"
#include "common/proto/header.h"

#define BULK_LIKELY   500u /* per mille: undeclared mail is bulk from here */
#define BULK_SURE     900u /* and mail that was declared neutral */
#define TRUSTED_FLOOR 500u /* where the template has proven itself */
/* Words from which on hidden text is more than a preview line. */
#define HIDDEN_WORDS_MAX 64u
/* Without a model, for marks that make bulk. */
#define GUESS_SURE   950u
#define GUESS_UNSURE 400u

struct declaration {
    int stream; /* JUDGE_STREAM_NONE: nobody declared one */
    struct judge_reason reason;
};

static struct judge_reason *add_reason(struct judgement *judgement,
                                       enum judge_reason_code code,
                                       struct slice detail)
{
    CHECK(judgement->reason_count < JUDGE_REASONS_MAX);
    struct judge_reason *reason =
        &judgement->reasons[judgement->reason_count++];
    *reason = (struct judge_reason){ .code = code, .detail = detail };
    return reason;
}

static int find_stream(const struct judge_policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->stream_count; i++)
        if (slice_equal_nocase(policy->streams[i].name, name))
            return (int)i;
    return JUDGE_STREAM_NONE;
}

/* ---- declared ---------------------------------------------------------- */

static bool rule_matches(const struct judge_rule *rule,
                         const struct judge_account *account,
                         const struct judge_message *message)
{
    if (!slice_is_empty(rule->account)
        && !slice_equal(rule->account, account->name))
        return false;
    if (!slice_is_empty(rule->sender)
        && !glob_match(rule->sender, message->mail_from))
        return false;
    return slice_is_empty(rule->header)
           || header_matches(message->header, rule->header, rule->header_value);
}

static const struct judge_rule *find_rule(const struct judge_policy *policy,
                                          const struct judge_account *account,
                                          const struct judge_message *message)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (rule_matches(&policy->rules[i], account, message))
            return &policy->rules[i];
    return NULL;
}

/* The stream that the message names itself, or JUDGE_STREAM_NONE. */
static int declared_by_header(const struct judge_policy *policy,
                              const struct judge_message *message,
                              const struct sketch *sketch,
                              struct judgement *judgement)
{
    struct cursor cursor = cursor_of(message->header);
    struct header_field field;
    if (!sketch->lacks_stream_field
        && header_find(&cursor, SLICE("X-Sendyard-Stream"), &field)) {
        struct slice name = slice_trim(field.value);
        int stream = find_stream(policy, name);
        if (stream == JUDGE_STREAM_NONE)
            judgement->unknown_stream = name;
        return stream;
    }
    for (size_t i = 0; i < policy->declare_in_count; i++) {
        cursor = cursor_of(message->header);
        if (!header_find(&cursor, policy->declare_in[i], &field))
            continue;
        int stream = find_stream(policy, slice_trim(field.value));
        if (stream != JUDGE_STREAM_NONE)
            return stream;
    }
    return JUDGE_STREAM_NONE;
}

static enum judge_class class_of(const struct judge_policy *policy, int stream)
{
    return policy->streams[stream].class;
}

/* What was said before holds, unless this is lower: nobody is raised above what
 * he declared. */
static void hear(const struct judge_policy *policy, int stream,
                 enum judge_reason_code code, struct slice detail,
                 struct declaration *declaration)
{
    if (stream == JUDGE_STREAM_NONE
        || (declaration->stream != JUDGE_STREAM_NONE
            && class_of(policy, stream)
                   <= class_of(policy, declaration->stream)))
        return;
    declaration->stream = stream;
    declaration->reason.code = code;
    declaration->reason.detail =
        slice_is_empty(detail) ? policy->streams[stream].name : detail;
}

/* What the message says, then what only its way here says. */
static void hear_declaration(const struct judge_policy *policy,
                             const struct judge_account *account,
                             const struct judge_message *message,
                             const struct sketch *sketch,
                             struct judgement *judgement)
{
    const struct slice its_name = slice_text(NULL);
    const struct judge_rule *rule = find_rule(policy, account, message);
    struct declaration declaration = { .stream = JUDGE_STREAM_NONE,
                                       .reason.code = REASON_UNDECLARED };
    hear(policy, declared_by_header(policy, message, sketch, judgement),
         REASON_DECLARED_HEADER, its_name, &declaration);
    hear(policy, find_stream(policy, message->tag), REASON_DECLARED_TAG,
         its_name, &declaration);
    if (rule)
        hear(policy, (int)rule->stream, REASON_DECLARED_RULE, rule->name,
             &declaration);
    if (declaration.stream == JUDGE_STREAM_NONE)
        hear(policy, find_stream(policy, message->listener),
             REASON_DECLARED_LISTENER, its_name, &declaration);
    if (declaration.stream == JUDGE_STREAM_NONE)
        hear(policy, account->default_stream, REASON_DECLARED_ACCOUNT, its_name,
             &declaration);
    judgement->declared = declaration.stream;
    judgement->reasons[judgement->reason_count++] = declaration.reason;
}

static enum judge_class declared_class(const struct judge_policy *policy,
                                       const struct judgement *judgement)
{
    return class_of(policy, judgement->declared);
}

/* ---- evident ----------------------------------------------------------- */

/* Fields that lists and campaigns set and hardly anybody else does. */
#define LIST_MARKS                                                             \
    (UINT64_C(1) << MARK_ONE_CLICK | UINT64_C(1) << MARK_LIST_ID               \
     | UINT64_C(1) << MARK_PRECEDENCE | UINT64_C(1) << MARK_LIST_UNSUBSCRIBE   \
     | UINT64_C(1) << MARK_CAMPAIGN)

static void weigh_fields(const struct sketch *sketch,
                         struct judgement *judgement)
{
    bool is_bulk = (sketch->marks & LIST_MARKS) != 0;
    for (uint64_t left = sketch->marks & LIST_MARKS; left != 0;
         left &= left - 1)
        add_reason(judgement, REASON_MARK, slice_text(NULL))->index =
            (uint32_t)__builtin_ctzll(left);
    uint32_t sure = is_bulk ? GUESS_SURE : GUESS_UNSURE;
    judgement->per_mille[KIND_BULK] = sure;
    judgement->per_mille[KIND_TRANSACTIONAL] = (1000 - sure) / 2;
    judgement->per_mille[KIND_PERSONAL] =
        1000 - sure - judgement->per_mille[KIND_TRANSACTIONAL];
}

/* What declaring a protected stream is worth: a prior, where the account is to
 * be verified. */
static int32_t prior_of(const struct judge_policy *policy,
                        const struct judge_account *account,
                        struct judgement *judgement)
{
    if (judgement->declared == JUDGE_STREAM_NONE
        || account->trust == JUDGE_TRUST_NEVER
        || declared_class(policy, judgement) != JUDGE_TRANSACTIONAL)
        return 0;
    struct judge_reason *reason =
        add_reason(judgement, REASON_PRIOR, slice_text(NULL));
    reason->toward = KIND_TRANSACTIONAL;
    reason->points = JUDGE_PRIOR * 100 / MODEL_POINT;
    return JUDGE_PRIOR;
}

static void weigh(const struct judge_policy *policy,
                  const struct judge_account *account,
                  const struct sketch *sketch, struct judgement *judgement)
{
    struct model_score score;
    if (!policy->model || account->is_off) {
        add_reason(judgement, account->is_off ? REASON_OFF : REASON_NO_MODEL,
                   slice_text(NULL));
        weigh_fields(sketch, judgement);
        return;
    }
    model_score(policy->model, sketch, &score);
    score.total[MODEL_TRANSACTIONAL] += prior_of(policy, account, judgement);
    model_probabilities(score.total, judgement->per_mille);
    reasons_add_evidence(policy->model, &score.evidence, judgement);
}

static enum judge_kind likeliest(const uint32_t per_mille[JUDGE_KIND_COUNT])
{
    unsigned most = 0;
    for (unsigned kind = 1; kind < JUDGE_KIND_COUNT; kind++)
        most = per_mille[kind] > per_mille[most] ? kind : most;
    return (enum judge_kind)most;
}

/* Mail of systems is known by its form; true when this is. */
static bool is_system(const struct judge_message *message,
                      const struct sketch *sketch, struct judgement *judgement)
{
    bool is_null = slice_is_empty(message->mail_from);
    if (!is_null && !sketch->is_report)
        return false;
    add_reason(judgement, is_null ? REASON_NULL_SENDER : REASON_REPORT,
               slice_text(NULL));
    judgement->kind = KIND_SYSTEM;
    judgement->per_mille[KIND_SYSTEM] = 1000;
    return true;
}

/* ---- the decision ------------------------------------------------------ */

/* The floor of the protected stream that the message would go to. */
static uint32_t floor_of(const struct judge_policy *policy,
                         const struct judgement *judgement)
{
    unsigned stream = policy->kind_streams[KIND_TRANSACTIONAL];
    if (judgement->declared != JUDGE_STREAM_NONE
        && declared_class(policy, judgement) == JUDGE_TRANSACTIONAL)
        stream = (unsigned)judgement->declared;
    return policy->streams[stream].floor;
}

/* Does the template's standing allow the protected track? */
static bool template_allows(const struct judge_standing *standing,
                            struct judgement *judgement)
{
    struct judge_reason *reason;
    switch (standing->state) {
    case TEMPLATE_UNKNOWN:
    case TEMPLATE_TRUSTED:
        return true;
    case TEMPLATE_TRIPPED:
        add_reason(judgement, REASON_TRIPPED, slice_text(NULL));
        return false;
    case TEMPLATE_NEW:
    case TEMPLATE_PROBATION:
        break;
    }
    reason = add_reason(judgement,
                        standing->is_spent ? REASON_PROBATION_SPENT
                                           : REASON_PROBATION,
                        slice_text(NULL));
    reason->value = standing->recipients;
    judgement->needs_budget = !standing->is_spent;
    return !standing->is_spent;
}

/* What no declaration and no trust can make protected: so many recipients, or
 * none that is named, and what could not be read to its end. */
static bool is_barred(const struct judge_policy *policy,
                      const struct judge_message *message,
                      const struct sketch *sketch, struct judgement *judgement)
{
    if (message->recipient_count > policy->max_recipients) {
        add_reason(judgement, REASON_RECIPIENTS, slice_text(NULL))->value =
            (uint32_t)message->recipient_count;
        return true;
    }
    if (undisclosed(message->header, message->recipient_count)) {
        add_reason(judgement, REASON_UNDISCLOSED, slice_text(NULL));
        return true;
    }
    if (sketch->is_truncated)
        add_reason(judgement, REASON_TRUNCATED, slice_text(NULL));
    return sketch->is_truncated;
}

/* Much that is hidden was not read, and a style sheet may show it after all. */
static bool hides_much(const struct sketch *sketch, struct judgement *judgement)
{
    const uint32_t words = sketch->measures[MEASURE_HIDDEN_WORDS];
    if (words >= HIDDEN_WORDS_MAX)
        add_reason(judgement, REASON_HIDDEN_TEXT, slice_text(NULL))->value =
            words;
    return words >= HIDDEN_WORDS_MAX;
}

/* A protected place must be earned by all: the text, the form, the template. */
static bool may_protect(const struct judge_policy *policy,
                        const struct sketch *sketch,
                        const struct judge_standing *standing,
                        struct judgement *judgement)
{
    uint32_t floor = floor_of(policy, judgement);
    if (standing->state == TEMPLATE_TRUSTED && floor > TRUSTED_FLOOR)
        floor = TRUSTED_FLOOR;
    if (judgement->is_barred)
        return false;
    if (standing->is_taught && standing->state != TEMPLATE_TRIPPED)
        return standing->taught == KIND_TRANSACTIONAL;
    if (hides_much(sketch, judgement))
        return false;
    if (judgement->per_mille[KIND_TRANSACTIONAL] < floor) {
        add_reason(judgement, REASON_BELOW_FLOOR, slice_text(NULL))->value =
            floor;
        return false;
    }
    return template_allows(standing, judgement);
}

static bool is_bulk(const struct judge_policy *policy,
                    const struct judge_message *message,
                    const struct judge_standing *standing,
                    struct judgement *judgement)
{
    if (standing->is_taught)
        return standing->taught == KIND_BULK;
    if (standing->is_blamed) {
        add_reason(judgement, REASON_COMPLAINTS, slice_text(NULL));
        return true;
    }
    if (policy->bulk_recipients > 0
        && message->recipient_count >= policy->bulk_recipients)
        return true;
    bool is_neutral = judgement->declared != JUDGE_STREAM_NONE
                      && declared_class(policy, judgement) == JUDGE_NEUTRAL;
    return judgement->per_mille[KIND_BULK]
           >= (is_neutral ? BULK_SURE : BULK_LIKELY);
}

/* The highest class that the evidence leaves. */
static void find_evident(const struct judge_policy *policy,
                         const struct judge_account *account,
                         const struct judge_message *message,
                         const struct sketch *sketch,
                         const struct judge_standing *standing,
                         struct judgement *judgement)
{
    judgement->evident = JUDGE_TRANSACTIONAL;
    judgement->is_barred = is_barred(policy, message, sketch, judgement);
    if (is_system(message, sketch, judgement)) {
        judgement->evident = JUDGE_NEUTRAL;
        return;
    }
    weigh(policy, account, sketch, judgement);
    judgement->kind = likeliest(judgement->per_mille);
    if (standing->is_taught) {
        judgement->kind = standing->taught;
        add_reason(judgement, REASON_TAUGHT,
                   slice_text(judge_kind_name(standing->taught)));
    }
    if (is_bulk(policy, message, standing, judgement))
        judgement->evident = JUDGE_BULK;
    else if (!may_protect(policy, sketch, standing, judgement))
        judgement->evident = JUDGE_NEUTRAL;
}

/* Where mail goes that nobody declared. */
static unsigned stream_of_evidence(const struct judge_policy *policy,
                                   const struct judgement *judgement)
{
    if (judgement->kind == KIND_SYSTEM)
        return policy->kind_streams[KIND_SYSTEM];
    if (judgement->evident == JUDGE_BULK)
        return policy->kind_streams[KIND_BULK];
    if (judgement->evident == JUDGE_TRANSACTIONAL)
        return policy->kind_streams[KIND_TRANSACTIONAL];
    return judgement->kind == KIND_PERSONAL
               ? policy->kind_streams[KIND_PERSONAL]
               : policy->unsure_stream;
}

/* In observe mode nothing goes anywhere for what it says. */
static void place_undeclared(const struct judge_policy *policy,
                             const struct judge_account *account,
                             struct judgement *judgement)
{
    const unsigned stream = stream_of_evidence(policy, judgement);
    judgement->stream = stream;
    if (account->enforce || account->is_off || stream == policy->unsure_stream)
        return;
    judgement->stream = policy->unsure_stream;
    judgement->would_move = true;
    add_reason(judgement, REASON_OBSERVED, policy->streams[stream].name);
}

/* The class that a declared message is left with. */
static enum judge_class class_allowed(const struct judge_account *account,
                                      enum judge_class declared,
                                      struct judgement *judgement)
{
    if (judgement->evident > declared) {
        const bool is_believed =
            account->trust == JUDGE_TRUST_ALWAYS
            || (account->is_off && account->trust != JUDGE_TRUST_NEVER);
        if (is_believed && !judgement->is_barred) {
            add_reason(judgement, REASON_TRUSTED, slice_text(NULL));
            judgement->needs_budget = false;
            return declared;
        }
        return judgement->evident;
    }
    return declared;
}

static void place_declared(const struct judge_policy *policy,
                           const struct judge_account *account,
                           struct judgement *judgement)
{
    enum judge_class declared = declared_class(policy, judgement);
    enum judge_class allowed = class_allowed(account, declared, judgement);
    judgement->stream = (unsigned)judgement->declared;
    if (allowed == declared)
        return;
    judgement->would_move = true;
    add_reason(judgement, REASON_MOVED_DOWN,
               slice_text(judge_class_name(allowed)));
    if (!account->enforce) {
        add_reason(judgement, REASON_OBSERVED, slice_text(NULL));
        return;
    }
    judgement->is_moved = true;
    judgement->stream = allowed == JUDGE_BULK ? policy->kind_streams[KIND_BULK]
                                              : policy->unsure_stream;
}

void judge(const struct judge_policy *policy,
           const struct judge_account *account,
           const struct judge_message *message, const struct sketch *sketch,
           const struct judge_standing *standing, struct judgement *judgement)
{
    *judgement = (struct judgement){ .declared = JUDGE_STREAM_NONE };
    hear_declaration(policy, account, message, sketch, judgement);
    find_evident(policy, account, message, sketch, standing, judgement);
    if (judgement->declared == JUDGE_STREAM_NONE)
        place_undeclared(policy, account, judgement);
    else
        place_declared(policy, account, judgement);
    judgement->is_protected =
        policy->streams[judgement->stream].class == JUDGE_TRANSACTIONAL;
}

const char *judge_class_name(enum judge_class class)
{
    static const char *const names[JUDGE_CLASS_COUNT] = {
        [JUDGE_TRANSACTIONAL] = "transactional",
        [JUDGE_NEUTRAL] = "neutral",
        [JUDGE_BULK] = "bulk",
    };
    return names[class];
}

const char *judge_kind_name(enum judge_kind kind)
{
    static const char *const names[JUDGE_KIND_COUNT] = {
        [KIND_TRANSACTIONAL] = "transactional",
        [KIND_BULK] = "bulk",
        [KIND_PERSONAL] = "personal",
        [KIND_SYSTEM] = "system",
    };
    return names[kind];
}

bool judge_kind_of(struct slice name, enum judge_kind *kind)
{
    for (unsigned i = 0; i < JUDGE_KIND_COUNT; i++)
        if (slice_equal(name,
                        slice_text(judge_kind_name((enum judge_kind)i)))) {
            *kind = (enum judge_kind)i;
            return true;
        }
    return false;
}
