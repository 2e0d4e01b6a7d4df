/*
 * test_channel - real connections to real peers on loopback: the receivers of
 * tests/tools/receiver, one address of 127/8 for each kind, all on one port.
 */
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "workers/smtp/channel.h"

#define RUN_MAX_MS  15000
#define SENDS_MAX   50
#define BODY_BYTES  (1u << 20)
#define NOBODY      "[127.77.0.99]"
#define GOOD        "[127.77.0.1]"
#define PLAIN       "[127.77.0.2]"
#define BROKEN_TLS  "[127.77.0.3]"
#define BUSY        "[127.77.0.4]"
#define SILENT      "[127.77.0.5]"
#define TAKES_RUNS  "[127.77.0.6]"
#define NO_EHLO     "[127.77.0.7]"
#define MUTE_AT_DOT "[127.77.0.8]"
#define CHUNKS      "[127.77.0.9]"
#define PICKY       "[127.77.0.10]"
#define LEAVES      "[127.77.0.11]"
#define GARBLES     "[127.77.0.12]"
#define REFUSES_TLS "[127.77.0.13]"
#define FORGETFUL   "[127.77.0.14]"
#define SIX         "[::1]"
#define HOLE        "127.77.0.98" /* takes no connection and refuses none */
#define HOLE_FILL   4

static const struct {
    const char *host;
    const char *config;
} receivers[] = {
    { GOOD, "capabilities = [ \"PIPELINING\", \"SIZE\", \"8BITMIME\","
            " \"STARTTLS\" ]; tls = { kind = \"self-signed\"; };" },
    { PLAIN, "" },
    { BROKEN_TLS, "capabilities = [ \"STARTTLS\", \"PIPELINING\" ];"
                  " tls = { kind = \"broken\"; };" },
    { BUSY, "script = ( { at = \"connect\"; reply = \"421 4.3.2 busy\"; } );" },
    { SILENT, "script = ( { at = \"connect\"; do = \"silence\"; } );" },
    { TAKES_RUNS, "script = ( { at = \"dot\"; do = \"take-and-close\"; } );" },
    { NO_EHLO, "ehlo = false;" },
    { MUTE_AT_DOT, "script = ( { at = \"dot\"; do = \"silence\"; } );" },
    { CHUNKS, "capabilities = [ \"PIPELINING\", \"SIZE\", \"CHUNKING\","
              " \"STARTTLS\" ]; tls = { kind = \"self-signed\"; };" },
    { PICKY, "capabilities = [ \"PIPELINING\" ]; script = ( { at = \"rcpt\";"
             " match = \"<no@\"; reply = \"550 5.1.1 nobody\"; } );" },
    { LEAVES, "capabilities = [ \"PIPELINING\" ]; script = ( { at = \"mail\";"
              " every = 2; reply = \"421 4.4.2 enough\"; } );" },
    { GARBLES, "script = ( { at = \"mail\"; do = \"garbage\"; } );" },
    { SIX, "" },
    { REFUSES_TLS, "capabilities = [ \"STARTTLS\" ];"
                   " tls = { kind = \"refused\"; };" },
    { FORGETFUL, "capabilities = [ \"STARTTLS\" ];"
                 " tls = { kind = \"forgetful\"; };" },
};

/* Stands for the resolver: all names have these addresses. */
struct dns {
    struct loop *loop;
    const char *ipv4;
    const char *ipv6;
};

struct question {
    struct dns *dns;
    int family;
    dns_address_fn *fn;
    void *context;
    struct defer *soon;
};

static void answer(void *context)
{
    struct question *question = context;
    struct addr addr;
    const char *ip =
        question->family == AF_INET ? question->dns->ipv4 : question->dns->ipv6;
    assert_true(addr_of_ip(slice_text(ip), 0, &addr));
    const struct dns_address_answer found = { .status = DNS_OK,
                                              .count = 1,
                                              .addresses = &addr };
    question->fn(question->context, &found);
    defer_free(&question->soon);
    mem_free(question);
}

void __wrap_dns_query_addresses(struct dns *dns, const char *host, int family,
                                dns_address_fn *fn, void *context);
void __wrap_dns_query_addresses(struct dns *dns, const char *host, int family,
                                dns_address_fn *fn, void *context)
{
    assert_string_equal(host, "both.test");
    struct question *question = NEW(struct question);
    *question = (struct question){ dns, family, fn, context, NULL };
    question->soon = defer_new(dns->loop, answer, question);
    defer_set(question->soon);
}

/* All receivers, in one process, for all tests. */
struct field {
    char folder[32];
    uint16_t port;
    pid_t pid;
};

enum leave_at { STAY, AT_READY, AT_DONE, AT_GONE };

struct bench {
    struct field *field;
    struct loop *loop;
    struct timer *guard;
    struct channel *channel;
    struct tls_context *tls;
    struct wire_recipient recipients[2];
    struct wire_job envelope;
    struct verdict outcomes[2];
    struct transaction job;
    struct transaction others[SENDS_MAX]; /* where several are under way */
    char *body;
    struct hosts_rules rules;
    bool has_other_family;
    bool has_both;
    int family; /* that comes first */
    struct dns dns;
    int hole[1 + HOLE_FILL];
    uint64_t connect_ms;
    struct absent *absent; /* NULL: it is not looked after */

    unsigned to_send;
    unsigned in_flight_max;
    unsigned sent;
    unsigned most; /* under way at once */
    unsigned done; /* jobs that ended */
    unsigned calls;
    enum leave_at free_at;
    bool is_gone;
    bool is_leaving;
    bool timed_out;
    struct verdict why;
    char host[DNS_NAME_MAX + 1];
    char host_ip[ADDR_TEXT_SIZE];
    char tls_version[16];
};

static void field_path(const struct field *field, const char *name,
                       char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s", field->folder, name);
}

static uint16_t free_port(void)
{
    struct addr addr;
    assert_true(addr_of_ip(SLICE("127.77.0.1"), 0, &addr));
    int fd = addr_listen(&addr, 1);
    assert_true(fd >= 0);
    addr.len = sizeof addr.storage;
    (void)getsockname(fd, (struct sockaddr *)&addr.storage, &addr.len);
    (void)close(fd);
    return addr_port(&addr);
}

static void write_config(const struct field *field, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "record = \"%s/record\";\nstats = \"%s/stats\";\n"
                  "eml = \"%s/eml\";\nproviders = (\n",
                  field->folder, field->folder, field->folder);
    for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
        struct slice at = slice_text(receivers[i].host);
        if (slice_find(at, ':') == at.len) /* only IPv6 has brackets there */
            at = slice_of(at.ptr + 1, at.len - 2);
        (void)fprintf(file,
                      "%s{ name = \"p%zu\"; host_name = \"mx%zu.test\";"
                      " listen = [ \"%.*s:%u\" ]; domains = [ \"*\" ]; %s }",
                      i > 0 ? ",\n" : "", i, i, SLICE_ARG(at), field->port,
                      receivers[i].config);
    }
    (void)fprintf(file, "\n);\n");
    (void)fclose(file);
}

/* The last one listed is bound last. */
static bool is_listening(const struct field *field)
{
    struct addr addr;
    assert_true(addr_of_ip(SLICE("127.77.0.14"), field->port, &addr));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&addr.storage, addr.len);
    (void)close(fd);
    return result == 0;
}

static int start_receivers(void **state)
{
    struct field *field = NEW(struct field);
    char path[PATH_MAX];
    (void)snprintf(field->folder, sizeof field->folder, "/tmp/channel.XXXXXX");
    assert_non_null(mkdtemp(field->folder));
    field_path(field, "eml", path);
    assert_int_equal(mkdir(path, 0700), 0);
    field->port = free_port();
    field_path(field, "config", path);
    write_config(field, path);
    field->pid = fork();
    if (field->pid == 0) {
        (void)execl(RECEIVER, RECEIVER, path, NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !is_listening(field); i++)
        (void)usleep(10000);
    assert_true(is_listening(field));
    *state = field;
    return 0;
}

static int stop_receivers(void **state)
{
    struct field *field = *state;
    (void)kill(field->pid, SIGTERM);
    (void)waitpid(field->pid, NULL, 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", field->folder, NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
    mem_free(field);
    return 0;
}

static void on_guard(void *context)
{
    struct bench *bench = context;
    bench->timed_out = true;
    loop_stop(bench->loop);
}

static bool leaves(struct bench *bench, enum leave_at at)
{
    if (bench->free_at != at)
        return false;
    channel_free(&bench->channel);
    loop_stop(bench->loop);
    return true;
}

static void note_whom(struct bench *bench)
{
    (void)snprintf(bench->host, sizeof bench->host, "%s",
                   channel_host(bench->channel));
    (void)snprintf(bench->host_ip, sizeof bench->host_ip, "%s",
                   channel_host_ip(bench->channel));
    (void)snprintf(bench->tls_version, sizeof bench->tls_version, "%s",
                   channel_tls(bench->channel));
}

static void send_next(struct bench *bench)
{
    struct transaction *next = &bench->job;
    bench->to_send--;
    if (bench->in_flight_max > 1) {
        next = &bench->others[bench->to_send];
        *next = bench->job;
    }
    channel_send(bench->channel, next);
    bench->sent++;
    if (bench->sent - bench->done > bench->most)
        bench->most = bench->sent - bench->done;
}

static void on_change(void *context)
{
    struct bench *bench = context;
    bench->calls++;
    while (channel_take_done(bench->channel)) {
        bench->done++;
        note_whom(bench);
        if (leaves(bench, AT_DONE))
            return;
    }
    if (channel_is_gone(bench->channel, &bench->why)) {
        bench->is_gone = true;
        if (!leaves(bench, AT_GONE))
            loop_stop(bench->loop);
        return;
    }
    if (channel_is_ready(bench->channel)) {
        if (leaves(bench, AT_READY))
            return;
        if (bench->to_send > 0) {
            send_next(bench);
        } else {
            bench->is_leaving = true;
            channel_leave(bench->channel);
        }
    }
    while (bench->to_send > 0 && channel_can_follow(bench->channel))
        send_next(bench);
}

static int set_up(void **state)
{
    struct bench *bench = NEW(struct bench);
    struct fault fault;
    bench->field = *state;
    bench->loop = loop_new();
    bench->guard = timer_new(bench->loop, on_guard, bench);
    bench->tls = tls_client_context(false, NULL, &fault);
    assert_non_null(bench->tls);
    bench->family = AF_INET;
    bench->dns.loop = bench->loop;
    bench->connect_ms = 1000;
    bench->to_send = 1;
    bench->in_flight_max = 1;
    bench->recipients[0].address = SLICE("yes@x.test");
    bench->recipients[1].address = SLICE("no@x.test");
    bench->envelope = (struct wire_job){
        .mail_from = SLICE("a@sender.test"),
        .recipients = bench->recipients,
        .recipient_count = 1,
    };
    bench->job = (struct transaction){
        .envelope = &bench->envelope,
        .body = SLICE("Subject: s\r\n\r\nhello\r\n"),
        .outcomes = bench->outcomes,
    };
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    channel_free(&bench->channel);
    timer_free(&bench->guard);
    tls_context_release(&bench->tls);
    loop_turn(bench->loop);
    loop_free(&bench->loop);
    mem_free(bench->body);
    absent_free(&bench->absent);
    *state = bench->field;
    mem_free(bench);
    return 0;
}

/* Sends to the hosts in their order until the channel is gone. */
static void deliver(struct bench *bench, enum dialog_tls tls, const char *first,
                    const char *second)
{
    const struct wire_host list[] = {
        { .preference = 10, .name = slice_text(first) },
        { .preference = 20, .name = slice_text(second ? second : "") },
    };
    const struct channel_options options = {
        .loop = bench->loop,
        .hosts = { .dns = &bench->dns,
                   .family = bench->family,
                   .has_both = bench->has_both,
                   .port = bench->field->port,
                   .rules = bench->rules,
                   .has_other_family = bench->has_other_family,
                   .loop = bench->loop,
                   .absent = bench->absent },
        .dialog = {
            .ehlo_name = SLICE("client.test"),
            .tls = tls,
            .chunking = true,
            .transactions_max = bench->in_flight_max,
            .waits = { .greeting = 400, .hello = 2000, .mail = 2000,
                       .rcpt = 2000, .data = 2000, .data_send = 2000,
                       .data_end = 500 },
        },
        .tls = bench->tls,
        .connect_ms = bench->connect_ms,
    };
    struct channel_options mine = options;
    assert_true(addr_of_ip(SLICE("127.0.0.1"), 0, &mine.source));
    assert_true(addr_of_ip(SLICE("::1"), 0, &mine.source6));
    bench->envelope.size = bench->job.body.len;
    loop_turn(bench->loop);
    bench->channel =
        channel_new(&mine, list, second ? 2 : 1, 1, on_change, bench);
    timer_set(bench->guard, loop_now_ms(bench->loop) + RUN_MAX_MS);
    loop_run(bench->loop);
    assert_false(bench->timed_out);
}

static void assert_outcome(const struct bench *bench, size_t recipient,
                           enum verdict_class class, unsigned code)
{
    const struct verdict *outcome = &bench->outcomes[recipient];
    if (outcome->class != class || outcome->code != code)
        fail_msg("recipient %zu: %s %u %s", recipient,
                 verdict_class_name(outcome->class), outcome->code,
                 outcome->text);
}

static void assert_end(const struct bench *bench, struct enhanced status,
                       const char *text)
{
    char expected[ENHANCED_TEXT_SIZE];
    char found[ENHANCED_TEXT_SIZE];
    assert_int_equal(bench->done, 0);
    assert_true(bench->is_gone);
    assert_string_equal(enhanced_format(bench->why.enhanced, found),
                        enhanced_format(status, expected));
    assert_string_equal(bench->why.text, text);
}

static void mail_is_delivered_by_tls(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_IF_OFFERED, GOOD, NULL);
    assert_int_equal(bench->done, 1);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->tls_version, "TLSv1.3");
    assert_string_equal(bench->host, GOOD);
    assert_true(bench->is_leaving && bench->is_gone);
    assert_int_equal(bench->why.code, 221);
}

/* Lines of the receivers' record so far that have both. */
static size_t count_recorded(const struct bench *bench, const char *one,
                             const char *other)
{
    char path[PATH_MAX];
    char line[4096];
    size_t count = 0;
    field_path(bench->field, "record", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, one) && strstr(line, other);
    (void)fclose(file);
    return count;
}

/* Handshakes that took up an old session; that failed before the forgetful. */
static size_t count_resumed(const struct bench *bench)
{
    return count_recorded(bench, "\"disconnect\"", "\"tls_resumed\":true");
}

static size_t count_failed_handshakes(const struct bench *bench)
{
    return count_recorded(bench, "\"target\":\"127.77.0.14",
                          "tls_handshake_failed");
}

/* By the name of the host: nobody else's session is of use to it. */
static void the_second_connection_resumes_tls(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        size_t resumed;
    } cases[] = { { GOOD, 0 }, { CHUNKS, 0 }, { GOOD, 1 }, { CHUNKS, 2 } };
    const size_t before = count_resumed(bench);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bench->to_send = 1;
        bench->is_gone = false;
        deliver(bench, DIALOG_TLS_REQUIRED, cases[i].host, NULL);
        assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
        channel_free(&bench->channel);
        (void)usleep(50000); /* until the receiver has written it down */
        assert_int_equal(count_resumed(bench) - before, cases[i].resumed);
    }
}

/* A handshake with an old session fails; with a new one it does not. Neither is
 * mail sent in clear for that, nor is the receiver taken for dead. */
static void an_old_session_that_breaks_the_handshake_is_left_out(void **state)
{
    struct bench *bench = *state;
    const size_t resumed = count_resumed(bench);
    static const enum dialog_tls demands[] = { DIALOG_TLS_IF_OFFERED,
                                               DIALOG_TLS_IF_OFFERED,
                                               DIALOG_TLS_REQUIRED };
    for (size_t i = 0; i < ARRAY_LEN(demands); i++) {
        bench->to_send = 1;
        bench->is_gone = false;
        deliver(bench, demands[i], FORGETFUL, NULL);
        assert_int_equal(bench->done, i + 1);
        assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
        assert_string_equal(bench->tls_version, "TLSv1.3");
        channel_free(&bench->channel);
    }
    assert_int_equal(count_resumed(bench), resumed);
    assert_int_equal(count_failed_handshakes(bench), 2);
}

static void mail_is_delivered_in_clear(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_IF_OFFERED, PLAIN, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->tls_version, "");
}

static void mail_is_delivered_to_who_knows_no_ehlo(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, NO_EHLO, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
}

static void one_connection_carries_many(void **state)
{
    struct bench *bench = *state;
    bench->to_send = SENDS_MAX;
    deliver(bench, DIALOG_TLS_IF_OFFERED, GOOD, NULL);
    assert_int_equal(bench->done, SENDS_MAX);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
}

static void the_second_host_serves_when_the_first_is_dead(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, NOBODY, PLAIN);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host, PLAIN);
}

static void the_second_host_serves_when_the_first_is_busy(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, BUSY, PLAIN);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host, PLAIN);
}

static void the_second_host_serves_when_the_first_is_silent(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, SILENT, PLAIN);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host, PLAIN);
}

/* The same hosts once more: how long it takes until the job is done. */
static uint64_t deliver_again(struct bench *bench, const char *first,
                              const char *second)
{
    bench->to_send = 1;
    bench->is_gone = false;
    bench->is_leaving = false;
    channel_free(&bench->channel);
    const uint64_t from_ms = time_now_ms();
    deliver(bench, DIALOG_TLS_OFF, first, second);
    return time_now_ms() - from_ms;
}

static void who_did_not_answer_goes_last_until_it_does(void **state)
{
    struct bench *bench = *state;
    bench->absent = absent_new();
    struct addr silent;
    assert_true(addr_of_ip(SLICE("127.77.0.5"), bench->field->port, &silent));
    deliver(bench, DIALOG_TLS_OFF, SILENT, PLAIN);
    assert_true(absent_goes_last(bench->absent, &silent, time_now_ms()));
    assert_in_range(deliver_again(bench, SILENT, PLAIN), 0, 399);
    assert_string_equal(bench->host, PLAIN);
    assert_int_equal(bench->done, 2);
    assert_true(absent_forget(bench->absent, &silent));
    assert_in_range(deliver_again(bench, SILENT, PLAIN), 400, RUN_MAX_MS);
}

static void who_did_not_answer_is_tried_when_no_other_is_left(void **state)
{
    struct bench *bench = *state;
    bench->absent = absent_new();
    struct addr plain;
    assert_true(addr_of_ip(SLICE("127.77.0.2"), bench->field->port, &plain));
    (void)absent_add(bench->absent, &plain, time_now_ms());
    deliver(bench, DIALOG_TLS_OFF, PLAIN, NOBODY);
    assert_string_equal(bench->host, PLAIN);
    assert_int_equal(bench->done, 1);
    assert_false(absent_forget(bench->absent, &plain));
}

/* Of a host with both kinds of addresses. */
static void deliver_both(struct bench *bench, int first, const char *ipv4,
                         const char *ipv6)
{
    bench->has_both = true;
    bench->family = first;
    bench->dns.ipv4 = ipv4;
    bench->dns.ipv6 = ipv6;
    deliver(bench, DIALOG_TLS_OFF, "both.test", NULL);
}

static void the_preferred_family_goes_first(void **state)
{
    struct bench *bench = *state;
    deliver_both(bench, AF_INET6, "127.77.0.2", "::1");
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host_ip, "::1");
}

static void the_preferred_family_may_be_ipv4(void **state)
{
    struct bench *bench = *state;
    deliver_both(bench, AF_INET, "127.77.0.2", "::1");
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host_ip, "127.77.0.2");
}

/* A listener whose queue is full: Linux drops what comes. */
static void dig_hole(struct bench *bench)
{
    struct addr addr;
    struct fault fault;
    assert_true(addr_of_ip(SLICE(HOLE), bench->field->port, &addr));
    bench->hole[0] = addr_listen(&addr, 0);
    assert_true(bench->hole[0] >= 0);
    for (size_t i = 1; i < ARRAY_LEN(bench->hole); i++)
        bench->hole[i] = addr_connect(NULL, &addr, &fault);
}

static void fill_hole(const struct bench *bench)
{
    for (size_t i = 0; i < ARRAY_LEN(bench->hole); i++)
        (void)close(bench->hole[i]);
}

static void the_other_family_has_its_turn_soon(void **state)
{
    struct bench *bench = *state;
    bench->connect_ms = 10000;
    bench->absent = absent_new();
    dig_hole(bench);
    const uint64_t from_ms = time_now_ms();
    deliver_both(bench, AF_INET, HOLE, "::1");
    const uint64_t took_ms = time_now_ms() - from_ms;
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->host_ip, "::1");
    assert_in_range(took_ms, CHANNEL_FALL_OVER_MS, CHANNEL_FALL_OVER_MS + 1500);
    assert_in_range(deliver_again(bench, "both.test", NULL), 0, 1000);
    assert_string_equal(bench->host_ip, "::1");
    fill_hole(bench);
}

/* There is no way from ::1 to an IPv4-mapped address. */
static void the_family_that_fell_over_gets_its_whole_wait_at_last(void **state)
{
    struct bench *bench = *state;
    bench->connect_ms = 2000;
    dig_hole(bench);
    const uint64_t from_ms = time_now_ms();
    deliver_both(bench, AF_INET, HOLE, "::ffff:127.77.0.99");
    assert_in_range(time_now_ms() - from_ms, CHANNEL_FALL_OVER_MS + 2000,
                    RUN_MAX_MS);
    assert_end(bench, (struct enhanced){ 4, 4, 1 },
               HOLE " did not accept the connection in time");
    fill_hole(bench);
}

static void the_last_word_is_that_of_a_host(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, BUSY, NULL);
    assert_true(bench->is_gone);
    assert_int_equal(bench->done, 0);
    assert_int_equal(bench->why.code, 421);
}

static void nobody_at_home_is_told(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, NOBODY, NULL);
    assert_true(bench->is_gone);
    assert_int_equal(bench->why.class, VERDICT_DEFERRED);
    assert_int_equal(bench->why.enhanced.subject, 4);
    assert_int_equal(bench->why.enhanced.detail, 1);
    assert_int_equal(bench->calls, 1);
}

static void broken_tls_is_tried_in_clear(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_IF_OFFERED, BROKEN_TLS, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->tls_version, "");
    assert_string_equal(bench->host, BROKEN_TLS);
}

static void broken_tls_is_no_way_where_tls_is_required(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_REQUIRED, BROKEN_TLS, GOOD);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->tls_version, "TLSv1.3");
    assert_string_equal(bench->host, GOOD);
}

static void refused_tls_goes_on_in_clear(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_IF_OFFERED, REFUSES_TLS, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_string_equal(bench->tls_version, "");
}

static void required_tls_that_nobody_has_is_deferred(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_REQUIRED, PLAIN, REFUSES_TLS);
    assert_true(bench->is_gone);
    assert_int_equal(bench->done, 0);
    assert_int_equal(bench->why.class, VERDICT_DEFERRED);
}

static void closed_behind_the_dot_is_in_doubt(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, TAKES_RUNS, NULL);
    assert_int_equal(bench->done, 1);
    assert_true(bench->is_gone && bench->job.in_doubt);
    assert_outcome(bench, 0, VERDICT_DEFERRED, 0);
}

static void silence_behind_the_dot_is_in_doubt(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, MUTE_AT_DOT, NULL);
    assert_int_equal(bench->done, 1);
    assert_true(bench->is_gone && bench->job.in_doubt);
}

static void one_refused_recipient_does_not_stop_the_other(void **state)
{
    struct bench *bench = *state;
    bench->envelope.recipient_count = 2;
    deliver(bench, DIALOG_TLS_OFF, PICKY, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_outcome(bench, 1, VERDICT_FAILED, 550);
}

static void a_server_that_leaves_costs_no_attempt(void **state)
{
    struct bench *bench = *state;
    bench->to_send = 2;
    deliver(bench, DIALOG_TLS_OFF, LEAVES, NULL);
    assert_int_equal(bench->done, 2);
    assert_true(bench->is_gone);
    assert_false(bench->job.is_started || bench->job.in_doubt);
}

static void garbage_defers(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, GARBLES, NULL);
    assert_int_equal(bench->done, 1);
    assert_int_equal(bench->outcomes[0].class, VERDICT_DEFERRED);
    assert_false(bench->job.in_doubt);
}

/* Lines of all lengths, many of which begin with dots. */
static void make_body(struct bench *bench)
{
    char *at = bench->body = mem_new(BODY_BYTES + 1, 1);
    char *end = at + BODY_BYTES - 2;
    const char head[] = "Subject: dots\r\n\r\n";
    memcpy(at, head, sizeof head - 1);
    at += sizeof head - 1;
    for (unsigned line = 0; at < end; line++) {
        for (unsigned i = 0; i < line % 200 && at < end; i++)
            *at++ = i < line % 4 ? '.' : 'x';
        *at++ = '\r';
        *at++ = '\n';
    }
    end[0] = '\r';
    end[1] = '\n';
    if (end[-1] == '\r')
        end[-1] = 'x';
    bench->job.body = slice_of(bench->body, BODY_BYTES);
}

/* Whether any of the messages kept ends with the body. */
static bool was_kept(const struct bench *bench)
{
    char path[PATH_MAX];
    field_path(bench->field, "eml", path);
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(told[1], STDOUT_FILENO);
        (void)execlp("find", "find", path, "-type", "f", "-size", "+1000k",
                     "-print0", NULL);
        _exit(127);
    }
    (void)close(told[1]);
    char name[PATH_MAX] = { 0 };
    bool found = read(told[0], name, sizeof name - 1) > 0;
    (void)close(told[0]);
    (void)waitpid(pid, NULL, 0);
    assert_true(found);
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    char *kept = mem_new(2 * BODY_BYTES, 1);
    size_t len = fread(kept, 1, 2 * BODY_BYTES, file);
    (void)fclose(file);
    (void)unlink(name);
    bool same =
        len >= BODY_BYTES
        && memcmp(kept + len - BODY_BYTES, bench->body, BODY_BYTES) == 0;
    mem_free(kept);
    return same;
}

static void a_megabyte_of_dots_arrives_as_it_is(void **state)
{
    struct bench *bench = *state;
    make_body(bench);
    deliver(bench, DIALOG_TLS_OFF, PLAIN, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_true(was_kept(bench));
}

static void a_megabyte_of_dots_arrives_by_tls(void **state)
{
    struct bench *bench = *state;
    make_body(bench);
    deliver(bench, DIALOG_TLS_REQUIRED, GOOD, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_true(was_kept(bench));
}

static void a_megabyte_of_dots_arrives_by_chunks(void **state)
{
    struct bench *bench = *state;
    make_body(bench);
    deliver(bench, DIALOG_TLS_REQUIRED, CHUNKS, NULL);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    assert_true(was_kept(bench));
}

static void messages_follow_each_other(void **state)
{
    struct bench *bench = *state;
    bench->to_send = SENDS_MAX;
    bench->in_flight_max = 4;
    deliver(bench, DIALOG_TLS_OFF, CHUNKS, NULL);
    assert_int_equal(bench->done, SENDS_MAX);
    assert_int_equal(bench->most, 4);
    for (size_t i = 0; i < SENDS_MAX; i++)
        assert_true(bench->others[i].is_over);
    assert_int_equal(bench->why.code, 221);
}

/* Each waits until the text of the one before is said. */
static void large_messages_follow_each_other(void **state)
{
    struct bench *bench = *state;
    make_body(bench);
    bench->to_send = 4;
    bench->in_flight_max = 4;
    deliver(bench, DIALOG_TLS_OFF, CHUNKS, NULL);
    assert_int_equal(bench->done, 4);
    assert_true(bench->most > 1);
    assert_outcome(bench, 0, VERDICT_DELIVERED, 250);
    for (size_t i = 0; i < 4; i++)
        assert_true(was_kept(bench));
}

/* Under the address sanitizer: nothing is touched behind the free. */
static void the_owner_may_free_at_any_call(void **state)
{
    struct bench *bench = *state;
    static const struct {
        enum leave_at at;
        const char *host;
    } cases[] = {
        { AT_READY, GOOD },      { AT_READY, PLAIN },  { AT_DONE, GOOD },
        { AT_DONE, TAKES_RUNS }, { AT_DONE, GARBLES }, { AT_GONE, GOOD },
        { AT_GONE, BUSY },       { AT_GONE, NOBODY },  { AT_GONE, SILENT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bench->free_at = cases[i].at;
        bench->to_send = 1;
        deliver(bench, DIALOG_TLS_IF_OFFERED, cases[i].host, NULL);
        assert_null(bench->channel);
    }
}

/* The receivers judge our wire form; they must have had nothing to say. */
static void no_receiver_saw_a_violation(void **state)
{
    const struct bench *bench = *state;
    char path[PATH_MAX];
    char line[4096];
    size_t lines = 0;
    field_path(bench->field, "record", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        lines++;
        if (strstr(line, "\"violation\"")
            && !strstr(line, "tls_handshake_failed"))
            fail_msg("%s", line);
    }
    (void)fclose(file);
    assert_true(lines > SENDS_MAX);
}

#define channel_test(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void prohibit(struct bench *bench, struct iprange *range,
                     const char *text)
{
    assert_true(iprange_parse(slice_text(text), range));
    bench->rules.prohibited = range;
    bench->rules.prohibited_count = 1;
}

static void no_mail_goes_to_prohibited_addresses(void **state)
{
    struct bench *bench = *state;
    struct iprange range;
    prohibit(bench, &range, "127.0.0.0/8");
    deliver(bench, DIALOG_TLS_OFF, GOOD, PLAIN);
    assert_end(bench, (struct enhanced){ 5, 4, 4 },
               "the receiver's MX is at a prohibited address, 127.77.0.2");
    assert_string_equal(channel_host(bench->channel), "");
}

static void what_is_not_prohibited_serves(void **state)
{
    struct bench *bench = *state;
    struct iprange range;
    prohibit(bench, &range, "127.77.0.1");
    deliver(bench, DIALOG_TLS_OFF, GOOD, PLAIN);
    assert_int_equal(bench->done, 1);
    assert_string_equal(bench->host, PLAIN);
}

static void no_mail_goes_to_denied_hosts(void **state)
{
    struct bench *bench = *state;
    static const char *const denied[] = { "mx.parked.test", "[127.77.*" };
    bench->rules.denied = denied;
    bench->rules.denied_count = ARRAY_LEN(denied);
    deliver(bench, DIALOG_TLS_OFF, GOOD, "MX.Parked.test");
    assert_end(bench, (struct enhanced){ 5, 7, 1 },
               "mail to the receiver's MX hosts is denied here");
}

static void a_receiver_of_the_other_family_is_for_others(void **state)
{
    struct bench *bench = *state;
    bench->has_other_family = true;
    deliver(bench, DIALOG_TLS_OFF, "[IPv6:2001:db8::1]", NULL);
    assert_end(bench, (struct enhanced){ 4, 4, 4 },
               "the receiver has no IPv4 address, and the source no other");
    assert_true(hosts_is_elsewhere(&bench->why));
}

static void a_receiver_whom_no_source_reaches_has_failed(void **state)
{
    struct bench *bench = *state;
    deliver(bench, DIALOG_TLS_OFF, "[IPv6:2001:db8::1]", NULL);
    assert_end(bench, (struct enhanced){ 5, 4, 4 },
               "no MX host of the receiver has an address");
    assert_false(hosts_is_elsewhere(&bench->why));
}

static void what_is_not_denied_serves(void **state)
{
    struct bench *bench = *state;
    static const char *const denied[] = { "mx?.parked.test", "*.parked.test" };
    bench->rules.denied = denied;
    bench->rules.denied_count = ARRAY_LEN(denied);
    deliver(bench, DIALOG_TLS_OFF, "mx.parked.test", PLAIN);
    assert_int_equal(bench->done, 1);
    assert_string_equal(bench->host, PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        channel_test(mail_is_delivered_by_tls),
        channel_test(the_second_connection_resumes_tls),
        channel_test(an_old_session_that_breaks_the_handshake_is_left_out),
        channel_test(mail_is_delivered_in_clear),
        channel_test(mail_is_delivered_to_who_knows_no_ehlo),
        channel_test(one_connection_carries_many),
        channel_test(the_second_host_serves_when_the_first_is_dead),
        channel_test(the_second_host_serves_when_the_first_is_busy),
        channel_test(the_second_host_serves_when_the_first_is_silent),
        channel_test(who_did_not_answer_goes_last_until_it_does),
        channel_test(who_did_not_answer_is_tried_when_no_other_is_left),
        channel_test(the_preferred_family_goes_first),
        channel_test(the_preferred_family_may_be_ipv4),
        channel_test(the_other_family_has_its_turn_soon),
        channel_test(the_family_that_fell_over_gets_its_whole_wait_at_last),
        channel_test(the_last_word_is_that_of_a_host),
        channel_test(nobody_at_home_is_told),
        channel_test(broken_tls_is_tried_in_clear),
        channel_test(broken_tls_is_no_way_where_tls_is_required),
        channel_test(refused_tls_goes_on_in_clear),
        channel_test(required_tls_that_nobody_has_is_deferred),
        channel_test(closed_behind_the_dot_is_in_doubt),
        channel_test(silence_behind_the_dot_is_in_doubt),
        channel_test(one_refused_recipient_does_not_stop_the_other),
        channel_test(a_server_that_leaves_costs_no_attempt),
        channel_test(garbage_defers),
        channel_test(a_megabyte_of_dots_arrives_as_it_is),
        channel_test(a_megabyte_of_dots_arrives_by_tls),
        channel_test(a_megabyte_of_dots_arrives_by_chunks),
        channel_test(messages_follow_each_other),
        channel_test(large_messages_follow_each_other),
        channel_test(the_owner_may_free_at_any_call),
        channel_test(no_mail_goes_to_prohibited_addresses),
        channel_test(what_is_not_prohibited_serves),
        channel_test(no_mail_goes_to_denied_hosts),
        channel_test(what_is_not_denied_serves),
        channel_test(a_receiver_of_the_other_family_is_for_others),
        channel_test(a_receiver_whom_no_source_reaches_has_failed),
        channel_test(no_receiver_saw_a_violation),
    };
    return cmocka_run_group_tests(tests, start_receivers, stop_receivers);
}
