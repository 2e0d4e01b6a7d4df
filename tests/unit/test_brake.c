/* test_brake - how fast passwords may be guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "router/submission/brake.h"

static const struct siphash_key key = { { 1, 2 } };

/* The reference vector of the SipHash paper, appendix A. */
static void hashes_like_the_paper(void **state)
{
    static const struct siphash_key paper = {
        { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) }
    };
    char bytes[15];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    assert_true(siphash(&paper, slice_of(bytes, sizeof bytes))
                == UINT64_C(0xa129ca6149be45e5));
}

static struct net client(uint8_t number)
{
    struct net net = { { 0 } };
    net.bytes[15] = number;
    net.bytes[14] = 1;
    return net;
}

static struct net stranger(uint32_t number)
{
    struct net net = { { 0 } };
    for (unsigned i = 0; i < 4; i++)
        net.bytes[12 + i] = (uint8_t)(number >> (8 * i));
    net.bytes[0] = 9;
    return net;
}

static unsigned tries_of_strangers(struct brake *brake, uint64_t now_ms)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        struct net net = stranger(i % 1000);
        count += brake_try(brake, SLICE("app"), &net, now_ms + i / 100);
    }
    return count;
}

static void closes_an_account_to_strangers_alone(void **state)
{
    struct brake *brake = brake_new(&key);
    struct net user = client(1);
    (void)state;
    assert_true(brake_try(brake, SLICE("app"), &user, 1));
    brake_passed(brake, SLICE("app"), &user, 1);
    assert_int_equal(tries_of_strangers(brake, 2), BRAKE_ACCOUNT_MAX);
    assert_true(brake_knows(brake, SLICE("app"), &user, 2000));
    assert_true(brake_try(brake, SLICE("app"), &user, 2000));
    struct net other = client(2);
    assert_false(brake_try(brake, SLICE("app"), &other, 2000));
    assert_true(brake_try(brake, SLICE("other"), &other, 2000));
    assert_true(brake_try(brake, SLICE("app"), &other, 2 + BRAKE_WINDOW_MS));
    brake_free(&brake);
}

static void closes_a_client_that_tries_many_names(void **state)
{
    struct brake *brake = brake_new(&key);
    struct net net = client(1);
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char name[2] = { (char)('a' + i % 26), (char)('a' + i / 26) };
        count += brake_try(brake, slice_of(name, 2), &net, 1);
    }
    assert_int_equal(count, BRAKE_CLIENT_MAX);
    brake_free(&brake);
}

static void a_known_client_is_bounded_too(void **state)
{
    struct brake *brake = brake_new(&key);
    struct net net = client(1);
    unsigned count = 0;
    (void)state;
    assert_true(brake_try(brake, SLICE("app"), &net, 1));
    brake_passed(brake, SLICE("app"), &net, 1);
    for (unsigned i = 0; i < 1000; i++)
        count += brake_try(brake, SLICE("app"), &net, 1);
    assert_int_equal(count, BRAKE_ACCOUNT_MAX);
    brake_free(&brake);
}

static void delays_grow_and_a_success_ends_them(void **state)
{
    static const uint64_t wanted[] = { 1000, 2000, 4000, 8000, 15000, 15000 };
    struct brake *brake = brake_new(&key);
    struct net net = client(1);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(brake_try(brake, SLICE("app"), &net, 1));
        assert_int_equal(brake_delay_ms(brake, &net, 1), wanted[i]);
    }
    assert_true(brake_try(brake, SLICE("app"), &net, 1));
    brake_passed(brake, SLICE("app"), &net, 1);
    assert_true(brake_try(brake, SLICE("app"), &net, 1));
    assert_int_equal(brake_delay_ms(brake, &net, 1), 1000);
    brake_free(&brake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_like_the_paper),
        cmocka_unit_test(closes_an_account_to_strangers_alone),
        cmocka_unit_test(closes_a_client_that_tries_many_names),
        cmocka_unit_test(a_known_client_is_bounded_too),
        cmocka_unit_test(delays_grow_and_a_success_ends_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
