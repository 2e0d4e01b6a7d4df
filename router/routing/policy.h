/*
 * policy.h - the classifier's policy, made of the config.
 *
 * The classifier knows nothing of config files. This is made once per conf and
 * read by every submission thread; it borrows the conf's texts, so it must not
 * outlive it. A model of the operator's is read into memory: a mapped file that
 * somebody truncates would end the process.
 */
#ifndef ROUTER_ROUTING_POLICY_H
#define ROUTER_ROUTING_POLICY_H

#include "classifier/judge.h"
#include "common/base/rc.h"
#include "config/conf.h"

struct policy {
    struct judge_policy judge; /* stream indices are those of conf->streams */
    struct model model;
    struct buf file;    /* the model's; empty: the one that ships */
    struct fault fault; /* RC_OK, or why there is no model */
};

/* A policy in any case: where the model cannot be used, it has none, and its
 * fault says why. Then list fields are all that is seen of a message, and
 * nothing is protected but what is always trusted. */
struct policy *policy_new(const struct conf *conf) must_check;
void policy_free(struct policy **policy);

/* NULL gives an account without a default stream, for mail of our own. */
void policy_account(const struct conf *conf, const struct conf_account *account,
                    struct judge_account *judged);

#endif
