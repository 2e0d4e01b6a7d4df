/*
 * asking.h - a command's talk with the router that its options name.
 */
#ifndef ROUTER_CONTROL_ASKING_H
#define ROUTER_CONTROL_ASKING_H

#include <stdio.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"
#include "config/conf.h"
#include "router/control/answer.h"
#include "router/control/api.h"
#include "router/control/options.h"

#define ASKING_JSON_MAX (64u << 20)

struct asking {
    struct conf *conf;
    const struct conf_router *router;
    char socket[API_PATH_MAX];
    struct buf json;       /* the last answer, as it came */
    struct answer *answer; /* the same, read */
    FILE *err;
};

/* Loads the config and finds the router. EX_OK, or a code of sysexits.h after
 * `err` was told why; asking_close() in any case. */
int asking_open(struct asking *asking, const struct options *options,
                FILE *err) must_check;
void asking_close(struct asking *asking);

/* One question; `path` with its query, `body` JSON or empty. EX_OK when the
 * answer is what was asked for; EX_UNAVAILABLE: nobody listens; EX_TEMPFAIL: not
 * now; EX_DATAERR: refused; `err` was told. */
int asking_do(struct asking *asking, const char *method, const char *path,
              struct slice body) must_check;

#endif
