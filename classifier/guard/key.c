/* key.c - by what a template is found again. */
#include "classifier/guard/guard.h"

/* Fewer words have too few runs of three to be told by them. */
#define WORDS_MIN 8u

static uint64_t pair_of(const struct sketch *sketch, unsigned band)
{
    return (uint64_t)sketch->min_hashes[(size_t)2 * band] << 32
           | sketch->min_hashes[(size_t)2 * band + 1];
}

void guard_key_of(const struct sketch *sketch, uint64_t tenant,
                  struct guard_key *key)
{
    uint64_t seed = guard_mix(tenant + 1);
    if (sketch->word_count < WORDS_MIN)
        seed =
            guard_mix(seed ^ sketch->skeleton ^ guard_mix(sketch->text_hash));
    key->skeleton = (uint16_t)(guard_mix(sketch->skeleton) >> 48);
    key->id = guard_mix(seed ^ sketch->skeleton);
    for (unsigned i = 0; i < GUARD_BANDS; i++) {
        const uint64_t band = guard_mix(seed + i) ^ pair_of(sketch, i);
        key->bands[i] = (uint32_t)(guard_mix(band) >> 32);
        key->id = guard_mix(key->id ^ band);
    }
    if (key->id == 0)
        key->id = 1;
}

unsigned guard_likeness(const struct guard_template *template,
                        const struct guard_key *key)
{
    unsigned bands = 0;
    enum judge_kind taught;
    /* Who may more than others must be more alike: half of the words and the
     * form in common are not enough. */
    const bool is_open =
        guard_state(template) == TEMPLATE_TRUSTED
        || (guard_is_taught(template, &taught) && taught == KIND_TRANSACTIONAL);
    const bool has_form = template->skeleton == key->skeleton;
    for (unsigned i = 0; i < GUARD_BANDS; i++)
        bands += template->bands[i] == key->bands[i];
    if (bands >= GUARD_BANDS - 1)
        return 2 * bands + has_form;
    return has_form && bands > 0 && !is_open ? 2 * bands + 1 : 0;
}
