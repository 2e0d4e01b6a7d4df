/* bus.c - ZeroMQ: frames between a router and its workers. */
#include "common/edge/bus.h"

#include <errno.h>
#include <stdio.h>

#include <zmq.h>

#include "common/base/mem.h"
#include "common/edge/addr.h"
#include "common/edge/bus_curve.h"

/* Messages taken per turn of the loop before others get theirs. */
#define TURN_BUDGET 256

/* Messages queued for one peer, each way. Credit keeps us far below. */
#define QUEUE_MAX 1024

/* The largest frame taken. A worker says little; a router sends whole mails. */
#define ROUTER_FRAME_MAX ((int64_t)16 << 20)
#define WORKER_FRAME_MAX ((int64_t)256 << 20)

#define HANDSHAKE_MAX_MS     10000
#define RECONNECT_FIRST_MS   100
#define RECONNECT_MAX_MS     5000
#define HEARTBEAT_MS         5000
#define HEARTBEAT_TIMEOUT_MS 15000
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES     4

/* Of a message: the peer (a router's socket alone), head, body. */
#define FRAMES_MAX 3

struct bus {
    void *zmq; /* the context; one per bus, for it has one door */
    void *socket;
    struct bus_door *door; /* NULL: not a router with keys */
    struct watch *watch;
    struct hook *hook;
    struct defer *again;
    bool is_router;
    bool has_news; /* perhaps: libzmq tells of none twice */
    bool busy;     /* inside fn: bus_free() waits for its return */
    bool dead;
    bus_fn *fn;
    void *context;
};

static bool is_loopback(struct slice host)
{
    if (slice_equal(host, SLICE("localhost")))
        return true;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = slice_of(host.ptr + 1, host.len - 2);
    /* addr_is_loopback() also takes 0.0.0.0 and ::, where a connect ends at
     * this host; a bind to those is open to the world. */
    struct addr addr;
    char text[ADDR_TEXT_SIZE];
    if (!addr_of_ip(host, 0, &addr))
        return false;
    addr_ip_text(&addr, text);
    return slice_starts_nocase(slice_text(text), SLICE("127."))
           || slice_equal(slice_text(text), SLICE("::1"));
}

/* Whether frames to this endpoint may be seen by others than this host. */
static enum rc check_endpoint(const char *endpoint, bool has_keys,
                              struct fault *fault)
{
    struct slice text = slice_text(endpoint);
    if (slice_starts_nocase(text, SLICE("ipc://")))
        return RC_OK;
    if (!slice_starts_nocase(text, SLICE("tcp://")))
        return fault_set(fault, RC_SYNTAX, 0,
                         "bus endpoint %s is neither ipc:// nor tcp://",
                         endpoint);
    struct slice host = slice_from(text, 6);
    while (host.len > 0 && host.ptr[host.len - 1] != ':')
        host.len--;
    if (host.len == 0)
        return fault_set(fault, RC_SYNTAX, 0, "bus endpoint %s has no port",
                         endpoint);
    host.len--;
    if (!has_keys && !is_loopback(host))
        return fault_set(fault, RC_SYNTAX, 0,
                         "bus endpoint %s leaves this host: it needs CURVE "
                         "keys",
                         endpoint);
    return RC_OK;
}

static enum rc zmq_fault(struct fault *fault, const char *what)
{
    int error = zmq_errno();
    return fault_set(fault, RC_IO, 0, "%s: %s", what, zmq_strerror(error));
}

struct option {
    int name;
    int value;
};

static enum rc set_options(void *socket, const struct option *options,
                           size_t count, struct fault *fault)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value,
                           sizeof options[i].value)
            != 0)
            return zmq_fault(fault, "bus option");
    return RC_OK;
}

static enum rc set_frame_max(void *socket, int64_t frame_max,
                             struct fault *fault)
{
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max)
        != 0)
        return zmq_fault(fault, "bus frame size");
    return RC_OK;
}

static enum rc set_common(void *socket, struct fault *fault)
{
    static const struct option options[] = {
        { ZMQ_LINGER, 0 }, /* leases outlive what is lost */
        { ZMQ_SNDHWM, QUEUE_MAX },
        { ZMQ_RCVHWM, QUEUE_MAX },
        { ZMQ_IPV6, 1 },
        { ZMQ_HANDSHAKE_IVL, HANDSHAKE_MAX_MS },
        { ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS }, /* notices half-open links */
        { ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS },
        { ZMQ_TCP_KEEPALIVE, 1 },
        { ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S },
        { ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S },
        { ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_PROBES },
    };
    return set_options(socket, options, ARRAY_LEN(options), fault);
}

static enum rc set_router(void *socket, struct fault *fault)
{
    static const struct option options[] = {
        { ZMQ_ROUTER_MANDATORY, 1 }, /* say when a peer is gone or full */
        { ZMQ_ROUTER_HANDOVER, 1 },  /* a peer that comes back is let in */
    };
    enum rc rc = set_frame_max(socket, ROUTER_FRAME_MAX, fault);
    return rc == RC_OK ? set_options(socket, options, ARRAY_LEN(options), fault)
                       : rc;
}

static enum rc set_worker(void *socket, struct fault *fault)
{
    static const struct option options[] = {
        { ZMQ_IMMEDIATE, 1 }, /* queue nothing for a router that is away */
        { ZMQ_RECONNECT_IVL, RECONNECT_FIRST_MS },
        { ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS },
        { ZMQ_CONNECT_TIMEOUT, HANDSHAKE_MAX_MS },
    };
    enum rc rc = set_frame_max(socket, WORKER_FRAME_MAX, fault);
    return rc == RC_OK ? set_options(socket, options, ARRAY_LEN(options), fault)
                       : rc;
}

/* Takes one whole message off the socket; the number of its frames, 0: none.
 * Frames beyond the last one that we keep replace it. */
static size_t take_frames(void *socket, zmq_msg_t frames[FRAMES_MAX])
{
    size_t count = 0;
    do {
        zmq_msg_t *frame = &frames[count < FRAMES_MAX ? count : FRAMES_MAX - 1];
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
            return 0;
        count++;
    } while (
        zmq_msg_more(&frames[count < FRAMES_MAX ? count - 1 : FRAMES_MAX - 1]));
    return count;
}

static struct slice frame_slice(zmq_msg_t *frame)
{
    return slice_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

/* The key that a peer proved to own (door: User-Id) is part of its routing id,
 * so that none of those let in can speak as another. */
static bool take_peer(const struct bus *bus, zmq_msg_t frames[2],
                      struct bus_peer *peer)
{
    struct slice id = frame_slice(&frames[0]);
    if (id.len > BUS_PEER_MAX)
        return false;
    peer->len = (uint8_t)id.len;
    memcpy(peer->id, id.ptr, id.len);
    if (!bus->door)
        return true;
    struct slice key = slice_text(zmq_msg_gets(&frames[1], "User-Id"));
    return key.len >= BUS_KEY_ID_LEN && id.len > BUS_KEY_ID_LEN
           && memcmp(id.ptr, key.ptr, BUS_KEY_ID_LEN) == 0;
}

/* Messages of another shape than ours are dropped: whoever sent them does not
 * speak the protocol. */
static void deliver(struct bus *bus, zmq_msg_t *frames, size_t count)
{
    struct bus_peer peer = { 0 };
    if (bus->is_router) {
        if (count < 2 || !take_peer(bus, frames, &peer))
            return;
        frames++;
        count--;
    }
    if (count > 2)
        return;
    struct slice body = { NULL, 0 };
    if (count == 2)
        body = frame_slice(&frames[1]);
    bus->busy = true;
    bus->fn(bus->context, &peer, frame_slice(&frames[0]), body);
    bus->busy = false;
}

static bool take_message(struct bus *bus)
{
    zmq_msg_t frames[FRAMES_MAX];
    for (size_t i = 0; i < FRAMES_MAX; i++)
        (void)zmq_msg_init(&frames[i]);
    size_t count = take_frames(bus->socket, frames);
    if (count > 0)
        deliver(bus, frames, count);
    for (size_t i = 0; i < FRAMES_MAX; i++)
        (void)zmq_msg_close(&frames[i]);
    return count > 0;
}

/* Before each sleep, and behind whatever may have hidden news from the fd: a
 * send does libzmq's other work on the socket as well, and swallows the wake-up
 * that came with it. A receive that finds nothing has done all there was. */
static bool take_messages(void *context)
{
    struct bus *bus = context;
    for (unsigned i = 0; bus->has_news && i < TURN_BUDGET; i++) {
        bus->has_news = take_message(bus);
        if (bus->dead) {
            bus_free(&bus);
            return false;
        }
    }
    return bus->has_news;
}

/* The hook does the work. */
static void wake_up(void *context, unsigned ready)
{
    (void)ready;
    struct bus *bus = context;
    bus->has_news = true;
}

static void take_again(void *context)
{
    struct bus *bus = context;
    if (take_messages(bus)) /* false when it was freed, too */
        defer_set(bus->again);
}

static enum rc watch_socket(struct bus *bus, struct loop *loop,
                            struct fault *fault)
{
    int fd = -1;
    size_t len = sizeof fd;
    if (zmq_getsockopt(bus->socket, ZMQ_FD, &fd, &len) != 0)
        return zmq_fault(fault, "bus fd");
    bus->watch = watch_new(loop, fd, wake_up, bus);
    watch_set(bus->watch, WATCH_READ);
    bus->hook = hook_new(loop, take_messages, bus);
    bus->again = defer_new(loop, take_again, bus);
    bus->has_news = true; /* what came before the fd was watched */
    return RC_OK;
}

static enum rc open_socket(struct bus *bus, struct fault *fault)
{
    bus->zmq = zmq_ctx_new();
    if (!bus->zmq)
        return zmq_fault(fault, "bus");
    bus->socket =
        zmq_socket(bus->zmq, bus->is_router ? ZMQ_ROUTER : ZMQ_DEALER);
    if (!bus->socket)
        return zmq_fault(fault, "bus");
    enum rc rc = set_common(bus->socket, fault);
    if (rc != RC_OK)
        return rc;
    return bus->is_router ? set_router(bus->socket, fault)
                          : set_worker(bus->socket, fault);
}

static bool are_keys(const struct bus_keys *keys)
{
    return keys && keys->secret_file;
}

static struct bus *new_bus(bool is_router, bus_fn *fn, void *context)
{
    struct bus *bus = NEW(struct bus);
    bus->is_router = is_router;
    bus->fn = fn;
    bus->context = context;
    return bus;
}

struct bus *bus_bind(struct loop *loop, const char *endpoint,
                     const struct bus_keys *keys, bus_fn *fn, void *context,
                     struct fault *fault)
{
    scoped(bus_free) struct bus *bus = new_bus(true, fn, context);
    if (check_endpoint(endpoint, are_keys(keys), fault) != RC_OK
        || open_socket(bus, fault) != RC_OK)
        return NULL;
    if (are_keys(keys)) {
        bus->door = bus_door_new(loop, bus->zmq, keys, fault);
        if (!bus->door || bus_curve_router(bus->socket, keys, fault) != RC_OK)
            return NULL;
    }
    if (zmq_bind(bus->socket, endpoint) != 0) {
        (void)zmq_fault(fault, endpoint);
        return NULL;
    }
    if (watch_socket(bus, loop, fault) != RC_OK)
        return NULL;
    return steal(bus);
}

/* With keys the routing id is the key's id and then `id`; see take_peer(). */
static enum rc set_identity(struct bus *bus, struct slice id,
                            const struct bus_keys *keys, struct fault *fault)
{
    char routing_id[BUS_PEER_MAX];
    size_t len = 0;
    if (id.len == 0 || id.len > BUS_ID_MAX)
        return fault_set(fault, RC_LIMIT, 0, "bus id has 1 to %d bytes",
                         BUS_ID_MAX);
    if (are_keys(keys)) {
        char public_key[BUS_KEY_TEXT_SIZE];
        enum rc rc = bus_curve_worker(bus->socket, keys, public_key, fault);
        if (rc != RC_OK)
            return rc;
        memcpy(routing_id, public_key, BUS_KEY_ID_LEN);
        len = BUS_KEY_ID_LEN;
    }
    memcpy(routing_id + len, id.ptr, id.len);
    if (zmq_setsockopt(bus->socket, ZMQ_ROUTING_ID, routing_id, len + id.len)
        != 0)
        return zmq_fault(fault, "bus id");
    return RC_OK;
}

struct bus *bus_connect(struct loop *loop, const char *endpoint,
                        struct slice id, const struct bus_keys *keys,
                        bus_fn *fn, void *context, struct fault *fault)
{
    scoped(bus_free) struct bus *bus = new_bus(false, fn, context);
    if (check_endpoint(endpoint, are_keys(keys), fault) != RC_OK
        || open_socket(bus, fault) != RC_OK
        || set_identity(bus, id, keys, fault) != RC_OK)
        return NULL;
    if (zmq_connect(bus->socket, endpoint) != 0) {
        (void)zmq_fault(fault, endpoint);
        return NULL;
    }
    if (watch_socket(bus, loop, fault) != RC_OK)
        return NULL;
    return steal(bus);
}

void bus_free(struct bus **bus)
{
    struct bus *old = steal(*bus);
    if (!old)
        return;
    if (old->busy) {
        old->dead = true;
        return;
    }
    defer_free(&old->again);
    hook_free(&old->hook);
    watch_free(&old->watch);
    if (old->socket)
        (void)zmq_close(old->socket);
    bus_door_free(&old->door);
    while (old->zmq && zmq_ctx_term(old->zmq) != 0 && zmq_errno() == EINTR)
        ;
    mem_free(old);
}

/* Who wants to hear when ZeroMQ needs a body no more. */
struct loan {
    bus_done_fn *done;
    void *context;
};

static void end_loan(void *data, void *hint)
{
    (void)data;
    struct loan *loan = hint;
    loan->done(loan->context);
    mem_free(loan);
}

static enum rc make_body(zmq_msg_t *frame, struct slice body, bus_done_fn *done,
                         void *done_context)
{
    if (!done) {
        if (zmq_msg_init_size(frame, body.len) != 0)
            return RC_LIMIT;
        memcpy(zmq_msg_data(frame), body.ptr, body.len);
        return RC_OK;
    }
    struct loan *loan = NEW(struct loan);
    *loan = (struct loan){ done, done_context };
    /* libzmq wants a pointer that may be written to, and only reads. */
    void *bytes = (void *)(uintptr_t)body.ptr;
    if (zmq_msg_init_data(frame, bytes, body.len, end_loan, loan) == 0)
        return RC_OK;
    end_loan(bytes, loan);
    return RC_LIMIT;
}

static enum rc send_frame(void *socket, const void *bytes, size_t len,
                          bool is_last)
{
    int flags = ZMQ_DONTWAIT | (is_last ? 0 : ZMQ_SNDMORE);
    if (zmq_send(socket, bytes, len, flags) >= 0)
        return RC_OK;
    return zmq_errno() == EAGAIN ? RC_LIMIT : RC_CLOSED;
}

/* libzmq judges whether a message can go by its first frame; the others follow
 * or are dropped with it. */
static enum rc send_heads(struct bus *bus, const struct bus_peer *peer,
                          struct slice head, bool has_body)
{
    enum rc rc = RC_OK;
    if (bus->is_router)
        rc = send_frame(bus->socket, peer->id, peer->len, false);
    if (rc == RC_OK)
        rc = send_frame(bus->socket, head.ptr, head.len, !has_body);
    return rc;
}

enum rc bus_send(struct bus *bus, const struct bus_peer *peer,
                 struct slice head, struct slice body, bus_done_fn *done,
                 void *done_context)
{
    zmq_msg_t frame;
    bool has_body = body.ptr != NULL;
    enum rc rc = has_body ? make_body(&frame, body, done, done_context) : RC_OK;
    if (rc != RC_OK)
        return rc;
    rc = send_heads(bus, peer, head, has_body);
    if (has_body) {
        if (rc == RC_OK && zmq_msg_send(&frame, bus->socket, ZMQ_DONTWAIT) < 0)
            rc = zmq_errno() == EAGAIN ? RC_LIMIT : RC_CLOSED;
        /* Sent, it is empty by now; else this ends the loan. */
        (void)zmq_msg_close(&frame);
    }
    /* The hook may have had its turn: do not sleep on what it did not see. */
    bus->has_news = true;
    defer_set(bus->again);
    return rc;
}
