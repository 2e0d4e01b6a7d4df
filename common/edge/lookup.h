/*
 * lookup.h - the addresses of a host, as this machine knows them: hosts file,
 * search domains, the system's resolver. Never blocks.
 *
 * The system's resolver can be asked by a thread only, and one that a name
 * server leaves waiting cannot be called back. So a lookup has one question
 * under way at most, however often its owner gives up and asks again: the same
 * name waits for the answer that was asked for, another one for its turn. An
 * answer that came when nobody waited is for whoever asks for that name next.
 *
 * For the servers that the platform itself uses. The names of receivers are
 * dns.h's.
 */
#ifndef COMMON_EDGE_LOOKUP_H
#define COMMON_EDGE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/addr.h"
#include "common/edge/loop.h"

struct lookup;

#define LOOKUP_ADDRESSES_MAX 8

/* In the order in which they should be tried (RFC 6724); count is 0 when there
 * is none, and *fault then says why. Here the owner may ask again, and free the
 * lookup. */
typedef void lookup_fn(void *context, const struct addr *addrs, size_t count,
                       const struct fault *fault);

struct lookup *lookup_new(struct loop *loop, lookup_fn *fn,
                          void *context) must_check;

/* fn is not called any more. A question under way ends by itself. */
void lookup_free(struct lookup **lookup);

/* `host` is a name, or an IP literal without brackets, which asks nobody. fn is
 * called once, in a later turn of the loop, unless this is called again or
 * lookup_cancel() is. */
void lookup_ask(struct lookup *lookup, const char *host, uint16_t port);
void lookup_cancel(struct lookup *lookup);

#endif
