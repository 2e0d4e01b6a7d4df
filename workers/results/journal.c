/* journal.c - what a worker's next life must know of this one. */
#include "workers/results/journal.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/edge/mapped.h"

#define MAGIC      0x6c616e72756f6a73u /* "sjournal" */
#define VERSION    1u
#define HEAD_BYTES 4096u

#define NO_SLOT UINT32_MAX

struct head {
    uint64_t magic;
    uint32_t version;
    uint32_t boot_count;
    uint64_t boots[JOURNAL_BOOTS_MAX]; /* the oldest first, ours last */
    uint64_t missing; /* frames that found no room and still count */
};

struct slot {
    uint32_t kind; /* 0: not the first of a chain */
    uint32_t next;
    uint32_t len; /* of the whole frame; in the first */
    uint32_t unused;
    uint64_t lease;
    char bytes[JOURNAL_SLOT_BYTES];
};

struct map {
    struct head head;
    char unused[HEAD_BYTES - sizeof(struct head)];
    struct slot slots[JOURNAL_SLOTS];
};

_Static_assert(sizeof(struct slot) == 512, "slots are not torn by a page");

/* What we know of a lease; `first` NO_SLOT: the frame found no room. */
struct noted {
    uint32_t first;
};

struct journal {
    struct mapped file;
    struct map *map;
    struct table noted; /* struct noted, by lease */
    uint32_t free[JOURNAL_SLOTS];
    uint32_t free_count;
    struct buf frame; /* put together from its slots */
};

/* A store that the next life must not see before those that come first in the
 * program. The processor keeps their order for whoever maps the page after our
 * death; the compiler must too. */
static void set_kind(struct slot *slot, uint32_t kind)
{
    __atomic_store_n(&slot->kind, kind, __ATOMIC_RELEASE);
}

static void set_boots(struct head *head, uint32_t count)
{
    __atomic_store_n(&head->boot_count, count, __ATOMIC_RELEASE);
}

static uint32_t slots_for(size_t len)
{
    return (uint32_t)((len + JOURNAL_SLOT_BYTES - 1) / JOURNAL_SLOT_BYTES);
}

/* The chain of the slot `first` into journal->frame, and its slots out of
 * `is_free`. False: it is none. */
static bool read_chain(struct journal *journal, uint32_t first, bool *is_free)
{
    const struct slot *slots = journal->map->slots;
    const uint32_t len = slots[first].len;
    const uint32_t count = slots_for(len);
    struct buf *frame = &journal->frame;
    uint32_t at = first;
    buf_clear(frame);
    if (len == 0 || count > JOURNAL_SLOTS)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const size_t left = len - frame->len;
        if (at >= JOURNAL_SLOTS || !is_free[at]
            || (i > 0 && slots[at].kind != 0))
            return false;
        is_free[at] = false;
        (void)buf_add(
            frame,
            slice_head(slice_of(slots[at].bytes, JOURNAL_SLOT_BYTES), left));
        at = slots[at].next;
    }
    return true;
}

static void note_first(struct journal *journal, uint64_t lease, uint32_t first)
{
    struct noted *noted = table_get(&journal->noted, lease);
    if (!noted) {
        noted = NEW(struct noted);
        table_put(&journal->noted, lease, noted);
    }
    noted->first = first;
}

/* Finds what former lives left. RESULT before DOUBT, which is the older one
 * where a lease has both. False: there are chains that are none. */
static bool find_noted(struct journal *journal)
{
    static const uint32_t kinds[] = { JOURNAL_RESULT, JOURNAL_DOUBT };
    struct slot *slots = journal->map->slots;
    bool *is_free = mem_new(JOURNAL_SLOTS, sizeof *is_free);
    bool is_sound = true;
    memset(is_free, true, JOURNAL_SLOTS);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (uint32_t i = 0; i < JOURNAL_SLOTS; i++) {
            if (slots[i].kind != kinds[k]
                || table_get(&journal->noted, slots[i].lease))
                continue;
            if (read_chain(journal, i, is_free)) {
                note_first(journal, slots[i].lease, i);
                continue;
            }
            is_sound = false; /* what was read of it is not free in this life */
            set_kind(&slots[i], 0);
        }
    }
    for (uint32_t i = JOURNAL_SLOTS; i-- > 0;) {
        if (!is_free[i])
            continue;
        set_kind(&slots[i], 0);
        journal->free[journal->free_count++] = i;
    }
    mem_free(is_free);
    return is_sound;
}

/* While the list is being changed nobody is on it. */
static void begin_life(struct journal *journal, uint64_t boot, bool is_whole)
{
    struct head *head = &journal->map->head;
    uint32_t count = is_whole ? head->boot_count : 0;
    set_boots(head, 0);
    if (count == JOURNAL_BOOTS_MAX) {
        count--;
        memmove(&head->boots[0], &head->boots[1], count * sizeof(uint64_t));
    }
    head->missing = 0;
    head->boots[count] = boot;
    set_boots(head, count + 1);
}

static bool is_ours(const struct head *head)
{
    return head->magic == MAGIC && head->version == VERSION
           && head->boot_count <= JOURNAL_BOOTS_MAX;
}

struct journal *journal_open(const char *path, uint64_t boot,
                             struct fault *fault)
{
    struct journal *journal = NEW(struct journal);
    table_init(&journal->noted);
    buf_init(&journal->frame, (size_t)JOURNAL_SLOTS * JOURNAL_SLOT_BYTES);
    if (mapped_open(&journal->file, path, sizeof(struct map), fault) != RC_OK) {
        journal_close(&journal);
        return NULL;
    }
    journal->map = journal->file.at;
    struct head *head = &journal->map->head;
    if (!is_ours(head)) {
        memset(journal->map, 0, sizeof *journal->map);
        head->magic = MAGIC;
        head->version = VERSION;
    }
    const bool is_sound = find_noted(journal);
    begin_life(journal, boot, is_sound && head->missing == 0);
    return journal;
}

void journal_close(struct journal **journal)
{
    struct journal *held = steal(*journal);
    if (!held)
        return;
    size_t at = 0;
    for (struct noted *noted; (noted = table_next(&held->noted, &at));)
        mem_free(noted);
    table_release(&held->noted);
    buf_release(&held->frame);
    mapped_close(&held->file);
    mem_free(held);
}

/* The slots of a frame, but for its kind: it is not there yet. */
static uint32_t write_chain(struct journal *journal, uint64_t lease,
                            struct slice frame)
{
    if (slots_for(frame.len) > journal->free_count)
        return NO_SLOT;
    struct slot *slots = journal->map->slots;
    uint32_t next = NO_SLOT;
    for (uint32_t i = slots_for(frame.len); i-- > 0;) {
        const struct slice part =
            slice_head(slice_from(frame, (size_t)i * JOURNAL_SLOT_BYTES),
                       JOURNAL_SLOT_BYTES);
        const uint32_t at = journal->free[--journal->free_count];
        slots[at].next = next;
        slots[at].len = (uint32_t)frame.len;
        slots[at].lease = lease;
        memcpy(slots[at].bytes, part.ptr, part.len);
        next = at;
    }
    return next;
}

static void free_chain(struct journal *journal, uint32_t first)
{
    if (first == NO_SLOT) {
        journal->map->head.missing--;
        return;
    }
    struct slot *slots = journal->map->slots;
    uint32_t at = first;
    set_kind(&slots[first], 0);
    for (uint32_t i = slots_for(slots[first].len); i > 0; i--) {
        CHECK(at < JOURNAL_SLOTS && journal->free_count < JOURNAL_SLOTS);
        journal->free[journal->free_count++] = at;
        at = slots[at].next;
    }
}

void journal_note(struct journal *journal, uint64_t lease,
                  enum journal_kind kind, struct slice frame)
{
    CHECK(frame.len > 0);
    const struct noted *noted = table_get(&journal->noted, lease);
    const uint32_t before = noted ? noted->first : NO_SLOT;
    const uint32_t first = write_chain(journal, lease, frame);
    if (first == NO_SLOT)
        journal->map->head.missing++;
    else
        set_kind(&journal->map->slots[first], kind);
    if (noted)
        free_chain(journal, before);
    note_first(journal, lease, first);
}

void journal_clear(struct journal *journal, uint64_t lease)
{
    struct noted *noted = table_take(&journal->noted, lease);
    if (!noted)
        return;
    free_chain(journal, noted->first);
    mem_free(noted);
}

const uint64_t *journal_former(const struct journal *journal, size_t *count)
{
    *count = journal->map->head.boot_count - 1;
    return journal->map->head.boots;
}

void journal_each(struct journal *journal, journal_fn *fn, void *context)
{
    bool *is_free = mem_new(JOURNAL_SLOTS, sizeof *is_free);
    memset(is_free, true, JOURNAL_SLOTS);
    for (uint32_t i = 0; i < JOURNAL_SLOTS; i++) {
        const struct slot *slot = &journal->map->slots[i];
        if (slot->kind == 0)
            continue;
        const bool is_read = read_chain(journal, i, is_free);
        CHECK(is_read); /* find_noted() has looked */
        if (!fn(context, buf_slice(&journal->frame)))
            journal_clear(journal, slot->lease);
    }
    mem_free(is_free);
}
