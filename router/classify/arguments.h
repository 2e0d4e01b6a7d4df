/*
 * arguments.h - what stands on the command line of `sendyard classify`.
 */
#ifndef ROUTER_CLASSIFY_ARGUMENTS_H
#define ROUTER_CLASSIFY_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/attr.h"

struct arguments {
    const char *config;   /* --config FILE; NULL: none */
    const char *router;   /* --router NAME */
    const char *account;  /* --account NAME */
    const char *model;    /* --model FILE */
    const char *declared; /* --declared STREAM */
    const char *out;      /* --out FILE */
    const char *base;     /* --base FILE */
    const char *headers;  /* --headers mixed|stripped|adversarial */
    const char *folds;    /* --folds N */
    const char *date;     /* --date TEXT */
    const char *since;    /* --since TIME */
    const char *teach;    /* --teach KIND */
    bool json;
    bool force;
    const char **words; /* what is no option; they may be thousands */
    int word_count;
};

/* Reads argv (its first item is the first argument). False when an option is
 * unknown or lacks its value; then `err` was told. arguments_release() in any
 * case. */
bool arguments_read(int argc, char *const *argv, struct arguments *arguments,
                    FILE *err) must_check;
void arguments_release(struct arguments *arguments);

#endif
