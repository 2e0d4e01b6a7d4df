/* test_lookup - names of this machine, a name server that hangs, and work that
 * may block. */
#include "common/edge/lookup.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/edge/store.h"

/* The system's resolver: names that end in ".hangs" have a name server that does
 * not answer until told to. */
static atomic_bool answers;
static atomic_uint asked;

int __real_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **list);

int __wrap_getaddrinfo(const char *host, const char *port,
                       const struct addrinfo *hints, struct addrinfo **list)
{
    const char *dot = strchr(host, '.');
    (void)atomic_fetch_add(&asked, 1);
    if (!dot || strcmp(dot, ".hangs") != 0)
        return __real_getaddrinfo(host, port, hints, list);
    while (!atomic_load(&answers))
        (void)usleep(1000);
    return __real_getaddrinfo("localhost", port, hints, list);
}

struct answer {
    struct loop *loop;
    struct lookup *lookup;
    size_t count;
    bool is_loopback;
    uint16_t port;
    enum rc rc;
};

static void hear(void *context, const struct addr *addrs, size_t count,
                 const struct fault *fault)
{
    struct answer *answer = context;
    answer->count = count;
    answer->rc = fault->rc;
    answer->is_loopback = count > 0 && addr_is_loopback(&addrs[0]);
    answer->port = count > 0 ? addr_port(&addrs[0]) : 0;
    lookup_free(&answer->lookup);
    loop_stop(answer->loop);
}

static struct answer look_up(const char *host)
{
    struct answer answer = { .loop = loop_new() };
    answer.lookup = lookup_new(answer.loop, hear, &answer);
    lookup_ask(answer.lookup, host, 6379);
    loop_run(answer.loop);
    loop_free(&answer.loop);
    return answer;
}

static void a_name_and_an_address_are_found(void **state)
{
    (void)state;
    static const char *const hosts[] = { "localhost", "127.0.0.1", "::1" };
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        const struct answer answer = look_up(hosts[i]);
        assert_true(answer.count > 0);
        assert_true(answer.is_loopback);
        assert_int_equal(answer.port, 6379);
    }
}

static void what_is_no_name_is_a_fault(void **state)
{
    (void)state;
    const struct answer answer = look_up("a..b");
    assert_int_equal(answer.count, 0);
    assert_int_equal(answer.rc, RC_NONE);
}

static void a_freed_lookup_tells_nothing(void **state)
{
    (void)state;
    struct answer answer = { .loop = loop_new(), .count = 77 };
    answer.lookup = lookup_new(answer.loop, hear, &answer);
    lookup_ask(answer.lookup, "localhost", 1);
    lookup_free(&answer.lookup);
    loop_free(&answer.loop); /* waits for its thread */
    assert_int_equal(answer.count, 77);
}

static void run_for(struct loop *loop, unsigned wait_ms)
{
    for (unsigned i = 0; i < wait_ms; i++) {
        loop_turn(loop);
        (void)usleep(1000);
    }
}

static void expect_silence(struct answer *answer)
{
    answer->loop = loop_new();
    answer->count = 77;
    answer->lookup = lookup_new(answer->loop, hear, answer);
    atomic_store(&answers, false);
    atomic_store(&asked, 0);
}

static void a_name_server_that_hangs_is_asked_once(void **state)
{
    (void)state;
    struct answer answer = { 0 };
    expect_silence(&answer);
    for (int i = 0; i < 5; i++) {
        lookup_ask(answer.lookup, "redis.hangs", 6379);
        run_for(answer.loop, 10);
        lookup_cancel(answer.lookup);
    }
    assert_int_equal(atomic_load(&asked), 1);
    atomic_store(&answers, true);
    run_for(answer.loop, 50);
    assert_int_equal(answer.count, 77); /* nobody waited */
    lookup_ask(answer.lookup, "redis.hangs", 6379);
    loop_run(answer.loop);
    assert_true(answer.is_loopback);
    assert_int_equal(answer.port, 6379);
    assert_int_equal(atomic_load(&asked), 1);
    loop_free(&answer.loop);
}

static void another_name_waits_for_its_turn_and_an_address_does_not(
    void **state)
{
    (void)state;
    struct answer answer = { 0 };
    expect_silence(&answer);
    lookup_ask(answer.lookup, "one.hangs", 1);
    lookup_ask(answer.lookup, "two.hangs", 2);
    lookup_ask(answer.lookup, "localhost", 3);
    run_for(answer.loop, 20);
    assert_int_equal(atomic_load(&asked), 1);
    atomic_store(&answers, true);
    loop_run(answer.loop);
    assert_int_equal(answer.port, 3);
    assert_int_equal(atomic_load(&asked), 2);
    loop_free(&answer.loop);

    const struct answer literal = look_up("127.0.0.1");
    assert_true(literal.is_loopback);
    assert_int_equal(atomic_load(&asked), 2);
}

static void redis_that_cannot_be_found_costs_one_thread(void **state)
{
    (void)state;
    struct answer answer = { 0 };
    struct fault fault = { 0 };
    expect_silence(&answer);
    struct store *store = store_new(
        answer.loop, &(struct store_place){ .url = "redis://redis.hangs:1" },
        20, &fault);
    assert_non_null(store);
    run_for(answer.loop, 700); /* attempts at 0, 120, 340 ms */
    assert_int_equal(atomic_load(&asked), 1);
    atomic_store(&answers, true);
    store_free(&store);
    lookup_free(&answer.lookup);
    loop_free(&answer.loop);
}

struct work {
    atomic_bool was_run;
    unsigned ended;
};

static void run_slowly(void *context)
{
    struct work *work = context;
    (void)usleep(50000);
    atomic_store(&work->was_run, true);
}

static void end(void *context)
{
    struct work *work = context;
    assert_true(atomic_load(&work->was_run));
    work->ended++;
}

static void the_end_of_a_loop_waits_for_its_work(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct work works[6] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(works); i++)
        loop_work(loop, run_slowly, end, &works[i]);
    loop_free(&loop);
    for (size_t i = 0; i < ARRAY_LEN(works); i++)
        assert_int_equal(works[i].ended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_and_an_address_are_found),
        cmocka_unit_test(what_is_no_name_is_a_fault),
        cmocka_unit_test(a_freed_lookup_tells_nothing),
        cmocka_unit_test(a_name_server_that_hangs_is_asked_once),
        cmocka_unit_test(
            another_name_waits_for_its_turn_and_an_address_does_not),
        cmocka_unit_test(redis_that_cannot_be_found_costs_one_thread),
        cmocka_unit_test(the_end_of_a_loop_waits_for_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
