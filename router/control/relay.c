/* relay.c - complaints about mail of other routers, on their way there. */
#include "router/control/relay.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"

#define LOOK_EACH_MS     5000u
#define STORE_TIMEOUT_MS 2000u
#define LISTS_TTL_MS     HOURS_MS(7u * 24)
#define NOTES_AT_ONCE    64u
#define KEY_SIZE         768u

/* Appends a note to a list that has room, for as long as is said. */
static const struct store_script script_give = {
    .name = "complaint-give",
    .body = "if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then\n"
            "  return 0\n"
            "end\n"
            "redis.call('RPUSH', KEYS[1], ARGV[1])\n"
            "redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"
            "return 1\n",
};

/* Drops the notes that were heard: the next ones. */
static const struct store_script script_take = {
    .name = "complaint-take",
    .body = "redis.call('LTRIM', KEYS[1], ARGV[1], -1)\n"
            "return redis.call('LRANGE', KEYS[1], 0, ARGV[2] - 1)\n",
};

/* A note for another router. */
struct note {
    struct list link; /* of those that wait, or are with Redis */
    struct relay *relay;
    uint16_t router;
    size_t len;
    char bytes[];
};

struct relay {
    struct relay_options options;
    char *prefix;
    struct loop *loop;
    struct store *store;
    struct mailbox *sent;
    struct list waiting;
    struct list given; /* to Redis, which has not answered */
    size_t count;      /* in both */
    struct timer *look;
    size_t heard; /* notes of ours that are on the list still */
    bool is_asking;
};

static struct slice key_of(const struct relay *relay, uint16_t router,
                           char key[KEY_SIZE])
{
    const int len = snprintf(key, KEY_SIZE, "%scomplaints:%u", relay->prefix,
                             (unsigned)router);
    return slice_of(key, (size_t)len < KEY_SIZE ? (size_t)len : KEY_SIZE - 1);
}

/* ---- to others --------------------------------------------------------- */

static void end_note(struct note *note)
{
    note->relay->count--;
    list_remove(&note->link);
    mem_free(note);
}

static void log_lost(const struct note *note)
{
    log_line(LOG_WARNING, "complaint_not_relayed", "router=%u",
             (unsigned)note->router);
}

static void heard_given(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault; /* the link tells of its own troubles */
    struct note *note = context;
    struct relay *relay = note->relay;
    list_remove(&note->link);
    if (!reply) {
        list_push_front(&relay->waiting, &note->link);
        return;
    }
    if (reply->kind != STORE_INTEGER || reply->integer == 0)
        log_lost(note);
    end_note(note);
}

static void give(struct relay *relay, struct note *note)
{
    char key[KEY_SIZE];
    char kept[STORE_NUMBER_SIZE];
    char ttl[STORE_NUMBER_SIZE];
    const struct slice keys[] = { key_of(relay, note->router, key) };
    const struct slice args[] = {
        slice_of(note->bytes, note->len),
        store_number(RELAY_KEPT, kept),
        store_number(LISTS_TTL_MS, ttl),
    };
    list_push_back(&relay->given, &note->link);
    store_eval(relay->store, &script_give, keys, ARRAY_LEN(keys), args,
               ARRAY_LEN(args), heard_given, note);
}

static void give_some(struct relay *relay)
{
    for (unsigned i = 0; i < NOTES_AT_ONCE; i++) {
        struct list *link = list_take(&relay->waiting);
        if (!link)
            break;
        give(relay, container_of(link, struct note, link));
    }
}

static void hear_sent(void *context, void *item)
{
    struct relay *relay = context;
    struct note *note = item;
    list_init(&note->link);
    if (relay->count++ >= RELAY_KEPT) {
        log_lost(note);
        end_note(note);
        return;
    }
    list_push_back(&relay->waiting, &note->link);
    if (store_is_up(relay->store))
        give_some(relay);
}

bool relay_send(struct relay *relay, uint16_t router, struct slice text)
{
    struct note *note = mem_new(1, sizeof *note + text.len);
    note->relay = relay;
    note->router = router;
    note->len = text.len;
    memcpy(note->bytes, text.ptr, text.len);
    if (mailbox_post(relay->sent, note))
        return true;
    mem_free(note);
    return false;
}

/* ---- to us ------------------------------------------------------------- */

static void ask(struct relay *relay);

static void heard_taken(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    struct relay *relay = context;
    relay->is_asking = false;
    if (!reply || reply->kind != STORE_ARRAY)
        return;
    for (size_t i = 0; i < reply->count; i++)
        relay->options.heard(relay->options.context, reply->items[i].text);
    relay->heard = reply->count;
    if (reply->count == NOTES_AT_ONCE)
        ask(relay);
}

/* What was heard is taken off by this call, and by no later one. */
static void ask(struct relay *relay)
{
    char key[KEY_SIZE];
    char numbers[2][STORE_NUMBER_SIZE];
    const struct slice keys[] = { key_of(relay, relay->options.number, key) };
    const struct slice args[] = {
        store_number(relay->heard, numbers[0]),
        store_number(NOTES_AT_ONCE, numbers[1]),
    };
    relay->heard = 0;
    relay->is_asking = true;
    store_eval(relay->store, &script_take, keys, ARRAY_LEN(keys), args,
               ARRAY_LEN(args), heard_taken, relay);
}

static void look(void *context)
{
    struct relay *relay = context;
    timer_set(relay->look, loop_now_ms(relay->loop) + LOOK_EACH_MS);
    if (!store_is_up(relay->store))
        return;
    give_some(relay);
    if (!relay->is_asking)
        ask(relay);
}

/* ---- */

struct relay *relay_new(struct loop *loop, const struct relay_options *options,
                        struct fault *fault)
{
    struct store *store =
        store_new(loop, &options->redis, STORE_TIMEOUT_MS, fault);
    if (!store)
        return NULL;
    struct relay *relay = NEW(struct relay);
    relay->options = *options;
    relay->prefix = mem_copy_text(options->prefix, strlen(options->prefix));
    relay->loop = loop;
    relay->store = store;
    list_init(&relay->waiting);
    list_init(&relay->given);
    relay->sent = mailbox_new(loop, RELAY_KEPT, hear_sent, relay);
    relay->look = timer_new(loop, look, relay);
    timer_set(relay->look, loop_now_ms(loop));
    return relay;
}

static void end_all(struct list *notes)
{
    while (!list_is_empty(notes))
        end_note(container_of(notes->next, struct note, link));
}

void relay_free(struct relay **relay)
{
    struct relay *freed = steal(*relay);
    if (!freed)
        return;
    mailbox_free(&freed->sent);
    store_free(&freed->store); /* its calls are dropped */
    end_all(&freed->waiting);
    end_all(&freed->given);
    timer_free(&freed->look);
    mem_free(freed->prefix);
    mem_free(freed);
}
