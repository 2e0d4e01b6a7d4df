/*
 * templates.h - every template that this router knows of.
 *
 *     templates_new -> templates_merge ... -> look, take, hear from any
 *     thread -> templates_free
 *
 * Sharded by tenant, a lock for each shard, held for a few microseconds at most:
 * a message's template and its tenant's pot are in one. No I/O is done under a
 * lock, and nobody waits: what others should hear of (a change of state, a
 * wish for a share) is told to hooks, which post it.
 *
 * At most max_templates are kept (shard.h says which go), and for the unproven
 * among them TEMPLATES_WATCH_BYTES for each of all, at least
 * TEMPLATES_WATCH_MIN.
 *
 * A message comes twice: templates_look() says how its template stands, which
 * changes nothing, and once it is judged templates_take() counts it.
 */
#ifndef ROUTER_TEMPLATES_TEMPLATES_H
#define ROUTER_TEMPLATES_TEMPLATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/guard/guard.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/templates/packed.h"

#define TEMPLATES_SHARDS      16u
#define TEMPLATES_HASHES_MAX  32u /* recipients of a message that are known */
#define TEMPLATES_WATCH_BYTES 40u
#define TEMPLATES_WATCH_MIN   (1u << 20)

struct templates;

/* A share of a budget that is wanted. mem_new(); whoever takes it frees it. */
struct templates_wish {
    uint64_t template; /* id; 0: of the tenant's pot */
    uint32_t count;
    struct allowance_rule rule;
    bool is_shared; /* its id is the one that all routers know */
    struct guard_key key;
    size_t tenant_len;
    char tenant[RECORD_TENANT_MAX];
};

/* Called under a lock: must not block, nor call the templates; but for `taken`,
 * which is called under none, before the message is taken. */
struct templates_hooks {
    /* A state or another id that others should know of; the record lives until
     * it returns. */
    void (*changed)(void *context, const struct template_record *record,
                    enum guard_change why);
    /* False: it is not taken, and wished again later. */
    bool (*wished)(void *context, struct templates_wish *wish);
    /* Of a template's budget and its tenant's pot: both as they are now. */
    void (*taken)(void *context, const struct template_record *record);
    void *context;
};

struct templates_counts {
    uint64_t messages;
    uint64_t spent; /* messages that found no budget */
    uint64_t dropped;
    uint64_t changes[GUARD_CHANGES];
    uint64_t states[TEMPLATE_TRIPPED + 1]; /* templates in each */
    uint64_t bytes;
};

struct templates *templates_new(void) must_check;
void templates_free(struct templates **templates);

/* Before other threads know it; `hooks` NULL: nobody hears. */
void templates_tell(struct templates *templates,
                    const struct templates_hooks *hooks);

void templates_reconf(struct templates *templates,
                      const struct guard_rules *rules, uint32_t max_templates);

/* Can the other routers be reached? Until this is said: no. */
void templates_set_alone(struct templates *templates, bool is_alone);

/* What a message is known by here. */
struct templates_ticket {
    struct slice tenant;            /* borrowed */
    const struct slice *recipients; /* borrowed; as many as there are hashes */
    struct guard_key key;
    uint32_t hashes[TEMPLATES_HASHES_MAX];
    uint32_t hash_count;
    uint32_t recipient_count;
};

/* `templates` NULL: others are asked, who hash the recipients themselves. */
void templates_ticket(const struct templates *templates, struct slice tenant,
                      const struct sketch *sketch,
                      const struct slice *recipients, size_t recipient_count,
                      struct templates_ticket *ticket);

/* Of a ticket that came from elsewhere: the recipient, of whom there is an
 * address, as he is known here. */
void templates_know(const struct templates *templates,
                    struct templates_ticket *ticket);

void templates_look(struct templates *templates,
                    const struct templates_ticket *ticket, uint64_t now_ms,
                    struct judge_standing *standing);

/* What was found of a message; the rest of struct guard_member is on the
 * ticket. */
struct templates_finding {
    struct burst_member text;
    int32_t points;
    bool is_candidate;
    bool needs_budget;
    bool as_trusted;
};

/* False: it is not to be protected; `standing` says how it stands now. */
bool templates_take(struct templates *templates,
                    const struct templates_ticket *ticket,
                    const struct templates_finding *finding, uint64_t now_ms,
                    struct judge_standing *standing);

/* The same, but nothing is counted. */
bool templates_try(struct templates *templates,
                   const struct templates_ticket *ticket,
                   const struct templates_finding *finding, uint64_t now_ms,
                   struct judge_standing *standing);

bool templates_has(struct templates *templates, uint64_t id);

/* What became of messages of a template. */
void templates_hear(struct templates *templates, uint64_t id,
                    enum guard_outcome outcome, uint32_t count,
                    uint64_t now_ms);

/* A message of the template was taken: it may be a witness of a burst. */
void templates_saw(struct templates *templates, uint64_t id, uint64_t message);

/* One that was complained of, or refused in words of spam. */
void templates_saw_blamed(struct templates *templates, uint64_t id,
                          uint64_t message);

/* The operator's word; false: no such template is known here. state NEW is the
 * word to forget it. */
bool templates_set(struct templates *templates, uint64_t template,
                   enum judge_state state, uint64_t now_ms) must_check;
bool templates_teach(struct templates *templates, uint64_t template,
                     enum judge_kind kind, uint64_t now_ms) must_check;

/* A copy that this router kept over a restart, of all that it is; of several,
 * in any order. While nobody else uses the templates. */
void templates_restore(struct templates *templates,
                       const struct template_record *record, uint64_t now_ms);

/* A copy from another router: its state. True: it is news. */
bool templates_merge(struct templates *templates,
                     const struct template_record *record, uint64_t now_ms);

/* Of a share that was wished for: the stock gave so much, perhaps nothing. */
void templates_grant(struct templates *templates,
                     const struct templates_wish *wish, uint32_t count);

/* All routers know the template of the wish by this id. It has that from now
 * on, or is one with the template that has it; returns the id that it has, which
 * is its own where it is too unlike that one. */
uint64_t templates_adopt(struct templates *templates,
                         const struct templates_wish *wish, uint64_t id,
                         uint64_t now_ms);

/* The id now of the template that had this one; itself, where it had none. All
 * that takes an id takes both. */
uint64_t templates_resolve(struct templates *templates, uint64_t id);

/* Every template, in no order, a few at a time under a lock; one that comes or
 * goes meanwhile may be missed. */
typedef void templates_each_fn(void *context,
                               const struct template_record *record);
void templates_each(struct templates *templates, templates_each_fn *fn,
                    void *context);

/* Of all that is no template: the pots of tenants, and ids of before. */
void templates_each_other(struct templates *templates, templates_each_fn *fn,
                          void *context);

/* One as of now, as a JSON object. RC_NONE; RC_LIMIT: no room. */
enum rc templates_add_json(struct templates *templates, uint64_t id,
                           uint64_t now_ms, struct buf *out) must_check;

/* One that tripped, as a JSON object, with the ids of messages that show what it
 * did. */
void templates_add_trip(const struct template_record *record, const char *why,
                        struct buf *out);

void templates_count(struct templates *templates,
                     struct templates_counts *counts);

#endif
