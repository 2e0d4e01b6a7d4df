/*
 * server.h - all providers of a world, behind one epoll loop.
 *
 * Owns the listening sockets, the providers, their TLS contexts and the
 * record. SIGUSR1 writes the stats file; SIGTERM and SIGINT write it and end
 * the loop.
 */
#ifndef RECEIVER_SERVER_H
#define RECEIVER_SERVER_H

#include <stdbool.h>

#include "config.h"

struct server;

/* Binds everything. NULL after an error, which is on stderr. The world is
 * borrowed and must outlive the server. */
struct server *server_new(const struct world *world);

/* Runs until a signal ends it. False if the loop or the record broke. */
bool server_run(struct server *server);

void server_free(struct server **server);

#endif
