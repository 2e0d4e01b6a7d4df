/*
 * policy.h - the classifier's policy, made of the config.
 *
 * The classifier knows nothing of config files. This is made once per conf and
 * read by every submission thread; it borrows the conf's texts, so it must not
 * outlive it.
 */
#ifndef ROUTER_ROUTING_POLICY_H
#define ROUTER_ROUTING_POLICY_H

#include "classifier/judge.h"
#include "config/conf.h"

struct policy {
    struct judge_policy judge; /* stream indices are those of conf->streams */
};

struct policy *policy_new(const struct conf *conf) must_check;
void policy_free(struct policy **policy);

/* NULL gives an account without a default stream, for mail of our own. */
void policy_account(const struct conf_account *account,
                    struct judge_account *judged);

#endif
