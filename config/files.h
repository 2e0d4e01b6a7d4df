/*
 * files.h - small files that the config names, read whole; and their paths.
 *
 * Only regular files: a folder, a FIFO or a device is refused before a byte is
 * read, so a wrong path can neither hang nor kill the process.
 */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/rc.h"

/* Appends the bytes of `path` to `text`, whose cap bounds them; `info` gets the
 * file's identity. RC_IO with the reason in *fault, RC_LIMIT when too big. */
enum rc files_read(const char *path, struct buf *text, struct stat *info,
                   struct fault *fault) must_check;

/* Appends `path`, below `folder` ("" is the root) when it is relative, and a
 * final NUL byte. `path` is not empty. */
void files_join(struct buf *out, const char *folder, const char *path);

/* Appends the absolute folder of a file, without a final '/', and a NUL. */
enum rc files_folder(struct buf *out, const char *path,
                     struct fault *fault) must_check;

#endif
