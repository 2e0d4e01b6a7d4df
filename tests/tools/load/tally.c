/* tally.c - what the sink has taken, when and from whom. */
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "measure.h"

uint32_t tally_find_peer(struct tally *tally, const struct endpoint *client)
{
    char host[ENDPOINT_TEXT_MAX];
    endpoint_print_host(client, host);
    for (uint32_t i = 0; i < tally->peer_count; i++) {
        if (strcmp(tally->peers[i].host, host) == 0)
            return i;
    }
    if (tally->peers == NULL) {
        tally->peers = calloc(TALLY_PEERS_MAX, sizeof *tally->peers);
        if (tally->peers == NULL)
            abort();
    }
    if (tally->peer_count == TALLY_PEERS_MAX)
        return TALLY_PEERS_MAX - 1;
    struct tally_peer *peer = &tally->peers[tally->peer_count];
    memcpy(peer->host, host, sizeof host);
    return tally->peer_count++;
}

void tally_message(struct tally *tally, uint32_t peer, uint32_t recipients,
                   uint64_t now_utc_us)
{
    if (tally->messages == 0)
        tally->first_utc_us = now_utc_us;
    tally->last_utc_us = now_utc_us;
    tally->messages++;
    tally->recipients += recipients;
    tally->peers[peer].messages++;
}

void tally_print(const struct tally *tally)
{
    struct bytes out = { 0 };
    const double seconds =
        (double)(tally->last_utc_us - tally->first_utc_us) / 1e6;
    const double messages = (double)tally->messages;
    bytes_addf(&out,
               "{\"messages\":%" PRIu64 ",\"recipients\":%" PRIu64
               ",\"bytes\":%" PRIu64 ",\"connections\":%" PRIu64
               ",\"connections_at_once\":%" PRIu64,
               tally->messages, tally->recipients, tally->bytes,
               tally->connections, tally->connections_at_once);
    bytes_addf(&out,
               ",\"first_utc_us\":%" PRIu64 ",\"last_utc_us\":%" PRIu64
               ",\"messages_per_s\":%.1f,\"cpu_us_per_message\":%.1f",
               tally->first_utc_us, tally->last_utc_us,
               seconds > 0 ? messages / seconds : 0,
               messages > 0 ? (double)clock_cpu_us() / messages : 0);
    bytes_add_text(&out, ",\"peers\":{");
    for (uint32_t i = 0; i < tally->peer_count; i++) {
        const struct tally_peer *peer = &tally->peers[i];
        bytes_addf(
            &out,
            "%s\"%s\":{\"messages\":%" PRIu64 ",\"connections\":%" PRIu64 "}",
            i > 0 ? "," : "", peer->host, peer->messages, peer->connections);
    }
    bytes_add_text(&out, "}}\n");
    fwrite(out.ptr, 1, out.len, stdout);
    fflush(stdout);
    bytes_release(&out);
}

void tally_release(struct tally *tally)
{
    free(tally->peers);
    *tally = (struct tally){ 0 };
}
