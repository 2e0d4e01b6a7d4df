/* test_conn - connections carry every byte, in clear and by TLS, and end once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/conn.h"

#define WAIT_MS    SECONDS_MS(20)
#define BUFFER_MAX ((size_t)64 * 1024)

enum act { ACT_NONE, ACT_FREE, ACT_HOLD };

/* One end of a connection and what its handlers saw. */
struct side {
    struct conn *conn;
    struct buf got;
    struct fault fault;
    int opened;
    int drained;
    int closed;
    enum act on_open;
    enum act on_input;
    size_t to_send; /* bytes of the pattern still to put into conn_out() */
    size_t sent;
    const char *upgrade_at; /* starts TLS when the input has this */
    const char *upgrade_say;
    struct tls_context *context;
    const char *name;
};

struct world {
    struct loop *loop;
    struct side client;
    struct side server;
    char folder[64];
    char certificate[96];
    char key[96];
    char other_key[96];
    char expired[96];
    struct tls_context *serving;
    struct tls_context *trusting; /* opportunistic */
    struct tls_context *checking;
};

/* Byte n of the pattern: 251 is prime, so a shift by a buffer's size shows. */
static char pattern(size_t n)
{
    return (char)(n % 251);
}

static void fill(struct side *side)
{
    struct buf *out = conn_out(side->conn);
    while (side->to_send > 0 && buf_add_byte(out, pattern(side->sent))) {
        side->to_send--;
        side->sent++;
    }
}

static void on_open(void *context)
{
    struct side *side = context;
    side->opened++;
    if (side->on_open == ACT_FREE)
        conn_free(&side->conn);
    else
        fill(side);
}

static void upgrade(struct side *side)
{
    if (side->upgrade_say)
        (void)buf_add_text(conn_out(side->conn), side->upgrade_say);
    conn_start_tls(side->conn, side->context, side->name);
    side->upgrade_at = NULL;
}

static void on_input(void *context)
{
    struct side *side = context;
    struct buf *in = conn_in(side->conn);
    if (side->on_input == ACT_FREE) {
        conn_free(&side->conn);
        return;
    }
    if (side->on_input == ACT_HOLD)
        return;
    struct slice bytes = buf_slice(in);
    if (side->upgrade_at
        && slice_find_slice(bytes, slice_text(side->upgrade_at)) < bytes.len) {
        upgrade(side);
        return;
    }
    assert_true(buf_add(&side->got, bytes));
    buf_take(in, bytes.len);
}

static void on_drained(void *context)
{
    struct side *side = context;
    side->drained++;
    fill(side);
}

static void on_closed(void *context, const struct fault *fault)
{
    struct side *side = context;
    side->closed++;
    side->fault = *fault;
}

static const struct conn_handlers handlers = { on_open, on_input, on_drained,
                                               on_closed };

#define WORDS_MAX 32

static void run_program(const char *const words[], size_t count)
{
    char *argv[WORDS_MAX + 1] = { NULL };
    assert_true(count <= WORDS_MAX);
    for (size_t i = 0; i < count; i++)
        argv[i] = mem_copy_text(words[i], strlen(words[i]));

    pid_t pid = 0;
    int status = 1;
    posix_spawn_file_actions_t quiet;
    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO,
                                                      "/dev/null", O_WRONLY, 0),
                     0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ),
                     0);
    assert_int_equal(posix_spawn_file_actions_destroy(&quiet), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < count; i++)
        mem_free(argv[i]);
}

/* clang-format off */
static void make_certificate(const char *certificate, const char *key)
{
    const char *const words[] = {
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "30",
        "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
    };
    run_program(words, ARRAY_LEN(words));
}

static void make_expired(const char *certificate, const char *key,
                         const char *request)
{
    const char *const ask[] = {
        "openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
        "-out", request, "-subj", "/CN=localhost",
    };
    const char *const sign[] = {
        "openssl", "x509", "-req", "-in", request, "-signkey", key,
        "-out", certificate, "-days", "-1",
    };
    run_program(ask, ARRAY_LEN(ask));
    run_program(sign, ARRAY_LEN(sign));
    (void)unlink(request);
}
/* clang-format on */

static int make_world(void **state)
{
    struct world *w = NEW(struct world);
    struct fault fault;
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/test_conn.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->certificate, sizeof w->certificate, "%s/cert", w->folder);
    (void)snprintf(w->key, sizeof w->key, "%s/key", w->folder);
    (void)snprintf(w->expired, sizeof w->expired, "%s/expired", w->folder);
    (void)snprintf(w->other_key, sizeof w->other_key, "%s/other", w->folder);
    make_certificate(w->certificate, w->key);
    char request[96];
    (void)snprintf(request, sizeof request, "%s/request", w->folder);
    make_expired(w->expired, w->other_key, request);
    w->serving = tls_server_context(w->certificate, w->key, "1.2", &fault);
    w->trusting = tls_client_context(false, NULL, &fault);
    w->checking = tls_client_context(true, w->certificate, &fault);
    assert_non_null(w->serving);
    assert_non_null(w->trusting);
    assert_non_null(w->checking);
    *state = w;
    return 0;
}

static int remove_world(void **state)
{
    struct world *w = *state;
    tls_context_release(&w->serving);
    tls_context_release(&w->trusting);
    tls_context_release(&w->checking);
    (void)unlink(w->certificate);
    (void)unlink(w->key);
    (void)unlink(w->expired);
    (void)unlink(w->other_key);
    (void)rmdir(w->folder);
    mem_free(w);
    return 0;
}

static int start_loop(void **state)
{
    struct world *w = *state;
    w->loop = loop_new();
    w->client = (struct side){ 0 };
    w->server = (struct side){ 0 };
    buf_init(&w->client.got, (size_t)16 << 20);
    buf_init(&w->server.got, (size_t)16 << 20);
    return 0;
}

static int end_loop(void **state)
{
    struct world *w = *state;
    conn_free(&w->client.conn);
    conn_free(&w->server.conn);
    buf_release(&w->client.got);
    buf_release(&w->server.got);
    loop_free(&w->loop);
    return 0;
}

/* Turns the loop until *count reaches `least`. */
static void await(struct world *w, const int *count, int least)
{
    uint64_t end_ms = time_now_ms() + WAIT_MS;
    while (*count < least && time_now_ms() < end_ms)
        loop_turn(w->loop);
    assert_true(*count >= least);
}

static void await_bytes(struct world *w, const struct side *side, size_t least)
{
    uint64_t end_ms = time_now_ms() + WAIT_MS;
    while (side->got.len < least && time_now_ms() < end_ms)
        loop_turn(w->loop);
    assert_true(side->got.len >= least);
}

static void some_turns(struct world *w)
{
    for (int i = 0; i < 20; i++)
        loop_turn(w->loop);
}

static int listen_somewhere(struct addr *addr)
{
    assert_true(addr_of_ip(SLICE("127.0.0.1"), 0, addr));
    int fd = addr_listen(addr, 16);
    assert_true(fd >= 0);
    addr->len = sizeof addr->storage;
    assert_int_equal(
        getsockname(fd, (struct sockaddr *)&addr->storage, &addr->len), 0);
    return fd;
}

/* Both ends over TCP on loopback; small kernel buffers when `tight`. */
static void join(struct world *w, size_t in_max, size_t out_max, bool tight)
{
    struct addr addr;
    struct fault fault;
    int listener = listen_somewhere(&addr);
    const int size = 4096;
    if (tight)
        assert_int_equal(
            setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    w->client.conn = conn_connect(w->loop, NULL, &addr, in_max, out_max,
                                  &handlers, &w->client, &fault);
    assert_non_null(w->client.conn);
    await(w, &w->client.opened, 1);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    if (tight)
        assert_int_equal(
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    (void)close(listener);
    w->server.conn =
        conn_accept(w->loop, fd, in_max, out_max, &handlers, &w->server);
}

static void join_by_tls(struct world *w, size_t in_max, size_t out_max,
                        bool tight)
{
    join(w, in_max, out_max, tight);
    conn_start_tls(w->server.conn, w->serving, NULL);
    conn_start_tls(w->client.conn, w->checking, "localhost");
    await(w, &w->client.opened, 2);
    await(w, &w->server.opened, 1);
    assert_true(conn_is_tls(w->client.conn));
    assert_true(conn_is_tls(w->server.conn));
}

/* A connected raw socket as the peer of w->server. */
static int join_raw(struct world *w)
{
    struct addr addr;
    int listener = listen_somewhere(&addr);
    int raw = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(
        connect(raw, (const struct sockaddr *)&addr.storage, addr.len), 0);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    (void)close(listener);
    w->server.conn =
        conn_accept(w->loop, fd, BUFFER_MAX, BUFFER_MAX, &handlers, &w->server);
    return raw;
}

static void reset(int fd)
{
    const struct linger at_once = { .l_onoff = 1 };
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
}

static void check_pattern(const struct side *side, size_t len)
{
    assert_int_equal(side->got.len, len);
    struct slice bytes = buf_slice(&side->got);
    for (size_t i = 0; i < len; i++)
        if (bytes.ptr[i] != pattern(i))
            fail_msg("byte %zu is wrong", i);
}

static void say_text(struct side *side, const char *text)
{
    assert_true(buf_add_text(conn_out(side->conn), text));
}

static void addresses_are_what_they_were_made_of(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } good[] = {
        { "127.0.0.1", true },
        { "127.9.9.9", true },
        { "0.0.0.0", true },
        { "::1", true },
        { "::", true },
        { "::ffff:127.0.0.1", true },
        { "192.0.2.1", false },
        { "2001:db8::1", false },
        { "::ffff:192.0.2.1", false },
    };
    static const char *const bad[] = {
        "",          "127.1",
        "1.2.3.4.5", "[::1]",
        "localhost", "::1%lo",
        "1.2.3.4 ",  "1111:1111:1111:1111:1111:1111:1111:1111:1"
    };
    struct addr addr;
    char text[ADDR_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(addr_of_ip(slice_text(good[i].text), 25, &addr));
        assert_int_equal(addr_port(&addr), 25);
        assert_int_equal(addr_is_loopback(&addr), good[i].loopback);
        addr_ip_text(&addr, text);
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(addr_of_ip(slice_text(bad[i]), 25, &addr));

    struct addr mapped;
    assert_true(addr_of_ip(SLICE("192.0.2.1"), 1, &addr));
    assert_true(addr_of_ip(SLICE("::ffff:192.0.2.1"), 2, &mapped));
    assert_true(addr_same_ip(&addr, &mapped));
    assert_false(addr_is_local(&addr));
    assert_true(addr_of_ip(SLICE("192.0.2.2"), 2, &mapped));
    assert_false(addr_same_ip(&addr, &mapped));
    assert_true(addr_of_ip(SLICE("127.0.0.5"), 2, &addr));
    assert_true(addr_is_local(&addr));
}

static void bytes_go_both_ways(void **state)
{
    struct world *w = *state;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    say_text(&w->server, "220 hello\r\n");
    await_bytes(w, &w->client, 11);
    say_text(&w->client, "QUIT\r\n");
    await_bytes(w, &w->server, 6);
    assert_true(slice_equal(buf_slice(&w->client.got), SLICE("220 hello\r\n")));
    assert_int_equal(w->server.drained, 1);
    assert_null(conn_tls_version(w->client.conn));

    struct addr peer;
    struct addr local;
    conn_peer(w->client.conn, &peer);
    conn_local(w->server.conn, &local);
    assert_int_equal(addr_port(&peer), addr_port(&local));
    assert_true(addr_same_ip(&peer, &local));
}

static void a_conn_leaves_from_the_address_it_was_told(void **state)
{
    struct world *w = *state;
    struct addr to;
    struct addr from;
    struct addr local;
    struct fault fault;
    int listener = listen_somewhere(&to);
    assert_true(addr_of_ip(SLICE("127.0.0.9"), 0, &from));
    w->client.conn = conn_connect(w->loop, &from, &to, BUFFER_MAX, BUFFER_MAX,
                                  &handlers, &w->client, &fault);
    assert_non_null(w->client.conn);
    await(w, &w->client.opened, 1);
    conn_local(w->client.conn, &local);
    assert_true(addr_same_ip(&local, &from));
    (void)close(listener);

    assert_true(addr_of_ip(SLICE("192.0.2.1"), 0, &from));
    assert_null(conn_connect(w->loop, &from, &to, BUFFER_MAX, BUFFER_MAX,
                             &handlers, &w->client, &fault));
    assert_int_equal(fault.sys_errno, EADDRNOTAVAIL);
}

static void a_refused_connection_closes_once(void **state)
{
    struct world *w = *state;
    struct addr to;
    struct fault fault;
    (void)close(listen_somewhere(&to));
    w->client.conn = conn_connect(w->loop, NULL, &to, BUFFER_MAX, BUFFER_MAX,
                                  &handlers, &w->client, &fault);
    assert_non_null(w->client.conn);
    await(w, &w->client.closed, 1);
    some_turns(w);
    assert_int_equal(w->client.closed, 1);
    assert_int_equal(w->client.opened, 0);
    assert_int_equal(w->client.fault.rc, RC_IO);
    assert_int_equal(w->client.fault.sys_errno, ECONNREFUSED);
}

static void transfer(struct world *w, size_t len)
{
    w->client.to_send = len;
    w->server.to_send = len;
    fill(&w->client);
    fill(&w->server);
    await_bytes(w, &w->server, len);
    await_bytes(w, &w->client, len);
    check_pattern(&w->server, len);
    check_pattern(&w->client, len);
}

static void much_goes_through_little_buffers(void **state)
{
    struct world *w = *state;
    join(w, 1500, 3000, true);
    transfer(w, 500000);
}

static void much_goes_through_little_buffers_by_tls(void **state)
{
    struct world *w = *state;
    join_by_tls(w, 1500, 3000, true);
    transfer(w, 500000);
}

static void much_goes_through_large_buffers_by_tls(void **state)
{
    struct world *w = *state;
    join_by_tls(w, (size_t)1 << 20, (size_t)1 << 20, false);
    transfer(w, 5000000);
}

/* Held input fills the buffer and no more; taking it elsewhere goes on. */
static void hold_and_release(struct world *w)
{
    w->server.on_input = ACT_HOLD;
    w->client.to_send = 300000;
    fill(&w->client);
    for (int i = 0; i < 200; i++)
        loop_turn(w->loop);
    assert_int_equal(conn_in(w->server.conn)->len, 1000);
    w->server.on_input = ACT_NONE;
    struct buf *in = conn_in(w->server.conn);
    assert_true(buf_add(&w->server.got, buf_slice(in)));
    buf_take(in, in->len);
    conn_pause(w->server.conn, false);
    await_bytes(w, &w->server, 300000);
    check_pattern(&w->server, 300000);
}

static void a_full_input_buffer_pushes_back(void **state)
{
    struct world *w = *state;
    join(w, 1000, BUFFER_MAX, true);
    hold_and_release(w);
}

static void a_full_input_buffer_pushes_back_by_tls(void **state)
{
    struct world *w = *state;
    join_by_tls(w, 1000, BUFFER_MAX, true);
    hold_and_release(w);
}

static void a_paused_conn_reads_nothing_and_then_all(void **state)
{
    struct world *w = *state;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    conn_pause(w->server.conn, true);
    say_text(&w->client, "AUTH");
    some_turns(w);
    assert_int_equal(conn_in(w->server.conn)->len, 0);
    conn_pause(w->server.conn, false);
    await_bytes(w, &w->server, 4);

    w->server.on_input = ACT_HOLD;
    say_text(&w->client, "MAIL");
    some_turns(w);
    conn_pause(w->server.conn, true);
    w->server.on_input = ACT_NONE;
    some_turns(w);
    assert_int_equal(w->server.got.len, 4);
    conn_pause(w->server.conn, false); /* tells of the bytes that wait */
    await_bytes(w, &w->server, 8);
}

static void tls_has_a_version_and_a_cipher(void **state)
{
    struct world *w = *state;
    join_by_tls(w, BUFFER_MAX, BUFFER_MAX, false);
    assert_string_equal(conn_tls_version(w->server.conn), "TLSv1.3");
    assert_string_equal(conn_tls_version(w->client.conn), "TLSv1.3");
    assert_non_null(strstr(conn_tls_cipher(w->client.conn), "TLS_"));
    say_text(&w->client, "EHLO\r\n");
    await_bytes(w, &w->server, 6);
}

/* Starts TLS from both ends and waits for the client's end. */
static void shake(struct world *w, struct tls_context *context,
                  const char *name)
{
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    conn_start_tls(w->client.conn, context, name);
    conn_start_tls(w->server.conn, w->serving, NULL);
    await(w, &w->client.closed, 1);
}

static void a_wrong_name_fails_where_it_is_checked(void **state)
{
    struct world *w = *state;
    shake(w, w->checking, "mx.example.com");
    assert_int_equal(w->client.opened, 1); /* in clear alone */
    assert_non_null(strstr(w->client.fault.text, "ostname mismatch"));
    await(w, &w->server.closed, 1);
    assert_false(conn_is_tls(w->client.conn));
}

static void an_ip_is_checked_as_an_ip(void **state)
{
    struct world *w = *state;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    conn_start_tls(w->client.conn, w->checking, "127.0.0.1");
    conn_start_tls(w->server.conn, w->serving, NULL);
    await(w, &w->client.opened, 2);
}

static void an_unknown_authority_fails_where_it_is_checked(void **state)
{
    struct world *w = *state;
    struct fault fault;
    scoped(tls_context_release) struct tls_context *other =
        tls_client_context(true, w->expired, &fault);
    assert_non_null(other);
    shake(w, other, "localhost");
    assert_non_null(strstr(w->client.fault.text, "certificate"));
}

static void opportunistic_tls_takes_any_certificate(void **state)
{
    struct world *w = *state;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    conn_start_tls(w->server.conn, w->serving, NULL);
    conn_start_tls(w->client.conn, w->trusting, "mx.example.com");
    await(w, &w->client.opened, 2);
    await(w, &w->server.opened, 1);
}

/* One connection by TLS, on which something is said. Whether it was resumed. */
static bool connect_by_tls(struct world *w, struct tls_context *serving,
                           struct tls_context *context, const char *name)
{
    w->client.opened = 0;
    w->server.opened = 0;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    conn_start_tls(w->server.conn, serving, NULL);
    conn_start_tls(w->client.conn, context, name);
    await(w, &w->client.opened, 2);
    await(w, &w->server.opened, 1);
    buf_clear(&w->client.got);
    say_text(&w->server, "250 ok\r\n");
    await_bytes(w, &w->client, 8);
    const bool is_resumed = conn_tls_is_resumed(w->client.conn);
    assert_int_equal(is_resumed, conn_tls_is_resumed(w->server.conn));
    conn_free(&w->client.conn);
    conn_free(&w->server.conn);
    some_turns(w);
    return is_resumed;
}

static void sessions_are_resumed_by_name_and_demands(void **state)
{
    struct world *w = *state;
    struct fault fault;
    scoped(tls_context_release) struct tls_context *lax =
        tls_client_context(false, NULL, &fault);
    scoped(tls_context_release) struct tls_context *strict =
        tls_client_context(true, w->certificate, &fault);
    assert_false(connect_by_tls(w, w->serving, lax, "localhost"));
    for (int i = 0; i < 10; i++) /* each gives a new ticket */
        assert_true(connect_by_tls(w, w->serving, lax, "localhost"));
    assert_false(connect_by_tls(w, w->serving, lax, "mx.example.com"));
    /* What was not checked is of no use where it is. */
    assert_false(connect_by_tls(w, w->serving, strict, "localhost"));
    assert_true(connect_by_tls(w, w->serving, strict, "localhost"));
    w->client.opened = 0;
    shake(w, strict, "mx.example.com");
    assert_int_equal(w->client.opened, 1);
}

/* The clock of tls.c, which is ahead of the real one. */
static time_t ahead_s;
time_t __wrap_time(time_t *now_s);
time_t __real_time(time_t *now_s);
time_t __wrap_time(time_t *now_s)
{
    const time_t then_s = __real_time(NULL) + ahead_s;
    if (now_s)
        *now_s = then_s;
    return then_s;
}

/* Though OpenSSL's own tickets are good for two. */
static void a_session_is_resumed_for_an_hour(void **state)
{
    struct world *w = *state;
    struct fault fault;
    scoped(tls_context_release) struct tls_context *strict =
        tls_client_context(true, w->certificate, &fault);
    assert_false(connect_by_tls(w, w->serving, strict, "localhost"));
    ahead_s = 3590;
    assert_true(connect_by_tls(w, w->serving, strict, "localhost"));
    ahead_s = 3605;
    assert_false(connect_by_tls(w, w->serving, strict, "localhost"));
    ahead_s = -5; /* it is from the future */
    assert_false(connect_by_tls(w, w->serving, strict, "localhost"));
    ahead_s = 0;
    assert_true(connect_by_tls(w, w->serving, strict, "localhost"));
}

/* A server that has lost its keys since does a whole handshake. */
static void a_session_that_is_not_known_any_more_does_no_harm(void **state)
{
    struct world *w = *state;
    struct fault fault;
    scoped(tls_context_release) struct tls_context *lax =
        tls_client_context(false, NULL, &fault);
    scoped(tls_context_release) struct tls_context *restarted =
        tls_server_context(w->certificate, w->key, "1.2", &fault);
    assert_false(connect_by_tls(w, w->serving, lax, "localhost"));
    assert_false(connect_by_tls(w, restarted, lax, "localhost"));
    assert_true(connect_by_tls(w, restarted, lax, "localhost"));
}

static void a_pair_that_cannot_serve_is_refused(void **state)
{
    struct world *w = *state;
    struct fault fault;
    assert_null(tls_server_context("/nonexistent", w->key, "1.2", &fault));
    assert_non_null(strstr(fault.text, "/nonexistent"));
    assert_null(
        tls_server_context(w->certificate, w->other_key, "1.2", &fault));
    assert_non_null(strstr(fault.text, "mismatch"));
    assert_null(tls_server_context(w->expired, w->other_key, "1.2", &fault));
    assert_non_null(strstr(fault.text, "expired"));
    assert_null(tls_server_context(w->certificate, w->key, "1.1", &fault));
    assert_int_equal(fault.rc, RC_SYNTAX);
    assert_null(tls_client_context(true, "/nonexistent", &fault));
}

/* What a man in the middle adds to the clear words around STARTTLS is in no
 * one's input once TLS is up. */
static void nothing_said_in_clear_survives_starttls(void **state)
{
    struct world *w = *state;
    join(w, BUFFER_MAX, BUFFER_MAX, false);
    w->server.upgrade_at = "STARTTLS\r\n";
    w->server.upgrade_say = "220 go\r\n250 injected\r\n";
    w->server.context = w->serving;
    w->client.upgrade_at = "220 go\r\n";
    w->client.context = w->checking;
    w->client.name = "localhost";
    say_text(&w->client, "STARTTLS\r\nRSET injected\r\n");
    await(w, &w->client.opened, 2);
    await(w, &w->server.opened, 1);
    say_text(&w->client, "EHLO\r\n");
    say_text(&w->server, "250 ok\r\n");
    await_bytes(w, &w->server, 6);
    await_bytes(w, &w->client, 8);
    assert_true(slice_equal(buf_slice(&w->server.got), SLICE("EHLO\r\n")));
    assert_true(slice_equal(buf_slice(&w->client.got), SLICE("250 ok\r\n")));
}

/* Bytes put into the output after conn_start_tls() do not leave in clear. */
static void what_is_added_after_starttls_waits_for_tls(void **state)
{
    struct world *w = *state;
    int raw = join_raw(w);
    char seen[256];
    say_text(&w->server, "220 go\r\n");
    conn_start_tls(w->server.conn, w->serving, NULL);
    say_text(&w->server, "secret");
    some_turns(w);
    ssize_t got = recv(raw, seen, sizeof seen, MSG_DONTWAIT);
    assert_int_equal(got, 8);
    (void)close(raw);
}

enum stage { STAGE_OPEN, STAGE_SHAKING, STAGE_TALKING };

static void peers_that_leave_close_once(void **state)
{
    struct world *w = *state;
    for (int way = 0; way < 6; way++) {
        enum stage stage = (enum stage)(way / 2);
        w->server.closed = 0;
        int raw = join_raw(w);
        if (stage == STAGE_SHAKING) {
            conn_start_tls(w->server.conn, w->serving, NULL);
            /* A record's head, and nothing of the record. */
            assert_int_equal(write(raw, "\x16\x03\x01\x02\x00", 5), 5);
            some_turns(w);
        }
        if (stage == STAGE_TALKING) {
            say_text(&w->server, "220 unread by the peer\r\n");
            some_turns(w);
        }
        if (way % 2 == 0)
            (void)close(raw);
        else
            reset(raw);
        await(w, &w->server.closed, 1);
        some_turns(w);
        assert_int_equal(w->server.closed, 1);
        assert_true(w->server.fault.rc == RC_CLOSED
                    || w->server.fault.sys_errno == ECONNRESET);
        conn_free(&w->server.conn);
    }
}

static void a_tls_peer_that_leaves_closes_once(void **state)
{
    struct world *w = *state;
    join_by_tls(w, BUFFER_MAX, BUFFER_MAX, false);
    say_text(&w->client, "last words");
    conn_finish(&w->client.conn, 1000);
    await(w, &w->server.closed, 1);
    some_turns(w);
    assert_int_equal(w->server.closed, 1);
    assert_int_equal(w->server.fault.rc, RC_CLOSED);
    assert_true(slice_equal(buf_slice(&w->server.got), SLICE("last words")));
    assert_int_equal(w->client.closed, 0);
}

static void a_tls_peer_without_close_notify_has_closed(void **state)
{
    struct world *w = *state;
    join_by_tls(w, BUFFER_MAX, BUFFER_MAX, false);
    some_turns(w); /* the client reads its tickets: unread they make a reset */
    conn_free(&w->client.conn);
    await(w, &w->server.closed, 1);
    assert_int_equal(w->server.fault.rc, RC_CLOSED);
}

/* The refusal came, then the reset, and it is a write that meets the reset. */
static void last_words_before_a_reset_are_heard(void **state)
{
    struct world *w = *state;
    int raw = join_raw(w);
    conn_pause(w->server.conn, true);
    say_text(&w->server, "EHLO unread\r\n");
    some_turns(w);
    assert_int_equal(write(raw, "421 busy\r\n", 10), 10);
    (void)close(raw); /* with unread bytes: a reset */
    say_text(&w->server, "MAIL\r\n");
    conn_pause(w->server.conn, false);
    await(w, &w->server.closed, 1);
    some_turns(w);
    assert_int_equal(w->server.closed, 1);
    assert_true(slice_equal(buf_slice(&w->server.got), SLICE("421 busy\r\n")));
}

static void a_paused_writer_learns_of_the_reset(void **state)
{
    struct world *w = *state;
    int raw = join_raw(w);
    conn_pause(w->server.conn, true);
    reset(raw);
    say_text(&w->server, "220 hello\r\n");
    await(w, &w->server.closed, 1);
    assert_int_equal(w->server.fault.rc, RC_IO);
}

static void finish_sends_all_before_the_end(void **state)
{
    struct world *w = *state;
    join(w, 1000, (size_t)1 << 20, true);
    w->client.to_send = 900000;
    fill(&w->client);
    assert_int_equal(w->client.to_send, 0);
    assert_int_equal(w->client.drained, 0);
    say_text(&w->server, "unread input must not make a reset");
    conn_finish(&w->client.conn, WAIT_MS);
    assert_null(w->client.conn);
    await(w, &w->server.closed, 1);
    assert_int_equal(w->server.fault.rc, RC_CLOSED);
    check_pattern(&w->server, 900000);
    assert_int_equal(w->client.drained, 0);
    assert_int_equal(w->client.closed, 0);
}

static void finish_waits_no_longer_than_told(void **state)
{
    struct world *w = *state;
    int raw = join_raw(w);
    w->server.to_send = BUFFER_MAX;
    fill(&w->server);
    uint64_t start_ms = loop_now_ms(w->loop); /* the clock that counts */
    conn_finish(&w->server.conn, 50);
    char bytes[4096];
    ssize_t got = 1;
    while (got > 0) { /* reads to the end, and does not end itself */
        loop_turn(w->loop);
        got = recv(raw, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            got = 1;
    }
    assert_int_equal(got, 0);
    while (send(raw, "x", 1, MSG_NOSIGNAL) == 1
           && time_now_ms() < start_ms + WAIT_MS)
        loop_turn(w->loop);
    uint64_t took_ms = time_now_ms() - start_ms;
    assert_true(took_ms >= 40 && took_ms < WAIT_MS);
    (void)close(raw);
}

static void a_finishing_conn_ends_with_its_loop(void **state)
{
    struct world *w = *state;
    int raw = join_raw(w);
    conn_finish(&w->server.conn, HOURS_MS(1));
    some_turns(w);
    loop_free(&w->loop);
    char byte = 0;
    assert_int_equal(recv(raw, &byte, 1, MSG_DONTWAIT), 0);
    (void)close(raw);
    w->loop = loop_new();
}

static void handlers_may_free(void **state)
{
    struct world *w = *state;
    w->client.on_open = ACT_FREE;
    struct addr to;
    struct fault fault;
    int listener = listen_somewhere(&to);
    w->client.conn = conn_connect(w->loop, NULL, &to, BUFFER_MAX, BUFFER_MAX,
                                  &handlers, &w->client, &fault);
    await(w, &w->client.opened, 1);
    assert_null(w->client.conn);
    (void)close(listener);

    int raw = join_raw(w);
    w->server.on_input = ACT_FREE;
    assert_int_equal(write(raw, "x", 1), 1);
    uint64_t end_ms = time_now_ms() + WAIT_MS;
    while (w->server.conn && time_now_ms() < end_ms)
        loop_turn(w->loop);
    assert_null(w->server.conn);
    some_turns(w);
    assert_int_equal(w->server.closed, 0);
    (void)close(raw);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start_loop, end_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_what_they_were_made_of),
        CASE(sessions_are_resumed_by_name_and_demands),
        CASE(a_session_is_resumed_for_an_hour),
        CASE(a_session_that_is_not_known_any_more_does_no_harm),
        cmocka_unit_test(a_pair_that_cannot_serve_is_refused),
        CASE(bytes_go_both_ways),
        CASE(a_conn_leaves_from_the_address_it_was_told),
        CASE(a_refused_connection_closes_once),
        CASE(much_goes_through_little_buffers),
        CASE(much_goes_through_little_buffers_by_tls),
        CASE(much_goes_through_large_buffers_by_tls),
        CASE(a_full_input_buffer_pushes_back),
        CASE(a_full_input_buffer_pushes_back_by_tls),
        CASE(a_paused_conn_reads_nothing_and_then_all),
        CASE(tls_has_a_version_and_a_cipher),
        CASE(a_wrong_name_fails_where_it_is_checked),
        CASE(an_ip_is_checked_as_an_ip),
        CASE(an_unknown_authority_fails_where_it_is_checked),
        CASE(opportunistic_tls_takes_any_certificate),
        CASE(nothing_said_in_clear_survives_starttls),
        CASE(what_is_added_after_starttls_waits_for_tls),
        CASE(peers_that_leave_close_once),
        CASE(a_tls_peer_that_leaves_closes_once),
        CASE(a_tls_peer_without_close_notify_has_closed),
        CASE(last_words_before_a_reset_are_heard),
        CASE(a_paused_writer_learns_of_the_reset),
        CASE(finish_sends_all_before_the_end),
        CASE(finish_waits_no_longer_than_told),
        CASE(a_finishing_conn_ends_with_its_loop),
        CASE(handlers_may_free),
    };
    return cmocka_run_group_tests(tests, make_world, remove_world);
}
