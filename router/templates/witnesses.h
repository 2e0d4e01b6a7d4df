/*
 * witnesses.h - messages that tell what a template did, for people.
 *
 * Of each template that may trip the last WITNESSES_EACH, the oldest of all go
 * where there is no room. For one shard, without a lock.
 */
#ifndef ROUTER_TEMPLATES_WITNESSES_H
#define ROUTER_TEMPLATES_WITNESSES_H

#include <stddef.h>
#include <stdint.h>

#define WITNESSES_EACH 3u
#define WITNESSES_MAX  64u

struct witnesses {
    struct witness {
        uint64_t template;
        uint64_t message;
    } items[WITNESSES_MAX]; /* the oldest first */
    uint32_t count;
};

void witnesses_add(struct witnesses *witnesses, uint64_t template,
                   uint64_t message);

/* Their ids, the oldest first, 0 behind the last. */
void witnesses_of(const struct witnesses *witnesses, uint64_t template,
                  uint64_t messages[WITNESSES_EACH]);

#endif
