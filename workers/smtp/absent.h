/*
 * absent.h - addresses of receivers at which nobody answered, and for how long
 * they are tried last.
 *
 * One dead MX host of several costs each new connection the whole wait for it,
 * unless somebody remembers. An address that refused, or did not answer in
 * time, goes behind all others for ABSENT_MIN_MS, longer each time it fails
 * again, until somebody answers there. When its time is over one connection has
 * a look; until that has ended the others still leave it alone. It is never
 * given up: where no other is left it is tried (hosts.h).
 *
 * For all lanes and sources of a worker. Bounded: of too many addresses the one
 * that failed longest ago is forgotten. Pure; times are milliseconds of the
 * loop's clock.
 */
#ifndef WORKERS_SMTP_ABSENT_H
#define WORKERS_SMTP_ABSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/edge/addr.h"

#define ABSENT_MIN_MS 10000u
#define ABSENT_MAX_MS 300000u
#define ABSENT_MAX    1024u

struct absent;

struct absent *absent_new(void) must_check;
void absent_free(struct absent **absent);

/* Nobody answered at this IP and port. For how long it goes last, when that is
 * news; 0: it was known. Connections that were begun together fail together. */
uint64_t absent_add(struct absent *absent, const struct addr *addr,
                    uint64_t now_ms);

/* Whether the address goes last now. False makes the caller the one who has a
 * look. */
bool absent_goes_last(struct absent *absent, const struct addr *addr,
                      uint64_t now_ms);

/* Somebody answers there; false: that was known. */
bool absent_forget(struct absent *absent, const struct addr *addr);

#endif
