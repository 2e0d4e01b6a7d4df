/* channel.c - one outgoing connection: a dialog, its socket, its waits. */
#include "workers/smtp/channel.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/conn.h"
#include "common/edge/log.h"

#define IN_MAX       (64u << 10)
#define OUT_MAX      (512u << 10) /* an envelope of 1,000 pipelined RCPTs */
#define OUT_TARGET   (128u << 10) /* of body that waits for the socket */
#define QUIT_WAIT_MS SECONDS_MS(5)

/* A server may have left a connection that has been idle for longer. */
#define PROBE_IDLE_MS SECONDS_MS(1)

#define TLS_TEXT_SIZE 16 /* "TLSv1.3" */

enum channel_state {
    CHANNEL_SEEKING,    /* waits for an address */
    CHANNEL_CONNECTING, /* waits for the socket */
    CHANNEL_TUNNELING,  /* waits for the proxy to connect */
    CHANNEL_TALKING,    /* the dialog runs */
    CHANNEL_GONE,
};

struct channel {
    struct channel_options options;
    struct dialog_options clear; /* the same dialog without TLS */
    enum channel_state state;
    struct hosts *hosts;
    struct conn *conn;
    struct tap *tap; /* NULL: nobody traces it */
    struct timer *timer;
    struct socks socks; /* in TUNNELING */
    struct dialog dialog;
    struct addr addr; /* at which we try */
    char host[DNS_NAME_MAX + 1];
    char host_ip[ADDR_TEXT_SIZE];
    char tls[TLS_TEXT_SIZE]; /* outlives the connection: results name it */
    bool was_ready;          /* since then its end is the owner's news */
    bool in_clear;           /* TLS failed at this address: without it now */
    bool is_shaking;
    bool falls_over; /* it tries an address that has a short wait */
    struct transaction *sent[DIALOG_TRANSACTIONS_MAX]; /* the oldest first */
    uint32_t sent_count;
    bool could_follow; /* as the owner was told last */
    uint64_t began_ms;
    uint64_t idle_since_ms;
    struct verdict why;
    channel_fn *on_change;
    void *context;
};

static void seek(struct channel *channel);
static void connect_to(struct channel *channel);

static void arm(struct channel *channel, uint64_t wait_ms)
{
    if (wait_ms > 0)
        timer_set(channel->timer, loop_now_ms(channel->options.loop) + wait_ms);
    else
        timer_clear(channel->timer);
}

static void note(const struct channel *channel, const char *what,
                 const char *about)
{
    const struct channel_tap *wish = &channel->options.tap;
    char text[TAP_LINE_MAX];
    if (!channel->tap)
        return;
    const int len = snprintf(text, sizeof text, "%s %s", what, about);
    wish->fn(wish->context, TAP_NOTE,
             slice_head(slice_of(text, (size_t)len), sizeof text - 1));
}

static void show(void *context, bool is_ours, struct slice bytes)
{
    struct tap *tap = context;
    if (is_ours)
        tap_said(tap, bytes);
    else
        tap_heard(tap, bytes);
}

/* Not before a proxy has connected us: it hears no SMTP, and secrets. */
static void attach_tap(struct channel *channel)
{
    conn_tap(channel->conn, channel->tap ? show : NULL, channel->tap);
}

/* Where nothing is under way; see tap.h. */
static void look_for_tap(struct channel *channel)
{
    const struct channel_tap *wish = &channel->options.tap;
    const bool is_on = wish->is_on && *wish->is_on;
    if (!is_on && !channel->tap)
        return;
    mem_free(steal(channel->tap));
    if (is_on) {
        channel->tap = NEW(struct tap);
        tap_init(channel->tap, wish->fn, wish->context);
    }
    if (channel->state == CHANNEL_TALKING)
        attach_tap(channel);
}

/* The last thing that a handler does: the owner may free the channel. */
static void tell(struct channel *channel)
{
    channel->on_change(channel->context);
}

static void end(struct channel *channel, const struct verdict *why)
{
    channel->state = CHANNEL_GONE;
    channel->why = *why;
    note(channel, "gone:", why->text);
    channel->idle_since_ms = 0;
    conn_free(&channel->conn);
    arm(channel, 0);
    tell(channel);
}

/* Nobody answered at the address. What is wrong with the way through a proxy may
 * be the proxy's fault. */
static void note_absent(const struct channel *channel)
{
    const struct hosts_options *options = &channel->options.hosts;
    if (!options->absent || channel->options.proxy.kind != PROXY_NONE)
        return;
    const uint64_t rest_ms =
        absent_add(options->absent, &channel->addr, loop_now_ms(options->loop));
    if (rest_ms > 0)
        log_line(LOG_INFO, "address_absent",
                 "address=%s port=%u host=%s last_for_ms=%" PRIu64,
                 channel->host_ip, addr_port(&channel->addr), channel->host,
                 rest_ms);
}

static void note_present(const struct channel *channel)
{
    struct absent *absent = channel->options.hosts.absent;
    if (absent && absent_forget(absent, &channel->addr))
        log_line(LOG_INFO, "address_back", "address=%s port=%u host=%s",
                 channel->host_ip, addr_port(&channel->addr), channel->host);
}

/* The connection ended before it was of use: what the address said is kept in
 * case there is no other. */
static void try_next(struct channel *channel, const struct verdict *why)
{
    const bool has_offered =
        channel->conn && conn_tls_has_offered(channel->conn);
    conn_free(&channel->conn);
    channel->why = *why;
    note(channel, "failed:", why->text);
    bool handshake_failed = channel->is_shaking && !channel->in_clear;
    channel->is_shaking = false;
    if (handshake_failed && has_offered) {
        connect_to(channel); /* perhaps it was the old session */
        return;
    }
    if (handshake_failed
        && channel->options.dialog.tls == DIALOG_TLS_IF_OFFERED) {
        channel->in_clear = true;
        connect_to(channel);
        return;
    }
    channel->in_clear = false;
    seek(channel);
}

/* Whether the owner has a transaction to take back. */
static bool has_done(const struct channel *channel)
{
    return channel->sent_count > 0 && channel->sent[0]->is_over;
}

/* Whether another one may follow now, and could not before. */
static bool follows_anew(struct channel *channel)
{
    const bool could = channel->could_follow;
    channel->could_follow = channel_can_follow(channel);
    return channel->could_follow && !could;
}

/* After the dialog has moved: what follows for socket, timer and owner. */
static void follow(struct channel *channel)
{
    struct dialog *dialog = &channel->dialog;
    if (dialog->state == DIALOG_GONE) {
        struct verdict why = dialog->why;
        if (channel->was_ready)
            end(channel, &why);
        else
            try_next(channel, &why);
        return;
    }
    if (dialog->state == DIALOG_HANDSHAKE && !channel->is_shaking) {
        channel->is_shaking = true;
        conn_start_tls(channel->conn, channel->options.tls, channel->host);
    }
    dialog_say(dialog, conn_out(channel->conn), OUT_TARGET);
    arm(channel, dialog_wait_ms(dialog));
    const bool is_ready = dialog->state == DIALOG_READY;
    if (is_ready) {
        if (!channel->was_ready)
            note_present(channel);
        channel->was_ready = true;
        channel->idle_since_ms = loop_now_ms(channel->options.loop);
    }
    const bool may_follow = follows_anew(channel);
    if (is_ready || may_follow || has_done(channel))
        tell(channel);
}

static void lose(struct channel *channel, struct enhanced enhanced,
                 const char *what)
{
    struct verdict why;
    verdict_local(&why, enhanced, "%s", what);
    (void)dialog_lose(&channel->dialog, &why);
    follow(channel);
}

/* The server speaks first. */
static void begin_talk(struct channel *channel)
{
    channel->state = CHANNEL_TALKING;
    note(channel, "connected to", channel->host_ip);
    attach_tap(channel);
    dialog_init(&channel->dialog,
                channel->in_clear ? &channel->clear : &channel->options.dialog);
    follow(channel);
}

/* The source's address of the host's family. */
static const struct addr *source_of(const struct channel *channel)
{
    const struct channel_options *options = &channel->options;
    return options->hosts.has_both && addr_is_ipv6(&channel->addr)
               ? &options->source6
               : &options->source;
}

static void connected(struct channel *channel)
{
    const struct proxy *proxy = &channel->options.proxy;
    struct buf *out = conn_out(channel->conn);
    switch (proxy->kind) {
    case PROXY_SOCKS5:
        channel->state = CHANNEL_TUNNELING;
        socks_begin(&channel->socks, &proxy->login, &channel->addr, out);
        return;
    case PROXY_HAPROXY:
        proxy_add_header(out, source_of(channel), &channel->addr);
        break;
    case PROXY_NONE:
        break;
    }
    begin_talk(channel);
}

static void on_open(void *context)
{
    struct channel *channel = context;
    if (channel->state == CHANNEL_CONNECTING) {
        connected(channel);
        return;
    }
    channel->is_shaking = false;
    (void)snprintf(channel->tls, sizeof channel->tls, "%s",
                   conn_tls_version(channel->conn));
    note(channel, "encrypted by", channel->tls);
    (void)dialog_tls_done(&channel->dialog, conn_out(channel->conn));
    follow(channel);
}

static void hear(struct channel *channel)
{
    (void)dialog_hear(&channel->dialog, conn_in(channel->conn),
                      conn_out(channel->conn));
    follow(channel);
}

static void hear_early(struct channel *channel, struct slice bytes)
{
    if (channel->tap)
        tap_heard(channel->tap, bytes);
    hear(channel);
}

/* The server's greeting may have come with the proxy's last word. */
static void hear_proxy(struct channel *channel)
{
    struct verdict why;
    struct buf *in = conn_in(channel->conn);
    switch (socks_hear(&channel->socks, in, conn_out(channel->conn), &why)) {
    case SOCKS_OPEN:
        begin_talk(channel);
        if (in->len > 0)
            hear_early(channel, buf_slice(in));
        return;
    case SOCKS_FAILED:
        try_next(channel, &why);
        return;
    case SOCKS_METHOD:
    case SOCKS_LOGIN:
    case SOCKS_CONNECT:
        return;
    }
}

static void on_input(void *context)
{
    struct channel *channel = context;
    if (channel->state == CHANNEL_TUNNELING)
        hear_proxy(channel);
    else
        hear(channel);
}

static void on_drained(void *context)
{
    struct channel *channel = context;
    if (channel->state != CHANNEL_TALKING
        || channel->dialog.transaction_count == 0)
        return;
    /* Also when all is said: the wait for the reply begins only now. */
    dialog_say(&channel->dialog, conn_out(channel->conn), OUT_TARGET);
    arm(channel, dialog_wait_ms(&channel->dialog));
    if (follows_anew(channel))
        tell(channel);
}

static void on_closed(void *context, const struct fault *fault)
{
    struct channel *channel = context;
    if (channel->state == CHANNEL_TALKING) {
        lose(channel, (struct enhanced){ 4, 4, 2 }, fault->text);
        return;
    }
    const bool has_proxy = channel->options.proxy.kind != PROXY_NONE;
    struct verdict why;
    note_absent(channel);
    verdict_local(&why, (struct enhanced){ 4, 4, 1 }, "%s%s",
                  has_proxy ? "proxy: " : "", fault->text);
    try_next(channel, &why);
}

static const struct conn_handlers handlers = {
    .on_open = on_open,
    .on_input = on_input,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void wait_over(void *context)
{
    struct channel *channel = context;
    if (channel->state == CHANNEL_TALKING) {
        char what[80];
        if (channel->dialog.state == DIALOG_GREETING)
            note_absent(channel);
        (void)snprintf(what, sizeof what, "no answer in time (%s)",
                       dialog_state_name(channel->dialog.state));
        lose(channel, (struct enhanced){ 4, 4, 2 }, what);
        return;
    }
    struct verdict why;
    note_absent(channel);
    if (channel->falls_over)
        hosts_put_off(channel->hosts, &channel->addr);
    verdict_local(&why, (struct enhanced){ 4, 4, 1 },
                  "%s did not accept the connection in time", channel->host_ip);
    try_next(channel, &why);
}

static void connect_to(struct channel *channel)
{
    struct fault fault;
    channel->state = CHANNEL_CONNECTING;
    channel->tls[0] = '\0';
    channel->began_ms = loop_now_ms(channel->options.loop);
    const struct proxy *proxy = &channel->options.proxy;
    const bool has_proxy = proxy->kind != PROXY_NONE;
    channel->conn = conn_connect(channel->options.loop,
                                 has_proxy ? NULL : source_of(channel),
                                 has_proxy ? &proxy->at : &channel->addr,
                                 IN_MAX, OUT_MAX, &handlers, channel, &fault);
    look_for_tap(channel);
    note(channel, "connecting to", channel->host_ip);
    if (channel->conn) {
        channel->falls_over =
            channel->options.connect_ms > CHANNEL_FALL_OVER_MS
            && hosts_have_other_family(channel->hosts, &channel->addr);
        arm(channel, channel->falls_over ? CHANNEL_FALL_OVER_MS
                                         : channel->options.connect_ms);
        return;
    }
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 4, 1 }, "%s", fault.text);
    try_next(channel, &why);
}

static void found(void *context, const struct addr *addr, const char *host,
                  const struct verdict *why)
{
    struct channel *channel = context;
    if (!addr) {
        /* What the last address said is more to the point than that there is
         * no further one. */
        struct verdict last = channel->host[0] ? channel->why : *why;
        end(channel, &last);
        return;
    }
    channel->addr = *addr;
    addr_ip_text(addr, channel->host_ip);
    (void)snprintf(channel->host, sizeof channel->host, "%s", host);
    connect_to(channel);
}

static void seek(struct channel *channel)
{
    channel->state = CHANNEL_SEEKING;
    arm(channel, 0);
    hosts_next(channel->hosts, found, channel);
}

/* The first step, one turn later: the owner has the channel by then. */
static void begin(void *context)
{
    struct channel *channel = context;
    timer_free(&channel->timer);
    channel->timer = timer_new(channel->options.loop, wait_over, channel);
    seek(channel);
}

struct channel *channel_new(const struct channel_options *options,
                            const struct wire_host *list, size_t count,
                            uint64_t seed, channel_fn *on_change, void *context)
{
    struct channel *channel = NEW(struct channel);
    channel->options = *options;
    channel->clear = options->dialog;
    channel->clear.tls = DIALOG_TLS_OFF;
    channel->on_change = on_change;
    channel->context = context;
    channel->hosts = hosts_new(&options->hosts, list, count, seed);
    channel->timer = timer_new(options->loop, begin, channel);
    timer_set(channel->timer, loop_now_ms(options->loop));
    return channel;
}

void channel_free(struct channel **channel)
{
    struct channel *held = steal(*channel);
    if (!held)
        return;
    hosts_free(&held->hosts);
    conn_free(&held->conn);
    mem_free(held->tap);
    timer_free(&held->timer);
    mem_free(held);
}

void channel_leave(struct channel *channel)
{
    CHECK(channel_is_ready(channel));
    (void)dialog_quit(&channel->dialog, conn_out(channel->conn));
    channel->idle_since_ms = 0;
    arm(channel, QUIT_WAIT_MS);
}

bool channel_is_ready(const struct channel *channel)
{
    return channel->state == CHANNEL_TALKING
           && channel->dialog.state == DIALOG_READY && channel->sent_count == 0;
}

bool channel_can_follow(const struct channel *channel)
{
    return channel->state == CHANNEL_TALKING
           && channel->sent_count < DIALOG_TRANSACTIONS_MAX
           && dialog_can_follow(&channel->dialog)
           && conn_out(channel->conn)->len < OUT_TARGET;
}

bool channel_is_gone(const struct channel *channel, struct verdict *why)
{
    if (channel->state != CHANNEL_GONE)
        return false;
    if (why)
        *why = channel->why;
    return true;
}

void channel_send(struct channel *channel, struct transaction *transaction)
{
    struct dialog *dialog = &channel->dialog;
    const bool is_first = channel_is_ready(channel);
    CHECK(is_first || channel_can_follow(channel));
    transaction->is_probe =
        is_first && dialog->is_used
        && loop_now_ms(channel->options.loop) - channel->idle_since_ms
               >= PROBE_IDLE_MS;
    channel->sent[channel->sent_count++] = transaction;
    if (is_first)
        look_for_tap(channel);
    (void)dialog_begin(dialog, transaction, conn_out(channel->conn));
    channel->could_follow = channel_can_follow(channel);
    if (!is_first || dialog->state == DIALOG_READY)
        return; /* the wait is for the oldest; none: it was never said */
    channel->idle_since_ms = 0;
    arm(channel, dialog_wait_ms(dialog));
}

struct transaction *channel_take_done(struct channel *channel)
{
    if (!has_done(channel))
        return NULL;
    struct transaction *done = channel->sent[0];
    channel->sent_count--;
    for (uint32_t i = 0; i < channel->sent_count; i++)
        channel->sent[i] = channel->sent[i + 1];
    return done;
}

const char *channel_host(const struct channel *channel)
{
    return channel->host;
}

const char *channel_host_ip(const struct channel *channel)
{
    return channel->host_ip;
}

const char *channel_tls(const struct channel *channel)
{
    return channel->tls;
}

const struct ehlo *channel_peer(const struct channel *channel)
{
    return &channel->dialog.peer;
}

uint64_t channel_began_ms(const struct channel *channel)
{
    return channel->began_ms;
}

uint64_t channel_idle_since_ms(const struct channel *channel)
{
    return channel->idle_since_ms;
}
