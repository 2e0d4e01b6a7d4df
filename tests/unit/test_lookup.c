/* test_lookup - names of this machine, and work that may block. */
#include "common/edge/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

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
    answer.lookup = lookup_new(answer.loop, host, 6379, hear, &answer);
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
    struct lookup *lookup =
        lookup_new(answer.loop, "localhost", 1, hear, &answer);
    lookup_free(&lookup);
    loop_free(&answer.loop); /* waits for its thread */
    assert_int_equal(answer.count, 77);
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
        cmocka_unit_test(the_end_of_a_loop_waits_for_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
