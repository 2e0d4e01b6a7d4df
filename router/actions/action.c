/* action.c - what an operator wants done. */
#include "router/actions/action.h"

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/proto/tlv.h"

/* On disk and in Redis: never renumber. */
enum action_tag {
    TAG_ID = 1,
    TAG_KIND = 2,
    TAG_CREATED = 3,
    TAG_UNTIL = 4,
    TAG_ENDED = 5,
    TAG_FILTER = 6,
    TAG_ACTOR = 7,
    TAG_WHY = 8,
    TAG_ROUTE = 9,
    TAG_ENDED_BY = 10,

    TAG_STATE = 40,
    TAG_TOTAL = 41,
    TAG_SEEN = 42,
    TAG_MATCHED = 43,
    TAG_DONE = 44,
    TAG_BUSY = 45,
    TAG_STARTED = 46,
    TAG_FINISHED = 47,
};

static const char *const kinds[ACTION_KINDS] = {
    [ACTION_PAUSE] = "pause",     [ACTION_REQUEUE] = "requeue",
    [ACTION_REROUTE] = "reroute", [ACTION_EXPIRE] = "expire",
    [ACTION_BOUNCE] = "bounce",   [ACTION_DELETE] = "delete",
    [ACTION_RELEASE] = "release",
};

const char *action_kind_name(enum action_kind kind)
{
    CHECK((size_t)kind < ACTION_KINDS);
    return kinds[kind];
}

bool action_kind_parse(struct slice name, enum action_kind *kind)
{
    for (unsigned i = 0; i < ACTION_KINDS; i++)
        if (slice_equal(name, slice_text(kinds[i]))) {
            *kind = (enum action_kind)i;
            return true;
        }
    return false;
}

const char *progress_state_name(enum progress_state state)
{
    static const char *const names[PROGRESS_STATES] = {
        [PROGRESS_WAITING] = "waiting",
        [PROGRESS_RUNNING] = "running",
        [PROGRESS_DONE] = "done",
        [PROGRESS_CANCELLED] = "cancelled",
    };
    CHECK((size_t)state < PROGRESS_STATES);
    return names[state];
}

static struct slice put_text(char **at, struct slice text)
{
    const struct slice put = slice_of(*at, text.len);
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return put;
}

struct action *action_copy(const struct action *action)
{
    struct action *copy = mem_new(
        1, sizeof *copy + action->filter.len + action->actor.len
               + action->why.len + action->route.len + action->ended_by.len);
    char *at = (char *)(copy + 1);
    *copy = *action;
    copy->filter = put_text(&at, action->filter);
    copy->actor = put_text(&at, action->actor);
    copy->why = put_text(&at, action->why);
    copy->route = put_text(&at, action->route);
    copy->ended_by = put_text(&at, action->ended_by);
    return copy;
}

void action_free(struct action **action)
{
    mem_free(steal(*action));
}

static bool is_plain(struct slice text, size_t max)
{
    for (size_t i = 0; i < text.len; i++)
        if (char_is(text.ptr[i], CHAR_CTRL))
            return false;
    return text.len <= max;
}

static enum rc check_filter(struct slice text, struct fault *fault)
{
    struct filter filter;
    filter_init(&filter);
    const enum rc rc = filter_parse(&filter, text, fault);
    filter_release(&filter);
    return rc;
}

enum rc action_check(const struct action *action, struct fault *fault)
{
    if (!is_plain(action->actor, ACTION_NAME_MAX)
        || !is_plain(action->ended_by, ACTION_NAME_MAX))
        return fault_set(fault, RC_SYNTAX, 0, "the actor's name is too long");
    if (!is_plain(action->why, ACTION_TEXT_MAX))
        return fault_set(fault, RC_SYNTAX, 0,
                         "the reason is too long, or not one line");
    if (!is_plain(action->route, ACTION_NAME_MAX))
        return fault_set(fault, RC_SYNTAX, 0, "the route's name is too long");
    if ((action->kind == ACTION_REROUTE) != (action->route.len > 0))
        return fault_set(fault, RC_SYNTAX, 0,
                         action->route.len > 0
                             ? "only a reroute has a route"
                             : "a reroute needs the route to go to");
    if (action->until_utc_ms > 0 && action->kind != ACTION_PAUSE)
        return fault_set(fault, RC_SYNTAX, 0, "only a pause lasts for a time");
    return check_filter(action->filter, fault);
}

static void add_number(struct buf *out, uint32_t tag, uint64_t number)
{
    if (number > 0)
        (void)tlv_add_number(out, tag, number);
}

static void add_text(struct buf *out, uint32_t tag, struct slice text)
{
    if (text.len > 0)
        (void)tlv_add_bytes(out, tag, text);
}

bool action_pack(const struct action *action, struct buf *out)
{
    (void)tlv_add_number(out, TAG_ID, action->id);
    (void)tlv_add_number(out, TAG_KIND, action->kind);
    add_number(out, TAG_CREATED, action->created_utc_ms);
    add_number(out, TAG_UNTIL, action->until_utc_ms);
    add_number(out, TAG_ENDED, action->ended_utc_ms);
    add_text(out, TAG_FILTER, action->filter);
    add_text(out, TAG_ACTOR, action->actor);
    add_text(out, TAG_WHY, action->why);
    add_text(out, TAG_ROUTE, action->route);
    add_text(out, TAG_ENDED_BY, action->ended_by);
    return !out->full;
}

bool progress_pack(const struct progress *progress, struct buf *out)
{
    (void)tlv_add_number(out, TAG_STATE, progress->state);
    add_number(out, TAG_TOTAL, progress->total);
    add_number(out, TAG_SEEN, progress->seen);
    add_number(out, TAG_MATCHED, progress->matched);
    add_number(out, TAG_DONE, progress->done);
    add_number(out, TAG_BUSY, progress->busy);
    add_number(out, TAG_STARTED, progress->started_utc_ms);
    add_number(out, TAG_FINISHED, progress->ended_utc_ms);
    return !out->full;
}

/* Where a field goes: one of the two is set, or none for an unknown tag. */
struct target {
    uint64_t *number;
    struct slice *text;
};

static bool take_field(const struct tlv_field *field, struct target to)
{
    if (to.number) {
        *to.number = field->number;
        return !field->is_bytes;
    }
    if (to.text) {
        *to.text = field->bytes;
        return field->is_bytes;
    }
    return true;
}

static struct target place_of(struct action *action, uint64_t *kind,
                              uint32_t tag)
{
    switch (tag) {
    case TAG_ID:
        return (struct target){ .number = &action->id };
    case TAG_KIND:
        return (struct target){ .number = kind };
    case TAG_CREATED:
        return (struct target){ .number = &action->created_utc_ms };
    case TAG_UNTIL:
        return (struct target){ .number = &action->until_utc_ms };
    case TAG_ENDED:
        return (struct target){ .number = &action->ended_utc_ms };
    case TAG_FILTER:
        return (struct target){ .text = &action->filter };
    case TAG_ACTOR:
        return (struct target){ .text = &action->actor };
    case TAG_WHY:
        return (struct target){ .text = &action->why };
    case TAG_ROUTE:
        return (struct target){ .text = &action->route };
    case TAG_ENDED_BY:
        return (struct target){ .text = &action->ended_by };
    default:
        return (struct target){ .number = NULL };
    }
}

enum rc action_unpack(struct slice packed, struct action *action)
{
    struct action read = {
        .filter = SLICE(""),
        .actor = SLICE(""),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE(""),
    };
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    uint64_t kind = UINT64_MAX;
    enum rc rc = RC_OK;
    if (packed.len > ACTION_BYTES_MAX)
        return RC_LIMIT;
    while ((rc = tlv_next(&cursor, &field)) == RC_OK)
        if (!take_field(&field, place_of(&read, &kind, field.tag)))
            return RC_SYNTAX;
    if (rc != RC_NONE || read.id == 0 || kind == UINT64_MAX)
        return RC_SYNTAX;
    if (kind >= ACTION_KINDS)
        return RC_NONE;
    read.kind = (enum action_kind)kind;
    if (action_check(&read, NULL) != RC_OK)
        return RC_SYNTAX;
    *action = read;
    return RC_OK;
}

enum rc progress_unpack(struct slice packed, struct progress *progress)
{
    struct progress read = { .state = PROGRESS_WAITING };
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    uint64_t state = UINT64_MAX;
    uint64_t *const numbers[] = {
        &state,     &read.total, &read.seen,           &read.matched,
        &read.done, &read.busy,  &read.started_utc_ms, &read.ended_utc_ms,
    };
    enum rc rc = RC_OK;
    if (packed.len > ACTION_BYTES_MAX)
        return RC_LIMIT;
    while ((rc = tlv_next(&cursor, &field)) == RC_OK) {
        if (field.tag < TAG_STATE || field.tag > TAG_FINISHED)
            continue;
        const struct target to = { .number = numbers[field.tag - TAG_STATE] };
        if (!take_field(&field, to))
            return RC_SYNTAX;
    }
    if (rc != RC_NONE || state >= PROGRESS_STATES)
        return RC_SYNTAX;
    read.state = (enum progress_state)state;
    *progress = read;
    return RC_OK;
}

bool action_is_outdone(const struct action *action, const struct action *other)
{
    if (other->ended_utc_ms == 0)
        return false;
    if (action->ended_utc_ms == 0)
        return true;
    if (action->ended_utc_ms != other->ended_utc_ms)
        return other->ended_utc_ms < action->ended_utc_ms;
    return slice_compare(other->ended_by, action->ended_by) < 0;
}

bool action_is_live(const struct action *action, uint64_t utc_ms)
{
    return action->ended_utc_ms == 0
           && (action->until_utc_ms == 0 || utc_ms < action->until_utc_ms);
}

bool action_is_past(const struct action *action, uint64_t utc_ms)
{
    const bool is_pause = action->kind == ACTION_PAUSE;
    uint64_t last_ms = action->created_utc_ms;
    if (is_pause && action->ended_utc_ms == 0 && action->until_utc_ms == 0)
        return false;
    if (action->until_utc_ms > last_ms)
        last_ms = action->until_utc_ms;
    if (action->ended_utc_ms > last_ms)
        last_ms = action->ended_utc_ms;
    return utc_ms > last_ms
           && utc_ms - last_ms
                  > (is_pause ? ACTION_KEEP_PAUSE_MS : ACTION_KEEP_MS);
}
