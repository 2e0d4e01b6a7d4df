/*
 * verify.h - what single settings cannot show: do they fit together?
 *
 * Runs last, on a conf whose every member is valid by itself.
 */
#ifndef CONFIG_VERIFY_H
#define CONFIG_VERIFY_H

#include "config/errors.h"

/* Adds an error for each contradiction. */
void verify_all(const struct conf *conf, struct conf_errors *errors);

#endif
