/*
 * complaint.h - reports of abuse: whose mail they are about, and what counts.
 *
 *     POST /v1/complaints    a report of abuse (common/proto/arf.h) as it came:
 *                            the message itself, of at most a megabyte
 *
 * The message that it is about is known by our field in its header (origin.h).
 * A complaint counts against its template here, as if it were an outcome of a
 * delivery, and for its account in the metrics; each report is a "complaint" in
 * the event log. The answer is what is in that line: id, account, tenant,
 * template, type, recipient, generator, and whether it was counted: reports
 * that are no complaint (not-spam, opt-out ...) are not, nor is one that came
 * before (tally.h). 422: it is no such report; 404: not about mail of ours.
 *
 * Each router counts the outcomes of the mail that it took, and complaints are
 * weighed against these, so a report belongs to the one that took the message: its
 * name is in the answer as `router`, where the config has it, and `known` says
 * whether that is this one, and it knows the template. Where it is another the
 * complaint counts for the account here, and is handed on (relay.h), which is
 * `relayed`: that router counts it for the template.
 *
 * The same is taken by SMTP, at listeners that have addresses for it; see
 * complaint_hear().
 */
#ifndef ROUTER_CONTROL_COMPLAINT_H
#define ROUTER_CONTROL_COMPLAINT_H

#include "router/control/actions.h"

/* Hears a report, by the accounts of this config, and appends the answer to
 * `out`. RC_OK; RC_SYNTAX; RC_NONE; RC_LIMIT: not now. From any thread; does not
 * block. */
enum rc complaint_hear(const struct actions_ground *ground,
                       const struct conf *conf, struct slice report,
                       struct buf *out) must_check;

/* Counts a complaint that another router heard. */
void complaint_hear_relayed(const struct actions_ground *ground,
                            struct slice text);

unsigned complaint_post(const struct actions_ground *ground,
                        const struct http_request *request, struct buf *out);

#endif
