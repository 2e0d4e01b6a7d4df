/*
 * door.h - one listening socket of one desk.
 *
 * Takes connections, as many per turn as keeps the loop fair, and turns away
 * those over the listener's limits with 421. When the process is out of file
 * descriptors or memory the door rests a moment instead of spinning: those who
 * knock wait in the kernel's queue.
 */
#ifndef ROUTER_SUBMISSION_DOOR_H
#define ROUTER_SUBMISSION_DOOR_H

#include "common/base/attr.h"
#include "common/base/list.h"
#include "router/submission/desk.h"

struct door;

/* Takes over the address, the fd and the reference to the crowd. */
struct door *door_new(struct desk *desk, char *address, int fd,
                      struct crowd *crowd) must_check;

/* Closes the socket and leaves the desk's list. */
void door_free(struct door **door);

const char *door_address(const struct door *door);

/* The link in the desk's list, and back. */
struct list *door_link(struct door *door);
struct door *door_of(struct list *link);

#endif
