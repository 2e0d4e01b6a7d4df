/* suggest.c - which known word did the writer mean? */
#include "config/suggest.h"

#include "common/base/chars.h"

static char plain(char byte)
{
    if (byte == '-')
        return '_';
    return char_lower(byte);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(struct slice a, struct slice b)
{
    if (a.len > SUGGEST_WORD_MAX || b.len > SUGGEST_WORD_MAX)
        return SUGGEST_FAR;
    size_t rows[3][SUGGEST_WORD_MAX + 1] = { { 0 } };
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = plain(a.ptr[i - 1]);
            char y = plain(b.ptr[j - 1]);
            row[j] =
                least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == plain(b.ptr[j - 2])
                && y == plain(a.ptr[i - 2]))
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

bool suggest_is_nearer(struct slice a, struct slice b, size_t *nearest)
{
    size_t longer = a.len > b.len ? a.len : b.len;
    size_t distance = suggest_distance(a, b);
    if (distance > longer / 3 || distance >= *nearest)
        return false;
    *nearest = distance;
    return true;
}
