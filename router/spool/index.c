/* index.c - what recovery needs of one sealed segment. */
#include "router/spool/index.h"

#include "common/base/mem.h"
#include "router/spool/bytes.h"
#include "router/spool/segment.h"

#include <stdlib.h>

#define VERSION 1u

static const char magic[8] = { 'S', 'Y', 'I', 'N', 'D', 'E', 'X', '\n' };

enum header_offset {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_COUNT = 12,
    AT_SEQUENCE = 16,
    AT_EPOCH = 24,
    AT_END = 32,
    AT_SUM = 56, /* of all before and all behind */
};

enum entry_offset {
    AT_ID = 0,
    AT_ORDER = 8,
    AT_OFFSET = 16, /* in RECORD_ALIGN, as the size */
    AT_SIZE = 20,   /* 28 bits, then kind and flags of 2 bits */
};

#define SIZE_BITS 28u
#define SIZE_MASK ((1u << SIZE_BITS) - 1)
#define KIND_MASK 3u
#define FLAG_BITS (SIZE_BITS + 2)

_Static_assert((RECORD_HEADER_SIZE + RECORD_PAYLOAD_MAX + RECORD_BODY_MAX)
                       / RECORD_ALIGN
                   < SIZE_MASK,
               "the largest record has a size that fits");

void index_release(struct index *index)
{
    mem_free(steal(index->entries));
    index->count = 0;
    index->size = 0;
}

static void add(struct index *index, const struct index_entry *entry)
{
    if (index->count == index->size) {
        index->size = index->size * 2 + 64;
        index->entries =
            mem_resize(index->entries, index->size, sizeof *index->entries);
    }
    index->entries[index->count++] = *entry;
}

void index_add(struct index *index, uint64_t offset,
               const struct record *record)
{
    add(index, &(struct index_entry){
                   .id = record->id,
                   .order = record->order,
                   .offset = offset,
                   .size = record_size(record),
                   .kind = record->kind,
                   .flags = record->flags,
               });
}

struct entry_ref {
    struct index_entry *entry;
};

/* By id, the last one first. */
static int compare_entries(const void *a, const void *b)
{
    const struct index_entry *left = ((const struct entry_ref *)a)->entry;
    const struct index_entry *right = ((const struct entry_ref *)b)->entry;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    return (left->offset < right->offset) - (left->offset > right->offset);
}

/* Of one message's records, from the last one back: what is before a DROP does
 * not count, nor does a STATE that another one replaces. A DROP always stays,
 * since the PUT may lie in an older segment as well. */
static void mark_dead(const struct entry_ref *by_id, size_t count)
{
    const struct index_entry *after = NULL;
    bool is_dropped = false;
    for (size_t i = 0; i < count; i++) {
        struct index_entry *entry = by_id[i].entry;
        if (!after || after->id != entry->id) {
            after = NULL;
            is_dropped = false;
        }
        const bool is_replaced =
            after && after->kind == RECORD_STATE && entry->kind == RECORD_STATE;
        after = entry;
        const uint8_t kind = entry->kind;
        if (is_dropped || is_replaced)
            entry->size = 0;
        is_dropped |= kind == RECORD_DROP;
    }
}

void index_reduce(struct index *index)
{
    if (index->count == 0)
        return;
    scoped(mem_free_at) struct entry_ref *by_id =
        mem_new(index->count, sizeof *by_id);
    for (size_t i = 0; i < index->count; i++)
        by_id[i].entry = &index->entries[i];
    qsort(by_id, index->count, sizeof *by_id, compare_entries);
    mark_dead(by_id, index->count);
    size_t kept = 0;
    for (size_t i = 0; i < index->count; i++)
        if (index->entries[i].size > 0)
            index->entries[kept++] = index->entries[i];
    index->count = kept;
}

uint64_t index_bytes_max(uint64_t end)
{
    return INDEX_HEADER_SIZE
           + end / RECORD_HEADER_SIZE * (uint64_t)INDEX_ENTRY_SIZE;
}

uint64_t index_sum(struct slice bytes)
{
    const uint64_t head = record_sum(slice_head(bytes, AT_SUM));
    const uint64_t rest = record_sum(slice_from(bytes, INDEX_HEADER_SIZE));
    char both[2 * sizeof head];
    bytes_put64(both, head);
    bytes_put64(both + sizeof head, rest);
    return record_sum(slice_of(both, sizeof both));
}

static void encode_entry(const struct index_entry *entry,
                         char bytes[INDEX_ENTRY_SIZE])
{
    const uint32_t size = (uint32_t)(entry->size / RECORD_ALIGN);
    bytes_put64(bytes + AT_ID, entry->id);
    bytes_put64(bytes + AT_ORDER, entry->order);
    bytes_put32(bytes + AT_OFFSET, (uint32_t)(entry->offset / RECORD_ALIGN));
    bytes_put32(bytes + AT_SIZE, size | (uint32_t)entry->kind << SIZE_BITS
                                     | (uint32_t)entry->flags << FLAG_BITS);
}

char *index_encode(const struct index *index, size_t *len)
{
    *len = INDEX_HEADER_SIZE + index->count * INDEX_ENTRY_SIZE;
    char *bytes = mem_new(*len, 1);
    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    bytes_put32(bytes + AT_VERSION, VERSION);
    bytes_put32(bytes + AT_COUNT, (uint32_t)index->count);
    bytes_put64(bytes + AT_SEQUENCE, index->sequence);
    bytes_put64(bytes + AT_EPOCH, index->epoch);
    bytes_put64(bytes + AT_END, index->end);
    char *at = bytes + INDEX_HEADER_SIZE;
    for (size_t i = 0; i < index->count; i++, at += INDEX_ENTRY_SIZE)
        encode_entry(&index->entries[i], at);
    bytes_put64(bytes + AT_SUM, index_sum(slice_of(bytes, *len)));
    return bytes;
}

/* False: no such record can lie there. */
static bool decode_entry(const char *bytes, uint64_t from, uint64_t end,
                         struct index_entry *entry)
{
    const uint32_t word = bytes_get32(bytes + AT_SIZE);
    *entry = (struct index_entry){
        .id = bytes_get64(bytes + AT_ID),
        .order = bytes_get64(bytes + AT_ORDER),
        .offset = (uint64_t)bytes_get32(bytes + AT_OFFSET) * RECORD_ALIGN,
        .size = (uint64_t)(word & SIZE_MASK) * RECORD_ALIGN,
        .kind = word >> SIZE_BITS & KIND_MASK,
        .flags = (uint8_t)(word >> FLAG_BITS),
    };
    return entry->id != 0 && entry->kind != 0
           && entry->size >= RECORD_HEADER_SIZE && entry->offset >= from
           && entry->offset <= end && entry->size <= end - entry->offset;
}

static bool names_segment(const char *header, const struct index *index)
{
    return memcmp(header + AT_MAGIC, magic, sizeof magic) == 0
           && bytes_get32(header + AT_VERSION) == VERSION
           && bytes_get64(header + AT_SEQUENCE) == index->sequence
           && bytes_get64(header + AT_EPOCH) == index->epoch
           && bytes_get64(header + AT_END) == index->end;
}

enum rc index_decode(struct slice bytes, struct index *index)
{
    if (bytes.len < INDEX_HEADER_SIZE || !names_segment(bytes.ptr, index))
        return RC_SYNTAX;
    const uint64_t count = bytes_get32(bytes.ptr + AT_COUNT);
    if (bytes.len != INDEX_HEADER_SIZE + count * INDEX_ENTRY_SIZE
        || bytes_get64(bytes.ptr + AT_SUM) != index_sum(bytes))
        return RC_SYNTAX;
    uint64_t from = SEGMENT_START;
    const char *at = bytes.ptr + INDEX_HEADER_SIZE;
    for (uint64_t i = 0; i < count; i++, at += INDEX_ENTRY_SIZE) {
        struct index_entry entry;
        if (!decode_entry(at, from, index->end, &entry)) {
            index_release(index);
            return RC_SYNTAX;
        }
        add(index, &entry);
        from = entry.offset + entry.size;
    }
    return RC_OK;
}

struct record index_record(const struct index_entry *entry)
{
    return (struct record){
        .kind = entry->kind,
        .flags = entry->flags,
        .id = entry->id,
        .order = entry->order,
        .payload_len = (uint32_t)(entry->size - RECORD_HEADER_SIZE),
    };
}
