/* samples.c - messages with a known class. */
#include "classifier/training/samples.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/mem.h"

#define SIZE_FIRST 256u

void samples_init(struct samples *samples)
{
    *samples = (struct samples){ .count = 0 };
}

void samples_release(struct samples *samples)
{
    mem_free(samples->items);
    mem_free(samples->tokens);
    samples_init(samples);
}

static size_t grown(size_t size, size_t wanted)
{
    size = size > 0 ? size : SIZE_FIRST;
    while (size < wanted)
        size *= 2;
    return size;
}

static void make_room(struct samples *samples, uint32_t token_count)
{
    if (samples->count == samples->size) {
        samples->size = grown(samples->size, samples->count + 1);
        samples->items =
            mem_resize(samples->items, samples->size, sizeof *samples->items);
    }
    if (samples->token_count + token_count > samples->token_size) {
        samples->token_size =
            grown(samples->token_size, samples->token_count + token_count);
        samples->tokens = mem_resize(samples->tokens, samples->token_size,
                                     sizeof *samples->tokens);
    }
}

/* Instances of one template: the same structure, the same words but for a
 * few. Two of the eight min-hashes and the skeleton are enough for weights. */
static uint64_t template_of(const struct sketch *sketch)
{
    uint64_t text =
        (uint64_t)sketch->min_hashes[0] << 32 | sketch->min_hashes[4];
    return text ^ sketch->skeleton * 0x9E3779B97F4A7C15u;
}

void samples_add(struct samples *samples, const struct sketch *sketch,
                 enum model_class class, uint32_t sender)
{
    make_room(samples, sketch->token_count);
    struct sample *sample = &samples->items[samples->count++];
    *sample = (struct sample){
        .token_at = (uint32_t)samples->token_count,
        .token_count = sketch->token_count,
        .marks = sketch->marks,
        .template = template_of(sketch),
        .class = class,
        .sender = sender,
        .weight = 1,
    };
    for (uint32_t i = 0; i < MEASURE_COUNT; i++)
        sample->steps[i] = (uint8_t)measure_step(sketch->measures[i]);
    if (sketch->token_count > 0)
        memcpy(samples->tokens + samples->token_count, sketch->tokens,
               sketch->token_count * sizeof *samples->tokens);
    samples->token_count += sketch->token_count;
}

struct keyed {
    uint64_t key;
    size_t at;
};

static int compare_keys(const void *a, const void *b)
{
    uint64_t left = ((const struct keyed *)a)->key;
    uint64_t right = ((const struct keyed *)b)->key;
    return (left > right) - (left < right);
}

/* Divides each weight by a power of how many samples share its key. */
static void thin_out(struct samples *samples,
                     uint64_t (*key_of)(const struct sample *sample),
                     float power)
{
    size_t count = samples->count;
    struct keyed *keyed = mem_new(count, sizeof *keyed);
    for (size_t i = 0; i < count; i++)
        keyed[i] = (struct keyed){ key_of(&samples->items[i]), i };
    qsort(keyed, count, sizeof *keyed, compare_keys);
    for (size_t from = 0, end; from < count; from = end) {
        for (end = from + 1; end < count && keyed[end].key == keyed[from].key;)
            end++;
        for (size_t i = from; i < end; i++)
            samples->items[keyed[i].at].weight /=
                powf((float)(end - from), power);
    }
    mem_free(keyed);
}

static uint64_t template_key(const struct sample *sample)
{
    return sample->template >> 1 ^ (uint64_t)sample->sender << 40;
}

static uint64_t sender_key(const struct sample *sample)
{
    return (uint64_t)sample->sender << 2 | sample->class;
}

void samples_weigh(struct samples *samples)
{
    double sums[MODEL_CLASSES] = { 0 };
    thin_out(samples, template_key, 0.5F);
    thin_out(samples, sender_key, 0.25F);
    for (size_t i = 0; i < samples->count; i++)
        sums[samples->items[i].class] += (double)samples->items[i].weight;
    double mean = (sums[0] + sums[1] + sums[2]) / MODEL_CLASSES;
    for (size_t i = 0; i < samples->count; i++) {
        struct sample *sample = &samples->items[i];
        /* Half way to equal classes. */
        sample->weight *= (float)sqrt(mean / sums[sample->class]);
        sample->weight *=
            (float)((double)samples->count / (mean * MODEL_CLASSES));
    }
}
