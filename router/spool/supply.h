/*
 * supply.h - where the next segment's file comes from.
 *
 * Spares (blocks that were written before) first, then new files; and the
 * reserve, for what must be written although the disk is full. The committer's
 * own.
 */
#ifndef ROUTER_SPOOL_SUPPLY_H
#define ROUTER_SPOOL_SUPPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "router/spool/directory.h"

#define SUPPLY_SPARES_MAX 2u /* beside those that are kept for STATE and DROP */
#define SUPPLY_KEPT_MAX   512u

/* A DROP and a STATE with a long reply, or two with short ones. */
#define SUPPLY_MESSAGE_BYTES 256u

/* 120,000 DROPs; and no more than a segment. */
#define SUPPLY_RESERVE_BYTES (8ull << 20)

struct supply {
    const struct directory *directory;
    uint64_t segment_size;
    uint64_t spares[SUPPLY_SPARES_MAX + SUPPLY_KEPT_MAX]; /* sequences */
    size_t spare_count;
    size_t kept_count; /* of them, or to be: for STATE and DROP alone */
    bool has_reserve;
};

struct supply_file {
    int fd;
    uint64_t size;
    bool is_reserve;
    struct directory_name name; /* that it has until it is put to use */
};

/* Finds what earlier lives left, and tries to have a reserve. `directory` and
 * `segment_size` are set before. */
enum rc supply_init(struct supply *supply, struct fault *fault) must_check;

/* So many messages live, whose end must find room on a full disk. */
void supply_keep(struct supply *supply, uint64_t messages);

/* Whether an ordinary segment needs no new blocks. */
bool supply_has_spare(const struct supply *supply);

/* A file for a segment of at least `size` bytes; the caller's from now on. On
 * failure RC_LIMIT (no space) or RC_IO. */
enum rc supply_take(struct supply *supply, uint64_t size,
                    struct supply_file *file) must_check;
enum rc supply_take_reserve(struct supply *supply, uint64_t size,
                            struct supply_file *file) must_check;

/* Makes what is missing of the reserve and of the spares that are kept. False:
 * something still is. */
bool supply_refill(struct supply *supply);

/* Takes the file of a segment that left the log, by renaming it and syncing the
 * folder. False: it could not be renamed and lies where it was. */
bool supply_give(struct supply *supply, uint64_t sequence, uint64_t size,
                 bool is_damaged) must_check;

/* RC_LIMIT when the errno says that space or quota ran out, else RC_IO. */
enum rc supply_rc(int sys_errno);

#endif
