/* setup.c - one generation of the config, made ready for sessions. */
#include "router/submission/setup.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/mem.h"

static bool is_tls_needed(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listener_count; i++)
        if (conf->listeners[i].tls == LISTENER_IMPLICIT)
            return true;
    return false;
}

static enum rc load_tls(struct setup *setup, struct fault *fault)
{
    const struct conf_tls *tls = &setup->conf->tls;
    if (!tls->certificate_file)
        return is_tls_needed(setup->conf)
                   ? fault_set(fault, RC_SYNTAX, 0,
                               "a listener needs a certificate: set tls")
                   : RC_OK;
    for (size_t i = 0; i < ARRAY_LEN(setup->tls); i++) {
        setup->tls[i] = tls_server_context(tls->certificate_file, tls->key_file,
                                           tls->min_version, fault);
        if (!setup->tls[i])
            return RC_IO;
    }
    return RC_OK;
}

struct setup *setup_new(struct conf *conf, struct fault *fault)
{
    struct setup *setup = NEW(struct setup);
    atomic_init(&setup->refs, 1);
    setup->conf = conf_hold(conf);
    setup->policy = policy_new(conf);
    if (load_tls(setup, fault) != RC_OK)
        setup_release(&setup);
    return setup;
}

struct setup *setup_hold(struct setup *setup)
{
    (void)atomic_fetch_add_explicit(&setup->refs, 1, memory_order_relaxed);
    return setup;
}

void setup_release(struct setup **setup)
{
    struct setup *held = steal(*setup);
    if (!held
        || atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) > 1)
        return;
    policy_free(&held->policy);
    for (size_t i = 0; i < ARRAY_LEN(held->tls); i++)
        if (held->tls[i])
            tls_context_release(&held->tls[i]);
    conf_release(&held->conf);
    mem_free(held);
}

const struct conf_listener *setup_listener(const struct setup *setup,
                                           const char *address)
{
    for (size_t i = 0; i < setup->conf->listener_count; i++)
        if (strcmp(setup->conf->listeners[i].address.text, address) == 0)
            return &setup->conf->listeners[i];
    return NULL;
}

struct session_setting setup_setting(const struct setup *setup,
                                     const struct conf_listener *listener,
                                     struct sketcher *sketcher)
{
    return (struct session_setting){
        .conf = setup->conf,
        .policy = setup->policy,
        .sketcher = sketcher,
        .listener = listener,
        .has_tls =
            setup->tls[LISTENER_STARTTLS] && listener->tls != LISTENER_PLAIN,
    };
}
