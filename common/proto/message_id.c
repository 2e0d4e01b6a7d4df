/* message_id.c - the numbers that name messages. */
#include "common/proto/message_id.h"

#include <string.h>

#include "common/base/chars.h"
#include "common/base/check.h"

#define SEQUENCE_BITS 12
#define ROUTER_BITS   10
#define TIME_BITS     42

_Static_assert(SEQUENCE_BITS + ROUTER_BITS + TIME_BITS == 64, "an id is full");
_Static_assert(ID_ROUTER_MAX == (1u << ROUTER_BITS) - 1, "router bits");
_Static_assert(ID_TEXT_LEN * 5 >= 64, "base32 holds 5 bits a character");

/* Crockford's: no i, l, o, u. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Time and sequence as one number, 54 bits: adding 1 to a full sequence goes on
 * with the next millisecond. */
static uint64_t without_router(uint64_t id)
{
    uint64_t sequence = id & ((1u << SEQUENCE_BITS) - 1);
    uint64_t time = id >> (SEQUENCE_BITS + ROUTER_BITS);
    return time << SEQUENCE_BITS | sequence;
}

static uint64_t with_router(uint64_t moment, uint16_t router)
{
    uint64_t sequence = moment & ((1u << SEQUENCE_BITS) - 1);
    uint64_t time = moment >> SEQUENCE_BITS;
    return time << (SEQUENCE_BITS + ROUTER_BITS)
           | (uint64_t)router << SEQUENCE_BITS | sequence;
}

void id_maker_init(struct id_maker *maker, uint16_t router)
{
    CHECK(router <= ID_ROUTER_MAX);
    *maker = (struct id_maker){ .router = router };
}

uint16_t id_router(uint64_t id)
{
    return (uint16_t)(id >> SEQUENCE_BITS & ID_ROUTER_MAX);
}

void id_maker_seen(struct id_maker *maker, uint64_t id)
{
    if (id_router(id) == maker->router && without_router(id) > maker->last)
        maker->last = without_router(id);
}

uint64_t id_next(struct id_maker *maker, uint64_t utc_ms)
{
    uint64_t ms = utc_ms > ID_EPOCH_UTC_MS ? utc_ms - ID_EPOCH_UTC_MS : 0;
    uint64_t moment = ms << SEQUENCE_BITS;
    maker->last = moment > maker->last ? moment : maker->last + 1;
    return with_router(maker->last, maker->router);
}

uint64_t id_utc_ms(uint64_t id)
{
    return (id >> (SEQUENCE_BITS + ROUTER_BITS)) + ID_EPOCH_UTC_MS;
}

const char *id_format(uint64_t id, char text[ID_TEXT_SIZE])
{
    for (int i = ID_TEXT_LEN - 1; i >= 0; i--) {
        text[i] = alphabet[id & 31];
        id >>= 5;
    }
    text[ID_TEXT_LEN] = '\0';
    return text;
}

bool id_parse(struct slice text, uint64_t *id)
{
    uint64_t value = 0;
    if (text.len != ID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = char_lower(text.ptr[i]);
        const char *digit = memchr(alphabet, byte, sizeof alphabet - 1);
        if (!digit || value >> 59 != 0)
            return false;
        value = value << 5 | (uint64_t)(digit - alphabet);
    }
    *id = value;
    return true;
}
