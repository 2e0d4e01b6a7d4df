/* exchange.c - the book's copies with the other routers, through Redis. */
#include "router/actions/exchange.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/edge/store.h"
#include "common/proto/message_id.h"

#define LOOK_EACH_MS     500u
#define STORE_TIMEOUT_MS 2000u
#define KEY_MAX          512u
#define FIELD_MAX        (ID_TEXT_LEN + 1 + ACTION_NAME_MAX)

/* What Redis has of one action, as of the last reading. */
struct known {
    bool has_action;
    bool has_end;
    uint64_t ended_utc_ms;
    struct progress ours;
    bool has_ours;
};

struct exchange {
    struct book *book;
    struct loop *loop;
    struct store *store;
    struct timer *look;
    struct mailbox *changes; /* the exchange itself: the book has news */
    struct table known;      /* struct known by the action's id */
    char *router;
    char *key;
    uint64_t epoch; /* of the last reading */
    bool has_epoch;
    bool is_asking;  /* a reading is under way */
    bool has_failed; /* a write was lost: compare everything again */
};

static void forget(struct exchange *exchange)
{
    size_t at = 0;
    for (struct known *known; (known = table_next(&exchange->known, &at));)
        mem_free(known);
    table_release(&exchange->known);
    table_init(&exchange->known);
}

static struct known *known_of(struct exchange *exchange, uint64_t id)
{
    struct known *known = table_get(&exchange->known, id);
    if (known)
        return known;
    known = NEW(struct known);
    table_put(&exchange->known, id, known);
    return known;
}

static void heard_write(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    struct exchange *exchange = context;
    if (reply)
        return;
    exchange->has_failed = true;
    log_line(LOG_DEBUG, "action_not_shared", "why=\"%s\"", fault->text);
}

static void write_field(struct exchange *exchange, const char *verb,
                        struct slice field, struct slice value)
{
    const struct slice words[] = { slice_text(verb), slice_text(exchange->key),
                                   field, value };
    store_command(exchange->store, words, ARRAY_LEN(words), heard_write,
                  exchange);
}

static void raise_epoch(struct exchange *exchange)
{
    const struct slice words[] = { SLICE("HINCRBY"), slice_text(exchange->key),
                                   SLICE("epoch"), SLICE("1") };
    store_command(exchange->store, words, ARRAY_LEN(words), heard_write,
                  exchange);
}

static bool is_same(const struct progress *a, const struct progress *b)
{
    return a->state == b->state && a->total == b->total && a->seen == b->seen
           && a->matched == b->matched && a->done == b->done
           && a->busy == b->busy;
}

struct push {
    struct exchange *exchange;
    bool wrote;
};

static void push_action(struct push *push, struct known *known,
                        const struct action *action, const char *id)
{
    const bool has_end = action->ended_utc_ms > 0;
    const bool differs =
        has_end && known->has_end && known->ended_utc_ms > action->ended_utc_ms;
    if (known->has_action && (known->has_end || !has_end) && !differs)
        return;
    scoped(buf_release) struct buf packed;
    buf_init(&packed, ACTION_BYTES_MAX);
    if (!action_pack(action, &packed))
        return;
    write_field(push->exchange, has_end ? "HSET" : "HSETNX", slice_text(id),
                buf_slice(&packed));
    known->has_action = true;
    known->has_end = has_end;
    known->ended_utc_ms = action->ended_utc_ms;
    push->wrote = true;
}

static void push_progress(struct push *push, struct known *known,
                          const struct progress *ours, const char *id)
{
    if (known->has_ours && is_same(&known->ours, ours))
        return;
    scoped(buf_release) struct buf text;
    scoped(buf_release) struct buf packed;
    buf_init(&text, FIELD_MAX);
    buf_init(&packed, ACTION_BYTES_MAX);
    (void)buf_addf(&text, "%s/%s", id, push->exchange->router);
    if (!progress_pack(ours, &packed))
        return;
    write_field(push->exchange, "HSET", buf_slice(&text), buf_slice(&packed));
    known->has_ours = true;
    known->ours = *ours;
    push->wrote = true;
}

static void push_one(void *context, const struct action *action,
                     const struct progress *ours)
{
    struct push *push = context;
    char id[ID_TEXT_SIZE];
    if (action_is_past(action, time_utc_ms()))
        return;
    struct known *known = known_of(push->exchange, action->id);
    (void)id_format(action->id, id);
    push_action(push, known, action, id);
    if (action->kind != ACTION_PAUSE)
        push_progress(push, known, ours, id);
}

/* Writes what Redis has not. */
static void push(struct exchange *exchange)
{
    struct push push = { .exchange = exchange };
    book_each(exchange->book, push_one, &push);
    if (push.wrote)
        raise_epoch(exchange);
}

/* Of an action that nobody needs any more. */
static void remove_field(struct exchange *exchange, struct slice field)
{
    const struct slice words[] = { SLICE("HDEL"), slice_text(exchange->key),
                                   field };
    store_command(exchange->store, words, ARRAY_LEN(words), heard_write,
                  exchange);
}

static void take_action(struct exchange *exchange, uint64_t id,
                        struct slice value)
{
    struct action action;
    if (action_unpack(value, &action) != RC_OK || action.id != id) {
        log_line(LOG_WARNING, "action_unreadable", "bytes=%zu", value.len);
        return;
    }
    if (action_is_past(&action, time_utc_ms())) {
        char field[ID_TEXT_SIZE];
        remove_field(exchange, slice_text(id_format(id, field)));
        return;
    }
    struct known *known = known_of(exchange, id);
    known->has_action = true;
    known->has_end = action.ended_utc_ms > 0;
    known->ended_utc_ms = action.ended_utc_ms;
    book_merge(exchange->book, &action);
}

static void take_progress(struct exchange *exchange, uint64_t id,
                          struct slice router, struct slice value)
{
    struct progress progress;
    if (progress_unpack(value, &progress) != RC_OK)
        return;
    if (slice_equal(router, slice_text(exchange->router))) {
        struct known *known = known_of(exchange, id);
        known->has_ours = true;
        known->ours = progress;
        return;
    }
    book_merge_progress(exchange->book, id, router, &progress);
}

static void take_field(struct exchange *exchange, struct slice field,
                       struct slice value)
{
    uint64_t id = 0;
    if (!id_parse(slice_head(field, ID_TEXT_LEN), &id))
        return; /* the epoch, or of a later version */
    const struct slice rest = slice_from(field, ID_TEXT_LEN);
    const bool is_past =
        time_utc_ms() > id_utc_ms(id) + 2 * ACTION_KEEP_MS; /* its action is */
    if (rest.len == 0)
        take_action(exchange, id, value);
    else if (is_past)
        remove_field(exchange, field);
    else if (rest.ptr[0] == '/')
        take_progress(exchange, id, slice_from(rest, 1), value);
}

/* Actions first: progress is kept with them. */
static void take_all(struct exchange *exchange, const struct store_reply *reply)
{
    for (unsigned longer = 0; longer < 2; longer++)
        for (size_t i = 0; i + 1 < reply->count; i += 2) {
            const struct slice field = reply->items[i].text;
            if ((field.len > ID_TEXT_LEN) == (longer == 1))
                take_field(exchange, field, reply->items[i + 1].text);
        }
}

static void heard_all(void *context, const struct store_reply *reply,
                      const struct fault *fault)
{
    (void)fault; /* the link tells of its own troubles */
    struct exchange *exchange = context;
    exchange->is_asking = false;
    if (!reply || reply->kind != STORE_ARRAY) {
        exchange->has_epoch = false;
        return;
    }
    forget(exchange);
    take_all(exchange, reply);
    book_merged(exchange->book);
    push(exchange);
}

static void ask_all(struct exchange *exchange)
{
    const struct slice words[] = { SLICE("HGETALL"),
                                   slice_text(exchange->key) };
    exchange->has_failed = false;
    store_command(exchange->store, words, ARRAY_LEN(words), heard_all,
                  exchange);
}

static void heard_epoch(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    struct exchange *exchange = context;
    uint64_t epoch = 0;
    if (!reply) {
        exchange->is_asking = false;
        exchange->has_epoch = false;
        return;
    }
    if (reply->kind == STORE_TEXT)
        (void)slice_number(reply->text, UINT64_MAX, &epoch);
    if (exchange->has_epoch && !exchange->has_failed
        && epoch == exchange->epoch) {
        exchange->is_asking = false;
        return;
    }
    exchange->epoch = epoch;
    exchange->has_epoch = true;
    ask_all(exchange);
}

static void ask_epoch(struct exchange *exchange)
{
    const struct slice words[] = { SLICE("HGET"), slice_text(exchange->key),
                                   SLICE("epoch") };
    exchange->is_asking = true;
    store_command(exchange->store, words, ARRAY_LEN(words), heard_epoch,
                  exchange);
}

static void look(void *context)
{
    struct exchange *exchange = context;
    timer_set(exchange->look, loop_now_ms(exchange->loop) + LOOK_EACH_MS);
    if (!store_is_up(exchange->store))
        exchange->has_epoch = false; /* it may come back as another */
    else if (!exchange->is_asking)
        ask_epoch(exchange);
}

/* In any thread, under the book's lock. One that does not fit is no loss: the
 * mailbox holds one already. */
static void hear_change(void *context)
{
    struct exchange *exchange = context;
    if (!mailbox_post(exchange->changes, exchange))
        return;
}

static void change(void *context, void *item)
{
    (void)item;
    struct exchange *exchange = context;
    if (store_is_up(exchange->store) && exchange->has_epoch)
        push(exchange);
}

struct exchange *exchange_new(struct loop *loop,
                              const struct exchange_options *options,
                              struct fault *fault)
{
    scoped(buf_release) struct buf key;
    struct store *store =
        store_new(loop, &options->redis, STORE_TIMEOUT_MS, fault);
    if (!store)
        return NULL;
    buf_init(&key, KEY_MAX);
    (void)buf_addf(&key, "%sactions", options->prefix);
    const struct slice name = buf_slice(&key);
    struct exchange *exchange = NEW(struct exchange);
    exchange->book = options->book;
    exchange->loop = loop;
    exchange->store = store;
    exchange->router = mem_copy_text(options->router, strlen(options->router));
    exchange->key = mem_copy_text(name.ptr, name.len);
    table_init(&exchange->known);
    exchange->changes = mailbox_new(loop, 1, change, exchange);
    exchange->look = timer_new(loop, look, exchange);
    timer_set(exchange->look, loop_now_ms(loop));
    book_on_change(options->book, hear_change, exchange);
    return exchange;
}

void exchange_free(struct exchange **exchange)
{
    struct exchange *freed = steal(*exchange);
    if (!freed)
        return;
    book_on_change(freed->book, NULL, NULL);
    mailbox_free(&freed->changes);
    store_free(&freed->store); /* its calls are dropped */
    timer_free(&freed->look);
    forget(freed);
    table_release(&freed->known);
    mem_free(freed->router);
    mem_free(freed->key);
    mem_free(freed);
}
