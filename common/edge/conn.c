/* conn.c - one stream connection over a watch and perhaps a TLS engine. */
#include "common/edge/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/mem.h"

/* One read in clear asks for this much at first, and for more while the peer
 * fills it: dialogs stay small, bodies need few system calls. */
#define READ_STEP_MIN ((size_t)4 * 1024)
#define READ_STEP_MAX ((size_t)64 * 1024)

/* An empty buffer larger than this gives its memory back. */
#define BUFFER_KEEP_MAX ((size_t)16 * 1024)

/* Dropped per turn while we wait for the peer to end its stream. */
#define SWALLOW_SIZE 4096

/*
 *   CONNECTING -> OPEN -> TURNING -> SHAKING -> OPEN
 *   OPEN -> DEAF -> CLOSED        a write failed, words of the peer may wait
 *   OPEN -> FINISHING -> LINGERING -> GONE
 *   any -> CLOSED -> GONE
 */
enum conn_state {
    CONN_CONNECTING, /* the kernel shakes hands */
    CONN_OPEN,       /* bytes flow, by TLS when there is an engine */
    CONN_TURNING,    /* the last clear bytes leave before TLS */
    CONN_SHAKING,    /* TLS shakes hands */
    CONN_DEAF,       /* the peer hears us no more; its last bytes are read */
    CONN_CLOSED,     /* on_closed was called; the owner will free */
    CONN_FINISHING,  /* ownerless: the last bytes leave */
    CONN_LINGERING,  /* ownerless: said good-bye, the peer not yet */
    CONN_GONE,       /* freed, but one of our functions is still at work */
};

struct conn {
    struct loop *loop;
    struct watch *watch;
    struct defer *work; /* writes and reads that are due this turn */
    struct tls *tls;
    struct timer *last_call;   /* of a conn without owner */
    struct ending *at_the_end; /* of a conn without owner */
    const struct conn_handlers *handlers;
    void *context;
    conn_tap_fn *tap; /* NULL: nobody looks on */
    void *tap_context;
    struct buf in;
    struct buf out;
    size_t tapped; /* bytes of `out` that were shown */
    struct addr peer;
    size_t read_step;
    size_t clear_bytes; /* TURNING: how much of `out` still leaves in clear */
    unsigned depth;     /* of our functions on the stack */
    int fd;
    enum conn_state state;
    enum tls_want read_wants; /* what the last read, write came back with */
    enum tls_want write_wants;
    bool paused;
    bool tls_up;
    bool more;     /* the TLS engine may hold bytes that no fd tells of */
    bool announce; /* bytes wait in `in` that on_input is to hear of again */
};

static void move(struct conn *conn, enum conn_state state)
{
    CHECK(conn->state != CONN_GONE);
    conn->state = state;
}

static bool has_room(const struct conn *conn)
{
    return !conn->paused && conn->in.len < conn->in.max;
}

static bool is_reading(const struct conn *conn)
{
    return (conn->state == CONN_OPEN || conn->state == CONN_DEAF)
           && has_room(conn);
}

/* The write that the kernel did not take waits for an event. */
static bool is_blocked(const struct conn *conn)
{
    return conn->out.len > 0 && conn->write_wants != TLS_DONE;
}

static unsigned event_of(enum tls_want want)
{
    if (want == TLS_WANT_READ)
        return WATCH_READ;
    return want == TLS_WANT_WRITE ? WATCH_WRITE : 0;
}

static unsigned events_of(const struct conn *conn)
{
    unsigned events = 0;
    switch (conn->state) {
    case CONN_CONNECTING:
        return WATCH_WRITE;
    case CONN_SHAKING:
        return event_of(conn->read_wants);
    case CONN_LINGERING:
        return WATCH_READ;
    case CONN_OPEN:
    case CONN_DEAF:
        if (is_reading(conn))
            events = WATCH_READ | event_of(conn->read_wants);
        break;
    case CONN_TURNING:
    case CONN_FINISHING:
        break;
    case CONN_CLOSED:
    case CONN_GONE:
        return 0;
    }
    return is_blocked(conn) ? events | event_of(conn->write_wants) : events;
}

static void destroy(struct conn *conn)
{
    watch_free(&conn->watch);
    defer_free(&conn->work);
    timer_free(&conn->last_call);
    ending_free(&conn->at_the_end);
    tls_free(&conn->tls);
    (void)close(conn->fd);
    buf_release(&conn->in);
    buf_release(&conn->out);
    mem_free(conn);
}

static void bury(struct conn *conn)
{
    move(conn, CONN_GONE);
    if (conn->depth == 0)
        destroy(conn);
}

/* Every function that the loop calls stands between enter() and leave(), so
 * that a conn freed by a handler lives until that function has ended. */
static void enter(struct conn *conn)
{
    conn->depth++;
}

static void leave(struct conn *conn)
{
    if (conn->state != CONN_GONE)
        watch_set(conn->watch, events_of(conn));
    if (--conn->depth == 0 && conn->state == CONN_GONE)
        destroy(conn);
}

static void end(struct conn *conn, const struct fault *fault)
{
    if (conn->state == CONN_FINISHING || conn->state == CONN_LINGERING) {
        bury(conn);
        return;
    }
    move(conn, CONN_CLOSED);
    conn->handlers->on_closed(conn->context, fault);
}

static void give_back(struct buf *buf)
{
    if (buf->len == 0 && buf->size > BUFFER_KEEP_MAX)
        buf_release(buf);
}

static bool would_block(int sys_errno)
{
    return sys_errno == EAGAIN || sys_errno == EINTR;
}

/* One read(2): the level-triggered fd tells of the rest. */
static enum tls_want clear_read(struct conn *conn, struct fault *fault)
{
    size_t room = conn->in.max - conn->in.len;
    if (room > conn->read_step)
        room = conn->read_step;
    char *where = buf_room(&conn->in, room);
    CHECK(where);

    ssize_t got = recv(conn->fd, where, room, 0);
    if (got > 0) {
        buf_added(&conn->in, (size_t)got);
        if ((size_t)got == conn->read_step && room < READ_STEP_MAX)
            conn->read_step *= 2;
        return TLS_WANT_READ;
    }
    if (got == 0) {
        (void)fault_set(fault, RC_CLOSED, 0, "closed by the peer");
        return TLS_CLOSED;
    }
    if (would_block(errno))
        return TLS_WANT_READ;
    (void)fault_set(fault, RC_IO, errno, "read");
    return TLS_FAILED;
}

static enum tls_want clear_write(struct conn *conn, size_t len,
                                 struct fault *fault)
{
    struct slice bytes = slice_head(buf_slice(&conn->out), len);
    if (bytes.len == 0)
        return TLS_DONE;
    ssize_t sent = send(conn->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (sent < 0 && !would_block(errno)) {
        (void)fault_set(fault, RC_IO, errno, "write");
        return TLS_FAILED;
    }
    if (sent > 0)
        buf_take(&conn->out, (size_t)sent);
    return sent == (ssize_t)bytes.len ? TLS_DONE : TLS_WANT_WRITE;
}

static void show_out(struct conn *conn)
{
    if (conn->tap)
        conn->tap(conn->tap_context, true,
                  slice_from(buf_slice(&conn->out), conn->tapped));
}

static void show_in(struct conn *conn, size_t before)
{
    if (conn->tap)
        conn->tap(conn->tap_context, false,
                  slice_from(buf_slice(&conn->in), before));
}

static enum tls_want read_in(struct conn *conn, struct fault *fault)
{
    if (!conn->tls)
        return clear_read(conn, fault);
    enum tls_want want = tls_read(conn->tls, &conn->in, fault);
    if (want == TLS_CLOSED)
        (void)fault_set(fault, RC_CLOSED, 0, "closed by the peer");
    return want;
}

static enum tls_want write_out(struct conn *conn, struct fault *fault)
{
    show_out(conn);
    const enum tls_want want = conn->tls
                                   ? tls_write(conn->tls, &conn->out, fault)
                                   : clear_write(conn, conn->out.len, fault);
    conn->tapped = conn->out.len;
    CRASH_POINT("conn.written");
    return want;
}

/* Reads, tells the owner, and sees to it that nothing which was read into the
 * TLS engine is forgotten there. */
static void hear(struct conn *conn)
{
    struct fault fault = { 0 };
    size_t before = conn->in.len;
    enum tls_want want = read_in(conn, &fault);
    conn->read_wants = want;
    conn->more = want == TLS_DONE;
    if (conn->in.len > before) {
        conn->announce = false;
        show_in(conn, before);
        conn->handlers->on_input(conn->context);
    }
    if (conn->state != CONN_OPEN && conn->state != CONN_DEAF)
        return;
    give_back(&conn->in);
    if (want == TLS_CLOSED || want == TLS_FAILED)
        end(conn, &fault);
    else if (conn->more && is_reading(conn))
        defer_set(conn->work);
}

/* A write failed. Where the peer's last words can still be had they are: the
 * kernel keeps what came before a reset, and OpenSSL does not. */
static void go_deaf(struct conn *conn, const struct fault *fault)
{
    if (conn->state == CONN_OPEN && !conn->tls && has_room(conn)) {
        buf_clear(&conn->out);
        conn->tapped = 0;
        move(conn, CONN_DEAF);
        return;
    }
    end(conn, fault);
}

static void say(struct conn *conn)
{
    struct fault fault = { 0 };
    if (conn->out.len == 0)
        return;
    conn->write_wants = write_out(conn, &fault);
    if (conn->write_wants == TLS_CLOSED)
        (void)fault_set(&fault, RC_CLOSED, 0, "closed by the peer");
    if (conn->write_wants == TLS_CLOSED || conn->write_wants == TLS_FAILED) {
        go_deaf(conn, &fault);
        return;
    }
    if (conn->out.len > 0)
        return;
    give_back(&conn->out);
    if (conn->state == CONN_OPEN && conn->handlers->on_drained)
        conn->handlers->on_drained(conn->context);
}

static void finish_connect(struct conn *conn)
{
    int reason = 0;
    socklen_t len = sizeof reason;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
        reason = errno;
    if (reason != 0) {
        struct fault fault;
        (void)fault_set(&fault, RC_IO, reason, "connect");
        end(conn, &fault);
        return;
    }
    move(conn, CONN_OPEN);
    conn->handlers->on_open(conn->context);
}

static void shake(struct conn *conn)
{
    struct fault fault = { 0 };
    conn->read_wants = tls_handshake(conn->tls, &fault);
    if (conn->read_wants == TLS_WANT_READ || conn->read_wants == TLS_WANT_WRITE)
        return;
    if (conn->read_wants != TLS_DONE) {
        if (conn->read_wants == TLS_CLOSED)
            (void)fault_set(&fault, RC_CLOSED, 0,
                            "closed by the peer in the TLS handshake");
        end(conn, &fault);
        return;
    }
    conn->tls_up = true;
    conn->write_wants = TLS_DONE;
    /* The peer's first words may have come with its last handshake record. */
    conn->more = true;
    defer_set(conn->work);
    move(conn, CONN_OPEN);
    conn->handlers->on_open(conn->context);
}

static void turn_to_tls(struct conn *conn)
{
    struct fault fault = { 0 };
    size_t before = conn->out.len;
    show_out(conn);
    conn->write_wants = clear_write(conn, conn->clear_bytes, &fault);
    conn->tapped = conn->out.len;
    conn->clear_bytes -= before - conn->out.len;
    if (conn->write_wants == TLS_FAILED) {
        end(conn, &fault);
        return;
    }
    if (conn->clear_bytes > 0)
        return;
    conn->write_wants = TLS_DONE;
    move(conn, CONN_SHAKING);
    shake(conn);
}

static void swallow(struct conn *conn)
{
    char dropped[SWALLOW_SIZE];
    ssize_t got = recv(conn->fd, dropped, sizeof dropped, 0);
    if (got == 0 || (got < 0 && !would_block(errno)))
        bury(conn);
}

static void take_leave(struct conn *conn)
{
    say(conn);
    if (conn->state != CONN_FINISHING || conn->out.len > 0)
        return;
    if (conn->tls)
        tls_say_bye(conn->tls);
    (void)shutdown(conn->fd, SHUT_WR);
    move(conn, CONN_LINGERING);
}

/* A TLS read may wait for a writable socket, and a write for a readable one:
 * any event is tried for both. */
static void serve_ready(struct conn *conn, unsigned ready)
{
    if ((ready & WATCH_READ || conn->tls) && is_reading(conn))
        hear(conn);
    if (conn->state == CONN_OPEN && is_blocked(conn)
        && (ready & WATCH_WRITE || conn->tls))
        say(conn);
}

static void on_ready(void *context, unsigned ready)
{
    struct conn *conn = context;
    enter(conn);
    switch (conn->state) {
    case CONN_CONNECTING:
        finish_connect(conn);
        break;
    case CONN_TURNING:
        turn_to_tls(conn);
        break;
    case CONN_SHAKING:
        shake(conn);
        break;
    case CONN_OPEN:
    case CONN_DEAF:
        serve_ready(conn, ready);
        break;
    case CONN_FINISHING:
        take_leave(conn);
        break;
    case CONN_LINGERING:
        swallow(conn);
        break;
    case CONN_CLOSED:
    case CONN_GONE:
        break;
    }
    leave(conn);
}

static void announce_input(struct conn *conn)
{
    conn->announce = false;
    bool owned = conn->state == CONN_OPEN || conn->state == CONN_DEAF;
    if (owned && conn->in.len > 0)
        conn->handlers->on_input(conn->context);
}

/* What conn_ functions and hear() put off to the end of the turn. */
static void on_work(void *context)
{
    struct conn *conn = context;
    enter(conn);
    if (conn->state == CONN_TURNING)
        turn_to_tls(conn);
    else if (conn->state == CONN_FINISHING)
        take_leave(conn);
    if (conn->announce && !conn->paused)
        announce_input(conn);
    if (conn->state == CONN_OPEN && conn->more && is_reading(conn))
        hear(conn);
    if (conn->state == CONN_OPEN && !is_blocked(conn))
        say(conn);
    leave(conn);
}

static struct conn *new_conn(struct loop *loop, int fd, size_t in_max,
                             size_t out_max,
                             const struct conn_handlers *handlers,
                             void *context)
{
    struct conn *conn = NEW(struct conn);
    conn->loop = loop;
    conn->fd = fd;
    conn->handlers = handlers;
    conn->context = context;
    conn->read_step = READ_STEP_MIN;
    conn->read_wants = TLS_WANT_READ;
    conn->write_wants = TLS_DONE;
    buf_init(&conn->in, in_max);
    buf_init(&conn->out, out_max);
    conn->watch = watch_new(loop, fd, on_ready, conn);
    conn->work = defer_new(loop, on_work, conn);
    return conn;
}

/* Small replies must not wait for the acknowledgement of the one before. */
static void set_no_delay(int fd, const struct addr *peer)
{
    const int on = 1;
    if (peer->storage.ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct conn *conn_accept(struct loop *loop, int fd, size_t in_max,
                         size_t out_max, const struct conn_handlers *handlers,
                         void *context)
{
    struct conn *conn = new_conn(loop, fd, in_max, out_max, handlers, context);
    conn->peer.len = sizeof conn->peer.storage;
    if (getpeername(fd, (struct sockaddr *)&conn->peer.storage, &conn->peer.len)
        != 0)
        conn->peer = (struct addr){ 0 }; /* gone: the first read will tell */
    set_no_delay(fd, &conn->peer);
    conn->state = CONN_OPEN;
    watch_set(conn->watch, events_of(conn));
    return conn;
}

struct conn *conn_connect(struct loop *loop, const struct addr *from,
                          const struct addr *to, size_t in_max, size_t out_max,
                          const struct conn_handlers *handlers, void *context,
                          struct fault *fault)
{
    int fd = addr_connect(from, to, fault);
    if (fd < 0)
        return NULL;
    struct conn *conn = new_conn(loop, fd, in_max, out_max, handlers, context);
    conn->peer = *to;
    set_no_delay(fd, to);
    conn->state = CONN_CONNECTING;
    watch_set(conn->watch, events_of(conn));
    return conn;
}

void conn_free(struct conn **conn)
{
    struct conn *c = steal(*conn);
    if (c)
        bury(c);
}

static void on_last_call(void *context)
{
    bury(context);
}

void conn_finish(struct conn **conn, uint64_t wait_ms)
{
    struct conn *c = steal(*conn);
    if (!c)
        return;
    if (c->state != CONN_OPEN) {
        bury(c);
        return;
    }
    move(c, CONN_FINISHING);
    c->last_call = timer_new(c->loop, on_last_call, c);
    timer_set(c->last_call, loop_now_ms(c->loop) + wait_ms);
    c->at_the_end = ending_new(c->loop, on_last_call, c);
    defer_set(c->work);
}

struct buf *conn_in(struct conn *conn)
{
    return &conn->in;
}

struct buf *conn_out(struct conn *conn)
{
    conn_flush(conn);
    return &conn->out;
}

void conn_flush(struct conn *conn)
{
    defer_set(conn->work);
}

void conn_pause(struct conn *conn, bool paused)
{
    if (conn->paused && !paused)
        conn->announce = true;
    conn->paused = paused;
    if (!paused)
        defer_set(conn->work);
    if (conn->depth == 0)
        watch_set(conn->watch, events_of(conn));
}

void conn_start_tls(struct conn *conn, struct tls_context *context,
                    const char *name)
{
    if (conn->state == CONN_CLOSED)
        return; /* on_closed has told */
    /* Where the peer is known to be deaf the handshake will fail. */
    CHECK(conn->state == CONN_OPEN || conn->state == CONN_DEAF);
    CHECK(!conn->tls);
    conn->tls = tls_new(context, conn->fd, name);
    buf_clear(&conn->in);
    conn->announce = false;
    conn->clear_bytes = conn->out.len;
    move(conn, CONN_TURNING);
    defer_set(conn->work);
    if (conn->depth == 0)
        watch_set(conn->watch, events_of(conn));
}

bool conn_is_tls(const struct conn *conn)
{
    return conn->tls_up;
}

bool conn_tls_has_offered(const struct conn *conn)
{
    return conn->tls && tls_has_offered(conn->tls);
}

bool conn_tls_is_resumed(const struct conn *conn)
{
    return conn->tls_up && tls_is_resumed(conn->tls);
}

const char *conn_tls_version(const struct conn *conn)
{
    return conn->tls_up ? tls_version(conn->tls) : NULL;
}

const char *conn_tls_cipher(const struct conn *conn)
{
    return conn->tls_up ? tls_cipher(conn->tls) : NULL;
}

void conn_tap(struct conn *conn, conn_tap_fn *fn, void *context)
{
    conn->tap = fn;
    conn->tap_context = context;
    conn->tapped = conn->out.len;
}

void conn_peer(const struct conn *conn, struct addr *addr)
{
    *addr = conn->peer;
}

void conn_local(const struct conn *conn, struct addr *addr)
{
    addr->len = sizeof addr->storage;
    if (getsockname(conn->fd, (struct sockaddr *)&addr->storage, &addr->len)
        != 0)
        *addr = (struct addr){ 0 };
}
