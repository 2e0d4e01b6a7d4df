/* test_store - the link to a real redis-server, in good days and bad. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/edge/addr.h"
#include "common/edge/store.h"
#include "common/edge/store_url.h"

#define WAIT_MAX_MS 10000
#define CALL_MS     2000

static const struct store_script add = {
    .name = "add",
    .body = "return redis.call('INCRBY', KEYS[1], ARGV[1])",
};
static const struct store_script nest = {
    .name = "nest",
    .body = "return {1, 'two', {3, false}, {}}",
};
static const struct store_script broken = {
    .name = "broken",
    .body = "return redis.call('NO-SUCH-COMMAND')",
};

struct bench {
    struct loop *loop;
    struct store *store;
    struct store **free_me;
    char folder[32];
    char path[64];
    char url[80];
    const char *password; /* of the server */
    pid_t redis;
    size_t heard; /* replies and failures */
    size_t failed;
    size_t wanted; /* the loop stops at so many heard */
    bool disordered;
    int64_t last;
    struct fault fault;
};

static void hear(void *context, const struct store_reply *reply,
                 const struct fault *fault)
{
    struct bench *bench = context;
    if (reply) {
        bench->disordered |= reply->integer != bench->last + 1;
        bench->last = reply->integer;
    } else {
        bench->failed++;
        bench->fault = *fault;
    }
    if (++bench->heard == bench->wanted)
        loop_stop(bench->loop);
    if (bench->free_me)
        store_free(bench->free_me);
}

static void on_time(void *context)
{
    loop_stop(context);
}

static bool hears(struct bench *bench, size_t wanted, uint64_t wait_ms)
{
    struct timer *timer = timer_new(bench->loop, on_time, bench->loop);
    loop_turn(bench->loop); /* brings the loop's clock up to date */
    timer_set(timer, loop_now_ms(bench->loop) + wait_ms);
    bench->wanted = wanted;
    if (bench->heard < wanted)
        loop_run(bench->loop);
    timer_free(&timer);
    return bench->heard >= wanted;
}

static bool is_up_in_time(struct bench *bench)
{
    for (int i = 0; i < WAIT_MAX_MS / 10; i++) {
        if (store_is_up(bench->store))
            return true;
        (void)hears(bench, SIZE_MAX, 10);
    }
    return false;
}

static void start_redis(struct bench *bench)
{
    bench->redis = fork();
    assert_true(bench->redis >= 0);
    if (bench->redis > 0)
        return;
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    (void)execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
                 bench->path, "--save", "", "--appendonly", "no",
                 "--requirepass", bench->password, NULL);
    _exit(127);
}

static void stop_redis(struct bench *bench)
{
    if (bench->redis <= 0)
        return;
    (void)kill(bench->redis, SIGKILL);
    (void)waitpid(bench->redis, NULL, 0);
    bench->redis = 0;
}

static int set_up(void **state)
{
    struct bench *bench = NEW(struct bench);
    bench->loop = loop_new();
    bench->password = "";
    (void)snprintf(bench->folder, sizeof bench->folder, "/tmp/store.XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->path, sizeof bench->path, "%s/s", bench->folder);
    (void)snprintf(bench->url, sizeof bench->url, "unix://%s", bench->path);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    store_free(&bench->store);
    loop_turn(bench->loop);
    loop_free(&bench->loop);
    stop_redis(bench);
    (void)unlink(bench->path);
    (void)rmdir(bench->folder);
    mem_free(bench);
    return 0;
}

static void open_store(struct bench *bench, uint64_t timeout_ms)
{
    struct fault fault = { 0 };
    bench->store =
        store_new(bench->loop, &(struct store_place){ .url = bench->url },
                  timeout_ms, &fault);
    if (!bench->store)
        fail_msg("%s", fault.text);
}

static void connect_redis(struct bench *bench)
{
    start_redis(bench);
    open_store(bench, CALL_MS);
    assert_true(is_up_in_time(bench));
}

static void call_add(struct bench *bench)
{
    const struct slice key = SLICE("{t}n");
    const struct slice one = SLICE("1");
    size_t heard = bench->heard;
    store_eval(bench->store, &add, &key, 1, &one, 1, hear, bench);
    assert_int_equal(bench->heard, heard); /* never before it returned */
}

static void a_script_gives_its_reply(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    for (size_t i = 1; i <= 3; i++) {
        call_add(bench);
        assert_true(hears(bench, i, WAIT_MAX_MS));
    }
    assert_int_equal(bench->last, 3);
    assert_int_equal(bench->failed, 0);
}

static void hear_nest(void *context, const struct store_reply *reply,
                      const struct fault *fault)
{
    (void)fault;
    struct bench *bench = context;
    assert_non_null(reply);
    assert_int_equal(reply->kind, STORE_ARRAY);
    assert_int_equal(reply->count, 4);
    assert_int_equal(reply->items[0].integer, 1);
    assert_true(slice_equal(reply->items[1].text, SLICE("two")));
    assert_int_equal(reply->items[2].items[0].integer, 3);
    assert_int_equal(reply->items[2].items[1].kind, STORE_NIL);
    assert_int_equal(reply->items[3].count, 0);
    bench->heard++;
    loop_stop(bench->loop);
}

static void replies_nest(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    store_eval(bench->store, &nest, NULL, 0, NULL, 0, hear_nest, bench);
    assert_true(hears(bench, 1, WAIT_MAX_MS));
}

static void a_thousand_calls_are_answered_in_order(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    for (size_t i = 0; i < 1000; i++)
        call_add(bench);
    assert_true(hears(bench, 1000, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 0);
    assert_false(bench->disordered);
    assert_int_equal(bench->last, 1000);
}

static void a_forgotten_script_is_sent_again(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    for (size_t i = 1; i <= 2; i++) {
        call_add(bench);
        assert_true(hears(bench, i, WAIT_MAX_MS));
    }
    const struct slice flush[] = { SLICE("SCRIPT"), SLICE("FLUSH") };
    store_command(bench->store, flush, 2, NULL, NULL);
    for (size_t i = 0; i < 100; i++)
        call_add(bench);
    assert_true(hears(bench, 102, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 0);
    assert_int_equal(bench->last, 102);
    assert_false(bench->disordered);
}

/* Error replies fail the call and leave the link. */
static void a_refusal_fails_the_call_alone(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    store_eval(bench->store, &broken, NULL, 0, NULL, 0, hear, bench);
    assert_true(hears(bench, 1, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 1);
    assert_non_null(strstr(bench->fault.text, "broken"));
    assert_true(store_is_up(bench->store));

    const struct slice oom[] = { SLICE("CONFIG"), SLICE("SET"),
                                 SLICE("maxmemory"), SLICE("1") };
    store_command(bench->store, oom, 4, NULL, NULL);
    call_add(bench);
    assert_true(hears(bench, 2, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 2);
    assert_non_null(strstr(bench->fault.text, "OOM"));
    assert_true(store_is_up(bench->store));
}

static void without_a_server_calls_fail_at_once(void **state)
{
    struct bench *bench = *state;
    open_store(bench, CALL_MS);
    call_add(bench);
    assert_true(hears(bench, 1, 1000));
    assert_int_equal(bench->failed, 1);
    assert_int_equal(bench->fault.rc, RC_CLOSED);
    (void)hears(bench, SIZE_MAX, 500);
    call_add(bench);
    assert_true(hears(bench, 2, 1000));
    assert_non_null(strstr(bench->fault.text, "redis is down"));
    start_redis(bench);
    assert_true(is_up_in_time(bench));
}

static void the_link_comes_back_after_a_death(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    call_add(bench);
    assert_true(hears(bench, 1, WAIT_MAX_MS));
    (void)kill(bench->redis, SIGSTOP);
    for (size_t i = 0; i < 50; i++)
        call_add(bench);
    loop_turn(bench->loop);
    stop_redis(bench);
    assert_true(hears(bench, 51, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 50);
    assert_false(store_is_up(bench->store));

    start_redis(bench);
    assert_true(is_up_in_time(bench));
    bench->last = 0; /* the new server knows neither number nor script */
    call_add(bench);
    assert_true(hears(bench, 52, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 50);
    assert_int_equal(bench->last, 1);
}

static void a_frozen_server_times_out(void **state)
{
    struct bench *bench = *state;
    start_redis(bench);
    open_store(bench, 200);
    assert_true(is_up_in_time(bench));
    (void)kill(bench->redis, SIGSTOP);
    call_add(bench);
    call_add(bench);
    uint64_t start_ms = loop_now_ms(bench->loop);
    assert_true(hears(bench, 2, WAIT_MAX_MS));
    assert_int_equal(bench->failed, 2);
    assert_int_equal(bench->fault.rc, RC_TIMEOUT);
    assert_true(loop_now_ms(bench->loop) - start_ms < 1500);
    (void)kill(bench->redis, SIGCONT);
    assert_true(is_up_in_time(bench));
}

static void a_password_opens_the_door(void **state)
{
    struct bench *bench = *state;
    struct fault fault = { 0 };
    char file_path[48];
    (void)snprintf(file_path, sizeof file_path, "%s/p", bench->folder);
    bench->password = "s3cret";
    start_redis(bench);
    open_store(bench, CALL_MS);
    (void)hears(bench, SIZE_MAX, 500);
    assert_false(store_is_up(bench->store));
    call_add(bench);
    assert_true(hears(bench, 1, 1000));
    assert_non_null(strstr(bench->fault.text, "NOAUTH"));
    store_free(&bench->store);

    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    (void)fputs("s3cret\n", file);
    (void)fclose(file);
    struct store_place place = { .url = bench->url,
                                 .password_file = file_path };
    bench->store = store_new(bench->loop, &place, CALL_MS, &fault);
    (void)unlink(file_path);
    assert_non_null(bench->store);
    assert_true(is_up_in_time(bench));
    place.password_file = "/nonexistent";
    assert_null(store_new(bench->loop, &place, 1, &fault));
}

static void a_store_may_be_freed_by_a_reply(void **state)
{
    struct bench *bench = *state;
    connect_redis(bench);
    bench->free_me = &bench->store;
    for (size_t i = 0; i < 10; i++)
        call_add(bench);
    assert_true(hears(bench, 1, WAIT_MAX_MS));
    (void)hears(bench, 2, 100);
    assert_int_equal(bench->heard, 1);
    assert_null(bench->store);
}

static void a_store_may_be_freed_by_a_failure(void **state)
{
    struct bench *bench = *state;
    open_store(bench, CALL_MS);
    bench->free_me = &bench->store;
    call_add(bench);
    call_add(bench);
    assert_true(hears(bench, 1, 1000));
    (void)hears(bench, 2, 100);
    assert_int_equal(bench->heard, 1);
}

/* A server that greets well and then answers with `nonsense`. */
struct impostor {
    int fd;
    struct slice nonsense;
    bool greets;
};

static void *serve_nonsense(void *context)
{
    const struct impostor *impostor = context;
    for (int fd; (fd = accept(impostor->fd, NULL, NULL)) >= 0;
         (void)close(fd)) {
        char bytes[4096];
        if (read(fd, bytes, sizeof bytes) <= 0)
            continue;
        if (impostor->greets) {
            (void)send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
            if (read(fd, bytes, sizeof bytes) <= 0)
                continue;
        }
        const struct slice text = impostor->nonsense;
        (void)send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (text.len > 0)
            (void)shutdown(fd, SHUT_WR);
        while (read(fd, bytes, sizeof bytes) > 0)
            ;
    }
    return NULL;
}

static void nonsense_does_no_harm(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
#define CASE(literal) { (literal), sizeof(literal) - 1 }
        CASE("HTTP/1.1 400 Bad Request\r\n\r\n"),
        CASE("*2147483647\r\n"),
        CASE("*-5\r\n"),
        CASE("*99999999999999999999\r\n"),
        CASE("$-7\r\nx\r\n"),
        CASE("$536870912\r\nshort"),
        CASE(":12x\r\n"),
        CASE("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1"
             "\r\n"),
        CASE("\0\0\0\0\r\n"),
        CASE("%1\r\n+a\r\n+b\r\n"),
        CASE(":1\r\n:2\r\n:3\r\n:4\r\n"),
        CASE("-NOSCRIPT again\r\n-NOSCRIPT again\r\n-NOSCRIPT again\r\n"),
        CASE("+"),
        CASE("*2\r\n:1\r\n"),
#undef CASE
    };
    struct addr addr;
    assert_true(addr_of_path(bench->path, &addr));
    struct impostor impostor = { .fd = addr_listen(&addr, 8), .greets = true };
    assert_true(impostor.fd >= 0);
    int flags = fcntl(impostor.fd, F_GETFL);
    (void)fcntl(impostor.fd, F_SETFL, flags & ~O_NONBLOCK);
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        pthread_t thread;
        impostor.nonsense = slice_of(cases[i / 2].text, cases[i / 2].len);
        impostor.greets = i % 2 == 0;
        open_store(bench, 300);
        assert_int_equal(
            pthread_create(&thread, NULL, serve_nonsense, &impostor), 0);
        size_t heard = bench->heard;
        size_t calls = 0;
        for (int turn = 0; turn < 15; turn++) {
            (void)hears(bench, SIZE_MAX, 10);
            call_add(bench);
            calls++;
        }
        assert_true(hears(bench, heard + calls, WAIT_MAX_MS));
        store_free(&bench->store);
        loop_turn(bench->loop);
        (void)shutdown(impostor.fd, SHUT_RDWR);
        (void)pthread_join(thread, NULL);
        (void)close(impostor.fd);
        (void)unlink(bench->path);
        impostor.fd = addr_listen(&addr, 8);
        flags = fcntl(impostor.fd, F_GETFL);
        (void)fcntl(impostor.fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    (void)close(impostor.fd);
}

static void urls_are_read(void **state)
{
    (void)state;
    struct store_url url;
    struct fault fault;
    assert_int_equal(store_url_parse("redis://u%40x:p%2fw%3A@127.0.0.1:7000/3",
                                     &url, &fault),
                     RC_OK);
    assert_string_equal(url.user, "u@x");
    assert_string_equal(url.password, "p/w:");
    assert_int_equal(url.database, 3);
    assert_int_equal(url.host.port, 7000);
    assert_false(url.is_tls);
    assert_int_equal(store_url_parse("rediss://:pw@[::1]", &url, &fault),
                     RC_OK);
    assert_true(url.is_tls);
    assert_string_equal(url.user, "");
    assert_string_equal(url.host.name, "::1");
    assert_int_equal(url.host.port, 6379);
    assert_int_equal(store_url_parse("redis://localhost", &url, &fault), RC_OK);
    assert_string_equal(url.host.name, "localhost");
    assert_int_equal(
        store_url_parse("redis://redis.example.org:1", &url, &fault), RC_OK);
    assert_string_equal(url.host.name, "redis.example.org");
    assert_int_equal(store_url_parse("unix:///run/redis.sock", &url, &fault),
                     RC_OK);
    assert_int_equal(store_url_parse("sentinels://u:p@10.0.0.1,[::1]:7/main/2",
                                     &url, &fault),
                     RC_OK);
    assert_true(url.is_tls);
    assert_int_equal(url.sentinel_count, 2);
    assert_string_equal(url.sentinels[0].name, "10.0.0.1");
    assert_int_equal(url.sentinels[0].port, 26379);
    assert_int_equal(url.sentinels[1].port, 7);
    assert_string_equal(url.master, "main");
    assert_string_equal(url.user, "u");
    assert_int_equal(url.database, 2);

    static const char *const bad[] = {
        "",
        "sentinel://127.0.0.1",
        "sentinel://127.0.0.1/",
        "sentinel:///main",
        "sentinel://127.0.0.1,/main",
        "sentinel://127.0.0.1,host!example/main",
        "sentinel://127.0.0.1:0/main",
        "sentinel://127.0.0.1/main/x",
        "sentinel://a,b,c,d,e,f,g,h,i/main",
        "http://x",
        "unix://relative",
        "unix://",
        "redis://",
        "redis://redis example.org",
        "redis://[redis.example.org]",
        "redis://127.0.0.1:0",
        "redis://127.0.0.1:65536",
        "redis://127.0.0.1:x",
        "redis://127.0.0.1/x",
        "redis://127.0.0.1/0/1",
        "redis://user@127.0.0.1",
        "redis://u:p%4@127.0.0.1",
        "redis://u:p%00@127.0.0.1",
        "redis://u:p%zz@127.0.0.1",
        "redis://[::1",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (store_url_parse(bad[i], &url, &fault) != RC_SYNTAX)
            fail_msg("%s was taken", bad[i]);
    assert_int_equal(
        store_url_parse("redis://u:hush@name?example", &url, &fault),
        RC_SYNTAX);
    assert_null(strstr(fault.text, "hush"));
}

#define store_test(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        store_test(a_script_gives_its_reply),
        store_test(replies_nest),
        store_test(a_thousand_calls_are_answered_in_order),
        store_test(a_forgotten_script_is_sent_again),
        store_test(a_refusal_fails_the_call_alone),
        store_test(without_a_server_calls_fail_at_once),
        store_test(the_link_comes_back_after_a_death),
        store_test(a_frozen_server_times_out),
        store_test(a_password_opens_the_door),
        store_test(a_store_may_be_freed_by_a_reply),
        store_test(a_store_may_be_freed_by_a_failure),
        store_test(nonsense_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
