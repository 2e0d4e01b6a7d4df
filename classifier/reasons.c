/* reasons.c - why a message was judged as it was, in codes and in text. */
#include "classifier/reasons.h"

#include "classifier/dictionary.h"
#include "common/base/check.h"
#include "common/proto/escape.h"

static enum judge_kind kind_of(enum model_class class)
{
    static const enum judge_kind kinds[MODEL_CLASSES] = {
        [MODEL_TRANSACTIONAL] = KIND_TRANSACTIONAL,
        [MODEL_BULK] = KIND_BULK,
        [MODEL_PERSONAL] = KIND_PERSONAL,
    };
    return kinds[class];
}

static enum judge_reason_code code_of(enum evidence_kind kind)
{
    static const enum judge_reason_code codes[] = {
        [EVIDENCE_TEXT] = REASON_TEXT,
        [EVIDENCE_MARK] = REASON_MARK,
        [EVIDENCE_MEASURE] = REASON_MEASURE,
        [EVIDENCE_WORD] = REASON_WORD,
    };
    return codes[kind];
}

static struct slice detail_of(const struct model *model,
                              const struct evidence_piece *piece)
{
    if (piece->kind != EVIDENCE_WORD)
        return slice_text(NULL);
    return dictionary_find(model->dictionary, (uint16_t)piece->index);
}

void reasons_add_evidence(const struct model *model,
                          const struct evidence *evidence,
                          struct judgement *judgement)
{
    for (uint32_t i = 0; i < evidence->count; i++) {
        const struct evidence_piece *piece = &evidence->pieces[i];
        const int32_t points =
            (int32_t)((int64_t)piece->spread * 100
                      / ((int64_t)MODEL_CLASSES * MODEL_POINT));
        if (points == 0)
            return;
        CHECK(judgement->reason_count < JUDGE_REASONS_MAX);
        judgement->reasons[judgement->reason_count++] = (struct judge_reason){
            .code = code_of(piece->kind),
            .toward = kind_of((enum model_class)piece->toward),
            .points = points,
            .index = piece->index,
            .value = piece->value,
            .detail = detail_of(model, piece),
        };
    }
}

const char *judge_reason_name(enum judge_reason_code code)
{
    static const char *const names[JUDGE_REASON_COUNT] = {
        [REASON_NULL_SENDER] = "null-sender",
        [REASON_REPORT] = "delivery-report",
        [REASON_UNDISCLOSED] = "undisclosed-recipients",
        [REASON_RECIPIENTS] = "many-recipients",
        [REASON_DECLARED_HEADER] = "declared-header",
        [REASON_DECLARED_TAG] = "declared-tag",
        [REASON_DECLARED_RULE] = "declared-rule",
        [REASON_DECLARED_LISTENER] = "declared-listener",
        [REASON_DECLARED_ACCOUNT] = "declared-account",
        [REASON_UNDECLARED] = "undeclared",
        [REASON_PRIOR] = "declared",
        [REASON_MARK] = "header",
        [REASON_MEASURE] = "shape",
        [REASON_WORD] = "word",
        [REASON_TEXT] = "text",
        [REASON_TRUNCATED] = "truncated",
        [REASON_HIDDEN_TEXT] = "hidden-text",
        [REASON_NO_MODEL] = "no-model",
        [REASON_OFF] = "classifier-off",
        [REASON_TAUGHT] = "taught",
        [REASON_PROBATION] = "probation",
        [REASON_PROBATION_SPENT] = "probation-spent",
        [REASON_TRIPPED] = "template-tripped",
        [REASON_COMPLAINTS] = "template-complaints",
        [REASON_BELOW_FLOOR] = "below-floor",
        [REASON_MOVED_DOWN] = "moved-down",
        [REASON_TRUSTED] = "account-trusted",
        [REASON_OBSERVED] = "observe-only",
    };
    return names[code];
}

/* Every message has a dozen of these, which printf would take longer for than
 * the model for its sums. */
static void add_value(uint32_t value, struct buf *out)
{
    (void)buf_add_byte(out, '=');
    (void)buf_add_number(out, value);
}

/* "(+1.50:bulk)"; points are never negative. */
static void add_points(const struct judge_reason *reason, struct buf *out)
{
    const uint32_t points = (uint32_t)reason->points;
    (void)buf_add(out, SLICE("(+"));
    (void)buf_add_number(out, points / 100);
    (void)buf_add_byte(out, '.');
    (void)buf_add_byte(out, (char)('0' + points / 10 % 10));
    (void)buf_add_byte(out, (char)('0' + points % 10));
    (void)buf_add_byte(out, ':');
    (void)buf_add_text(out, judge_kind_name(reason->toward));
    (void)buf_add_byte(out, ')');
}

static void add_name(const struct judge_reason *reason, struct buf *out)
{
    if (reason->code == REASON_MARK) {
        (void)buf_add_text(out, mark_name((enum mark)reason->index));
    } else if (reason->code == REASON_MEASURE) {
        (void)buf_add_text(out, measure_name((enum measure)reason->index));
        add_value(reason->value, out);
    } else {
        (void)buf_add_text(out, judge_reason_name(reason->code));
    }
    if (reason->code == REASON_WORD)
        (void)buf_addf(out, "#%04x", reason->index);
    if (reason->code == REASON_PROBATION || reason->code == REASON_BELOW_FLOOR
        || reason->code == REASON_PROBATION_SPENT
        || reason->code == REASON_HIDDEN_TEXT
        || reason->code == REASON_RECIPIENTS)
        add_value(reason->value, out);
}

/* What came from outside is escaped; a pair of words stays one word here. */
static void add_detail(const struct judge_reason *reason, struct buf *out)
{
    char safe[128];
    struct escape escape;
    escape_init(&escape, safe, sizeof safe);
    escape_add(&escape, reason->detail);
    for (char *at = safe; *at && reason->code == REASON_WORD; at++)
        *at = (char)(*at == ' ' ? '_' : *at);
    (void)buf_add_byte(out, '=');
    (void)buf_add_text(out, safe);
}

void judge_reasons_text(const struct judgement *judgement, struct buf *out)
{
    for (size_t i = 0; i < judgement->reason_count; i++) {
        const struct judge_reason *reason = &judgement->reasons[i];
        if (i > 0)
            (void)buf_add_byte(out, ' ');
        add_name(reason, out);
        if (!slice_is_empty(reason->detail))
            add_detail(reason, out);
        if (reason->points != 0)
            add_points(reason, out);
    }
}
