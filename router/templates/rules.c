/* rules.c - the guard's rules, made of the config. */
#include "router/templates/rules.h"

#define PER_MILLION 100u /* in a hundredth of a per cent */

struct guard_rules rules_of(const struct conf *conf)
{
    const struct conf_classifier *classifier = &conf->classifier;
    return (struct guard_rules){
        .recipients = classifier->probation.recipients,
        .per_ms = classifier->probation.per_ms,
        .tenant = classifier->probation.tenant,
        .trust_after_ms = classifier->probation.trust_after_ms,
        .trip_recipients = classifier->trip.recipients,
        .trip_within_ms = classifier->trip.within_ms,
        .complaints = classifier->feedback.complaints * PER_MILLION,
        .hard_bounces = classifier->feedback.hard_bounces * PER_MILLION,
        .routers = (uint32_t)conf->router_count,
        .is_alone = conf->router_count == 1,
    };
}
