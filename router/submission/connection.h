/*
 * connection.h - a conn and a session, tied together.
 *
 *     SHAKING --TLS is up--> TALKING --PUT, CHECK--> WAITING --> TALKING
 *                              ^        a failed login |
 *                              '------- HOLDING <------'
 *     any --> gone, or LEFT while a ticket or check is still out
 *
 * No decision is taken here: the session says what it wants, and gets it. One
 * timer per connection, moved only when it fires too early.
 */
#ifndef ROUTER_SUBMISSION_CONNECTION_H
#define ROUTER_SUBMISSION_CONNECTION_H

#include "common/base/list.h"
#include "config/conf.h"
#include "router/submission/crowd.h"
#include "router/submission/desk.h"
#include "router/submission/net.h"

struct connection;

/* Takes over the fd and one count in the crowd. The connection lives on the
 * desk's list until it ends by itself. */
void connection_open(struct desk *desk, const struct conf_listener *listener,
                     struct crowd *crowd, const struct net *net, int fd);

/* Ends it when it is idle, else once its transaction is over. */
void connection_drain(struct connection *connection);

/* Ends it now. */
void connection_cut(struct connection *connection);

/* Mailbox functions of a desk: a ticket of the intake, a job of the auth. */
void connection_hear_ticket(void *context, void *item);
void connection_hear_check(void *context, void *item);

struct connection *connection_of(struct list *link);

#endif
