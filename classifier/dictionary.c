/* dictionary.c - what the heaviest buckets of a model are called. */
#include "classifier/dictionary.h"

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

/* Halves the bytes, then goes on to where a line begins. */
struct slice dictionary_find(struct slice dictionary, uint16_t bucket)
{
    size_t low = 0;
    size_t high = dictionary.len;
    while (low < high) {
        size_t at = low + (high - low) / 2;
        while (at > low && dictionary.ptr[at - 1] != '\n')
            at--;
        struct slice rest = slice_from(dictionary, at);
        struct slice line = slice_head(rest, slice_find(rest, '\n'));
        uint16_t key = 0;
        if (!read_key(line, &key))
            return slice_text(NULL);
        if (key == bucket)
            return slice_from(line, DICTIONARY_KEY_BYTES);
        if (key < bucket)
            low = at + line.len + 1;
        else
            high = at;
    }
    return slice_text(NULL);
}
