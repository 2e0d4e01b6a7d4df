/* supply.c - where the next segment's file comes from. */
#include "router/spool/supply.h"

#include "common/base/crash.h"
#include "common/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_NAME     "new"
#define RESERVE_NAME "reserve"
#define MADE_SPARES  (UINT64_C(1) << 63)

enum rc supply_rc(int sys_errno)
{
    const bool no_space =
        sys_errno == ENOSPC || sys_errno == EDQUOT || sys_errno == EFBIG;
    return no_space ? RC_LIMIT : RC_IO;
}

static uint64_t reserve_size(const struct supply *supply)
{
    return supply->segment_size < SUPPLY_RESERVE_BYTES ? supply->segment_size
                                                       : SUPPLY_RESERVE_BYTES;
}

static struct directory_name fixed_name(const char *text)
{
    struct directory_name name;
    (void)snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static bool open_file(const struct supply *supply, struct supply_file *file)
{
    struct stat is;
    file->fd = directory_open_file(supply->directory, file->name.text, true);
    if (file->fd < 0)
        return false;
    if (fstat(file->fd, &is) == 0 && S_ISREG(is.st_mode)) {
        file->size = (uint64_t)is.st_size;
        return true;
    }
    (void)close(file->fd);
    return false;
}

/* The spare last made, which is the likeliest to be in the page cache. */
static bool take_spare(struct supply *supply, uint64_t size,
                       struct supply_file *file)
{
    while (supply->spare_count > 0) {
        const uint64_t sequence = supply->spares[--supply->spare_count];
        file->name = directory_name_of(DIRECTORY_SPARE, sequence);
        if (open_file(supply, file)) {
            if (file->size >= size)
                return true;
            (void)close(file->fd);
        }
        (void)directory_remove(supply->directory, file->name.text);
    }
    return false;
}

bool supply_has_spare(const struct supply *supply)
{
    return supply->spare_count > supply->kept_count;
}

void supply_keep(struct supply *supply, uint64_t messages)
{
    const uint64_t bytes = messages * SUPPLY_MESSAGE_BYTES;
    const uint64_t held = reserve_size(supply);
    const uint64_t missing = bytes > held ? bytes - held : 0;
    const uint64_t count =
        (missing + supply->segment_size - 1) / supply->segment_size;
    supply->kept_count =
        count < SUPPLY_KEPT_MAX ? (size_t)count : SUPPLY_KEPT_MAX;
}

enum rc supply_take(struct supply *supply, uint64_t size,
                    struct supply_file *file)
{
    const uint64_t wanted =
        size > supply->segment_size ? size : supply->segment_size;
    struct supply_file taken = { .fd = -1 };
    if (!supply_has_spare(supply) || !take_spare(supply, wanted, &taken)) {
        taken.name = fixed_name(NEW_NAME);
        taken.size = wanted;
        taken.fd = directory_make_file(supply->directory, NEW_NAME, wanted);
        if (taken.fd < 0)
            return supply_rc(errno);
        CRASH_POINT("segment.made");
    }
    CRASH_POINT("segment.supplied");
    *file = taken;
    return RC_OK;
}

enum rc supply_take_reserve(struct supply *supply, uint64_t size,
                            struct supply_file *file)
{
    struct supply_file taken = { .is_reserve = true };
    (void)supply_refill(supply);
    if (take_spare(supply, size, &taken)) {
        *file = taken;
        return RC_OK;
    }
    if (!supply->has_reserve || size > reserve_size(supply))
        return RC_LIMIT;
    taken.name = fixed_name(RESERVE_NAME);
    supply->has_reserve = false;
    if (!open_file(supply, &taken))
        return RC_IO;
    CRASH_POINT("reserve.taken");
    *file = taken;
    return RC_OK;
}

static void make_reserve(struct supply *supply)
{
    struct supply_file file = { .fd = -1 };
    if (take_spare(supply, reserve_size(supply), &file)) {
        supply->has_reserve =
            directory_rename(supply->directory, file.name.text, RESERVE_NAME);
    } else {
        file.fd = directory_make_file(supply->directory, RESERVE_NAME,
                                      reserve_size(supply));
        supply->has_reserve = file.fd >= 0;
    }
    CRASH_POINT("reserve.refilled");
    if (file.fd >= 0)
        (void)close(file.fd);
}

/* Numbers that no segment ever has, and none of the spares. */
static uint64_t new_spare_number(const struct supply *supply)
{
    uint64_t number = MADE_SPARES;
    for (size_t i = 0; i < supply->spare_count; i++)
        if (supply->spares[i] >= number)
            number = supply->spares[i] + 1;
    return number;
}

static bool make_spare(struct supply *supply)
{
    const uint64_t number = new_spare_number(supply);
    const int fd =
        directory_make_file(supply->directory, NEW_NAME, supply->segment_size);
    if (fd < 0)
        return false;
    (void)close(fd);
    if (!directory_rename(supply->directory, NEW_NAME,
                          directory_name_of(DIRECTORY_SPARE, number).text))
        return false;
    supply->spares[supply->spare_count++] = number;
    return true;
}

bool supply_refill(struct supply *supply)
{
    if (!supply->has_reserve)
        make_reserve(supply);
    while (supply->spare_count < supply->kept_count && make_spare(supply))
        ;
    return supply->has_reserve && supply->spare_count >= supply->kept_count;
}

bool supply_give(struct supply *supply, uint64_t sequence, uint64_t size,
                 bool is_damaged)
{
    const struct directory_name from =
        directory_name_of(DIRECTORY_SEGMENT, sequence);
    if (is_damaged)
        return directory_rename(
            supply->directory, from.text,
            directory_name_of(DIRECTORY_DAMAGED, sequence).text);

    if (!supply->has_reserve && size >= reserve_size(supply)) {
        supply->has_reserve =
            directory_rename(supply->directory, from.text, RESERVE_NAME);
        return supply->has_reserve;
    }
    if (size != supply->segment_size
        || supply->spare_count >= supply->kept_count + SUPPLY_SPARES_MAX)
        return directory_remove(supply->directory, from.text);
    if (!directory_rename(supply->directory, from.text,
                          directory_name_of(DIRECTORY_SPARE, sequence).text))
        return false;
    supply->spares[supply->spare_count++] = sequence;
    return true;
}

/* Spares beyond what we keep, or of another size, go. */
static void adopt_spare(struct supply *supply, uint64_t sequence)
{
    struct supply_file file = { .name = directory_name_of(DIRECTORY_SPARE,
                                                          sequence) };
    bool fits = false;
    if (open_file(supply, &file)) {
        fits = file.size == supply->segment_size;
        (void)close(file.fd);
    }
    if (fits && supply->spare_count < supply->kept_count + SUPPLY_SPARES_MAX)
        supply->spares[supply->spare_count++] = sequence;
    else
        (void)directory_remove(supply->directory, file.name.text);
}

enum rc supply_init(struct supply *supply, struct fault *fault)
{
    scoped(mem_free_at) uint64_t *sequences = NULL;
    size_t count = 0;
    const enum rc rc = directory_list(supply->directory, DIRECTORY_SPARE,
                                      &sequences, &count, fault);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < count; i++)
        adopt_spare(supply, sequences[i]);

    struct supply_file reserve = { .name = fixed_name(RESERVE_NAME) };
    if (open_file(supply, &reserve)) {
        supply->has_reserve = reserve.size >= reserve_size(supply);
        (void)close(reserve.fd);
    }
    (void)supply_refill(supply);
    return RC_OK;
}
