/* leasebook.c - what this router's next life must know of its leases. */
#include "router/dispatch/leasebook.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/edge/mapped.h"

#define MAGIC      0x6b6f6f626573616cu /* "lasebook" */
#define VERSION    1u
#define HEAD_BYTES 4096u

struct head {
    uint64_t magic;
    uint64_t version;
    uint64_t missing; /* leases that found no room in this life */
};

struct map {
    struct head head;
    char unused[HEAD_BYTES - sizeof(struct head)];
    struct leasebook_entry entries[LEASEBOOK_ENTRIES];
};

_Static_assert(sizeof(struct leasebook_entry) == 64,
               "an entry is a line of the cache");

struct leasebook {
    struct mapped file;
    struct map *map;
    struct table noted; /* entries, by lease */
    uint64_t missing;   /* of the life before */
    uint32_t free_count;
    uint32_t free[LEASEBOOK_ENTRIES]; /* the one used last first */
};

/* Not before the rest of the entry, for whoever maps the page after our death:
 * the processor keeps the order for him, the compiler must too. */
static void set_lease(struct leasebook_entry *entry, uint64_t lease)
{
    __atomic_store_n(&entry->lease, lease, __ATOMIC_RELEASE);
}

static bool makes_sense(const struct leasebook *book,
                        const struct leasebook_entry *entry)
{
    return entry->lease != 0 && entry->message != 0
           && !table_get(&book->noted, entry->lease);
}

/* The lowest first: pages that were never needed stay untouched. */
static void find_noted(struct leasebook *book)
{
    for (uint32_t i = LEASEBOOK_ENTRIES; i-- > 0;) {
        struct leasebook_entry *entry = &book->map->entries[i];
        if (makes_sense(book, entry)) {
            entry->worker[LEASEBOOK_NAME - 1] = '\0';
            table_put(&book->noted, entry->lease, entry);
            continue;
        }
        if (entry->lease != 0)
            set_lease(entry, 0);
        book->free[book->free_count++] = i;
    }
}

struct leasebook *leasebook_open(const char *path, struct fault *fault)
{
    struct leasebook *book = NEW(struct leasebook);
    table_init(&book->noted);
    if (mapped_open(&book->file, path, sizeof(struct map), fault) != RC_OK) {
        leasebook_close(&book);
        return NULL;
    }
    book->map = book->file.at;
    struct head *head = &book->map->head;
    if (head->magic != MAGIC || head->version != VERSION) {
        memset(book->map, 0, sizeof *book->map);
        head->version = VERSION;
        head->magic = MAGIC;
    }
    book->missing = head->missing;
    head->missing = 0;
    find_noted(book);
    return book;
}

void leasebook_close(struct leasebook **book)
{
    struct leasebook *held = steal(*book);
    if (!held)
        return;
    table_release(&held->noted);
    mapped_close(&held->file);
    mem_free(held);
}

void leasebook_note(struct leasebook *book, const struct leasebook_entry *entry)
{
    if (!book)
        return;
    CHECK(entry->lease != 0);
    leasebook_clear(book, entry->lease);
    if (book->free_count == 0) {
        book->map->head.missing++;
        return;
    }
    struct leasebook_entry *noted =
        &book->map->entries[book->free[--book->free_count]];
    noted->message = entry->message;
    noted->boot = entry->boot;
    memcpy(noted->worker, entry->worker, LEASEBOOK_NAME);
    set_lease(noted, entry->lease);
    table_put(&book->noted, entry->lease, noted);
}

void leasebook_clear(struct leasebook *book, uint64_t lease)
{
    struct leasebook_entry *noted =
        book ? table_take(&book->noted, lease) : NULL;
    if (!noted)
        return;
    set_lease(noted, 0);
    CHECK(book->free_count < LEASEBOOK_ENTRIES);
    book->free[book->free_count++] = (uint32_t)(noted - book->map->entries);
}

void leasebook_each(struct leasebook *book, leasebook_fn *fn, void *context)
{
    for (uint32_t i = 0; book && i < LEASEBOOK_ENTRIES; i++)
        if (book->map->entries[i].lease != 0)
            fn(context, &book->map->entries[i]);
}

uint64_t leasebook_missing(const struct leasebook *book)
{
    return book ? book->missing : 0;
}
