/*
 * units.h - times, sizes, rates and shares as people write them.
 *
 *   duration = "0" / 1*( number ( "ms" / "s" / "m" / "h" / "d" / "w" ) )
 *   size     = number [ "B" / "K" / "KB" / "M" / "MB" / "G" / "GB" / "T" / "TB" ]
 *   rate     = "unlimited" / "0" / number "/" [number] period
 *   share    = number [ "." 1*2digit ] "%"           ; at most 100 %
 *   period   = "s" / "sec" / "m" / "min" / "h" / "hour" / "d" / "day"
 *
 * K, M, G and T are powers of 1024. Case is ignored. Pure; on false the outputs
 * are untouched.
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include "common/base/slice.h"
#include "config/conf.h"

#define UNITS_DURATION_MAX_MS (UINT64_C(10) * 366 * 86400 * 1000)
#define UNITS_SIZE_MAX        (UINT64_C(1) << 50)
#define UNITS_RATE_MAX        UINT64_C(1000000000)

bool units_duration(struct slice text, uint64_t *ms);
bool units_size(struct slice text, uint64_t *bytes);
bool units_rate(struct slice text, struct conf_rate *rate);

/* In hundredths of a per cent. */
bool units_share(struct slice text, uint32_t *share);

#endif
