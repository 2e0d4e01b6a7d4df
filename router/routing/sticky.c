/* sticky.c - which source a message, or a recipient, always takes. */
#include "router/routing/sticky.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TAIL_MAX 320u /* of an address; what is before does not count */

static uint64_t hash_recipient(struct slice recipient)
{
    char lower[TAIL_MAX];
    if (recipient.len > sizeof lower)
        recipient = slice_from(recipient, recipient.len - sizeof lower);
    for (size_t i = 0; i < recipient.len; i++)
        lower[i] = (char)tolower((unsigned char)recipient.ptr[i]);
    return XXH3_64bits(lower, recipient.len);
}

/* Least for the source that wins: an exponential variable of the weight's rate
 * (Efraimidis and Spirakis). */
static double score_of(const struct conf_member *member, uint64_t key)
{
    const char *name = member->source->name;
    const uint64_t hash = XXH3_64bits_withSeed(name, strlen(name), key);
    const double unit = ((double)(hash >> 11) + 0.5) / (double)(1ull << 53);
    return -log(unit) / member->weight;
}

const struct conf_source *sticky_source(const struct conf_route *route,
                                        uint64_t id, struct slice recipient)
{
    if (route->sticky == STICKY_NO)
        return NULL;
    const uint64_t key =
        route->sticky == STICKY_MESSAGE ? id : hash_recipient(recipient);
    const struct conf_source *best = NULL;
    double least = DBL_MAX;
    for (size_t i = 0; i < route->pool->member_count; i++) {
        const double score = score_of(&route->pool->members[i], key);
        if (best && score >= least)
            continue;
        least = score;
        best = route->pool->members[i].source;
    }
    return best;
}
