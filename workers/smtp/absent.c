/* absent.c - addresses of receivers at which nobody answered. */
#include "workers/smtp/absent.h"

#include <string.h>

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/table.h"

#define KEY_SIZE (IPRANGE_BYTES + sizeof(uint16_t))

struct entry {
    struct list link;
    uint64_t rest_ms;
    uint64_t until_ms;
    bool is_tried; /* since its time was over */
    char key[KEY_SIZE];
};

struct absent {
    struct table table;
    struct list list; /* the latest failure first */
};

struct absent *absent_new(void)
{
    struct absent *absent = NEW(struct absent);
    table_init(&absent->table);
    list_init(&absent->list);
    return absent;
}

static bool is_entry(const void *value, struct slice key)
{
    const struct entry *entry = value;
    return slice_equal(slice_of(entry->key, KEY_SIZE), key);
}

static struct slice key_of(const struct addr *addr, char key[KEY_SIZE])
{
    uint8_t ip[IPRANGE_BYTES] = { 0 };
    const uint16_t port = addr_port(addr);
    (void)addr_ip_bytes(addr, ip);
    memcpy(key, ip, sizeof ip);
    memcpy(key + sizeof ip, &port, sizeof port);
    return slice_of(key, KEY_SIZE);
}

static struct entry *find(const struct absent *absent, const struct addr *addr)
{
    char key[KEY_SIZE];
    return table_get_text(&absent->table, key_of(addr, key), is_entry);
}

static void drop(struct absent *absent, struct entry *entry)
{
    const struct slice key = slice_of(entry->key, KEY_SIZE);
    (void)table_take_text(&absent->table, key, is_entry);
    list_remove(&entry->link);
    mem_free(entry);
}

void absent_free(struct absent **absent)
{
    struct absent *held = steal(*absent);
    if (!held)
        return;
    list_each (at, &held->list)
        drop(held, container_of(at, struct entry, link));
    table_release(&held->table);
    mem_free(held);
}

static struct entry *add(struct absent *absent, const struct addr *addr)
{
    if (absent->table.count == ABSENT_MAX)
        drop(absent, container_of(absent->list.prev, struct entry, link));
    struct entry *entry = NEW(struct entry);
    table_put_text(&absent->table, key_of(addr, entry->key), entry);
    list_push_front(&absent->list, &entry->link);
    return entry;
}

uint64_t absent_add(struct absent *absent, const struct addr *addr,
                    uint64_t now_ms)
{
    struct entry *entry = find(absent, addr);
    const bool is_news = !entry;
    if (entry && now_ms < entry->until_ms && !entry->is_tried)
        return 0;
    if (!entry)
        entry = add(absent, addr);
    const uint64_t rest_ms = is_news ? ABSENT_MIN_MS : 2 * entry->rest_ms;
    entry->rest_ms = rest_ms < ABSENT_MAX_MS ? rest_ms : ABSENT_MAX_MS;
    entry->until_ms = now_ms + entry->rest_ms;
    entry->is_tried = false;
    list_remove(&entry->link);
    list_push_front(&absent->list, &entry->link);
    return is_news ? entry->rest_ms : 0;
}

bool absent_goes_last(struct absent *absent, const struct addr *addr,
                      uint64_t now_ms)
{
    struct entry *entry = find(absent, addr);
    if (!entry)
        return false;
    if (now_ms < entry->until_ms)
        return true;
    entry->is_tried = true;
    entry->until_ms = now_ms + entry->rest_ms;
    return false;
}

bool absent_forget(struct absent *absent, const struct addr *addr)
{
    struct entry *entry = find(absent, addr);
    if (!entry)
        return false;
    drop(absent, entry);
    return true;
}
