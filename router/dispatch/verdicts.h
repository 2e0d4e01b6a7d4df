/*
 * verdicts.h - how many messages were judged how, since the start.
 *
 * Counted as they are accepted: by account, by the stream that was declared and
 * the one that they are in, and by what they were found to be; where these
 * differ the classifier disagreed. And how often each reason was given. Both
 * are bounded: accounts beyond VERDICTS_MAX rows are counted together. Complaints
 * that came in are counted likewise, by account and type. Of the lane thread.
 */
#ifndef ROUTER_DISPATCH_VERDICTS_H
#define ROUTER_DISPATCH_VERDICTS_H

#include "common/base/attr.h"
#include "common/proto/json.h"
#include "router/envelope.h"

#define VERDICTS_MAX         4096u
#define VERDICTS_REASONS_MAX 512u

struct verdicts;

struct verdicts *verdicts_new(void) must_check;
void verdicts_free(struct verdicts **verdicts);

void verdicts_count(struct verdicts *verdicts, const struct envelope *envelope);

void verdicts_count_complaint(struct verdicts *verdicts, struct slice account,
                              struct slice type);

/* Adds the members "verdicts", "reasons" and "complaints" of the object that is
 * open. */
void verdicts_write(const struct verdicts *verdicts, struct json *json);

#endif
