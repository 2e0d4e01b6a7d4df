/* store_master.c - which Redis is the master now: the sentinels know. */
#include "common/edge/store_master.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "common/edge/conn.h"
#include "common/edge/store_codec.h"

#define IN_MAX  (64u << 10)
#define OUT_MAX (4u << 10)

struct store_master {
    struct loop *loop;
    const struct store_url *url;
    struct tls_context *tls;
    store_master_fn *fn;
    void *context;
    struct conn *conn; /* NULL: IDLE */
    struct store_codec *codec;
    size_t turn; /* of the sentinel that is asked */
};

void store_master_stop(struct store_master *master)
{
    if (!master->conn)
        return;
    conn_free(&master->conn);
    store_codec_free(&master->codec);
    master->turn++;
}

static const struct store_sentinel *asked(const struct store_master *master)
{
    return &master->url->sentinels[master->turn % master->url->sentinel_count];
}

static void tell_none(struct store_master *master, const struct fault *why)
{
    struct fault fault;
    (void)fault_set(&fault, why->rc, 0, "sentinel %s: %s", asked(master)->host,
                    why->text);
    store_master_stop(master);
    master->fn(master->context, NULL, NULL, &fault);
}

static void on_closed(void *context, const struct fault *fault)
{
    tell_none(context, fault);
}

static void on_open(void *context)
{
    struct store_master *master = context;
    if (master->tls && !conn_is_tls(master->conn)) {
        conn_start_tls(master->conn, master->tls, asked(master)->host);
        return;
    }
    const struct slice words[] = { SLICE("SENTINEL"),
                                   SLICE("get-master-addr-by-name"),
                                   slice_text(master->url->master) };
    (void)!store_codec_say(words, ARRAY_LEN(words), conn_out(master->conn));
}

/* ["10.0.0.1", "6379"]; nil when it knows no master of the name. */
static enum rc read_answer(const struct store_master *master,
                           const struct store_heard *heard, struct addr *addr,
                           char host[STORE_HOST_SIZE], struct fault *fault)
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
        || !addr_of_ip(reply->items[0].text, (uint16_t)port, addr))
        return fault_set(fault, RC_SYNTAX, 0, "names no address of a master");
    (void)snprintf(host, STORE_HOST_SIZE, "%.*s",
                   SLICE_ARG(reply->items[0].text));
    return RC_OK;
}

static void on_input(void *context)
{
    struct store_master *master = context;
    struct buf *in = conn_in(master->conn);
    struct store_heard heard;
    struct fault fault;
    struct addr addr;
    char host[STORE_HOST_SIZE];
    enum rc rc = store_codec_feed(master->codec, buf_slice(in));
    buf_take(in, in->len);
    if (rc != RC_OK)
        rc = fault_set(&fault, RC_LIMIT, 0, "says too much");
    else
        rc = store_codec_hear(master->codec, &heard, &fault);
    if (rc == RC_MORE)
        return;
    if (rc == RC_OK)
        rc = read_answer(master, &heard, &addr, host, &fault);
    if (rc != RC_OK) {
        tell_none(master, &fault);
        return;
    }
    conn_free(&master->conn);
    store_codec_free(&master->codec);
    master->fn(master->context, &addr, host, NULL);
}

enum rc store_master_ask(struct store_master *master, struct fault *fault)
{
    static const struct conn_handlers handlers = {
        .on_open = on_open,
        .on_input = on_input,
        .on_closed = on_closed,
    };
    store_master_stop(master);
    master->conn = conn_connect(master->loop, NULL, &asked(master)->addr,
                                IN_MAX, OUT_MAX, &handlers, master, fault);
    if (!master->conn) {
        master->turn++;
        return RC_IO;
    }
    master->codec = store_codec_new();
    return RC_OK;
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
    return master;
}

void store_master_free(struct store_master **master)
{
    struct store_master *freed = steal(*master);
    if (!freed)
        return;
    store_master_stop(freed);
    mem_free(freed);
}
