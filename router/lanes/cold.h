/*
 * cold.h - queued mail of which memory keeps no more than where it stands.
 *
 * A million messages may wait, and few of them leave soon. Those that will not
 * are *cold*: envelope, state and body are on disk alone, and here is one small
 * entry each, with the id. An entry is in one queue (struct cold_queue), and in
 * there either in line or waiting for a time:
 *
 *     in line    by arrival; the first one is the next
 *     waiting    by time, on a calendar that all queues share; of the queue only
 *                the count grows
 *
 * Each entry has a time: when it has to be looked at in any case. For one that
 * waits that is when it falls due; for one in line it is checked at the head
 * alone, where the mail of one stream expires in the order in which it came.
 *
 * The calendar has a ring of slots of a second each, for the next hour; what is
 * due later lies in one list that is gone through every half hour. An entry falls
 * due up to a second early, never late by itself: whoever reads the message back
 * finds the exact time in its state.
 *
 * Memory: 32 bytes an entry and 4 to 5 for finding it by id (idmap.h). Pure.
 */
#ifndef ROUTER_LANES_COLD_H
#define ROUTER_LANES_COLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

#define COLD_RING_S 4096u /* seconds that the ring of the calendar holds */

struct cold;

/* What the mail of a queue is in line for. */
enum cold_kind {
    COLD_FOUND,    /* after a start: to be read for the first time */
    COLD_READY,    /* of one stream and tenant, behind what its lane has */
    COLD_WAITING,  /* the next attempt */
    COLD_FETCHING, /* is being read back */
};

/* One queue; belongs to its user. */
struct cold_queue {
    enum cold_kind kind;
    uint32_t number; /* 0: not open */
    uint32_t first;
    uint32_t last;
    uint32_t in_line;
    uint32_t waiting;
};

struct cold *cold_new(uint64_t now_ms) must_check;
void cold_free(struct cold **cold); /* with all entries; queues become void */

/* Opens a queue, which must not move until it is closed; closes an empty one,
 * open or not. */
void cold_open(struct cold *cold, struct cold_queue *queue,
               enum cold_kind kind);
void cold_close(struct cold *cold, struct cold_queue *queue);

static inline uint32_t cold_queued(const struct cold_queue *queue)
{
    return queue->in_line + queue->waiting;
}

/* Puts mail that is not cold yet at the end of the line, or at its front. */
void cold_push(struct cold *cold, struct cold_queue *queue, uint64_t id,
               uint64_t due_ms);
void cold_push_front(struct cold *cold, struct cold_queue *queue, uint64_t id,
                     uint64_t due_ms);

/* Puts mail that is not cold yet on the calendar. */
void cold_wait(struct cold *cold, struct cold_queue *queue, uint64_t id,
               uint64_t due_ms);

/* The id at the head of the line; 0: nobody is in line. */
uint64_t cold_first(const struct cold *cold, const struct cold_queue *queue);

/* Whether the head of the line has come to its time. */
bool cold_first_is_due(const struct cold *cold, const struct cold_queue *queue,
                       uint64_t now_ms);

/* The id of a waiting entry whose time has come; 0: none. It stays where it is
 * until it is moved or taken. */
uint64_t cold_due(struct cold *cold, uint64_t now_ms);

/* Which queue the mail is in; NULL: it is not cold. */
struct cold_queue *cold_find(const struct cold *cold, uint64_t id);

/* Moves cold mail to the end of the line of another queue. */
void cold_move(struct cold *cold, struct cold_queue *queue, uint64_t id);

/* Forgets it. */
void cold_take(struct cold *cold, uint64_t id);

size_t cold_count(const struct cold *cold);

/* How many recipients cold mail has, 1 unless it is told here; and all have. */
void cold_set_recipients(struct cold *cold, uint64_t id, uint32_t recipients);
uint32_t cold_recipients(const struct cold *cold, uint64_t id);
uint64_t cold_recipients_all(const struct cold *cold);

/* Walks over all ids in no order: begin with *at = 0; 0 at the end. Entries may
 * be added or taken meanwhile; such ones may be missed or come twice. */
uint64_t cold_next(const struct cold *cold, size_t *at);

#endif
