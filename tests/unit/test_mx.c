/* test_mx.c - from a domain to its destination, with answers made up here. */
#include "router/dispatch/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"

static const struct conf conf = { .resolver.max_ttl_ms = 3600000 };

/* What mx asked for, and what waiters heard last. */
struct seen {
    unsigned queries;
    char domain[DNS_NAME_MAX + 1];
    unsigned answers;
    struct mx_answer answer;
    char first_host[DNS_NAME_MAX + 1];
};

static void on_query(void *context, const char *domain)
{
    struct seen *seen = context;
    seen->queries++;
    (void)snprintf(seen->domain, sizeof seen->domain, "%s", domain);
}

static void keep(struct seen *seen, const struct mx_answer *answer)
{
    seen->answer = *answer;
    if (answer->kind == MX_FOUND)
        (void)snprintf(seen->first_host, sizeof seen->first_host, "%.*s",
                       SLICE_ARG(answer->destination->hosts[0].name));
}

static void on_answer(void *context, struct list *waiter,
                      const struct mx_answer *answer)
{
    struct seen *seen = context;
    (void)waiter;
    seen->answers++;
    keep(seen, answer);
}

static struct mx *make(struct seen *seen)
{
    *seen = (struct seen){ 0 };
    const struct mx_hooks hooks = { on_query, on_answer, seen };
    return mx_new(&conf, &hooks);
}

/* True when the answer was known at once. */
static bool ask(struct mx *mx, struct seen *seen, const char *domain,
                struct list *waiter, uint64_t now_ms)
{
    struct mx_answer answer;
    list_init(waiter);
    const bool known = mx_ask(mx, slice_text(domain), waiter, now_ms, &answer);
    if (known)
        keep(seen, &answer);
    return known;
}

static void say(struct mx *mx, enum dns_status status, const char *host,
                uint64_t now_ms)
{
    struct dns_mx_host hosts[1] = { { .preference = 10 } };
    (void)snprintf(hosts[0].name, sizeof hosts[0].name, "%s", host ? host : "");
    const struct dns_mx_answer answer = { status, 300, host ? 1 : 0, hosts };
    mx_hear(mx, SLICE("b.example"), &answer, now_ms);
}

static const struct {
    const char *why;
    enum dns_status status;
    const char *host;
    enum mx_kind kind;
    const char *first;        /* of MX_FOUND */
    struct enhanced enhanced; /* of the others */
} cases[] = {
    { "an MX", DNS_OK, "mx.b.example", MX_FOUND, "mx.b.example", { 0 } },
    { "null MX", DNS_OK, "", MX_FAILED, NULL, { 5, 1, 10 } },
    { "no MX: the domain itself",
      DNS_NODATA,
      NULL,
      MX_FOUND,
      "b.example",
      { 0 } },
    { "no such name", DNS_NXDOMAIN, NULL, MX_FAILED, NULL, { 5, 1, 2 } },
    { "SERVFAIL", DNS_FAILED, NULL, MX_DEFERRED, NULL, { 4, 4, 3 } },
    { "time-out", DNS_TIMEOUT, NULL, MX_DEFERRED, NULL, { 4, 4, 3 } },
};

static void each_answer_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen;
        struct list waiter;
        struct mx *mx = make(&seen);
        assert_false(ask(mx, &seen, "b.example", &waiter, 1000));
        assert_string_equal(seen.domain, "b.example");
        say(mx, cases[i].status, cases[i].host, 1000);
        assert_int_equal(seen.answers, 1);
        if (seen.answer.kind != cases[i].kind)
            fail_msg("%s", cases[i].why);
        if (cases[i].first)
            assert_string_equal(seen.first_host, cases[i].first);
        else
            assert_memory_equal(&seen.answer.status, &cases[i].enhanced,
                                sizeof(struct enhanced));
        mx_free(&mx);
    }
}

static void one_query_serves_all_and_is_remembered(void **state)
{
    (void)state;
    struct seen seen;
    struct list waiters[3];
    struct list late;
    struct mx *mx = make(&seen);
    for (unsigned i = 0; i < 3; i++)
        assert_false(ask(mx, &seen, "b.example", &waiters[i], 0));
    assert_int_equal(seen.queries, 1);
    list_remove(&waiters[1]); /* it waits no longer */
    say(mx, DNS_OK, "mx.b.example", 0);
    assert_int_equal(seen.answers, 2);
    assert_true(ask(mx, &seen, "b.example", &late, 299999));
    assert_int_equal(seen.queries, 1);
    assert_false(ask(mx, &seen, "b.example", &late, 300000));
    assert_int_equal(seen.queries, 2);
    say(mx, DNS_NXDOMAIN, NULL, 300000);
    assert_int_equal(seen.answer.kind, MX_FAILED);
    mx_free(&mx);
}

static void an_old_answer_bridges_an_outage(void **state)
{
    (void)state;
    struct seen seen;
    struct list waiter;
    struct mx *mx = make(&seen);
    (void)ask(mx, &seen, "b.example", &waiter, 0);
    say(mx, DNS_OK, "mx.b.example", 0);
    assert_false(ask(mx, &seen, "b.example", &waiter, 300000));
    say(mx, DNS_TIMEOUT, NULL, 300000);
    assert_int_equal(seen.answer.kind, MX_FOUND);
    const uint64_t later = 300000 + MX_STALE_MS;
    assert_false(ask(mx, &seen, "b.example", &waiter, later));
    say(mx, DNS_TIMEOUT, NULL, later);
    assert_int_equal(seen.answer.kind, MX_DEFERRED);
    mx_free(&mx);
}

static void a_literal_needs_no_query(void **state)
{
    (void)state;
    struct seen seen;
    struct list waiter;
    struct mx *mx = make(&seen);
    assert_true(ask(mx, &seen, "[127.0.0.1]", &waiter, 0));
    assert_string_equal(seen.first_host, "[127.0.0.1]");
    assert_int_equal(seen.queries, 0);
    assert_true(ask(mx, &seen, "", &waiter, 0));
    assert_int_equal(seen.answer.kind, MX_FAILED);
    mx_sweep(mx, MX_KEEP_MS);
    mx_free(&mx);
}

static void queries_are_bounded(void **state)
{
    (void)state;
    static struct list waiters[MX_QUERIES_MAX + 2];
    struct seen seen;
    char domain[32];
    struct mx *mx = make(&seen);
    assert_false(ask(mx, &seen, "b.example", &waiters[0], 0));
    for (unsigned i = 1; i < ARRAY_LEN(waiters); i++) {
        (void)snprintf(domain, sizeof domain, "d%u.example", i);
        assert_false(ask(mx, &seen, domain, &waiters[i], 0));
    }
    assert_int_equal(seen.queries, MX_QUERIES_MAX);
    say(mx, DNS_NODATA, NULL, 0);
    assert_int_equal(seen.queries, MX_QUERIES_MAX + 1);
    for (unsigned i = 1; i < ARRAY_LEN(waiters); i++)
        list_remove(&waiters[i]);
    mx_free(&mx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_meaning),
        cmocka_unit_test(one_query_serves_all_and_is_remembered),
        cmocka_unit_test(an_old_answer_bridges_an_outage),
        cmocka_unit_test(a_literal_needs_no_query),
        cmocka_unit_test(queries_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
