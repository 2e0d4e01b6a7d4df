/*
 * lines.h - the connections of an outlet, by state.
 *
 *     add -> CONNECTING -> READY <-> BUSY
 *                            '-> LEAVING        drop: from any of these
 *
 * Each line is in the list of its state, which these functions alone change.
 * A line is found by its route: the MX hosts that it speaks with. Bounded by
 * the slots of the gate, which the caller counts.
 */
#ifndef WORKERS_SITES_LINES_H
#define WORKERS_SITES_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "workers/sites/line.h"

struct lines {
    struct list connecting;
    struct list ready; /* the one used last first */
    struct list busy;
    struct list leaving;
    uint32_t connecting_count;
    uint32_t busy_count;
    uint32_t leaving_count;
};

void lines_init(struct lines *lines);

/* Takes the line over, which is CONNECTING. */
void lines_add(struct lines *lines, struct line *line);

/* Connected, or done with its job. */
void lines_set_ready(struct lines *lines, struct line *line);

/* A READY line was given a job, or a BUSY one a further job: it is the line's
 * delivery from now on, the last of them. */
void lines_set_busy(struct lines *lines, struct line *line,
                    struct delivery *delivery);

/* The delivery has ended; the line stays BUSY until it is said to be READY, or
 * is dropped. */
void lines_take_back(struct line *line, struct delivery *delivery);

/* Only when READY: says QUIT, and is LEAVING. */
void lines_quit(struct lines *lines, struct line *line);

/* Only when READY: the line is the other owner's from now on. */
void lines_pass(struct lines *from, struct line *line, struct carrier *owner,
                struct lines *to);

/* Closes the line at once; it must have no delivery. */
void lines_drop(struct lines *lines, struct line **line);

/* A READY line of the route, or NULL. */
struct line *lines_find_ready(const struct lines *lines, uint64_t route_key);

/* The BUSY line of the route that can take a further job and has the fewest, or
 * NULL. Lines that carried `sent_max` messages take none; 0: no limit. */
struct line *lines_find_followable(const struct lines *lines,
                                   uint64_t route_key, uint32_t sent_max);

/* The READY line that has been idle for longest, or NULL. */
struct line *lines_idlest(const struct lines *lines);

/* Whether a line of the route is being made; whether one is made or works. */
bool lines_are_connecting(const struct lines *lines, uint64_t route_key);
bool lines_serve(const struct lines *lines, uint64_t route_key);

#endif
