/*
 * scripts.h - what Redis does for templates, as Lua.
 *
 * adopt    keys: one per band; arguments: our id, time to live in ms
 *          the id under which any of the bands is known, else ours; all bands
 *          without one are known by it from then on
 * share    keys: one per span; arguments: how much is wanted, then for each
 *          span the length of a slice in ms and the stock
 *          what was given, at least 0
 * put      keys: changes, states, epoch; arguments: how many to keep, then for
 *          each record its id, rank and bytes
 *          writes those that outdo what is there
 * news     keys as for put; arguments: an epoch, how many records at most
 *          the epoch that the answer leads to, then the records
 */
#ifndef ROUTER_TEMPLATES_SCRIPTS_H
#define ROUTER_TEMPLATES_SCRIPTS_H

#include "common/edge/store.h"

extern const struct store_script script_adopt;
extern const struct store_script script_share;
extern const struct store_script script_put;
extern const struct store_script script_news;

#endif
