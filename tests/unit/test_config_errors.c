/* test_config_errors - a bad config gives every error, with place and hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "config/loader.h"

#define HASH                                                                   \
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"                                           \
    "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1"
#define BASE                                                                   \
    "host_name = \"h.test\";\n"                                                \
    "tls = { certificate = \"c\"; key = \"k\"; };\n"
#define SOURCE "sources = ( { name = \"a\"; address = \"127.0.0.1\"; } );\n"
#define ACCOUNT                                                                \
    "accounts = ( { name = \"app\"; password = \"" HASH "\";\n"                \
    "  from_domains = ( \"x.test\" ); } );\n"

struct error_case {
    const char *text;  /* after BASE, so it begins on line 3 */
    const char *error; /* one of the errors begins so */
};

static bool has_error(const struct conf_errors *errors, const char *wanted)
{
    char line[1024];
    for (size_t i = 0; i < errors->count; i++) {
        (void)snprintf(line, sizeof line, "%s:%u: %s",
                       errors->items[i].place.file, errors->items[i].place.line,
                       errors->items[i].text);
        if (strstr(line, wanted))
            return true;
    }
    return false;
}

static void expect_error(struct slice text, const char *wanted)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    assert_int_equal(conf_load_text("t", text, &conf, &errors), RC_SYNTAX);
    assert_null(conf);
    if (!has_error(&errors, wanted)) {
        conf_errors_print(&errors, stderr);
        fail_msg("no error '%s' in:\n%.*s", wanted, SLICE_ARG(text));
    }
    conf_errors_release(&errors);
}

static void expect_errors(const struct error_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[8192];
        int len = snprintf(text, sizeof text, BASE "%s", cases[i].text);
        assert_in_range(len, 1, sizeof text - 1);
        expect_error(slice_of(text, (size_t)len), cases[i].error);
    }
}

static void the_traps_of_libconfig_are_closed(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        { "/* open\nworkers = 1;\n", "t:3: the comment that begins here" },
        { "user = \"open;\nworkers = 1;\n", "t:3: the text that begins" },
        { "workers = 4294967297;\n", "t:3: workers: 4294967297 is out of" },
        { "workers = 0xFFFFFFFF;\n", "t:3: workers: 4294967295 is out of" },
        { "workers = 99999999999999999999;\n", "t:3: the number 9999999" },
        { "workers = 5000000000L;\n", "t:3: workers: 5000000000 is out of" },
        { "workers = -1;\n", "t:3: workers: -1 is out of range" },
        { "workers = 1.5;\n", "t:3: workers: takes a whole number, not a nu" },
        { "workers = \"2\";\n", "t:3: workers: takes a whole number, not a t" },
        { "retry = 30s;\n", "t:3: '30s' is no number; write times" },
        { "gmail.com = 1;\n", "t:3: a name cannot hold a dot" },
        { "user = root;\n", "t:3: texts are written in quotes" },
        { "user = \"a\\q\";\n", "t:3: unknown escape" },
        { "user = \"a\\x00b\";\n", "t:3: unknown escape" },
        { "user = \"a\\nb\";\n", "t:3: user: holds a control character" },
        { "user = \"a\" \"b\";\n", "t:3: two texts in a row" },
        { "user = \"a\";\nuser = \"b\";\n", "t:4: duplicate setting name" },
        { "@include \"/tmp\"\n", "t:3: @include is not possible here" },
        { "@include /tmp\n", "t:3: @include takes a file name in quotes" },
        { "@load \"x\"\n", "t:3: unknown directive" },
        { "accounts = ( {\n", "t:3: the '{' that opens here is never" },
        { "accounts = ( };\n", "t:3: '}' closes the '(' of line 3" },
        { "workers = 1 );\n", "t:3: ')' closes nothing" },
        { "workers = 1;;\n", "t:3: syntax error, at or before: workers" },
        { "workers = %;\n", "t:3: unexpected '%'" },
        { "workers = \x01;\n", "t:3: unexpected byte 0x01" },
        { "a=((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
          "t:3: more than 32 brackets" },
    };
    expect_errors(cases, ARRAY_LEN(cases));
    static const char with_nul[] = "workers = 1;\n\0workers = 2;\n";
    expect_error(SLICE(with_nul), "t:2: unexpected byte 0x00");
}

static void harmless_forms_are_accepted(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbfhost_name = \"h.test\";\r\n"
        "workers : 007 /* seven\n */ // and\n # more\n"
        "listeners = ( );\n"
        "spool = { body_cache = 3000000000; };\n"
        "accounts = ( { name = \"app\"; password = \"" HASH "\";\n"
        "  from_domains = [ \"x.test\", \"y.test\", ]; },\n ) "
        "sources = ( { name = \"a\", address = \"127.0.0.1\" }, );\n";
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    enum rc rc = conf_load_text("t", SLICE(text), &conf, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    assert_int_equal(rc, RC_OK);
    assert_int_equal(conf->workers, 7);
    assert_int_equal(conf->accounts[0].from_domains.count, 2);
    assert_true(conf->spool.body_cache == UINT64_C(3000000000));
    assert_int_equal(conf->sources[0].place.line, 9);
    conf_release(&conf);
}

static void single_values_are_checked(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        { "", "t:1: sources is missing" },
        { "wrokers = 1;", "unknown key 'wrokers' in top level; did you mean "
                          "'workers'?" },
        { "zzzzzz = 1;", "unknown key 'zzzzzz' in top level" },
        { "limits = ( { max_smpt_out = 1; } );",
          "unknown key 'max_smpt_out' in limits[0]; did you mean "
          "'max_smtp_out'?" },
        { "streams = ( { name = \"s\"; bounce_after = \"1d\"; } );",
          "unknown key 'bounce_after' in streams.s; did you mean 'expires'?" },
        { "workers = 0;", "workers: 0 is out of range (1 to 256)" },
        { "tls = 1;", "duplicate setting name" },
        { "spool = ( );", "spool: takes a group" },
        { "accounts = { };", "accounts: takes a list of groups" },
        { "accounts = ( 1 );", "accounts takes groups { }, not a number" },
        { "retry = \"5\";",
          "t:3: retry: takes waits above 0, \"1m,5m,30m,2h\", growth, "
          "\"1m*2..4h\", and a jitter, \"~20%\"; '5' is no duration with its "
          "unit" },
        { "routes = ( { name = \"default\"; retry = \"1m*2\"; } );",
          "t:3: routes.default.retry: takes waits above 0" },
        { "streams = ( { name = \"s\"; dsn = \"yes\"; } );",
          "streams.s.dsn: \"yes\" is none of \"event\", \"mail\", \"both\"" },
        { "streams = ( { name = \"s\"; in_doubt = true; } );",
          "streams.s.in_doubt: takes a text in quotes" },
        { "double_bounce = \"keep\";",
          "double_bounce: \"keep\" is none of \"drop\", \"postmaster\"" },
        { "limits = ( { retry_same_source = true; } );",
          "limits[0].retry_same_source: takes a text in quotes" },
        { "limits = ( { retry_as_asked = 1; } );",
          "limits[0].retry_as_asked: takes true or false" },
        { "listeners = ( { name = \"l\"; address = \"587\"; } );",
          "listeners.l.address: '587' is no IP address and port" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:70000\"; } );",
          "listeners.l.address: '1.2.3.4:70000': the port must be" },
        { "listeners = ( { name = \"l\"; address = \"::1:587\"; } );",
          "is no IP address and port" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:0\"; } );",
          "the port must be 1 to 65535" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "tls = \"ssl\"; } );",
          "t:4: listeners.l.tls: \"ssl\" is none of \"starttls\", "
          "\"implicit\", \"plain\"" },
        { "listeners = ( { name = \"a b\"; address = \"1.2.3.4:1\"; } );",
          "'a b' is no name" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "require_auth = \"no\"; } );",
          "t:4: listeners.l.require_auth: takes true or false" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "max_message_size = \"many\"; } );",
          "takes a size" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "data_timeout = 30; } );",
          "takes a duration with its unit" },
        { "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "data_timeout = \"2d\"; } );",
          "2d is out of range (1 to 3600000 ms)" },
        { "limits = ( { prohibited = ( \"::1\", \"127.0.0.1/8\" ); } );",
          "t:3: limits[0].prohibited: '127.0.0.1/8' is no range of addresses" },
        { "limits = ( { prohibited = \"10.0.0.0/8,\"; } );",
          "limits[0].prohibited: '' is no range of addresses" },
        { "limits = ( { prohibited = true; } );",
          "limits[0].prohibited: takes a text in quotes" },
        { "limits = ( { mx_deny = ( \"a.test\", \"\" ); } );",
          "limits[0].mx_deny: is empty" },
        { "limits = ( { max_msg_rate = 100; } );", "takes a rate" },
        { "limits = ( { smtp_port = 65536; } );", "is out of range" },
        { "limits = ( { address_preference = \"ipv5\"; } );",
          "limits[0].address_preference: \"ipv5\" is none of" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "proxy = \"http://1.2.3.5:1080\"; } );",
          "t:4: sources.a.proxy: 'http://1.2.3.5:1080' is no proxy" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "proxy = \"socks5://proxy:1080\"; } );",
          "t:4: sources.a.proxy: 'proxy:1080' is no IP address and port" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "proxy = \"haproxy://1.2.3.5:0\"; } );",
          "the port must be 1 to 65535" },
        { "sources = ( { name = \"a\"; address = \"1.2.3\"; } );",
          "sources.a.address: '1.2.3' is no IP address" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "ehlo = \"-.x..y\"; } );",
          "sources.a.ehlo: '-.x..y' is no domain" },
        { "accounts = ( { name = \"a\"; password = \"hunter2\"; } );",
          "accounts.a.password: is no crypt(5) hash" },
        { "accounts = ( { name = \"a\"; } );",
          "accounts.a.from_domains is missing" },
        { "classifier = { rules = ( { name = \"r\"; header = \"X Y\"; } ); };",
          "write \"Field-Name: value*\"" },
        { "user = \"\";", "user: is empty" },
        { "resolver = { address = 53; };", "takes a text in quotes" },
    };
    expect_errors(cases, ARRAY_LEN(cases));
}

static void references_must_resolve(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        { SOURCE "streams = ( { name = \"s\"; route = \"defualt\"; } );",
          "t:4: streams.s.route: there is no route 'defualt'; did you mean "
          "'default'?" },
        { SOURCE "routes = ( { name = \"r\"; pool = \"default\"; } );\n"
                 "streams = ( { name = \"s\"; } );",
          "t:5: streams.s.route: there is no route 'default', which is" },
        { SOURCE "pools = ( { name = \"p\"; sources = ( \"b\" ); } );",
          "pools.p.sources.b.source: there is no source 'b'" },
        { SOURCE "accounts = ( { name = \"a\"; tenant = \"t\"; } );",
          "accounts.a.tenant: there is no tenant 't'" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
                 "tls = \"plain\"; allow_auth_without_tls = true;\n"
                 "complaints = ( \"fbl\" ); } );",
          "listener 'l': complaints takes addresses, not 'fbl'" },
        { SOURCE ACCOUNT
          "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
          "tls = \"plain\"; require_auth = false; account = \"app\";\n"
          "complaints = ( \"fbl@x.test\" ); } );",
          "listener 'l': complaints needs require_auth" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
                 "complaints = ( \"fbl@x.test\" ); } );",
          "listener 'l': complaints needs classifier.feedback.key_file" },
        { SOURCE "accounts = ( { name = \"a\"; password = \"" HASH "\";\n"
                 "from_domains = ( \"a.test\" ); feedback_id = \"a:bcd\"; "
                 "} );",
          "account 'a': feedback_id takes 5 to 15 letters" },
        { SOURCE "limits = ( { provider = \"p\"; } );",
          "there is no provider 'p'" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:1\";\n"
                 "account = \"x\"; require_auth = false; } );",
          "listeners.l.account: there is no account 'x'" },
        { SOURCE "classifier = { probation = { recipients = 0; }; };",
          "classifier.probation.recipients:" },
        { SOURCE "classifier = { probation = { recipients = 200; }; };",
          "probation.tenant is less than probation.recipients" },
        { SOURCE "classifier = { probation = { recipients = 100; };\n"
                 "  trip = { recipients = 60; }; };",
          "trip.recipients is less than probation.recipients" },
        { SOURCE "classifier = { trip = { within = \"1s\"; }; };",
          "classifier.trip.within:" },
        { SOURCE "classifier = { feedback = { complaints = \"0%\"; }; };",
          "feedback of 0% would end the trust" },
        { SOURCE "classifier = { max_templates = 5; };",
          "classifier.max_templates:" },
        { SOURCE "classifier = { bulk = 5; };",
          "classifier.bulk: takes the name of a stream" },
        { "sources = ( { name = \"a\"; address = \"1.1.1.1\"; },\n"
          "{ name = \"a\"; address = \"1.1.1.2\"; } );",
          "t:4: source 'a' is there twice, first at t:3" },
    };
    expect_errors(cases, ARRAY_LEN(cases));
}

static void contradictions_are_found(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        { "sources = ( { name = \"a\"; address = \"::1\"; },\n"
          "{ name = \"b\"; address = \"0:0::1\"; } );",
          "t:4: source 'b' has the address of 'a', ::1" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\"; },\n"
          "{ name = \"b\"; address = \"1.2.3.5\"; address6 = \"::2\"; },\n"
          "{ name = \"c\"; address = \"0::2\"; } );",
          "t:5: source 'c' has the address of 'b', ::2" },
        { "sources = ( { name = \"a\"; address = \"::1\";\n"
          "address6 = \"::2\"; } );",
          "t:3: source 'a': with address6 that is IPv6, and address IPv4" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "address6 = \"1.2.3.5\"; } );",
          "t:3: source 'a': with address6 that is IPv6, and address IPv4" },
        { "sources = ( );", "sources:0: the list is empty" },
        { SOURCE "routes = ( { name = \"x\"; fallback = \"y\"; },\n"
                 "{ name = \"y\"; fallback = \"x\"; },\n"
                 "{ name = \"default\"; fallback = \"x\"; } );",
          "t:5: the fallbacks of route 'y' lead back to it" },
        { SOURCE "routes = ( { name = \"default\"; match = ( { } ); } );",
          "a match of route 'default' has no condition" },
        { SOURCE "pools = ( { name = \"default\"; sources = ( ); } );",
          "pool 'default' has no sources" },
        { SOURCE "pools = ( { name = \"default\"; sources = ( \"a\", \"*\" );"
                 "} );",
          "pool 'default' has the source 'a' twice" },
        { SOURCE "accounts = ( { name = \"a\"; from_domains = \"x\"; } );",
          "account 'a': give password" },
        { SOURCE "accounts = ( { name = \"a\"; from_domains = ( );\n"
                 "password_file = \"p\"; } );",
          "account 'a' has no from_domains" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:25\";\n"
                 "tls = \"plain\"; } );",
          "listener 'l' has no TLS, so nobody could log in" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:25\";\n"
                 "require_auth = false; } );",
          "listener 'l' takes mail without AUTH and needs an account" },
        { SOURCE "listeners = ( { name = \"l\"; address = \"1.2.3.4:25\"; },\n"
                 "{ name = \"m\"; address = \"1.2.3.4:25\"; } );",
          "t:5: listener 'm' has the address of 'l'" },
        { SOURCE "max_incoming_memory = \"2MB\";\n"
                 "listeners = ( { name = \"l\"; address = \"1.2.3.4:25\";\n"
                 "max_message_size = \"3MB\"; } );",
          "t:5: listener 'l': a message of max_message_size does not fit" },
        { SOURCE "max_incoming_memory = \"2MB\";\n"
                 "accounts = ( { name = \"a\"; from_domains = \"x\";\n"
                 "password = \"" HASH "\"; max_message_size = \"3MB\"; } );",
          "t:5: account 'a': a message of max_message_size does not fit" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "proxy = \"haproxy://1.2.3.5:25\"; proxy_login_file = \"f\"; } );",
          "source 'a': proxy_login_file is for a proxy \"socks5://...\"" },
        { "sources = ( { name = \"a\"; address = \"1.2.3.4\";\n"
          "proxy_workers = \"w\"; } );",
          "source 'a': proxy_workers without proxy" },
        { SOURCE "limits = ( { domain = \"x\"; }, { domain = \"X\"; } );",
          "limits for 'x' are there twice" },
        { SOURCE "limits = ( { tls = \"off\"; }, { tls = \"off\"; } );",
          "limits for 'default' are there twice" },
        { SOURCE "providers = ( { name = \"p\"; } );",
          "provider 'p' needs mx or domains" },
        { SOURCE "classifier = { rules = ( { name = \"r\";\n"
                 "stream = \"bulk\"; } ); };",
          "rule 'r' has no condition" },
        { SOURCE "routers = ( { name = \"r\"; number = 1; },\n"
                 "{ name = \"s\"; number = 1; } );",
          "router 's' has the number of 'r'" },
        { SOURCE "routers = ( { name = \"r\"; number = 1;\n"
                 "bus = \"tcp://10.0.0.1:1\"; } );",
          "leaves this host and needs bus.key_file" },
        { SOURCE "routers = ( { name = \"r\"; number = 1;\n"
                 "control = \"10.0.0.1:80\"; } );",
          "control must be a loopback address" },
        { SOURCE "bus = { beat = \"5s\"; };", "bus.lease must be three" },
        { SOURCE "spool = { min_free = \"1MB\"; hard_free = \"2MB\"; };",
          "spool.hard_free is above" },
        { SOURCE "spool = { min_free_inodes = 8; hard_free_inodes = 9; };",
          "spool.hard_free_inodes is above" },
        { SOURCE "state = { redis = \"localhost\"; };", "state.redis is nei" },
        { SOURCE "state = { redis = \"redis://:pw@h\"; };",
          "user and password belong into state.user" },
        { SOURCE "state = { user = \"yard\"; };", "state.user needs" },
    };
    expect_errors(cases, ARRAY_LEN(cases));
    expect_error(SLICE("host_name = \"h\";\n" SOURCE),
                 "listener 'submission' offers TLS but tls.certificate");
    expect_error(SLICE("host_name = \"h\"; tls = { key = \"k\"; };\n" SOURCE),
                 "tls needs certificate and key, not one of them");
}

static void ten_errors_are_ten_lines(void **state)
{
    (void)state;
    static const char text[] =
        "host_name = \"not a host\";\n"                               /* 1 */
        "wrokers = 2;\n"                                              /* 2 */
        "retry = \"soon\";\n"                                         /* 3 */
        "tls = { certifcate = \"c\"; };\n"                            /* 4 */
        "sources = ( { name = \"a\"; address = \"300.1.1.1\"; } );\n" /* 5 */
        "pools = ( { name = \"p\"; sources = ( \"aa\" ); } );\n"      /* 6 */
        "routes = ( { name = \"r\"; pool = \"q\"; } );\n"             /* 7 */
        "streams = ( { name = \"s\"; route = \"r\"; weight = 2000; } );\n" /* 8 */
        "accounts = ( { name = \"u\"; password = \"secret\";\n"
        "  from_domains = ( \"x y\" ); } );\n"; /* 9, 10 */
    static const char *const wanted[] = {
        "t:1: host_name: 'not a host' is no domain",
        "t:2: unknown key 'wrokers' in top level; did you mean 'workers'?",
        "t:3: retry: takes waits",
        "t:4: unknown key 'certifcate' in tls; did you mean 'certificate'?",
        "t:5: sources.a.address: '300.1.1.1' is no IP address",
        "t:6: pools.p.sources.aa.source: there is no source 'aa'",
        "t:7: routes.r.pool: there is no pool 'q'",
        "t:8: streams.s.weight: 2000 is out of range (1 to 1000)",
        "t:9: accounts.u.password: is no crypt(5) hash",
        "t:10: accounts.u.from_domains: 'x y' is no domain",
    };
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    assert_int_equal(conf_load_text("t", SLICE(text), &conf, &errors),
                     RC_SYNTAX);
    assert_null(conf);
    conf_errors_print(&errors, stderr);
    assert_int_equal(errors.count, 10);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(has_error(&errors, wanted[i]));
        assert_int_equal(errors.items[i].place.line, i + 1);
    }
    conf_errors_release(&errors);
}

static void the_list_of_errors_is_bounded(void **state)
{
    (void)state;
    scoped(buf_release) struct buf text;
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 150; i++)
        (void)buf_addf(&text, "unknown_%d_key = 1;\n", i);
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    assert_int_equal(conf_load_text("t", buf_slice(&text), &conf, &errors),
                     RC_SYNTAX);
    assert_int_equal(errors.count, CONF_ERRORS_MAX);
    assert_int_equal(errors.left_out, 52);
    conf_errors_release(&errors);
}

/* Files: a folder of the test's own. */

struct folder {
    char path[64];
};

static void write_file(const struct folder *folder, const char *name,
                       const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    static struct folder folder;
    (void)snprintf(folder.path, sizeof folder.path, "/tmp/sendyard-XXXXXX");
    *state = &folder;
    return mkdtemp(folder.path) ? 0 : -1;
}

static void in_folder(const struct folder *folder, const char *name,
                      char path[256])
{
    (void)snprintf(path, 256, "%s/%s", folder->path, name);
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "d/b.cfg", "d/a.cfg",  "d/hash", "d",
                                         "fifo",    "main.cfg", "c",      "k" };
    const struct folder *folder = *state;
    char path[256];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        in_folder(folder, names[i], path);
        (void)remove(path);
    }
    return rmdir(folder->path);
}

static enum rc load_main(const struct folder *folder, enum conf_files files,
                         struct conf **conf, struct conf_errors *errors)
{
    char path[256];
    in_folder(folder, "main.cfg", path);
    conf_errors_init(errors);
    return conf_load_for(path, files, conf, errors);
}

static void includes_are_sorted_and_relative(void **state)
{
    const struct folder *folder = *state;
    char path[256];
    in_folder(folder, "d", path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(folder, "d/b.cfg",
               "{ name = \"b\"; address = \"127.0.0.2\"; },\n");
    write_file(folder, "d/a.cfg",
               "\n{ name = \"a\"; address = \"127.0.0.1\"; },\n");
    write_file(folder, "d/hash", HASH "\nmore\n");
    write_file(folder, "c", "");
    write_file(folder, "k", "");
    write_file(folder, "main.cfg",
               BASE "sources = ( @include \"d/*.cfg\"\n);\n"
                    "@include \"d/*.none\"\n"
                    "accounts = ( { name = \"u\"; from_domains = \"x\";\n"
                    "  password_file = \"d/hash\"; } );\n");
    struct conf_errors errors;
    scoped(conf_release) struct conf *conf = NULL;
    enum rc rc = load_main(folder, CONF_FILES_ALL, &conf, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    assert_int_equal(rc, RC_OK);
    assert_string_equal(conf->sources[0].name, "a");
    assert_string_equal(conf->sources[1].name, "b");
    in_folder(folder, "d/a.cfg", path);
    assert_string_equal(conf->sources[0].place.file, path);
    assert_int_equal(conf->sources[0].place.line, 2);
    assert_int_equal(conf->accounts[0].place.line, 6);
    assert_string_equal(conf->accounts[0].password_hash, HASH);
    in_folder(folder, "c", path);
    assert_string_equal(conf->tls.certificate_file, path);
}

static void includes_cannot_hang_or_kill(void **state)
{
    static const struct {
        const char *include;
        const char *error;
    } cases[] = {
        { ".", "is not a regular file" },
        { "fifo", "is not a regular file" },
        { "missing.cfg", "cannot find or read" },
        { "missing/*.cfg", "cannot find or read" },
        { "main.cfg", "which includes this file" },
        { "", "is no file name" },
    };
    const struct folder *folder = *state;
    char path[256];
    in_folder(folder, "fifo", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "workers = 1;\n@include \"%s\"\n",
                       cases[i].include);
        write_file(folder, "main.cfg", text);
        struct conf_errors errors;
        struct conf *conf = NULL;
        assert_int_equal(load_main(folder, CONF_FILES_NONE, &conf, &errors),
                         RC_SYNTAX);
        assert_int_equal(errors.count, 1);
        assert_true(has_error(&errors, "main.cfg:2: "));
        assert_true(has_error(&errors, cases[i].error));
        conf_errors_release(&errors);
    }
}

static void missing_files_are_told_to_those_who_need_them(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "main.cfg",
               BASE SOURCE
               "accounts = ( { name = \"u\"; from_domains = \"x\";\n"
               "  password_file = \"gone\"; } );\n");
    struct conf_errors errors;
    struct conf *conf = NULL;
    assert_int_equal(load_main(folder, CONF_FILES_ALL, &conf, &errors),
                     RC_SYNTAX);
    assert_int_equal(errors.count, 3);
    assert_true(has_error(&errors, "main.cfg:2: tls.certificate: cannot read"));
    assert_true(has_error(&errors, "accounts.u.password_file: cannot read"));
    conf_errors_release(&errors);
    assert_int_equal(load_main(folder, CONF_FILES_WORKER, &conf, &errors),
                     RC_OK);
    conf_release(&conf);
    conf_errors_release(&errors);
    write_file(folder, "c", "");
    write_file(folder, "k", "");
    write_file(folder, "main.cfg",
               BASE SOURCE
               "accounts = ( { name = \"u\"; from_domains = \"x\";\n"
               "  password_file = \"c\"; } );\n");
    assert_int_equal(load_main(folder, CONF_FILES_ALL, &conf, &errors),
                     RC_SYNTAX);
    assert_true(has_error(&errors, "is no crypt(5) hash"));
    conf_errors_release(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_traps_of_libconfig_are_closed),
        cmocka_unit_test(harmless_forms_are_accepted),
        cmocka_unit_test(single_values_are_checked),
        cmocka_unit_test(references_must_resolve),
        cmocka_unit_test(contradictions_are_found),
        cmocka_unit_test(ten_errors_are_ten_lines),
        cmocka_unit_test(the_list_of_errors_is_bounded),
        cmocka_unit_test_setup_teardown(includes_are_sorted_and_relative,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(includes_cannot_hang_or_kill,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            missing_files_are_told_to_those_who_need_them, make_folder,
            remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
