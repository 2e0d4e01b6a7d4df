/* actions.c - what may be done to queued mail over HTTP. */
#include "router/control/actions.h"

#include <string.h>

#include "common/base/time.h"
#include "common/proto/message_id.h"
#include "router/control/answer.h"
#include "router/control/problem.h"

#define ASK_TIMEOUT_MS    5000u
#define SEARCH_TIMEOUT_MS 60000u
#define PAGE_DEFAULT      "100"
#define ACTOR_DEFAULT     "api"
#define SEARCH_MAX        (FILTER_TEXT_MAX + 64u)

/* The last part of a path that has one. */
static const char *part_of(const struct http_request *request)
{
    return strrchr(request->path, '/') + 1;
}

static unsigned search(const struct actions_ground *ground, const char *limit,
                       const char *after, struct slice filter, struct buf *out)
{
    scoped(buf_release) struct buf text;
    buf_init(&text, SEARCH_MAX);
    (void)buf_addf(&text, "%.10s %.20s ", limit, after);
    if (!buf_add(&text, filter))
        return problem_of(out, RC_SYNTAX, SLICE("the filter is too long"));
    const enum rc rc = dispatch_ask(ground->dispatch, DISPATCH_SEARCH,
                                    buf_slice(&text), SEARCH_TIMEOUT_MS, out);
    if (rc == RC_OK)
        return 200;
    scoped(buf_release) struct buf why;
    buf_init(&why, FAULT_TEXT_MAX);
    (void)buf_add(&why, slice_head(buf_slice(out), FAULT_TEXT_MAX));
    return problem_of(out, rc == RC_LIMIT ? RC_TIMEOUT : rc, buf_slice(&why));
}

unsigned actions_list(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out)
{
    const char *filter = http_query(request, "filter");
    const char *limit = http_query(request, "limit");
    const char *after = http_query(request, "after");
    return search(ground, limit ? limit : PAGE_DEFAULT, after ? after : "-",
                  slice_text(filter ? filter : "all"), out);
}

/* Nothing else may be in there: a filter or a dry_run that was not understood
 * must not become a deletion. */
static const struct value_field order_fields[] = {
    { "action", VALUE_TEXT },  { "filter", VALUE_TEXT },
    { "actor", VALUE_TEXT },   { "why", VALUE_TEXT },
    { "route", VALUE_TEXT },   { "for_ms", VALUE_NUMBER },
    { "dry_run", VALUE_FLAG },
};

/* What the body of a POST asks for; its texts live in `root`. */
static enum rc read_order(const struct value *root, struct action *action,
                          struct fault *fault)
{
    const struct slice kind = slice_text(value_text(root, "action"));
    const char *actor = value_text(root, "actor");
    *action = (struct action){
        .filter = slice_text(value_text(root, "filter")),
        .actor = slice_text(actor[0] != '\0' ? actor : ACTOR_DEFAULT),
        .why = slice_text(value_text(root, "why")),
        .route = slice_text(value_text(root, "route")),
        .ended_by = SLICE(""),
    };
    if (!action_kind_parse(kind, &action->kind))
        return fault_set(fault, RC_SYNTAX, 0, "\"%.*s\" is no action",
                         SLICE_ARG(slice_head(kind, 40)));
    const uint64_t for_ms = value_number(root, "for_ms");
    if (for_ms > 0)
        action->until_utc_ms = time_utc_ms() + for_ms;
    return action_check(action, fault);
}

static bool has_route(const struct actions_ground *ground, struct slice name)
{
    struct conf *conf = ground->hold_conf(ground->context);
    const bool has = conf_route(conf, name) != NULL;
    conf_release(&conf);
    return has;
}

static unsigned do_order(const struct actions_ground *ground,
                         const struct answer *order, struct buf *out)
{
    const struct value *root = answer_root(order);
    struct action action;
    struct fault fault = { .text = "" };
    uint64_t id = 0;
    enum rc rc =
        answer_check(order, order_fields, ARRAY_LEN(order_fields), &fault);
    if (rc == RC_OK)
        rc = read_order(root, &action, &fault);
    if (rc == RC_OK && action.kind == ACTION_REROUTE
        && !has_route(ground, action.route))
        rc = fault_set(&fault, RC_SYNTAX, 0, "the config has no route \"%.*s\"",
                       SLICE_ARG(slice_head(action.route, 60)));
    if (rc == RC_OK && value_flag(root, "dry_run"))
        return search(ground, "0", "-", action.filter, out);
    if (rc == RC_OK)
        rc = book_add(ground->book, &action, &id, &fault);
    if (rc == RC_OK)
        rc = book_add_json(ground->book, id, out);
    return rc == RC_OK ? 201 : problem_of(out, rc, slice_text(fault.text));
}

unsigned actions_post(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out)
{
    struct fault fault;
    struct answer *order = answer_parse(request->body, &fault);
    if (!order)
        return problem_of(out, RC_SYNTAX, slice_text(fault.text));
    const unsigned status = do_order(ground, order, out);
    answer_free(&order);
    return status;
}

unsigned actions_get(const struct actions_ground *ground,
                     const struct http_request *request, struct buf *out)
{
    (void)request;
    const enum rc rc = book_add_json(ground->book, 0, out);
    return rc == RC_OK ? 200 : problem_of(out, rc, SLICE("too many actions"));
}

unsigned actions_get_one(const struct actions_ground *ground,
                         const struct http_request *request, struct buf *out)
{
    const struct slice text = slice_text(part_of(request));
    uint64_t id = 0;
    const enum rc rc = id_parse(text, &id) && id > 0
                           ? book_add_json(ground->book, id, out)
                           : RC_NONE;
    return rc == RC_OK ? 200 : problem_of(out, rc, text);
}

unsigned actions_delete(const struct actions_ground *ground,
                        const struct http_request *request, struct buf *out)
{
    const char *actor = http_query(request, "actor");
    struct fault fault = { .text = "no such action" };
    uint64_t id = 0;
    enum rc rc = RC_NONE;
    if (id_parse(slice_text(part_of(request)), &id))
        rc = book_end(ground->book, id,
                      slice_text(actor ? actor : ACTOR_DEFAULT), &fault);
    if (rc == RC_OK)
        rc = book_add_json(ground->book, id, out);
    return rc == RC_OK ? 200 : problem_of(out, rc, slice_text(fault.text));
}

unsigned actions_why(const struct actions_ground *ground,
                     const struct http_request *request, struct buf *out)
{
    const struct slice id = slice_text(part_of(request));
    const enum rc rc =
        dispatch_ask(ground->dispatch, DISPATCH_WHY, id, ASK_TIMEOUT_MS, out);
    return rc == RC_OK ? 200 : problem_of(out, rc, id);
}
