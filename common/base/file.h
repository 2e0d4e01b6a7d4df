/*
 * file.h - bytes into a file, all of them, and out of one.
 */
#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* Writes at the file's position, however many calls that takes. False with
 * errno: some of it may be there. */
bool file_write(int fd, struct slice bytes);

/* Appends a whole file to `out`. False with errno; EFBIG: `out` has no room. */
bool file_read(const char *path, struct buf *out);

/* The same of what is open, from where it stands, a pipe as well. */
bool file_read_open(int fd, struct buf *out);

/* Appends the whole file of that name in the folder, which is no link. RC_NONE:
 * there is none; RC_LIMIT: `out` has no room; RC_IO. */
enum rc file_read_at(int folder_fd, const char *name, struct buf *out,
                     struct fault *fault) must_check;

/* Writes `name`.new, syncs it, renames it to `name`, syncs the folder: after a
 * crash there is the old file or the new one. RC_OK, RC_IO; RC_LIMIT: the name
 * is too long. */
enum rc file_replace_at(int folder_fd, const char *name, struct slice bytes,
                        struct fault *fault) must_check;

#endif
