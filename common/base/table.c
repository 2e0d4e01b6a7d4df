/* table.c - a hash table from numbers or texts to pointers. */
#include "common/base/table.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#define SIZE_FIRST 16u

void table_init(struct table *table)
{
    *table = (struct table){ 0 };
}

void table_release(struct table *table)
{
    mem_free(table->slots);
    table_init(table);
}

/* The finaliser of MurmurHash3: every bit of the key reaches every other. */
static size_t home_of(const struct table *table, uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    key ^= key >> 33;
    return (size_t)key & (table->size - 1);
}

/* FNV-1a. */
static uint64_t hash_of(struct slice text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    return hash;
}

/* The slot of the key, or the empty one where the search ended; `is` NULL:
 * the key alone decides. Needs a table with slots. */
static size_t search(const struct table *table, uint64_t key, struct slice text,
                     table_is_fn *is)
{
    size_t at = home_of(table, key);
    for (;; at = (at + 1) & (table->size - 1)) {
        const struct table_slot *slot = &table->slots[at];
        if (!slot->value
            || (slot->key == key && (!is || is(slot->value, text))))
            return at;
    }
}

static void *get(const struct table *table, uint64_t key, struct slice text,
                 table_is_fn *is)
{
    if (table->count == 0)
        return NULL;
    return table->slots[search(table, key, text, is)].value;
}

static void place(struct table *table, uint64_t key, void *value)
{
    size_t at = home_of(table, key);
    while (table->slots[at].value)
        at = (at + 1) & (table->size - 1);
    table->slots[at] = (struct table_slot){ key, value };
}

static void grow(struct table *table)
{
    struct table_slot *old = table->slots;
    const size_t old_size = table->size;
    table->size = old_size ? 2 * old_size : SIZE_FIRST;
    table->slots = mem_new(table->size, sizeof *table->slots);
    for (size_t i = 0; i < old_size; i++)
        if (old[i].value)
            place(table, old[i].key, old[i].value);
    mem_free(old);
}

static void put(struct table *table, uint64_t key, void *value)
{
    CHECK(value);
    if (8 * (table->count + 1) > 7 * table->size)
        grow(table);
    place(table, key, value);
    table->count++;
}

/* Moves up what was pushed past the gap by what stood there. */
static void close_gap(struct table *table, size_t gap)
{
    const size_t mask = table->size - 1;
    for (size_t at = (gap + 1) & mask; table->slots[at].value;
         at = (at + 1) & mask) {
        const size_t home = home_of(table, table->slots[at].key);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        table->slots[gap] = table->slots[at];
        gap = at;
    }
    table->slots[gap].value = NULL;
}

static void *take(struct table *table, uint64_t key, struct slice text,
                  table_is_fn *is)
{
    if (table->count == 0)
        return NULL;
    const size_t at = search(table, key, text, is);
    void *value = table->slots[at].value;
    if (!value)
        return NULL;
    close_gap(table, at);
    table->count--;
    return value;
}

void *table_get(const struct table *table, uint64_t key)
{
    return get(table, key, SLICE(""), NULL);
}

void table_put(struct table *table, uint64_t key, void *value)
{
    put(table, key, value);
}

void *table_take(struct table *table, uint64_t key)
{
    return take(table, key, SLICE(""), NULL);
}

void *table_get_text(const struct table *table, struct slice text,
                     table_is_fn *is)
{
    return get(table, hash_of(text), text, is);
}

void table_put_text(struct table *table, struct slice text, void *value)
{
    put(table, hash_of(text), value);
}

void *table_take_text(struct table *table, struct slice text, table_is_fn *is)
{
    return take(table, hash_of(text), text, is);
}

void *table_next(const struct table *table, size_t *at)
{
    while (*at < table->size) {
        void *value = table->slots[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}
