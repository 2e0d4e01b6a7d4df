/* dns.c - asking the resolver through c-ares. */
#include "common/edge/dns.h"

#include <ares.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/time.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/proto/dnsmsg.h"

/* What fits into one packet on any path: no fragments, which can be forged. */
#define EDNS_BYTES 1232
#define CLASS_IN   1

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct timer *timer;  /* when c-ares wants to look at its queries again */
    struct defer *tell;   /* calls back for what has finished */
    struct list sockets;  /* of c-ares */
    struct list finished; /* queries with their answer */
    struct dns_mx_host hosts[DNS_MX_MAX]; /* of the answer being told */
    struct addr addresses[DNS_ADDRESSES_MAX];
};

struct dns_socket {
    struct list link;
    struct dns *dns;
    struct watch *watch;
    int fd;
};

/* c-ares holds a query until it calls back; then `finished` does. */
struct query {
    struct list link;
    struct dns *dns;
    enum dnsmsg_type type;
    dns_mx_fn *mx_fn; /* this one or the other */
    dns_address_fn *address_fn;
    void *context;
    int status; /* of c-ares */
    size_t len;
    char *answer; /* NULL when none came */
};

static void free_query(struct query *query)
{
    mem_free(query->answer);
    mem_free(query);
}

/* c-ares knows best when it must be called again; any call may change that. */
static void set_timer(struct dns *dns)
{
    struct timeval wait;
    if (!ares_timeout(dns->channel, NULL, &wait)) {
        timer_clear(dns->timer);
        return;
    }
    /* Rounded up: a little early would find nothing due, and come again. */
    uint64_t wait_ms =
        (uint64_t)wait.tv_sec * 1000u + ((uint64_t)wait.tv_usec + 999u) / 1000u;
    timer_set(dns->timer, loop_now_ms(dns->loop) + wait_ms);
}

static void process(struct dns *dns, int read_fd, int write_fd)
{
    ares_process_fd(dns->channel, read_fd, write_fd);
    set_timer(dns);
}

static void on_timer(void *context)
{
    process(context, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void on_socket(void *context, unsigned ready)
{
    const struct dns_socket *socket = context;
    process(socket->dns, ready & WATCH_READ ? socket->fd : ARES_SOCKET_BAD,
            ready & WATCH_WRITE ? socket->fd : ARES_SOCKET_BAD);
}

static struct dns_socket *find_socket(struct dns *dns, int fd)
{
    list_each (at, &dns->sockets) {
        struct dns_socket *socket = container_of(at, struct dns_socket, link);
        if (socket->fd == fd)
            return socket;
    }
    struct dns_socket *socket = NEW(struct dns_socket);
    socket->dns = dns;
    socket->fd = fd;
    socket->watch = watch_new(dns->loop, fd, on_socket, socket);
    list_push_back(&dns->sockets, &socket->link);
    return socket;
}

/* c-ares tells what it waits for; neither is said right before a close. */
static void on_socket_state(void *context, ares_socket_t fd, int readable,
                            int writable)
{
    struct dns_socket *socket = find_socket(context, fd);
    if (readable || writable) {
        watch_set(socket->watch,
                  (readable ? WATCH_READ : 0) | (writable ? WATCH_WRITE : 0));
        return;
    }
    watch_free(&socket->watch);
    list_remove(&socket->link);
    mem_free(socket);
}

/* Comes from any depth of c-ares, from within ares_query() even: the answer is
 * kept, and told when c-ares is off the stack. */
static void on_answer(void *context, int status, int timeouts,
                      unsigned char *answer, int len)
{
    (void)timeouts;
    struct query *query = context;
    if (status == ARES_EDESTRUCTION) {
        free_query(query);
        return;
    }
    query->status = status;
    if (answer && len > 0) {
        query->len = (size_t)len;
        query->answer = mem_copy_text((const char *)answer, query->len);
    }
    list_push_back(&query->dns->finished, &query->link);
    defer_set(query->dns->tell);
}

/* For a query that ended without an answer. */
static enum dns_status status_without_answer(int status)
{
    switch (status) {
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED: /* nobody at the resolver's port */
        return DNS_TIMEOUT;
    case ARES_ENOTFOUND: /* .onion, RFC 7686 */
    case ARES_EBADNAME:  /* no name that could exist */
        return DNS_NXDOMAIN;
    default:
        return DNS_FAILED;
    }
}

/* Reads the answer as far as all kinds have in common; DNS_OK when its records
 * are to be read. */
static enum dns_status open_answer(const struct query *query,
                                   struct dnsmsg *msg)
{
    if (!query->answer)
        return status_without_answer(query->status);
    struct slice bytes = slice_of(query->answer, query->len);
    if (dnsmsg_open(msg, bytes) != RC_OK || msg->type != query->type
        || msg->truncated)
        return DNS_FAILED;
    if (msg->rcode == DNSMSG_NXDOMAIN)
        return DNS_NXDOMAIN;
    return msg->rcode == DNSMSG_NOERROR ? DNS_OK : DNS_FAILED;
}

/* The status of an answer once its records were read, which ended with `rc`.
 * Records that are all void are no "no data": a domain whose MX is nonsense has
 * not asked for mail at its address. */
static enum dns_status close_answer(const struct dnsmsg *msg, enum rc rc,
                                    size_t count)
{
    if (rc == RC_SYNTAX)
        return DNS_FAILED;
    if (count > 0)
        return DNS_OK;
    return msg->voids > 0 ? DNS_FAILED : DNS_NODATA;
}

static uint32_t ttl_of(const struct dnsmsg *msg, enum dns_status status)
{
    if (status == DNS_OK)
        return msg->ttl_s;
    if (status == DNS_NODATA || status == DNS_NXDOMAIN)
        return msg->bytes.ptr ? dnsmsg_negative_ttl(msg) : 0;
    return 0;
}

static int by_preference(const void *a, const void *b)
{
    const struct dns_mx_host *left = a;
    const struct dns_mx_host *right = b;
    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void tell_mx(struct dns *dns, const struct query *query)
{
    struct dnsmsg msg = { 0 };
    struct dns_mx_answer answer = { .hosts = dns->hosts };
    answer.status = open_answer(query, &msg);
    if (answer.status == DNS_OK) {
        enum rc rc = RC_OK;
        while (rc == RC_OK && answer.count < DNS_MX_MAX) {
            struct dns_mx_host *host = &dns->hosts[answer.count];
            rc = dnsmsg_next_mx(&msg, &host->preference, host->name);
            answer.count += rc == RC_OK;
        }
        answer.status = close_answer(&msg, rc, answer.count);
    }
    if (answer.status != DNS_OK)
        answer.count = 0;
    answer.ttl_s = ttl_of(&msg, answer.status);
    qsort(dns->hosts, answer.count, sizeof dns->hosts[0], by_preference);
    query->mx_fn(query->context, &answer);
}

static struct addr addr_of_bytes(struct slice ip)
{
    struct addr addr = { 0 };
    if (ip.len == 4) {
        struct sockaddr_in ipv4 = { .sin_family = AF_INET };
        memcpy(&ipv4.sin_addr, ip.ptr, ip.len);
        memcpy(&addr.storage, &ipv4, sizeof ipv4);
        addr.len = sizeof ipv4;
    } else {
        struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
        memcpy(&ipv6.sin6_addr, ip.ptr, ip.len);
        memcpy(&addr.storage, &ipv6, sizeof ipv6);
        addr.len = sizeof ipv6;
    }
    return addr;
}

static void tell_addresses(struct dns *dns, const struct query *query)
{
    struct dnsmsg msg = { 0 };
    struct dns_address_answer answer = { .addresses = dns->addresses };
    answer.status = open_answer(query, &msg);
    if (answer.status == DNS_OK) {
        struct slice ip;
        enum rc rc = RC_OK;
        while (answer.count < DNS_ADDRESSES_MAX
               && (rc = dnsmsg_next_address(&msg, &ip)) == RC_OK)
            dns->addresses[answer.count++] = addr_of_bytes(ip);
        answer.status = close_answer(&msg, rc, answer.count);
    }
    if (answer.status != DNS_OK)
        answer.count = 0;
    answer.ttl_s = ttl_of(&msg, answer.status);
    query->address_fn(query->context, &answer);
}

static void on_tell(void *context)
{
    struct dns *dns = context;
    for (struct list *at; (at = list_take(&dns->finished));) {
        struct query *query = container_of(at, struct query, link);
        if (query->mx_fn)
            tell_mx(dns, query);
        else
            tell_addresses(dns, query);
        free_query(query);
    }
}

static bool set_resolver(ares_channel channel, const struct addr *resolver)
{
    struct ares_addr_port_node server = { .family = AF_INET };
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    if (addr_is_ipv6(resolver)) {
        memcpy(&ipv6, &resolver->storage, sizeof ipv6);
        server.family = AF_INET6;
        memcpy(&server.addr.addr6, &ipv6.sin6_addr, sizeof server.addr.addr6);
    } else if (resolver->storage.ss_family == AF_INET) {
        memcpy(&ipv4, &resolver->storage, sizeof ipv4);
        server.addr.addr4 = ipv4.sin_addr;
    } else {
        return false;
    }
    server.udp_port = addr_port(resolver);
    server.tcp_port = addr_port(resolver);
    return ares_set_servers_ports(channel, &server) == ARES_SUCCESS;
}

/* EDNS keeps most answers on UDP, NOCHECKRESP lets SERVFAIL and REFUSED through
 * as answers, and NOSEARCH takes every name as it is. The system's resolv.conf
 * has no say: the resolver is ours to name. */
static int open_channel(struct dns *dns, uint64_t timeout_ms, unsigned tries)
{
    char no_file[] = "/dev/null";
    char dns_only[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH,
        .timeout = timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX,
        .tries = (int)tries,
        .lookups = dns_only,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
        .ednspsz = EDNS_BYTES,
        .resolvconf_path = no_file,
    };
    return ares_init_options(
        &dns->channel, &options,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS
            | ARES_OPT_SOCK_STATE_CB | ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF);
}

struct dns *dns_new(struct loop *loop, const struct addr *resolver,
                    uint64_t timeout_ms, unsigned tries, struct fault *fault)
{
    scoped(dns_free) struct dns *dns = NEW(struct dns);
    dns->loop = loop;
    list_init(&dns->sockets);
    list_init(&dns->finished);
    int status = open_channel(dns, timeout_ms, tries);
    if (status != ARES_SUCCESS) {
        (void)fault_set(fault, RC_IO, 0, "resolver: %s", ares_strerror(status));
        return NULL;
    }
    if (!set_resolver(dns->channel, resolver)) {
        (void)fault_set(fault, RC_SYNTAX, 0, "resolver: no usable address");
        return NULL;
    }
    dns->timer = timer_new(loop, on_timer, dns);
    dns->tell = defer_new(loop, on_tell, dns);
    return steal(dns);
}

void dns_free(struct dns **dns)
{
    struct dns *d = steal(*dns);
    if (!d)
        return;
    if (d->channel)
        ares_destroy(d->channel); /* frees the queries, closes the sockets */
    CHECK(list_is_empty(&d->sockets));
    for (struct list *at; (at = list_take(&d->finished));)
        free_query(container_of(at, struct query, link));
    timer_free(&d->timer);
    defer_free(&d->tell);
    mem_free(d);
}

static struct query *new_query(struct dns *dns, enum dnsmsg_type type,
                               void *context)
{
    struct query *query = NEW(struct query);
    list_init(&query->link);
    query->dns = dns;
    query->type = type;
    query->context = context;
    return query;
}

static void ask(struct query *query, const char *name)
{
    struct dns *dns = query->dns;
    ares_query(dns->channel, name, CLASS_IN, (int)query->type, on_answer,
               query);
    set_timer(dns);
}

void dns_query_mx(struct dns *dns, const char *domain, dns_mx_fn *fn,
                  void *context)
{
    struct query *query = new_query(dns, DNSMSG_MX, context);
    query->mx_fn = fn;
    ask(query, domain);
}

void dns_query_addresses(struct dns *dns, const char *host, int family,
                         dns_address_fn *fn, void *context)
{
    CHECK(family == AF_INET || family == AF_INET6);
    struct query *query =
        new_query(dns, family == AF_INET ? DNSMSG_A : DNSMSG_AAAA, context);
    query->address_fn = fn;
    ask(query, host);
}
