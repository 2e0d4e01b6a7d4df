/* kept.c - results that the router has not acknowledged yet. */
#include "workers/results/kept.h"

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/table.h"

struct kept_result {
    struct list link;
    uint64_t lease;
    uint64_t message;
    uint64_t sent_ms;
    size_t len;
    char frame[];
};

struct kept {
    struct list results; /* by when they were sent; the unsent ones in front */
    struct table by_lease;
};

static struct kept_result *result_of(struct list *link)
{
    return container_of(link, struct kept_result, link);
}

struct kept *kept_new(void)
{
    struct kept *kept = NEW(struct kept);
    list_init(&kept->results);
    table_init(&kept->by_lease);
    return kept;
}

void kept_free(struct kept **kept)
{
    struct kept *held = steal(*kept);
    if (!held)
        return;
    for (struct list *link; (link = list_take(&held->results));)
        mem_free(result_of(link));
    table_release(&held->by_lease);
    mem_free(held);
}

bool kept_add(struct kept *kept, uint64_t lease, uint64_t message,
              struct slice frame, uint64_t sent_ms)
{
    if (table_get(&kept->by_lease, lease))
        return false;
    struct kept_result *result = mem_new(1, sizeof *result + frame.len);
    result->lease = lease;
    result->message = message;
    result->sent_ms = sent_ms;
    result->len = frame.len;
    memcpy(result->frame, frame.ptr, frame.len);
    if (sent_ms == 0)
        list_push_front(&kept->results, &result->link);
    else
        list_push_back(&kept->results, &result->link);
    table_put(&kept->by_lease, lease, result);
    return true;
}

bool kept_drop(struct kept *kept, uint64_t lease)
{
    struct kept_result *result = table_take(&kept->by_lease, lease);
    if (!result)
        return false;
    list_remove(&result->link);
    mem_free(result);
    return true;
}

size_t kept_count(const struct kept *kept)
{
    return kept->by_lease.count;
}

static void tell(const struct kept_result *result, kept_fn *fn, void *context)
{
    fn(context, result->lease, result->message,
       slice_of(result->frame, result->len));
}

void kept_each(const struct kept *kept, kept_fn *fn, void *context)
{
    list_each (at, &kept->results)
        tell(result_of(at), fn, context);
}

void kept_each_due(struct kept *kept, uint64_t before_ms, uint64_t now_ms,
                   kept_fn *fn, void *context)
{
    struct list due;
    list_init(&due);
    list_each (at, &kept->results) {
        if (result_of(at)->sent_ms > before_ms)
            break;
        list_remove(at);
        list_push_back(&due, at);
    }
    for (struct list *at; (at = list_take(&due));) {
        result_of(at)->sent_ms = now_ms;
        list_push_back(&kept->results, at);
        tell(result_of(at), fn, context);
    }
}
