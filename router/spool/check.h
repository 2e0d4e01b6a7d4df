/*
 * check.h - a spool read without a router. Changes nothing.
 *
 * The same recovery as the router's, so that what this shows is what a start
 * would find.
 */
#ifndef ROUTER_SPOOL_CHECK_H
#define ROUTER_SPOOL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "router/body.h"
#include "router/spool/spool.h"

struct check;

/* RC_NONE: no such folder. RC_LIMIT: a router has it, unless `beside` says to
 * look all the same; what is written or recycled meanwhile may then look
 * damaged. RC_SYNTAX: of a later version. RC_IO. */
enum rc check_open(const char *path, bool beside, struct check **check,
                   struct fault *fault) must_check;
void check_close(struct check **check);

/* Tells all live messages in the order of their PUTs. */
void check_each(struct check *check, spool_found_fn *found, void *context);

/* Like spool_read_body. */
enum rc check_read_body(struct check *check, uint64_t id, struct body **body,
                        struct fault *fault) must_check;

struct check_totals {
    uint64_t segments;
    uint64_t messages;
    uint64_t bytes;      /* of the log */
    uint64_t bytes_live; /* of live messages */
    uint64_t damaged;    /* records, or runs of bytes, that were lost */
};
struct check_totals check_totals(const struct check *check);

#endif
