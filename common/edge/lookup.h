/*
 * lookup.h - the addresses of a host, as this machine knows them: hosts file,
 * search domains, the system's resolver. Never blocks.
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
 * is none, and *fault then says why. */
typedef void lookup_fn(void *context, const struct addr *addrs, size_t count,
                       const struct fault *fault);

/* `host` is a name or an IP literal without brackets. fn is called once, in a
 * later turn of the loop; the lookup is the caller's to free, also in there. */
struct lookup *lookup_new(struct loop *loop, const char *host, uint16_t port,
                          lookup_fn *fn, void *context) must_check;

/* fn is not called any more. */
void lookup_free(struct lookup **lookup);

#endif
