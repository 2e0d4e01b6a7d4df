/* hosts.c - the addresses at which a receiver may be reached. */
#include "workers/smtp/hosts.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/glob.h"
#include "common/base/mem.h"

struct host {
    uint16_t preference;
    char name[DNS_NAME_MAX + 1];
};

/* An address that others go before. */
struct late {
    struct addr addr;
    size_t host; /* in the list */
};

/* Queries for one host under way. It outlives the hosts when they are freed
 * meanwhile. */
struct lookup {
    struct hosts *hosts; /* NULL: nobody waits any more */
    unsigned under_way;
};

struct hosts {
    struct hosts_options options;
    struct addr *own; /* of the options, copied */
    struct host list[WIRE_HOSTS_MAX];
    size_t count;
    size_t at; /* the host whose addresses are given, or are asked for */

    struct addr addresses[HOSTS_ADDRESSES_MAX];
    size_t address_count;
    size_t address_at;
    struct late late[HOSTS_ADDRESSES_MAX];
    size_t late_count;
    size_t late_at;
    size_t given;

    /* What the hosts passed over had in common, for the last word. */
    bool is_looking_elsewhere; /* none of our family: are there others? */
    size_t elsewhere;
    size_t own_seen;
    size_t denied;
    char prohibited[ADDR_TEXT_SIZE]; /* one of them; "" */
    size_t failed;

    struct lookup *lookup;
    hosts_fn *fn;
    void *context;
};

static uint64_t mix(uint64_t *seed)
{
    /* splitmix64: spreads, guards nothing */
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void swap(struct host *a, struct host *b)
{
    struct host held = *a;
    *a = *b;
    *b = held;
}

/* The list is sorted by preference: each run of equals is shuffled. */
static void shuffle_equals(struct hosts *hosts, uint64_t seed)
{
    for (size_t from = 0, to = 0; from < hosts->count; from = to) {
        while (to < hosts->count
               && hosts->list[to].preference == hosts->list[from].preference)
            to++;
        for (size_t left = to - from; left > 1; left--)
            swap(&hosts->list[from + left - 1],
                 &hosts->list[from + mix(&seed) % left]);
    }
}

struct hosts *hosts_new(const struct hosts_options *options,
                        const struct wire_host *list, size_t count,
                        uint64_t seed)
{
    struct hosts *hosts = NEW(struct hosts);
    hosts->options = *options;
    hosts->own = mem_new(options->own_count, sizeof *hosts->own);
    for (size_t i = 0; i < options->own_count; i++)
        hosts->own[i] = options->own[i];
    for (size_t i = 0; i < count && hosts->count < WIRE_HOSTS_MAX; i++) {
        if (list[i].name.len > DNS_NAME_MAX || list[i].name.len == 0)
            continue;
        struct host *host = &hosts->list[hosts->count++];
        host->preference = list[i].preference;
        memcpy(host->name, list[i].name.ptr, list[i].name.len);
    }
    shuffle_equals(hosts, seed);
    return hosts;
}

void hosts_free(struct hosts **hosts)
{
    struct hosts *held = steal(*hosts);
    if (!held)
        return;
    if (held->lookup)
        held->lookup->hosts = NULL;
    mem_free(held->own);
    mem_free(held);
}

/* A listener at 0.0.0.0 or :: is at every address of this host. */
static bool is_at(const struct addr *listener, const struct addr *addr)
{
    char ip[ADDR_TEXT_SIZE];
    addr_ip_text(listener, ip);
    bool is_any = strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
    return is_any ? addr_is_local(addr) : addr_same_ip(listener, addr);
}

static bool is_own(const struct hosts *hosts, const struct addr *addr)
{
    for (size_t i = 0; i < hosts->options.own_count; i++)
        if (addr_port(&hosts->own[i]) == hosts->options.port
            && is_at(&hosts->own[i], addr))
            return true;
    return false;
}

static bool is_prohibited(const struct hosts *hosts, const struct addr *addr)
{
    const struct hosts_rules *rules = &hosts->options.rules;
    uint8_t ip[IPRANGE_BYTES];
    if (!addr_ip_bytes(addr, ip))
        return true;
    for (size_t i = 0; i < rules->prohibited_count; i++)
        if (iprange_has(&rules->prohibited[i], ip))
            return true;
    return false;
}

static bool is_denied(const struct hosts *hosts, struct slice name)
{
    const struct hosts_rules *rules = &hosts->options.rules;
    for (size_t i = 0; i < rules->denied_count; i++)
        if (glob_match(slice_text(rules->denied[i]), name))
            return true;
    return false;
}

static int family_of(const struct addr *addr)
{
    return addr->storage.ss_family;
}

static size_t count_family(const struct hosts *hosts, int family)
{
    size_t count = 0;
    for (size_t i = 0; i < hosts->address_count; i++)
        count += family_of(&hosts->addresses[i]) == family;
    return count;
}

/* One family leaves room for the other. */
static bool has_room(const struct hosts *hosts, int family)
{
    const size_t max =
        hosts->options.has_both ? HOSTS_ADDRESSES_MAX / 2 : HOSTS_ADDRESSES_MAX;
    return count_family(hosts, family) < max;
}

static void keep_address(struct hosts *hosts, const struct addr *found)
{
    char ip[ADDR_TEXT_SIZE];
    struct addr addr;
    addr_ip_text(found, ip);
    if (!has_room(hosts, family_of(found))
        || !addr_of_ip(slice_text(ip), hosts->options.port, &addr))
        return;
    if (is_own(hosts, &addr))
        hosts->own_seen++;
    else if (is_prohibited(hosts, &addr))
        memcpy(hosts->prohibited, ip, sizeof ip);
    else if (hosts->is_looking_elsewhere)
        hosts->elsewhere++;
    else
        hosts->addresses[hosts->address_count++] = addr;
}

static const struct enhanced elsewhere = { 4, 4, 4 };

bool hosts_is_elsewhere(const struct verdict *why)
{
    return why->code == 0 && why->enhanced.class == elsewhere.class
           && why->enhanced.subject == elsewhere.subject
           && why->enhanced.detail == elsewhere.detail;
}

static int other_than(int family)
{
    return family == AF_INET ? AF_INET6 : AF_INET;
}

static bool is_sought(const struct hosts *hosts, int family)
{
    const int mine = hosts->options.family;
    if (hosts->options.has_both)
        return true;
    return family == (hosts->is_looking_elsewhere ? other_than(mine) : mine);
}

/* True, and the list begins anew: there was no word yet of any address. */
static bool looks_elsewhere(struct hosts *hosts)
{
    if (!hosts->options.has_other_family || hosts->is_looking_elsewhere
        || hosts->given + hosts->failed > 0 || hosts->own_seen > 0
        || hosts->prohibited[0] || hosts->denied == hosts->count)
        return false;
    hosts->is_looking_elsewhere = true;
    hosts->denied = 0;
    hosts->at = SIZE_MAX;
    return true;
}

static void tell_end(struct hosts *hosts)
{
    struct verdict why;
    if (hosts->given > 0)
        verdict_local(&why, (struct enhanced){ 4, 4, 1 },
                      "no host of the receiver could be reached");
    else if (hosts->failed > 0)
        verdict_local(&why, (struct enhanced){ 4, 4, 3 },
                      "the receiver's host names cannot be resolved now");
    else if (hosts->elsewhere > 0)
        verdict_local(&why, elsewhere,
                      "the receiver has no %s address, and the source no other",
                      hosts->options.family == AF_INET ? "IPv4" : "IPv6");
    else if (hosts->own_seen > 0)
        verdict_local(&why, (struct enhanced){ 5, 4, 6 },
                      "the receiver's MX points back at this platform");
    else if (hosts->prohibited[0])
        verdict_local(&why, (struct enhanced){ 5, 4, 4 },
                      "the receiver's MX is at a prohibited address, %s",
                      hosts->prohibited);
    else if (hosts->denied > 0)
        verdict_local(&why, (struct enhanced){ 5, 7, 1 },
                      "mail to the receiver's MX hosts is denied here");
    else
        verdict_local(&why, (struct enhanced){ 5, 4, 4 },
                      "no MX host of the receiver has an address");
    hosts->fn(hosts->context, NULL, NULL, &why);
}

static void seek(struct hosts *hosts);

static void take_answer(struct hosts *hosts,
                        const struct dns_address_answer *answer)
{
    if (answer->status == DNS_FAILED || answer->status == DNS_TIMEOUT)
        hosts->failed++;
    for (size_t i = 0; i < answer->count; i++)
        keep_address(hosts, &answer->addresses[i]);
}

/* The next address of a family at or behind `from`; NULL: there is none. */
static struct addr *next_of(struct hosts *hosts, int family, size_t from)
{
    for (size_t i = from; i < hosts->address_count; i++)
        if (family_of(&hosts->addresses[i]) == family)
            return &hosts->addresses[i];
    return NULL;
}

/* By turns of family; each keeps its own order but for who makes room. */
static void order_families(struct hosts *hosts)
{
    int family = hosts->options.family;
    for (size_t i = 0; i < hosts->address_count; i++) {
        struct addr *next = next_of(hosts, family, i);
        if (next) {
            const struct addr held = hosts->addresses[i];
            hosts->addresses[i] = *next;
            *next = held;
        }
        family = other_than(family);
    }
}

static void resolved(void *context, const struct dns_address_answer *answer)
{
    struct lookup *lookup = context;
    struct hosts *hosts = lookup->hosts;
    if (hosts)
        take_answer(hosts, answer);
    if (--lookup->under_way > 0)
        return;
    mem_free(lookup);
    if (!hosts)
        return;
    hosts->lookup = NULL;
    if (hosts->options.has_both)
        order_families(hosts);
    seek(hosts);
}

/* An address literal needs no resolver: "[127.0.0.1]", "[IPv6:::1]". */
static bool take_literal(struct hosts *hosts, struct slice name)
{
    if (name.len < 2 || name.ptr[0] != '[' || name.ptr[name.len - 1] != ']')
        return false;
    struct slice ip = slice_of(name.ptr + 1, name.len - 2);
    if (slice_starts_nocase(ip, SLICE("IPv6:")))
        ip = slice_from(ip, 5);
    struct addr addr;
    int family = slice_find(ip, ':') < ip.len ? AF_INET6 : AF_INET;
    if (is_sought(hosts, family) && addr_of_ip(ip, 0, &addr))
        keep_address(hosts, &addr);
    return true;
}

static void resolve(struct hosts *hosts)
{
    static const int families[] = { AF_INET6, AF_INET };
    struct lookup *lookup = NEW(struct lookup);
    hosts->lookup = lookup;
    lookup->hosts = hosts;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (!is_sought(hosts, families[i]))
            continue;
        lookup->under_way++;
        dns_query_addresses(hosts->options.dns, hosts->list[hosts->at].name,
                            families[i], resolved, lookup);
    }
}

static void give(struct hosts *hosts, const struct addr *addr, size_t host)
{
    hosts->given++;
    hosts->fn(hosts->context, addr, hosts->list[host].name, NULL);
}

static bool goes_last(const struct hosts *hosts, const struct addr *addr)
{
    const struct hosts_options *options = &hosts->options;
    return options->absent
           && absent_goes_last(options->absent, addr,
                               loop_now_ms(options->loop));
}

void hosts_put_off(struct hosts *hosts, const struct addr *addr)
{
    if (hosts->late_count == HOSTS_ADDRESSES_MAX)
        return;
    hosts->late[hosts->late_count++] =
        (struct late){ .addr = *addr, .host = hosts->at };
}

/* The next address of the host at hand; false: it has none that is not put
 * off. */
static bool give_its_next(struct hosts *hosts)
{
    while (hosts->address_at < hosts->address_count) {
        const struct addr *addr = &hosts->addresses[hosts->address_at++];
        if (!goes_last(hosts, addr)) {
            give(hosts, addr, hosts->at);
            return true;
        }
        hosts_put_off(hosts, addr);
    }
    return false;
}

/* There is no further host. False: the list begins anew. */
static bool finish(struct hosts *hosts)
{
    if (hosts->late_at < hosts->late_count
        && hosts->given < HOSTS_ADDRESSES_MAX) {
        const struct late *late = &hosts->late[hosts->late_at++];
        give(hosts, &late->addr, late->host);
        return true;
    }
    if (looks_elsewhere(hosts))
        return false;
    tell_end(hosts);
    return true;
}

/* Gives the next address of the current host, or goes on to the next host. */
static void seek(struct hosts *hosts)
{
    while (!give_its_next(hosts)) {
        hosts->address_count = 0;
        hosts->address_at = 0;
        hosts->at++;
        if (hosts->at >= hosts->count || hosts->given == HOSTS_ADDRESSES_MAX) {
            if (finish(hosts))
                return;
            continue;
        }
        const struct slice name = slice_text(hosts->list[hosts->at].name);
        if (is_denied(hosts, name)) {
            hosts->denied++;
        } else if (!take_literal(hosts, name)) {
            resolve(hosts);
            return;
        }
    }
}

bool hosts_have_other_family(const struct hosts *hosts, const struct addr *addr)
{
    for (size_t i = hosts->address_at; i < hosts->address_count; i++)
        if (family_of(&hosts->addresses[i]) != family_of(addr))
            return true;
    return false;
}

void hosts_next(struct hosts *hosts, hosts_fn *fn, void *context)
{
    CHECK(!hosts->lookup);
    hosts->fn = fn;
    hosts->context = context;
    if (hosts->given == 0 && hosts->at == 0 && hosts->address_count == 0)
        hosts->at = SIZE_MAX; /* seek() begins with the host after this one */
    seek(hosts);
}
