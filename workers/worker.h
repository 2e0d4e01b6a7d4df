/*
 * worker.h - all that one worker process runs: one thread, one loop.
 *
 * Joins every router of the config, pulls jobs for the sources that are bound
 * on this host, and sends them within the limits that all workers share.
 * SIGTERM or SIGINT: hands back what was not begun, finishes the rest, leaves;
 * the second one ends it at once. An operator may have it rest and go on: as far
 * as it goes that is the same as SIGTERM, but it stays. SIGHUP, or a router that runs on another
 * config: reads the config again. A reload that has errors, or that changes the
 * routers, is refused and logged.
 */
#ifndef WORKERS_WORKER_H
#define WORKERS_WORKER_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "config/conf.h"

/* All of it must outlive the run; what is opened once, for life, points into
 * this conf, whatever is loaded later. */
struct worker_options {
    const char *config_path;
    const char *name; /* unique in the cluster */
    uint64_t boot;    /* unique over restarts */
    struct conf *conf;
};

/* Reads the config. NULL when it has errors: those are told on stderr. */
struct conf *worker_load_conf(const char *path) must_check;

/* Runs until a signal ends it. Else, when something could not be opened, the
 * fault says what. */
enum rc worker_run(const struct worker_options *options,
                   struct fault *fault) must_check;

#endif
