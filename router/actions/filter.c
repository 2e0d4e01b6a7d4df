/* filter.c - which recipients an operator means. */
#include "router/actions/filter.h"

#include <inttypes.h>

#include "common/base/chars.h"
#include "common/base/glob.h"
#include "common/proto/message_id.h"
#include "config/units.h"

#define BIT(text) (1u << (text))
#define SHARE_TEXTS                                                            \
    (BIT(FILTER_TENANT) | BIT(FILTER_STREAM) | BIT(FILTER_SITE)                \
     | BIT(FILTER_POOL))
#define ENVELOPE_TEXTS                                                         \
    (BIT(FILTER_ACCOUNT) | BIT(FILTER_DOMAIN) | BIT(FILTER_RECIPIENT)          \
     | BIT(FILTER_SENDER) | BIT(FILTER_TEMPLATE))

static const char *const names[] = {
    [FILTER_ACCOUNT] = "account",    [FILTER_TENANT] = "tenant",
    [FILTER_STREAM] = "stream",      [FILTER_ROUTE] = "route",
    [FILTER_SITE] = "site",          [FILTER_POOL] = "pool",
    [FILTER_DOMAIN] = "domain",      [FILTER_RECIPIENT] = "recipient",
    [FILTER_SENDER] = "sender",      [FILTER_REPLY] = "reply",
    [FILTER_TEMPLATE] = "template",  [FILTER_CODE] = "code",
    [FILTER_STATE] = "state",        [FILTER_TEXTS] = "id",
    [FILTER_TEXTS + 1] = "older",    [FILTER_TEXTS + 2] = "younger",
    [FILTER_TEXTS + 3] = "attempts",
};

const char *filter_name(size_t at)
{
    return at < ARRAY_LEN(names) ? names[at] : NULL;
}

void filter_init(struct filter *filter)
{
    *filter = (struct filter){ .all = false };
    arena_init(&filter->arena, (size_t)FILTER_TEXT_MAX + 4096);
}

void filter_release(struct filter *filter)
{
    arena_release(&filter->arena);
}

/* The criteria on texts, as bits. */
static unsigned texts_of(const struct filter *filter)
{
    unsigned set = 0;
    for (unsigned i = 0; i < FILTER_TEXTS; i++)
        if (filter->texts[i].ptr)
            set |= BIT(i);
    return set;
}

static bool has_numbers(const struct filter *filter)
{
    return filter->id_count > 0 || filter->older_ms > 0
           || filter->younger_ms > 0 || filter->has_attempts;
}

bool filter_is_empty(const struct filter *filter)
{
    return !filter->all && texts_of(filter) == 0 && !has_numbers(filter);
}

static enum rc refuse(struct fault *fault, struct slice name,
                      struct slice value, const char *why)
{
    value = slice_head(value, 60);
    return fault_set(fault, RC_SYNTAX, 0, "%.*s=%.*s: %s", SLICE_ARG(name),
                     SLICE_ARG(value), why);
}

static bool has_controls(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (char_is(value.ptr[i], CHAR_CTRL))
            return true;
    return false;
}

static bool is_state(struct slice value)
{
    static const char *const states[] = {
        "found",   "claimed", "resolving", "ready",  "leased",
        "waiting", "held",    "bouncing",  "paused",
    };
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (slice_equal_nocase(value, slice_text(states[i])))
            return true;
    return false;
}

static enum rc set_text(struct filter *filter, size_t at, struct slice value,
                        struct fault *fault)
{
    const struct slice name = slice_text(names[at]);
    if (filter->texts[at].ptr)
        return refuse(fault, name, value, "given twice");
    if (value.len == 0 && at != FILTER_SENDER)
        return refuse(fault, name, value, "has no value");
    if (has_controls(value))
        return refuse(fault, name, SLICE("?"), "holds a control character");
    if (at == FILTER_STATE && !is_state(value))
        return refuse(fault, name, value, "is no state");
    const struct slice kept = arena_slice(&filter->arena, value);
    if (!kept.ptr)
        return fault_set(fault, RC_LIMIT, 0, "the filter is too long");
    filter->texts[at] = kept;
    return RC_OK;
}

static enum rc set_id(struct filter *filter, struct slice value,
                      struct fault *fault)
{
    uint64_t id = 0;
    if (!id_parse(value, &id))
        return refuse(fault, SLICE("id"), value, "is no message id");
    for (size_t i = 0; i < filter->id_count; i++)
        if (filter->ids[i] == id)
            return RC_OK;
    if (filter->id_count == FILTER_IDS_MAX)
        return fault_set(fault, RC_LIMIT, 0, "more than %u ids",
                         FILTER_IDS_MAX);
    filter->ids[filter->id_count++] = id;
    return RC_OK;
}

static enum rc set_age(uint64_t *age_ms, struct slice name, struct slice value,
                       struct fault *fault)
{
    uint64_t ms = 0;
    if (*age_ms > 0)
        return refuse(fault, name, value, "given twice");
    if (!units_duration(value, &ms) || ms == 0)
        return refuse(fault, name, value, "is no time such as 90m or 2d");
    *age_ms = ms;
    return RC_OK;
}

/* number / number ".." [number] / ".." number */
static bool parse_range(struct slice value, uint32_t *min, uint32_t *max)
{
    const size_t dots = slice_find_slice(value, SLICE(".."));
    const bool is_range = dots < value.len;
    const struct slice first = slice_head(value, dots);
    const struct slice last = is_range ? slice_from(value, dots + 2) : first;
    uint64_t from = 0;
    uint64_t to = UINT32_MAX;
    if (first.len == 0 && last.len == 0)
        return false;
    if (first.len > 0 && !slice_number(first, UINT32_MAX, &from))
        return false;
    if (last.len > 0 && !slice_number(last, UINT32_MAX, &to))
        return false;
    *min = (uint32_t)from;
    *max = (uint32_t)to;
    return from <= to;
}

static enum rc set_attempts(struct filter *filter, struct slice value,
                            struct fault *fault)
{
    const struct slice name = SLICE("attempts");
    if (filter->has_attempts)
        return refuse(fault, name, value, "given twice");
    if (!parse_range(value, &filter->attempts_min, &filter->attempts_max))
        return refuse(fault, name, value, "is no number, nor 2.. or ..4");
    filter->has_attempts = true;
    return RC_OK;
}

enum rc filter_set(struct filter *filter, struct slice name, struct slice value,
                   struct fault *fault)
{
    for (size_t i = 0; i < FILTER_TEXTS; i++)
        if (slice_equal(name, slice_text(names[i])))
            return set_text(filter, i, value, fault);
    if (slice_equal(name, SLICE("id")))
        return set_id(filter, value, fault);
    if (slice_equal(name, SLICE("older")))
        return set_age(&filter->older_ms, name, value, fault);
    if (slice_equal(name, SLICE("younger")))
        return set_age(&filter->younger_ms, name, value, fault);
    if (slice_equal(name, SLICE("attempts")))
        return set_attempts(filter, value, fault);
    name = slice_head(name, 40);
    return fault_set(fault, RC_NONE, 0, "\"%.*s\" is no criterion",
                     SLICE_ARG(name));
}

/* The inside of a quoted value, unescaped, in `plain`. */
static bool take_quoted(struct cursor *cursor, char plain[FILTER_TEXT_MAX],
                        struct slice *value)
{
    size_t len = 0;
    while (!cursor_done(cursor)) {
        if (cursor_byte(cursor, '"')) {
            *value = slice_of(plain, len);
            return cursor_done(cursor) || *cursor->at == ' ';
        }
        if (cursor_byte(cursor, '\\') && cursor_done(cursor))
            return false;
        plain[len++] = *cursor->at++;
    }
    return false;
}

static bool take_plain(struct cursor *cursor, struct slice *value)
{
    const char *from = cursor->at;
    while (!cursor_done(cursor) && *cursor->at != ' ') {
        if (*cursor->at == '"')
            return false;
        cursor->at++;
    }
    *value = slice_of(from, (size_t)(cursor->at - from));
    return true;
}

static enum rc take_criterion(struct filter *filter, struct cursor *cursor,
                              struct fault *fault)
{
    char plain[FILTER_TEXT_MAX];
    struct slice name;
    struct slice value;
    const struct slice rest = slice_head(cursor_rest(cursor), 60);
    if (!cursor_until(cursor, '=', &name))
        return fault_set(fault, RC_SYNTAX, 0, "not name=value: %.*s",
                         SLICE_ARG(rest));
    const bool good = cursor_byte(cursor, '"')
                          ? take_quoted(cursor, plain, &value)
                          : take_plain(cursor, &value);
    if (!good)
        return fault_set(fault, RC_SYNTAX, 0, "badly quoted: %.*s",
                         SLICE_ARG(rest));
    const enum rc rc = filter_set(filter, name, value, fault);
    return rc == RC_NONE ? RC_SYNTAX : rc;
}

enum rc filter_parse(struct filter *filter, struct slice text,
                     struct fault *fault)
{
    if (text.len > FILTER_TEXT_MAX)
        return fault_set(fault, RC_LIMIT, 0, "the filter is too long");
    struct cursor cursor = cursor_of(text);
    if (slice_equal(slice_trim(text), SLICE("all"))) {
        filter->all = true;
        return RC_OK;
    }
    for (;;) {
        while (cursor_byte(&cursor, ' '))
            ;
        if (cursor_done(&cursor))
            break;
        const enum rc rc = take_criterion(filter, &cursor, fault);
        if (rc != RC_OK)
            return rc;
    }
    if (filter_is_empty(filter))
        return fault_set(fault, RC_SYNTAX, 0,
                         "the filter is empty; to mean everything say all");
    return RC_OK;
}

static bool needs_quotes(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == ' ' || value.ptr[i] == '"' || value.ptr[i] == '\\')
            return true;
    return value.len == 0;
}

static void add_name(struct buf *out, size_t start, const char *name)
{
    if (out->len > start)
        (void)buf_add_byte(out, ' ');
    (void)buf_add_text(out, name);
    (void)buf_add_byte(out, '=');
}

static void add_value(struct buf *out, struct slice value)
{
    if (!needs_quotes(value)) {
        (void)buf_add(out, value);
        return;
    }
    (void)buf_add_byte(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            (void)buf_add_byte(out, '\\');
        (void)buf_add_byte(out, value.ptr[i]);
    }
    (void)buf_add_byte(out, '"');
}

/* In the largest unit that leaves no rest. */
static void add_duration(struct buf *out, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {
        { UINT64_C(86400000), "d" },
        { 3600000, "h" },
        { 60000, "m" },
        { 1000, "s" },
        { 1, "ms" },
    };
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (ms % units[i].ms == 0) {
            (void)buf_addf(out, "%" PRIu64 "%s", ms / units[i].ms,
                           units[i].name);
            return;
        }
}

static void add_range(struct buf *out, uint32_t min, uint32_t max)
{
    if (min == max) {
        (void)buf_add_number(out, min);
        return;
    }
    if (min > 0 || max == UINT32_MAX)
        (void)buf_add_number(out, min);
    (void)buf_add_text(out, "..");
    if (max != UINT32_MAX)
        (void)buf_add_number(out, max);
}

bool filter_format(const struct filter *filter, struct buf *out)
{
    char id[ID_TEXT_SIZE];
    const size_t start = out->len;
    if (filter->all)
        return buf_add_text(out, "all");
    for (size_t i = 0; i < FILTER_TEXTS; i++) {
        if (!filter->texts[i].ptr)
            continue;
        add_name(out, start, names[i]);
        add_value(out, filter->texts[i]);
    }
    for (size_t i = 0; i < filter->id_count; i++) {
        add_name(out, start, "id");
        (void)buf_add_text(out, id_format(filter->ids[i], id));
    }
    if (filter->older_ms > 0) {
        add_name(out, start, "older");
        add_duration(out, filter->older_ms);
    }
    if (filter->younger_ms > 0) {
        add_name(out, start, "younger");
        add_duration(out, filter->younger_ms);
    }
    if (filter->has_attempts) {
        add_name(out, start, "attempts");
        add_range(out, filter->attempts_min, filter->attempts_max);
    }
    return !out->full;
}

static bool match_numbers(const struct filter *filter,
                          const struct filter_view *view)
{
    bool is_named = filter->id_count == 0;
    for (size_t i = 0; i < filter->id_count && !is_named; i++)
        is_named = filter->ids[i] == view->id;
    if (!is_named)
        return false;
    if (filter->older_ms > 0 && view->age_ms < filter->older_ms)
        return false;
    if (filter->younger_ms > 0 && view->age_ms >= filter->younger_ms)
        return false;
    return !filter->has_attempts
           || (view->attempts >= filter->attempts_min
               && view->attempts <= filter->attempts_max);
}

/* The criteria on texts but for those in `unknown`. */
static bool match_texts(const struct filter *filter,
                        const struct filter_view *view, unsigned unknown)
{
    for (unsigned i = 0; i < FILTER_TEXTS; i++) {
        if (!filter->texts[i].ptr || (unknown & BIT(i)))
            continue;
        if (!glob_match(filter->texts[i], view->texts[i]))
            return false;
    }
    return true;
}

bool filter_match(const struct filter *filter, const struct filter_view *view)
{
    return match_numbers(filter, view) && match_texts(filter, view, 0);
}

bool filter_match_others(const struct filter *filter,
                         const struct filter_view *view)
{
    return match_numbers(filter, view)
           && match_texts(filter, view, ENVELOPE_TEXTS);
}

bool filter_match_share(const struct filter *filter,
                        const struct filter_view *view)
{
    return match_texts(filter, view, ~SHARE_TEXTS);
}

bool filter_is_of_share(const struct filter *filter)
{
    return (texts_of(filter) & ~SHARE_TEXTS) == 0 && !has_numbers(filter);
}

bool filter_needs_envelope(const struct filter *filter)
{
    return (texts_of(filter) & ENVELOPE_TEXTS) != 0;
}
