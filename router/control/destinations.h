/*
 * destinations.h - the destination of one domain, waited for: the MX cache of the
 * lane thread, with a loop of its own.
 */
#ifndef ROUTER_CONTROL_DESTINATIONS_H
#define ROUTER_CONTROL_DESTINATIONS_H

#include "common/base/rc.h"
#include "config/conf.h"
#include "router/dispatch/mx.h"

struct destinations;

/* NULL with *fault when the resolver of the config cannot be used. */
struct destinations *destinations_new(const struct conf *conf,
                                      struct fault *fault) must_check;
void destinations_free(struct destinations **destinations);

/* `domain` in lower case. Blocks for as long as the resolver may take. The
 * answer borrows from them. */
void destinations_ask(struct destinations *destinations, struct slice domain,
                      struct mx_answer *answer);

#endif
