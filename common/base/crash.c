/* crash.c - places at which a test may kill the process. */
#include "common/base/crash.h"

#include "common/base/slice.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct {
    const char *name; /* NULL: none */
    atomic_uint_least64_t passes_left;
} armed;

void crash_pass(const char *name)
{
    if (!armed.name || strcmp(name, armed.name) != 0)
        return;
    if (atomic_fetch_sub(&armed.passes_left, 1) == 1)
        (void)raise(SIGKILL);
}

#ifdef SENDYARD_CRASH_POINTS
/* The linker's: the first and the end of the section. */
extern const char *const __start_crash_points[];
extern const char *const __stop_crash_points[];
#define FIRST __start_crash_points
#define END   __stop_crash_points
#else
#define FIRST ((const char *const *)NULL)
#define END   ((const char *const *)NULL)
#endif

static const char *find(struct slice name, const char *const *end)
{
    for (const char *const *at = FIRST; at < end; at++)
        if (slice_equal(slice_text(*at), name))
            return *at;
    return NULL;
}

bool crash_arm(const char *where)
{
    struct cursor cursor = cursor_of(slice_text(where));
    struct slice name = slice_text(where);
    uint64_t passes = 1;
    if (cursor_until(&cursor, ':', &name)
        && !slice_number(cursor_rest(&cursor), UINT32_MAX, &passes))
        return false;
    armed.name = find(name, END);
    atomic_store(&armed.passes_left, passes);
    return armed.name != NULL;
}

void crash_list(void)
{
    for (const char *const *at = FIRST; at < END; at++)
        if (!find(slice_text(*at), at))
            (void)puts(*at);
}
