/* session_fixture.c - a real submission session without a socket. */
#include "tests/unit/session_fixture.h"

#include "common/base/check.h"
#include "config/loader.h"
#include "router/message.h"

#define BYTES_MAX (1u << 24)

static const char text[] =
    "host_name = \"mail.test\";\n"
    "listeners = ( { name = \"in\"; address = \"127.0.0.1:587\";\n"
    "  tls = \"plain\"; require_auth = false; account = \"app\";\n"
    "  allow_auth_without_tls = true; max_errors = 10000;\n"
    "  max_message_size = \"64KB\"; } );\n"
    "accounts = ( { name = \"app\"; from_domains = ( \"app.test\" );\n"
    "  recipient_tag = \"strip\";\n"
    "  password = \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$p3kGgIA21DvXuKs4EhDyhxMcKh51"
    "58mtUJN3j8FoqY1\"; } );\n"
    "sources = ( { name = \"s1\"; address = \"127.10.1.1\";\n"
    "  ehlo = \"s1.test\"; } );\n";

static bool accepts(void *context, uint64_t size)
{
    (void)context;
    (void)size;
    return true;
}

void fixture_init(struct fixture *fixture)
{
    struct conf_errors errors;
    *fixture = (struct fixture){ .host = { .accepts = accepts } };
    conf_errors_init(&errors);
    CHECK(conf_load_text("fixture", SLICE(text), &fixture->conf, &errors)
          == RC_OK);
    conf_errors_release(&errors);
    fixture->policy = policy_new(fixture->conf);
    fixture->sketcher = sketcher_new();
    buf_init(&fixture->in, BYTES_MAX);
    buf_init(&fixture->out, BYTES_MAX);
}

void fixture_release(struct fixture *fixture)
{
    fixture_close(fixture);
    buf_release(&fixture->in);
    buf_release(&fixture->out);
    policy_free(&fixture->policy);
    sketcher_free(&fixture->sketcher);
    conf_release(&fixture->conf);
}

void fixture_open(struct fixture *fixture)
{
    const struct session_setting setting = {
        .conf = fixture->conf,
        .policy = fixture->policy,
        .sketcher = fixture->sketcher,
        .listener = &fixture->conf->listeners[0],
    };
    const struct session_client client = { .ip = "192.0.2.1" };
    fixture->session = session_new(&setting, &fixture->host, &client, 1);
    buf_clear(&fixture->in);
    (void)fixture_say(fixture, SLICE("HELO client.example\r\n"));
    buf_clear(&fixture->out);
}

void fixture_close(struct fixture *fixture)
{
    session_free(&fixture->session);
}

static void store(struct fixture *fixture)
{
    struct message *message =
        session_message(fixture->session, 1, UINT64_C(1767225600000));
    message_free(&message);
    session_stored(fixture->session, RC_OK, 1, &fixture->out, 1);
}

enum session_want fixture_say(struct fixture *fixture, struct slice bytes)
{
    (void)buf_add(&fixture->in, bytes);
    for (;;) {
        enum session_want want =
            session_feed(fixture->session, &fixture->in, &fixture->out, 1);
        if (want == SESSION_PUT) {
            store(fixture);
        } else if (want == SESSION_CHECK) {
            session_checked(fixture->session, SESSION_KEPT_OUT, &fixture->out,
                            1);
        } else if (want == SESSION_DRAIN) {
            buf_clear(&fixture->out);
        } else {
            return want;
        }
    }
}
