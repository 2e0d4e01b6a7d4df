/* model.c - the weights, their file, and what they make of a sketch. */
#include "classifier/model.h"

#include <math.h>
#include <string.h>

#include "classifier/model_file.h"

/* What a sound model never comes near; a file may say anything, and what is
 * summed has to stay a number. */
#define SCALE_MAX (1u << 24)
#define TOTAL_MAX (1 << 24)

/* From the top: the whole must be long enough for each part in turn. */
enum rc model_open(struct slice file, struct model *model)
{
    struct model_head head;
    if (file.len < sizeof head + MODEL_FIXED_BYTES + MODEL_DIGEST_BYTES)
        return RC_SYNTAX;
    memcpy(&head, file.ptr, sizeof head);
    if (memcmp(head.magic, MODEL_MAGIC, sizeof head.magic) != 0)
        return RC_SYNTAX;
    if (head.format != MODEL_FORMAT || head.feature_set != MODEL_FEATURE_SET
        || head.measures != MEASURE_COUNT || head.marks != MARK_COUNT)
        return RC_NONE;
    size_t whole = sizeof head + MODEL_FIXED_BYTES + head.dictionary_bytes
                   + (size_t)head.meta_bytes + MODEL_DIGEST_BYTES;
    if (head.meta_bytes > MODEL_META_MAX
        || head.dictionary_bytes > MODEL_DICTIONARY_MAX || whole != file.len
        || head.temperature == 0 || head.word_scale > SCALE_MAX)
        return RC_SYNTAX;
    if (!model_digest_is_right(file))
        return RC_SYNTAX;

    const char *at = file.ptr + sizeof head;
    model->steps = (const void *)at;
    at += MODEL_STEPS_BYTES;
    model->marks = (const void *)at;
    at += MODEL_MARKS_BYTES;
    model->words = (const void *)at;
    at += MODEL_WORDS_BYTES;
    model->dictionary = slice_of(at, head.dictionary_bytes);
    model->meta = slice_of(at + head.dictionary_bytes, head.meta_bytes);
    memcpy(model->bias, head.bias, sizeof model->bias);
    model->word_scale = head.word_scale;
    model->temperature = head.temperature;
    memcpy(model->digest, file.ptr + file.len - MODEL_DIGEST_BYTES,
           MODEL_DIGEST_BYTES);
    return RC_OK;
}

/* 4 / sqrt(n), in 1/65536, n at least MODEL_LENGTH_MIN. The root of a whole
 * number below 2^53 is rounded in one way only (IEEE 754), so that what is below
 * its point can be cut off alike on every machine. */
static uint32_t length_of(uint32_t token_count)
{
    const uint32_t n =
        token_count > MODEL_LENGTH_MIN ? token_count : MODEL_LENGTH_MIN;
    return (4u << 24) / (uint32_t)sqrt((double)((uint64_t)n << 16));
}

static void add(struct evidence_weights *sum, struct evidence_weights weights)
{
    sum->transactional += weights.transactional;
    sum->bulk += weights.bulk;
    sum->personal += weights.personal;
}

/* What a word's byte is worth among so many tokens, in 2^-32 of 1/MODEL_POINT: long
 * texts say more than short ones, not in proportion. */
static int64_t word_worth(const struct model *model, uint32_t token_count)
{
    return (int64_t)model->word_scale * length_of(token_count);
}

static int32_t points_of(int32_t sum, int64_t worth)
{
    return (int32_t)(sum * worth / ((int64_t)1 << 32));
}

/* Of what single words are worth by their bytes, the heaviest are kept; then they
 * get the model's scale, as all else has it. */
static void keep_words(struct evidence *evidence, const struct evidence *words,
                       int64_t worth)
{
    for (uint32_t i = 0; i < words->count; i++) {
        struct evidence_piece word = words->pieces[i];
        word.spread = points_of(word.spread, worth);
        if (word.spread > evidence->least)
            evidence_keep(evidence, &word);
    }
}

/* The weights of one word are looked up once, for the sum and for what they say
 * by themselves. Where they lie is as good as chance: they are sent for first. */
static struct evidence_weights sum_words(const struct model *model,
                                         const struct sketch *sketch,
                                         struct evidence *words)
{
    struct evidence_weights sum = { 0, 0, 0 };
    for (uint32_t i = 0; i < sketch->token_count; i++)
        __builtin_prefetch(model_word(model, sketch->tokens[i]));
    for (uint32_t i = 0; i < sketch->token_count; i++) {
        const int8_t *word = model_word(model, sketch->tokens[i]);
        const struct evidence_weights weights = { word[MODEL_TRANSACTIONAL],
                                                  word[MODEL_BULK],
                                                  word[MODEL_PERSONAL] };
        add(&sum, weights);
        evidence_offer(words, EVIDENCE_WORD, sketch->tokens[i], 0, weights);
    }
    return sum;
}

static struct evidence_weights weights_of(const int16_t *weights)
{
    return (struct evidence_weights){ weights[MODEL_TRANSACTIONAL],
                                      weights[MODEL_BULK],
                                      weights[MODEL_PERSONAL] };
}

/* A measure of nothing is no evidence: it says what most messages do. */
static struct evidence_weights sum_steps(const struct model *model,
                                         const struct sketch *sketch,
                                         struct evidence *evidence)
{
    struct evidence_weights sum = { 0, 0, 0 };
    for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
        const uint32_t value = sketch->measures[i];
        const struct evidence_weights weights =
            weights_of(model_step(model, (enum measure)i, value));
        add(&sum, weights);
        if (value != 0)
            evidence_offer(evidence, EVIDENCE_MEASURE, i, value, weights);
    }
    return sum;
}

static void put(struct evidence_weights sum, int32_t score[MODEL_CLASSES])
{
    score[MODEL_TRANSACTIONAL] = sum.transactional;
    score[MODEL_BULK] = sum.bulk;
    score[MODEL_PERSONAL] = sum.personal;
}

/* Their sum is capped; each by itself is evidence all the same. */
static void score_marks(const struct model *model, const struct sketch *sketch,
                        int32_t score[MODEL_CLASSES], struct evidence *evidence)
{
    int32_t mean = 0;
    struct evidence_weights sum = { 0, 0, 0 };
    for (uint64_t left = sketch->marks; left != 0; left &= left - 1) {
        const uint32_t mark = (uint32_t)__builtin_ctzll(left);
        const struct evidence_weights weights =
            weights_of(model_mark(model, mark));
        add(&sum, weights);
        evidence_offer(evidence, EVIDENCE_MARK, mark, 0, weights);
    }
    put(sum, score);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        mean += score[c] / MODEL_CLASSES;
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        int32_t own = score[c] - mean;
        int32_t cap = MODEL_MARKS_CAP / 2;
        score[c] = own > cap ? cap : own < -cap ? -cap : own;
    }
}

/* What the bytes of a word have to weigh more than, or marks and measures keep it
 * out of the evidence. */
static int32_t least_of(const struct evidence *evidence, int64_t worth)
{
    const int64_t wanted = ((int64_t)evidence->least + 1) << 32;
    const int64_t least = worth > 0 ? wanted / worth - 1 : INT32_MAX;
    return least < INT32_MAX ? (int32_t)least : INT32_MAX;
}

static void score_words(const struct model *model, const struct sketch *sketch,
                        int32_t score[MODEL_CLASSES], struct evidence *evidence)
{
    const int64_t worth = word_worth(model, sketch->token_count);
    struct evidence words;
    evidence_init(&words, MODEL_WORDS_SHOWN);
    words.least = least_of(evidence, worth);
    const struct evidence_weights bytes = sum_words(model, sketch, &words);
    const struct evidence_weights text = {
        points_of(bytes.transactional, worth),
        points_of(bytes.bulk, worth),
        points_of(bytes.personal, worth),
    };
    put(text, score);
    evidence_offer(evidence, EVIDENCE_TEXT, 0, 0, text);
    keep_words(evidence, &words, worth);
}

static void score_parts(const struct model *model, const struct sketch *sketch,
                        struct model_score *score)
{
    struct evidence *evidence = &score->evidence;
    evidence_init(evidence, EVIDENCE_MAX);
    score_marks(model, sketch, score->marks, evidence);
    put(sum_steps(model, sketch, evidence), score->steps);
    score_words(model, sketch, score->words, evidence);
}

void model_score(const struct model *model, const struct sketch *sketch,
                 struct model_score *score)
{
    score_parts(model, sketch, score);
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        int64_t sum = (int64_t)model->bias[c] + score->words[c]
                      + score->steps[c] + score->marks[c];
        int64_t total = sum * 256 / (int64_t)model->temperature;
        score->total[c] = (int32_t)(total > TOTAL_MAX    ? TOTAL_MAX
                                    : total < -TOTAL_MAX ? -TOTAL_MAX
                                                         : total);
    }
}

void model_probabilities(const int32_t total[MODEL_CLASSES],
                         uint32_t per_mille[MODEL_CLASSES])
{
    double parts[MODEL_CLASSES];
    double sum = 0;
    unsigned most = 0;
    for (unsigned c = 1; c < MODEL_CLASSES; c++)
        most = total[c] > total[most] ? c : most;
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        parts[c] = exp((double)(total[c] - total[most]) / MODEL_POINT);
        sum += parts[c];
    }
    uint32_t rest = 1000;
    for (unsigned c = 0; c < MODEL_CLASSES; c++) {
        per_mille[c] = (uint32_t)(parts[c] / sum * 1000);
        rest -= per_mille[c];
    }
    per_mille[most] += rest;
}

const char *model_class_name(enum model_class class)
{
    static const char *const names[MODEL_CLASSES] = {
        [MODEL_TRANSACTIONAL] = "transactional",
        [MODEL_BULK] = "bulk",
        [MODEL_PERSONAL] = "personal",
    };
    return names[class];
}
