/*
 * exchange.h - templates' budgets and states with the other routers, through
 * Redis.
 *
 *     <prefix>templates:{all}:changes|states|epoch   what became of templates
 *     <prefix>templates:{TENANT}:band:...            by which id all know one
 *     <prefix>templates:{TENANT}:hour:ID, day:ID     shares given of a budget
 *     <prefix>templates:{TENANT}:pot                 and of the tenant's
 *
 * States: those that outdo what Redis has are written (packed.h: the later one
 * counts), and news is read twice a second. After Redis was away everything is
 * written and read again, so that one that lost all has it back.
 *
 * Shares: a wish is answered by the next turn of Redis, while the messages go
 * on with what is left. Where Redis is away the templates are told so, and each
 * router goes on with its part; at the start not before Redis had time to
 * answer, since a router's part may be with the others from before.
 *
 * Everything happens in the loop's thread, but for template_exchange_wish().
 */
#ifndef ROUTER_TEMPLATES_EXCHANGE_H
#define ROUTER_TEMPLATES_EXCHANGE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"
#include "common/edge/store.h"
#include "router/templates/templates.h"

struct template_exchange;

struct template_exchange_options {
    struct templates *templates; /* must outlive the exchange */
    struct store_place redis;
    const char *prefix;
    uint32_t max_templates; /* states that Redis keeps */
    /* A state came from another router. */
    void (*heard)(void *context, const struct template_record *record);
    void *context;
};

/* NULL when `redis` cannot be used (store.h). */
struct template_exchange *template_exchange_new(
    struct loop *loop, const struct template_exchange_options *options,
    struct fault *fault) must_check;

/* Nobody may wish any more. */
void template_exchange_free(struct template_exchange **exchange);

/* From any thread; takes the wish over. False: it stays the caller's. */
bool template_exchange_wish(struct template_exchange *exchange,
                            struct templates_wish *wish) must_check;

/* A state changed here. */
void template_exchange_put(struct template_exchange *exchange,
                           const struct template_record *record);

#endif
