/* mx.c - from a recipient domain to its destination. */
#include "router/dispatch/mx.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/table.h"

struct entry {
    struct list link; /* in mx->todo while its query has to wait */
    struct list waiters;
    struct destination *destination; /* the last good one; or NULL */
    struct mx_answer refusal;        /* when kind is not MX_FOUND */
    enum mx_kind kind;
    bool asking;
    uint64_t until_ms; /* good before; then it is asked for again */
    uint64_t good_ms;  /* the destination was good before */
    size_t domain_len;
    char domain[];
};

struct mx {
    const struct conf *conf;
    struct mx_hooks hooks;
    struct table entries;
    struct list todo;
    unsigned queries;
};

static const struct mx_answer no_such_name = {
    .kind = MX_FAILED,
    .status = { 5, 1, 2 },
    .text = "the recipient's domain does not exist",
};
static const struct mx_answer null_mx = {
    .kind = MX_FAILED,
    .status = { 5, 1, 10 },
    .text = "the recipient's domain takes no mail (null MX)",
};
static const struct mx_answer no_answer = {
    .kind = MX_DEFERRED,
    .status = { 4, 4, 3 },
    .text = "the DNS gave no answer for the recipient's domain",
};
static const struct mx_answer bad_domain = {
    .kind = MX_FAILED,
    .status = { 5, 1, 2 },
    .text = "the recipient's domain is no domain name",
};

struct mx *mx_new(const struct conf *conf, const struct mx_hooks *hooks)
{
    struct mx *mx = NEW(struct mx);
    mx->conf = conf;
    mx->hooks = *hooks;
    table_init(&mx->entries);
    list_init(&mx->todo);
    return mx;
}

static struct slice domain_of(const struct entry *entry)
{
    return slice_of(entry->domain, entry->domain_len);
}

static void free_entry(struct entry *entry)
{
    CHECK(list_is_empty(&entry->waiters));
    list_remove(&entry->link);
    destination_release(&entry->destination);
    mem_free(entry);
}

void mx_free(struct mx **mx)
{
    struct mx *freed = steal(*mx);
    if (!freed)
        return;
    size_t at = 0;
    for (struct entry *entry; (entry = table_next(&freed->entries, &at));)
        free_entry(entry);
    table_release(&freed->entries);
    mem_free(freed);
}

static struct destination *same_hosts(const struct conf *conf,
                                      const struct destination *old)
{
    struct site_host hosts[SITE_HOSTS_MAX];
    for (size_t i = 0; i < old->host_count; i++)
        hosts[i] =
            (struct site_host){ old->hosts[i].preference, old->hosts[i].name };
    return destination_new(conf, old->domain, hosts, old->host_count);
}

void mx_reconf(struct mx *mx, const struct conf *conf)
{
    mx->conf = conf;
    size_t at = 0;
    for (struct entry *entry; (entry = table_next(&mx->entries, &at));) {
        if (!entry->destination)
            continue;
        struct destination *anew = same_hosts(conf, entry->destination);
        destination_release(&entry->destination);
        entry->destination = anew;
    }
}

static bool is_called(const void *value, struct slice domain)
{
    return slice_equal(domain_of(value), domain);
}

struct destination *mx_known(const struct mx *mx, struct slice domain)
{
    const struct entry *entry = table_get_text(&mx->entries, domain, is_called);
    return entry ? entry->destination : NULL;
}

static struct entry *entry_of(struct mx *mx, struct slice domain)
{
    struct entry *entry = table_get_text(&mx->entries, domain, is_called);
    if (entry)
        return entry;
    entry = mem_new(1, sizeof *entry + domain.len + 1);
    list_init(&entry->link);
    list_init(&entry->waiters);
    entry->kind = MX_DEFERRED;
    entry->refusal = no_answer;
    entry->domain_len = domain.len;
    memcpy(entry->domain, domain.ptr, domain.len);
    table_put_text(&mx->entries, domain_of(entry), entry);
    return entry;
}

static void set_hosts(struct mx *mx, struct entry *entry,
                      const struct site_host *hosts, size_t count)
{
    struct destination *found =
        destination_new(mx->conf, domain_of(entry), hosts, count);
    destination_release(&entry->destination);
    entry->destination = found;
    entry->kind = MX_FOUND;
}

/* A domain without MX records is its own host, RFC 5321 section 5.1. */
static void set_itself(struct mx *mx, struct entry *entry)
{
    const struct site_host itself = { 0, domain_of(entry) };
    set_hosts(mx, entry, &itself, 1);
}

static void set_refusal(struct entry *entry, const struct mx_answer *refusal)
{
    entry->kind = refusal->kind;
    entry->refusal = *refusal;
}

static void answer_of(const struct entry *entry, struct mx_answer *answer)
{
    *answer = entry->refusal;
    if (entry->kind == MX_FOUND)
        *answer = (struct mx_answer){ .kind = MX_FOUND,
                                      .destination = entry->destination };
}

static void ask_or_wait(struct mx *mx, struct entry *entry)
{
    entry->asking = true;
    if (mx->queries == MX_QUERIES_MAX) {
        list_push_back(&mx->todo, &entry->link);
        return;
    }
    mx->queries++;
    mx->hooks.query(mx->hooks.context, entry->domain);
}

bool mx_ask(struct mx *mx, struct slice domain, struct list *waiter,
            uint64_t now_ms, struct mx_answer *answer)
{
    if (slice_is_empty(domain) || domain.len > DNS_NAME_MAX) {
        *answer = bad_domain;
        return true;
    }
    struct entry *entry = entry_of(mx, domain);
    if (domain.ptr[0] == '[' && entry->kind != MX_FOUND) {
        set_itself(mx, entry);
        entry->until_ms = UINT64_MAX;
    }
    if (entry->until_ms > now_ms) {
        answer_of(entry, answer);
        return true;
    }
    list_push_back(&entry->waiters, waiter);
    if (!entry->asking)
        ask_or_wait(mx, entry);
    return false;
}

static uint64_t life_ms(const struct mx *mx, uint32_t ttl_s)
{
    const uint64_t life = (uint64_t)ttl_s * 1000;
    const uint64_t max = mx->conf->resolver.max_ttl_ms;
    if (life > max && max >= MX_TTL_MIN_MS)
        return max;
    return life < MX_TTL_MIN_MS ? MX_TTL_MIN_MS : life;
}

static void hear_hosts(struct mx *mx, struct entry *entry,
                       const struct dns_mx_answer *heard)
{
    struct site_host hosts[SITE_HOSTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < heard->count && count < SITE_HOSTS_MAX; i++)
        if (heard->hosts[i].name[0] != '\0')
            hosts[count++] =
                (struct site_host){ heard->hosts[i].preference,
                                    slice_text(heard->hosts[i].name) };
    if (count > 0)
        set_hosts(mx, entry, hosts, count);
    else
        set_refusal(entry, &null_mx);
}

static void note_answer(struct mx *mx, struct entry *entry,
                        const struct dns_mx_answer *heard, uint64_t now_ms)
{
    uint64_t keep_ms = life_ms(mx, heard->ttl_s);
    switch (heard->status) {
    case DNS_OK:
        hear_hosts(mx, entry, heard);
        break;
    case DNS_NODATA:
        set_itself(mx, entry);
        break;
    case DNS_NXDOMAIN:
        set_refusal(entry, &no_such_name);
        break;
    case DNS_FAILED:
    case DNS_TIMEOUT:
        keep_ms = MX_RETRY_MS;
        if (!entry->destination || now_ms >= entry->good_ms + MX_STALE_MS)
            set_refusal(entry, &no_answer);
        entry->until_ms = now_ms + keep_ms;
        return;
    }
    if (entry->kind == MX_FAILED && keep_ms > MX_NEGATIVE_MS)
        keep_ms = MX_NEGATIVE_MS;
    entry->until_ms = now_ms + keep_ms;
    entry->good_ms = entry->until_ms;
}

/* A waiter may ask again from its answer: the list is walked as a copy. */
static void tell_waiters(struct mx *mx, struct entry *entry)
{
    struct mx_answer answer;
    answer_of(entry, &answer);
    scoped(destination_release) struct destination *held = NULL;
    if (answer.destination)     /* scoped() reads it at the end */
        held = destination_hold(/* NOLINT(clang-analyzer-deadcode.DeadStores) */
                                answer.destination);
    struct list told;
    list_init(&told);
    for (struct list *link; (link = list_take(&entry->waiters));)
        list_push_back(&told, link);
    for (struct list *link; (link = list_take(&told));)
        mx->hooks.answer(mx->hooks.context, link, &answer);
}

void mx_hear(struct mx *mx, struct slice domain,
             const struct dns_mx_answer *heard, uint64_t now_ms)
{
    CHECK(mx->queries > 0);
    mx->queries--;
    struct list *next = list_take(&mx->todo);
    if (next) {
        mx->queries++;
        mx->hooks.query(mx->hooks.context,
                        container_of(next, struct entry, link)->domain);
    }
    struct entry *entry = table_get_text(&mx->entries, domain, is_called);
    CHECK(entry && entry->asking);
    entry->asking = false;
    note_answer(mx, entry, heard, now_ms);
    tell_waiters(mx, entry);
}

static bool is_unneeded(const struct entry *entry, uint64_t now_ms)
{
    const bool shared = entry->destination && entry->destination->refs > 1;
    const bool literal = entry->until_ms == UINT64_MAX;
    return !entry->asking && !shared && list_is_empty(&entry->waiters)
           && (literal || entry->until_ms + MX_KEEP_MS <= now_ms);
}

void mx_sweep(struct mx *mx, uint64_t now_ms)
{
    struct list gone;
    list_init(&gone);
    size_t at = 0;
    for (struct entry *entry; (entry = table_next(&mx->entries, &at));)
        if (is_unneeded(entry, now_ms))
            list_push_back(&gone, &entry->link);
    for (struct list *link; (link = list_take(&gone));) {
        struct entry *entry = container_of(link, struct entry, link);
        (void)table_take_text(&mx->entries, domain_of(entry), is_called);
        free_entry(entry);
    }
}
