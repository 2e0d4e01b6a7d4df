/*
 * waits.h - the waits between attempts as operators write them.
 *
 *   schedule = wait *( "," wait ) [ growth ] [ jitter ]
 *   growth   = "*" factor ".." duration          of the last wait
 *   factor   = number [ "." 1*2DIGIT ]           above 1, at most 10
 *   jitter   = "~" number "%"                    0 to 100
 *   wait     = duration                          above 0, units.h
 *
 *   "1m,5m,30m,2h"      these, and 2h from then on
 *   "1m*2..4h"          1m, 2m, 4m ... 2h8m, then 4h from then on
 *   "30s,2m*1.5..1h"    30s, 2m, 3m, 4m30s ... 1h
 *   "5m,30m ~20%"       each up to a fifth longer, never shorter
 *
 * Growth is written out here, so that whoever waits has a list and nothing to
 * work out. Blanks are allowed around ",", "*", ".." and before "~". Pure.
 */
#ifndef CONFIG_WAITS_H
#define CONFIG_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"

#define WAITS_WRITTEN_MAX     32u  /* with commas; operators use under ten */
#define WAITS_MAX             256u /* written out */
#define WAITS_JITTER_PERMILLE 125u /* where none is written: an eighth */
#define WAITS_REASON_SIZE     120u

struct waits {
    uint64_t ms[WAITS_MAX];
    size_t count;
    uint32_t jitter_permille;
};

/* False: *waits means nothing, and `reason` says what is wrong with the text,
 * as the end of a sentence. */
bool waits_parse(struct slice text, struct waits *waits,
                 char reason[WAITS_REASON_SIZE]);

#endif
