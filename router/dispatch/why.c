/* why.c - what holds a recipient now. */
#include "router/dispatch/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/proto/message_id.h"

#define ACTION_SHOWN 120

static void say(struct why *why, const char *cause, const char *format, ...)
    printf_like(3, 4);

static void say(struct why *why, const char *cause, const char *format, ...)
{
    va_list args;
    why->cause = cause;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
}

static void say_paused(const struct why_facts *facts, struct why *why)
{
    char id[ID_TEXT_SIZE];
    const struct action *pause = facts->pause;
    const struct slice filter = slice_head(pause->filter, ACTION_SHOWN);
    const struct slice reason = slice_head(pause->why, ACTION_SHOWN);
    say(why, "paused", "paused by %.*s, rule %s (%.*s)%s%.*s%s",
        SLICE_ARG(pause->actor), id_format(pause->id, id), SLICE_ARG(filter),
        reason.len > 0 ? ": " : "", SLICE_ARG(reason),
        pause->until_utc_ms > 0 ? "" : "; until it is resumed");
    why->since_utc_ms = pause->created_utc_ms > facts->accepted_utc_ms
                            ? pause->created_utc_ms
                            : facts->accepted_utc_ms;
    why->earliest_utc_ms = pause->until_utc_ms;
}

static void say_waiting(const struct why_facts *facts, struct why *why)
{
    char what[64] = "waits for its time; no attempt was made";
    char last[300] = "";
    char step[200] = "";
    const struct slice reply = slice_head(facts->reply, 200);
    if (facts->attempts > 0)
        (void)snprintf(what, sizeof what, "waits for attempt %" PRIu32,
                       facts->attempts + 1);
    if (facts->code > 0)
        (void)snprintf(last, sizeof last, ", the reply to the last was %u %.*s",
                       (unsigned)facts->code, SLICE_ARG(reply));
    else if (reply.len > 0)
        (void)snprintf(last, sizeof last, ": %.*s", SLICE_ARG(reply));
    if (facts->wait_ms > 0 && facts->is_asked_wait)
        (void)snprintf(step, sizeof step, "; as long as it asks for");
    else if (facts->wait_ms > 0)
        (void)snprintf(step, sizeof step,
                       "; wait %" PRIu32 " of %" PRIu32
                       " of the schedule of %.*s",
                       facts->step, facts->steps, SLICE_ARG(facts->schedule));
    say(why, "waiting", "%s%s%s", what, last, step);
    if (facts->wait_ms > 0 && facts->next_utc_ms > facts->wait_ms)
        why->since_utc_ms = facts->next_utc_ms - facts->wait_ms;
    why->earliest_utc_ms = facts->next_utc_ms;
}

/* Jobs that leave before it, by the turns of its band; a guess. */
static uint64_t jobs_before(const struct lane_place *place)
{
    uint64_t before = place->ahead * (place->in_turn > 0 ? place->in_turn : 1);
    const uint64_t others = place->in_band > 0 ? place->in_band - 1 : 0;
    if (before > others)
        before = others;
    return before + place->urgent;
}

static void say_flowing(const struct why_facts *facts, struct why *why)
{
    const struct lane_place *place = &facts->place;
    const uint64_t before = jobs_before(place);
    say(why, "queued",
        "stands in the lane %.*s of pool %.*s: %s%" PRIu64
        " of its tenant and stream before it, %" PRIu64 " in its band, %" PRIu64
        " more urgent; %" PRIu64 " left in the last minute",
        SLICE_ARG(facts->site), SLICE_ARG(facts->pool),
        place->is_least ? "at least " : "", place->ahead, place->in_band,
        place->urgent, facts->per_minute);
    why->earliest_utc_ms = facts->utc_ms;
    if (facts->per_minute > 0)
        why->earliest_utc_ms += before * 60000 / facts->per_minute;
}

static void say_ready(const struct why_facts *facts, struct why *why)
{
    why->since_utc_ms = facts->attempts == 0 ? facts->accepted_utc_ms : 0;
    if (!facts->has_pool)
        say(why, "no pool", "its pool %.*s is not in the config any more",
            SLICE_ARG(facts->pool));
    else if (!facts->is_served)
        say(why, "unserved",
            "no live worker holds a source of its pool %.*s; see `sendyard "
            "status`",
            SLICE_ARG(facts->pool));
    else if (!facts->is_asked)
        say(why, "not asked for",
            "workers hold sources of its pool %.*s, but none has asked for "
            "mail to %.*s yet: its hosts do not answer, or limits leave no "
            "room",
            SLICE_ARG(facts->pool), SLICE_ARG(facts->site));
    else if (facts->credit == 0 && facts->per_minute == 0)
        say(why, "limit",
            "workers hold sources of its pool %.*s, but grant nothing more "
            "for %.*s: a limit is reached, or they rest from its hosts",
            SLICE_ARG(facts->pool), SLICE_ARG(facts->site));
    else
        say_flowing(facts, why);
}

static void say_leased(const struct why_facts *facts, struct why *why)
{
    say(why, "delivering", "is being delivered by worker %.*s from source %.*s",
        SLICE_ARG(facts->worker), SLICE_ARG(facts->source));
    why->since_utc_ms = facts->leased_utc_ms;
    why->earliest_utc_ms = facts->utc_ms;
}

static void say_held(const struct why_facts *facts, struct why *why)
{
    (void)facts;
    say(why, "held",
        "held: it may have been delivered, and its stream says in_doubt = "
        "\"hold\"; `sendyard queue release` sends it again");
}

static void say_found(const struct why_facts *facts, struct why *why)
{
    say(why, "recovered",
        "was found after a restart; workers are given time to say what they "
        "hold");
    why->earliest_utc_ms = facts->release_utc_ms > facts->next_utc_ms
                               ? facts->release_utc_ms
                               : facts->next_utc_ms;
}

void why_decide(const struct why_facts *facts, struct why *why)
{
    *why = (struct why){ .cause = "" };
    if (facts->pause
        && (facts->state == JOB_READY || facts->state == JOB_PAUSED)) {
        say_paused(facts, why);
        return;
    }
    switch (facts->state) {
    case JOB_FOUND:
        say_found(facts, why);
        break;
    case JOB_CLAIMED:
        say(why, "claimed",
            "a worker holds it since before the router's restart, and will "
            "tell what became of it");
        break;
    case JOB_RESOLVING:
        say(why, "resolving", "the DNS is asked for its MX hosts");
        break;
    case JOB_PAUSED: /* its pause ended: it is on its way back */
    case JOB_READY:
        say_ready(facts, why);
        break;
    case JOB_LEASED:
        say_leased(facts, why);
        break;
    case JOB_WAITING:
        say_waiting(facts, why);
        break;
    case JOB_HELD:
        say_held(facts, why);
        break;
    case JOB_BOUNCING:
        say(why, "reporting",
            "has failed; the report to its sender is being "
            "written");
        break;
    }
}
