/* store.c - the link to Redis: scripts in, replies out, never blocking. */
#include "common/edge/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/edge/conn.h"
#include "common/edge/log.h"
#include "common/edge/lookup.h"
#include "common/edge/store_codec.h"
#include "common/edge/store_master.h"
#include "common/edge/store_url.h"

#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS   5000

#define IN_MAX  (256u << 10)
#define OUT_MAX (16u << 20)

/* Calls on their way; beyond that Redis does not keep up with us. */
#define CALLS_MAX 16384

#define SCRIPTS_MAX 64 /* different ones that one store is given */
#define SHA_SIZE    41 /* hexadecimal SHA-1, and a NUL */

/*
 *     DOWN -(timer)-> SEEKING -> CONNECTING -> GREETING -> UP
 *      ^_________________|___________|____________|_________|
 *
 * SEEKING: the sentinels are asked, where the URL names such, then the name is
 * looked up. GREETING: AUTH, SELECT, and then PING, or ROLE to see that a
 * sentinel's word was not old.
 */
enum state { DOWN, SEEKING, CONNECTING, GREETING, UP };

/* A script's SHA-1, once the server told it; empty before. It says nothing of
 * whether the server still has the script: NOSCRIPT does. */
struct known {
    const struct store_script *script;
    bool loading; /* asked for, the answer is not here */
    char sha[SHA_SIZE];
};

struct call {
    struct list link;
    store_fn *fn;
    void *context;
    const struct store_script *script; /* NULL: a plain command */
    bool by_sha;
    uint64_t due_ms;
    struct fault fault; /* why it failed */
    size_t word_count;
    struct slice words[STORE_WORDS_MAX];
    char bytes[]; /* of the words */
};

struct store {
    struct loop *loop;
    struct store_url url;
    struct tls_context *tls;
    struct store_master *master; /* NULL: Redis is where the URL says */
    struct lookup *lookup;
    size_t attempts; /* so many were made: each takes the next address */
    uint64_t timeout_ms;
    struct conn *conn;
    struct store_codec *codec;
    enum state state; /* written by enter() alone */
    uint64_t due_ms;  /* next attempt when DOWN, the end of it before UP */
    uint64_t wait_ms; /* between attempts */
    struct timer *timer;
    struct defer *tell;
    struct list sent;   /* in the order of their replies */
    struct list failed; /* to be told at the end of the turn */
    size_t sent_count;
    unsigned greetings; /* replies to wait for before UP */
    struct known known[SCRIPTS_MAX];
    size_t known_count;
    struct fault why; /* the link is down */
    bool busy;        /* inside a caller's function: store_free() waits */
    bool dead;
};

static void enter(struct store *store, enum state state, uint64_t due_ms)
{
    store->state = state;
    store->due_ms = due_ms;
    timer_set(store->timer, due_ms);
}

static struct call *new_call(const struct slice *words, size_t count,
                             store_fn *fn, void *context)
{
    CHECK(count > 0 && count <= STORE_WORDS_MAX);
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += words[i].len;
    struct call *call = mem_new(1, sizeof *call + size);
    list_init(&call->link);
    call->fn = fn;
    call->context = context;
    call->word_count = count;
    char *at = call->bytes;
    for (size_t i = 0; i < count; i++) {
        if (words[i].len > 0)
            memcpy(at, words[i].ptr, words[i].len);
        call->words[i] = slice_of(at, words[i].len);
        at += words[i].len;
    }
    return call;
}

static void free_calls(struct list *calls)
{
    for (struct list *at; (at = list_take(calls));)
        mem_free(container_of(at, struct call, link));
}

/* A failed call is told at the end of the turn, never inside the call that made
 * it. */
static void fail(struct store *store, struct call *call,
                 const struct fault *fault)
{
    call->fault = *fault;
    list_push_back(&store->failed, &call->link);
    defer_set(store->tell);
}

static void send_call(struct store *store, struct call *call)
{
    struct fault fault;
    struct buf *out = conn_out(store->conn);
    if (store->sent_count >= CALLS_MAX
        || !store_codec_say(call->words, call->word_count, out)) {
        (void)fault_set(&fault, RC_LIMIT, 0,
                        "redis: %zu calls wait for replies", store->sent_count);
        fail(store, call, &fault);
        return;
    }
    call->due_ms = loop_now_ms(store->loop) + store->timeout_ms;
    if (store->state == UP && list_is_empty(&store->sent))
        timer_set(store->timer, call->due_ms);
    list_push_back(&store->sent, &call->link);
    store->sent_count++;
    conn_flush(store->conn);
}

static void start_call(struct store *store, struct call *call)
{
    if (store->state == UP)
        send_call(store, call);
    else
        fail(store, call, &store->why);
}

/* Ends the link and all that was on its way, and plans the next attempt. */
static void lose_link(struct store *store, const struct fault *fault)
{
    bool is_news = store->state == UP || store->wait_ms == RETRY_FIRST_MS;
    if (store->master)
        store_master_stop(store->master);
    lookup_cancel(store->lookup);
    conn_free(&store->conn);
    store_codec_free(&store->codec);
    store->greetings = 0;
    store->sent_count = 0;
    (void)fault_set(&store->why, fault->rc, 0, "redis is down: %s",
                    fault->text);
    for (struct list *at; (at = list_take(&store->sent));)
        fail(store, container_of(at, struct call, link), &store->why);
    if (is_news)
        log_fault(LOG_WARNING, "redis_down", fault);

    enter(store, DOWN, loop_now_ms(store->loop) + store->wait_ms);
    store->wait_ms *= 2;
    if (store->wait_ms > RETRY_MAX_MS)
        store->wait_ms = RETRY_MAX_MS;
}

/* The last reply of the greeting, of a Redis that a sentinel named. */
static bool is_master(const struct store_reply *role)
{
    return role->kind == STORE_ARRAY && role->count > 0
           && role->items[0].kind == STORE_TEXT
           && slice_equal(role->items[0].text, SLICE("master"));
}

static void on_greeted(void *context, const struct store_reply *reply,
                       const struct fault *fault)
{
    struct store *store = context;
    struct fault is_replica;
    if (store->state != GREETING) /* of an attempt that is over */
        return;
    if (!reply) {
        lose_link(store, fault);
        return;
    }
    if (--store->greetings > 0)
        return;
    if (store->master && !is_master(reply)) {
        (void)fault_set(&is_replica, RC_IO, 0, "%s is not the master of %s",
                        store->url.host.name, store->url.master);
        lose_link(store, &is_replica);
        return;
    }
    store->wait_ms = RETRY_FIRST_MS;
    enter(store, UP, 0);
    log_line(LOG_INFO, "redis_up", "host=\"%s\"",
             store->url.is_unix ? "unix socket" : store->url.host.name);
}

static void greet(struct store *store, const struct slice *words, size_t count)
{
    store->greetings++;
    send_call(store, new_call(words, count, on_greeted, store));
}

/* PING or ROLE comes last: it finds a server that is loading or that wants a
 * password we have not got. */
static void greet_server(struct store *store)
{
    enter(store, GREETING, store->due_ms);
    const struct slice user = slice_text(store->url.user);
    const struct slice password = slice_text(store->url.password);
    if (!slice_is_empty(user))
        greet(store, (struct slice[]){ SLICE("AUTH"), user, password }, 3);
    else if (!slice_is_empty(password))
        greet(store, (struct slice[]){ SLICE("AUTH"), password }, 2);
    if (store->url.database > 0) {
        char number[12];
        (void)snprintf(number, sizeof number, "%u", store->url.database);
        greet(store, (struct slice[]){ SLICE("SELECT"), slice_text(number) },
              2);
    }
    greet(store,
          (struct slice[]){ store->master ? SLICE("ROLE") : SLICE("PING") }, 1);
}

static void on_open(void *context)
{
    struct store *store = context;
    if (store->tls && !conn_is_tls(store->conn))
        conn_start_tls(store->conn, store->tls, store->url.host.name);
    else
        greet_server(store);
}

static void on_closed(void *context, const struct fault *fault)
{
    lose_link(context, fault);
}

/* The server forgot the script (restart, SCRIPT FLUSH): EVAL loads it, too. */
static void send_whole(struct store *store, struct call *call)
{
    call->by_sha = false;
    call->words[0] = SLICE("EVAL");
    call->words[1] = slice_text(call->script->body);
    send_call(store, call);
}

static void answer(struct store *store, struct call *call,
                   const struct store_heard *heard)
{
    struct fault fault;
    bool is_error = heard->error.ptr != NULL;
    if (is_error && call->by_sha
        && slice_starts_nocase(heard->error, SLICE("NOSCRIPT"))) {
        send_whole(store, call);
        return;
    }
    /* It was the master: whoever is it now is to be asked for. */
    const bool is_demoted =
        is_error && store->master
        && slice_starts_nocase(heard->error, SLICE("READONLY"));
    if (is_error)
        (void)fault_set(&fault, RC_IO, 0, "redis refuses %s: %.*s",
                        call->script ? call->script->name : "a command",
                        (int)slice_head(heard->error, FAULT_TEXT_MAX).len,
                        heard->error.ptr);
    if (call->fn)
        call->fn(call->context, is_error ? NULL : heard->reply,
                 is_error ? &fault : NULL);
    mem_free(call);
    if (is_demoted && !store->dead && store->conn)
        lose_link(store, &fault);
}

/* Hands out one reply; false when there is none, or the link went. */
static bool hear_reply(struct store *store)
{
    struct store_heard heard;
    struct fault fault;
    enum rc rc = store_codec_hear(store->codec, &heard, &fault);
    if (rc == RC_MORE)
        return false;
    struct list *first = rc == RC_OK ? list_take(&store->sent) : NULL;
    if (rc == RC_OK && !first)
        rc = fault_set(&fault, RC_SYNTAX, 0, "redis answers what nobody asked");
    if (rc != RC_OK) {
        lose_link(store, &fault);
        return false;
    }
    store->sent_count--;
    answer(store, container_of(first, struct call, link), &heard);
    return !store->dead && store->conn != NULL;
}

static void end_work(struct store *store)
{
    store->busy = false;
    if (store->dead)
        store_free(&store);
}

static void on_input(void *context)
{
    struct store *store = context;
    struct buf *in = conn_in(store->conn);
    if (store->state < GREETING || !store->codec
        || store_codec_feed(store->codec, buf_slice(in)) != RC_OK) {
        struct fault fault;
        (void)fault_set(&fault, RC_LIMIT, 0, "redis says too much");
        lose_link(store, &fault);
        return;
    }
    buf_take(in, in->len);
    store->busy = true;
    while (hear_reply(store))
        ;
    end_work(store);
}

/* What fails meanwhile waits for the next turn. */
static void tell_failed(void *context)
{
    struct store *store = context;
    struct list now;
    list_init(&now);
    for (struct list *at; (at = list_take(&store->failed));)
        list_push_back(&now, at);
    store->busy = true;
    for (struct list *at; !store->dead && (at = list_take(&now));) {
        struct call *call = container_of(at, struct call, link);
        if (call->fn)
            call->fn(call->context, NULL, &call->fault);
        mem_free(call);
    }
    free_calls(&now);
    end_work(store);
}

static void connect_redis(struct store *store, const struct addr *addr)
{
    static const struct conn_handlers handlers = {
        .on_open = on_open,
        .on_input = on_input,
        .on_closed = on_closed,
    };
    struct fault fault;
    enter(store, CONNECTING, loop_now_ms(store->loop) + store->timeout_ms);
    store->codec = store_codec_new();
    store->conn = conn_connect(store->loop, NULL, addr, IN_MAX, OUT_MAX,
                               &handlers, store, &fault);
    if (!store->conn)
        lose_link(store, &fault);
}

static void on_addresses(void *context, const struct addr *addrs, size_t count,
                         const struct fault *fault)
{
    struct store *store = context;
    if (count == 0)
        lose_link(store, fault);
    else
        connect_redis(store, &addrs[store->attempts++ % count]);
}

static void look_up(struct store *store)
{
    lookup_ask(store->lookup, store->url.host.name, store->url.host.port);
}

static void on_master(void *context, const struct store_host *host,
                      const struct fault *fault)
{
    struct store *store = context;
    if (!host) {
        lose_link(store, fault);
        return;
    }
    store->url.host = *host;
    look_up(store);
}

static void start_link(struct store *store)
{
    enter(store, SEEKING, loop_now_ms(store->loop) + store->timeout_ms);
    if (store->url.is_unix)
        connect_redis(store, &store->url.socket);
    else if (store->master)
        store_master_ask(store->master);
    else
        look_up(store);
}

/* While UP the timer may come early: it is set for the call that was the oldest
 * when nothing else waited, and moves on from there. */
static void on_time(void *context)
{
    struct store *store = context;
    uint64_t now_ms = loop_now_ms(store->loop);
    uint64_t due_ms = store->due_ms;
    if (store->state == UP) {
        if (list_is_empty(&store->sent))
            return;
        due_ms = container_of(store->sent.next, struct call, link)->due_ms;
    }
    if (now_ms < due_ms) {
        timer_set(store->timer, due_ms);
        return;
    }
    if (store->state == DOWN) {
        start_link(store);
        return;
    }
    struct fault fault;
    (void)fault_set(&fault, RC_TIMEOUT, 0, "no answer within %llu ms",
                    (unsigned long long)store->timeout_ms);
    lose_link(store, &fault);
}

static enum rc read_password(const char *path, struct store_url *url,
                             struct fault *fault)
{
    char text[STORE_SECRET_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    if (len < 0)
        return fault_set(fault, RC_IO, error, "redis password %s", path);
    struct slice password = slice_trim(slice_of(text, (size_t)len));
    bool fits = password.len > 0 && password.len < sizeof url->password;
    if (fits) {
        memcpy(url->password, password.ptr, password.len);
        url->password[password.len] = '\0';
    }
    explicit_bzero(text, sizeof text);
    return fits ? RC_OK
                : fault_set(fault, RC_SYNTAX, 0,
                            "redis password %s is empty or too long", path);
}

static enum rc read_place(const struct store_place *place,
                          struct store_url *url, struct fault *fault)
{
    const enum rc rc = store_url_parse(place->url, url, fault);
    if (rc != RC_OK)
        return rc;
    if (place->user
        && (size_t)snprintf(url->user, sizeof url->user, "%s", place->user)
               >= sizeof url->user)
        return fault_set(fault, RC_SYNTAX, 0, "redis user is too long");
    return place->password_file
               ? read_password(place->password_file, url, fault)
               : RC_OK;
}

struct store *store_new(struct loop *loop, const struct store_place *place,
                        uint64_t timeout_ms, struct fault *fault)
{
    scoped(store_free) struct store *store = NEW(struct store);
    list_init(&store->sent);
    list_init(&store->failed);
    if (read_place(place, &store->url, fault) != RC_OK)
        return NULL;
    if (store->url.is_tls) {
        store->tls = tls_client_context(true, place->ca_file, fault);
        if (!store->tls)
            return NULL;
    }
    store->loop = loop;
    if (store->url.sentinel_count > 0)
        store->master =
            store_master_new(loop, &store->url, store->tls, on_master, store);
    store->timeout_ms = timeout_ms;
    store->wait_ms = RETRY_FIRST_MS;
    store->timer = timer_new(loop, on_time, store);
    store->tell = defer_new(loop, tell_failed, store);
    store->lookup = lookup_new(loop, on_addresses, store);
    (void)fault_set(&store->why, RC_CLOSED, 0, "redis is not yet connected");
    enter(store, DOWN, loop_now_ms(loop));
    return steal(store);
}

void store_free(struct store **store)
{
    struct store *old = steal(*store);
    if (!old)
        return;
    if (old->busy) {
        old->dead = true;
        return;
    }
    lookup_free(&old->lookup);
    conn_free(&old->conn);
    store_codec_free(&old->codec);
    store_master_free(&old->master);
    tls_context_release(&old->tls);
    timer_free(&old->timer);
    defer_free(&old->tell);
    free_calls(&old->sent);
    free_calls(&old->failed);
    explicit_bzero(&old->url, sizeof old->url);
    mem_free(old);
}

bool store_is_up(const struct store *store)
{
    return store->state == UP;
}

static void on_loaded(void *context, const struct store_reply *reply,
                      const struct fault *fault)
{
    (void)fault; /* the EVAL beside it tells the caller */
    struct known *known = context;
    known->loading = false;
    if (reply && reply->kind == STORE_TEXT && reply->text.len == SHA_SIZE - 1)
        memcpy(known->sha, reply->text.ptr, SHA_SIZE - 1);
}

static struct known *find_known(struct store *store,
                                const struct store_script *script)
{
    for (size_t i = 0; i < store->known_count; i++)
        if (store->known[i].script == script)
            return &store->known[i];
    CHECK(store->known_count < SCRIPTS_MAX);
    struct known *known = &store->known[store->known_count++];
    known->script = script;
    return known;
}

/* Has the server load the script and tell its SHA-1; meanwhile EVAL does. */
static void learn(struct store *store, struct known *known)
{
    if (known->sha[0] != '\0' || known->loading || store->state != UP)
        return;
    known->loading = true;
    const struct slice words[] = { SLICE("SCRIPT"), SLICE("LOAD"),
                                   slice_text(known->script->body) };
    send_call(store, new_call(words, ARRAY_LEN(words), on_loaded, known));
}

struct slice store_number(uint64_t number, char text[STORE_NUMBER_SIZE])
{
    const int len = snprintf(text, STORE_NUMBER_SIZE, "%" PRIu64, number);
    return slice_of(text, (size_t)len);
}

void store_eval(struct store *store, const struct store_script *script,
                const struct slice *keys, size_t key_count,
                const struct slice *args, size_t arg_count, store_fn *fn,
                void *context)
{
    CHECK(key_count <= STORE_ARGS_MAX
          && arg_count <= STORE_ARGS_MAX - key_count);
    struct known *known = find_known(store, script);
    bool by_sha = known->sha[0] != '\0';
    learn(store, known);

    char number[12];
    struct slice words[STORE_WORDS_MAX];
    (void)snprintf(number, sizeof number, "%zu", key_count);
    words[0] = by_sha ? SLICE("EVALSHA") : SLICE("EVAL");
    words[1] = slice_text(by_sha ? known->sha : script->body);
    words[2] = slice_text(number);
    for (size_t i = 0; i < key_count; i++)
        words[3 + i] = keys[i];
    for (size_t i = 0; i < arg_count; i++)
        words[3 + key_count + i] = args[i];

    struct call *call = new_call(words, 3 + key_count + arg_count, fn, context);
    call->script = script;
    call->by_sha = by_sha;
    start_call(store, call);
}

void store_command(struct store *store, const struct slice *words,
                   size_t word_count, store_fn *fn, void *context)
{
    start_call(store, new_call(words, word_count, fn, context));
}
