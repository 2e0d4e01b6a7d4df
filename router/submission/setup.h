/*
 * setup.h - one generation of the config, made ready for sessions.
 *
 * Conf, the classifier's policy made of it, and the TLS contexts with their
 * certificate. Never changes; threads and connections share it by counted
 * references, so that after a reload the old one goes with its last user.
 */
#ifndef ROUTER_SUBMISSION_SETUP_H
#define ROUTER_SUBMISSION_SETUP_H

#include <stdatomic.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/tls.h"
#include "config/conf.h"
#include "router/routing/policy.h"
#include "router/submission/session.h"

struct setup {
    atomic_uint refs;
    struct conf *conf;
    struct policy *policy;
    /* For STARTTLS and for TLS from the first byte, by enum conf_listener_tls.
     * Apart, so that a TLS session of one kind cannot go on as the other. NULL:
     * no certificate is configured. */
    struct tls_context *tls[LISTENER_IMPLICIT + 1];
};

/* Holds the conf. A model that cannot be used is told in
 * setup->policy->fault; NULL with *fault when the certificate cannot be used, or is
 * missing where a listener needs it. */
struct setup *setup_new(struct conf *conf, struct fault *fault) must_check;
struct setup *setup_hold(struct setup *setup);
void setup_release(struct setup **setup); /* accepts NULL inside */

/* The listener with this address ("127.0.0.1:587"), or NULL. */
const struct conf_listener *setup_listener(const struct setup *setup,
                                           const char *address);

/* What a session of this listener runs under, in the sketcher's thread. */
struct session_setting setup_setting(const struct setup *setup,
                                     const struct conf_listener *listener,
                                     struct sketcher *sketcher);

#endif
