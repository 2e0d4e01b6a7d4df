/* rests.c - routes on which no connection came about. */
#include "workers/sites/rests.h"

#include "common/base/attr.h"
#include "common/base/mem.h"

struct rest {
    struct list link;
    uint64_t route_key;
    uint64_t rest_ms;
    uint64_t until_ms;
    struct verdict why;
};

static struct rest *rest_of(struct list *link)
{
    return container_of(link, struct rest, link);
}

static struct rest *find(const struct rests *rests, uint64_t route_key)
{
    for (struct list *at = rests->list.next; at != &rests->list; at = at->next)
        if (rest_of(at)->route_key == route_key)
            return rest_of(at);
    return NULL;
}

static void drop(struct rests *rests, struct rest *rest)
{
    list_remove(&rest->link);
    rests->count--;
    mem_free(rest);
}

void rests_init(struct rests *rests)
{
    rests->count = 0;
    list_init(&rests->list);
}

void rests_release(struct rests *rests)
{
    list_each (at, &rests->list)
        drop(rests, rest_of(at));
}

static struct rest *add(struct rests *rests, uint64_t route_key)
{
    if (rests->count == RESTS_MAX)
        drop(rests, rest_of(rests->list.prev));
    struct rest *rest = NEW(struct rest);
    rest->route_key = route_key;
    list_push_front(&rests->list, &rest->link);
    rests->count++;
    return rest;
}

void rests_add(struct rests *rests, uint64_t route_key,
               const struct verdict *why, uint64_t now_ms)
{
    struct rest *rest = find(rests, route_key);
    if (rest && now_ms < rest->until_ms)
        return;
    if (!rest)
        rest = add(rests, route_key);
    uint64_t rest_ms = rest->rest_ms > 0 ? 2 * rest->rest_ms : REST_MIN_MS;
    rest->rest_ms = rest_ms < REST_MAX_MS ? rest_ms : REST_MAX_MS;
    rest->until_ms = now_ms + rest->rest_ms;
    rest->why = *why;
    list_remove(&rest->link);
    list_push_front(&rests->list, &rest->link);
}

const struct verdict *rests_find(const struct rests *rests, uint64_t route_key,
                                 uint64_t now_ms)
{
    const struct rest *rest = find(rests, route_key);
    return rest && now_ms < rest->until_ms ? &rest->why : NULL;
}

void rests_forget(struct rests *rests, uint64_t route_key)
{
    struct rest *rest = find(rests, route_key);
    if (rest)
        drop(rests, rest);
}
