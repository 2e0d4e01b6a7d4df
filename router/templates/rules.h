/*
 * rules.h - the guard's rules, made of the config.
 */
#ifndef ROUTER_TEMPLATES_RULES_H
#define ROUTER_TEMPLATES_RULES_H

#include "classifier/guard/guard.h"
#include "config/conf.h"

struct guard_rules rules_of(const struct conf *conf);

#endif
