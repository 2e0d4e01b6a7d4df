/*
 * options.h - what the commands of `sendyard` have in common on their command
 * line.
 */
#ifndef ROUTER_CONTROL_OPTIONS_H
#define ROUTER_CONTROL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "config/conf.h"

#define OPTIONS_WORDS_MAX 16

/* The config that is taken when --config is not given. */
#define OPTIONS_CONFIG_DEFAULT "/etc/sendyard/sendyard.cfg"

struct options {
    const char *config;   /* --config FILE */
    const char *router;   /* --router NAME; NULL: the first of the config */
    const char *account;  /* --account NAME */
    const char *to;       /* --to ADDRESS */
    const char *from;     /* --from ADDRESS */
    const char *listener; /* --listener NAME */
    bool json;            /* --json */
    const char *words[OPTIONS_WORDS_MAX]; /* what is no option */
    int word_count;
};

/* Reads argv (its first item is the first argument). False when an option is
 * unknown or lacks its value; then `err` was told. */
bool options_read(int argc, char *const *argv, struct options *options,
                  FILE *err);

/* The config, or NULL when it has errors; then `err` was told each. */
struct conf *options_load(const struct options *options, FILE *err) must_check;

/* The router that a command is about; NULL when there is none of that name. */
const struct conf_router *options_router(const struct options *options,
                                         const struct conf *conf, FILE *err);

#endif
