/*
 * redis_fixture.h - a real redis-server of a test's own, that keeps nothing.
 */
#ifndef TESTS_UNIT_REDIS_FIXTURE_H
#define TESTS_UNIT_REDIS_FIXTURE_H

#include <sys/types.h>

/* On a socket at this path; ready some time later. */
pid_t redis_start(const char *path);

/* Kills it, if there is one, and forgets it. */
void redis_stop(pid_t *redis);

#endif
