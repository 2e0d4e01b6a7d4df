/*
 * channel.h - one outgoing connection: a dialog, its socket, its waits.
 *
 *     SEEKING -> CONNECTING -> [TUNNELING] -> TALKING -> GONE
 *        ^-----------'--------------'------------'  (not yet ready: the next
 *                                                  address)
 *
 * A channel tries the receiver's hosts in order until one greets us; from then
 * on it carries one transaction after the other, and where the server permits
 * several at once. The owner is told by one callback that something changed and
 * then asks: was a transaction finished, is the channel ready, may one follow,
 * is it gone. In the callback the owner may do anything, also free the channel.
 *
 * Of a host with addresses of both families, for a source that has both, the
 * second is tried when the first gave no connection within CHANNEL_FALL_OVER_MS:
 * one after the other and not side by side (RFC 8305), so that a server never
 * counts two where there is one slot. That one gets its whole wait at the end,
 * when no other address was of use.
 *
 * With opportunistic TLS a handshake that fails is followed by one more
 * connection to the same address in clear (RFC 7435); with required TLS it is a
 * failure of that address like any other.
 *
 * A source that is elsewhere has a proxy: all connections are made to that, and
 * TUNNELING waits until it has reached the host.
 *
 * Transactions may end and the connection with them at once: in one on_change
 * the owner may find some that are done, and the channel gone.
 */
#ifndef WORKERS_SMTP_CHANNEL_H
#define WORKERS_SMTP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/edge/addr.h"
#include "common/edge/loop.h"
#include "common/edge/tls.h"
#include "workers/smtp/dialog.h"
#include "workers/smtp/hosts.h"
#include "workers/smtp/proxy.h"
#include "workers/smtp/tap.h"

/* Time for a SYN that was lost to be sent again. */
#define CHANNEL_FALL_OVER_MS 1500u

struct channel;

/* Who traces; `is_on` is looked at where a tap can be put in: when a connection
 * begins, and with the first job of one that has none under way. */
struct channel_tap {
    const bool *is_on; /* NULL: never */
    tap_fn *fn;
    void *context;
};

struct channel_options {
    struct loop *loop;
    struct addr source;  /* the IP to send from, port 0 */
    struct addr source6; /* to IPv6 hosts, where `source` is IPv4 and the hosts'
                          * options say that it has both; else unused */
    struct proxy proxy;  /* that has it; PROXY_NONE: this host */
    struct hosts_options hosts;
    struct dialog_options dialog;
    struct tls_context *tls; /* borrowed for as long as the channel lives */
    uint64_t connect_ms;
    struct channel_tap tap;
};

typedef void channel_fn(void *context);

/* Starts to connect. All that the options point to must outlive the channel;
 * `list` is copied. on_change is never called before this returns. */
struct channel *channel_new(const struct channel_options *options,
                            const struct wire_host *list, size_t count,
                            uint64_t seed, channel_fn *on_change,
                            void *context) must_check;

/* Closes at once; transactions under way have no result. */
void channel_free(struct channel **channel);

/* Says QUIT; only when ready. The channel is gone, and on_change called, when
 * the server has answered or closed, or after some seconds: so the owner knows
 * when the server does not count the connection any more. */
void channel_leave(struct channel *channel);

/* Whether it has nothing under way, and can take a transaction. */
bool channel_is_ready(const struct channel *channel);

/* Whether it can take one more behind those under way. */
bool channel_can_follow(const struct channel *channel);

/* Whether it has ended; *why then says the reason (may be NULL). */
bool channel_is_gone(const struct channel *channel, struct verdict *why);

/* Begins a transaction; only when ready or when one can follow. It stays the
 * caller's, who keeps it until it was given back by channel_take_done() or the
 * channel was freed. */
void channel_send(struct channel *channel, struct transaction *transaction);

/* The oldest transaction, when it has ended; else NULL. To be called until then:
 * several may have ended at once. */
struct transaction *channel_take_done(struct channel *channel) must_check;

/* Whom we speak with; "" before there is a connection. Live as long as the
 * channel. */
const char *channel_host(const struct channel *channel);
const char *channel_host_ip(const struct channel *channel);
const char *channel_tls(const struct channel *channel); /* "" in clear */

/* What the server offers; only when ready or when one can follow. */
const struct ehlo *channel_peer(const struct channel *channel);

/* When the connection to this host was begun. */
uint64_t channel_began_ms(const struct channel *channel);

/* Since when it is ready and idle; 0 when it is not. */
uint64_t channel_idle_since_ms(const struct channel *channel);

#endif
