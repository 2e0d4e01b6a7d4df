/* standing.c - templates of messages over HTTP. */
#include "router/control/standing.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/control/answer.h"
#include "router/control/asker.h"
#include "router/control/problem.h"
#include "router/templates/templates.h"

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX     10000u
#define LISTED_MAX    10000000u /* as many as there can be */

static bool id_of(const struct http_request *request, uint64_t *id)
{
    return id_parse(slice_text(strrchr(request->path, '/') + 1), id);
}

/* ---- the list ---------------------------------------------------------- */

struct listed {
    uint64_t id;
    enum judge_state state;
    uint32_t last_utc_s;
};

struct listing {
    struct slice state;  /* empty: any */
    struct slice tenant; /* empty: any */
    struct listed *items;
    size_t count;
    size_t size;
};

static bool is_asked_for(const struct listing *listing,
                         const struct template_record *record)
{
    const struct slice state =
        slice_text(guard_state_name(guard_state(&record->template)));
    return (listing->state.len == 0 || slice_equal(listing->state, state))
           && (listing->tenant.len == 0
               || slice_equal(listing->tenant, record->tenant));
}

static void add_listed(void *context, const struct template_record *record)
{
    struct listing *listing = context;
    if (!is_asked_for(listing, record) || listing->count == LISTED_MAX)
        return;
    if (listing->count == listing->size) {
        listing->size = listing->size == 0 ? 256 : 2 * listing->size;
        listing->items =
            mem_resize(listing->items, listing->size, sizeof *listing->items);
    }
    listing->items[listing->count++] = (struct listed){
        .id = record->template.id,
        .state = guard_state(&record->template),
        .last_utc_s = record->template.last_utc_s,
    };
}

static int interest(enum judge_state state)
{
    static const int interests[] = {
        [TEMPLATE_UNKNOWN] = 0,   [TEMPLATE_NEW] = 1,
        [TEMPLATE_PROBATION] = 3, [TEMPLATE_TRUSTED] = 2,
        [TEMPLATE_TRIPPED] = 4,
    };
    return interests[state];
}

/* Then the latest. */
static int by_interest(const void *a, const void *b)
{
    const struct listed *left = a;
    const struct listed *right = b;
    const int order = interest(right->state) - interest(left->state);
    if (order != 0)
        return order;
    return (left->last_utc_s < right->last_utc_s)
           - (left->last_utc_s > right->last_utc_s);
}

static void print_list(struct templates *templates,
                       const struct listing *listing, size_t limit,
                       struct buf *out)
{
    const uint64_t now_ms = time_utc_ms();
    size_t shown = 0;
    (void)buf_addf(out, "{\"count\":%zu,\"templates\":[", listing->count);
    for (size_t i = 0; i < listing->count && shown < limit; i++) {
        const size_t before = out->len;
        if (shown > 0)
            (void)buf_add_byte(out, ',');
        if (templates_add_json(templates, listing->items[i].id, now_ms, out)
            == RC_OK)
            shown++;
        else
            buf_cut(out, before); /* it is gone meanwhile */
    }
    (void)buf_add_text(out, "]}");
}

unsigned standing_list(const struct actions_ground *ground,
                       const struct http_request *request, struct buf *out)
{
    const char *limit_text = http_query(request, "limit");
    uint64_t limit = LIMIT_DEFAULT;
    if (limit_text && !slice_number(slice_text(limit_text), LIMIT_MAX, &limit))
        return problem_of(out, RC_SYNTAX, SLICE("limit is up to 10000"));
    struct listing listing = {
        .state = slice_text(http_query(request, "state")),
        .tenant = slice_text(http_query(request, "tenant")),
    };
    templates_each(ground->templates, add_listed, &listing);
    if (listing.count > 0)
        qsort(listing.items, listing.count, sizeof *listing.items, by_interest);
    print_list(ground->templates, &listing, (size_t)limit, out);
    mem_free(listing.items);
    return 200;
}

/* ---- one --------------------------------------------------------------- */

static unsigned print_one(const struct actions_ground *ground, uint64_t id,
                          struct buf *out)
{
    const enum rc rc =
        templates_add_json(ground->templates, id, time_utc_ms(), out);
    return rc == RC_OK ? 200
                       : problem_of(out, rc, SLICE("no such template here"));
}

unsigned standing_get(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out)
{
    uint64_t id = 0;
    if (!id_of(request, &id))
        return problem_of(out, RC_SYNTAX, SLICE("no id of a template"));
    return print_one(ground, id, out);
}

static const struct value_field order_fields[] = {
    { "do", VALUE_TEXT },
    { "kind", VALUE_TEXT },
    { "count", VALUE_NUMBER },
};

static bool complain(struct templates *templates, uint64_t id, uint64_t count,
                     uint64_t now_ms)
{
    if (count > UINT8_MAX)
        count = UINT8_MAX;
    templates_hear(templates, id, GUARD_COMPLAINT,
                   count == 0 ? 1 : (uint32_t)count, now_ms);
    return true;
}

/* RC_NONE: it is not known here. */
static enum rc obey(const struct actions_ground *ground, uint64_t id,
                    const struct value *root, struct fault *fault)
{
    struct templates *templates = ground->templates;
    const uint64_t now_ms = time_utc_ms();
    const char *verb = value_text(root, "do");
    enum judge_kind kind;
    bool is_known = false;
    if (strcmp(verb, "trust") == 0)
        is_known = templates_set(templates, id, TEMPLATE_TRUSTED, now_ms);
    else if (strcmp(verb, "distrust") == 0)
        is_known = templates_set(templates, id, TEMPLATE_TRIPPED, now_ms);
    else if (strcmp(verb, "forget") == 0)
        is_known = templates_set(templates, id, TEMPLATE_NEW, now_ms);
    else if (strcmp(verb, "complain") == 0)
        is_known = complain(templates, id, value_number(root, "count"), now_ms);
    else if (strcmp(verb, "teach") == 0
             && judge_kind_of(slice_text(value_text(root, "kind")), &kind))
        is_known = templates_teach(templates, id, kind, now_ms);
    else
        return fault_set(fault, RC_SYNTAX, 0,
                         "do is trust, distrust, forget, complain, or teach "
                         "with a kind");
    if (is_known)
        return RC_OK;
    return fault_set(fault, RC_NONE, 0, "no such template here");
}

unsigned standing_post(const struct actions_ground *ground,
                       const struct http_request *request, struct buf *out)
{
    struct fault fault;
    uint64_t id = 0;
    struct answer *order = answer_parse(request->body, &fault);
    if (!order)
        return problem_of(out, RC_SYNTAX, slice_text(fault.text));
    enum rc rc =
        answer_check(order, order_fields, ARRAY_LEN(order_fields), &fault);
    if (rc == RC_OK && !id_of(request, &id))
        rc = fault_set(&fault, RC_SYNTAX, 0, "no id of a template");
    if (rc == RC_OK)
        rc = obey(ground, id, answer_root(order), &fault);
    answer_free(&order);
    if (rc != RC_OK)
        return problem_of(out, rc, slice_text(fault.text));
    return print_one(ground, id, out);
}

/* ---- how a message's template stands ----------------------------------- */

static const struct value_field question_fields[] = {
    { "tenant", VALUE_TEXT },       { "id", VALUE_TEXT },
    { "bands_a", VALUE_TEXT },      { "bands_b", VALUE_TEXT },
    { "skeleton", VALUE_NUMBER },   { "recipient", VALUE_TEXT },
    { "recipients", VALUE_NUMBER }, { "take", VALUE_FLAG },
    { "text", VALUE_TEXT },         { "own", VALUE_TEXT },
    { "points", VALUE_NUMBER },     { "candidate", VALUE_FLAG },
    { "budget", VALUE_FLAG },       { "as_trusted", VALUE_FLAG },
};

static bool id_in(const struct value *root, const char *name, uint64_t *id)
{
    return id_parse(slice_text(value_text(root, name)), id);
}

static bool read_ticket(const struct templates *templates,
                        const struct value *root, const struct slice *recipient,
                        struct templates_ticket *ticket)
{
    uint64_t bands[2];
    const uint64_t count = value_number(root, "recipients");
    const uint64_t skeleton = value_number(root, "skeleton");
    *ticket = (struct templates_ticket){
        .tenant = slice_text(value_text(root, "tenant")),
        .recipients = recipient,
        .key.skeleton = (uint16_t)skeleton,
        .recipient_count = (uint32_t)count,
    };
    if (!id_in(root, "id", &ticket->key.id)
        || !id_in(root, "bands_a", &bands[0])
        || !id_in(root, "bands_b", &bands[1]) || skeleton > UINT16_MAX
        || count == 0 || count > UINT16_MAX)
        return false;
    for (unsigned i = 0; i < GUARD_BANDS; i++)
        ticket->key.bands[i] = (uint32_t)(bands[i / 2] >> (i % 2 ? 0 : 32));
    templates_know(templates, ticket);
    return true;
}

static bool read_finding(const struct value *root,
                         struct templates_finding *finding)
{
    const uint64_t points = value_number(root, "points");
    *finding = (struct templates_finding){
        .points = (int32_t)points - ASKER_POINTS_ZERO,
        .is_candidate = value_flag(root, "candidate"),
        .needs_budget = value_flag(root, "budget"),
        .as_trusted = value_flag(root, "as_trusted"),
    };
    return points <= (uint64_t)2 * ASKER_POINTS_ZERO
           && id_in(root, "text", &finding->text.text_hash)
           && id_in(root, "own", &finding->text.own_hash);
}

static void print_standing(const struct judge_standing *standing, bool is_given,
                           struct buf *out)
{
    char id[ID_TEXT_SIZE];
    struct json json;
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "id", slice_text(id_format(standing->id, id)));
    json_add_text(&json, "state",
                  slice_text(guard_state_name(standing->state)));
    json_add_bool(&json, "spent", standing->is_spent);
    json_add_bool(&json, "blamed", standing->is_blamed);
    if (standing->is_taught)
        json_add_text(&json, "taught",
                      slice_text(judge_kind_name(standing->taught)));
    json_add_number(&json, "used", standing->recipients);
    json_add_number(&json, "budget", standing->budget);
    json_add_bool(&json, "given", is_given);
    json_end(&json);
}

static enum rc answer_standing(struct templates *templates,
                               const struct value *root, struct buf *out)
{
    const struct slice recipient = slice_text(value_text(root, "recipient"));
    const uint64_t now_ms = time_utc_ms();
    struct templates_ticket ticket;
    struct templates_finding finding;
    struct judge_standing standing;
    bool is_given = false;
    if (!read_ticket(templates, root, &recipient, &ticket))
        return RC_SYNTAX;
    if (!value_flag(root, "take"))
        templates_look(templates, &ticket, now_ms, &standing);
    else if (read_finding(root, &finding))
        is_given =
            templates_try(templates, &ticket, &finding, now_ms, &standing);
    else
        return RC_SYNTAX;
    print_standing(&standing, is_given, out);
    return RC_OK;
}

unsigned standing_ask(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out)
{
    struct fault fault;
    struct answer *question = answer_parse(request->body, &fault);
    if (!question)
        return problem_of(out, RC_SYNTAX, slice_text(fault.text));
    enum rc rc = answer_check(question, question_fields,
                              ARRAY_LEN(question_fields), &fault);
    if (rc == RC_OK
        && answer_standing(ground->templates, answer_root(question), out)
               != RC_OK)
        rc = fault_set(&fault, RC_SYNTAX, 0, "no ticket of a message");
    answer_free(&question);
    return rc == RC_OK ? 200 : problem_of(out, rc, slice_text(fault.text));
}
