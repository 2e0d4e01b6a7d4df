/* table.c - a hash table from strings to values of one fixed size. */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define SLOTS_MIN 64u

struct entry {
    struct entry *next;
    char *key;
    uint64_t hash;
    max_align_t value[]; /* value_bytes of them */
};

/* FNV-1a: short keys, no adversary. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash;
}

void table_init(struct table *table, size_t value_bytes)
{
    table->slots = must_allocate(SLOTS_MIN, sizeof *table->slots);
    table->slot_count = SLOTS_MIN;
    table->entry_count = 0;
    table->value_bytes = value_bytes;
}

void table_release(struct table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        struct entry *entry = table->slots[i];

        while (entry != NULL) {
            struct entry *next = entry->next;

            free(entry->key);
            free(entry);
            entry = next;
        }
    }
    free(table->slots);
    *table = (struct table){ 0 };
}

static void table_grow(struct table *table)
{
    const size_t count = table->slot_count * 2;
    struct entry **slots = must_allocate(count, sizeof *slots);

    for (size_t i = 0; i < table->slot_count; i++) {
        struct entry *entry = table->slots[i];

        while (entry != NULL) {
            struct entry *next = entry->next;
            struct entry **slot = &slots[entry->hash & (count - 1)];

            entry->next = *slot;
            *slot = entry;
            entry = next;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
}

void *table_at(struct table *table, const char *key)
{
    const uint64_t hash = hash_of(key);
    struct entry *entry = table->slots[hash & (table->slot_count - 1)];

    for (; entry != NULL; entry = entry->next)
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            return entry->value;

    if (table->entry_count >= table->slot_count)
        table_grow(table);
    const size_t key_bytes = strlen(key) + 1;
    struct entry **slot = &table->slots[hash & (table->slot_count - 1)];
    entry = must_allocate(1, sizeof *entry + table->value_bytes);
    entry->key = must_allocate(1, key_bytes);
    memcpy(entry->key, key, key_bytes);
    entry->hash = hash;
    entry->next = *slot;
    *slot = entry;
    table->entry_count++;
    return entry->value;
}

void table_each(const struct table *table, table_visit_fn *visit, void *context)
{
    for (size_t i = 0; i < table->slot_count; i++)
        for (struct entry *entry = table->slots[i]; entry != NULL;
             entry = entry->next)
            visit(entry->key, entry->value, context);
}
