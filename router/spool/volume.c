/* volume.c - how much room the file system has. */
#include "router/spool/volume.h"

#include "common/base/mem.h"
#include "common/base/time.h"

#include <stdatomic.h>
#include <sys/statvfs.h>

struct volume {
    int fd;
    uint64_t min_free;
    uint64_t min_free_inodes;
    atomic_uint_least64_t looked_ms; /* 0: never */
    atomic_uint_least64_t free_bytes;
    atomic_bool has_inodes;
};

struct volume *volume_new(int fd, uint64_t min_free, uint64_t min_free_inodes)
{
    struct volume *volume = NEW(struct volume);
    volume->fd = fd;
    volume->min_free = min_free;
    volume->min_free_inodes = min_free_inodes;
    atomic_init(&volume->looked_ms, 0);
    atomic_init(&volume->free_bytes, 0);
    atomic_init(&volume->has_inodes, false);
    return volume;
}

void volume_free(struct volume **volume)
{
    mem_free(steal(*volume));
}

/* A file system that cannot be asked has no room. One without a number of
 * inodes (btrfs) never lacks them. */
static void look(struct volume *volume)
{
    struct statvfs is;
    const bool known = fstatvfs(volume->fd, &is) == 0;
    atomic_store(&volume->free_bytes,
                 known ? (uint64_t)is.f_bavail * is.f_frsize : 0);
    atomic_store(
        &volume->has_inodes,
        known && (is.f_files == 0 || is.f_favail >= volume->min_free_inodes));
}

bool volume_has_room(struct volume *volume, uint64_t size)
{
    const uint64_t now_ms = time_now_ms();
    uint64_t looked_ms = atomic_load(&volume->looked_ms);
    const bool due = looked_ms == 0 || now_ms - looked_ms >= VOLUME_LOOK_MS;
    /* Whoever sets the time looks; the others take what is there. The first
     * look is made by all that come before its end. */
    if (looked_ms == 0) {
        look(volume);
        atomic_store(&volume->looked_ms, now_ms);
    } else if (due
               && atomic_compare_exchange_strong(&volume->looked_ms, &looked_ms,
                                                 now_ms)) {
        look(volume);
    }
    const uint64_t free_bytes = atomic_load(&volume->free_bytes);
    return atomic_load(&volume->has_inodes) && free_bytes >= volume->min_free
           && free_bytes - volume->min_free >= size;
}
