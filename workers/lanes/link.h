/*
 * link.h - the worker's end of the job protocol with one router.
 *
 *     GREETING --WELCOME--> JOINED --silent for lease_ms, or a new boot--+
 *        ^----------------------------------------------------------------'
 *
 * In GREETING a HELLO goes out with every beat, with all that we still hold of
 * this router. When JOINED ends, lanes and credit of the old time are void
 * (on_lost), jobs under way are finished and their results kept. See
 * common/proto/wire.h for the frames.
 */
#ifndef WORKERS_LANES_LINK_H
#define WORKERS_LANES_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "common/proto/wire.h"
#include "config/conf.h"

struct link;

struct link_handlers {
    /* Frames of the router; slices live until the handler returns. `head` is
     * the whole frame, for who wants to keep it. */
    void (*on_offer)(void *context, struct link *link,
                     const struct wire_offer *offer);
    void (*on_job)(void *context, struct link *link, const struct wire_job *job,
                   struct slice head, struct slice body);
    void (*on_share)(void *context, uint32_t rank, uint32_t workers);
    void (*on_lost)(void *context, struct link *link);
    /* The router runs on another config than we do: told once for each. */
    void (*on_new_config)(void *context);
    /* Adds the leases and messages of jobs that are under way. */
    void (*add_held)(void *context, struct link *link, uint64_t *leases,
                     uint64_t *messages, size_t *count, size_t max);
    /* Names of the sources bound here. */
    struct wire_texts (*sources)(void *context);
};

struct link_options {
    struct loop *loop;
    const struct conf *conf;
    const struct conf_router *router;
    const char *worker; /* our name */
    uint64_t boot;
    const struct link_handlers *handlers;
    void *context;
};

struct link *link_new(const struct link_options *options,
                      struct fault *fault) must_check;
void link_free(struct link **link);

/* Says HELLO again: our sources have changed. */
void link_greet(struct link *link);

/* From a reload; the old conf may go afterwards. */
void link_reconf(struct link *link, const struct conf *conf,
                 const struct conf_router *router);

void link_pull(struct link *link, uint32_t lane, struct slice source,
               uint64_t total);
void link_handback(struct link *link, uint64_t lease, const char *reason);

/* Sends the result and keeps it until it is acknowledged. */
void link_result(struct link *link, const struct wire_result *result);

void link_drain(struct link *link);

/* Results without an acknowledgement. */
size_t link_kept(const struct link *link);

#endif
