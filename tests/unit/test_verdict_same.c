/*
 * test_verdict_same - what `explain` says is what live mail gets.
 *
 * Both ask acceptance_decide(). Here thousands of random messages under random
 * configs are decided by a sketcher that has read all the others before, as a
 * router's has, and by a new one, as that of `explain` is: stream, route,
 * chances and reasons are the same to the last word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/proto/header.h"
#include "config/loader.h"
#include "router/submission/acceptance.h"
#include "router/submission/subaddress.h"

#define CONFIGS  120u
#define MESSAGES 60u /* under each config */

#define HASH                                                                   \
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"                                           \
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1"

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return (uint32_t)(dice->state * 0x2545F4914F6CDD1Du >> 33) % sides;
}

#define PICK(dice, list) (list)[roll((dice), ARRAY_LEN(list))]

static void write_config(struct dice *dice, struct buf *out)
{
    static const char *const modes[] = { "observe", "enforce", "off" };
    static const char *const trusts[] = { "verify", "always", "never" };
    static const char *const tags[] = { "ignore", "read", "strip" };
    static const char *const listeners[] = {
        "",
        "stream = \"news\";",
        "stream = \"fast\";",
    };
    static const char *const floors[] = { "1%", "50%", "80%", "99.9%" };
    static const char *const rules[] = {
        "",
        "{ name = \"r\"; sender = \"a@*\"; stream = \"news\"; }",
        "{ name = \"r\"; header = \"List-Id: *\"; stream = \"general\"; }",
    };
    (void)buf_addf(
        out,
        "host_name = \"mail.test\";\n"
        "listeners = ( { name = \"in\"; address = \"127.0.0.1:587\"; tls = "
        "\"plain\";\n"
        "  allow_auth_without_tls = true; %s } );\n"
        "streams = ( { name = \"fast\"; class = \"transactional\"; floor = "
        "\"%s\"; },\n"
        "  { name = \"general\"; class = \"neutral\"; route = \"other\"; },\n"
        "  { name = \"news\"; class = \"bulk\"; route = \"other\"; } );\n"
        "accounts = ( { name = \"app\"; password = \"" HASH "\";\n"
        "  from_domains = ( \"app.test\" ); declared = \"%s\"; %s\n"
        "  recipient_tag = \"%s\"; } );\n"
        "classifier = { mode = \"%s\"; max_recipients = %u;\n"
        "  declare_in = ( \"X-Kind\" ); rules = ( %s ); };\n"
        "sources = ( { name = \"s\"; address = \"127.10.1.1\"; ehlo = "
        "\"s.test\";"
        " } );\n"
        "pools = ( { name = \"p\"; sources = ( \"s\" ); } );\n"
        "routes = ( { name = \"default\"; pool = \"p\"; },\n"
        "  { name = \"other\"; pool = \"p\"; } );\n",
        PICK(dice, listeners), PICK(dice, floors), PICK(dice, trusts),
        roll(dice, 2) ? "stream = \"fast\";" : "", PICK(dice, tags),
        PICK(dice, modes), 1 + roll(dice, 3), PICK(dice, rules));
}

static void write_message(struct dice *dice, struct buf *out)
{
    static const char *const fields[] = {
        "X-Sendyard-Stream: fast\r\n",
        "X-Kind: news\r\n",
        "List-Id: <a.app.test>\r\n",
        "Precedence: bulk\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "X-Mailer: Mutt\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    };
    static const char *const kinds[] = {
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html; charset=iso-8859-1\r\n",
        ("Content-Type: text/html; charset=shift_jis\r\n"
         "Content-Transfer-Encoding: quoted-printable\r\n"),
        "Content-Type: text/html; charset=klingon\r\n",
        "Content-Type: multipart/alternative; boundary=b\r\n",
    };
    static const char *const pieces[] = {
        ("Reset your password here within 30 minutes: "
         "https://app.test/r/7Qk293hdLw0pXx81\r\n"),
        "<p>Your code is <b>481516</b>. Never pass it on.</p>\r\n",
        ("<h1>Last chance: 50 % off</h1><img src=a><a "
         "href=\"https://x.test/?utm_source=m\">Shop now</a>\r\n"),
        "Unsubscribe at any time.\r\n",
        "=83=65=83X=83g =E3 =zz\r\n",
        "<div style=\"display:none\">account order receipt</div>\r\n",
        "\r\n--b\r\nContent-Type: text/html\r\n\r\n",
        "\r\n--b--\r\n",
        "Hi Anna, did you get my letter? See you tomorrow. Love, Tom\r\n",
        "\xE4\xF6\xFC \xE2\x82\xAC 12,50 &euro;&nbsp;&#8364; \r\n",
        "<style>p { color: red }</style><table><tr><td>Total<td>12.00 EUR",
    };
    static const char *const to[] = { "To: Anna <anna@b.test>\r\n",
                                      "To: b@b.test\r\n", "To: b@b.test\r\n",
                                      "To: undisclosed-recipients:;\r\n", "" };
    (void)buf_addf(out, "From: %s@app.test\r\n%sSubject: %s %u\r\n",
                   roll(dice, 2) ? "a" : "noreply", PICK(dice, to),
                   roll(dice, 2) ? "Your order" : "=?utf-8?Q?Nur_heute=3A?=",
                   roll(dice, 100000));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (roll(dice, 4) == 0)
            (void)buf_add_text(out, fields[i]);
    (void)buf_add_text(out, PICK(dice, kinds));
    (void)buf_add_text(out, "\r\n");
    for (uint32_t left = roll(dice, 40); left > 0; left--)
        (void)buf_add_text(out, PICK(dice, pieces));
}

struct world {
    struct conf *conf;
    struct policy *policy;
    struct acceptance_question question;
    struct envelope_recipient recipients[4];
    struct subaddress tag;
};

/* All that is decided, as one text. */
static void decide(struct world *world, struct sketcher *sketcher,
                   struct buf *out)
{
    struct acceptance acceptance;
    struct route_answer routes[4];
    world->question.sketcher = sketcher;
    acceptance_decide(&world->question, &acceptance, routes);
    const struct judgement *judgement = &acceptance.judgement;
    (void)buf_addf(out, "%u %s ", acceptance.code,
                   acceptance.is_allowed ? acceptance.stream->name : "-");
    if (!acceptance.is_allowed)
        return;
    for (size_t i = 0; i < world->question.recipient_count; i++)
        (void)buf_addf(out, "%s ", routes[i].route->name);
    for (size_t i = 0; i < JUDGE_KIND_COUNT; i++)
        (void)buf_addf(out, "%u ", judgement->per_mille[i]);
    (void)buf_addf(out, "%d%d%d ", judgement->is_protected, judgement->is_moved,
                   judgement->would_move);
    judge_reasons_text(judgement, out);
}

static void ask(struct dice *dice, struct world *world,
                const struct header_split *split)
{
    static const char *const addresses[] = { "anna@b.test", "b@c.test",
                                             "c@d.test", "d@e.test" };
    static const char *const tagged[] = { "anna+fast@b.test",
                                          "anna+news@b.test",
                                          "anna+mine@b.test", "anna@b.test" };
    const struct conf_account *account =
        conf_account(world->conf, SLICE("app"));
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        world->recipients[i].address = slice_text(addresses[i]);
    subaddress_read(world->conf, account, slice_text(PICK(dice, tagged)),
                    &world->tag);
    world->recipients[0].address = world->tag.address;
    world->question = (struct acceptance_question){
        .conf = world->conf,
        .policy = world->policy,
        .account = account,
        .listener = &world->conf->listeners[0],
        .tagged = world->tag.stream,
        .mail_from = slice_text(roll(dice, 8) ? "a@app.test" : ""),
        .recipients = world->recipients,
        .recipient_count = 1 + roll(dice, 4),
        .header = split->header,
        .text = split->body,
    };
}

static void load(struct dice *dice, struct world *world)
{
    struct buf text;
    struct conf_errors errors;
    buf_init(&text, 1u << 16);
    write_config(dice, &text);
    conf_errors_init(&errors);
    if (conf_load_text("test", buf_slice(&text), &world->conf, &errors)
        != RC_OK)
        conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    buf_release(&text);
    CHECK(world->conf);
    world->policy = policy_new(world->conf);
}

static void a_verdict_does_not_depend_on_what_was_read_before(void **state)
{
    (void)state;
    struct dice dice = { .state = 0x9E3779B97F4A7C15u };
    struct sketcher *old = sketcher_new();
    struct buf message;
    struct buf live;
    struct buf told;
    uint32_t protected_count = 0;
    buf_init(&message, 1u << 16);
    buf_init(&live, 1u << 14);
    buf_init(&told, 1u << 14);
    for (uint32_t i = 0; i < CONFIGS; i++) {
        struct world world = { .conf = NULL };
        load(&dice, &world);
        for (uint32_t k = 0; k < MESSAGES; k++) {
            struct header_split split;
            buf_clear(&message);
            buf_clear(&live);
            buf_clear(&told);
            write_message(&dice, &message);
            assert_int_equal(header_split(buf_slice(&message), &split), RC_OK);
            ask(&dice, &world, &split);
            decide(&world, old, &live);
            struct sketcher *fresh = sketcher_new();
            decide(&world, fresh, &told);
            sketcher_free(&fresh);
            if (!slice_equal(buf_slice(&live), buf_slice(&told)))
                fail_msg("%.*s\nlive: %.*s\ntold: %.*s",
                         SLICE_ARG(buf_slice(&message)),
                         SLICE_ARG(buf_slice(&live)),
                         SLICE_ARG(buf_slice(&told)));
            protected_count +=
                slice_find_slice(buf_slice(&live), SLICE(" fast ")) < live.len;
        }
        policy_free(&world.policy);
        conf_release(&world.conf);
    }
    /* The dice throw all sorts. */
    assert_in_range(protected_count, CONFIGS, CONFIGS * MESSAGES / 2);
    sketcher_free(&old);
    buf_release(&message);
    buf_release(&live);
    buf_release(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_does_not_depend_on_what_was_read_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
