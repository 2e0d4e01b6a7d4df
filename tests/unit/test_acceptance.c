/* test_acceptance - may this message leave here, in which stream? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/header.h"
#include "common/proto/utf8.h"
#include "config/loader.h"
#include "router/submission/acceptance.h"
#include "router/submission/limits.h"

#define HASH                                                                   \
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"                                           \
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1"

static const char config[] =
    "host_name = \"mail.test\"; listeners = ( );\n"
    "accounts = ( { name = \"app\"; password = \"" HASH "\";\n"
    "  from_domains = ( \"app.test\", \".example.com\" ); } );\n"
    "streams = ( { name = \"first\"; class = \"transactional\"; },\n"
    "  { name = \"second\"; class = \"bulk\"; route = \"other\"; } );\n"
    "sources = ( { name = \"s1\"; address = \"127.10.1.1\"; ehlo = \"s.test\";"
    " } );\n"
    "pools = ( { name = \"p\"; sources = ( \"s1\" ); } );\n"
    "routes = ( { name = \"default\"; pool = \"p\"; },\n"
    "  { name = \"other\"; pool = \"p\"; },\n"
    "  { name = \"special\"; pool = \"p\";\n"
    "    match = ( { recipient_domain = \"special.test\"; } ); } );\n";

struct world {
    struct conf *conf;
    struct policy *policy;
    struct sketcher *sketcher;
};

static int set_up(void **state)
{
    static struct world world;
    struct conf_errors errors;
    conf_errors_init(&errors);
    if (conf_load_text("test", SLICE(config), &world.conf, &errors) != RC_OK)
        conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    CHECK(world.conf);
    world.policy = policy_new(world.conf);
    world.sketcher = sketcher_new();
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    policy_free(&world->policy);
    sketcher_free(&world->sketcher);
    conf_release(&world->conf);
    return 0;
}

static const struct envelope_recipient recipients[] = {
    { .address = { "b@example.net", 13 } },
    { .address = { "c@Special.TEST", 14 } },
};

static void decide(const struct world *world, struct slice text,
                   const char *mail_from, struct acceptance *acceptance,
                   struct route_answer routes[ARRAY_LEN(recipients)])
{
    struct header_split split;
    enum rc rc = header_split(text, &split);
    const struct acceptance_question question = {
        .conf = world->conf,
        .policy = world->policy,
        .sketcher = world->sketcher,
        .account = conf_account(world->conf, SLICE("app")),
        .mail_from = slice_text(mail_from),
        .recipients = recipients,
        .recipient_count = ARRAY_LEN(recipients),
        .header = split.header,
        .text = split.body,
        .is_header_cut = rc != RC_OK,
    };
    acceptance_decide(&question, acceptance, routes);
}

/* One header, and the code of its refusal; 0: it is taken. */
struct header_case {
    const char *header;
    uint16_t code;
    uint16_t subject; /* of the enhanced code */
};

static void expect_codes(const struct world *world, const char *mail_from,
                         const struct header_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct acceptance acceptance;
        struct route_answer routes[ARRAY_LEN(recipients)];
        decide(world, slice_text(cases[i].header), mail_from, &acceptance,
               routes);
        if (acceptance.code != cases[i].code)
            print_error("%s\n%u %s\n", cases[i].header, acceptance.code,
                        acceptance.text);
        assert_int_equal(acceptance.code, cases[i].code);
        assert_int_equal(acceptance.is_allowed, cases[i].code == 0);
        if (cases[i].code != 0)
            assert_int_equal(acceptance.enhanced.subject, cases[i].subject);
    }
}

static void domains_are_the_accounts(void **state)
{
    static const struct {
        const char *domain;
        bool is_allowed;
    } cases[] = {
        { "app.test", true },
        { "APP.Test", true },
        { "sub.app.test", false },
        { "xapp.test", false },
        { "app.test.evil", false },
        { "app.tes", false },
        { "a.example.com", true },
        { "a.b.EXAMPLE.com", true },
        { "example.com", false }, /* subdomains alone were named */
        { ".example.com", false },
        { "aexample.com", false },
        { "a.example.com.evil", false },
        { "", false },
        { "[127.0.0.1]", false },
    };
    const struct world *world = *state;
    const struct conf_account *account =
        conf_account(world->conf, SLICE("app"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool got =
            acceptance_allows_domain(account, slice_text(cases[i].domain));
        if (got != cases[i].is_allowed)
            print_error("%s\n", cases[i].domain);
        assert_int_equal(got, cases[i].is_allowed);
    }
}

static void every_author_is_checked(void **state)
{
    static const struct header_case cases[] = {
        { "From: a@app.test\r\n\r\n", 0, 0 },
        { "From: A <a@App.TEST>\r\n\r\n", 0, 0 },
        { "FROM: \"x@evil.test\" <a@app.test>\r\n\r\n", 0, 0 },
        { "From: a@app.test (x@evil.test)\r\n\r\n", 0, 0 },
        { "From: a@x.example.com,\r\n b@app.test\r\n\r\n", 0, 0 },
        { "From: team: a@app.test, b@app.test;\r\n\r\n", 0, 0 },
        { "From: a@evil.test\r\n\r\n", 550, 7 },
        { "From: a@app.test, b@evil.test\r\n\r\n", 550, 7 },
        { "From: b@evil.test, a@app.test\r\n\r\n", 550, 7 },
        { "From: a@app.test,\r\n\tb@evil.test\r\n\r\n", 550, 7 },
        { "From: team: a@app.test, b@evil.test;\r\n\r\n", 550, 7 },
        { "From: \"a@app.test\" <b@evil.test>\r\n\r\n", 550, 7 },
        { "From: (a@app.test) b@evil.test\r\n\r\n", 550, 7 },
        { "From: a@[127.0.0.1]\r\n\r\n", 550, 7 },
        { "From: a@example.com\r\n\r\n", 550, 7 },
        { "From: nobody:;\r\n\r\n", 550, 6 },
        { "From:\r\n\r\n", 550, 6 },
        { "From: a\r\n\r\n", 550, 6 },
        { "From: a@app.test b@evil.test\r\n\r\n", 550, 6 },
        { "From: <a@app.test><b@evil.test>\r\n\r\n", 550, 6 },
        { "From: <@evil.test:a@app.test>\r\n\r\n", 550, 6 },
        { "From: a@app.test\r\nfrom: a@app.test\r\n\r\n", 550, 6 },
    };
    expect_codes(*state, "a@app.test", cases, ARRAY_LEN(cases));
}

static void a_sender_is_checked_like_an_author(void **state)
{
    static const struct header_case cases[] = {
        { "From: a@app.test\r\nSender: b@app.test\r\n\r\n", 0, 0 },
        { "From: a@app.test\r\nSENDER: b@evil.test\r\n\r\n", 550, 7 },
        { "Sender: b@evil.test\r\nFrom: a@app.test\r\n\r\n", 550, 7 },
        { "From: a@evil.test\r\nSender: b@app.test\r\n\r\n", 550, 7 },
        { "From: a@app.test\r\nSender:\r\n\r\n", 550, 6 },
        { "From: a@app.test\r\nSender: a@app.test\r\nSender: a@app.test\r\n"
          "\r\n",
          550, 6 },
        /* Others are no claim of who wrote it. */
        { "From: a@app.test\r\nReply-To: b@evil.test\r\n\r\n", 0, 0 },
        { "From: a@app.test\r\n\r\nFrom: b@evil.test\r\n", 0, 0 },
    };
    expect_codes(*state, "a@app.test", cases, ARRAY_LEN(cases));
}

static void a_header_must_make_sense(void **state)
{
    static const struct header_case cases[] = {
        { "From: a@app.test\r\nno field\r\n\r\n", 550, 6 },
        { "no field\r\nFrom: a@app.test\r\n\r\n", 550, 6 },
        { " folded\r\nFrom: a@app.test\r\n\r\n", 550, 6 },
        { "From: a@app.test\r\nX-Sendyard-Stream: third\r\n\r\n", 550, 6 },
        { "From: a@app.test\r\nX-Sendyard-Stream: second\r\n\r\n", 0, 0 },
        { "Subject: x\r\n\r\n", 0, 0 }, /* From is made of MAIL FROM */
    };
    static const struct header_case without_sender[] = {
        { "From: a@app.test\r\n\r\n", 0, 0 },
        { "Subject: x\r\n\r\n", 550, 6 },
        { "", 550, 6 },
    };
    expect_codes(*state, "a@app.test", cases, ARRAY_LEN(cases));
    expect_codes(*state, "", without_sender, ARRAY_LEN(without_sender));
}

static uint16_t code_with_received(const struct world *world, unsigned count)
{
    struct acceptance acceptance;
    struct route_answer routes[ARRAY_LEN(recipients)];
    struct buf text;
    buf_init(&text, 65536);
    for (unsigned i = 0; i < count; i++)
        (void)buf_add_text(&text, "Received: from a by b;\r\n\tdate\r\n");
    (void)buf_add_text(&text, "From: a@app.test\r\n\r\n");
    decide(world, buf_slice(&text), "a@app.test", &acceptance, routes);
    buf_release(&text);
    return acceptance.code;
}

static void a_loop_ends_above_the_limit(void **state)
{
    assert_int_equal(code_with_received(*state, SUBMISSION_RECEIVED_MAX), 0);
    assert_int_equal(code_with_received(*state, SUBMISSION_RECEIVED_MAX + 1),
                     554);
}

static void stream_and_routes_are_chosen(void **state)
{
    struct acceptance acceptance;
    struct route_answer routes[ARRAY_LEN(recipients)];
    decide(*state,
           SLICE("From: a@app.test\r\nx-sendyard-stream: second\r\n\r\n"),
           "a@app.test", &acceptance, routes);
    assert_true(acceptance.is_allowed);
    assert_string_equal(acceptance.stream->name, "second");
    assert_string_equal(routes[0].route->name, "other");
    assert_string_equal(routes[1].route->name, "special");
}

/* What a client sent is repeated in a reply, which must stay one line of
 * UTF-8. */
static void refusals_are_safe_to_print(void **state)
{
    static const char *const headers[] = {
        "From: a@app.test\r\nX-Sendyard-Stream: a\x01\xff\tb\r\n c\r\n\r\n",
        "From: a@[x\x7f\xc3(]\r\n\r\n",
        "From: a@\xc3\xa4.test\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct acceptance acceptance;
        struct route_answer routes[ARRAY_LEN(recipients)];
        decide(*state, slice_text(headers[i]), "a@app.test", &acceptance,
               routes);
        assert_int_equal(acceptance.code, 550);
        for (const char *at = acceptance.text; *at; at++)
            assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
        assert_true(utf8_is_valid(slice_text(acceptance.text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_the_accounts),
        cmocka_unit_test(every_author_is_checked),
        cmocka_unit_test(a_sender_is_checked_like_an_author),
        cmocka_unit_test(a_header_must_make_sense),
        cmocka_unit_test(a_loop_ends_above_the_limit),
        cmocka_unit_test(stream_and_routes_are_chosen),
        cmocka_unit_test(refusals_are_safe_to_print),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
