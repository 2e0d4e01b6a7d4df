/*
 * search.h - lists what is queued and means a filter, a page at a time.
 *
 * A search walks the whole queue, a little in each turn of the thread, counts
 * what matches and keeps the page: the messages with the smallest ids after the
 * one that the page before ended with. Who asks waits for it.
 *
 *     argument = limit " " after " " filter     after: an id, or "-"
 *     answer   = {"matched": n, "recipients": n, "next": id, "messages": [...]}
 *
 * The limit may be 0: the count alone.
 */
#ifndef ROUTER_DISPATCH_SEARCH_H
#define ROUTER_DISPATCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "router/dispatch/call.h"

struct dispatch;

/* Takes the call over and answers it once the queue was walked; at once with
 * RC_SYNTAX and the reason as the text when the argument cannot be read. */
void search_begin(struct dispatch *dispatch, struct call *call);

/* As operate_work(). */
bool search_work(struct dispatch *dispatch, uint64_t until_us);

/* Answers that come no more. */
void search_release(struct dispatch *dispatch);

#endif
