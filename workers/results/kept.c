/* kept.c - results that the router has not acknowledged yet. */
#include "workers/results/kept.h"

#include "common/base/mem.h"

struct kept_result {
    struct list link;
    uint64_t lease;
    uint64_t message;
    size_t len;
    char frame[];
};

struct kept {
    struct list results; /* oldest first: so come the acknowledgements */
    size_t count;
};

static struct kept_result *result_of(struct list *link)
{
    return container_of(link, struct kept_result, link);
}

struct kept *kept_new(void)
{
    struct kept *kept = NEW(struct kept);
    list_init(&kept->results);
    return kept;
}

void kept_free(struct kept **kept)
{
    struct kept *held = steal(*kept);
    if (!held)
        return;
    for (struct list *link; (link = list_take(&held->results));)
        mem_free(result_of(link));
    mem_free(held);
}

void kept_add(struct kept *kept, uint64_t lease, uint64_t message,
              struct slice frame)
{
    struct kept_result *result = mem_new(1, sizeof *result + frame.len);
    result->lease = lease;
    result->message = message;
    result->len = frame.len;
    memcpy(result->frame, frame.ptr, frame.len);
    list_push_back(&kept->results, &result->link);
    kept->count++;
}

bool kept_drop(struct kept *kept, uint64_t lease)
{
    list_each (at, &kept->results) {
        struct kept_result *result = result_of(at);
        if (result->lease != lease)
            continue;
        list_remove(at);
        mem_free(result);
        kept->count--;
        return true;
    }
    return false;
}

size_t kept_count(const struct kept *kept)
{
    return kept->count;
}

void kept_each(const struct kept *kept, kept_fn *fn, void *context)
{
    for (struct list *at = kept->results.next; at != &kept->results;
         at = at->next) {
        const struct kept_result *result = result_of(at);
        fn(context, result->lease, result->message,
           slice_of(result->frame, result->len));
    }
}
