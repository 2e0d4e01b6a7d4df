/*
 * message_id.h - the numbers that name messages.
 *
 *      63                     22 21       12 11        0
 *     | ms since 2020-01-01 UTC | router    | sequence  |
 *       42 bits, until 2159       10 bits     12 bits
 *
 * Ids of one router rise strictly, so they sort by time of acceptance. When the
 * clock steps back, or 4096 were made in one millisecond, the maker goes on from
 * the time it had: ids may run ahead of the clock, they never repeat.
 * In text an id has 13 characters of Crockford's base32 in lower case, which
 * sort as the numbers do.
 */
#ifndef COMMON_PROTO_MESSAGE_ID_H
#define COMMON_PROTO_MESSAGE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

#define ID_EPOCH_UTC_MS UINT64_C(1577836800000) /* 2020-01-01T00:00:00Z */
#define ID_ROUTER_MAX   1023u
#define ID_TEXT_LEN     13
#define ID_TEXT_SIZE    (ID_TEXT_LEN + 1)

/* One per router; not for several threads at once. */
struct id_maker {
    uint64_t last;   /* time and sequence of the last id, without the router */
    uint16_t router; /* at most ID_ROUTER_MAX */
};

void id_maker_init(struct id_maker *maker, uint16_t router);

/* A maker that was started anew must not repeat: tell it the newest id found
 * in the spool. Ids of other routers are ignored. */
void id_maker_seen(struct id_maker *maker, uint64_t id);

uint64_t id_next(struct id_maker *maker, uint64_t utc_ms);

/* Which router made it. */
uint16_t id_router(uint64_t id);

/* When the id was made; exact but for the cases above. */
uint64_t id_utc_ms(uint64_t id);

/* Returns `text`. */
const char *id_format(uint64_t id, char text[ID_TEXT_SIZE]);

/* The whole text is an id, in either case; false leaves *id as it was. */
bool id_parse(struct slice text, uint64_t *id);

#endif
