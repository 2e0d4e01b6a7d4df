/* destinations.c - the destination of one domain, waited for. */
#include "router/control/destinations.h"

#include "common/base/mem.h"
#include "common/edge/dns.h"
#include "common/edge/loop.h"

struct destinations {
    struct loop *loop;
    struct dns *dns;
    struct mx *mx;
    struct list waiter;
    char domain[DNS_NAME_MAX + 1]; /* of the query that is out */
    struct mx_answer answer;
};

static void heard(void *context, const struct dns_mx_answer *answer)
{
    struct destinations *destinations = context;
    mx_hear(destinations->mx, slice_text(destinations->domain), answer,
            loop_now_ms(destinations->loop));
}

static void query(void *context, const char *domain)
{
    struct destinations *destinations = context;
    struct slice name = slice_head(slice_text(domain), DNS_NAME_MAX);
    memcpy(destinations->domain, name.ptr, name.len);
    destinations->domain[name.len] = '\0';
    dns_query_mx(destinations->dns, domain, heard, destinations);
}

static void answered(void *context, struct list *waiter,
                     const struct mx_answer *answer)
{
    (void)waiter;
    struct destinations *destinations = context;
    destinations->answer = *answer;
    loop_stop(destinations->loop);
}

struct destinations *destinations_new(const struct conf *conf,
                                      struct fault *fault)
{
    const struct conf_resolver *resolver = &conf->resolver;
    struct addr addr;
    if (!addr_of_ip(slice_text(resolver->address.host), resolver->address.port,
                    &addr)) {
        (void)fault_set(fault, RC_SYNTAX, 0, "resolver %s is no address",
                        resolver->address.text);
        return NULL;
    }
    struct destinations *destinations = NEW(struct destinations);
    destinations->loop = loop_new();
    destinations->dns = dns_new(destinations->loop, &addr, resolver->timeout_ms,
                                resolver->tries, fault);
    if (!destinations->dns) {
        destinations_free(&destinations);
        return NULL;
    }
    list_init(&destinations->waiter);
    const struct mx_hooks hooks = {
        .query = query,
        .answer = answered,
        .context = destinations,
    };
    destinations->mx = mx_new(conf, &hooks);
    return destinations;
}

void destinations_free(struct destinations **destinations)
{
    struct destinations *held = steal(*destinations);
    if (!held)
        return;
    dns_free(&held->dns);
    if (held->mx)
        mx_free(&held->mx);
    loop_free(&held->loop);
    mem_free(held);
}

void destinations_ask(struct destinations *destinations, struct slice domain,
                      struct mx_answer *answer)
{
    if (mx_ask(destinations->mx, domain, &destinations->waiter,
               loop_now_ms(destinations->loop), answer))
        return;
    loop_run(destinations->loop);
    *answer = destinations->answer;
}
