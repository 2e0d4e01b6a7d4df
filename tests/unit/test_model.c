/* test_model - what is packed is what scores; what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/dictionary.h"
#include "classifier/model_file.h"
#include "classifier/shipped.h"
#include "classifier/training/pack.h"
#include "common/base/attr.h"
#include "common/base/mem.h"

#define DICTIONARY "0003 first\n0a00 second word\nffff last\n"

/* A model in which bucket 7 speaks for bulk, a mark for personal. */
static void make(struct buf *file)
{
    struct weights *weights = weights_new();
    weights->words[7][MODEL_BULK] = 1.0F;
    weights->words[8][MODEL_BULK] = -0.5F;
    weights->marks[MARK_ANSWER][MODEL_PERSONAL] = 1.25F;
    weights->marks[MARK_LIST_ID][MODEL_BULK] = 100.0F;
    weights->steps[MEASURE_LINKS][3][MODEL_TRANSACTIONAL] = 0.75F;
    weights->bias[MODEL_TRANSACTIONAL] = 0.5F;
    weights->temperature = 2;
    buf_init(file, 4u << 20);
    assert_true(
        pack_model(weights, SLICE(DICTIONARY), SLICE("{\"a\":1}"), file));
    weights_free(&weights);
}

static void what_is_packed_scores(void **state)
{
    (void)state;
    struct buf file;
    struct model model;
    struct model_score score;
    make(&file);
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);
    assert_true(slice_equal(model.meta, SLICE("{\"a\":1}")));

    struct sketch sketch = { .token_count = 2, .tokens = { 7, 8 } };
    sketch.measures[MEASURE_LINKS] = 5; /* step 3: 4 to 7 */
    sketch.marks = UINT64_C(1) << MARK_ANSWER;
    model_score(&model, &sketch, &score);
    /* 4 / sqrt(32), times (1 - 0.5). */
    assert_in_range(score.words[MODEL_BULK], 90 - 2, 90 + 2);
    assert_int_equal(score.steps[MODEL_TRANSACTIONAL], 192);
    assert_int_equal(score.marks[MODEL_PERSONAL], 320 - 320 / 3);
    assert_in_range(score.total[MODEL_TRANSACTIONAL], 100, 125);
    buf_release(&file);
}

/* Heaviest first, of single words no more than may be shown, and nothing that
 * weighs the same for all. */
static void what_weighed_most_is_evidence(void **state)
{
    (void)state;
    struct buf file;
    struct model model;
    struct model_score score;
    struct weights *weights = weights_new();
    for (unsigned i = 0; i < 6; i++)
        weights->words[100 + i][MODEL_PERSONAL] = 0.2F * (float)(i + 1);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        weights->marks[MARK_CC][c] = 2.0F;
    weights->marks[MARK_ANSWER][MODEL_BULK] = 30.0F;
    weights->steps[MEASURE_LINKS][3][MODEL_TRANSACTIONAL] = 20.0F;
    weights->steps[MEASURE_TAGS][0][MODEL_TRANSACTIONAL] = 90.0F;
    weights->temperature = 1;
    buf_init(&file, 4u << 20);
    assert_true(pack_model(weights, SLICE(""), SLICE("{}"), &file));
    weights_free(&weights);
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);

    struct sketch sketch = { .token_count = 6,
                             .tokens = { 103, 100, 105, 101, 104, 102 } };
    sketch.measures[MEASURE_LINKS] = 6;
    sketch.marks = UINT64_C(1) << MARK_ANSWER | UINT64_C(1) << MARK_CC;
    model_score(&model, &sketch, &score);
    static const struct {
        enum evidence_kind kind;
        uint32_t index;
        uint32_t value;
    } expected[] = {
        { EVIDENCE_MARK, MARK_ANSWER, 0 },
        { EVIDENCE_MEASURE, MEASURE_LINKS, 6 },
        { EVIDENCE_TEXT, 0, 0 },
        { EVIDENCE_WORD, 105, 0 },
        { EVIDENCE_WORD, 104, 0 },
        { EVIDENCE_WORD, 103, 0 },
    };
    assert_int_equal(score.evidence.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct evidence_piece *piece = &score.evidence.pieces[i];
        assert_int_equal(piece->kind, expected[i].kind);
        assert_int_equal(piece->index, expected[i].index);
        assert_int_equal(piece->value, expected[i].value);
        assert_true(i == 0 || piece->spread <= piece[-1].spread);
    }
    buf_release(&file);
}

#define MARKS 7u /* with one measure all the evidence that is kept */
_Static_assert(MARKS + 1 == EVIDENCE_MAX, "no room is left for a word");

/* Heavy marks, a measure of so many points, and three words that say so little
 * together that the text is no evidence. */
static void score_beside(int32_t points, struct model_score *score)
{
    struct buf file;
    struct model model;
    struct weights *weights = weights_new();
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        weights->words[100 + c][c] = 1.0F;
    for (unsigned mark = 0; mark < MARKS; mark++)
        weights->marks[mark][MODEL_BULK] = 20.0F + (float)mark;
    weights->steps[MEASURE_LINKS][3][MODEL_BULK] = (float)points / MODEL_POINT;
    weights->temperature = 1;
    buf_init(&file, 4u << 20);
    assert_true(pack_model(weights, SLICE(""), SLICE("{}"), &file));
    weights_free(&weights);
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);
    struct sketch sketch = { .token_count = 3, .tokens = { 100, 101, 102 } };
    sketch.measures[MEASURE_LINKS] = 6;
    sketch.marks = (1u << MARKS) - 1;
    model_score(&model, &sketch, score);
    buf_release(&file);
}

/* A word takes the place of what weighs less, be it by a point. */
static void words_have_to_outweigh_the_rest(void **state)
{
    (void)state;
    struct model_score score;
    const struct evidence_piece *last =
        &score.evidence.pieces[EVIDENCE_MAX - 1];
    score_beside(0, &score);
    assert_int_equal(score.evidence.count, EVIDENCE_MAX);
    assert_int_equal(last->kind, EVIDENCE_WORD);
    const int32_t spread = last->spread;

    score_beside((spread - 1) / 2, &score); /* what it spreads is two of it */
    assert_int_equal(score.evidence.count, EVIDENCE_MAX);
    assert_int_equal(last->kind, EVIDENCE_WORD);
    assert_int_equal(last->spread, spread);

    score_beside((spread + 1) / 2, &score);
    assert_int_equal(last->kind, EVIDENCE_MEASURE);
    score_beside(2 * spread, &score);
    assert_int_equal(last->kind, EVIDENCE_MEASURE);
}

/* However heavy, the header's marks add no more than their cap. */
static void marks_are_capped(void **state)
{
    (void)state;
    struct buf file;
    struct model model;
    struct model_score score;
    make(&file);
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);
    const struct sketch sketch = { .marks = UINT64_C(1) << MARK_LIST_ID };
    model_score(&model, &sketch, &score);
    assert_int_equal(score.marks[MODEL_BULK], MODEL_MARKS_CAP / 2);
    assert_int_equal(score.marks[MODEL_PERSONAL], -MODEL_MARKS_CAP / 2);
    buf_release(&file);
}

static void weights_come_back(void **state)
{
    (void)state;
    struct buf file;
    struct model model;
    struct weights *weights = weights_new();
    make(&file);
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);
    unpack_model(&model, weights);
    assert_float_equal(weights->words[7][MODEL_BULK], 1.0, 0.01);
    assert_float_equal(weights->words[8][MODEL_BULK], -0.5, 0.01);
    assert_float_equal(weights->marks[MARK_ANSWER][MODEL_PERSONAL], 1.25, 0.01);
    assert_float_equal(weights->steps[MEASURE_LINKS][3][MODEL_TRANSACTIONAL],
                       0.75, 0.01);
    assert_float_equal(weights->temperature, 2, 0.01);
    weights_free(&weights);
    buf_release(&file);
}

static enum rc open_copy(const struct buf *file, size_t at, char flip)
{
    struct model model;
    struct slice bytes = buf_slice(file);
    char *copy = mem_new(bytes.len, 1);
    memcpy(copy, bytes.ptr, bytes.len);
    copy[at] = (char)(copy[at] ^ flip);
    enum rc rc = model_open(slice_of(copy, bytes.len), &model);
    mem_free(copy);
    return rc;
}

static enum rc open_with_head(const struct buf *file, size_t at, uint32_t value)
{
    struct model model;
    struct slice bytes = buf_slice(file);
    char *copy = mem_new(bytes.len, 1);
    memcpy(copy, bytes.ptr, bytes.len);
    memcpy(copy + at, &value, sizeof value);
    model_digest_write(copy, bytes.len);
    enum rc rc = model_open(slice_of(copy, bytes.len), &model);
    mem_free(copy);
    return rc;
}

static void damage_is_refused(void **state)
{
    (void)state;
    struct buf file;
    struct model model;
    make(&file);
    struct slice bytes = buf_slice(&file);
    assert_int_equal(open_copy(&file, 0, 0), RC_OK);
    assert_int_equal(open_copy(&file, 0, 1), RC_SYNTAX);
    assert_int_equal(open_copy(&file, bytes.len / 2, 1), RC_SYNTAX);
    assert_int_equal(open_copy(&file, bytes.len - 1, 1), RC_SYNTAX);
    assert_int_equal(model_open(slice_head(bytes, bytes.len - 1), &model),
                     RC_SYNTAX);
    assert_int_equal(model_open(slice_head(bytes, 10), &model), RC_SYNTAX);
    assert_int_equal(model_open(slice_text(NULL), &model), RC_SYNTAX);
    buf_release(&file);
}

/* Sound, but not for this program; or what it says makes no sense. */
static void heads_are_checked(void **state)
{
    (void)state;
    struct buf file;
    make(&file);
    size_t set = offsetof(struct model_head, feature_set);
    size_t scale = offsetof(struct model_head, word_scale);
    size_t temperature = offsetof(struct model_head, temperature);
    size_t meta = offsetof(struct model_head, meta_bytes);
    size_t dictionary = offsetof(struct model_head, dictionary_bytes);
    assert_int_equal(open_with_head(&file, set, MODEL_FEATURE_SET + 1),
                     RC_NONE);
    assert_int_equal(
        open_with_head(&file, offsetof(struct model_head, marks), 1), RC_NONE);
    assert_int_equal(open_with_head(&file, scale, UINT32_MAX), RC_SYNTAX);
    assert_int_equal(open_with_head(&file, temperature, 0), RC_SYNTAX);
    assert_int_equal(open_with_head(&file, meta, UINT32_MAX), RC_SYNTAX);
    assert_int_equal(open_with_head(&file, dictionary, UINT32_MAX), RC_SYNTAX);
    buf_release(&file);
}

static void probabilities_add_up(void **state)
{
    (void)state;
    static const int32_t totals[][MODEL_CLASSES] = {
        { 0, 0, 0 },          { 256, 0, 0 },
        { -70000, 70000, 3 }, { 1 << 24, 0, -(1 << 24) },
        { 100, 101, 99 },
    };
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        uint32_t per_mille[MODEL_CLASSES];
        model_probabilities(totals[i], per_mille);
        assert_int_equal(per_mille[0] + per_mille[1] + per_mille[2], 1000);
    }
    uint32_t per_mille[MODEL_CLASSES];
    model_probabilities(totals[1], per_mille);
    assert_in_range(per_mille[0], 575, 578); /* e / (e + 2) */
}

static void buckets_have_names(void **state)
{
    (void)state;
    struct slice lines = SLICE(DICTIONARY);
    assert_true(slice_equal(dictionary_find(lines, 3), SLICE("first")));
    assert_true(
        slice_equal(dictionary_find(lines, 0xA00), SLICE("second word")));
    assert_true(slice_equal(dictionary_find(lines, 0xFFFF), SLICE("last")));
    assert_true(slice_is_empty(dictionary_find(lines, 4)));
    assert_true(slice_is_empty(dictionary_find(lines, 0)));
    assert_true(slice_is_empty(dictionary_find(SLICE("nonsense\n\n"), 3)));
    assert_true(slice_is_empty(dictionary_find(slice_text(NULL), 3)));
}

/* Spread evenly as hashes are, or all at one end: each is found, and none that is
 * not there. */
static void every_line_is_found(void **state)
{
    (void)state;
    static const struct {
        uint32_t from;
        uint32_t step;
    } spreads[] = { { 0, 16 }, { 7, 61 }, { 0, 1 }, { 62000, 1 }, { 9, 3 } };
    for (size_t s = 0; s < ARRAY_LEN(spreads); s++) {
        struct buf lines;
        buf_init(&lines, DICTIONARY_BYTES_MAX);
        const uint32_t last = spreads[s].from + 1000 * spreads[s].step;
        for (uint32_t i = spreads[s].from; i < last; i += spreads[s].step)
            assert_true(buf_addf(&lines, "%04x word of %u%s\n", i, i,
                                 i % 5 == 0 ? ", a long one" : ""));
        for (uint32_t i = 0; i <= UINT16_MAX; i++) {
            const bool is_there =
                i >= spreads[s].from && i < last
                && (i - spreads[s].from) % spreads[s].step == 0;
            const struct slice found =
                dictionary_find(buf_slice(&lines), (uint16_t)i);
            char begin[32];
            (void)snprintf(begin, sizeof begin, "word of %u", i);
            assert_int_equal(slice_starts_nocase(found, slice_text(begin)),
                             is_there);
        }
        buf_release(&lines);
    }
}

static void the_one_that_ships_is_sound(void **state)
{
    (void)state;
    struct model model;
    assert_int_equal(model_open(shipped_model(), &model), RC_OK);
    assert_true(shipped_model().len <= 300u << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_scores),
        cmocka_unit_test(what_weighed_most_is_evidence),
        cmocka_unit_test(words_have_to_outweigh_the_rest),
        cmocka_unit_test(marks_are_capped),
        cmocka_unit_test(weights_come_back),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(heads_are_checked),
        cmocka_unit_test(probabilities_add_up),
        cmocka_unit_test(buckets_have_names),
        cmocka_unit_test(every_line_is_found),
        cmocka_unit_test(the_one_that_ships_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
