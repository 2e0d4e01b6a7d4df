/*
 * glob.h - patterns with '*', for names and header values.
 */
#ifndef COMMON_BASE_GLOB_H
#define COMMON_BASE_GLOB_H

#include <stdbool.h>

#include "common/base/slice.h"

/* '*' matches any run of bytes, every other byte itself, ASCII case ignored.
 * Linear in text for each '*': no pattern takes exponential time. */
bool glob_match(struct slice pattern, struct slice text);

#endif
