/* units.c - times, sizes and rates as people write them. */
#include "config/units.h"

#include "common/base/attr.h"
#include "common/base/chars.h"

struct unit {
    const char *name;
    uint64_t factor;
};

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* clang-format off */
static const struct unit times[] = {
    { "ms", 1 }, { "s", SECOND }, { "m", MINUTE }, { "h", HOUR },
    { "d", DAY }, { "w", 7 * DAY },
};

static const struct unit periods[] = {
    { "s", SECOND }, { "sec", SECOND }, { "m", MINUTE }, { "min", MINUTE },
    { "h", HOUR }, { "hour", HOUR }, { "d", DAY }, { "day", DAY },
};

static const struct unit sizes[] = {
    { "b", 1 },
    { "k", UINT64_C(1) << 10 }, { "kb", UINT64_C(1) << 10 },
    { "m", UINT64_C(1) << 20 }, { "mb", UINT64_C(1) << 20 },
    { "g", UINT64_C(1) << 30 }, { "gb", UINT64_C(1) << 30 },
    { "t", UINT64_C(1) << 40 }, { "tb", UINT64_C(1) << 40 },
};
/* clang-format on */

/* Takes the letters that come next as a unit of the table. */
static bool take_unit(struct cursor *cursor, const struct unit *units,
                      size_t count, uint64_t *factor)
{
    struct slice word;
    if (!cursor_run(cursor, CHAR_ALPHA, &word))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal_nocase(word, slice_text(units[i].name)))
            continue;
        *factor = units[i].factor;
        return true;
    }
    return false;
}

bool units_duration(struct slice text, uint64_t *ms)
{
    if (slice_equal(text, SLICE("0"))) {
        *ms = 0;
        return true;
    }
    struct cursor cursor = cursor_of(text);
    uint64_t sum = 0;
    do {
        uint64_t number = 0;
        uint64_t factor = 1;
        if (!cursor_number(&cursor, UNITS_DURATION_MAX_MS, &number)
            || !take_unit(&cursor, times, ARRAY_LEN(times), &factor)
            || number > (UNITS_DURATION_MAX_MS - sum) / factor)
            return false;
        sum += number * factor;
    } while (!cursor_done(&cursor));
    *ms = sum;
    return true;
}

bool units_size(struct slice text, uint64_t *bytes)
{
    struct cursor cursor = cursor_of(text);
    uint64_t number = 0;
    uint64_t factor = 1;
    if (!cursor_number(&cursor, UNITS_SIZE_MAX, &number))
        return false;
    if (!cursor_done(&cursor)
        && !take_unit(&cursor, sizes, ARRAY_LEN(sizes), &factor))
        return false;
    if (!cursor_done(&cursor) || number > UNITS_SIZE_MAX / factor)
        return false;
    *bytes = number * factor;
    return true;
}

bool units_rate(struct slice text, struct conf_rate *rate)
{
    if (slice_equal_nocase(text, SLICE("unlimited"))
        || slice_equal(text, SLICE("0"))) {
        *rate = (struct conf_rate){ .count = 0, .window_ms = SECOND };
        return true;
    }
    struct cursor cursor = cursor_of(text);
    uint64_t count = 0;
    uint64_t many = 1;
    uint64_t period = 1;
    if (!cursor_number(&cursor, UNITS_RATE_MAX, &count) || count == 0
        || !cursor_byte(&cursor, '/'))
        return false;
    bool is_counted = cursor_number(&cursor, 1000, &many);
    if ((is_counted && many == 0)
        || !take_unit(&cursor, periods, ARRAY_LEN(periods), &period)
        || !cursor_done(&cursor))
        return false;
    *rate = (struct conf_rate){ (uint32_t)count, many * period };
    return true;
}

bool units_share(struct slice text, uint32_t *share)
{
    struct cursor cursor = cursor_of(text);
    struct slice digits;
    uint64_t whole = 0;
    uint64_t part = 0;
    if (!cursor_number(&cursor, 100, &whole))
        return false;
    if (cursor_byte(&cursor, '.')) {
        if (!cursor_run(&cursor, CHAR_DIGIT, &digits) || digits.len > 2
            || !slice_number(digits, 99, &part))
            return false;
        part *= digits.len == 1 ? 10 : 1;
    }
    if (!cursor_byte(&cursor, '%') || !cursor_done(&cursor)
        || whole * 100 + part > 10000)
        return false;
    *share = (uint32_t)(whole * 100 + part);
    return true;
}
