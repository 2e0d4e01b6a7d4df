/*
 * showing.h - what the router says of actions and messages, for terminals.
 */
#ifndef ROUTER_CONTROL_SHOWING_H
#define ROUTER_CONTROL_SHOWING_H

#include <stdint.h>
#include <stdio.h>

#include "router/control/answer.h"
#include "router/control/table.h"

/* Answers of /v1/queue/list, /v1/actions, /v1/actions/ID, /v1/why/ID. */
void showing_list(const struct value *root, FILE *out);
void showing_actions(const struct value *root, FILE *out);
void showing_action(const struct value *action, FILE *out);
void showing_why(const struct value *root, FILE *out);

/* One line of how far the first router of the action is. */
void showing_progress(const struct value *action, FILE *out);

/* "3.2s", "5m09s", "2h03m", "4d05h" as a cell. */
void showing_age(struct text_table *table, uint64_t ms);

#endif
