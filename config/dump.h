/*
 * dump.h - every setting in force, one a line, and where it comes from.
 *
 *   streams.bulk.expires = 4d    # saas.cfg:31
 *
 * Secrets are shown as "(hidden)". Settings without a value as "(none)".
 */
#ifndef CONFIG_DUMP_H
#define CONFIG_DUMP_H

#include <stdio.h>

#include "config/conf.h"

void dump_conf(const struct conf *conf, FILE *out);

#endif
