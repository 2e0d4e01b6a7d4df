/* lookup.c - the destination of one domain, waited for. */
#include "router/control/lookup.h"

#include "common/base/mem.h"
#include "common/edge/dns.h"
#include "common/edge/loop.h"

struct lookup {
    struct loop *loop;
    struct dns *dns;
    struct mx *mx;
    struct list waiter;
    char domain[DNS_NAME_MAX + 1]; /* of the query that is out */
    struct mx_answer answer;
};

static void heard(void *context, const struct dns_mx_answer *answer)
{
    struct lookup *lookup = context;
    mx_hear(lookup->mx, slice_text(lookup->domain), answer,
            loop_now_ms(lookup->loop));
}

static void query(void *context, const char *domain)
{
    struct lookup *lookup = context;
    struct slice name = slice_head(slice_text(domain), DNS_NAME_MAX);
    memcpy(lookup->domain, name.ptr, name.len);
    lookup->domain[name.len] = '\0';
    dns_query_mx(lookup->dns, domain, heard, lookup);
}

static void answered(void *context, struct list *waiter,
                     const struct mx_answer *answer)
{
    (void)waiter;
    struct lookup *lookup = context;
    lookup->answer = *answer;
    loop_stop(lookup->loop);
}

struct lookup *lookup_new(const struct conf *conf, struct fault *fault)
{
    const struct conf_resolver *resolver = &conf->resolver;
    struct addr addr;
    if (!addr_of_ip(slice_text(resolver->address.host), resolver->address.port,
                    &addr)) {
        (void)fault_set(fault, RC_SYNTAX, 0, "resolver %s is no address",
                        resolver->address.text);
        return NULL;
    }
    struct lookup *lookup = NEW(struct lookup);
    lookup->loop = loop_new();
    lookup->dns = dns_new(lookup->loop, &addr, resolver->timeout_ms,
                          resolver->tries, fault);
    if (!lookup->dns) {
        lookup_free(&lookup);
        return NULL;
    }
    list_init(&lookup->waiter);
    const struct mx_hooks hooks = {
        .query = query,
        .answer = answered,
        .context = lookup,
    };
    lookup->mx = mx_new(conf, &hooks);
    return lookup;
}

void lookup_free(struct lookup **lookup)
{
    struct lookup *held = steal(*lookup);
    if (!held)
        return;
    dns_free(&held->dns);
    if (held->mx)
        mx_free(&held->mx);
    loop_free(&held->loop);
    mem_free(held);
}

void lookup_ask(struct lookup *lookup, struct slice domain,
                struct mx_answer *answer)
{
    if (mx_ask(lookup->mx, domain, &lookup->waiter, loop_now_ms(lookup->loop),
               answer))
        return;
    loop_run(lookup->loop);
    *answer = lookup->answer;
}
