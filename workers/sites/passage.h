/*
 * passage.h - the way from one source to one site, for one lane: what the
 * config says of it, and the slots that its connections hold.
 *
 * The gate (limits/gate.h) counts slots over all that use the same source and
 * site; the berth (berths.h) is this lane's part of them. Who opens a
 * connection takes a slot first, and gives it back when the server has seen the
 * connection go.
 *
 * The source, the manners and the dialog are those of `conf`; a reload puts
 * others in their place. Connections under way go on with what they began with,
 * so each holds a reference to its conf.
 */
#ifndef WORKERS_SITES_PASSAGE_H
#define WORKERS_SITES_PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "common/edge/addr.h"
#include "config/conf.h"
#include "workers/limits/gate.h"
#include "workers/sites/berths.h"
#include "workers/sites/ground.h"
#include "workers/sites/manners.h"
#include "workers/smtp/channel.h"

#define PASSAGE_TEXT_SIZE 256

/* Names are copied, and cut at PASSAGE_TEXT_SIZE - 1. */
struct passage_options {
    struct outlet_ground *ground;
    struct conf *conf; /* one more reference is taken */
    const struct conf_source *source;
    struct slice pool;
    struct slice site;
    struct slice domain;
    struct slice provider;
};

struct passage {
    struct outlet_ground *ground;
    struct conf *conf;
    const struct conf_source *source;
    struct addr source_addr;
    struct addr source_addr6; /* beside an IPv4 one; len 0: none */
    bool has_other_family;    /* the pool has, and this source has not */
    struct manners manners;
    struct dialog_options dialog;
    struct gate *gate;
    struct berths *berths;
    struct berth berth; /* lines: all that hold a slot */
    char pool[PASSAGE_TEXT_SIZE];
    char site[PASSAGE_TEXT_SIZE];
    char domain[PASSAGE_TEXT_SIZE];
    char provider[PASSAGE_TEXT_SIZE];
};

/* It must not move as long as it is open. */
void passage_open(struct passage *passage,
                  const struct passage_options *options);

/* All slots must have been given back. */
void passage_close(struct passage *passage);

/* A reload: the source and the limits are now those of `conf`. False, and
 * nothing is changed, when the source is not in it any more or has another
 * address. */
bool passage_reconf(struct passage *passage, struct conf *conf) must_check;

/* The loop's clock. */
uint64_t passage_now_ms(const struct passage *passage);

/* How a new connection is made; points into the passage's conf and ground. */
struct channel_options passage_channel(const struct passage *passage);

/* Slots that the lane may use, the other lanes considered. */
uint32_t passage_allowance(const struct passage *passage);

/* The part of the slots that each lane with mail is sure of; at least one. */
uint32_t passage_part(const struct passage *passage);

/* Whether neither the lane's part nor the gate has a slot left. */
bool passage_is_full(const struct passage *passage);

/* Takes a slot for one connection. False: connections are opened too fast;
 * *wait_ms says when to try again (0: the gate will tell). */
bool passage_take_slot(struct passage *passage, uint64_t *wait_ms) must_check;

/* The slot is free: for us, or for another lane of the site. */
void passage_give_slot(struct passage *passage);

/* The slot of one connection is another lane's of the same gate from now on. */
void passage_pass_slot(struct passage *from, struct passage *to);

/* How many connections there is mail for, those that are open included. */
void passage_want(struct passage *passage, uint32_t want);

#endif
