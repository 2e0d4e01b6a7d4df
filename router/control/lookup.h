/*
 * lookup.h - the destination of one domain, waited for: the MX cache of the
 * lane thread, with a loop of its own.
 */
#ifndef ROUTER_CONTROL_LOOKUP_H
#define ROUTER_CONTROL_LOOKUP_H

#include "common/base/rc.h"
#include "config/conf.h"
#include "router/dispatch/mx.h"

struct lookup;

/* NULL with *fault when the resolver of the config cannot be used. */
struct lookup *lookup_new(const struct conf *conf,
                          struct fault *fault) must_check;
void lookup_free(struct lookup **lookup);

/* `domain` in lower case. Blocks for as long as the resolver may take. The
 * answer borrows from the lookup. */
void lookup_ask(struct lookup *lookup, struct slice domain,
                struct mx_answer *answer);

#endif
