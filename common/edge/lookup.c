/* lookup.c - the addresses of a host, as this machine knows them. */
#include "common/edge/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

struct lookup {
    char *host;
    uint16_t port;
    lookup_fn *fn; /* NULL: freed by its owner */
    void *context;
    bool is_told;
    /* The answer; written by the thread that asks. */
    int failure; /* EAI_...; 0: none */
    int sys_errno;
    struct addr addrs[LOOKUP_ADDRESSES_MAX];
    size_t count;
};

/* In a thread of its own. */
static void ask(void *context)
{
    struct lookup *lookup = context;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", lookup->port);
    lookup->failure = getaddrinfo(lookup->host, port, &hints, &list);
    lookup->sys_errno = errno;
    if (lookup->failure != 0)
        return;
    for (const struct addrinfo *at = list;
         at && lookup->count < LOOKUP_ADDRESSES_MAX; at = at->ai_next) {
        struct addr *addr = &lookup->addrs[lookup->count++];
        memcpy(&addr->storage, at->ai_addr, at->ai_addrlen);
        addr->len = at->ai_addrlen;
    }
    freeaddrinfo(list);
}

static void bury(struct lookup *lookup)
{
    mem_free(lookup->host);
    mem_free(lookup);
}

static void tell(void *context)
{
    struct lookup *lookup = context;
    struct fault fault = { 0 };
    lookup->is_told = true;
    if (!lookup->fn) {
        bury(lookup);
        return;
    }
    if (lookup->failure != 0)
        (void)fault_set(&fault, RC_NONE,
                        lookup->failure == EAI_SYSTEM ? lookup->sys_errno : 0,
                        "%s: %s", lookup->host, gai_strerror(lookup->failure));
    lookup->fn(lookup->context, lookup->addrs, lookup->count, &fault);
}

struct lookup *lookup_new(struct loop *loop, const char *host, uint16_t port,
                          lookup_fn *fn, void *context)
{
    struct lookup *lookup = NEW(struct lookup);
    lookup->host = mem_copy_text(host, strlen(host));
    lookup->port = port;
    lookup->fn = fn;
    lookup->context = context;
    loop_work(loop, ask, tell, lookup);
    return lookup;
}

void lookup_free(struct lookup **lookup)
{
    struct lookup *freed = steal(*lookup);
    if (!freed)
        return;
    freed->fn = NULL;
    if (freed->is_told) /* else tell() does it, when the thread is done */
        bury(freed);
}
