/* pack.c - weights made into a model's file. */
#include "classifier/training/pack.h"

#include <math.h>

#include "classifier/model_file.h"

/* Few words weigh more, and those that do would cost all others their
 * precision. */
#define PACK_CLIP 2.0F
#define BYTE_MAX  127.0F

static float clip(float value, float limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

static float word_limit(const struct weights *weights)
{
    float most = 0;
    for (uint32_t b = 0; b < MODEL_BUCKETS; b++)
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            most = fmaxf(most, fabsf(weights->words[b][c]));
    return most > PACK_CLIP ? PACK_CLIP : most > 0 ? most : 1;
}

static bool add_small(const float *weights, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        int16_t small =
            (int16_t)lrintf(clip(weights[i] * MODEL_POINT, INT16_MAX));
        if (!buf_add(out, slice_of((const char *)&small, sizeof small)))
            return false;
    }
    return true;
}

static bool add_words(const struct weights *weights, float limit,
                      struct buf *out)
{
    for (uint32_t b = 0; b < MODEL_BUCKETS; b++)
        for (unsigned c = 0; c < MODEL_CLASSES; c++) {
            float part = clip(weights->words[b][c], limit) / limit;
            if (!buf_add_byte(out, (char)lrintf(part * BYTE_MAX)))
                return false;
        }
    return true;
}

bool pack_model(const struct weights *weights, struct slice dictionary,
                struct slice meta, struct buf *out)
{
    float limit = word_limit(weights);
    struct model_head head = {
        .magic = { 'S', 'Y', 'C', '1' },
        .format = MODEL_FORMAT,
        .feature_set = MODEL_FEATURE_SET,
        .measures = MEASURE_COUNT,
        .marks = MARK_COUNT,
        .word_scale =
            (uint32_t)lrintf(limit / BYTE_MAX * MODEL_POINT * 65536.0F),
        .temperature = (uint32_t)lrintf(weights->temperature * 256),
        .dictionary_bytes = (uint32_t)dictionary.len,
        .meta_bytes = (uint32_t)meta.len,
    };
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        head.bias[c] = (int32_t)lrintf(weights->bias[c] * MODEL_POINT);
    size_t from = out->len;
    if (!buf_add(out, slice_of((const char *)&head, sizeof head))
        || !add_small(&weights->steps[0][0][0],
                      (size_t)MEASURE_COUNT * MEASURE_STEPS * MODEL_CLASSES,
                      out)
        || !add_small(&weights->marks[0][0], (size_t)MARK_COUNT * MODEL_CLASSES,
                      out)
        || !add_words(weights, limit, out) || !buf_add(out, dictionary)
        || !buf_add(out, meta) || !buf_room(out, MODEL_DIGEST_BYTES))
        return false;
    buf_added(out, MODEL_DIGEST_BYTES);
    model_digest_write(out->ptr + out->start + from, out->len - from);
    return true;
}

static void read_small(const int16_t *small, size_t count, float *weights)
{
    for (size_t i = 0; i < count; i++)
        weights[i] = (float)small[i] / MODEL_POINT;
}

void unpack_model(const struct model *model, struct weights *weights)
{
    float scale = (float)model->word_scale / 65536.0F / MODEL_POINT;
    const int8_t *words = model->words;
    float *out = &weights->words[0][0];
    for (size_t i = 0; i < (size_t)MODEL_BUCKETS * MODEL_CLASSES; i++)
        out[i] = (float)words[i] * scale;
    read_small(model->steps,
               (size_t)MEASURE_COUNT * MEASURE_STEPS * MODEL_CLASSES,
               &weights->steps[0][0][0]);
    read_small(model->marks, (size_t)MARK_COUNT * MODEL_CLASSES,
               &weights->marks[0][0]);
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        weights->bias[c] = (float)model->bias[c] / MODEL_POINT;
    weights->temperature = (float)model->temperature / 256;
}
