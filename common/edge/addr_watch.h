/*
 * addr_watch.h - hears when this host gets or loses an IP address (netlink).
 *
 * What has changed is not told: who listens looks at what he needs, by
 * addr_is_local(). Several changes at once are one call. An address that IPv6
 * still checks for duplicates cannot be bound; when it can there is a call.
 */
#ifndef COMMON_EDGE_ADDR_WATCH_H
#define COMMON_EDGE_ADDR_WATCH_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"

struct addr_watch;

/* NULL with *fault when the kernel offers no such socket. */
struct addr_watch *addr_watch_new(struct loop *loop, timer_fn *fn,
                                  void *context,
                                  struct fault *fault) must_check;
void addr_watch_free(struct addr_watch **watch);

#endif
