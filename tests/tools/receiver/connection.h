/*
 * connection.h - one socket that a session speaks over.
 *
 * Brings bytes to the session and its answers to the client: late, drop by
 * drop, over TLS, or not at all. While an answer is on its way nothing more
 * is heard, as at a server that handles one command after the other. The
 * socket is watched edge-triggered, so everything is read until it is empty.
 *
 *     OPEN -> HANDSHAKE -> OPEN     STARTTLS
 *     OPEN -> SILENT                reads on, never answers
 *     any  -> DEAD                  closed; freed by connections_bury()
 */
#ifndef RECEIVER_CONNECTION_H
#define RECEIVER_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "tls.h"

/* First member of everything that epoll may point to. */
struct watch {
    void (*ready)(struct watch *watch, uint32_t events);
};

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_HANDSHAKE,
    CONNECTION_SILENT,
    CONNECTION_DEAD,
};

struct connections {
    struct connection *first;
    int epoll_fd;
    uint64_t now_ms; /* of this tick */
    uint32_t idle_ms;
    uint64_t next_number;
    struct record *record;
    bool some_dead;
};

struct connection {
    struct watch watch;
    struct connections *all;
    struct connection *next;
    int fd;
    enum connection_state state;
    char source_ip[INET6_ADDRSTRLEN];
    char target_ip[INET6_ADDRSTRLEN];
    bool counted; /* in source->open */
    bool greeted; /* the banner is out */
    bool ended;   /* the client has closed its side */
    struct text in;
    struct text out;
    struct answer answer;            /* its reply has moved to `out` */
    uint64_t wake_ms;                /* no output before; 0: none waits */
    uint64_t heard_ms;               /* when bytes last came */
    struct tls_context *tls_context; /* borrowed */
    struct tls_channel *tls;         /* NULL: clear text */
    struct session session;
};

/* Takes over an accepted, non-blocking socket and greets the client. */
void connection_start(struct connections *all, int fd,
                      struct provider *provider,
                      struct tls_context *tls_context);

/* Lets those speak whose time has come, and drops those idle too long. */
void connections_tick(struct connections *all);

/* How long the loop may sleep, in ms; -1: until something happens. */
int connections_wait_ms(const struct connections *all);

/* Frees the dead. Call between two rounds of events only. */
void connections_bury(struct connections *all);

/* Closes and frees all. */
void connections_end(struct connections *all);

#endif
