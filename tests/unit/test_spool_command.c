/* test_spool_command - `spool verify|show|export` tell what a start would
 * find, and say by their exit code what is wrong. */
#include "tests/unit/spool_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "router/envelope.h"
#include "router/spool/command.h"
#include "router/spool/segment.h"
#include "router/state.h"

/* Message ids as they are written. */
#define THREE "0000000000003"
#define FOUR  "0000000000004"
#define NINE  "0000000000009"

#define WORDS_MAX 8

/* One %s: the spool's folder. */
#define CONFIG                                                                 \
    "host_name = \"mail.a.example\";\n"                                        \
    "spool = { path = \"%s\"; };\n"                                            \
    "listeners = ( { name = \"in\"; address = \"127.0.0.1:2525\";\n"           \
    "    tls = \"plain\"; allow_auth_without_tls = true; } );\n"               \
    "accounts = ( { name = \"app\"; from_domains = ( \"a.example\" );\n"       \
    "  password_file = \"none\"; } );\n"                                       \
    "streams = ( { name = \"main\"; class = \"neutral\"; route = \"main\"; } " \
    ");"                                                                       \
    "\nroutes = ( { name = \"main\"; pool = \"main\"; } );\n"                  \
    "pools = ( { name = \"main\"; sources = ( \"a\" ); } );\n"                 \
    "sources = ( { name = \"a\"; address = \"127.0.0.11\"; } );\n"

static atomic_bool stop_passing;

struct output {
    char *out;
    char *err;
    int exit_code;
};

static struct output run(const char *const *words)
{
    struct output output = { .exit_code = -1 };
    char *argv[WORDS_MAX] = { NULL };
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = mem_copy_text(words[argc], strlen(words[argc]));
    size_t out_len = 0;
    size_t err_len = 0;
    FILE *out = open_memstream(&output.out, &out_len);
    FILE *err = open_memstream(&output.err, &err_len);
    assert_true(out && err);
    output.exit_code = command_spool(argc - 1, argv + 1, out, err);
    (void)fclose(out);
    (void)fclose(err);
    for (int i = 0; i < argc; i++)
        mem_free(argv[i]);
    return output;
}

static void output_release(struct output *output)
{
    mem_free(steal(output->out));
    mem_free(steal(output->err));
}

/* The exit code, and that `text` is in what was printed. */
static void expect(const char *const *words, int exit_code, const char *text)
{
    struct output output = run(words);
    if (output.exit_code != exit_code)
        fail_msg("exit %d: %s%s", output.exit_code, output.out, output.err);
    if (!strstr(output.out, text) && !strstr(output.err, text))
        fail_msg("no %s in: %s%s", text, output.out, output.err);
    output_release(&output);
}

static void pack_message(struct buf *envelope, struct buf *state)
{
    const struct envelope_recipient recipients[] = {
        { .address = SLICE("a@example.com"), .route = SLICE("fast") },
        { .address = SLICE("b\n\"@example.com"), .route = SLICE("fast") },
    };
    const struct envelope message = {
        .id = 3,
        .accepted_utc_ms = 1769903999999u,
        .tenant = SLICE("acme"),
        .mail_from = SLICE("from@example.com"),
        .recipients = recipients,
        .recipient_count = ARRAY_LEN(recipients),
    };
    const struct state_recipient pending[] = {
        { .index = 1,
          .attempts = 2,
          .next_utc_ms = 1769903999999u,
          .code = 451,
          .text = SLICE("4.7.1 later"),
          .source = SLICE("pool-2"),
          .held = true,
          .told = true },
    };
    const struct state left = { .pending = pending, .pending_count = 1 };
    assert_int_equal(envelope_pack(&message, envelope), RC_OK);
    assert_int_equal(state_pack(&left, state), RC_OK);
}

static void make_spool(struct fixture *fixture)
{
    struct buf envelope;
    struct buf state;
    buf_init(&envelope, 1000);
    buf_init(&state, 1000);
    pack_message(&envelope, &state);
    struct body *body = fixture_body(3, 500);
    fixture_init(fixture, fixture_memory_folder());
    fixture_open(fixture);
    assert_int_equal(
        fixture_write(fixture, SPOOL_PUT, 3, buf_slice(&envelope), body),
        RC_OK);
    assert_int_equal(
        fixture_write(fixture, SPOOL_STATE, 3, buf_slice(&state), NULL), RC_OK);
    body_release(&body);
    buf_release(&envelope);
    buf_release(&state);
}

#define WORDS(...) ((const char *const[]){ "spool", __VA_ARGS__, NULL })

static void a_good_spool_is_told_as_good(void **state)
{
    (void)state;
    struct fixture fixture;
    make_spool(&fixture);
    const char *path = fixture.path;
    expect(WORDS("verify", path), EX_TEMPFAIL, "in use; --beside");
    expect(WORDS("verify", "--beside", path), EX_OK, "1 messages");
    fixture_close(&fixture);
    expect(WORDS("verify", path), EX_OK, "0 damaged records");
    expect(WORDS("verify", "--json", path), EX_OK,
           "{\"segments\":1,\"messages\":1,");
    expect(WORDS("show", path, THREE), EX_OK, "2 attempts");
    expect(WORDS("show", path, THREE), EX_OK, "done         a@example.com");
    expect(WORDS("show", path, THREE, "--json"), EX_OK,
           "\"accepted\":\"2026-01-31T23:59:59.999Z\"");
    expect(WORDS("show", path, THREE, "--json"), EX_OK,
           "\"pending\":true,\"address\":\"b\\n\\\"@example.com\"");
    expect(WORDS("show", path, THREE, "--json"), EX_OK,
           "\"source\":\"pool-2\",\"told\":true,\"held\":true");
    expect(WORDS("show", path, THREE), EX_OK, "by source  pool-2");
    expect(WORDS("show", path, THREE), EX_OK, "held: it may");
    expect(WORDS("show", path, THREE), EX_OK, "sender knows");
    fixture_release(&fixture);
}

static void *pass_mail(void *context)
{
    struct fixture *fixture = context;
    for (uint64_t id = 100; !atomic_load(&stop_passing); id++)
        if (fixture_put(fixture, id, 30000) != RC_OK
            || fixture_drop(fixture, id) != RC_OK)
            break;
    return NULL;
}

/* Segments come and go meanwhile. */
static void beside_a_busy_router_each_look_ends_well(void **state)
{
    (void)state;
    struct fixture fixture;
    pthread_t thread;
    make_spool(&fixture);
    atomic_store(&stop_passing, false);
    assert_int_equal(pthread_create(&thread, NULL, pass_mail, &fixture), 0);
    int unfinished = 0;
    for (int i = 0; i < 300; i++) {
        struct output output = run(WORDS("verify", "--beside", fixture.path));
        unfinished +=
            output.exit_code != EX_OK && output.exit_code != EX_DATAERR;
        output_release(&output);
    }
    atomic_store(&stop_passing, true);
    (void)pthread_join(thread, NULL);
    assert_int_equal(unfinished, 0);
    fixture_release(&fixture);
}

/* The folder's name may come from a config, an incomplete one as well. */
static void the_config_names_the_spool(void **state)
{
    (void)state;
    struct fixture fixture;
    make_spool(&fixture);
    fixture_close(&fixture);
    char path[96];
    (void)snprintf(path, sizeof path, "%s.cfg", fixture.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, CONFIG, fixture.path);
    (void)fclose(file);
    expect(WORDS("verify", "--config", path), EX_OK, "1 messages");
    expect(WORDS("show", "--config", path, THREE), EX_OK, "pool-2");
    expect(WORDS("show", FOUR, "--config", path), EX_NOINPUT, "no message");
    expect(WORDS("show", "--config", path, fixture.path, THREE), EX_USAGE,
           "usage");
    expect(WORDS("verify", fixture.path, "--config"), EX_USAGE, "usage");
    assert_int_equal(unlink(path), 0);
    expect(WORDS("verify", "--config", path), EX_CONFIG, path);
    fixture_release(&fixture);
}

static void wrong_words_and_missing_things(void **state)
{
    (void)state;
    struct fixture fixture;
    make_spool(&fixture);
    const char *path = fixture.path;
    fixture_close(&fixture);
    expect(WORDS("verify"), EX_USAGE, "usage");
    expect(WORDS("verify", path, THREE), EX_USAGE, "usage");
    expect(WORDS("show", path, "three"), EX_USAGE, "usage");
    expect(WORDS("show", path, "--all"), EX_USAGE, "usage");
    expect(WORDS("export", path, "--all"), EX_USAGE, "usage");
    expect(WORDS("verify", "--loud", path), EX_USAGE, "usage");
    expect(WORDS("dance", path), EX_USAGE, "usage");
    expect(WORDS("show", path, FOUR), EX_NOINPUT, "no message " FOUR);
    expect(WORDS("verify", "/nowhere/at/all"), EX_NOINPUT, "No such file");
    fixture_release(&fixture);
}

static void remove_exported(const char *folder, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static void messages_are_exported_once(void **state)
{
    (void)state;
    struct fixture fixture;
    make_spool(&fixture);
    fixture_close(&fixture);
    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s-out", fixture.path);
    expect(WORDS("export", fixture.path, NINE, folder), EX_NOINPUT, "no mess");
    expect(WORDS("export", fixture.path, "--all", folder), EX_OK, "1 messages");
    expect(WORDS("export", fixture.path, THREE, folder), EX_CANTCREAT,
           "exists");
    char name[128];
    char bytes[600];
    (void)snprintf(name, sizeof name, "%s/" THREE ".eml", folder);
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 500);
    (void)fclose(file);
    struct body *body = fixture_body(3, 500);
    assert_memory_equal(bytes, body->bytes, 500);
    body_release(&body);
    remove_exported(folder, THREE ".eml");
    remove_exported(folder, THREE ".json");
    (void)rmdir(folder);
    fixture_release(&fixture);
}

static void a_damaged_body_is_never_exported(void **state)
{
    (void)state;
    struct fixture fixture;
    make_spool(&fixture);
    fixture_close(&fixture);
    char name[128];
    (void)snprintf(name, sizeof name, "%s/%016x.seg", fixture.path, 1);
    const int fd = open(name, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "?!", 2, SEGMENT_START + 400), 2);
    (void)close(fd);

    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s-out", fixture.path);
    expect(WORDS("verify", fixture.path), EX_DATAERR, "1 damaged bodies");
    expect(WORDS("verify", fixture.path), EX_DATAERR, "body of message 3");
    expect(WORDS("export", fixture.path, "--all", folder), EX_DATAERR,
           "body of message 3");
    (void)snprintf(name, sizeof name, "%s/" THREE ".eml", folder);
    assert_int_equal(access(name, F_OK), -1);
    remove_exported(folder, THREE ".json");
    (void)rmdir(folder);
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_spool_is_told_as_good),
        cmocka_unit_test(the_config_names_the_spool),
        cmocka_unit_test(beside_a_busy_router_each_look_ends_well),
        cmocka_unit_test(wrong_words_and_missing_things),
        cmocka_unit_test(messages_are_exported_once),
        cmocka_unit_test(a_damaged_body_is_never_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
