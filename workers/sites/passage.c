/* passage.c - the way from one source to one site, for one lane. */
#include "workers/sites/passage.h"

#include <string.h>

#include "common/base/check.h"

static void copy(struct slice from, char to[PASSAGE_TEXT_SIZE])
{
    from = slice_head(from, PASSAGE_TEXT_SIZE - 1);
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
    to[from.len] = '\0';
}

static bool has_family(const struct conf_source *source, bool is_ipv6)
{
    const bool first_is_ipv6 = strchr(source->address, ':');
    return first_is_ipv6 == is_ipv6 || source->address6;
}

static bool has_other_family(const struct conf_pool *pool,
                             const struct conf_source *source)
{
    const bool is_ipv6 = strchr(source->address, ':');
    if (has_family(source, !is_ipv6))
        return false;
    for (size_t i = 0; pool && i < pool->member_count; i++)
        if (has_family(pool->members[i].source, !is_ipv6))
            return true;
    return false;
}

static void take_manners(struct passage *passage)
{
    manners_read(passage->conf, slice_text(passage->domain),
                 slice_text(passage->provider), &passage->manners);
    passage->source_addr6 = (struct addr){ .len = 0 };
    if (passage->source->address6) {
        const bool is_ip = addr_of_ip(slice_text(passage->source->address6), 0,
                                      &passage->source_addr6);
        CHECK(is_ip); /* the config was checked */
    }
    passage->has_other_family = has_other_family(
        conf_pool(passage->conf, slice_text(passage->pool)), passage->source);
    passage->dialog = (struct dialog_options){
        .ehlo_name = slice_text(passage->source->ehlo),
        .tls = passage->manners.tls,
        .chunking = passage->manners.chunking,
        .transactions_max = passage->manners.in_flight_max,
        .waits = passage->manners.waits,
    };
}

static struct gate *open_gate(const struct passage *passage)
{
    return gate_open(passage->ground->gates, slice_text(passage->source->name),
                     slice_text(passage->site), &passage->manners.limits);
}

void passage_open(struct passage *passage,
                  const struct passage_options *options)
{
    *passage = (struct passage){
        .ground = options->ground,
        .conf = conf_hold(options->conf),
        .source = options->source,
    };
    copy(options->pool, passage->pool);
    copy(options->site, passage->site);
    copy(options->domain, passage->domain);
    copy(options->provider, passage->provider);
    take_manners(passage);
    bool is_ip = addr_of_ip(slice_text(options->source->address), 0,
                            &passage->source_addr);
    CHECK(is_ip); /* the config was checked */
    passage->gate = open_gate(passage);
    passage->berths =
        berths_join(&passage->ground->berths, passage->gate, &passage->berth);
}

void passage_close(struct passage *passage)
{
    berths_leave(&passage->ground->berths, &passage->berths, &passage->berth);
    gate_want(passage->gate, 0, passage->berth.want);
    gate_close(&passage->gate);
    conf_release(&passage->conf);
}

bool passage_reconf(struct passage *passage, struct conf *conf)
{
    const struct conf_source *old = passage->source;
    const struct conf_source *now = conf_source(conf, slice_text(old->name));
    if (!now
        || !slice_equal(slice_text(now->address), slice_text(old->address)))
        return false;
    passage->source = now;
    conf_release(&passage->conf);
    passage->conf = conf_hold(conf);
    take_manners(passage);
    /* The same gate, which takes the new limits over. */
    struct gate *before = passage->gate;
    passage->gate = open_gate(passage);
    gate_close(&before);
    return true;
}

uint64_t passage_now_ms(const struct passage *passage)
{
    return loop_now_ms(passage->ground->loop);
}

static struct proxy proxy_of(const struct conf_source *source)
{
    static const enum proxy_kind kinds[] = {
        [CONF_PROXY_NONE] = PROXY_NONE,
        [CONF_PROXY_SOCKS5] = PROXY_SOCKS5,
        [CONF_PROXY_HAPROXY] = PROXY_HAPROXY,
    };
    struct proxy proxy = { .kind = kinds[source->proxy.kind] };
    if (proxy.kind == PROXY_NONE)
        return proxy;
    const struct conf_endpoint *at = &source->proxy.at;
    const bool is_ip = addr_of_ip(slice_text(at->host), at->port, &proxy.at);
    CHECK(is_ip); /* the config was checked */
    if (source->proxy_login)
        proxy.login = socks_login_of(slice_text(source->proxy_login));
    return proxy;
}

/* A source has its IPv6 address while that is bound; behind a proxy nobody can
 * see whether it is. */
static bool has_ipv6_too(const struct passage *passage)
{
    const struct addr *addr = &passage->source_addr6;
    return addr->len > 0
           && (passage->source->proxy.kind != CONF_PROXY_NONE
               || addr_is_local(addr));
}

struct channel_options passage_channel(const struct passage *passage)
{
    const struct outlet_ground *ground = passage->ground;
    const bool has_both = has_ipv6_too(passage);
    const bool is_ipv6 = addr_is_ipv6(&passage->source_addr)
                         || (has_both && !passage->manners.prefers_ipv4);
    return (struct channel_options){
        .loop = ground->loop,
        .source = passage->source_addr,
        .source6 = passage->source_addr6,
        .proxy = proxy_of(passage->source),
        .hosts = {
            .dns = ground->dns,
            .family = is_ipv6 ? AF_INET6 : AF_INET,
            .has_both = has_both,
            .has_other_family = passage->has_other_family,
            .port = passage->manners.port,
            .own = ground->own,
            .own_count = ground->own_count,
            .rules = passage->manners.rules,
            .loop = ground->loop,
            .absent = ground->absent,
        },
        .dialog = passage->dialog,
        .tls = passage->dialog.tls == DIALOG_TLS_REQUIRED
                   ? ground->verified
                   : ground->opportunistic,
        .connect_ms = passage->manners.connect_ms,
    };
}

uint32_t passage_allowance(const struct passage *passage)
{
    return berths_allow(passage->berths, &passage->berth,
                        gate_slots(passage->gate), passage_now_ms(passage));
}

uint32_t passage_part(const struct passage *passage)
{
    const uint32_t part = berths_part(passage->berths, &passage->berth,
                                      gate_slots(passage->gate));
    return part > 0 ? part : 1;
}

bool passage_is_full(const struct passage *passage)
{
    return passage->berth.lines >= passage_allowance(passage)
           || gate_connections(passage->gate) >= gate_slots(passage->gate);
}

/* One more line of the lane's own. */
static void count_in(struct passage *passage)
{
    if (passage->berth.lines++ == 0)
        passage->berth.since_ms = passage_now_ms(passage);
}

static void count_out(struct passage *passage)
{
    CHECK(passage->berth.lines > 0);
    if (--passage->berth.lines == 0)
        passage->berth.since_ms = passage_now_ms(passage);
}

bool passage_take_slot(struct passage *passage, uint64_t *wait_ms)
{
    if (!gate_open_connection(passage->gate, passage_now_ms(passage), wait_ms))
        return false;
    count_in(passage);
    return true;
}

void passage_give_slot(struct passage *passage)
{
    count_out(passage);
    gate_close_connection(passage->gate);
    defer_set(passage->ground->wake);
}

void passage_pass_slot(struct passage *from, struct passage *to)
{
    CHECK(from->gate == to->gate);
    count_out(from);
    count_in(to);
    if (from->berth.want > from->berth.lines)
        passage_want(from, from->berth.want - 1);
    if (to->berth.want < to->berth.lines)
        passage_want(to, to->berth.lines);
}

void passage_want(struct passage *passage, uint32_t want)
{
    struct berth *berth = &passage->berth;
    if (want == berth->want)
        return;
    if (berth->want == 0 && berth->lines == 0)
        berth->since_ms = passage_now_ms(passage);
    gate_want(passage->gate, want, berth->want);
    berth->want = want;
}
