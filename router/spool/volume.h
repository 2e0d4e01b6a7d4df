/*
 * volume.h - how much room the file system has, asked at most every 100 ms.
 *
 * From any thread. Between two looks the last answer stands, so a burst may go
 * below the mark by what it brings in that time.
 */
#ifndef ROUTER_SPOOL_VOLUME_H
#define ROUTER_SPOOL_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

#define VOLUME_LOOK_MS 100u

struct volume;

/* `fd`: any file there; borrowed. */
struct volume *volume_new(int fd, uint64_t min_free,
                          uint64_t min_free_inodes) must_check;
void volume_free(struct volume **volume);

/* Whether both marks hold with `size` more bytes. */
bool volume_has_room(struct volume *volume, uint64_t size);

#endif
