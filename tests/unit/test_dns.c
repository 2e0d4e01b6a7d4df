/* test_dns - a real resolver's answers come out as the statuses they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/dns.h"

#define WAIT_MS      SECONDS_MS(20)
#define MANY_HOSTS   40
#define ABSENT_TTL_S 77

struct world {
    struct loop *loop;
    struct dns *dns;
    struct addr resolver;
    pid_t unbound;
    char folder[64];
    char conf[96];
    char zone[96];
    char broken[96]; /* a zone without SOA, which unbound answers SERVFAIL */
    /* What the last callback brought. */
    int calls;
    enum dns_status status;
    uint32_t ttl_s;
    size_t count;
    struct dns_mx_host hosts[DNS_MX_MAX];
    struct addr addresses[DNS_ADDRESSES_MAX];
};

/* A port that is free now, for UDP and TCP. */
static void pick_port(struct addr *addr)
{
    assert_true(addr_of_ip(SLICE("127.0.0.1"), 0, addr));
    int tcp = addr_listen(addr, 1);
    assert_true(tcp >= 0);
    addr->len = sizeof addr->storage;
    assert_int_equal(
        getsockname(tcp, (struct sockaddr *)&addr->storage, &addr->len), 0);
    (void)close(tcp);
}

static void write_conf(const struct world *w)
{
    FILE *file = fopen(w->conf, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "server:\n"
                  "  interface: 127.0.0.1@%u\n"
                  "  port: %u\n"
                  "  directory: \"%s\"\n"
                  "  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n"
                  "  do-daemonize: no\n  use-syslog: no\n"
                  "  logfile: \"%s/log\"\n"
                  "  module-config: \"iterator\"\n"
                  "  local-zone: \"refused.\" refuse\n"
                  "  local-zone: \"test.\" nodefault\n"
                  "  outgoing-range: 16\n  num-threads: 1\n"
                  "auth-zone:\n  name: \"test.\"\n  zonefile: \"%s\"\n"
                  "  for-upstream: yes\n  for-downstream: yes\n"
                  "auth-zone:\n  name: \"broken.\"\n  zonefile: \"%s\"\n"
                  "  for-upstream: yes\n  for-downstream: yes\n"
                  "  fallback-enabled: no\n"
                  "remote-control:\n  control-enable: no\n",
                  addr_port(&w->resolver), addr_port(&w->resolver), w->folder,
                  w->folder, w->zone, w->broken);
    assert_int_equal(fclose(file), 0);
}

static void write_zone(const struct world *w)
{
    FILE *file = fopen(w->zone, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "$ORIGIN test.\n$TTL 300\n"
                  "@ SOA ns.test. who.test. 1 3600 600 86400 %d\n"
                  "@ NS ns.test.\n"
                  "ns A 127.0.0.1\n"
                  "two MX 20 b.two\n"
                  "two MX 10 z.two\n"
                  "two MX 10 A.two\n"
                  "z.two A 192.0.2.1\n"
                  "z.two A 192.0.2.2\n"
                  "z.two AAAA 2001:db8::1\n"
                  "b.two A 192.0.2.3\n"
                  "alias 50 CNAME other\n"
                  "other CNAME two\n"
                  "nomail MX 0 .\n"
                  "bad MX 10 under_score.test.\n"
                  "mixed MX 5 \\010\\000evil.test.\n"
                  "mixed MX 10 good.test.\n",
                  ABSENT_TTL_S);
    for (int i = 0; i < MANY_HOSTS; i++)
        (void)fprintf(file,
                      "many MX %d a-host-with-a-rather-long-name-%d"
                      ".a-domain-of-its-own-%d.example.\n",
                      i, i, i);
    assert_int_equal(fclose(file), 0);
}

static void write_broken_zone(const struct world *w)
{
    FILE *file = fopen(w->broken, "w");
    assert_non_null(file);
    (void)fprintf(file, "$ORIGIN broken.\n@ 300 A 192.0.2.1\n");
    assert_int_equal(fclose(file), 0);
}

static void start_unbound(struct world *w)
{
    char program[] = "unbound";
    char flags[] = "-dp";
    char with[] = "-c";
    char *argv[] = { program, flags, with, w->conf, NULL };
    posix_spawn_file_actions_t quiet;
    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO,
                                                      "/dev/null", O_WRONLY, 0),
                     0);
    /* Debian has it outside of a plain user's path. */
    int failed =
        posix_spawnp(&w->unbound, program, &quiet, NULL, argv, environ);
    if (failed)
        failed = posix_spawn(&w->unbound, "/usr/sbin/unbound", &quiet, NULL,
                             argv, environ);
    assert_int_equal(failed, 0);
    assert_int_equal(posix_spawn_file_actions_destroy(&quiet), 0);
}

static void on_mx(void *context, const struct dns_mx_answer *answer)
{
    struct world *w = context;
    w->calls++;
    w->status = answer->status;
    w->ttl_s = answer->ttl_s;
    w->count = answer->count;
    memcpy(w->hosts, answer->hosts, answer->count * sizeof w->hosts[0]);
}

static void on_addresses(void *context, const struct dns_address_answer *answer)
{
    struct world *w = context;
    w->calls++;
    w->status = answer->status;
    w->ttl_s = answer->ttl_s;
    w->count = answer->count;
    memcpy(w->addresses, answer->addresses,
           answer->count * sizeof w->addresses[0]);
}

static void await(struct world *w, int calls)
{
    uint64_t end_ms = time_now_ms() + WAIT_MS;
    while (w->calls < calls && time_now_ms() < end_ms)
        loop_turn(w->loop);
    assert_int_equal(w->calls, calls);
}

static void ask_mx(struct world *w, const char *domain)
{
    w->calls = 0;
    dns_query_mx(w->dns, domain, on_mx, w);
    assert_int_equal(w->calls, 0);
    await(w, 1);
}

static void ask_addresses(struct world *w, const char *host, int family)
{
    w->calls = 0;
    dns_query_addresses(w->dns, host, family, on_addresses, w);
    assert_int_equal(w->calls, 0);
    await(w, 1);
}

static int start(void **state)
{
    struct world *w = NEW(struct world);
    struct fault fault;
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/test_dns.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->conf, sizeof w->conf, "%s/conf", w->folder);
    (void)snprintf(w->zone, sizeof w->zone, "%s/zone", w->folder);
    (void)snprintf(w->broken, sizeof w->broken, "%s/broken", w->folder);
    pick_port(&w->resolver);
    write_conf(w);
    write_zone(w);
    write_broken_zone(w);
    start_unbound(w);
    w->loop = loop_new();
    w->dns = dns_new(w->loop, &w->resolver, 2000, 2, &fault);
    assert_non_null(w->dns);

    /* Until it listens its port refuses, which is a time-out at once. */
    uint64_t end_ms = time_now_ms() + WAIT_MS;
    do
        ask_mx(w, "two.test");
    while (w->status != DNS_OK && time_now_ms() < end_ms);
    *state = w;
    return w->status == DNS_OK ? 0 : -1;
}

static int stop(void **state)
{
    struct world *w = *state;
    char log[96];
    dns_free(&w->dns);
    loop_free(&w->loop);
    (void)kill(w->unbound, SIGTERM);
    (void)waitpid(w->unbound, NULL, 0);
    (void)snprintf(log, sizeof log, "%s/log", w->folder);
    (void)unlink(log);
    (void)unlink(w->conf);
    (void)unlink(w->zone);
    (void)unlink(w->broken);
    (void)rmdir(w->folder);
    mem_free(w);
    return 0;
}

static void check_two(const struct world *w)
{
    assert_int_equal(w->status, DNS_OK);
    assert_int_equal(w->count, 3);
    assert_string_equal(w->hosts[0].name, "a.two.test");
    assert_string_equal(w->hosts[1].name, "z.two.test");
    assert_string_equal(w->hosts[2].name, "b.two.test");
    assert_int_equal(w->hosts[2].preference, 20);
}

static void mail_hosts_come_by_preference(void **state)
{
    struct world *w = *state;
    ask_mx(w, "TWO.test");
    check_two(w);
    assert_true(w->ttl_s <= 300);
}

static void addresses_come_by_family(void **state)
{
    struct world *w = *state;
    char text[ADDR_TEXT_SIZE];
    ask_addresses(w, "z.two.test", AF_INET);
    assert_int_equal(w->status, DNS_OK);
    assert_int_equal(w->count, 2);
    assert_int_equal(w->ttl_s, 300);
    addr_ip_text(&w->addresses[0], text);
    assert_memory_equal(text, "192.0.2.", 8);
    ask_addresses(w, "z.two.test", AF_INET6);
    assert_int_equal(w->count, 1);
    addr_ip_text(&w->addresses[0], text);
    assert_string_equal(text, "2001:db8::1");
    assert_int_equal(addr_port(&w->addresses[0]), 0);
}

static void aliases_are_followed(void **state)
{
    struct world *w = *state;
    ask_mx(w, "alias.test");
    check_two(w);
    assert_true(w->ttl_s <= 50);
}

static void absence_is_told_apart(void **state)
{
    struct world *w = *state;
    ask_mx(w, "nosuch.test");
    assert_int_equal(w->status, DNS_NXDOMAIN);
    assert_int_equal(w->ttl_s, ABSENT_TTL_S);
    ask_mx(w, "ns.test");
    assert_int_equal(w->status, DNS_NODATA);
    assert_int_equal(w->ttl_s, ABSENT_TTL_S);
    assert_int_equal(w->count, 0);
    ask_addresses(w, "b.two.test", AF_INET6);
    assert_int_equal(w->status, DNS_NODATA);
    ask_addresses(w, "mail.hidden.onion", AF_INET);
    assert_int_equal(w->status, DNS_NXDOMAIN);
}

static void a_domain_without_mail_says_so(void **state)
{
    struct world *w = *state;
    ask_mx(w, "nomail.test");
    assert_int_equal(w->status, DNS_OK);
    assert_int_equal(w->count, 1);
    assert_int_equal(w->hosts[0].preference, 0);
    assert_string_equal(w->hosts[0].name, "");
}

static void hosts_that_are_none_are_void(void **state)
{
    struct world *w = *state;
    ask_mx(w, "bad.test");
    assert_int_equal(w->status, DNS_FAILED);
    assert_int_equal(w->count, 0);
    ask_mx(w, "mixed.test");
    assert_int_equal(w->status, DNS_OK);
    assert_int_equal(w->count, 1);
    assert_string_equal(w->hosts[0].name, "good.test");
}

static void long_answers_come_by_tcp(void **state)
{
    struct world *w = *state;
    ask_mx(w, "many.test");
    assert_int_equal(w->status, DNS_OK);
    assert_int_equal(w->count, MANY_HOSTS);
    assert_int_equal(w->hosts[MANY_HOSTS - 1].preference, MANY_HOSTS - 1);
}

static void a_broken_zone_has_failed(void **state)
{
    struct world *w = *state;
    ask_mx(w, "mail.broken");
    assert_int_equal(w->status, DNS_FAILED);
    ask_mx(w, "mail.refused");
    assert_int_equal(w->status, DNS_FAILED);
}

static void names_that_cannot_exist_do_not_exist(void **state)
{
    struct world *w = *state;
    char label[80];
    memset(label, 'a', sizeof label - 1);
    label[sizeof label - 1] = 0;
    ask_mx(w, label);
    assert_int_equal(w->status, DNS_NXDOMAIN);
}

static void many_queries_end_once_each(void **state)
{
    struct world *w = *state;
    w->calls = 0;
    for (int i = 0; i < 500; i++)
        dns_query_mx(w->dns, i % 2 ? "two.test" : "nosuch.test", on_mx, w);
    await(w, 500);
    for (int i = 0; i < 10; i++)
        loop_turn(w->loop);
    assert_int_equal(w->calls, 500);
}

/* A resolver that is silent, and one that is not there at all. */
static void no_resolver_is_a_timeout(void **state)
{
    struct world *w = *state;
    struct dns *working = w->dns;
    struct fault fault;
    struct addr addr;
    assert_true(addr_of_ip(SLICE("127.0.0.1"), 0, &addr));
    int silent = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(
        bind(silent, (const struct sockaddr *)&addr.storage, addr.len), 0);
    assert_int_equal(
        getsockname(silent, (struct sockaddr *)&addr.storage, &addr.len), 0);
    w->dns = dns_new(w->loop, &addr, 50, 2, &fault);
    uint64_t start_ms = time_now_ms();
    ask_mx(w, "two.test");
    assert_int_equal(w->status, DNS_TIMEOUT);
    assert_true(time_now_ms() - start_ms >= 100);

    (void)close(silent);
    ask_mx(w, "two.test");
    assert_int_equal(w->status, DNS_TIMEOUT);
    dns_free(&w->dns);
    w->dns = working;
}

static void queries_under_way_end_with_the_dns(void **state)
{
    struct world *w = *state;
    struct fault fault;
    struct dns *dns = dns_new(w->loop, &w->resolver, 2000, 2, &fault);
    w->calls = 0;
    dns_query_mx(dns, "two.test", on_mx, w);
    dns_query_mx(dns, "hidden.onion", on_mx, w); /* ends within the call */
    dns_free(&dns);
    for (int i = 0; i < 100; i++)
        loop_turn(w->loop);
    assert_int_equal(w->calls, 0);
}

static void a_resolver_is_an_ip(void **state)
{
    struct world *w = *state;
    struct fault fault;
    struct addr addr;
    assert_true(addr_of_path("/tmp/resolver", &addr));
    assert_null(dns_new(w->loop, &addr, 100, 1, &fault));
    assert_int_equal(fault.rc, RC_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_hosts_come_by_preference),
        cmocka_unit_test(addresses_come_by_family),
        cmocka_unit_test(aliases_are_followed),
        cmocka_unit_test(absence_is_told_apart),
        cmocka_unit_test(a_domain_without_mail_says_so),
        cmocka_unit_test(hosts_that_are_none_are_void),
        cmocka_unit_test(long_answers_come_by_tcp),
        cmocka_unit_test(a_broken_zone_has_failed),
        cmocka_unit_test(names_that_cannot_exist_do_not_exist),
        cmocka_unit_test(many_queries_end_once_each),
        cmocka_unit_test(no_resolver_is_a_timeout),
        cmocka_unit_test(queries_under_way_end_with_the_dns),
        cmocka_unit_test(a_resolver_is_an_ip),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
