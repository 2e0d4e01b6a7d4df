/*
 * directory.h - the spool's folder: its lock, its names, its syncs.
 *
 * README.md, section 1, says what each name means. Files are opened with
 * O_CLOEXEC and O_NOFOLLOW and made with mode 0600. A change of names is told
 * as done only when the folder itself was synced.
 */
#ifndef ROUTER_SPOOL_DIRECTORY_H
#define ROUTER_SPOOL_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define DIRECTORY_NAME_SIZE 32

struct directory {
    int fd;
    int lock_fd; /* -1: opened without the lock */
};

enum directory_kind {
    DIRECTORY_SEGMENT,
    DIRECTORY_SPARE,
    DIRECTORY_DAMAGED,
    DIRECTORY_INDEX,
};

enum directory_mode {
    DIRECTORY_WRITE, /* make the folder when missing, take the write lock */
    DIRECTORY_READ,  /* change nothing; refused while a writer has it */
    DIRECTORY_LOOK,  /* change nothing, regardless of a writer */
};

/* RC_NONE: no such folder; RC_LIMIT: another process has the lock; RC_IO. */
enum rc directory_open(const char *path, enum directory_mode mode,
                       struct directory *directory,
                       struct fault *fault) must_check;
void directory_close(struct directory *directory);

struct directory_name {
    char text[DIRECTORY_NAME_SIZE];
};
struct directory_name directory_name_of(enum directory_kind kind,
                                        uint64_t sequence);

/* Sequences of all files of one kind, rising; the caller frees the array. */
enum rc directory_list(const struct directory *directory,
                       enum directory_kind kind, uint64_t **sequences,
                       size_t *count, struct fault *fault) must_check;

/* The file, or -1 with errno. */
int directory_open_file(const struct directory *directory, const char *name,
                        bool write) must_check;

/* A file of `size` allocated bytes in place of one of that name; -1 with errno,
 * and no file, when it cannot be had. Its name is not synced yet. */
int directory_make_file(const struct directory *directory, const char *name,
                        uint64_t size) must_check;

/* False with errno. In place of what had the name `to`. */
bool directory_rename(const struct directory *directory, const char *from,
                      const char *to);
bool directory_remove(const struct directory *directory, const char *name);

/* Makes or replaces a file without any sync: after a crash it may be there in
 * part or not at all. False with errno, and then there is none. */
bool directory_note_file(const struct directory *directory, const char *name,
                         struct slice bytes);

/* Removes without a sync: after a crash the file may be there again. */
void directory_forget_file(const struct directory *directory, const char *name);

#endif
