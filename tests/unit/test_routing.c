/* test_routing - the first matching rule decides, and hosts make a site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "config/loader.h"
#include "router/routing/route.h"
#include "router/routing/site.h"
#include "router/routing/sticky.h"

static const char config[] =
    "host_name = \"mail.test\";\n"
    "tenants = ( { name = \"acme\"; }, { name = \"globex\"; } );\n"
    "sources = ( { name = \"a\"; address = \"127.0.0.2\"; ehlo = \"a.test\"; "
    "},\n"
    "  { name = \"b\"; address = \"127.0.0.3\"; ehlo = \"b.test\"; } );\n"
    "pools = ( { name = \"pa\"; sources = ( \"a\" ); },\n"
    "  { name = \"pb\"; sources = ( \"b\" ); },\n"
    "  { name = \"pc\"; sources = ( { source = \"a\"; weight = 3; }, \"b\" ); "
    "} );\n"
    "streams = ( { name = \"fast\"; class = \"transactional\"; route = "
    "\"main\"; },"
    "\n  { name = \"general\"; class = \"neutral\"; route = \"main\"; },\n"
    "  { name = \"news\"; class = \"bulk\"; route = \"main\"; } );\n"
    "routes = ( { name = \"main\"; pool = \"pa\"; },\n"
    "  { name = \"by-message\"; pool = \"pc\"; sticky = \"message\"; },\n"
    "  { name = \"by-recipient\"; pool = \"pc\"; sticky = \"recipient\"; },\n"
    "  { name = \"corner\"; pool = \"pb\"; match = (\n"
    "    { tenant = \"globex\"; stream = \"news\"; },\n"
    "    { recipient_domain = \"*.corner.test\"; },\n"
    "    { sender_domain = \"ads.test\"; },\n"
    "    { header = \"X-Way: corner*\"; } ); } );\n"
    "providers = ( { name = \"big\"; mx = ( \"*.big.test\" ); } );\n"
    "accounts = ( { name = \"one\"; tenant = \"acme\"; from_domains = ( \"x\" "
    ");\n"
    "    password = \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1\"; },\n"
    "  { name = \"two\"; tenant = \"globex\"; from_domains = ( \"x\" );\n"
    "    password = \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1\"; } );\n"
    "listeners = ( { name = \"in\"; address = \"127.0.0.1:2525\";\n"
    "  tls = \"plain\"; allow_auth_without_tls = true; } );\n";

static struct conf *load(void)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    if (conf_load_text("routing", SLICE(config), &conf, &errors) != RC_OK)
        conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    assert_non_null(conf);
    return conf;
}

static void the_first_match_decides(void **state)
{
    (void)state;
    static const struct {
        const char *account;
        const char *stream;
        const char *sender;
        const char *header;
        const char *to;
        const char *route;
    } cases[] = {
        { "one", "news", "x", "", "y.test", "main" },
        { "two", "news", "x", "", "y.test", "corner" },
        { "two", "fast", "x", "", "y.test", "main" },
        { "one", "fast", "x", "", "a.corner.test", "corner" },
        { "one", "fast", "x", "", "corner.test", "main" },
        { "one", "fast", "ads.test", "", "y.test", "corner" },
        { "one", "fast", "x", "X-Way: Corner 7\r\n", "y.test", "corner" },
        { "one", "fast", "x", "X-Way: other\r\n", "y.test", "main" },
    };
    scoped(conf_release) struct conf *conf = load();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct route_question question = {
            .account = conf_account(conf, slice_text(cases[i].account)),
            .stream = conf_stream(conf, slice_text(cases[i].stream)),
            .sender_domain = slice_text(cases[i].sender),
            .header = slice_text(cases[i].header),
        };
        struct route_answer answer;
        route_choose(conf, &question, slice_text(cases[i].to), &answer);
        assert_string_equal(answer.route->name, cases[i].route);
        assert_int_equal(answer.match != NULL,
                         answer.route == conf_route(conf, SLICE("corner")));
    }
}

static void mail_of_our_own_takes_the_streams_route(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load();
    const struct route_question question = {
        .stream = conf_stream(conf, SLICE("news")),
    };
    struct route_answer answer;
    route_choose(conf, &question, SLICE("y.test"), &answer);
    assert_string_equal(answer.route->name, "main");
    assert_null(answer.match);
}

static void hosts_make_a_site(void **state)
{
    (void)state;
    static const struct {
        const char *hosts[3];
        const char *site;
    } cases[] = {
        { { "mx.one.test" }, "mx.one.test" },
        { { "mx2.two.test", "mx1.two.test" }, "(mx1|mx2).two.test" },
        { { "mx1.two.test", "mx2.two.test" }, "(mx1|mx2).two.test" },
        { { "b.x.test", "a.y.test" }, "a.y.test+b.x.test" },
        { { "mx1.test", "mx2.test" }, "mx1.test+mx2.test" },
        { { "in1.big.test", "in2.big.test" }, "big" },
        { { "in1.big.test", "backup.small.test" },
          "backup.small.test+in1.big.test" },
        { { "[127.0.0.9]" }, "[127.0.0.9]" },
    };
    scoped(conf_release) struct conf *conf = load();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site_host hosts[3];
        size_t count = 0;
        for (; count < 3 && cases[i].hosts[count]; count++)
            hosts[count].name = slice_text(cases[i].hosts[count]);
        char name[SITE_NAME_MAX + 1];
        const struct conf_provider *provider = NULL;
        site_of(conf, SLICE("any.test"), hosts, count, name, &provider);
        assert_string_equal(name, cases[i].site);
        assert_int_equal(provider != NULL, i == 5);
    }
}

static void long_names_stay_apart(void **state)
{
    (void)state;
    scoped(conf_release) struct conf *conf = load();
    char texts[2][5][64];
    char names[2][SITE_NAME_MAX + 1];
    for (int which = 0; which < 2; which++) {
        struct site_host hosts[5];
        for (int i = 0; i < 5; i++) {
            (void)snprintf(
                texts[which][i], 64,
                "a-host-with-a-really-very-long-name-%d.of-domain-%d.test",
                i == 4 ? 4 + which : i, i);
            hosts[i].name = slice_text(texts[which][i]);
        }
        const struct conf_provider *provider = NULL;
        site_of(conf, SLICE("any.test"), hosts, 5, names[which], &provider);
        assert_int_equal(strlen(names[which]), SITE_NAME_MAX);
    }
    assert_string_not_equal(names[0], names[1]);
}

/* Of so many messages (or recipients) how many leave by source "a". */
static unsigned count_a(const struct conf_route *route, unsigned count)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        char address[32];
        (void)snprintf(address, sizeof address, "u%u@x.test", i);
        const struct conf_source *source =
            sticky_source(route, i + 1, slice_text(address));
        assert_non_null(source);
        found += strcmp(source->name, "a") == 0;
    }
    return found;
}

static void what_sticks_follows_the_weights(void **state)
{
    (void)state;
    struct conf *conf = load();
    assert_null(sticky_source(conf_route(conf, SLICE("main")), 1, SLICE("x")));
    assert_in_range(count_a(conf_route(conf, SLICE("by-message")), 4000), 2900,
                    3100);
    const struct conf_route *route = conf_route(conf, SLICE("by-recipient"));
    assert_in_range(count_a(route, 4000), 2900, 3100);
    conf_release(&conf);
}

static void a_recipient_sticks_whatever_the_message(void **state)
{
    (void)state;
    struct conf *conf = load();
    const struct conf_route *route = conf_route(conf, SLICE("by-recipient"));
    for (uint64_t id = 1; id < 100; id++)
        assert_ptr_equal(sticky_source(route, id, SLICE("Some.One@x.test")),
                         sticky_source(route, 7, SLICE("some.one@X.test")));
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_match_decides),
        cmocka_unit_test(what_sticks_follows_the_weights),
        cmocka_unit_test(a_recipient_sticks_whatever_the_message),
        cmocka_unit_test(mail_of_our_own_takes_the_streams_route),
        cmocka_unit_test(hosts_make_a_site),
        cmocka_unit_test(long_names_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
