/* bus_curve.c - who may talk on a bus: CURVE keys and the door-keeper. */
#include "common/edge/bus_curve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "common/base/mem.h"

#define KEY_LEN      32
#define KEY_TEXT_LEN (BUS_KEY_TEXT_SIZE - 1)

#define ZAP_ENDPOINT  "inproc://zeromq.zap.01"
#define ZAP_DOMAIN    "sendyard"
#define ZAP_FRAME_MAX 256

enum zap_frame {
    ZAP_VERSION,
    ZAP_REQUEST,
    ZAP_ASKED_DOMAIN,
    ZAP_ADDRESS,
    ZAP_ROUTING_ID,
    ZAP_MECHANISM,
    ZAP_CREDENTIALS,
    ZAP_FRAMES,
};

struct bus_door {
    void *socket; /* ZMQ_REP; libzmq is the one who asks */
    struct watch *watch;
    struct hook *hook;
    bool has_news; /* perhaps: see bus.c */
    size_t count;
    unsigned char workers[][KEY_LEN]; /* public keys let in */
};

/* Reads a file that holds one Z85 key and that only its owner can read. */
static enum rc read_key(const char *path, char key[KEY_TEXT_LEN + 1],
                        struct fault *fault)
{
    char text[KEY_TEXT_LEN + 8];
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "CURVE key %s", path);
    ssize_t len = fstat(fd, &status) == 0 ? read(fd, text, sizeof text) : -1;
    int error = errno;
    (void)close(fd);
    if (len < 0)
        return fault_set(fault, RC_IO, error, "CURVE key %s", path);
    if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return fault_set(fault, RC_SYNTAX, 0,
                         "CURVE key %s is open to others: chmod 600", path);

    struct slice trimmed = slice_trim(slice_of(text, (size_t)len));
    unsigned char raw[KEY_LEN];
    memset(key, 0, KEY_TEXT_LEN + 1);
    if (trimmed.len == KEY_TEXT_LEN)
        memcpy(key, trimmed.ptr, KEY_TEXT_LEN);
    explicit_bzero(text, sizeof text);
    bool is_key = key[0] != '\0' && zmq_z85_decode(raw, key);
    explicit_bzero(raw, sizeof raw);
    if (!is_key)
        return fault_set(fault, RC_SYNTAX, 0,
                         "CURVE key %s is not one line of 40 Z85 characters",
                         path);
    return RC_OK;
}

static bool set_text(void *socket, int option, const char *text)
{
    return zmq_setsockopt(socket, option, text, strlen(text) + 1) == 0;
}

static bool decode_key(const char *key, unsigned char raw[KEY_LEN])
{
    return key && strlen(key) == KEY_TEXT_LEN && zmq_z85_decode(raw, key);
}

struct zap_text {
    size_t len;
    unsigned char bytes[ZAP_FRAME_MAX];
};

static bool has_more(void *socket)
{
    int more = 0;
    size_t len = sizeof more;
    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len) == 0 && more != 0;
}

/* Takes one whole request; false when it has not the form of one. */
static bool take_zap(void *zap, struct zap_text frames[ZAP_FRAMES])
{
    size_t count = 0;
    bool good = true;
    do {
        struct zap_text spare;
        struct zap_text *frame = count < ZAP_FRAMES ? &frames[count] : &spare;
        int len = zmq_recv(zap, frame->bytes, ZAP_FRAME_MAX, ZMQ_DONTWAIT);
        good = good && len >= 0 && len <= ZAP_FRAME_MAX;
        frame->len = good ? (size_t)len : 0;
        count++;
    } while (has_more(zap));
    return good && count == ZAP_FRAMES;
}

static bool zap_is(const struct zap_text *frame, struct slice text)
{
    return frame->len == text.len
           && memcmp(frame->bytes, text.ptr, text.len) == 0;
}

static bool is_admitted(const struct bus_door *door,
                        const struct zap_text frames[ZAP_FRAMES])
{
    if (!zap_is(&frames[ZAP_VERSION], SLICE("1.0"))
        || !zap_is(&frames[ZAP_MECHANISM], SLICE("CURVE"))
        || frames[ZAP_CREDENTIALS].len != KEY_LEN)
        return false;
    for (size_t i = 0; i < door->count; i++)
        if (memcmp(door->workers[i], frames[ZAP_CREDENTIALS].bytes, KEY_LEN)
            == 0)
            return true;
    return false;
}

/* Answers one request: 200 with the key as the user, or 400. */
static void answer_zap(struct bus_door *door)
{
    struct zap_text frames[ZAP_FRAMES];
    memset(frames, 0, sizeof frames);
    char user[BUS_KEY_TEXT_SIZE] = "";
    bool good = take_zap(door->socket, frames) && is_admitted(door, frames);
    if (good)
        (void)zmq_z85_encode(user, frames[ZAP_CREDENTIALS].bytes, KEY_LEN);
    const struct slice answer[] = {
        SLICE("1.0"),
        slice_of((const char *)frames[ZAP_REQUEST].bytes,
                 frames[ZAP_REQUEST].len),
        good ? SLICE("200") : SLICE("400"),
        good ? SLICE("OK") : SLICE("unknown key"),
        slice_text(user),
        SLICE(""), /* metadata */
    };
    for (size_t i = 0; i < ARRAY_LEN(answer); i++) {
        int more = i + 1 < ARRAY_LEN(answer) ? ZMQ_SNDMORE : 0;
        (void)zmq_send(door->socket, answer[i].ptr, answer[i].len,
                       ZMQ_DONTWAIT | more);
    }
}

/* Until nobody knocks: one per turn is enough, they are few. */
static bool serve_door(void *context)
{
    struct bus_door *door = context;
    int events = 0;
    size_t len = sizeof events;
    if (!door->has_news)
        return false;
    door->has_news =
        zmq_getsockopt(door->socket, ZMQ_EVENTS, &events, &len) == 0
        && (events & ZMQ_POLLIN) != 0;
    if (door->has_news)
        answer_zap(door);
    return door->has_news;
}

/* The hook does the work. */
static void wake_up(void *context, unsigned ready)
{
    (void)ready;
    struct bus_door *door = context;
    door->has_news = true;
}

static enum rc open_door(struct bus_door *door, struct loop *loop, void *zmq,
                         struct fault *fault)
{
    int linger = 0;
    int fd = -1;
    size_t len = sizeof fd;
    door->socket = zmq_socket(zmq, ZMQ_REP);
    if (!door->socket
        || zmq_setsockopt(door->socket, ZMQ_LINGER, &linger, sizeof linger) != 0
        || zmq_bind(door->socket, ZAP_ENDPOINT) != 0
        || zmq_getsockopt(door->socket, ZMQ_FD, &fd, &len) != 0)
        return fault_set(fault, RC_IO, 0, "bus ZAP handler: %s",
                         zmq_strerror(zmq_errno()));
    door->watch = watch_new(loop, fd, wake_up, door);
    watch_set(door->watch, WATCH_READ);
    door->hook = hook_new(loop, serve_door, door);
    door->has_news = true; /* what came before the fd was watched */
    return RC_OK;
}

struct bus_door *bus_door_new(struct loop *loop, void *zmq,
                              const struct bus_keys *keys, struct fault *fault)
{
    scoped(bus_door_free) struct bus_door *door =
        mem_new(1, sizeof *door + keys->worker_count * KEY_LEN);
    door->count = keys->worker_count;
    for (size_t i = 0; i < door->count; i++) {
        if (!decode_key(keys->workers[i], door->workers[i])) {
            (void)fault_set(fault, RC_SYNTAX, 0,
                            "CURVE key %zu of the workers is not Z85", i + 1);
            return NULL;
        }
    }
    if (open_door(door, loop, zmq, fault) != RC_OK)
        return NULL;
    return steal(door);
}

void bus_door_free(struct bus_door **door)
{
    struct bus_door *old = steal(*door);
    if (!old)
        return;
    hook_free(&old->hook);
    watch_free(&old->watch);
    if (old->socket)
        (void)zmq_close(old->socket);
    mem_free(old);
}

enum rc bus_curve_router(void *socket, const struct bus_keys *keys,
                         struct fault *fault)
{
    int server = 1;
    char secret[BUS_KEY_TEXT_SIZE];
    enum rc rc = read_key(keys->secret_file, secret, fault);
    if (rc != RC_OK)
        return rc;
    bool is_set =
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) == 0
        && set_text(socket, ZMQ_CURVE_SECRETKEY, secret)
        && zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN,
                          sizeof ZAP_DOMAIN - 1)
               == 0;
    explicit_bzero(secret, sizeof secret);
    if (!is_set)
        return fault_set(fault, RC_IO, 0, "libzmq refuses the CURVE key %s: %s",
                         keys->secret_file, zmq_strerror(zmq_errno()));
    return RC_OK;
}

enum rc bus_curve_worker(void *socket, const struct bus_keys *keys,
                         char public_key[BUS_KEY_TEXT_SIZE],
                         struct fault *fault)
{
    unsigned char raw[KEY_LEN];
    if (!decode_key(keys->router_key, raw))
        return fault_set(fault, RC_SYNTAX, 0,
                         "the router's public key is not Z85");
    char secret[BUS_KEY_TEXT_SIZE];
    enum rc rc = read_key(keys->secret_file, secret, fault);
    if (rc != RC_OK)
        return rc;
    bool is_set = zmq_curve_public(public_key, secret) == 0
                  && set_text(socket, ZMQ_CURVE_PUBLICKEY, public_key)
                  && set_text(socket, ZMQ_CURVE_SECRETKEY, secret)
                  && set_text(socket, ZMQ_CURVE_SERVERKEY, keys->router_key);
    explicit_bzero(secret, sizeof secret);
    if (!is_set)
        return fault_set(fault, RC_IO, 0, "libzmq refuses the CURVE key %s: %s",
                         keys->secret_file, zmq_strerror(zmq_errno()));
    return RC_OK;
}

bool bus_make_keys(char public_key[BUS_KEY_TEXT_SIZE],
                   char secret_key[BUS_KEY_TEXT_SIZE])
{
    return zmq_curve_keypair(public_key, secret_key) == 0;
}
