/*
 * brake.h - how fast passwords may be guessed.
 *
 * Every try counts against the account and the client it comes from, for an
 * hour; a success takes it back. Over BRAKE_ACCOUNT_MAX tries of strangers an
 * account is closed to strangers, over BRAKE_CLIENT_MAX a client is closed for
 * accounts it never got into. A client that got into an account before is no
 * stranger there: guesses from elsewhere never lock it out. Names without an
 * account count the same, so the brake tells nothing of who exists.
 *
 * A failure is also told late: 1 s, 2, 4, 8, then 15, by how often the client
 * failed since its last success. Successes are told at once.
 *
 * Tables are of fixed size; the oldest entry of a slot gives way. Keys are
 * hashed with a secret. No I/O; the caller locks.
 */
#ifndef ROUTER_SUBMISSION_BRAKE_H
#define ROUTER_SUBMISSION_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/siphash.h"
#include "common/base/slice.h"
#include "common/base/time.h"
#include "router/submission/net.h"

#define BRAKE_ACCOUNT_MAX 50u
#define BRAKE_CLIENT_MAX  100u
#define BRAKE_WINDOW_MS   HOURS_MS(1)
#define BRAKE_DELAY_MAX   SECONDS_MS(15)
#define BRAKE_KNOWN_MS    HOURS_MS(24 * 30)

struct brake;

struct brake *brake_new(const struct siphash_key *key) must_check;
void brake_free(struct brake **brake);

/* Counts a try. False: it may not be made; nothing was counted. */
bool brake_try(struct brake *brake, struct slice user, const struct net *net,
               uint64_t now_ms) must_check;

/* What became of it. */
void brake_passed(struct brake *brake, struct slice user, const struct net *net,
                  uint64_t now_ms);

/* How long to wait with the answer to a failure. */
uint64_t brake_delay_ms(struct brake *brake, const struct net *net,
                        uint64_t now_ms);

/* Whether the client got into the account before. */
bool brake_knows(const struct brake *brake, struct slice user,
                 const struct net *net, uint64_t now_ms);

#endif
