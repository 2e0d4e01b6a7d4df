/*
 * locked.h - some templates under their lock, for the files of this table alone.
 *
 * All but locked_enter() is for who has entered.
 */
#ifndef ROUTER_TEMPLATES_LOCKED_H
#define ROUTER_TEMPLATES_LOCKED_H

#include <pthread.h>
#include <stdatomic.h>

#include "router/templates/shard.h"
#include "router/templates/templates.h"

struct locked {
    pthread_mutex_t lock;
    struct shard shard;
    struct guard_rules rules;
    size_t watch_max; /* bytes, of all shards */
    uint32_t max;     /* templates, of all shards */
    uint64_t messages;
    uint64_t spent;
    uint64_t dropped;
    uint64_t changes[GUARD_CHANGES];
};

struct templates {
    struct locked shards[TEMPLATES_SHARDS];
    struct templates_hooks hooks;
    uint64_t secret; /* of the hashes of recipients */
    atomic_size_t count;
    atomic_size_t watch_bytes;
};

/* Of the same name the same on all routers. */
uint64_t tenant_hash(struct slice name);

/* The shard of an id; or by its number. */
struct locked *locked_enter(struct templates *templates, uint64_t id);
void locked_leave(struct locked *locked);

/* What the watch of a template grew or shrank by since it had `before`. */
void locked_weigh(struct templates *templates, struct shard *shard,
                  size_t before, const struct guard_template *template);

/* A new one, zero but for its key; another may go for it. */
struct guard_template *locked_add(struct templates *templates,
                                  struct locked *locked,
                                  const struct guard_key *key);
void locked_drop(struct templates *templates, struct locked *locked,
                 struct guard_template *template);

struct template_record locked_record(const struct shard *shard,
                                     const struct guard_template *template);

/* Others hear of what they could not find themselves. */
void locked_tell(struct templates *templates, struct locked *locked,
                 const struct guard_template *template, enum guard_change why);

#endif
