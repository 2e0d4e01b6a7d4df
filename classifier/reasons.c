/* reasons.c - of all that the model weighed, what counted most. */
#include "classifier/reasons.h"

#include "classifier/dictionary.h"
#include "common/base/attr.h"
#include "common/base/check.h"
#include "common/proto/escape.h"

#define WORDS_MAX 3u /* single words among the reasons */

/* What something weighs for each of the model's classes, in their order. */
struct weights {
    int32_t transactional;
    int32_t bulk;
    int32_t personal;
};

/* One piece of evidence. Its spread is three times what its heaviest weight
 * has over the mean of the three: a whole number, and no division. */
struct piece {
    enum judge_reason_code code;
    enum judge_kind toward;
    int32_t spread;
    uint32_t index;
    uint32_t value;
};

/* The heaviest so far, heaviest first. */
struct heap {
    struct piece items[JUDGE_EVIDENCE_MAX];
    size_t count;
    size_t max;
    int32_t least; /* what is not above is not kept */
};

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void insert(struct heap *heap, const struct piece *piece)
{
    size_t at = heap->count < heap->max ? heap->count++ : heap->count - 1;
    for (; at > 0 && heap->items[at - 1].spread < piece->spread; at--)
        heap->items[at] = heap->items[at - 1];
    heap->items[at] = *piece;
    if (heap->count == heap->max)
        heap->least = heap->items[heap->count - 1].spread;
}

/* Most of what is weighed is not kept: that is decided first. */
static inline void keep(struct heap *heap, enum judge_reason_code code,
                        struct weights of, uint32_t index, uint32_t value)
{
    const int32_t most = larger(larger(of.transactional, of.bulk), of.personal);
    const int32_t spread =
        MODEL_CLASSES * most - of.transactional - of.bulk - of.personal;
    if (spread <= heap->least)
        return;
    const struct piece piece = {
        .code = code,
        .toward = most == of.transactional ? KIND_TRANSACTIONAL
                  : most == of.bulk        ? KIND_BULK
                                           : KIND_PERSONAL,
        .spread = spread,
        .index = index,
        .value = value,
    };
    insert(heap, &piece);
}

static void find_words(const struct model *model, const struct sketch *sketch,
                       struct heap *heap)
{
    struct heap words = { .max = WORDS_MAX };
    for (uint32_t i = 0; i < sketch->token_count; i++) {
        const int8_t *of = model_word(model, sketch->tokens[i]);
        const struct weights weights = { of[0], of[1], of[2] };
        keep(&words, REASON_WORD, weights, sketch->tokens[i], 0);
    }
    for (size_t i = 0; i < words.count; i++) {
        struct piece *word = &words.items[i];
        word->spread =
            model_word_points(model, sketch->token_count, word->spread);
        if (word->spread > heap->least)
            insert(heap, word);
    }
}

static void weigh(const struct model *model, const struct sketch *sketch,
                  const struct model_score *score, struct heap *heap)
{
    const int32_t *text = score->words;
    keep(heap, REASON_TEXT, (struct weights){ text[0], text[1], text[2] }, 0,
         0);
    for (uint64_t left = sketch->marks; left != 0; left &= left - 1) {
        const uint32_t mark = (uint32_t)__builtin_ctzll(left);
        const int16_t *of = model_mark(model, mark);
        const struct weights weights = { of[0], of[1], of[2] };
        keep(heap, REASON_MARK, weights, mark, 0);
    }
    for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
        const uint32_t value = sketch->measures[i];
        if (value == 0)
            continue; /* nothing says nothing: the bias has it */
        const int16_t *of = model_step(model, (enum measure)i, value);
        const struct weights weights = { of[0], of[1], of[2] };
        keep(heap, REASON_MEASURE, weights, i, value);
    }
    find_words(model, sketch, heap);
}

void reasons_add_evidence(const struct model *model,
                          const struct sketch *sketch,
                          const struct model_score *score,
                          struct judgement *judgement)
{
    struct heap heap = { .max = JUDGE_EVIDENCE_MAX };
    weigh(model, sketch, score, &heap);
    for (size_t i = 0; i < heap.count; i++) {
        const struct piece *piece = &heap.items[i];
        const int32_t points =
            (int32_t)((int64_t)piece->spread * 100
                      / ((int64_t)MODEL_CLASSES * MODEL_POINT));
        if (points == 0)
            return;
        CHECK(judgement->reason_count < JUDGE_REASONS_MAX);
        judgement->reasons[judgement->reason_count++] = (struct judge_reason){
            .code = piece->code,
            .toward = piece->toward,
            .points = points,
            .index = piece->index,
            .value = piece->value,
            .detail = piece->code == REASON_WORD ? dictionary_find(
                          model->dictionary, (uint16_t)piece->index)
                                                 : slice_text(NULL),
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
