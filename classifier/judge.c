/* judge.c - which stream a message belongs to, and why. */
#include "classifier/judge.h"

#include "classifier/evidence.h"
#include "common/base/check.h"
#include "common/base/glob.h"
#include "common/proto/escape.h"
#include "common/proto/header.h"

/* Confidence, per mille, where no content is read: what each layer is worth. */
#define CONFIDENT_AGREED   950
#define CONFIDENT_DECLARED 800
#define CONFIDENT_EVIDENT  900
#define CONFIDENT_UNSURE   400

struct declaration {
    int stream; /* JUDGE_STREAM_NONE: nobody declared one */
    struct judge_reason reason;
};

static void add_reason(struct judgement *judgement, enum judge_reason_code code,
                       struct slice detail)
{
    CHECK(judgement->reason_count < JUDGE_REASONS_MAX);
    judgement->reasons[judgement->reason_count++] = (struct judge_reason){
        .code = code,
        .detail = detail,
    };
}

static int find_stream(const struct judge_policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->stream_count; i++)
        if (slice_equal_nocase(policy->streams[i].name, name))
            return (int)i;
    return JUDGE_STREAM_NONE;
}

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

static struct declaration declared_by(const struct judge_policy *policy,
                                      const struct judge_account *account,
                                      const struct judge_message *message,
                                      int header_stream)
{
    struct declaration declaration = { .stream = header_stream };
    if (header_stream != JUDGE_STREAM_NONE) {
        declaration.reason.code = REASON_DECLARED_HEADER;
        declaration.reason.detail = policy->streams[header_stream].name;
        return declaration;
    }
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct judge_rule *rule = &policy->rules[i];
        if (!rule_matches(rule, account, message))
            continue;
        declaration.stream = (int)rule->stream;
        declaration.reason.code = REASON_DECLARED_RULE;
        declaration.reason.detail = rule->name;
        return declaration;
    }
    declaration.stream = account->default_stream;
    declaration.reason.code = REASON_UNDECLARED;
    if (declaration.stream != JUDGE_STREAM_NONE) {
        declaration.reason.code = REASON_DECLARED_ACCOUNT;
        declaration.reason.detail = policy->streams[declaration.stream].name;
    }
    return declaration;
}

/* How far down a declared class has to go: what evidence and trust leave. */
static enum judge_class class_allowed(const struct judge_account *account,
                                      enum judge_class declared,
                                      struct judgement *judgement)
{
    if (judgement->evident > declared) {
        if (account->trust == JUDGE_TRUST_ALWAYS) {
            add_reason(judgement, REASON_TRUSTED, slice_text(NULL));
            return declared;
        }
        return judgement->evident;
    }
    if (account->trust == JUDGE_TRUST_NEVER
        && declared == JUDGE_TRANSACTIONAL) {
        add_reason(judgement, REASON_NOT_TRUSTED, slice_text(NULL));
        return JUDGE_NEUTRAL;
    }
    return declared;
}

static void judge_declared(const struct judge_policy *policy,
                           const struct judge_account *account,
                           struct judgement *judgement)
{
    enum judge_class declared = policy->streams[judgement->declared].class;
    enum judge_class allowed = class_allowed(account, declared, judgement);
    judgement->stream = (unsigned)judgement->declared;
    judgement->confidence =
        judgement->evident == declared ? CONFIDENT_AGREED : CONFIDENT_DECLARED;
    if (allowed == declared)
        return;

    judgement->would_move = true;
    judgement->confidence = CONFIDENT_EVIDENT;
    add_reason(judgement, REASON_MOVED_DOWN,
               slice_text(judge_class_name(allowed)));
    if (!policy->enforce) {
        add_reason(judgement, REASON_OBSERVED, slice_text(NULL));
        return;
    }
    judgement->is_moved = true;
    judgement->stream = policy->class_streams[allowed];
}

static void judge_undeclared(const struct judge_policy *policy,
                             struct judgement *judgement)
{
    /* Nothing is moved up by a guess: without a word of anybody the best that
     * mail can be is neutral. */
    judgement->stream = policy->class_streams[judgement->evident];
    judgement->confidence =
        judgement->evident == JUDGE_BULK ? CONFIDENT_EVIDENT : CONFIDENT_UNSURE;
}

void judge(const struct judge_policy *policy,
           const struct judge_account *account,
           const struct judge_message *message, struct judgement *judgement)
{
    *judgement = (struct judgement){ .declared = JUDGE_STREAM_NONE };
    struct evidence evidence;
    evidence_read(message, policy->bulk_recipients, &evidence);

    int header_stream = find_stream(policy, evidence.declared);
    if (header_stream == JUDGE_STREAM_NONE)
        judgement->unknown_stream = evidence.declared;

    struct declaration declaration =
        declared_by(policy, account, message, header_stream);
    judgement->declared = declaration.stream;
    judgement->reasons[judgement->reason_count++] = declaration.reason;
    for (size_t i = 0; i < evidence.count; i++)
        judgement->reasons[judgement->reason_count++] = evidence.reasons[i];
    bool is_bulk = evidence.points >= JUDGE_BULK_POINTS;

    /* Without bulk marks a declaration stands as it is. */
    judgement->evident = is_bulk ? JUDGE_BULK : JUDGE_NEUTRAL;
    if (declaration.stream == JUDGE_STREAM_NONE) {
        judge_undeclared(policy, judgement);
        return;
    }
    if (!is_bulk)
        judgement->evident = policy->streams[declaration.stream].class;
    judge_declared(policy, account, judgement);
}

const char *judge_reason_name(enum judge_reason_code code)
{
    static const char *const names[] = {
        [REASON_DECLARED_HEADER] = "declared-header",
        [REASON_DECLARED_RULE] = "declared-rule",
        [REASON_DECLARED_ACCOUNT] = "declared-account",
        [REASON_UNDECLARED] = "undeclared",
        [REASON_LIST_UNSUBSCRIBE] = "list-unsubscribe",
        [REASON_ONE_CLICK] = "one-click-unsubscribe",
        [REASON_LIST_ID] = "list-id",
        [REASON_PRECEDENCE] = "precedence",
        [REASON_FEEDBACK_ID] = "feedback-id",
        [REASON_RECIPIENTS] = "many-recipients",
        [REASON_AUTO_GENERATED] = "auto-submitted",
        [REASON_NULL_SENDER] = "null-sender",
        [REASON_MOVED_DOWN] = "moved-down",
        [REASON_TRUSTED] = "account-trusted",
        [REASON_NOT_TRUSTED] = "account-not-trusted",
        [REASON_OBSERVED] = "observe-only",
    };
    return names[code];
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

void judge_reasons_text(const struct judgement *judgement, struct buf *out)
{
    for (size_t i = 0; i < judgement->reason_count; i++) {
        const struct judge_reason *reason = &judgement->reasons[i];
        if (i > 0)
            (void)buf_add_byte(out, ' ');
        (void)buf_add_text(out, judge_reason_name(reason->code));
        if (!slice_is_empty(reason->detail)) {
            char safe[128];
            struct escape escape;
            escape_init(&escape, safe, sizeof safe);
            escape_add(&escape, reason->detail);
            (void)buf_addf(out, "=%s", safe);
        }
        if (reason->points != 0)
            (void)buf_addf(out, "(%+d)", reason->points);
    }
}
