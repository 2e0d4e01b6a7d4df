/*
 * traces.h - which of our connections somebody at a router listens to.
 *
 *     TRACE of a router -> lines of connections that match -> LINES to it
 *
 * A trace ends by itself when its router has not said it again for as long as
 * it told. What is more than TRACES_RATE lines a second, and what the router
 * could not take, is counted and left out: a trace never holds up mail. While
 * there is none, a connection looks at traces_switch() and nothing else.
 */
#ifndef WORKERS_SITES_TRACES_H
#define WORKERS_SITES_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "common/proto/wire.h"
#include "workers/lanes/link.h"

#define TRACES_MAX     8u
#define TRACES_RATE    500u /* lines a second, of one trace */
#define TRACES_FOR_MAX 60000u

struct traces;

struct traces *traces_new(struct loop *loop) must_check;
void traces_free(struct traces **traces);

/* True while there is a trace. Lives as long as the traces. */
const bool *traces_switch(const struct traces *traces);

/* A router asks for a trace, or for more of it. One that is too many is not
 * begun, and logged. */
void traces_hear(struct traces *traces, struct link *router,
                 const struct wire_trace *asked);

/* The next number for a connection. */
uint64_t traces_number(struct traces *traces);

/* A line of a connection: `line` with its site, the domain and the id of the
 * message that it is about now; 0: none. All is copied. */
void traces_show(struct traces *traces, const struct wire_line *line,
                 struct slice domain, uint64_t message);

#endif
