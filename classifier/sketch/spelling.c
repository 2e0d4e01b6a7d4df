/* spelling.c - the letters of a word, and a hash of them. */
#include "classifier/sketch/spelling.h"

#include "classifier/reading/entity.h"

_Static_assert(SPELLING_BYTES % CHUNK_BYTES == 0,
               "the last chunk is read whole");

void spelling_add(struct spelling *spelling, uint32_t character)
{
    if (spelling->len <= SPELLING_BYTES - ENTITY_BYTES_MAX)
        spelling->len +=
            entity_write(character, spelling->bytes + spelling->len);
}

uint64_t spelling_hash(const struct spelling *spelling)
{
    uint64_t hash = SPELLING_START;
    size_t at = 0;
    do {
        const struct slice rest =
            slice_of(spelling->bytes + at, spelling->len - at);
        hash = spelling_step(hash, chunk_of(rest));
        at += CHUNK_BYTES;
    } while (at < spelling->len);
    return spelling_end(hash);
}

/* No letters have such a high half. */
uint64_t spelling_hash_numbers(uint32_t a, uint32_t b)
{
    const uint32_t numbers[CHUNK_BYTES / sizeof a] = { htole32(a), htole32(b),
                                                       1 };
    chunk bytes;
    memcpy(&bytes, numbers, sizeof bytes);
    return spelling_hash_chunk(bytes);
}
