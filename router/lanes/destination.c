/* destination.c - where the mail of one recipient domain goes. */
#include "router/lanes/destination.h"

#include "common/base/check.h"
#include "common/base/mem.h"

/* Head, hosts and texts are one piece of memory: there may be 100,000. */
struct packed {
    struct destination head;
    struct wire_host hosts[];
};

static struct slice put_text(char **at, struct slice text)
{
    struct slice put = { *at, text.len };
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return put;
}

static size_t bytes_of(const struct site_host *hosts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += hosts[i].name.len;
    return bytes;
}

struct destination *destination_new(const struct conf *conf,
                                    struct slice domain,
                                    const struct site_host *hosts,
                                    size_t host_count)
{
    CHECK(host_count > 0 && host_count <= SITE_HOSTS_MAX);
    char site[SITE_NAME_MAX + 1];
    const struct conf_provider *provider = NULL;
    site_of(conf, domain, hosts, host_count, site, &provider);
    const struct slice provider_name =
        slice_text(provider ? provider->name : NULL);

    const size_t text_bytes = domain.len + strlen(site) + provider_name.len
                              + bytes_of(hosts, host_count);
    struct packed *packed = mem_new(
        1, sizeof *packed + host_count * sizeof *packed->hosts + text_bytes);
    char *at = (char *)&packed->hosts[host_count];
    for (size_t i = 0; i < host_count; i++)
        packed->hosts[i] = (struct wire_host){ hosts[i].preference,
                                               put_text(&at, hosts[i].name) };
    packed->head = (struct destination){
        .refs = 1,
        .domain = put_text(&at, domain),
        .site = put_text(&at, slice_text(site)),
        .provider = put_text(&at, provider_name),
        .host_count = host_count,
        .hosts = packed->hosts,
    };
    return &packed->head;
}

struct destination *destination_hold(struct destination *destination)
{
    destination->refs++;
    return destination;
}

void destination_release(struct destination **destination)
{
    struct destination *held = steal(*destination);
    if (held && --held->refs == 0)
        mem_free(container_of(held, struct packed, head));
}
