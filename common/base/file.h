/*
 * file.h - bytes into a file, all of them.
 */
#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <stdbool.h>

#include "common/base/slice.h"

/* Writes at the file's position, however many calls that takes. False with
 * errno: some of it may be there. */
bool file_write(int fd, struct slice bytes);

#endif
