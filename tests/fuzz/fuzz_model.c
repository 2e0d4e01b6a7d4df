/* fuzz_model - a file is a sound model, or is refused; a sound one scores. */
#include <stdint.h>

#include "classifier/dictionary.h"
#include "classifier/model_file.h"
#include "classifier/shipped.h"
#include "common/base/check.h"
#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the input says goes into the head of the model that ships, and over its
 * dictionary; the checksum is made right so that it does not hide the rest. */
static void open_changed(const uint8_t *data, size_t size)
{
    struct slice shipped = shipped_model();
    size_t head = sizeof(struct model_head);
    size_t dictionary = head + MODEL_FIXED_BYTES;
    char *file = mem_new(shipped.len, 1);
    struct model model;
    struct sketch sketch = { .token_count = 2, .tokens = { 1, 65535 } };
    struct model_score score;
    uint32_t per_mille[MODEL_CLASSES];
    memcpy(file, shipped.ptr, shipped.len);
    memcpy(file, data, size < head ? size : head);
    if (size > head) {
        size_t rest = size - head;
        size_t room = shipped.len - dictionary - MODEL_DIGEST_BYTES;
        memcpy(file + dictionary, data + head, rest < room ? rest : room);
    }
    model_digest_write(file, shipped.len);
    if (model_open(slice_of(file, shipped.len), &model) == RC_OK) {
        for (unsigned i = 0; i < MEASURE_COUNT; i++)
            sketch.measures[i] = size > i ? data[i] : UINT32_MAX;
        model_score(&model, &sketch, &score);
        model_probabilities(score.total, per_mille);
        CHECK(per_mille[0] + per_mille[1] + per_mille[2] == 1000);
        for (uint32_t bucket = 0; bucket < MODEL_BUCKETS; bucket += 4093)
            (void)dictionary_find(model.dictionary, (uint16_t)bucket);
    }
    mem_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model;
    /* mem_new is aligned, as a model must be. */
    char *file = mem_new(size + 1, 1);
    if (size > 0)
        memcpy(file, data, size);
    (void)!model_open(slice_of(file, size), &model);
    mem_free(file);
    open_changed(data, size);
    return 0;
}
