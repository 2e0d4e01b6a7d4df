/*
 * tally.h - what the sink has taken, when and from whom.
 */
#ifndef TESTS_TOOLS_LOAD_TALLY_H
#define TESTS_TOOLS_LOAD_TALLY_H

#include <stdint.h>

#include "endpoint.h"

enum { TALLY_PEERS_MAX = 4096 }; /* beyond: all counted in the last one */

struct tally_peer {
    char host[ENDPOINT_TEXT_MAX];
    uint64_t messages;
    uint64_t connections;
};

struct tally {
    uint64_t messages;
    uint64_t recipients;
    uint64_t bytes; /* read, commands included */
    uint64_t connections;
    uint64_t connections_at_once; /* the most */
    uint64_t first_utc_us;        /* 0: nothing came */
    uint64_t last_utc_us;
    uint32_t peer_count;
    struct tally_peer *peers; /* grows to TALLY_PEERS_MAX */
};

/* The place of this client among the peers, made when it is new. */
uint32_t tally_find_peer(struct tally *tally, const struct endpoint *client);

void tally_message(struct tally *tally, uint32_t peer, uint32_t recipients,
                   uint64_t now_utc_us);

/* Writes one JSON object and a newline to standard output. */
void tally_print(const struct tally *tally);

void tally_release(struct tally *tally);

#endif
