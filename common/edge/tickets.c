/* tickets.c - the last few TLS sessions of each peer. */
#include "common/edge/tickets.h"

#include <stdio.h>

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/slice.h"
#include "common/base/table.h"

struct peer {
    struct list link;
    char name[TICKETS_NAME_SIZE];
    void *tickets[TICKETS_EACH_MAX]; /* the oldest first */
    size_t count;
};

struct tickets {
    ticket_destroy_fn *destroy;
    struct table by_name;
    struct list peers; /* the one used last first */
};

static struct slice key_of(const char *name)
{
    return slice_head(slice_text(name), TICKETS_NAME_SIZE - 1);
}

static bool is_called(const void *value, struct slice text)
{
    const struct peer *peer = value;
    return slice_equal(slice_text(peer->name), text);
}

struct tickets *tickets_new(ticket_destroy_fn *destroy)
{
    struct tickets *tickets = NEW(struct tickets);
    tickets->destroy = destroy;
    table_init(&tickets->by_name);
    list_init(&tickets->peers);
    return tickets;
}

static void forget(struct tickets *tickets, struct peer *peer)
{
    (void)table_take_text(&tickets->by_name, slice_text(peer->name), is_called);
    list_remove(&peer->link);
    for (size_t i = 0; i < peer->count; i++)
        tickets->destroy(peer->tickets[i]);
    mem_free(peer);
}

void tickets_free(struct tickets **tickets)
{
    struct tickets *held = steal(*tickets);
    if (!held)
        return;
    list_each (at, &held->peers)
        forget(held, container_of(at, struct peer, link));
    table_release(&held->by_name);
    mem_free(held);
}

static struct peer *find(struct tickets *tickets, const char *name)
{
    struct peer *peer =
        table_get_text(&tickets->by_name, key_of(name), is_called);
    if (peer) {
        list_remove(&peer->link);
        list_push_front(&tickets->peers, &peer->link);
    }
    return peer;
}

static struct peer *add(struct tickets *tickets, const char *name)
{
    if (tickets->by_name.count >= TICKETS_NAMES_MAX)
        forget(tickets, container_of(tickets->peers.prev, struct peer, link));
    struct peer *peer = NEW(struct peer);
    (void)snprintf(peer->name, sizeof peer->name, "%s", name);
    table_put_text(&tickets->by_name, slice_text(peer->name), peer);
    list_push_front(&tickets->peers, &peer->link);
    return peer;
}

void tickets_put(struct tickets *tickets, const char *name, void *ticket)
{
    struct peer *peer = find(tickets, name);
    if (!peer)
        peer = add(tickets, name);
    if (peer->count == TICKETS_EACH_MAX) {
        tickets->destroy(peer->tickets[0]);
        peer->count--;
        for (size_t i = 0; i < peer->count; i++)
            peer->tickets[i] = peer->tickets[i + 1];
    }
    peer->tickets[peer->count++] = ticket;
}

void *tickets_take(struct tickets *tickets, const char *name)
{
    struct peer *peer = find(tickets, name);
    return peer && peer->count > 0 ? peer->tickets[--peer->count] : NULL;
}

void tickets_drop(struct tickets *tickets, const char *name)
{
    struct peer *peer = find(tickets, name);
    if (peer)
        forget(tickets, peer);
}
