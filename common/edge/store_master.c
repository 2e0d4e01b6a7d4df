/* store_master.c - which Redis is the master now: the sentinels know. */
#include "common/edge/store_master.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "common/edge/conn.h"
#include "common/edge/lookup.h"
#include "common/edge/store_codec.h"

#define IN_MAX  (64u << 10)
#define OUT_MAX (4u << 10)

struct store_master {
    struct loop *loop;
    const struct store_url *url;
    struct tls_context *tls;
    store_master_fn *fn;
    void *context;
    struct lookup *lookup;
    struct conn *conn;
    struct store_codec *codec;
    size_t turn; /* of the sentinel that is asked */
    bool is_asking;
};

static void end_question(struct store_master *master)
{
    master->is_asking = false;
    lookup_cancel(master->lookup);
    conn_free(&master->conn);
    store_codec_free(&master->codec);
}

void store_master_stop(struct store_master *master)
{
    if (master->is_asking)
        master->turn++;
    end_question(master);
}

static const struct store_host *asked(const struct store_master *master)
{
    return &master->url->sentinels[master->turn % master->url->sentinel_count];
}

static void tell_none(struct store_master *master, const struct fault *why)
{
    struct fault fault;
    (void)fault_set(&fault, why->rc, 0, "sentinel %s: %s", asked(master)->name,
                    why->text);
    store_master_stop(master);
    master->fn(master->context, NULL, &fault);
}

static void on_closed(void *context, const struct fault *fault)
{
    tell_none(context, fault);
}

static void on_open(void *context)
{
    struct store_master *master = context;
    if (master->tls && !conn_is_tls(master->conn)) {
        conn_start_tls(master->conn, master->tls, asked(master)->name);
        return;
    }
    const struct slice words[] = { SLICE("SENTINEL"),
                                   SLICE("get-master-addr-by-name"),
                                   slice_text(master->url->master) };
    (void)!store_codec_say(words, ARRAY_LEN(words), conn_out(master->conn));
}

/* ["10.0.0.1", "6379"]; nil when it knows no master of the name. */
static enum rc read_answer(const struct store_master *master,
                           const struct store_heard *heard,
                           struct store_host *host, struct fault *fault)
{
    const struct store_reply *reply = heard->reply;
    if (heard->error.ptr)
        return fault_set(fault, RC_IO, 0, "%.*s",
                         (int)slice_head(heard->error, FAULT_TEXT_MAX).len,
                         heard->error.ptr);
    if (reply->kind == STORE_NIL)
        return fault_set(fault, RC_NONE, 0, "knows no master %s",
                         master->url->master);
    uint64_t port = 0;
    if (reply->kind != STORE_ARRAY || reply->count != 2
        || reply->items[0].kind != STORE_TEXT
        || reply->items[1].kind != STORE_TEXT
        || !slice_number(reply->items[1].text, UINT16_MAX, &port)
        || reply->items[0].text.len >= sizeof host->name)
        return fault_set(fault, RC_SYNTAX, 0, "names no address of a master");
    (void)snprintf(host->name, sizeof host->name, "%.*s",
                   SLICE_ARG(reply->items[0].text));
    host->port = (uint16_t)port;
    return RC_OK;
}

static void on_input(void *context)
{
    struct store_master *master = context;
    struct buf *in = conn_in(master->conn);
    struct store_heard heard = { 0 };
    struct store_host host;
    struct fault fault;
    enum rc rc = store_codec_feed(master->codec, buf_slice(in));
    buf_take(in, in->len);
    if (rc != RC_OK)
        rc = fault_set(&fault, RC_LIMIT, 0, "says too much");
    else
        rc = store_codec_hear(master->codec, &heard, &fault);
    if (rc == RC_MORE)
        return;
    if (rc == RC_OK)
        rc = read_answer(master, &heard, &host, &fault);
    if (rc != RC_OK) {
        tell_none(master, &fault);
        return;
    }
    end_question(master);
    master->fn(master->context, &host, NULL);
}

static void on_addresses(void *context, const struct addr *addrs, size_t count,
                         const struct fault *why)
{
    static const struct conn_handlers handlers = {
        .on_open = on_open,
        .on_input = on_input,
        .on_closed = on_closed,
    };
    struct store_master *master = context;
    struct fault fault;
    if (count == 0) {
        tell_none(master, why);
        return;
    }
    master->codec = store_codec_new();
    master->conn = conn_connect(master->loop, NULL, &addrs[0], IN_MAX, OUT_MAX,
                                &handlers, master, &fault);
    if (!master->conn)
        tell_none(master, &fault);
}

void store_master_ask(struct store_master *master)
{
    store_master_stop(master);
    master->is_asking = true;
    lookup_ask(master->lookup, asked(master)->name, asked(master)->port);
}

struct store_master *store_master_new(struct loop *loop,
                                      const struct store_url *url,
                                      struct tls_context *tls,
                                      store_master_fn *fn, void *context)
{
    struct store_master *master = NEW(struct store_master);
    master->loop = loop;
    master->url = url;
    master->tls = tls;
    master->fn = fn;
    master->context = context;
    master->lookup = lookup_new(loop, on_addresses, master);
    return master;
}

void store_master_free(struct store_master **master)
{
    struct store_master *freed = steal(*master);
    if (!freed)
        return;
    store_master_stop(freed);
    lookup_free(&freed->lookup);
    mem_free(freed);
}
