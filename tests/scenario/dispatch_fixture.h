/*
 * dispatch_fixture.h - a lane thread with its real spool, bus and clock, and
 * workers that do what the test says.
 *
 * The router side runs as in the daemon: spool, committer, intake, lane thread.
 * Workers speak real frames over ipc from the test's own loop; each beats by
 * itself until the test silences it. Waiting turns that loop until a condition
 * holds or WAIT_MAX_MS have passed; then the test fails.
 */
#ifndef TESTS_SCENARIO_DISPATCH_FIXTURE_H
#define TESTS_SCENARIO_DISPATCH_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/list.h"
#include "common/edge/bus.h"
#include "common/proto/message_id.h"
#include "common/proto/wire.h"
#include "router/dispatch/dispatch.h"
#include "router/intake.h"
#include "router/state.h"

/* Under the thread sanitizer (clang's) a worker of ours may be busy for a second
 * with what it has heard, and must not be taken for lost. */
#define LEASE_MS 1000u
#define LEASE    "1s"
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#undef LEASE_MS
#undef LEASE
#define LEASE_MS 4000u
#define LEASE    "4s"
#endif
#endif
#define WAIT_MAX_MS 40000u
#define KEPT_MAX    64u

/* A frame that a worker got; slices point into its own arena. */
struct kept_frame {
    struct arena arena;
    struct wire_frame frame;
    struct slice body;
    bool seen;
};

struct scripted {
    struct list link; /* in fixture->workers */
    struct fixture *fixture;
    struct loop *loop; /* its bus alone */
    const char *name;
    uint64_t boot;
    struct bus *bus;
    struct timer *beat;
    bool silent;   /* sends no BEATs */
    bool deaf;     /* reads nothing */
    bool prompt;   /* answers each JOB with 250 at once and keeps nothing */
    bool ends_dsn; /* its receivers know no DSN */
    /* Hears what comes, before anything else; true: it is not kept. NULL: none. */
    bool (*hears)(struct scripted *worker, const struct wire_frame *frame);
    void *context;        /* for hears() */
    uint64_t router_boot; /* as BEAT and WELCOME say */
    struct kept_frame kept[KEPT_MAX];
    size_t count;
    struct wire_ids held_leases; /* for its next HELLO */
    struct wire_ids held_messages;
    struct wire_ids former_boots;
    const char *sources[4]; /* up to a NULL */
};

struct fixture {
    char folder[64];
    struct conf *conf;
    struct loop *loop;
    struct list workers;
    struct mailbox *tickets;
    struct dispatch *dispatch;
    struct spool *spool;
    struct intake *intake;
    struct id_maker
        ids; /* under ids_lock: reports are made in the lane thread */
    pthread_mutex_t ids_lock;
    size_t accepted;
    uint32_t hot_share; /* of the router's next start; 0: as in the daemon */
};

void fixture_init(struct fixture *fixture);
void fixture_release(struct fixture *fixture);

/* The router goes down as after SIGTERM, and comes back over the same spool. */
void fixture_stop_router(struct fixture *fixture);
void fixture_start_router(struct fixture *fixture);

/* For cmocka: a fixture of its own for each test. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define SCENARIO(test)                                                         \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* What is on disk of a message: its state, in the arena. The router must be
 * down. False: the message is gone. */
bool fixture_read_state(struct fixture *fixture, uint64_t id,
                        struct arena *arena, struct state *state);

/* The config of the fixture with some of its text changed, taken over by the
 * running router before this returns. */
struct swap {
    const char *from;
    const char *to;
};
void fixture_reload(struct fixture *fixture, const struct swap *swaps,
                    size_t count);

/* The router starts anew and asks whoever has this UDP socket; closed by the
 * caller. */
int fixture_bind_resolver(struct fixture *fixture);

struct mail_recipient {
    const char *address;
    const char *route; /* NULL: named as the stream */
    uint8_t notify;
};

struct mail {
    const char *stream;
    const char *sender;                  /* NULL: s@a.example */
    struct mail_recipient recipients[8]; /* up to one without address */
    uint8_t ret;
    uint64_t expires_ms; /* from now; 0: an hour */
};

/* Accepted by the spool; the id. */
uint64_t fixture_submit_mail(struct fixture *fixture, const struct mail *mail);

/* So many messages of fixture_submit(), many in one sync. */
void fixture_submit_many(struct fixture *fixture, const char *stream,
                         size_t count);

/* A message for u@[127.0.0.1] from s@a.example, accepted by the spool; its id.
 * `stream` is also the route's name. */
uint64_t fixture_submit(struct fixture *fixture, const char *stream);
uint64_t fixture_submit_to(struct fixture *fixture, const char *stream,
                           const char *const *recipients, size_t count);

/* Turns the loop for so long. */
void fixture_pass(struct fixture *fixture, uint64_t ms);

/* The event log with all lines that there are by now; the caller's to close. */
FILE *fixture_open_log(struct fixture *fixture);

/* In how many lines of the event log is `text` by now? */
size_t fixture_count_logged(struct fixture *fixture, const char *text);

/* Is it in any? */
bool fixture_logged(struct fixture *fixture, const char *text);

/* Waits until the answer to the question has `text` in it. */
void fixture_await_answer(struct fixture *fixture,
                          enum dispatch_question question, const char *arg,
                          const char *text);

/* Waits until it is. */
void fixture_await_logged(struct fixture *fixture, const char *text);

/* The number behind the first `key` of the status. */
uint64_t fixture_number(struct fixture *fixture, const char *key);

/* Waits until no message is queued. */
void fixture_await_empty(struct fixture *fixture);

/* `sources` ends in NULL; says HELLO and waits for the WELCOME. */
struct scripted *scripted_new(struct fixture *fixture, const char *name,
                              uint64_t boot, const char *const *sources);
/* The same, but says nothing yet, and does not beat. */
struct scripted *scripted_make(struct fixture *fixture, const char *name,
                               uint64_t boot, const char *const *sources);
void scripted_free(struct scripted **worker);

/* Delivers the job, after which nothing is queued; frees the worker. */
void scripted_finish(struct fixture *fixture, struct scripted *worker,
                     const struct wire_job *job);

/* Waits for the WELCOME; OFFERs that came before it count as seen. */
void scripted_hello(struct scripted *worker);
void scripted_send(struct scripted *worker, const struct wire_frame *frame);
void scripted_send_bytes(struct scripted *worker, struct slice bytes);
void scripted_drain(struct scripted *worker);
void scripted_handback(struct scripted *worker, uint64_t lease);

/* Asks for `total` jobs of the lane, ever, from this source. */
void scripted_pull(struct scripted *worker, uint32_t lane, const char *source,
                   uint64_t total);

/* The next frame of this kind that was not seen yet; waits for it. */
const struct wire_frame *scripted_await(struct scripted *worker,
                                        enum wire_kind kind);

/* The next JOB, and what its body is. */
const struct wire_job *scripted_await_job(struct scripted *worker);
struct slice scripted_body(const struct scripted *worker,
                           const struct wire_job *job);

/* The next JOB has to be a report to this address; its text. */
struct slice scripted_await_report(struct scripted *worker, const char *to,
                                   const struct wire_job **job);

/* Frames of this kind that have come count as seen. */
void scripted_forget(struct scripted *worker, enum wire_kind kind);

/* Is one there, without waiting? */
const struct wire_frame *scripted_look(struct scripted *worker,
                                       enum wire_kind kind);

/* A RESULT with these outcomes. */
struct scripted_outcome {
    uint32_t index;
    uint16_t code;
    const char *text;
};
void scripted_results(struct scripted *worker, const struct wire_job *job,
                      const struct scripted_outcome *outcomes, size_t count);

/* A RESULT for the job's first recipient alone. */
void scripted_result(struct scripted *worker, const struct wire_job *job,
                     uint16_t code, const char *text);

/* What a worker's next life finds of a job whose last byte was said. */
void scripted_doubt(struct scripted *worker, const struct wire_job *job);

/* Waits for an OFFER with jobs, of a pool; the lane. */
uint32_t scripted_await_lane(struct scripted *worker, const char *pool);

#endif
