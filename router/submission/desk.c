/* desk.c - one thread of submission. */
#include "router/submission/desk.h"

#include <sched.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "router/submission/connection.h"
#include "router/submission/door.h"

#define ORDERS_MAX  16u
#define TICKETS_MAX 16384u /* more wait in the committer, which then waits */

static void drain(struct desk *desk)
{
    desk->is_draining = true;
    list_each (link, &desk->doors) {
        struct door *door = door_of(link);
        door_free(&door);
    }
    list_each (link, &desk->connections)
        connection_drain(connection_of(link));
}

static void on_cut(void *context)
{
    struct desk *desk = context;
    list_each (link, &desk->connections)
        connection_cut(connection_of(link));
}

static void open_doors(struct desk *desk, struct desk_order *order)
{
    for (size_t i = 0; i < order->door_count; i++) {
        struct desk_door *given = &order->doors[i];
        struct door *door = door_new(desk, steal(given->address), given->fd,
                                     steal(given->crowd));
        given->fd = -1;
        list_push_back(&desk->doors, door_link(door));
    }
}

static void take_setup(struct desk *desk, struct desk_order *order)
{
    setup_release(&desk->setup);
    desk->setup = steal(order->setup);
    open_doors(desk, order);
    list_each (link, &desk->doors) {
        struct door *door = door_of(link);
        if (!setup_listener(desk->setup, door_address(door)))
            door_free(&door);
    }
}

static void on_order(void *context, void *item)
{
    struct desk *desk = context;
    struct desk_order *order = item;
    switch (order->kind) {
    case DESK_SETUP:
        if (!desk->is_draining)
            take_setup(desk, order);
        break;
    case DESK_DRAIN:
        drain(desk);
        if (order->cut_ms != UINT64_MAX)
            timer_set(desk->cut, order->cut_ms);
        break;
    }
    desk_order_free(&order);
    desk_check_end(desk);
}

void desk_check_end(struct desk *desk)
{
    if (desk->is_draining && list_is_empty(&desk->connections))
        loop_stop(desk->loop);
}

struct desk *desk_new(const struct submission_options *options,
                      struct auth *auth, struct budget *budget)
{
    struct desk *desk = NEW(struct desk);
    desk->options = options;
    desk->auth = auth;
    desk->budget = budget;
    desk->loop = loop_new();
    desk->sketcher = sketcher_new();
    desk->cut = timer_new(desk->loop, on_cut, desk);
    list_init(&desk->doors);
    list_init(&desk->connections);
    desk->orders = mailbox_new(desk->loop, ORDERS_MAX, on_order, desk);
    desk->tickets =
        mailbox_new(desk->loop, TICKETS_MAX, connection_hear_ticket, desk);
    desk->checks = mailbox_new(desk->loop, AUTH_QUEUE_MAX + AUTH_THREADS,
                               connection_hear_check, desk);
    return desk;
}

void desk_free(struct desk **desk)
{
    struct desk *held = steal(*desk);
    if (!held)
        return;
    drain(held);
    timer_free(&held->cut);
    mailbox_free(&held->checks);
    mailbox_free(&held->tickets);
    mailbox_free(&held->orders);
    setup_release(&held->setup);
    loop_free(&held->loop);
    sketcher_free(&held->sketcher);
    mem_free(held);
}

static void *run(void *context)
{
    struct desk *desk = context;
    loop_run(desk->loop);
    return NULL;
}

enum rc desk_start(struct desk *desk, struct fault *fault)
{
    int failed = pthread_create(&desk->thread, NULL, run, desk);
    return failed ? fault_set(fault, RC_IO, failed, "start a thread") : RC_OK;
}

void desk_post(struct desk *desk, struct desk_order *order)
{
    while (!mailbox_post(desk->orders, order))
        (void)sched_yield();
}

void desk_order_free(struct desk_order **order)
{
    struct desk_order *held = steal(*order);
    if (!held)
        return;
    for (size_t i = 0; i < held->door_count; i++) {
        mem_free(held->doors[i].address);
        crowd_release(&held->doors[i].crowd);
        if (held->doors[i].fd >= 0)
            (void)close(held->doors[i].fd);
    }
    mem_free(held->doors);
    setup_release(&held->setup);
    mem_free(held);
}
