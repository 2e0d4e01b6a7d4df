/*
 * volume.h - how much room the file system has, asked at most every 100 ms.
 *
 * From any thread. Between two looks the last answer stands, so a burst may go
 * below a mark by what it brings in that time.
 */
#ifndef ROUTER_SPOOL_VOLUME_H
#define ROUTER_SPOOL_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

#define VOLUME_LOOK_MS 100u

struct volume;

struct volume_room {
    uint64_t bytes;
    uint64_t inodes;
};

/* `fd`: any file there; borrowed. */
struct volume *volume_new(int fd, const struct volume_room *soft,
                          const struct volume_room *hard) must_check;
void volume_free(struct volume **volume);

/* Whether the soft marks hold with `size` more bytes. */
bool volume_has_room(struct volume *volume, uint64_t size);

/* Whether a hard mark does not, with `size` more bytes. */
bool volume_is_low(struct volume *volume, uint64_t size);

/* Looks now: before something large is taken. */
void volume_look(struct volume *volume);

/* What is free. Where inodes are not counted (btrfs) there are always some. */
struct volume_room volume_room(struct volume *volume);

#endif
