/* recipients.c - which recipients a template has had, and how many at once. */
#include "classifier/guard/recipients.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"

#define SLOTS_MIN       8u
#define UNIFORM_PERCENT 95u

void recipients_release(struct recipients *recipients)
{
    mem_free(recipients->slots);
    *recipients = (struct recipients){ .slots = NULL };
}

struct recipients recipients_copy(const struct recipients *recipients)
{
    struct recipients copy = *recipients;
    copy.slots = NULL;
    if (recipients->size > 0) {
        copy.slots = mem_new(recipients->size, sizeof *copy.slots);
        memcpy(copy.slots, recipients->slots, recipients_bytes(recipients));
    }
    return copy;
}

/* 0 says that a slot is free. */
static uint32_t stored(uint32_t hash)
{
    return hash == 0 ? 1 : hash;
}

/* Where it is, or the free slot where it would be. The set is never full. */
static uint32_t *slot_of(const struct recipients *recipients, uint32_t hash)
{
    const uint32_t mask = recipients->size - 1u;
    uint32_t at = hash & mask;
    while (recipients->slots[at] != 0 && recipients->slots[at] != hash)
        at = (at + 1) & mask;
    return &recipients->slots[at];
}

bool recipients_has(const struct recipients *recipients, uint32_t hash)
{
    return recipients->size > 0
           && *slot_of(recipients, stored(hash)) == stored(hash);
}

static void resize(struct recipients *recipients, uint16_t size)
{
    const struct recipients old = *recipients;
    recipients->slots = mem_new(size, sizeof *recipients->slots);
    recipients->size = size;
    for (uint32_t i = 0; i < old.size; i++)
        if (old.slots[i] != 0)
            *slot_of(recipients, old.slots[i]) = old.slots[i];
    mem_free(old.slots);
}

void recipients_add(struct recipients *recipients, uint32_t hash)
{
    if (recipients_has(recipients, hash))
        return;
    if (recipients->count == RECIPIENTS_MAX)
        recipients_release(recipients);
    if (recipients->size == 0)
        resize(recipients, SLOTS_MIN);
    else if (recipients->count + 1u > recipients->size * 7u / 8u)
        resize(recipients, (uint16_t)(recipients->size * 2u));
    *slot_of(recipients, stored(hash)) = stored(hash);
    recipients->count++;
}

size_t recipients_bytes(const struct recipients *recipients)
{
    return recipients->size * sizeof *recipients->slots;
}

unsigned burst_shift(uint32_t threshold)
{
    unsigned shift = 0;
    while (threshold >> shift > BURST_BITS / 2)
        shift++;
    return shift;
}

void burst_begin(struct burst *burst, uint32_t window)
{
    *burst = (struct burst){ .window = window };
}

/* The text that most have is found by Boyer and Moore's vote. `same` counts
 * since it leads, so that it is too low rather than too high. */
void burst_add(struct burst *burst, const struct burst_member *member)
{
    burst->members++;
    /* A coupon that all have alike is nobody's own. */
    if (burst->own_hash == 0)
        burst->own_hash = member->own_hash;
    else if (member->own_hash != 0 && member->own_hash != burst->own_hash)
        burst->codes++;
    if (burst->text_hash == member->text_hash) {
        burst->same++;
        burst->lead++;
    } else if (burst->lead > 0) {
        burst->lead--;
    } else {
        burst->text_hash = member->text_hash;
        burst->same = 1;
        burst->lead = 1;
    }
}

/* The finalizer of MurmurHash3. */
static uint32_t mix(uint32_t hash)
{
    hash = (hash ^ hash >> 16) * UINT32_C(0x85ebca6b);
    hash = (hash ^ hash >> 13) * UINT32_C(0xc2b2ae35);
    return hash ^ hash >> 16;
}

void burst_add_recipient(struct burst *burst, uint32_t hash, unsigned shift)
{
    const uint32_t place = mix(hash);
    if (shift > 0 && (place & ((1u << shift) - 1)) != 0)
        return;
    const uint32_t bit = place >> 22;
    burst->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

uint32_t burst_size(const struct burst *burst, unsigned shift)
{
    unsigned ones = 0;
    for (unsigned i = 0; i < BURST_BITS / 64; i++)
        ones += (unsigned)__builtin_popcountll(burst->bits[i]);
    if (ones == BURST_BITS)
        ones--;
    const double free = (double)(BURST_BITS - ones) / BURST_BITS;
    return (uint32_t)(-log(free) * BURST_BITS) << shift;
}

bool burst_is_uniform(const struct burst *burst)
{
    const uint64_t members = burst->members;
    return (uint64_t)burst->same * 100 >= members * UNIFORM_PERCENT
           && (uint64_t)burst->codes * 100 <= members * (100 - UNIFORM_PERCENT);
}
