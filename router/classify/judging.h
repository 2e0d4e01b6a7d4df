/*
 * judging.h - messages from files judged as live mail is.
 *
 * The same sketch and the same judge() as in submission, with the policy of a
 * config, or without one with three streams (transactional, general, bulk), the
 * model that ships, and an account that is verified. What an envelope would say
 * is taken from the header: the sender from Return-Path, else From; the
 * recipient, where the caller does not know it, from To. With a config, how the
 * template stands is asked of its running router or read from its files
 * (router/control/asker.h); else a message is judged by itself.
 */
#ifndef ROUTER_CLASSIFY_JUDGING_H
#define ROUTER_CLASSIFY_JUDGING_H

#include <stdio.h>

#include "classifier/judge.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "config/conf.h"
#include "router/classify/arguments.h"
#include "router/routing/policy.h"

#define JUDGING_ID_SIZE 48u

/* A model as it is used here: its file in memory. */
struct judging_model {
    struct buf file;
    struct model model;
    char id[JUDGING_ID_SIZE]; /* "2026-11-20 #3f2a" */
};

struct judging {
    struct judge_policy policy;
    struct judge_account account;
    struct conf *conf;                       /* NULL: none was named */
    const struct conf_account *conf_account; /* of that */
    struct policy *conf_policy;              /* of that */
    struct sketcher *sketcher;
    struct judging_model held; /* of --model, or the one that ships */
    struct asker *asker;       /* of that config */
    struct slice tenant;       /* of the account */
    char model_id[JUDGING_ID_SIZE];
    struct slice declared; /* --declared; empty: as the message says */
    struct buf header;     /* with that in front */
    uint64_t clock_ns;     /* what asking for the time costs by itself */
};

struct judged {
    struct sketch_message message; /* what was sketched */
    struct slice rcpt;
    struct sketch sketch;
    struct judgement judgement;
    uint64_t template; /* 0: unknown */
    uint64_t cost_ns;  /* of sketch and judge: time of this thread */
};

/* EX_OK, or a code of sysexits.h after `err` was told; judging_close() in any
 * case. */
int judging_open(struct judging *judging, const struct arguments *arguments,
                 FILE *err) must_check;
void judging_close(struct judging *judging);

/* `rcpt` empty: not known. What *judged points to lives as long as the bytes,
 * and until the next call. */
void judging_judge(struct judging *judging, struct slice header,
                   struct slice body, struct slice rcpt, struct judged *judged);

/* Reads a model's file; NULL, or "shipped": the one that ships. False with
 * `err` told. judging_model_release() in any case. */
bool judging_model_read(const char *path, struct judging_model *held,
                        FILE *err) must_check;
void judging_model_release(struct judging_model *held);

#endif
