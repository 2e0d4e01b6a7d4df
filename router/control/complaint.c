/* complaint.c - reports of abuse: whose mail they are about, and what counts. */
#include "router/control/complaint.h"

#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/arf.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/control/complaint_note.h"
#include "router/control/problem.h"
#include "router/control/relay.h"
#include "router/control/tally.h"
#include "router/origin.h"
#include "router/templates/templates.h"

#define TEXT_MAX   256u /* bytes of a stranger's text that are kept */
#define OBJECT_MAX (16u << 10)
#define NOTE_MAX   512u

struct complaint {
    struct arf arf;
    struct origin origin;
    const struct conf_account *account;
    const char *router; /* which took the message; NULL: not in the config */
    bool is_known;      /* we took the message, and know its template */
    bool is_counted;
    bool is_relayed; /* to the router that took the message */
    bool is_stuck;   /* it should be, and cannot now */
};

static const char *router_of(const struct conf *conf, uint64_t id)
{
    for (size_t i = 0; i < conf->router_count; i++)
        if (conf->routers[i].number == id_router(id))
            return conf->routers[i].name;
    return NULL;
}

/* Who complained, or, where he is not named, which report it is: the same here
 * and where it is handed on. */
static struct slice teller(const struct arf *arf)
{
    const struct slice who =
        slice_is_empty(arf->recipient) ? arf->report_id : arf->recipient;
    return slice_head(who, TEXT_MAX);
}

static bool is_ours(const struct actions_ground *ground,
                    const struct origin *origin)
{
    return id_router(origin->id) == ground->number
           && templates_has(ground->templates, origin->template);
}

static void blame(const struct actions_ground *ground,
                  const struct origin *origin)
{
    templates_saw_blamed(ground->templates, origin->template, origin->id);
    templates_hear(ground->templates, origin->template, GUARD_COMPLAINT, 1,
                   time_utc_ms());
}

/* To the router that took the message, if the config has it. */
static void relay(const struct actions_ground *ground,
                  struct complaint *complaint)
{
    const struct complaint_note note = { .origin = complaint->origin,
                                         .who = teller(&complaint->arf) };
    if (!complaint->router || !ground->relay)
        return;
    scoped(buf_release) struct buf text;
    buf_init(&text, NOTE_MAX);
    complaint->is_relayed =
        complaint_note_write(&note, &text)
        && relay_send(ground->relay, id_router(note.origin.id),
                      buf_slice(&text));
    complaint->is_stuck = !complaint->is_relayed;
}

void complaint_hear_relayed(const struct actions_ground *ground,
                            struct slice text)
{
    struct complaint_note note;
    if (complaint_note_read(text, &note) != RC_OK) {
        log_line(LOG_WARNING, "complaint_unreadable", "bytes=%zu", text.len);
        return;
    }
    const struct origin *origin = &note.origin;
    if (is_ours(ground, origin)
        && tally_take(ground->tally, origin->id, origin->recipients, note.who))
        blame(ground, origin);
}

/* Does it count, and is it for another router? That one is told at once: should
 * this one yet fail and hear it again, the tally there finds it. */
static void take_and_relay(const struct actions_ground *ground,
                           struct complaint *complaint)
{
    const struct origin *origin = &complaint->origin;
    complaint->is_known = is_ours(ground, origin);
    complaint->is_counted =
        arf_is_complaint(complaint->arf.type)
        && tally_take(ground->tally, origin->id, origin->recipients,
                      teller(&complaint->arf));
    if (complaint->is_counted && id_router(origin->id) != ground->number)
        relay(ground, complaint);
}

/* Our event log has it not, and whoever sent it will send it again. */
static void forget(const struct actions_ground *ground,
                   const struct complaint *complaint)
{
    if (complaint->is_counted)
        tally_give_back(ground->tally, complaint->origin.id,
                        teller(&complaint->arf));
}

static void add_id(struct json *json, const char *key, uint64_t id)
{
    char text[ID_TEXT_SIZE];
    if (id != 0)
        json_add_text(json, key, slice_text(id_format(id, text)));
}

static void add_text(struct json *json, const char *key, struct slice text)
{
    if (text.len > 0)
        json_add_text(json, key, slice_head(text, TEXT_MAX));
}

static void describe(const struct complaint *complaint, struct buf *out)
{
    const struct arf *arf = &complaint->arf;
    struct json json;
    json_init(&json, out);
    json_begin_object(&json);
    add_id(&json, "id", complaint->origin.id);
    add_text(&json, "account", slice_text(complaint->account->name));
    add_text(&json, "tenant", slice_text(complaint->account->tenant->name));
    add_id(&json, "template", complaint->origin.template);
    add_text(&json, "type", slice_text(arf_type_name(arf->type)));
    json_add_bool(&json, "counted", complaint->is_counted);
    json_add_bool(&json, "known", complaint->is_known);
    json_add_bool(&json, "relayed", complaint->is_relayed);
    add_text(&json, "router", slice_text(complaint->router));
    add_text(&json, "recipient", arf->recipient);
    add_text(&json, "generator", arf->user_agent);
    json_end(&json);
}

/* The lane thread writes the event log, and counts by account. */
static enum rc tell(const struct actions_ground *ground,
                    const struct complaint *complaint, struct slice object)
{
    scoped(buf_release) struct buf words;
    buf_init(&words, OBJECT_MAX);
    (void)buf_addf(&words, "%s %s ", complaint->account->name,
                   complaint->is_counted ? arf_type_name(complaint->arf.type)
                                         : "-");
    return buf_add(&words, object)
                   && dispatch_tell(ground->dispatch, DISPATCH_COMPLAINT,
                                    buf_slice(&words))
               ? RC_OK
               : RC_LIMIT;
}

enum rc complaint_hear(const struct actions_ground *ground,
                       const struct conf *conf, struct slice report,
                       struct buf *out)
{
    struct complaint complaint = { .is_counted = false };
    if (arf_read(report, &complaint.arf) != RC_OK)
        return RC_SYNTAX;
    if (origin_find(conf, complaint.arf.header, &complaint.origin,
                    &complaint.account)
        != RC_OK)
        return RC_NONE;
    complaint.router = router_of(conf, complaint.origin.id);
    take_and_relay(ground, &complaint);
    const size_t before = out->len;
    describe(&complaint, out);
    enum rc rc = RC_LIMIT;
    if (!complaint.is_stuck)
        rc = tell(ground, &complaint, slice_from(buf_slice(out), before));
    if (rc != RC_OK)
        forget(ground, &complaint);
    else if (complaint.is_counted && complaint.is_known)
        blame(ground, &complaint.origin);
    return rc;
}

unsigned complaint_post(const struct actions_ground *ground,
                        const struct http_request *request, struct buf *out)
{
    struct conf *conf = ground->hold_conf(ground->context);
    const enum rc rc = complaint_hear(ground, conf, request->body, out);
    conf_release(&conf);
    if (rc == RC_OK)
        return 200;
    if (rc == RC_SYNTAX)
        return problem_of(out, rc,
                          SLICE("no report of abuse (RFC 5965) that has the "
                                "message which it is about"));
    if (rc == RC_NONE)
        return problem_of(
            out, rc,
            SLICE("the message is none of ours: it has no " ORIGIN_FIELD
                  " that we wrote"));
    return problem_of(out, RC_TIMEOUT, SLICE(""));
}
