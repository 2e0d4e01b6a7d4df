/* waits.c - the waits between attempts as operators write them. */
#include "config/waits.h"

#include <stdio.h>

#include "config/units.h"

/* Factors are counted in hundredths. */
#define FACTOR_ONE UINT64_C(100)
#define FACTOR_MAX UINT64_C(1000)

/* What is wrong, at which words of the text. */
static bool refuse(char *reason, const char *why, struct slice at)
{
    (void)snprintf(reason, WAITS_REASON_SIZE, "'%.*s' %s",
                   (int)(at.len < 40 ? at.len : 40), at.ptr, why);
    return false;
}

static bool read_wait(struct slice text, uint64_t *ms, char *reason)
{
    text = slice_trim(text);
    if (!units_duration(text, ms))
        return refuse(reason, "is no duration with its unit", text);
    return *ms > 0 || refuse(reason, "is no wait", text);
}

static bool read_list(struct slice text, struct waits *waits, char *reason)
{
    const struct slice whole = text;
    for (bool more = true; more;) {
        const size_t comma = slice_find(text, ',');
        const struct slice wait = slice_head(text, comma);
        more = comma < text.len;
        text = slice_from(text, comma + 1);
        if (waits->count == WAITS_WRITTEN_MAX)
            return refuse(reason, "has too many waits", whole);
        if (!read_wait(wait, &waits->ms[waits->count], reason))
            return false;
        waits->count++;
    }
    return true;
}

/* "2" or "1.5", in hundredths. */
static bool read_factor(struct slice text, uint64_t *factor)
{
    struct cursor cursor = cursor_of(text);
    uint64_t whole = 0;
    uint64_t part = 0;
    if (!cursor_number(&cursor, FACTOR_MAX / FACTOR_ONE, &whole))
        return false;
    if (cursor_byte(&cursor, '.')) {
        const size_t digits = cursor_rest(&cursor).len;
        if (digits > 2 || !cursor_number(&cursor, FACTOR_ONE - 1, &part))
            return false;
        part *= digits == 1 ? 10 : 1;
    }
    *factor = whole * FACTOR_ONE + part;
    return cursor_done(&cursor) && *factor > FACTOR_ONE
           && *factor <= FACTOR_MAX;
}

/* "FACTOR..CEILING", applied to the last wait. */
static bool read_growth(struct slice text, struct waits *waits, char *reason)
{
    uint64_t factor = 0;
    uint64_t ceiling = 0;
    const size_t dots = slice_find_slice(text, SLICE(".."));
    if (dots == text.len)
        return refuse(reason, "has no ceiling: \"1m*2..4h\"", slice_trim(text));
    const struct slice written = slice_trim(slice_head(text, dots));
    if (!read_factor(written, &factor))
        return refuse(reason, "is no factor above 1, at most 10", written);
    const struct slice top = slice_trim(slice_from(text, dots + 2));
    if (!read_wait(top, &ceiling, reason))
        return false;
    uint64_t wait = waits->ms[waits->count - 1];
    if (ceiling <= wait)
        return refuse(reason, "is a ceiling below the wait that grows", top);
    while (wait < ceiling) {
        /* UNITS_DURATION_MAX_MS times FACTOR_MAX fits; at least 1 ms more. */
        const uint64_t grown = wait * factor / FACTOR_ONE;
        wait = grown > wait ? grown : wait + 1;
        if (waits->count == WAITS_MAX)
            return refuse(reason, "grows too slowly to its ceiling", text);
        waits->ms[waits->count++] = wait < ceiling ? wait : ceiling;
    }
    return true;
}

/* "20%" */
static bool read_jitter(struct slice text, struct waits *waits, char *reason)
{
    struct cursor cursor = cursor_of(slice_trim(text));
    uint64_t percent = 0;
    if (!cursor_number(&cursor, 100, &percent) || !cursor_byte(&cursor, '%')
        || !cursor_done(&cursor))
        return refuse(reason, "is no jitter: \"~20%\", at most 100",
                      slice_trim(text));
    waits->jitter_permille = (uint32_t)percent * 10;
    return true;
}

bool waits_parse(struct slice text, struct waits *waits,
                 char reason[WAITS_REASON_SIZE])
{
    *waits = (struct waits){ .jitter_permille = WAITS_JITTER_PERMILLE };
    const size_t tilde = slice_find(text, '~');
    const struct slice plan = slice_head(text, tilde);
    const size_t star = slice_find(plan, '*');
    if (!read_list(slice_head(plan, star), waits, reason))
        return false;
    if (star < plan.len
        && !read_growth(slice_from(plan, star + 1), waits, reason))
        return false;
    return tilde == text.len
           || read_jitter(slice_from(text, tilde + 1), waits, reason);
}
