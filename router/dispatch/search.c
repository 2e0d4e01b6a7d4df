/* search.c - lists what is queued and means a filter. */
#include "router/dispatch/search.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/dispatch/core.h"
#include "router/dispatch/peek.h"
#include "router/dispatch/tour.h"
#include "router/dispatch/view.h"

/* Recipients that are shown of one message. */
#define SHOWN_MAX 10u

/* A message on the page, as it was seen. */
struct shown {
    uint64_t id;
    char *json;
    size_t json_len;
};

struct search {
    struct list link;
    struct call *call;
    struct filter filter;
    struct tour walk; /* once its turn has come */
    bool walks;
    uint64_t utc_ms; /* when it was asked */
    uint64_t after;
    uint64_t limit;
    uint64_t matched;
    uint64_t recipients;
    struct shown page[DISPATCH_PAGE_MAX]; /* by rising id */
    size_t page_count;
    struct peeker peeker; /* at cold ones */
};

static void end(struct search *search, enum rc rc)
{
    call_answer(search->call, rc);
    call_leave(&search->call);
    for (size_t i = 0; i < search->page_count; i++)
        mem_free(search->page[i].json);
    peeker_release(&search->peeker);
    list_remove(&search->link);
    tour_release(&search->walk);
    filter_release(&search->filter);
    mem_free(search);
}

static enum rc read_argument(struct search *search, struct slice text,
                             struct fault *fault)
{
    struct cursor cursor = cursor_of(text);
    struct slice limit;
    struct slice after;
    if (!cursor_until(&cursor, ' ', &limit)
        || !slice_number(limit, DISPATCH_PAGE_MAX, &search->limit))
        return fault_set(fault, RC_SYNTAX, 0, "limit is not 0 to %u",
                         DISPATCH_PAGE_MAX);
    if (!cursor_until(&cursor, ' ', &after)
        || (!slice_equal(after, SLICE("-"))
            && !id_parse(after, &search->after)))
        return fault_set(fault, RC_SYNTAX, 0, "after is no message id");
    return filter_parse(&search->filter, cursor_rest(&cursor), fault);
}

static peek_fn peeked;

void search_begin(struct dispatch *dispatch, struct call *call)
{
    struct fault fault;
    struct search *search = NEW(struct search);
    search->call = call;
    peeker_init(&search->peeker, peeked);
    list_init(&search->link);
    filter_init(&search->filter);
    const enum rc rc = read_argument(search, call_arg(call), &fault);
    if (rc != RC_OK) {
        (void)buf_add_text(call_json(call), fault.text);
        end(search, RC_SYNTAX);
        return;
    }
    search->utc_ms = time_utc_ms();
    list_push_back(&dispatch->searches, &search->link);
    defer_set(dispatch->operate);
}

static void add_recipient(struct dispatch *dispatch, struct json *json,
                          const struct envelope *envelope, struct job *job,
                          size_t position)
{
    const struct job_recipient *at = &job_recipients(job)[position];
    json_begin_object(json);
    json_add_text(json, "recipient", envelope->recipients[at->index].address);
    json_add_text(json, "state", view_state(job));
    json_add_text(json, "route", view_route(dispatch, job));
    if (job->destination)
        json_add_text(json, "site", job->destination->site);
    json_add_number(json, "attempts", job->attempts);
    if (at->note) {
        json_add_number(json, "last_code", at->note->code);
        json_add_text(json, "last_reply", job_note_text(at->note));
    }
    json_end(json);
}

static void add_recipients(struct dispatch *dispatch, struct json *json,
                           const struct search *search,
                           const struct envelope *envelope,
                           struct queued *queued)
{
    size_t shown = 0;
    uint64_t more = 0;
    json_key(json, "recipients");
    json_begin_array(json);
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        size_t count = 0;
        const bool *match =
            view_match(dispatch, job, &search->filter, search->utc_ms, &count);
        for (size_t i = 0; match && i < job->recipient_count; i++) {
            if (!match[i])
                continue;
            if (shown++ < SHOWN_MAX)
                add_recipient(dispatch, json, envelope, job, i);
            else
                more++;
        }
    }
    json_end(json);
    if (more > 0)
        json_add_number(json, "more", more);
}

static void add_message(struct dispatch *dispatch, struct json *json,
                        const struct search *search, struct queued *queued)
{
    char id[ID_TEXT_SIZE];
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    json_begin_object(json);
    json_add_text(json, "id", slice_text(id_format(queued->id, id)));
    json_add_text(json, "account", envelope->account);
    json_add_text(json, "tenant", envelope->tenant);
    json_add_text(json, "stream", envelope->stream);
    json_add_text(json, "sender", envelope->mail_from);
    json_add_number(json, "size", envelope->body_size);
    json_add_number(json, "queued_ms",
                    search->utc_ms > envelope->accepted_utc_ms
                        ? search->utc_ms - envelope->accepted_utc_ms
                        : 0);
    add_recipients(dispatch, json, search, envelope, queued);
    json_end(json);
}

static struct shown show(struct dispatch *dispatch, const struct search *search,
                         struct queued *queued)
{
    struct shown shown = { .id = queued->id };
    struct json json;
    struct buf text;
    buf_init(&text, DISPATCH_ANSWER_MAX);
    json_init(&json, &text);
    add_message(dispatch, &json, search, queued);
    shown.json = buf_steal(&text, &shown.json_len);
    return shown;
}

/* The page keeps the smallest ids. */
static void add_to_page(struct dispatch *dispatch, struct search *search,
                        struct queued *queued)
{
    const uint64_t id = queued->id;
    size_t at = search->page_count;
    if (id <= search->after || search->limit == 0)
        return;
    if (at == search->limit) {
        if (id >= search->page[at - 1].id)
            return;
        mem_free(search->page[--at].json);
    } else {
        search->page_count++;
    }
    while (at > 0 && search->page[at - 1].id > id) {
        search->page[at] = search->page[at - 1];
        at--;
    }
    search->page[at] = show(dispatch, search, queued);
}

/* In memory or a ghost, within an event. */
static void look_at(struct dispatch *dispatch, struct search *search,
                    struct queued *queued)
{
    size_t sum = 0;
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        size_t count = 0;
        (void)view_match(dispatch, job, &search->filter, search->utc_ms,
                         &count);
        sum += count;
    }
    if (sum == 0)
        return;
    search->matched++;
    search->recipients += sum;
    add_to_page(dispatch, search, queued);
}

static void peeked(struct dispatch *dispatch, struct peeker *peeker,
                   uint64_t id, struct queued *queued, bool is_ghost)
{
    (void)id;
    if (!queued)
        return;
    if (!is_ghost)
        dispatch_begin(dispatch);
    look_at(dispatch, container_of(peeker, struct search, peeker), queued);
}

static void step(struct dispatch *dispatch, struct search *search, uint64_t id)
{
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    if (queued) {
        dispatch_begin(dispatch);
        look_at(dispatch, search, queued);
    } else if (peek_guess(dispatch, &search->filter, id) != PEEK_NO) {
        peek(dispatch, &search->peeker, id);
    }
}

static void answer(struct dispatch *dispatch, struct search *search)
{
    struct json json;
    char id[ID_TEXT_SIZE];
    struct buf *out = call_json(search->call);
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "router", slice_text(dispatch->router->name));
    json_add_number(&json, "matched", search->matched);
    json_add_number(&json, "recipients", search->recipients);
    if (search->limit > 0 && search->page_count == search->limit)
        json_add_text(
            &json, "next",
            slice_text(id_format(search->page[search->page_count - 1].id, id)));
    json_end(&json);
    /* The list is made of texts that are JSON already. */
    buf_cut(out, out->len - 1);
    (void)buf_add_text(out, ",\"messages\":[");
    for (size_t i = 0; i < search->page_count; i++) {
        if (i > 0)
            (void)buf_add_byte(out, ',');
        (void)buf_add(out,
                      slice_of(search->page[i].json, search->page[i].json_len));
    }
    (void)buf_add_text(out, "]}");
    end(search, out->full ? RC_LIMIT : RC_OK);
}

static bool is_crowded(const struct search *search)
{
    return search->peeker.out >= DISPATCH_OPERATE_READS_MAX;
}

/* 8 bytes for each message: only one search has that much at a time. */
static void start_walk(struct dispatch *dispatch, struct search *search)
{
    if (search->walks)
        return;
    search->walks = true;
    tour_begin(&search->walk, &dispatch->lanes, &search->filter, UINT64_MAX);
}

/* One search at a time. */
bool search_work(struct dispatch *dispatch, uint64_t until_us)
{
    uint64_t id = 0;
    while (!list_is_empty(&dispatch->searches) && time_now_us() < until_us) {
        struct search *search =
            container_of(dispatch->searches.next, struct search, link);
        if (is_crowded(search))
            return false;
        start_walk(dispatch, search);
        if (tour_next(&search->walk, &id))
            step(dispatch, search, id);
        else if (search->peeker.out > 0)
            return false;
        else
            answer(dispatch, search);
    }
    return !list_is_empty(&dispatch->searches);
}

void search_release(struct dispatch *dispatch)
{
    while (!list_is_empty(&dispatch->searches))
        end(container_of(dispatch->searches.next, struct search, link),
            RC_TIMEOUT);
}
