/*
 * route.h - which virtual route a recipient's mail takes.
 *
 * A pure function of the config: the first matching rule of the first route in
 * file order wins, else the stream's own route. It is asked once per recipient,
 * so a message for recipients on different routes is split, never moved whole.
 * Submission, recovery and `explain` all ask here.
 */
#ifndef ROUTER_ROUTING_ROUTE_H
#define ROUTER_ROUTING_ROUTE_H

#include "common/base/slice.h"
#include "config/conf.h"

struct route_question {
    const struct conf_account *account; /* NULL: mail of our own */
    const struct conf_stream *stream;
    struct slice sender_domain; /* lower case; empty: the null sender */
    struct slice header;        /* the header block */
};

struct route_answer {
    const struct conf_route *route;
    const struct conf_match *match; /* the rule that won; NULL: the stream's */
};

/* `recipient_domain` in lower case. Always gives a route. */
void route_choose(const struct conf *conf,
                  const struct route_question *question,
                  struct slice recipient_domain, struct route_answer *answer);

#endif
