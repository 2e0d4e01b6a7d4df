/*
 * spool_fixture.h - a real spool in a folder of its own, for the tests of it.
 *
 * Writes wait for their `done`. The body of a message follows from its id and
 * length, so that any body can be checked without remembering it.
 */
#ifndef TESTS_UNIT_SPOOL_FIXTURE_H
#define TESTS_UNIT_SPOOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "router/spool/spool.h"

#define FIXTURE_FOUND_MAX 20000u
#define FIXTURE_TEXT_MAX  64u

struct found_message {
    uint64_t id;
    bool urgent; /* these two only by fixture_open_live */
    bool has_state;
    char envelope[FIXTURE_TEXT_MAX];
    char state[FIXTURE_TEXT_MAX];
};

struct fixture {
    char path[64];
    struct spool_options options;
    struct spool *spool;
    struct found_message *found; /* by the last opening */
    size_t found_count;
    bool urgent;                            /* fixture_put says so */
    atomic_uint heard[SPOOL_SET_ASIDE + 1]; /* notices since fixture_init */
    atomic_uint_least64_t heard_id;         /* of the last that had one */
};

/* An empty folder under `parent`, with small segments; not opened yet. */
void fixture_init(struct fixture *fixture, const char *parent);
void fixture_release(struct fixture *fixture); /* removes all files */

void fixture_open(struct fixture *fixture);
enum rc fixture_try_open(struct fixture *fixture) must_check;

/* Told by spool_live: without envelopes and states. */
void fixture_open_live(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* NULL: the last opening did not tell of it. */
const struct found_message *fixture_find(const struct fixture *fixture,
                                         uint64_t id);

enum rc fixture_write(struct fixture *fixture, enum spool_kind kind,
                      uint64_t id, struct slice payload, struct body *body);
enum rc fixture_put(struct fixture *fixture, uint64_t id, size_t body_len);
enum rc fixture_state(struct fixture *fixture, uint64_t id, const char *state);
enum rc fixture_drop(struct fixture *fixture, uint64_t id);

struct body *fixture_body(uint64_t id, size_t len);

/* RC_OK: the body is there and right; else what reading it said. A body that
 * reads well but is not the right one fails the test. */
enum rc fixture_check_body(struct fixture *fixture, uint64_t id);

struct spool_stats fixture_stats(const struct fixture *fixture);

/* Number of files in the folder whose names end so. */
size_t fixture_count_files(const struct fixture *fixture, const char *suffix);

/* A folder whose syncs cost nothing, when the machine has one. */
const char *fixture_memory_folder(void);

#endif
