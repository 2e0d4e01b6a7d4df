/* describe.c - one spooled message in words. */
#include "router/spool/describe.h"

#include "common/base/time.h"
#include "common/proto/escape.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/envelope.h"
#include "router/state.h"

/* Ten thousand recipients, unpacked twice. */
#define ARENA_MAX (64u << 20)

struct message_view {
    struct envelope envelope;
    struct state state;
    bool has_state;
};

static enum rc unpack(struct slice envelope, struct slice state,
                      struct arena *arena, struct message_view *view)
{
    enum rc rc = envelope_unpack(envelope, arena, &view->envelope);
    view->has_state = !slice_is_empty(state);
    if (rc == RC_OK && view->has_state)
        rc = state_unpack(state, arena, &view->state);
    return rc;
}

/* The recipient's entry in the state. `from` is where to go on looking: both
 * lists are sorted alike. */
static const struct state_recipient *find_pending(const struct state *state,
                                                  size_t recipient,
                                                  size_t *from)
{
    while (*from < state->pending_count
           && state->pending[*from].index < recipient)
        (*from)++;
    const bool found = *from < state->pending_count
                       && state->pending[*from].index == recipient;
    return found ? &state->pending[*from] : NULL;
}

static void add_time(struct json *json, const char *key, uint64_t utc_ms)
{
    char text[TIME_RFC3339_SIZE];
    time_rfc3339(utc_ms, text);
    json_add_text(json, key, slice_text(text));
}

static void add_recipient(struct json *json,
                          const struct envelope_recipient *recipient,
                          const struct state_recipient *pending)
{
    json_add_text(json, "address", recipient->address);
    json_add_text(json, "orcpt", recipient->orcpt);
    json_add_text(json, "route", recipient->route);
    json_add_number(json, "notify", recipient->notify);
    if (!pending)
        return;
    json_add_number(json, "attempts", pending->attempts);
    add_time(json, "next", pending->next_utc_ms);
    json_add_number(json, "code", pending->code);
    json_add_text(json, "text", pending->text);
    json_add_text(json, "source", pending->source);
    json_add_bool(json, "told", pending->told);
    json_add_bool(json, "held", pending->held);
}

static void add_recipients(struct json *json, const struct message_view *view)
{
    size_t from = 0;
    json_key(json, "recipients");
    json_begin_array(json);
    for (size_t i = 0; i < view->envelope.recipient_count; i++) {
        const struct state_recipient *pending =
            find_pending(&view->state, i, &from);
        json_begin_object(json);
        json_add_bool(json, "pending", !view->has_state || pending);
        add_recipient(json, &view->envelope.recipients[i], pending);
        json_end(json);
    }
    json_end(json);
}

static void add_message(struct json *json, uint64_t id,
                        const struct message_view *view)
{
    const struct envelope *envelope = &view->envelope;
    json_begin_object(json);
    char text[ID_TEXT_SIZE];
    json_add_text(json, "id", slice_text(id_format(id, text)));
    add_time(json, "accepted", envelope->accepted_utc_ms);
    add_time(json, "expires", envelope->expires_utc_ms);
    json_add_number(json, "body_size", envelope->body_size);
    json_add_text(json, "account", envelope->account);
    json_add_text(json, "tenant", envelope->tenant);
    json_add_text(json, "stream", envelope->stream);
    json_add_text(json, "reasons", envelope->reasons);
    json_add_text(json, "mail_from", envelope->mail_from);
    json_add_text(json, "envid", envelope->envid);
    json_add_text(json, "message_id", envelope->message_id);
    json_add_number(json, "ret", envelope->ret);
    json_add_bool(json, "body_8bit", envelope->body_8bit);
    json_add_bool(json, "smtputf8", envelope->smtputf8);
    add_recipients(json, view);
    json_end(json);
}

enum rc describe_json(uint64_t id, struct slice envelope, struct slice state,
                      struct buf *out)
{
    scoped(arena_release) struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct message_view view = { .has_state = false };
    const enum rc rc = unpack(envelope, state, &arena, &view);
    if (rc != RC_OK)
        return rc;
    struct json json;
    json_init(&json, out);
    add_message(&json, id, &view);
    return out->full ? RC_LIMIT : RC_OK;
}

/* One line; the value comes from strangers. */
static void say(struct buf *out, const char *name, struct slice value)
{
    char text[1024];
    struct escape escape;
    escape_init(&escape, text, sizeof text);
    escape_add(&escape, value);
    buf_addf(out, "%-12s %s\n", name, text);
}

static void say_if(struct buf *out, const char *name, struct slice value)
{
    if (!slice_is_empty(value))
        say(out, name, value);
}

static void say_time(struct buf *out, const char *name, uint64_t utc_ms)
{
    char text[TIME_RFC3339_SIZE];
    time_rfc3339(utc_ms, text);
    say(out, name, slice_text(text));
}

static void say_pending(struct buf *out, const struct state_recipient *pending)
{
    char next[TIME_RFC3339_SIZE];
    time_rfc3339(pending->next_utc_ms, next);
    buf_addf(out, "%-12s %u attempts, next %s, last reply %u\n", "",
             pending->attempts, next, (unsigned)pending->code);
    say_if(out, "", pending->text);
    say_if(out, "  by source", pending->source);
    if (pending->held)
        say(out, "", SLICE("held: it may have been delivered already"));
    if (pending->told)
        say(out, "", SLICE("the sender knows of the delay"));
}

static void say_recipients(struct buf *out, const struct message_view *view)
{
    size_t from = 0;
    for (size_t i = 0; i < view->envelope.recipient_count; i++) {
        const struct envelope_recipient *recipient =
            &view->envelope.recipients[i];
        const struct state_recipient *pending =
            find_pending(&view->state, i, &from);
        const bool waits = !view->has_state || pending;
        say(out, waits ? "pending" : "done", recipient->address);
        say_if(out, "  route", recipient->route);
        if (pending)
            say_pending(out, pending);
    }
}

enum rc describe_text(uint64_t id, struct slice envelope, struct slice state,
                      struct buf *out)
{
    scoped(arena_release) struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct message_view view = { .has_state = false };
    const enum rc rc = unpack(envelope, state, &arena, &view);
    if (rc != RC_OK)
        return rc;
    char id_text[ID_TEXT_SIZE];
    say(out, "id", slice_text(id_format(id, id_text)));
    say_time(out, "accepted", view.envelope.accepted_utc_ms);
    say_time(out, "expires", view.envelope.expires_utc_ms);
    say_if(out, "account", view.envelope.account);
    say_if(out, "tenant", view.envelope.tenant);
    say_if(out, "stream", view.envelope.stream);
    say_if(out, "reasons", view.envelope.reasons);
    say(out, "mail from",
        slice_is_empty(view.envelope.mail_from) ? SLICE("<>")
                                                : view.envelope.mail_from);
    say_if(out, "envid", view.envelope.envid);
    say_if(out, "message id", view.envelope.message_id);
    buf_addf(out, "%-12s %llu bytes\n", "body",
             (unsigned long long)view.envelope.body_size);
    say_recipients(out, &view);
    return out->full ? RC_LIMIT : RC_OK;
}
