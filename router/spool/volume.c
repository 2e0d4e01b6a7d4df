/* volume.c - how much room the file system has. */
#include "router/spool/volume.h"

#include "common/base/mem.h"
#include "common/base/time.h"

#include <stdatomic.h>
#include <sys/statvfs.h>

struct volume {
    int fd;
    struct volume_room soft;
    struct volume_room hard;
    atomic_uint_least64_t looked_ms; /* 0: never */
    atomic_uint_least64_t free_bytes;
    atomic_uint_least64_t free_inodes;
};

struct volume *volume_new(int fd, const struct volume_room *soft,
                          const struct volume_room *hard)
{
    struct volume *volume = NEW(struct volume);
    volume->fd = fd;
    volume->soft = *soft;
    volume->hard = *hard;
    atomic_init(&volume->looked_ms, 0);
    atomic_init(&volume->free_bytes, 0);
    atomic_init(&volume->free_inodes, 0);
    return volume;
}

void volume_free(struct volume **volume)
{
    mem_free(steal(*volume));
}

/* A file system that cannot be asked has no room. One without a number of
 * inodes never lacks them. */
void volume_look(struct volume *volume)
{
    struct statvfs is;
    const bool known = fstatvfs(volume->fd, &is) == 0;
    const uint64_t inodes = known && is.f_files == 0 ? UINT64_MAX : is.f_favail;
    atomic_store(&volume->free_bytes,
                 known ? (uint64_t)is.f_bavail * is.f_frsize : 0);
    atomic_store(&volume->free_inodes, known ? inodes : 0);
}

struct volume_room volume_room(struct volume *volume)
{
    const uint64_t now_ms = time_now_ms();
    uint64_t looked_ms = atomic_load(&volume->looked_ms);
    const bool due = looked_ms == 0 || now_ms - looked_ms >= VOLUME_LOOK_MS;
    /* Whoever sets the time looks; the others take what is there. The first
     * look is made by all that come before its end. */
    if (looked_ms == 0) {
        volume_look(volume);
        atomic_store(&volume->looked_ms, now_ms);
    } else if (due
               && atomic_compare_exchange_strong(&volume->looked_ms, &looked_ms,
                                                 now_ms)) {
        volume_look(volume);
    }
    return (struct volume_room){
        .bytes = atomic_load(&volume->free_bytes),
        .inodes = atomic_load(&volume->free_inodes),
    };
}

static bool holds(const struct volume_room *mark, const struct volume_room *is,
                  uint64_t size)
{
    return is->inodes >= mark->inodes && is->bytes >= mark->bytes
           && is->bytes - mark->bytes >= size;
}

bool volume_has_room(struct volume *volume, uint64_t size)
{
    const struct volume_room is = volume_room(volume);
    return holds(&volume->soft, &is, size);
}

bool volume_is_low(struct volume *volume, uint64_t size)
{
    const struct volume_room is = volume_room(volume);
    return !holds(&volume->hard, &is, size);
}
