/*
 * ledger.h - the file that keeps actions: its form, and its one way of writing.
 *
 *     file   = magic *record
 *     magic  = "SYDACT" 0 version
 *     record = length (u32)  sum (u64, record_sum() of the payload)  payload
 *     payload: action_pack(), then progress_pack() of this router; numbers are
 *     little endian
 *
 * Reading is total: a record whose sum is wrong is stepped over, one whose
 * length leads out of the file ends it. Writing makes the whole file anew
 * beside the old one, syncs it, renames it over, syncs the folder: after a crash
 * there is the old file or the new one.
 */
#ifndef ROUTER_ACTIONS_LEDGER_H
#define ROUTER_ACTIONS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "router/actions/action.h"

#define LEDGER_BYTES_MAX (32u << 20)

/* The texts live until it returns. */
typedef void ledger_fn(void *context, const struct action *action,
                       const struct progress *progress);

void ledger_begin(struct buf *out);
bool ledger_add(struct buf *out, const struct action *action,
                const struct progress *progress);

/* Calls `fn` for each record that can be read. False when there was anything
 * else in the bytes. No bytes at all are a good ledger without records. */
bool ledger_parse(struct slice bytes, ledger_fn *fn, void *context);

/* The whole file in the folder; RC_NONE: there is none. */
enum rc ledger_read(int folder_fd, struct buf *bytes,
                    struct fault *fault) must_check;
enum rc ledger_write(int folder_fd, struct slice bytes,
                     struct fault *fault) must_check;

/* Keeps what is there under the name actions.damaged, for people. */
void ledger_set_aside(int folder_fd);

#endif
