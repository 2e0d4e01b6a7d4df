/* dictionary.c - what the heaviest buckets of a model are called. */
#include "classifier/dictionary.h"

#include "common/base/chunk.h"

#define GUESSES_MAX 6u

/* The bucket of a line; false: it is no line of a dictionary. */
static bool read_key(struct slice line, uint16_t *bucket)
{
    uint32_t key = 0;
    if (line.len < DICTIONARY_KEY_BYTES)
        return false;
    for (size_t i = 0; i < DICTIONARY_KEY_BYTES - 1; i++) {
        char digit = line.ptr[i];
        if (digit >= '0' && digit <= '9')
            key = key << 4 | (uint32_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            key = key << 4 | (uint32_t)(digit - 'a' + 10);
        else
            return false;
    }
    *bucket = (uint16_t)key;
    return true;
}

/* What is not yet ruled out: bytes, and the buckets that they may be of. */
struct range {
    size_t low;
    size_t high;
    uint32_t low_bucket;
    uint32_t high_bucket;
};

/* Where a bucket is, if those that the dictionary has are spread evenly. Hashes
 * are; where they are not, halving finds it, too. */
static size_t guess(const struct range *range, uint16_t bucket, unsigned tries)
{
    const size_t size = range->high - range->low;
    if (tries >= GUESSES_MAX)
        return range->low + size / 2;
    /* Never 0, in whatever order the lines are: the bucket is between them. */
    const size_t buckets = range->high_bucket - range->low_bucket;
    return range->low + size * (bucket - range->low_bucket) / buckets;
}

struct slice dictionary_find(struct slice dictionary, uint16_t bucket)
{
    struct range range = { 0, dictionary.len, 0, UINT16_MAX + 1u };
    for (unsigned tries = 0; range.low < range.high; tries++) {
        size_t at = guess(&range, bucket, tries);
        while (at > range.low && dictionary.ptr[at - 1] != '\n')
            at--;
        const struct slice rest = slice_from(dictionary, at);
        const struct slice line = slice_head(rest, chunk_find(rest, '\n'));
        uint16_t key = 0;
        if (!read_key(line, &key))
            return slice_text(NULL);
        if (key == bucket)
            return slice_from(line, DICTIONARY_KEY_BYTES);
        if (key < bucket) {
            range.low = at + line.len + 1;
            range.low_bucket = key + 1u;
        } else {
            range.high = at;
            range.high_bucket = key;
        }
    }
    return slice_text(NULL);
}
