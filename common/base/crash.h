/*
 * crash.h - places at which a test may kill the process.
 *
 * In ordinary builds a CRASH_POINT() is nothing at all. In a build with
 * SENDYARD_CRASH_POINTS (preset `crash`, named in --version) each is known by
 * its name, and the one that crash_arm() was told of kills the process with
 * SIGKILL when it is passed for the nth time: no handler, no flush, what a kill
 * from outside would leave just there. See tests/crash.
 */
#ifndef COMMON_BASE_CRASH_H
#define COMMON_BASE_CRASH_H

#include <stdbool.h>

#ifdef SENDYARD_CRASH_POINTS

#define CRASH_POINTS_BUILT true

/* The names are gathered by the linker, so that none is missing in the list. */
#define CRASH_POINT(name)                                                      \
    do {                                                                       \
        __attribute__((section("crash_points"),                                \
                       used)) static const char *const point_ = (name);        \
        crash_pass(point_);                                                    \
    } while (0)

#else

#define CRASH_POINTS_BUILT false
#define CRASH_POINT(name)  ((void)0)

#endif

void crash_pass(const char *name);

/* "NAME" or "NAME:PASSES". False when there is no such point or it was not
 * built. Before any other thread runs. */
bool crash_arm(const char *where);

/* Prints the name of each point of this program once, a line each. */
void crash_list(void);

#endif
