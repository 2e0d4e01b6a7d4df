/*
 * tickets.h - the last few TLS sessions of each peer, to be resumed.
 *
 * A ticket of TLS 1.3 is for one use (RFC 8446 appendix C.4), and a server gives
 * one or two for each handshake: the newest TICKETS_EACH_MAX of each name are
 * kept, and taken out to be used. Of more than TICKETS_NAMES_MAX names the one
 * that was used least recently is forgotten.
 *
 * What a ticket is is the user's (tls.c); it is given up by `destroy`. Names are
 * compared as they are, and cut at TICKETS_NAME_SIZE - 1. No threads.
 */
#ifndef COMMON_EDGE_TICKETS_H
#define COMMON_EDGE_TICKETS_H

#include "common/base/attr.h"

#define TICKETS_NAMES_MAX 512u
#define TICKETS_EACH_MAX  4u
#define TICKETS_NAME_SIZE 256u

struct tickets;

typedef void ticket_destroy_fn(void *ticket);

struct tickets *tickets_new(ticket_destroy_fn *destroy) must_check;
void tickets_free(struct tickets **tickets);

/* Keeps the ticket, which is not NULL, and destroys it some time. */
void tickets_put(struct tickets *tickets, const char *name, void *ticket);

/* The newest ticket of the name, which is the caller's from now on, or NULL. */
void *tickets_take(struct tickets *tickets, const char *name) must_check;

/* Destroys all of the name. */
void tickets_drop(struct tickets *tickets, const char *name);

#endif
