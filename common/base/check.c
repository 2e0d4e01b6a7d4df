/* check.c - the end of a process that found itself wrong. */
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "CHECK failed: %s at %s:%d\n", condition, file, line);
    abort();
}
