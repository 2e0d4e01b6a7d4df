/* lookup.c - the addresses of a host, as this machine knows them. */
#include "common/edge/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* A question, and its answer, which the thread that asks writes. */
struct query {
    struct lookup *lookup; /* NULL: freed */
    char *host;
    uint16_t port;
    bool is_done;
    int failure; /* EAI_...; 0: none */
    int sys_errno;
    struct addr addrs[LOOKUP_ADDRESSES_MAX];
    size_t count;
};

struct lookup {
    struct loop *loop;
    struct defer *tell;  /* an answer that is here already */
    struct query *query; /* under way, or done and not told; NULL: none */
    struct query *next;  /* what the owner wants in its place; NULL: this one */
    bool is_wanted;
    lookup_fn *fn;
    void *context;
};

/* In a thread of its own. */
static void ask(void *context)
{
    struct query *query = context;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", query->port);
    query->failure = getaddrinfo(query->host, port, &hints, &list);
    query->sys_errno = errno;
    if (query->failure != 0)
        return;
    for (const struct addrinfo *at = list;
         at && query->count < LOOKUP_ADDRESSES_MAX; at = at->ai_next) {
        struct addr *addr = &query->addrs[query->count++];
        memcpy(&addr->storage, at->ai_addr, at->ai_addrlen);
        addr->len = at->ai_addrlen;
    }
    freeaddrinfo(list);
}

static struct query *query_new(struct lookup *lookup, const char *host,
                               uint16_t port)
{
    struct query *query = NEW(struct query);
    query->lookup = lookup;
    query->host = mem_copy_text(host, strlen(host));
    query->port = port;
    return query;
}

static void query_free(struct query **query)
{
    struct query *freed = steal(*query);
    if (!freed)
        return;
    mem_free(freed->host);
    mem_free(freed);
}

static bool is_for(const struct query *query, const char *host, uint16_t port)
{
    return query->port == port && strcmp(query->host, host) == 0;
}

/* The owner's function comes last: the lookup may be gone behind it. */
static void tell(void *context)
{
    struct lookup *lookup = context;
    scoped(query_free) struct query *query = steal(lookup->query);
    struct fault fault = { 0 };
    lookup->is_wanted = false;
    if (query->failure != 0)
        (void)fault_set(&fault, RC_NONE,
                        query->failure == EAI_SYSTEM ? query->sys_errno : 0,
                        "%s: %s", query->host, gai_strerror(query->failure));
    lookup->fn(lookup->context, query->addrs, query->count, &fault);
}

static void end(void *context);

static void begin(struct lookup *lookup, struct query *query)
{
    lookup->query = query;
    query->is_done =
        addr_of_ip(slice_text(query->host), query->port, &query->addrs[0]);
    query->count = query->is_done ? 1 : 0;
    if (query->is_done)
        defer_set(lookup->tell);
    else
        loop_work(lookup->loop, ask, end, query);
}

/* The thread has ended. */
static void end(void *context)
{
    struct query *query = context;
    struct lookup *lookup = query->lookup;
    query->is_done = true;
    if (!lookup) {
        query_free(&query);
    } else if (lookup->next) {
        query_free(&lookup->query);
        begin(lookup, steal(lookup->next));
    } else if (lookup->is_wanted) {
        tell(lookup);
    } else if (query->count == 0) {
        query_free(&lookup->query); /* next time it may be there */
    }
}

void lookup_ask(struct lookup *lookup, const char *host, uint16_t port)
{
    lookup_cancel(lookup);
    lookup->is_wanted = true;
    const bool is_asked = lookup->query && is_for(lookup->query, host, port);
    if (is_asked && lookup->query->is_done)
        defer_set(lookup->tell);
    if (is_asked)
        return;
    struct query *query = query_new(lookup, host, port);
    if (lookup->query && !lookup->query->is_done) {
        lookup->next = query;
        return;
    }
    query_free(&lookup->query);
    begin(lookup, query);
}

void lookup_cancel(struct lookup *lookup)
{
    lookup->is_wanted = false;
    query_free(&lookup->next);
    defer_clear(lookup->tell);
}

struct lookup *lookup_new(struct loop *loop, lookup_fn *fn, void *context)
{
    struct lookup *lookup = NEW(struct lookup);
    lookup->loop = loop;
    lookup->fn = fn;
    lookup->context = context;
    lookup->tell = defer_new(loop, tell, lookup);
    return lookup;
}

void lookup_free(struct lookup **lookup)
{
    struct lookup *freed = steal(*lookup);
    if (!freed)
        return;
    lookup_cancel(freed);
    if (freed->query && !freed->query->is_done)
        freed->query->lookup = NULL; /* end() frees it */
    else
        query_free(&freed->query);
    defer_free(&freed->tell);
    mem_free(freed);
}
