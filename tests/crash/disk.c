/* disk.c - a disk as a power cut may leave it. */
#include "tests/crash/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/slice.h"

#define FDS_MAX     1024
#define NAMES_MAX   512u
#define NAME_MAX_   64u
#define PENDING_MAX 512u /* changes of names between two syncs of the folder */

/* A write or a new size that is not on the disk for certain. */
struct piece {
    enum trace_kind kind; /* TRACE_WRITE, TRACE_GROW, TRACE_SIZE */
    uint64_t offset;
    uint64_t number;
    struct slice bytes; /* of the trace */
};

struct node {
    struct node *next; /* of all */
    char *data;        /* synced */
    uint64_t size;
    uint64_t room;
    struct piece *pieces;
    size_t piece_count;
    size_t piece_room;
};

struct name {
    char text[NAME_MAX_];
    struct node *node;
};

struct folder {
    struct name names[NAMES_MAX];
    size_t count;
};

struct change {
    char from[NAME_MAX_]; /* empty: `to` was made */
    char to[NAME_MAX_];   /* empty: `from` was removed */
    struct node *node;
};

struct descriptor {
    struct node *node;
    bool is_folder;
};

struct disk {
    struct disk_lies lies;
    struct node *nodes;
    struct folder synced;
    struct folder now;
    struct change changes[PENDING_MAX];
    size_t change_count;
    struct descriptor fds[FDS_MAX];
};

struct disk *disk_new(struct disk_lies lies)
{
    struct disk *disk = NEW(struct disk);
    disk->lies = lies;
    return disk;
}

void disk_free(struct disk **disk)
{
    struct disk *freed = steal(*disk);
    if (!freed)
        return;
    for (struct node *node = freed->nodes; node;) {
        struct node *next = node->next;
        mem_free(node->data);
        mem_free(node->pieces);
        mem_free(node);
        node = next;
    }
    mem_free(freed);
}

static struct name *find(struct folder *folder, const char *text)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->names[i].text, text) == 0)
            return &folder->names[i];
    return NULL;
}

static void copy_name(char to[NAME_MAX_], const char *from, size_t len)
{
    CHECK(len < NAME_MAX_);
    memcpy(to, from, len);
    to[len] = '\0';
}

static void set_name(struct folder *folder, const char *text, struct node *node)
{
    struct name *name = find(folder, text);
    if (!name) {
        CHECK(folder->count < NAMES_MAX);
        name = &folder->names[folder->count++];
        copy_name(name->text, text, strlen(text));
    }
    name->node = node;
}

static void remove_name(struct folder *folder, const char *text)
{
    struct name *name = find(folder, text);
    if (name)
        *name = folder->names[--folder->count];
}

static void apply_change(struct folder *folder, const struct change *change)
{
    if (change->from[0] != '\0')
        remove_name(folder, change->from);
    if (change->to[0] != '\0')
        set_name(folder, change->to, change->node);
}

static void note_change(struct disk *disk, const struct change *change)
{
    CHECK(disk->change_count < PENDING_MAX);
    apply_change(&disk->now, change);
    disk->changes[disk->change_count++] = *change;
}

static struct node *node_of(const struct disk *disk, int fd)
{
    CHECK(fd >= 0 && fd < FDS_MAX && disk->fds[fd].node);
    return disk->fds[fd].node;
}

static void hear_open(struct disk *disk, const struct trace_event *event,
                      const char *bytes)
{
    char text[NAME_MAX_];
    CHECK(event->fd >= 0 && event->fd < FDS_MAX);
    copy_name(text, bytes, event->len);
    if (event->number != 0) {
        struct node *node = NEW(struct node);
        node->next = disk->nodes;
        disk->nodes = node;
        struct change made = { .node = node };
        copy_name(made.to, bytes, event->len);
        note_change(disk, &made);
    }
    const struct name *name = find(&disk->now, text);
    CHECK(name); /* nothing was there before the trace */
    disk->fds[event->fd] = (struct descriptor){ .node = name->node };
}

static void hear_rename(struct disk *disk, const struct trace_event *event,
                        const char *bytes)
{
    struct change change = { .node = NULL };
    const size_t from_len = strnlen(bytes, event->len);
    CHECK(from_len < event->len);
    copy_name(change.from, bytes, from_len);
    copy_name(change.to, bytes + from_len + 1, event->len - from_len - 1);
    const struct name *name = find(&disk->now, change.from);
    CHECK(name);
    change.node = name->node;
    note_change(disk, &change);
}

static void note_piece(struct node *node, const struct trace_event *event,
                       const char *bytes)
{
    if (node->piece_count == node->piece_room) {
        node->piece_room = node->piece_room * 2 + 16;
        node->pieces =
            mem_resize(node->pieces, node->piece_room, sizeof *node->pieces);
    }
    node->pieces[node->piece_count++] = (struct piece){
        .kind = (enum trace_kind)event->kind,
        .offset = event->offset,
        .number = event->number,
        .bytes = slice_of(bytes, event->len),
    };
}

/* Contents being made: room for what all pieces may need. */
struct contents {
    char *data;
    uint64_t size;
    uint64_t room;
};

/* The greatest size that the file may have. */
static uint64_t room_of(const struct node *node)
{
    uint64_t room = node->size;
    for (size_t i = 0; i < node->piece_count; i++) {
        const struct piece *piece = &node->pieces[i];
        const uint64_t end = piece->kind == TRACE_WRITE
                                 ? piece->offset + piece->bytes.len
                                 : piece->number;
        room = end > room ? end : room;
    }
    return room;
}

static void set_size(struct contents *contents, uint64_t size)
{
    CHECK(size <= contents->room);
    contents->size = size;
}

static bool chosen(struct choice *choice, bool is_name)
{
    const size_t at = choice->at++;
    switch (choice->kind) {
    case CHOICE_ALL:
        return true;
    case CHOICE_NONE:
        return false;
    case CHOICE_BITS:
        return choice->bits >> at & 1;
    case CHOICE_BEFORE:
        return at < choice->bits;
    case CHOICE_BEHIND:
        return at >= choice->bits;
    case CHOICE_DICE:
        return dice_roll(&choice->dice, choice->bits) == 0;
    case CHOICE_NAMES:
        return is_name;
    case CHOICE_DATA:
        return !is_name;
    }
    return false;
}

static void write_piece(struct contents *contents, const struct piece *piece,
                        struct choice *choice)
{
    uint64_t at = piece->offset;
    const uint64_t end = piece->offset + piece->bytes.len;
    while (at < end) {
        const uint64_t sector_end = (at / choice->sector + 1) * choice->sector;
        const uint64_t until = sector_end < end ? sector_end : end;
        if (chosen(choice, false)) {
            memcpy(contents->data + at, piece->bytes.ptr + (at - piece->offset),
                   until - at);
            if (contents->size < until)
                contents->size = until;
        }
        at = until;
    }
}

static void make_contents(const struct node *node, struct choice *choice,
                          struct contents *contents)
{
    set_size(contents, node->size);
    memcpy(contents->data, node->size > 0 ? node->data : "", node->size);
    for (size_t i = 0; i < node->piece_count; i++) {
        const struct piece *piece = &node->pieces[i];
        if (piece->kind == TRACE_WRITE)
            write_piece(contents, piece, choice);
        else if (chosen(choice, false)
                 && (piece->kind == TRACE_SIZE
                     || piece->number > contents->size))
            set_size(contents, piece->number);
    }
}

static void sync_node(struct node *node)
{
    struct choice all = { .kind = CHOICE_ALL, .sector = 1u << 30 };
    const uint64_t room = room_of(node);
    struct contents contents = { .data = mem_new(room + 1, 1), .room = room };
    make_contents(node, &all, &contents);
    mem_free(node->data);
    node->data = contents.data;
    node->size = contents.size;
    node->piece_count = 0;
}

static void hear_sync(struct disk *disk, int fd)
{
    CHECK(fd >= 0 && fd < FDS_MAX);
    if (disk->fds[fd].is_folder) {
        if (disk->lies.folder)
            return;
        disk->synced = disk->now;
        disk->change_count = 0;
    } else if (!disk->lies.files) {
        sync_node(node_of(disk, fd));
    }
}

void disk_hear(struct disk *disk, const struct trace_event *event,
               const char *bytes)
{
    switch ((enum trace_kind)event->kind) {
    case TRACE_LIFE:
        memset(disk->fds, 0, sizeof disk->fds);
        break;
    case TRACE_OPEN:
        hear_open(disk, event, bytes);
        break;
    case TRACE_FOLDER:
        disk->fds[event->fd] = (struct descriptor){ .is_folder = true };
        break;
    case TRACE_CLOSE:
        disk->fds[event->fd] = (struct descriptor){ .node = NULL };
        break;
    case TRACE_WRITE:
    case TRACE_GROW:
    case TRACE_SIZE:
        note_piece(node_of(disk, event->fd), event, bytes);
        break;
    case TRACE_SYNC:
        hear_sync(disk, event->fd);
        break;
    case TRACE_RENAME:
        hear_rename(disk, event, bytes);
        break;
    case TRACE_UNLINK: {
        struct change change = { .node = NULL };
        copy_name(change.from, bytes, event->len);
        note_change(disk, &change);
        break;
    }
    case TRACE_MARK:
        break;
    }
}

/* What lay on the blocks before: the contents of some other file. */
static void fill_stale(const struct disk *disk, const struct node *node,
                       struct contents *contents)
{
    memset(contents->data, 0, contents->room);
    for (const struct node *other = disk->nodes; other; other = other->next)
        if (other != node && other->size > 0) {
            const uint64_t len =
                other->size < contents->room ? other->size : contents->room;
            memcpy(contents->data, other->data, len);
            return;
        }
}

static bool write_file(int folder, const char *name,
                       const struct contents *contents)
{
    const int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const ssize_t put =
        contents->size > 0 ? pwrite(fd, contents->data, contents->size, 0) : 0;
    return close(fd) == 0 && put == (ssize_t)contents->size;
}

static bool make_file(const struct disk *disk, const struct name *name,
                      struct choice *choice, int folder)
{
    const uint64_t room = room_of(name->node);
    struct contents contents = { .data = mem_new(room + 1, 1), .room = room };
    if (choice->leaves_stale)
        fill_stale(disk, name->node, &contents);
    make_contents(name->node, choice, &contents);
    const bool is_made = write_file(folder, name->text, &contents);
    mem_free(contents.data);
    return is_made;
}

size_t disk_count_pieces(const struct disk *disk, size_t sector)
{
    size_t count = disk->change_count;
    for (size_t i = 0; i < disk->now.count; i++) {
        const struct node *node = disk->now.names[i].node;
        for (size_t k = 0; k < node->piece_count; k++) {
            const struct piece *piece = &node->pieces[k];
            const uint64_t first = piece->offset / sector;
            const uint64_t end = piece->offset + piece->bytes.len;
            count += piece->kind == TRACE_WRITE
                         ? (end + sector - 1) / sector - first
                         : 1;
        }
    }
    return count;
}

bool disk_make_image(const struct disk *disk, struct choice *choice, int folder)
{
    struct folder names = disk->synced;
    for (size_t i = 0; i < disk->change_count; i++)
        if (chosen(choice, true))
            apply_change(&names, &disk->changes[i]);
    for (size_t i = 0; i < names.count; i++)
        if (!make_file(disk, &names.names[i], choice, folder))
            return false;
    return true;
}
