/*
 * disk.h - a disk as a power cut may leave it.
 *
 * Fed with the events of a trace, it knows what is on the disk for certain
 * (what was synced) and what may be: each sector of each write since the last
 * sync of its file, each change of a file's size, each name made, changed or
 * removed since the last sync of the folder. These pieces are independent: the
 * kernel and the disk write them in any order. A sync of a file says nothing
 * about its name. What a file system does with blocks that were allocated and
 * never written (zeros, or what somebody wrote there before) is a choice, too.
 */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "tests/crash/letters.h"
#include "tests/crash/trace.h"

struct disk;

/* Ways in which the recorded program is believed to be wrong: its syncs, or
 * its syncs of the folder, did nothing. */
struct disk_lies {
    bool files;
    bool folder;
};

struct disk *disk_new(struct disk_lies lies) must_check;
void disk_free(struct disk **disk);

/* `bytes` are the event's; they must stay as long as the disk. */
void disk_hear(struct disk *disk, const struct trace_event *event,
               const char *bytes);

/* Which pieces made it to the disk. */
enum choice_kind {
    CHOICE_ALL,
    CHOICE_NONE,
    CHOICE_BITS,   /* of `bits`, the lowest for the first piece */
    CHOICE_BEFORE, /* those before `bits` */
    CHOICE_BEHIND, /* those from `bits` on */
    CHOICE_DICE,   /* one in `bits` */
    CHOICE_NAMES,  /* names, and no contents */
    CHOICE_DATA,   /* contents, and no names */
};

struct choice {
    enum choice_kind kind;
    uint64_t bits;
    struct dice dice;
    size_t sector;     /* 512 or 4096 */
    bool leaves_stale; /* blocks never written hold old contents */
    size_t at;         /* pieces asked for so far; begin with 0 */
};

/* How many pieces the choice would be asked for. */
size_t disk_count_pieces(const struct disk *disk, size_t sector);

/* Makes the files of an empty folder. False with errno. */
bool disk_make_image(const struct disk *disk, struct choice *choice,
                     int folder) must_check;

#endif
