/*
 * asker.h - how the template of a message stands, for who only wants to know.
 *
 * The running router is asked over its control socket; without one, the files
 * that it left in the spool's folder (router/templates/recall.h). So `explain`
 * and `classify` come to what live mail would come to now; nothing is counted.
 *
 *     POST /v1/standing  tenant, id, bands_a, bands_b, skeleton, recipient,
 *                        recipients: the ticket, numbers of 64 bits as ids;
 *                        with take true also text, own, points (from -1000 up,
 *                        as from 0), candidate, budget, as_trusted: the finding
 *     answer             id, state, spent, blamed, taught, used, budget, given
 *
 * Of the files it is not known who had the template before, nor a burst that
 * runs.
 */
#ifndef ROUTER_CONTROL_ASKER_H
#define ROUTER_CONTROL_ASKER_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "config/conf.h"

#define ASKER_POINTS_ZERO 1000

struct asker;
struct trial_asker;

/* The conf and the router must outlive it. */
struct asker *asker_new(const struct conf *conf,
                        const struct conf_router *router) must_check;
void asker_free(struct asker **asker);

/* Accepts NULL: nobody is asked. For the question of acceptance.h. */
const struct trial_asker *asker_trial(const struct asker *asker);

/* What is known of a template, for people: a line for each thing. */
void asker_say(const struct asker *asker, uint64_t template, FILE *out);

#endif
