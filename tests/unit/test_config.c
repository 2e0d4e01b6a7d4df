/* test_config - a good config becomes the conf that its writer meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "classifier/judge.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "config/command.h"
#include "config/dump.h"
#include "config/loader.h"

#define HASH                                                                   \
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"                                           \
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1"

#define SMALL                                                                  \
    "host_name = \"Mail.Example.com\";\n"                                      \
    "tls = { certificate = \"c.pem\"; key = \"/etc/k.pem\"; };\n"              \
    "accounts = ( { name = \"app\"; password = \"" HASH "\";\n"                \
    "              from_domains = \"Example.com\"; } );\n"

static const char small[] =
    SMALL "sources = ( { name = \"a\"; address = \"2001:DB8:0::1\"; } );\n";

/* Loads small + more; prints why not when it should have. */
static struct conf *load_after(const char *first, const char *more)
{
    char text[8192];
    int len = snprintf(text, sizeof text, "%s%s", first, more);
    assert_in_range(len, 1, sizeof text - 1);
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    enum rc rc =
        conf_load_text("test.cfg", slice_of(text, (size_t)len), &conf, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    assert_int_equal(rc, RC_OK);
    return conf;
}

static struct conf *load(const char *more)
{
    return load_after(small, more);
}

static void a_small_config_is_enough(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load("");
    assert_string_equal(conf->host_name, "mail.example.com");
    assert_string_equal(conf->postmaster, "postmaster@mail.example.com");
    assert_string_equal(conf->tls.certificate_file, "/c.pem");
    assert_string_equal(conf->tls.key_file, "/etc/k.pem");
    assert_int_equal(conf->listener_count, 2);
    assert_int_equal(conf->listeners[0].address.port, 587);
    assert_int_equal(conf->listeners[0].tls, LISTENER_STARTTLS);
    assert_true(conf->listeners[0].require_auth);
    assert_int_equal(conf->listeners[0].max_message_size, 25 << 20);
    assert_int_equal(conf->listeners[1].address.port, 465);
    assert_int_equal(conf->listeners[1].tls, LISTENER_IMPLICIT);
    assert_int_equal(conf->stream_count, 3);
    assert_int_equal(conf->streams[0].floor, 10 * JUDGE_FLOOR_USUAL);
    assert_true(conf->streams[0].urgent);
    assert_false(conf->streams[2].urgent);
    assert_int_equal(conf->streams[2].index, 2);
    assert_true(conf->streams[2].expires_ms == UINT64_C(4) * 86400000);
    assert_ptr_equal(conf->streams[1].route, conf->routes);
    assert_ptr_equal(conf->routes[0].pool, conf->pools);
    assert_int_equal(conf->pools[0].member_count, 1);
    assert_ptr_equal(conf->pools[0].members[0].source, conf->sources);
    assert_int_equal(conf->pools[0].members[0].weight, 1);
    assert_string_equal(conf->sources[0].address, "2001:db8::1");
    assert_string_equal(conf->sources[0].ehlo, "mail.example.com");
    assert_string_equal(conf->accounts[0].tenant->name, "default");
    assert_string_equal(conf->accounts[0].from_domains.items[0], "example.com");
    assert_string_equal(conf->accounts[0].password_hash, HASH);
    assert_null(conf->accounts[0].stream);
    assert_string_equal(conf->routers[0].bus, "ipc:///run/sendyard/bus");
    assert_null(conf->routers[0].control.host);
    for (unsigned i = 0; i < CONF_CLASS_COUNT; i++)
        assert_ptr_equal(conf->classifier.streams[i], &conf->streams[i]);
    assert_int_equal(conf->sources[0].place.line, 5);
    assert_string_equal(conf->sources[0].place.file, "test.cfg");
    assert_int_equal(conf->streams[0].place.line, 0);
}

static void limits_come_from_the_most_specific_entry(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load(
        "providers = ( { name = \"big\"; mx = ( \"*.big.test\" );\n"
        "                domains = ( \"own.test\", \".sub.test\" ); } );\n"
        "limits = (\n"
        " { domain = \"Yoohoo.test\"; max_smtp_out = 2; tls = \"required\"; "
        "},\n"
        " { provider = \"big\"; max_smtp_out = 5; retry_after = \"1m\"; },\n"
        " { max_smtp_out = 7; max_msg_rate = \"100/min\"; } );\n");
    const struct conf_provider *big = &conf->providers[0];
    struct slice yoohoo = SLICE("YOOHOO.test.");
    struct slice other = SLICE("other.test");
    enum conf_limit_kind kind = LIMIT_MAX_SMTP_OUT;
    assert_int_equal(conf->limits[0].scope, SCOPE_DEFAULT);
    assert_int_equal(conf_limit(conf, kind, other, NULL)->number, 7);
    assert_int_equal(conf_limit(conf, kind, other, big)->number, 5);
    assert_int_equal(conf_limit(conf, kind, yoohoo, big)->number, 2);
    assert_int_equal(conf_limit(conf, kind, yoohoo, big)->place.line, 9);
    assert_int_equal(conf_limit(conf, LIMIT_TLS, yoohoo, NULL)->number,
                     SMTP_TLS_REQUIRED);
    assert_int_equal(
        conf_limit(conf, LIMIT_MAX_MSG_RATE, yoohoo, big)->rate.count, 100);
    assert_int_equal(
        conf_limit(conf, LIMIT_RETRY_AFTER, other, big)->schedule->count, 1);
    assert_ptr_equal(conf_limit(conf, LIMIT_RETRY_AFTER, other, NULL)->schedule,
                     &conf->retry);
    for (unsigned i = 0; i < LIMIT_KIND_COUNT; i++) {
        kind = (enum conf_limit_kind)i;
        assert_true(conf_limit(conf, kind, other, NULL)->is_set);
        assert_string_not_equal(conf_limit_name(kind), "?");
    }
    assert_string_equal(conf_limit_name(LIMIT_IDLE_TIMEOUT), "idle_timeout");
    assert_int_equal(
        conf_limit(conf, LIMIT_DATA_END_TIMEOUT, other, NULL)->number, 600000);
}

static void a_provider_is_known_by_all_its_mx_hosts(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf =
        load("providers = ( { name = \"big\"; mx = ( \"*.big.test\" );\n"
             "  domains = ( \"own.test\", \".sub.test\" ); } );\n");
    struct slice hosts[] = { SLICE("mx1.BIG.test."), SLICE("a.mx.big.test"),
                             SLICE("mx.other.test") };
    const struct conf_provider *big = &conf->providers[0];
    struct slice any = SLICE("any.test");
    assert_ptr_equal(conf_provider_of(conf, any, hosts, 2), big);
    assert_null(conf_provider_of(conf, any, hosts, 3));
    assert_null(conf_provider_of(conf, any, hosts, 0));
    assert_ptr_equal(conf_provider_of(conf, SLICE("Own.test"), NULL, 0), big);
    assert_ptr_equal(conf_provider_of(conf, SLICE("x.sub.test"), hosts, 3),
                     big);
    assert_null(conf_provider_of(conf, SLICE("sub.test"), hosts, 3));
}

static void references_and_matches_are_resolved(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load(
        "tenants = ( { name = \"t\"; weight = 3; } );\n"
        "streams = ( { name = \"s\"; route = \"r2\"; retry = \"1m,2m\"; } );\n"
        "routes = ( { name = \"r1\"; pool = \"p\"; fallback = \"r2\";\n"
        "  match = ( { stream = \"s\"; account = \"app\"; tenant = \"t\";\n"
        "    recipient_domain = \"*.B.test\"; header = \"X-Foo: value*\"; }\n"
        "  ); }, { name = \"r2\"; pool = \"p\"; } );\n"
        "pools = ( { name = \"p\"; sources = ( { source = \"a\"; weight = 0; }"
        " ); } );\n"
        "classifier = { rules = ( { name = \"n\"; sender = \"news@*\";\n"
        "  stream = \"s\"; } ); };\n");
    const struct conf_match *match = &conf->routes[0].matches[0];
    assert_int_equal(conf->routes[0].match_count, 1);
    assert_ptr_equal(conf->routes[0].fallback, &conf->routes[1]);
    assert_null(conf->routes[1].fallback);
    assert_ptr_equal(match->stream, &conf->streams[0]);
    assert_ptr_equal(match->account, conf_account(conf, SLICE("app")));
    assert_ptr_equal(match->tenant, conf_tenant(conf, SLICE("t")));
    assert_null(match->sender_domain);
    assert_string_equal(match->recipient_domain, "*.b.test");
    assert_string_equal(match->header, "X-Foo");
    assert_string_equal(match->header_value, "value*");
    assert_int_equal(conf->streams[0].retry->count, 2);
    assert_int_equal(conf->pools[0].members[0].weight, 0);
    assert_ptr_equal(conf->classifier.rules[0].stream, &conf->streams[0]);
    /* One stream is all there is: every class lands in it. */
    assert_ptr_equal(conf->classifier.streams[CLASS_BULK], &conf->streams[0]);
    assert_null(conf_account(conf, SLICE("nobody")));
    assert_null(conf_route(conf, SLICE("r3")));
    assert_ptr_equal(conf_pool(conf, SLICE("p")), conf->pools);
    assert_ptr_equal(conf_source(conf, SLICE("a")), conf->sources);
    assert_ptr_equal(conf_router(conf, SLICE("router-1")), conf->routers);
}

static void the_stream_gives_the_waits_before_all_others(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load(
        "retry = \"1h\";\n"
        "streams = ( { name = \"own\"; retry = \"1s*2..1m ~5%\"; },\n"
        "            { name = \"none\"; } );\n"
        "routes = ( { name = \"default\"; }, { name = \"own\";\n"
        "            retry = \"2s\"; } );\n"
        "providers = ( { name = \"big\"; mx = ( \"*.big.test\" ); } );\n"
        "limits = ( { provider = \"big\"; retry_after = \"3s\"; },\n"
        "           { domain = \"slow.test\"; retry_after = \"4s\"; } );\n");
    const struct conf_stream *streams = conf->streams;
    const struct conf_route *routes = conf->routes;
    const struct conf_provider *big = &conf->providers[0];
    const struct {
        const struct conf_stream *stream;
        const struct conf_route *route;
        struct slice domain;
        const struct conf_provider *provider;
        const char *text;
        const char *by;
    } cases[] = {
        { &streams[0], &routes[1], SLICE("slow.test"), big, "1s*2..1m ~5%",
          "stream" },
        { &streams[1], &routes[1], SLICE("slow.test"), big, "2s", "route" },
        { &streams[1], &routes[0], SLICE("slow.test"), big, "4s", "limits" },
        { &streams[1], &routes[0], SLICE("fast.test"), big, "3s", "limits" },
        { &streams[1], &routes[0], SLICE("fast.test"), NULL, "1h", "platform" },
        { &streams[1], &routes[0], SLICE(""), NULL, "1h", "platform" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct conf_retry retry =
            conf_retry(conf, cases[i].stream, cases[i].route, cases[i].domain,
                       cases[i].provider);
        assert_string_equal(retry.schedule->text, cases[i].text);
        assert_string_equal(retry.by, cases[i].by);
    }
    assert_int_equal(streams[0].retry->count, 7);
    assert_int_equal(streams[0].retry->waits_ms[6], 60000);
    assert_int_equal(streams[0].retry->jitter_permille, 50);
}

static void reports_are_mail_unless_a_stream_says_otherwise(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load(
        "double_bounce = \"postmaster\";\n"
        "streams = ( { name = \"a\"; }, { name = \"b\"; dsn = false; },\n"
        "  { name = \"c\"; dsn = true; }, { name = \"d\"; dsn = \"both\";\n"
        "    warn_after = \"0\"; warn_unasked = true; } );\n"
        "limits = ( { domain = \"x.test\"; retry_as_asked = false;\n"
        "             retry_same_source = \"always\";\n"
        "             address_preference = \"ipv4\"; } );\n");
    static const enum conf_dsn expected[] = { REPORT_MAIL, REPORT_EVENT,
                                              REPORT_MAIL, REPORT_BOTH };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(conf->streams[i].dsn, expected[i]);
    assert_int_equal(conf->streams[0].warn_after_ms, 4 * 3600 * 1000);
    assert_false(conf->streams[0].warn_unasked);
    assert_int_equal(conf->streams[3].warn_after_ms, 0);
    assert_true(conf->streams[3].warn_unasked);
    assert_int_equal(conf->double_bounce, DOUBLE_POSTMASTER);
    const struct slice there = SLICE("x.test");
    const struct slice elsewhere = SLICE("y.test");
    enum conf_limit_kind kind = LIMIT_RETRY_AS_ASKED;
    assert_int_equal(conf_limit(conf, kind, there, NULL)->number, false);
    assert_int_equal(conf_limit(conf, kind, elsewhere, NULL)->number, true);
    kind = LIMIT_RETRY_SAME_SOURCE;
    assert_int_equal(conf_limit(conf, kind, there, NULL)->number, SAME_ALWAYS);
    assert_int_equal(conf_limit(conf, kind, elsewhere, NULL)->number,
                     SAME_GREYLISTED);
    kind = LIMIT_ADDRESS_PREFERENCE;
    assert_int_equal(conf_limit(conf, kind, there, NULL)->number, FAMILY_IPV4);
    assert_int_equal(conf_limit(conf, kind, elsewhere, NULL)->number,
                     FAMILY_IPV6);
}

static void many_accounts_are_found_by_name(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    scoped(buf_release) struct buf text;
    buf_init(&text, 1 << 20);
    (void)buf_add_text(&text, "host_name = \"h\"; listeners = ();\n"
                              "sources = ( { name = \"a\"; address = "
                              "\"127.0.0.1\"; } );\naccounts = (\n");
    for (int i = 0; i < COUNT; i++)
        (void)buf_addf(&text,
                       "{ name = \"user-%d@x\"; password = \"%s\"; "
                       "from_domains = \"x\"; },\n",
                       i, HASH);
    (void)buf_add_text(&text, ");\n");
    assert_false(text.full);
    struct conf_errors errors;
    scoped(conf_release) struct conf *conf = NULL;
    conf_errors_init(&errors);
    assert_int_equal(conf_load_text("many", buf_slice(&text), &conf, &errors),
                     RC_OK);
    conf_errors_release(&errors);
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "user-%d@x", i);
        assert_ptr_equal(conf_account(conf, slice_text(name)),
                         &conf->accounts[i]);
    }
    assert_null(conf_account(conf, SLICE("user-2000@x")));
}

static void a_held_conf_outlives_its_maker(void **state)
{
    (void)state;
    struct conf *conf = load("");
    struct conf *held = conf_hold(conf);
    conf_release(&conf);
    assert_null(conf);
    assert_string_equal(held->host_name, "mail.example.com");
    conf_release(&held);
    conf_release(&held);
}

static void the_digest_follows_the_text(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *one = load("");
    scoped(conf_release) struct conf *same = load("# a comment\n");
    scoped(conf_release) struct conf *other = load("workers = 3;\n");
    assert_true(one->digest != other->digest);
    assert_true(one->digest != 0);
    scoped(conf_release) struct conf *again = load("# a comment\n");
    assert_true(same->digest == again->digest);
}

static void the_dump_names_places_and_hides_secrets(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf =
        load("limits = ( { domain = \"d.test\"; max_smtp_out = 2; } );\n");
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    dump_conf(conf, out);
    assert_int_equal(fclose(out), 0);
    assert_null(strstr(text, "$y$"));
    static const char *const lines[] = {
        "accounts.app.password = (hidden)    # test.cfg:3\n",
        "accounts.app.tenant = default    # default\n",
        "sources.a.ehlo = mail.example.com    # default\n",
        "limits.d.test.max_smtp_out = 2    # test.cfg:6\n",
        "limits[0].max_smtp_out = 20    # default\n",
        "pools.default.sources.a.weight = 1    # default\n",
        "tls.certificate = /c.pem    # test.cfg:2\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_non_null(strstr(text, lines[i]));
    mem_free(text);
}

static void every_example_passes_check(void **state)
{
    (void)state;
    static const char *const examples[] = { "quickstart", "saas", "cluster" };
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        char path[1024];
        char flag[] = "--no-files";
        char *argv[] = { flag, path };
        (void)snprintf(path, sizeof path, "%s/%s.cfg", EXAMPLES, examples[i]);
        FILE *out = tmpfile();
        assert_non_null(out);
        assert_int_equal(command_check(2, argv, out, stderr), 0);
        assert_int_equal(fclose(out), 0);
    }
}

static void commands_know_their_arguments(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    char reference[] = "reference";
    char dump[] = "dump";
    char missing[] = "/nonexistent/sendyard.cfg";
    char *argv[] = { reference, NULL };
    assert_int_equal(command_config(1, argv, out, out), 0);
    assert_int_equal(command_config(0, argv, out, out), 64);
    assert_int_equal(command_check(0, argv, out, out), 64);
    argv[0] = dump;
    assert_int_equal(command_config(1, argv, out, out), 64);
    argv[1] = missing;
    assert_int_equal(command_config(2, argv, out, out), 78);
    assert_int_equal(command_check(1, argv + 1, out, out), 78);
    assert_int_equal(fclose(out), 0);
}

static size_t prohibited(const struct conf *conf, const char *domain)
{
    return conf_limit(conf, LIMIT_PROHIBITED, slice_text(domain), NULL)
        ->ranges.count;
}

static void where_mail_may_not_go_is_a_limit_like_others(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf =
        load("limits = ( { mx_deny = ( \"*.parked.test\", \"mx.x.test\" ); },\n"
             "  { domain = \"mine.test\"; prohibited = ( ); },\n"
             "  { domain = \"two.test\"; prohibited = ( \"::1,10.0.0.0/8\",\n"
             "    \"fc00::/7\" ); mx_deny = \"*\"; } );\n");
    assert_int_equal(prohibited(conf, "any.test"), 9);
    assert_int_equal(prohibited(conf, "mine.test"), 0);
    assert_int_equal(prohibited(conf, "two.test"), 3);
    const struct conf_limit *limit =
        conf_limit(conf, LIMIT_MX_DENY, SLICE("mine.test"), NULL);
    assert_int_equal(limit->texts.count, 2);
    assert_string_equal(limit->texts.items[1], "mx.x.test");
    limit = conf_limit(conf, LIMIT_MX_DENY, SLICE("two.test"), NULL);
    assert_int_equal(limit->texts.count, 1);
    scoped(conf_release) struct conf *plain = load("");
    limit = conf_limit(plain, LIMIT_MX_DENY, SLICE("two.test"), NULL);
    assert_int_equal(limit->texts.count, 0);
}

static void a_source_may_be_behind_a_proxy(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load_after(
        SMALL,
        "sources = ( { name = \"a\"; address = \"192.0.2.1\"; },\n"
        "  { name = \"b\"; address = \"192.0.2.2\";\n"
        "    proxy = \"socks5://[::1]:1080\"; proxy_workers = \"w1\"; },\n"
        "  { name = \"c\"; address = \"192.0.2.3\";\n"
        "    proxy = \"haproxy://10.0.0.1:25\"; } );\n");
    const struct conf_source *sources = conf->sources;
    assert_int_equal(sources[0].proxy.kind, CONF_PROXY_NONE);
    assert_int_equal(sources[1].proxy.kind, CONF_PROXY_SOCKS5);
    assert_string_equal(sources[1].proxy.at.host, "::1");
    assert_int_equal(sources[1].proxy.at.port, 1080);
    assert_int_equal(sources[1].proxy_workers.count, 1);
    assert_int_equal(sources[2].proxy.kind, CONF_PROXY_HAPROXY);
    assert_int_equal(sources[2].proxy_workers.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_config_is_enough),
        cmocka_unit_test(where_mail_may_not_go_is_a_limit_like_others),
        cmocka_unit_test(a_source_may_be_behind_a_proxy),
        cmocka_unit_test(limits_come_from_the_most_specific_entry),
        cmocka_unit_test(a_provider_is_known_by_all_its_mx_hosts),
        cmocka_unit_test(references_and_matches_are_resolved),
        cmocka_unit_test(the_stream_gives_the_waits_before_all_others),
        cmocka_unit_test(reports_are_mail_unless_a_stream_says_otherwise),
        cmocka_unit_test(many_accounts_are_found_by_name),
        cmocka_unit_test(a_held_conf_outlives_its_maker),
        cmocka_unit_test(the_digest_follows_the_text),
        cmocka_unit_test(the_dump_names_places_and_hides_secrets),
        cmocka_unit_test(every_example_passes_check),
        cmocka_unit_test(commands_know_their_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
