/*
 * store.h - the link to Redis: scripts in, replies out, never blocking.
 * hiredis is the codec alone, and known to store_codec.c alone.
 *
 * The link connects by itself, and again after a loss with growing waits; a name
 * server that hangs holds one thread, however often that is (lookup.h). A
 * call made while it is down fails at once; a call without an answer within
 * the time-out fails and the link is made anew. Callers keep their last granted
 * share and go on: Redis is never needed to deliver. Calls are pipelined in
 * order. Scripts are sent by EVALSHA and loaded when Redis says NOSCRIPT; what
 * is sent again for that comes behind the calls already on their way. An error
 * reply (LOADING, MISCONF, READONLY, OOM ...) fails its call and no other.
 */
#ifndef COMMON_EDGE_STORE_H
#define COMMON_EDGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"

struct store;

struct store_script {
    const char *name; /* for logs */
    const char *body; /* Lua; must live for ever */
};

enum store_reply_kind { STORE_NIL, STORE_INTEGER, STORE_TEXT, STORE_ARRAY };

struct store_reply {
    enum store_reply_kind kind;
    int64_t integer;
    struct slice text;
    size_t count;
    const struct store_reply *items;
};

/* reply is NULL when the call failed; fault then says why. */
typedef void store_fn(void *context, const struct store_reply *reply,
                      const struct fault *fault);

/* Where Redis is, and who we are there. Read by store_new() alone. */
struct store_place {
    const char *url;           /* redis://, rediss://, unix://, sentinel://,
                                * sentinels://: see store_url.h */
    const char *user;          /* in place of the URL's; NULL: none */
    const char *password_file; /* the same of the password; its first line */
    const char *ca_file;       /* whom TLS trusts; NULL: the system's */
};

/* NULL when something of the place cannot be used. Redis itself need not be
 * there: the link comes up when it is. Sentinels are asked at each connect, and
 * when Redis says READONLY. */
struct store *store_new(struct loop *loop, const struct store_place *place,
                        uint64_t timeout_ms, struct fault *fault) must_check;
void store_free(struct store **store); /* pending calls are dropped */

bool store_is_up(const struct store *store);

/* A number as an argument of a script. Returns `text`, as a slice. */
#define STORE_NUMBER_SIZE 24
struct slice store_number(uint64_t number, char text[STORE_NUMBER_SIZE]);

/* Runs a script. At most STORE_ARGS_MAX keys and arguments together. fn may be
 * NULL. It is never called before store_eval() has returned. */
#define STORE_ARGS_MAX 32
void store_eval(struct store *store, const struct store_script *script,
                const struct slice *keys, size_t key_count,
                const struct slice *args, size_t arg_count, store_fn *fn,
                void *context);

/* Any command, given as its words. */
void store_command(struct store *store, const struct slice *words,
                   size_t word_count, store_fn *fn, void *context);

#endif
