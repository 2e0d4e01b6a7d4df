/*
 * report.h - a delivery's outcomes as a RESULT.
 */
#ifndef WORKERS_SITES_REPORT_H
#define WORKERS_SITES_REPORT_H

#include <stdbool.h>

#include "config/conf.h"
#include "workers/sites/delivery.h"

/* Where it was tried; texts are empty when no host was reached. */
struct report_place {
    const struct conf_source *source;
    const char *source_ip; /* of the source's, that which was used */
    const char *host;
    const char *host_ip;
    const char *tls;
};

/* Sends the result to the job's router, which keeps asking until it has it. */
void report_result(struct delivery *delivery, const struct report_place *place);

/* Notes that the message may have been delivered from here on, until
 * report_result(). */
void report_doubt(struct delivery *delivery, const struct report_place *place);

/* Whether a channel ended with a finding of our own that no later attempt will
 * change: the domain has no address, or points back at us. */
bool report_is_final(const struct verdict *why);

/* Fills the outcomes of a job that found no connection: unless that is final it
 * can be tried again, whatever the host said of itself. */
void report_unreached(struct delivery *delivery, const struct verdict *why);

#endif
