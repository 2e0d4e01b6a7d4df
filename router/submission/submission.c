/* submission.c - the front door: threads, listeners, generations of config. */
#include "router/submission/submission.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/addr.h"
#include "common/edge/log.h"
#include "router/submission/desk.h"

#define BACKLOG 1024

/* What is listened to; the desks have one socket each for it. */
struct listener {
    char *address;
    struct crowd *crowd;
};

struct submission {
    struct submission_options options;
    struct auth *auth;
    struct budget budget;
    struct desk **desks;
    size_t desk_count;
    struct listener *listeners;
    size_t listener_count;
    bool is_started; /* under a first conf */
};

static void free_listeners(struct listener *listeners, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free(listeners[i].address);
        crowd_release(&listeners[i].crowd);
    }
    mem_free(listeners);
}

static const struct listener *find_listener(const struct submission *submission,
                                            const char *address)
{
    for (size_t i = 0; i < submission->listener_count; i++)
        if (strcmp(submission->listeners[i].address, address) == 0)
            return &submission->listeners[i];
    return NULL;
}

/* One socket for one desk. */
static enum rc open_socket(const struct conf_listener *listener, int *fd,
                           struct fault *fault)
{
    struct addr addr;
    if (!addr_of_ip(slice_text(listener->address.host), listener->address.port,
                    &addr))
        return fault_set(fault, RC_SYNTAX, 0, "listener %s: bad address %s",
                         listener->name, listener->address.text);
    *fd = addr_listen(&addr, BACKLOG);
    return *fd >= 0
               ? RC_OK
               : fault_set(fault, RC_IO, errno, "listener %s: listen on %s",
                           listener->name, listener->address.text);
}

/* A change on its way: nothing of it is in force before all of it is there. */
struct change {
    struct setup *setup;
    struct listener *listeners; /* of the new conf */
    size_t listener_count;
    struct desk_order **orders; /* one per desk */
    size_t order_count;
};

static void change_release(struct change *change)
{
    for (size_t i = 0; change->orders && i < change->order_count; i++)
        desk_order_free(&change->orders[i]);
    mem_free(change->orders);
    free_listeners(change->listeners, change->listener_count);
    setup_release(&change->setup);
}

static enum rc add_doors(struct change *change,
                         const struct conf_listener *listener,
                         struct crowd *crowd, struct fault *fault)
{
    for (size_t i = 0; i < change->order_count; i++) {
        struct desk_order *order = change->orders[i];
        int fd = -1;
        enum rc rc = open_socket(listener, &fd, fault);
        if (rc != RC_OK)
            return rc;
        const char *address = listener->address.text;
        order->doors[order->door_count++] = (struct desk_door){
            .address = mem_copy_text(address, strlen(address)),
            .fd = fd,
            .crowd = crowd_hold(crowd),
        };
    }
    return RC_OK;
}

/* A model that cannot be used changes nothing in a platform that runs; one that
 * starts takes mail without any, since that only protects less. */
static enum rc check_model(const struct submission *submission,
                           const struct setup *setup, struct fault *fault)
{
    const struct fault *found = &setup->policy->fault;
    if (found->rc == RC_OK)
        return RC_OK;
    if (submission->is_started) {
        *fault = *found;
        return found->rc;
    }
    log_fault(LOG_ERROR, "no_model", found);
    return RC_OK;
}

static enum rc prepare(const struct submission *submission, struct conf *conf,
                       struct change *change, struct fault *fault)
{
    change->setup = setup_new(conf, fault);
    if (!change->setup)
        return RC_IO;
    const enum rc model = check_model(submission, change->setup, fault);
    if (model != RC_OK)
        return model;
    change->listeners =
        mem_new(conf->listener_count, sizeof *change->listeners);
    change->orders = mem_new(submission->desk_count, sizeof(void *));
    change->order_count = submission->desk_count;
    for (size_t i = 0; i < change->order_count; i++) {
        change->orders[i] = NEW(struct desk_order);
        change->orders[i]->kind = DESK_SETUP;
        change->orders[i]->setup = setup_hold(change->setup);
        change->orders[i]->doors =
            mem_new(conf->listener_count, sizeof(struct desk_door));
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        const struct conf_listener *wanted = &conf->listeners[i];
        const char *address = wanted->address.text;
        const struct listener *open = find_listener(submission, address);
        struct crowd *crowd = open ? crowd_hold(open->crowd) : crowd_new();
        change->listeners[change->listener_count++] = (struct listener){
            .address = mem_copy_text(address, strlen(address)),
            .crowd = crowd,
        };
        enum rc rc = open ? RC_OK : add_doors(change, wanted, crowd, fault);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static void log_listeners(const struct conf *conf)
{
    static const char *const tls[] = {
        [LISTENER_STARTTLS] = "starttls",
        [LISTENER_IMPLICIT] = "implicit",
        [LISTENER_PLAIN] = "plain",
    };
    for (size_t i = 0; i < conf->listener_count; i++)
        log_line(LOG_INFO, "listening", "listener=%s address=%s tls=%s",
                 conf->listeners[i].name, conf->listeners[i].address.text,
                 tls[conf->listeners[i].tls]);
}

enum rc submission_reconf(struct submission *submission, struct conf *conf,
                          struct fault *fault)
{
    struct change change = { 0 };
    enum rc rc = prepare(submission, conf, &change, fault);
    if (rc == RC_OK) {
        for (size_t i = 0; i < change.order_count; i++)
            desk_post(submission->desks[i], steal(change.orders[i]));
        free_listeners(submission->listeners, submission->listener_count);
        submission->listeners = steal(change.listeners);
        submission->listener_count = change.listener_count;
        submission->is_started = true;
        change.listener_count = 0;
        log_listeners(conf);
    }
    change_release(&change);
    return rc;
}

static void drain(struct submission *submission, uint64_t cut_ms)
{
    for (size_t i = 0; i < submission->desk_count; i++) {
        struct desk_order *order = NEW(struct desk_order);
        order->kind = DESK_DRAIN;
        order->cut_ms = cut_ms;
        desk_post(submission->desks[i], order);
    }
}

static void destroy(struct submission *submission)
{
    for (size_t i = 0; i < submission->desk_count; i++)
        desk_free(&submission->desks[i]);
    mem_free(submission->desks);
    auth_free(&submission->auth);
    free_listeners(submission->listeners, submission->listener_count);
    mem_free(submission);
}

static enum rc start_desks(struct submission *submission, struct fault *fault)
{
    for (size_t i = 0; i < submission->desk_count; i++) {
        enum rc rc = desk_start(submission->desks[i], fault);
        if (rc == RC_OK)
            continue;
        drain(submission, 0);
        for (size_t j = 0; j < i; j++)
            (void)pthread_join(submission->desks[j]->thread, NULL);
        return rc;
    }
    return RC_OK;
}

struct submission *submission_start(struct conf *conf,
                                    const struct submission_options *options,
                                    struct fault *fault)
{
    struct submission *submission = NEW(struct submission);
    submission->options = *options;
    submission->auth = auth_new();
    submission->desk_count = conf->submission_threads;
    submission->desks = mem_new(submission->desk_count, sizeof(void *));
    for (size_t i = 0; i < submission->desk_count; i++)
        submission->desks[i] = desk_new(&submission->options, submission->auth,
                                        &submission->budget);
    /* The orders wait in the mailboxes until the threads run. */
    if (submission_reconf(submission, conf, fault) != RC_OK
        || start_desks(submission, fault) != RC_OK) {
        destroy(submission);
        return NULL;
    }
    return submission;
}

void submission_drain(struct submission *submission)
{
    drain(submission, UINT64_MAX);
}

void submission_stop(struct submission **submission, uint64_t wait_ms)
{
    struct submission *held = steal(*submission);
    if (!held)
        return;
    drain(held, time_now_ms() + wait_ms);
    for (size_t i = 0; i < held->desk_count; i++)
        (void)pthread_join(held->desks[i]->thread, NULL);
    destroy(held);
}

static uint64_t value_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counters(const struct desk_counters *counters,
                         struct submission_stats *stats)
{
    stats->connections += value_of(&counters->connections);
    stats->connections_total += value_of(&counters->connections_total);
    stats->turned_away += value_of(&counters->turned_away);
    stats->accepted += value_of(&counters->accepted);
    stats->accepted_recipients += value_of(&counters->accepted_recipients);
    stats->logins += value_of(&counters->logins);
    stats->logins_failed += value_of(&counters->logins_failed);
    for (size_t code = 0; code < SUBMISSION_CODES; code++) {
        uint64_t count = value_of(&counters->refused[code]);
        stats->refused[code] += count;
        *(code < 500 ? &stats->refused_4yz : &stats->refused_5yz) += count;
    }
}

void submission_stats(const struct submission *submission,
                      struct submission_stats *stats)
{
    *stats = (struct submission_stats){ 0 };
    for (size_t i = 0; i < submission->desk_count; i++)
        add_counters(&submission->desks[i]->counters, stats);
}
