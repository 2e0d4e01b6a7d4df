/*
 * shard.h - the templates of some tenants, without a lock.
 *
 * A template is found by its id, which the same text has everywhere, else by a
 * band of its key (classifier/guard). At most SHARD_BAND_MAX templates are kept
 * under one band, so that a footer that all mail of a tenant has costs no time.
 * What is dropped for room is unproven and was not seen for longest, of those
 * that a hand passes; the proven go last.
 *
 * Pointers to templates and tenants are good until the next drop.
 */
#ifndef ROUTER_TEMPLATES_SHARD_H
#define ROUTER_TEMPLATES_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/guard/guard.h"
#include "common/base/slice.h"
#include "common/base/table.h"
#include "router/templates/aliases.h"
#include "router/templates/finder.h"
#include "router/templates/witnesses.h"

#define SHARD_BAND_MAX    8u
#define SHARD_TENANTS_MAX UINT16_MAX

struct tenant {
    char *name;
    uint16_t number;
    struct allowance pot;
    uint32_t asked_utc_s;
};

struct shard {
    struct guard_template **chunks;
    uint32_t chunk_count;
    uint32_t used;  /* finder behind were never used */
    uint32_t free;  /* first of those that are free, FINDER_NONE */
    uint32_t hand;  /* of the search for one to drop */
    uint32_t count; /* that live */
    size_t watch_bytes;
    struct finder ids;
    struct finder bands; /* place * GUARD_BANDS + band */
    struct aliases aliases;
    struct witnesses witnesses;
    struct tenant **tenants;
    uint32_t tenant_count;
    struct table tenants_by_name;
};

void shard_init(struct shard *shard);
void shard_release(struct shard *shard);

/* The one that is most like it; NULL: none is. */
struct guard_template *shard_find(const struct shard *shard,
                                  const struct guard_key *key);
/* By the id that it has or had. */
struct guard_template *shard_by_id(const struct shard *shard, uint64_t id);
/* The id that one has now that had this, whether or not it is here. */
uint64_t shard_resolve(const struct shard *shard, uint64_t id);

/* A new one, all zero but for its key; no other has its id. */
struct guard_template *shard_add(struct shard *shard,
                                 const struct guard_key *key);
void shard_drop(struct shard *shard, struct guard_template *template);

/* The one to drop for room; NULL: there is none. */
struct guard_template *shard_least(struct shard *shard);

/* Gives it another id, which no other has. */
void shard_rename(struct shard *shard, struct guard_template *template,
                  uint64_t id);

/* Begin with *at = 0; NULL at the end. */
struct guard_template *shard_next(const struct shard *shard, uint32_t *at);

struct tenant *shard_tenant(const struct shard *shard, struct slice name);
/* Makes it where it is not there; NULL when there are too many. */
struct tenant *shard_tenant_of(struct shard *shard, struct slice name);

/* Memory in all, but for tenants. */
size_t shard_bytes(const struct shard *shard);

#endif
