/*
 * errors.h - everything that is wrong with a config, each with its place.
 *
 * Loading goes on after an error so that the operator sees them all at once;
 * the list is bounded, what does not fit is counted. The texts belong to the
 * list and live until conf_errors_release().
 */
#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

#include <stddef.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "config/conf.h"

#define CONF_ERRORS_MAX 100

struct conf_error {
    struct conf_place place;
    const char *text;
};

struct conf_errors {
    struct arena arena;
    struct conf_error items[CONF_ERRORS_MAX];
    size_t count;
    size_t left_out; /* found beyond CONF_ERRORS_MAX */
};

void conf_errors_init(struct conf_errors *errors);
void conf_errors_release(struct conf_errors *errors);

/* Adds one error; control bytes in its text become '?'. A place with line 0
 * is about the file as a whole. */
void conf_errors_add(struct conf_errors *errors, struct conf_place place,
                     const char *format, ...) printf_like(3, 4);

/* Orders by file, then line; what was found first stays first among equals. */
void conf_errors_sort(struct conf_errors *errors);

/* One error a line: "FILE:LINE: text". */
void conf_errors_print(const struct conf_errors *errors, FILE *out);

#endif
