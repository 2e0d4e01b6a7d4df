/*
 * test_worker - stories of the real sendyard-worker, with a real Redis and the
 * simulated receiver, told by a router that follows a script.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/edge/addr.h"
#include "common/edge/bus.h"
#include "common/edge/loop.h"
#include "common/proto/wire.h"

#define WAIT_MAX_MS 15000u
#define BEAT_MS     100u
#define LEASE_MS    1000u
#define LANES       3
#define JOBS_MAX    1024

#define BODY "Subject: s\r\n\r\nhello\r\n"

struct lane {
    const char *site;
    const char *pool;
    const char *host;
    enum wire_rank rank; /* of its jobs */
    uint64_t ready;      /* jobs that wait */
    uint64_t total;      /* credit, see wire.h */
    uint64_t sent;
    uint64_t credit_most; /* the most that stood at once */
    uint64_t pulls;
    uint64_t open_most; /* the most jobs without a result at once */
    uint32_t results;
};

struct result {
    uint64_t lease;
    uint32_t lane;
    enum verdict_class class;
    char enhanced[ENHANCED_TEXT_SIZE];
    bool is_orphan; /* in doubt, from the journal of a former life */
};

struct yard {
    char folder[32];
    uint16_t port;
    pid_t redis;
    pid_t receiver;
    pid_t worker;
    struct loop *loop;
    const char *receiver_has; /* what its entry says further */
    struct timer *beat;
    struct bus *bus;
    struct bus_peer peer;
    bool is_known;
    bool is_mute; /* sends nothing */
    bool is_acking;
    uint64_t boot;
    uint64_t lease;
    struct lane lanes[LANES];
    struct result results[JOBS_MAX];
    size_t result_count;
    size_t hellos;
    size_t held; /* leases of the last HELLO */
    uint64_t worker_boot;
    uint64_t former_boot; /* the last one that it names; 0: none */
    size_t handbacks;
    size_t drains;
    struct arena arena;
    struct buf frame;
};

static void tell(struct yard *yard, const struct wire_frame *frame,
                 struct slice body)
{
    assert_int_equal(wire_encode(frame, &yard->frame), RC_OK);
    if (!yard->is_mute)
        (void)!bus_send(yard->bus, &yard->peer, buf_slice(&yard->frame), body,
                        NULL, NULL);
}

static void say(struct yard *yard, const struct wire_frame *frame)
{
    tell(yard, frame, slice_text(NULL));
}

static void say_job(struct yard *yard, uint32_t number, const char *source)
{
    const struct wire_host host = {
        .preference = 10,
        .name = slice_text(yard->lanes[number].host),
    };
    const struct wire_recipient recipient = { .address = SLICE("b@r.test") };
    uint64_t lease = ++yard->lease;
    tell(yard,
         &(struct wire_frame){
             .kind = WIRE_JOB,
             .as.job = {
                 .lease = lease,
                 .message = lease + 100000,
                 .lane = number,
                 .source = slice_text(source),
                 .domain = SLICE("r.test"),
                 .tenant = SLICE("acme"),
                 .stream = SLICE("general"),
                 .mail_from = SLICE("a@s.test"),
                 .size = sizeof BODY - 1,
                 .attempt = 1,
                 .hosts = &host,
                 .host_count = 1,
                 .recipients = &recipient,
                 .recipient_count = 1,
                 .rank = yard->lanes[number].rank,
             },
         },
         SLICE(BODY));
}

static void serve(struct yard *yard)
{
    for (uint32_t i = 0; i < LANES; i++) {
        struct lane *lane = &yard->lanes[i];
        for (; lane->ready > 0 && lane->sent < lane->total; lane->sent++) {
            lane->ready--;
            say_job(yard, i, "src");
            if (lane->sent - lane->results >= lane->open_most)
                lane->open_most = lane->sent + 1 - lane->results;
        }
    }
}

static void offer(struct yard *yard, uint32_t number)
{
    const struct lane *lane = &yard->lanes[number];
    say(yard, &(struct wire_frame){
                  .kind = WIRE_OFFER,
                  .as.offer = {
                      .lane = number,
                      .pool = slice_text(lane->pool),
                      .site = slice_text(lane->site),
                      .domain = SLICE("r.test"),
                      .depth = lane->ready,
                      .urgent =
                          lane->rank == WIRE_RANK_URGENT ? lane->ready : 0,
                      .is_behind = lane->rank == WIRE_RANK_BEHIND,
                  },
              });
}

static void hear_hello(struct yard *yard, const struct bus_peer *peer,
                       const struct wire_hello *hello)
{
    yard->peer = *peer;
    yard->is_known = true;
    yard->hellos++;
    yard->held = hello->held_leases.count;
    assert_int_equal(hello->held_messages.count, hello->held_leases.count);
    const struct wire_ids *former = &hello->former_boots;
    yard->worker_boot = hello->boot;
    yard->former_boot =
        former->count > 0 ? former->items[former->count - 1] : 0;
    assert_int_equal(hello->sources.count, 1);
    for (uint32_t i = 0; i < LANES; i++)
        yard->lanes[i].sent = yard->lanes[i].total = 0;
    say(yard, &(struct wire_frame){
                  .kind = WIRE_WELCOME,
                  .as.welcome = { .router = SLICE("r1"),
                                  .boot = yard->boot,
                                  .config_digest = hello->config_digest,
                                  .beat_ms = BEAT_MS,
                                  .lease_ms = LEASE_MS,
                                  .workers = 1 },
              });
    for (uint32_t i = 0; i < LANES; i++)
        if (yard->lanes[i].ready > 0)
            offer(yard, i);
}

static void hear_pull(struct yard *yard, const struct wire_pull *pull)
{
    assert_true(pull->lane < LANES);
    struct lane *lane = &yard->lanes[pull->lane];
    lane->total = pull->total;
    lane->pulls++;
    if (lane->total > lane->sent
        && lane->total - lane->sent > lane->credit_most)
        lane->credit_most = lane->total - lane->sent;
    serve(yard);
}

static void hear_result(struct yard *yard, const struct wire_result *said)
{
    assert_true(yard->result_count < JOBS_MAX && said->lane < LANES);
    assert_int_equal(said->outcome_count, 1);
    struct result *result = &yard->results[yard->result_count++];
    result->lease = said->lease;
    result->lane = said->lane;
    result->class = said->outcomes[0].verdict.class;
    result->is_orphan = said->in_doubt && said->posthumous;
    (void)enhanced_format(said->outcomes[0].verdict.enhanced, result->enhanced);
    yard->lanes[said->lane].results++;
    if (yard->is_acking)
        say(yard, &(struct wire_frame){
                      .kind = WIRE_ACK,
                      .as.ack.leases = { &result->lease, 1 },
                  });
}

static void hear(void *context, const struct bus_peer *peer, struct slice head,
                 struct slice body)
{
    (void)body;
    struct yard *yard = context;
    struct wire_frame frame;
    arena_clear(&yard->arena);
    assert_int_equal(wire_decode(head, &yard->arena, &frame), RC_OK);
    if (frame.kind == WIRE_HELLO)
        hear_hello(yard, peer, &frame.as.hello);
    if (!yard->is_known) { /* of before our restart */
        yard->peer = *peer;
        say(yard, &(struct wire_frame){ .kind = WIRE_BEAT });
        return;
    }
    if (frame.kind == WIRE_PULL)
        hear_pull(yard, &frame.as.pull);
    if (frame.kind == WIRE_RESULT)
        hear_result(yard, &frame.as.result);
    if (frame.kind == WIRE_HANDBACK)
        yard->handbacks += frame.as.handback.leases.count;
    if (frame.kind == WIRE_DRAIN)
        yard->drains++;
}

static void on_beat(void *context)
{
    struct yard *yard = context;
    if (yard->is_known)
        say(yard, &(struct wire_frame){
                      .kind = WIRE_BEAT,
                      .as.beat = { .boot = yard->boot, .workers = 1 },
                  });
    timer_set(yard->beat, loop_now_ms(yard->loop) + BEAT_MS);
}

static void open_bus(struct yard *yard)
{
    char endpoint[64];
    struct fault fault = { 0 };
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/bus", yard->folder);
    yard->is_known = false;
    yard->boot++;
    yard->bus = bus_bind(yard->loop, endpoint, NULL, hear, yard, &fault);
    if (!yard->bus)
        fail_msg("%s", fault.text);
}

/* The router goes, and says nothing more; another comes. */
static void renew_bus(struct yard *yard)
{
    bus_free(&yard->bus);
    yard->is_known = false;
    loop_turn(yard->loop);
    open_bus(yard);
}

static void on_time(void *context)
{
    loop_stop(context);
}

static void run_for(struct yard *yard, uint64_t wait_ms)
{
    struct timer *timer = timer_new(yard->loop, on_time, yard->loop);
    loop_turn(yard->loop); /* brings the loop's clock up to date */
    timer_set(timer, loop_now_ms(yard->loop) + wait_ms);
    loop_run(yard->loop);
    timer_free(&timer);
}

/* Runs until *count has reached `wanted`. */
#define WAIT_FOR(yard, count, wanted)                                          \
    do {                                                                       \
        for (unsigned t_ = 0; t_ < WAIT_MAX_MS && (count) < (wanted);          \
             t_ += 10)                                                         \
            run_for((yard), 10);                                               \
        assert_true((count) >= (wanted));                                      \
    } while (0)

static pid_t start(const char *const arguments[])
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    /* exec wants its arguments writable, and only reads them. */
    (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static int stop(pid_t *pid, int signo)
{
    int status = 0;
    if (*pid <= 0)
        return 0;
    (void)kill(*pid, signo);
    (void)waitpid(*pid, &status, 0);
    *pid = 0;
    return status;
}

static void write_file(const struct yard *yard, const char *name,
                       const char *format, ...) printf_like(3, 4);

static void write_file(const struct yard *yard, const char *name,
                       const char *format, ...)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", yard->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    va_list list;
    va_start(list, format);
    (void)vfprintf(file, format, list);
    va_end(list);
    assert_int_equal(fclose(file), 0);
}

static void configure(const struct yard *yard, unsigned connections,
                      const char *more)
{
    write_file(yard, "cfg",
               "host_name = \"mail.test\"; run_dir = \"%s\";\n"
               "state = { redis = \"unix://%s/redis\"; };\n"
               "tenants = ( { name = \"acme\"; } );\n"
               "sources = ( { name = \"src\"; address = \"127.0.0.5\"; "
               "ehlo = \"s.test\"; } );\n"
               "pools = ( { name = \"pa\"; sources = ( \"src\" ); },\n"
               "  { name = \"pb\"; sources = ( \"src\" ); } );\n"
               "streams = ( { name = \"general\"; class = \"neutral\"; "
               "route = \"ra\"; } );\n"
               "routes = ( { name = \"ra\"; pool = \"pa\"; },\n"
               "  { name = \"rb\"; pool = \"pb\"; } );\n"
               "accounts = ( { name = \"one\"; tenant = \"acme\"; "
               "from_domains = ( \"s.test\" );\n"
               "  password = \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"
               "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1\"; } );\n"
               "listeners = ( { name = \"in\"; address = \"127.0.0.1:2525\"; "
               "tls = \"plain\"; allow_auth_without_tls = true; } );\n"
               "limits = ( { max_smtp_out = %u; smtp_port = %u; "
               "prohibited = (); %s } );\n"
               "routers = ( { name = \"r1\"; number = 1; bus = "
               "\"ipc://%s/bus\"; } );\n"
               "bus = { beat = \"100ms\"; lease = \"1s\"; };\n"
               "spool = { path = \"%s/spool\"; };\n"
               "log = { level = \"error\"; };\n",
               yard->folder, yard->folder, connections, yard->port, more,
               yard->folder, yard->folder);
}

static uint16_t free_port(void)
{
    struct addr addr;
    assert_true(addr_of_ip(SLICE("127.0.0.7"), 0, &addr));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr.storage, addr.len), 0);
    socklen_t len = sizeof addr.storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr.storage, &len),
                     0);
    (void)close(fd);
    return addr_port(&addr);
}

/* A receiver that counts what goes beyond `connections` at once. */
static void start_receiver(struct yard *yard, unsigned connections,
                           unsigned dot_ms, unsigned mail_ms)
{
    char config[64];
    write_file(yard, "receiver.cfg",
               "record = \"%s/record\"; stats = \"%s/stats\";\n"
               "providers = ( { name = \"r\"; host_name = \"mx.r.test\";\n"
               "  listen = [ \"127.0.0.7:%u\", \"127.0.0.8:%u\" ];\n"
               "  domains = [ \"*\" ]; %s\n"
               "  limits = { connections_per_source = %u; };\n"
               "  delays_ms = { dot = %u; mail = %u; }; } );\n",
               yard->folder, yard->folder, yard->port, yard->port,
               yard->receiver_has, connections, dot_ms, mail_ms);
    (void)snprintf(config, sizeof config, "%s/receiver.cfg", yard->folder);
    yard->receiver = start((const char *[]){ RECEIVER, config, NULL });
}

/* What the receiver wrote down must not tell of a breach. How many connections
 * it had. */
static size_t check_receiver(struct yard *yard, size_t messages)
{
    char path[64];
    char line[4096];
    size_t kept = 0;
    size_t connects = 0;
    (void)stop(&yard->receiver, SIGTERM);
    (void)snprintf(path, sizeof path, "%s/record", yard->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strstr(line, "\"violation\""))
            fail_msg("%s", line);
        kept += strstr(line, "\"event\":\"message\"") != NULL;
        connects += strstr(line, "\"event\":\"connect\"") != NULL;
    }
    (void)fclose(file);
    assert_int_equal(kept, messages);
    return connects;
}

static void start_worker(struct yard *yard)
{
    char config[64];
    (void)snprintf(config, sizeof config, "%s/cfg", yard->folder);
    yard->worker = start((const char *[]){ WORKER, "--config", config, NULL });
}

static int set_up(void **state)
{
    struct yard *yard = NEW(struct yard);
    char path[64];
    (void)snprintf(yard->folder, sizeof yard->folder, "/tmp/worker.XXXXXX");
    assert_non_null(mkdtemp(yard->folder));
    (void)snprintf(path, sizeof path, "%s/redis", yard->folder);
    yard->redis = start((const char *[]){
        "redis-server", "--port", "0", "--unixsocket", path, "--save", "",
        "--appendonly", "no", "--logfile", "/dev/null", NULL });
    yard->port = free_port();
    yard->loop = loop_new();
    yard->is_acking = true;
    yard->receiver_has = "capabilities = [ \"PIPELINING\" ];";
    arena_init(&yard->arena, 1u << 20);
    buf_init(&yard->frame, 1u << 20);
    yard->lanes[0] =
        (struct lane){ .site = "s1", .pool = "pa", .host = "[127.0.0.7]" };
    yard->lanes[1] =
        (struct lane){ .site = "s1", .pool = "pb", .host = "[127.0.0.7]" };
    yard->lanes[2] =
        (struct lane){ .site = "s2", .pool = "pa", .host = "[127.0.0.9]" };
    open_bus(yard);
    yard->beat = timer_new(yard->loop, on_beat, yard);
    timer_set(yard->beat, loop_now_ms(yard->loop));
    *state = yard;
    return 0;
}

static int tear_down(void **state)
{
    struct yard *yard = *state;
    (void)stop(&yard->worker, SIGKILL);
    (void)stop(&yard->receiver, SIGKILL);
    (void)stop(&yard->redis, SIGKILL);
    bus_free(&yard->bus);
    timer_free(&yard->beat);
    loop_turn(yard->loop);
    loop_free(&yard->loop);
    arena_release(&yard->arena);
    buf_release(&yard->frame);
    static const char *const files[] = {
        "redis", "cfg",    "receiver.cfg",      "bus",
        "stats", "record", "worker.r1.journal",
    };
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", yard->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(yard->folder);
    mem_free(yard);
    return 0;
}

static void run_yard(struct yard *yard, unsigned connections, const char *more,
                     unsigned dot_ms)
{
    configure(yard, connections, more);
    start_receiver(yard, connections, dot_ms, 0);
    start_worker(yard);
}

/* Before a receiver that takes three seconds to answer MAIL. */
static void run_slow_yard(struct yard *yard)
{
    configure(yard, 2, "");
    start_receiver(yard, 2, 0, 3000);
    start_worker(yard);
}

static size_t count_of(const struct yard *yard, enum verdict_class class)
{
    size_t count = 0;
    for (size_t i = 0; i < yard->result_count; i++)
        count += yard->results[i].class == class;
    return count;
}

static void mail_flows_within_the_limits(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 300;
    run_yard(yard, 3, "max_msg_per_connection = 7;", 2);
    WAIT_FOR(yard, yard->result_count, 300u);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), 300);
    assert_int_equal(yard->handbacks, 0);
    assert_in_range(yard->lanes[0].credit_most, 1, 3);
    (void)check_receiver(yard, 300);
}

/* Lane 1 gets so many jobs of this rank and has them done; how many of lane 0
 * were done meanwhile. */
static uint32_t overtake(struct yard *yard, uint64_t jobs, enum wire_rank rank)
{
    yard->lanes[1].rank = rank;
    yard->lanes[1].ready = jobs;
    const uint32_t before = yard->lanes[0].results;
    const uint32_t all = yard->lanes[1].results + (uint32_t)jobs;
    offer(yard, 1);
    WAIT_FOR(yard, yard->lanes[1].results, all);
    offer(yard, 1); /* no more */
    return yard->lanes[0].results - before;
}

#define PERMITS_FOLLOWING "capabilities = [ \"PIPELINING\", \"CHUNKING\" ]; "

/* One connection has four messages under way, and one waits for its turn. */
static void messages_follow_where_the_receiver_permits_it(void **state)
{
    struct yard *yard = *state;
    yard->receiver_has = PERMITS_FOLLOWING;
    yard->lanes[0].ready = 200;
    run_yard(yard, 1, "max_msg_per_connection = 50;", 5);
    WAIT_FOR(yard, yard->result_count, 200u);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), 200);
    assert_int_equal(yard->handbacks, 0);
    assert_in_range(yard->lanes[0].open_most, 4, 6);
    assert_int_equal(check_receiver(yard, 200), 4);
}

/* The receiver ends each connection at its eighth message, when others are
 * already said behind it: those are sent again, and no attempt is charged. */
static void messages_that_followed_in_vain_are_sent_again(void **state)
{
    struct yard *yard = *state;
    yard->receiver_has = PERMITS_FOLLOWING
        "script = ( { at = \"mail\"; every = 8; reply = \"421 4.7.0 no\"; } );";
    yard->lanes[0].ready = 100;
    run_yard(yard, 1, "", 2);
    WAIT_FOR(yard, yard->result_count, 100u);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), 100);
    assert_int_equal(check_receiver(yard, 100), 15);
}

static void nothing_follows_while_another_lane_waits(void **state)
{
    struct yard *yard = *state;
    yard->receiver_has = PERMITS_FOLLOWING;
    yard->lanes[0].ready = 200;
    run_yard(yard, 1, "max_msg_per_connection = 1000;", 20);
    WAIT_FOR(yard, yard->lanes[0].results, 5u);
    /* Those that were under way, and one that began while we said so. */
    assert_in_range(overtake(yard, 6, WIRE_RANK_URGENT), 0, 5);
    assert_in_range(overtake(yard, 12, WIRE_RANK_BEHIND), 1, 30);
    WAIT_FOR(yard, yard->result_count, 218u);
    assert_int_equal(check_receiver(yard, 218), 1);
}

static void a_new_message_leaves_at_once_on_standing_credit(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 1;
    run_yard(yard, 3, "", 0);
    WAIT_FOR(yard, yard->result_count, 1u);
    run_for(yard, 200);
    offer(yard, 0); /* depth 0 */
    run_for(yard, 200);
    assert_true(yard->lanes[0].total > yard->lanes[0].sent);
    yard->lanes[0].ready = 1;
    serve(yard);
    WAIT_FOR(yard, yard->result_count, 2u);
    (void)check_receiver(yard, 2);
}

static void lanes_that_share_a_source_share_its_slots(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 400;
    run_yard(yard, 1, "", 10);
    WAIT_FOR(yard, yard->lanes[0].results, 5u);
    yard->lanes[1].ready = 3;
    offer(yard, 1);
    WAIT_FOR(yard, yard->lanes[1].results, 3u);
    assert_true(yard->lanes[0].results < 400);
    WAIT_FOR(yard, yard->result_count, 403u);
    (void)check_receiver(yard, 403);
}

static void urgent_mail_has_the_next_line_of_any_lane(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 200;
    run_yard(yard, 1, "max_msg_per_connection = 1000;", 20);
    WAIT_FOR(yard, yard->lanes[0].results, 5u);
    /* The one that was under way, and one that began while we said so. */
    assert_in_range(overtake(yard, 3, WIRE_RANK_URGENT), 0, 2);
    WAIT_FOR(yard, yard->lanes[0].results, 20u);
    assert_in_range(overtake(yard, 3, WIRE_RANK_URGENT), 0, 2);
    WAIT_FOR(yard, yard->result_count, 206u);
    assert_int_equal(yard->handbacks, 0);
    assert_int_equal(check_receiver(yard, 206), 1);
}

/* Three of four go before the other lane's, so that lane goes on. */
static void mail_that_is_behind_goes_before_other_lanes(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 200;
    run_yard(yard, 1, "max_msg_per_connection = 1000;", 10);
    WAIT_FOR(yard, yard->lanes[0].results, 5u);
    assert_in_range(overtake(yard, 12, WIRE_RANK_BEHIND), 1, 30);
    WAIT_FOR(yard, yard->result_count, 212u);
    assert_int_equal(check_receiver(yard, 212), 1);
}

static void urgent_mail_has_the_next_token(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 40;
    run_yard(yard, 4, "max_msg_rate = \"20/s\";", 0);
    WAIT_FOR(yard, yard->lanes[0].results, 5u);
    assert_in_range(overtake(yard, 5, WIRE_RANK_URGENT), 0, 3);
    WAIT_FOR(yard, yard->result_count, 45u);
    (void)check_receiver(yard, 45);
}

static void an_idle_line_serves_other_lanes(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 1;
    run_yard(yard, 3, "", 0);
    WAIT_FOR(yard, yard->result_count, 1u);
    (void)overtake(yard, 1, WIRE_RANK_URGENT);
    run_for(yard, 200);
    yard->lanes[0].ready = 1;
    serve(yard);
    WAIT_FOR(yard, yard->result_count, 3u);
    assert_int_equal(check_receiver(yard, 3), 1);
}

/* How long a job of lane 1 takes, with all connections idle in lane 0's hands
 * since just now. */
static uint64_t time_beside_idle_lines(struct yard *yard, uint64_t jobs)
{
    WAIT_FOR(yard, yard->result_count, jobs);
    offer(yard, 0); /* no more */
    run_for(yard, 20);
    const uint64_t begin_ms = loop_now_ms(yard->loop);
    (void)overtake(yard, 1, WIRE_RANK_NORMAL);
    const uint64_t took_ms = loop_now_ms(yard->loop) - begin_ms;
    print_message("# a job beside idle lines of another lane: %" PRIu64 " ms\n",
                  took_ms);
    return took_ms;
}

static void a_lane_does_not_wait_for_idle_lines_of_another(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 1;
    run_yard(yard, 1, "", 0);
    assert_in_range(time_beside_idle_lines(yard, 1), 0, 250);
    /* And back: the line is lane 1's now. */
    yard->lanes[0].ready = 1;
    offer(yard, 0);
    serve(yard);
    run_for(yard, 250);
    assert_int_equal(yard->result_count, 3);
    assert_int_equal(yard->handbacks, 0);
    assert_int_equal(check_receiver(yard, 3), 1);
}

/* What waits at the router for a line that works comes when it falls idle. */
static void a_lane_hears_of_a_line_that_falls_idle(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 1;
    run_yard(yard, 1, "", 400);
    WAIT_FOR(yard, yard->lease, 1u);
    run_for(yard, 150);
    assert_int_equal(yard->result_count, 0);
    offer(yard, 0); /* no more */
    yard->lanes[1].ready = 1;
    offer(yard, 1);
    WAIT_FOR(yard, yard->result_count, 1u);
    run_for(yard, 550);
    assert_int_equal(yard->result_count, 2);
    assert_int_equal(check_receiver(yard, 2), 1);
}

static void a_lane_takes_idle_lines_beyond_its_part(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 40;
    run_yard(yard, 4, "max_msg_per_connection = 1000;", 20);
    WAIT_FOR(yard, yard->result_count, 40u);
    offer(yard, 0);
    run_for(yard, 150);
    yard->lanes[1].ready = 40;
    offer(yard, 1);
    run_for(yard, 100);
    assert_in_range(yard->lanes[1].open_most, 4, 8);
    WAIT_FOR(yard, yard->result_count, 80u);
    assert_int_equal(yard->handbacks, 0);
    assert_int_equal(check_receiver(yard, 80), 4);
}

/* The other lane's line speaks with other MX hosts: it is closed. */
static void idle_lines_to_other_hosts_make_room(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 1;
    yard->lanes[1].host = "[127.0.0.8]";
    run_yard(yard, 1, "", 0);
    assert_in_range(time_beside_idle_lines(yard, 1), 0, 250);
    assert_int_equal(yard->handbacks, 0);
    assert_int_equal(check_receiver(yard, 2), 2);
}

static void a_reload_changes_a_limit(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 400;
    run_yard(yard, 4, "", 10);
    WAIT_FOR(yard, yard->result_count, 40u);
    assert_in_range(yard->lanes[0].credit_most, 2, 4);
    configure(yard, 1, "");
    size_t hellos = yard->hellos;
    assert_int_equal(kill(yard->worker, SIGHUP), 0);
    WAIT_FOR(yard, yard->hellos, hellos + 1);
    run_for(yard, 500);
    yard->lanes[0].credit_most = 0;
    uint64_t pulls = yard->lanes[0].pulls;
    WAIT_FOR(yard, yard->lanes[0].pulls, pulls + 3);
    assert_in_range(yard->lanes[0].credit_most, 1, 1);
    WAIT_FOR(yard, yard->result_count, 400u);
    (void)check_receiver(yard, 400);
}

static void results_outlive_a_router(void **state)
{
    struct yard *yard = *state;
    yard->is_acking = false;
    yard->lanes[0].ready = 5;
    run_yard(yard, 2, "", 0);
    WAIT_FOR(yard, yard->result_count, 5u);

    renew_bus(yard);
    yard->is_acking = true;
    WAIT_FOR(yard, yard->result_count, 10u);
    assert_int_equal(yard->held, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(yard->results[5 + i].lease <= 5);

    run_for(yard, 500); /* until the last of them is acknowledged */
    renew_bus(yard);
    size_t hellos = yard->hellos;
    /* Lane 0 is another one now: nothing of the old one may be left. */
    yard->lanes[0].site = "s3";
    yard->lanes[0].host = "[127.0.0.8]";
    yard->lanes[0].ready = 5;
    WAIT_FOR(yard, yard->hellos, hellos + 1);
    assert_int_equal(yard->held, 0);
    WAIT_FOR(yard, yard->result_count, 15u);
    (void)check_receiver(yard, 10);
}

/* Kills the worker and starts it again; *hellos counts up when it is there. */
static void revive(struct yard *yard)
{
    const size_t hellos = yard->hellos;
    const uint64_t boot = yard->worker_boot;
    (void)stop(&yard->worker, SIGKILL);
    start_worker(yard);
    WAIT_FOR(yard, yard->hellos, hellos + 1);
    assert_int_equal(yard->former_boot, boot);
    assert_true(yard->worker_boot != boot);
}

static void a_killed_worker_knows_what_it_may_have_sent(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 2;
    run_yard(yard, 2, "", 4000); /* so late comes the reply to the dot */
    WAIT_FOR(yard, yard->lease, 2u);
    run_for(yard, 1000);
    assert_int_equal(yard->former_boot, 0);
    revive(yard);
    assert_int_equal(yard->held, 2);
    WAIT_FOR(yard, yard->result_count, 2u);
    for (size_t i = 0; i < 2; i++) {
        assert_true(yard->results[i].is_orphan);
        assert_int_equal(yard->results[i].class, VERDICT_DEFERRED);
    }
    run_for(yard, 100); /* the ACKs arrive */
    revive(yard);
    assert_int_equal(yard->held, 0);
    run_for(yard, 200);
    assert_int_equal(yard->result_count, 2);
}

static void a_killed_worker_hands_over_what_it_had_heard(void **state)
{
    struct yard *yard = *state;
    yard->is_acking = false;
    yard->lanes[0].ready = 5;
    run_yard(yard, 2, "", 0);
    WAIT_FOR(yard, yard->result_count, 5u);
    revive(yard);
    assert_int_equal(yard->held, 5);
    yard->is_acking = true;
    WAIT_FOR(yard, yard->result_count, 10u);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), 10);
    (void)check_receiver(yard, 5);
}

static void a_worker_that_stood_still_lets_go_of_what_it_began(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 2;
    run_slow_yard(yard);
    WAIT_FOR(yard, yard->lease, 2u);
    run_for(yard, 1000); /* MAIL was said, and is not answered yet */
    assert_int_equal(kill(yard->worker, SIGSTOP), 0);
    run_for(yard, LEASE_MS + 200);
    assert_int_equal(kill(yard->worker, SIGCONT), 0);
    WAIT_FOR(yard, yard->handbacks, 2u);
    run_for(yard, 300);
    assert_int_equal(yard->result_count, 0);
    (void)check_receiver(yard, 0);
}

static void a_worker_that_is_drained_rests_until_it_is_resumed(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 100;
    run_yard(yard, 2, "", 300);
    WAIT_FOR(yard, yard->result_count, 2u);
    say(yard, &(struct wire_frame){ .kind = WIRE_DRAIN });
    say(yard, &(struct wire_frame){ .kind = WIRE_DRAIN });
    WAIT_FOR(yard, yard->drains, 1u);
    const uint64_t sent = yard->lease;
    WAIT_FOR(yard, yard->result_count + yard->handbacks, sent);
    yard->lanes[0].ready += yard->handbacks;
    run_for(yard, 1500); /* a worker that is awake looks every second */
    assert_int_equal(yard->lease, sent);
    assert_int_equal(yard->drains, 1);

    const size_t hellos = yard->hellos;
    say(yard,
        &(struct wire_frame){ .kind = WIRE_DRAIN, .as.drain.is_over = true });
    WAIT_FOR(yard, yard->hellos, hellos + 1);
    WAIT_FOR(yard, yard->result_count, 100u);
    assert_int_equal(yard->drains, 1);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), 100);
    (void)check_receiver(yard, 100);
}

static void a_worker_that_leaves_hands_back_what_is_not_begun(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 100;
    run_yard(yard, 2, "", 500);
    WAIT_FOR(yard, yard->result_count, 2u);
    assert_int_equal(kill(yard->worker, SIGTERM), 0);
    WAIT_FOR(yard, yard->drains, 1u);
    yard->lanes[0].ready = 0;
    uint64_t sent = yard->lease;
    WAIT_FOR(yard, yard->result_count + yard->handbacks, sent);
    assert_int_equal(yard->result_count + yard->handbacks, sent);
    assert_true(yard->handbacks > 0);
    assert_int_equal(count_of(yard, VERDICT_DELIVERED), yard->result_count);
    run_for(yard, 300);
    assert_int_equal(stop(&yard->worker, 0), 0);
    (void)check_receiver(yard, yard->result_count);
}

static void a_site_that_cannot_be_reached_is_left_alone(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 50;
    yard->lanes[2].ready = 50;
    run_yard(yard, 2, "", 1);
    WAIT_FOR(yard, yard->lanes[2].results, 1u);
    WAIT_FOR(yard, yard->lanes[0].results, 50u);
    run_for(yard, 500);
    uint32_t found = yard->lanes[2].results;
    assert_in_range(found, 1, 4);
    /* It asks for nothing; what crossed its word was handed back. */
    assert_true(yard->lanes[2].total <= yard->lanes[2].sent);
    WAIT_FOR(yard, yard->lanes[2].results, found + 1); /* the probe */
    assert_in_range(yard->lanes[2].results, found + 1, found + 2);
    for (size_t i = 0; i < yard->result_count; i++)
        if (yard->results[i].lane == 2) {
            assert_int_equal(yard->results[i].class, VERDICT_DEFERRED);
            assert_string_equal(yard->results[i].enhanced, "4.4.1");
        }
    (void)check_receiver(yard, 50);
}

static void a_silent_router_is_greeted_again(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 5;
    run_yard(yard, 2, "", 0);
    WAIT_FOR(yard, yard->result_count, 5u);
    size_t hellos = yard->hellos;
    yard->is_mute = true;
    run_for(yard, LEASE_MS + 500);
    assert_true(yard->hellos > hellos);
    yard->is_mute = false;
    yard->lanes[0].ready = 5;
    WAIT_FOR(yard, yard->result_count, 10u);
    (void)check_receiver(yard, 10);
}

static void send_raw(struct yard *yard, struct slice bytes)
{
    (void)!bus_send(yard->bus, &yard->peer, bytes, slice_text(NULL), NULL,
                    NULL);
}

static void frames_that_make_no_sense_do_no_harm(void **state)
{
    struct yard *yard = *state;
    yard->lanes[0].ready = 5;
    run_yard(yard, 2, "", 0);
    WAIT_FOR(yard, yard->result_count, 5u);
    send_raw(yard, SLICE(""));
    send_raw(yard, SLICE("\x01"));
    send_raw(yard, SLICE("\x01\x05\xff\xff"));
    send_raw(yard, SLICE("\x01\x02\x80"));
    send_raw(yard, SLICE("\x01\x04\x80"));
    say_job(yard, 1, "src");     /* a lane that was never offered */
    say_job(yard, 0, "unknown"); /* no source of ours */
    WAIT_FOR(yard, yard->handbacks, 2u);
    /* A job without its body is not sent, and its credit not lost. */
    struct lane *lane = &yard->lanes[0];
    const struct wire_recipient recipient = { .address = SLICE("b@r.test") };
    lane->sent++;
    say(yard, &(struct wire_frame){
                  .kind = WIRE_JOB,
                  .as.job = { .lease = ++yard->lease,
                              .lane = 0,
                              .source = SLICE("src"),
                              .size = 10,
                              .recipients = &recipient,
                              .recipient_count = 1 },
              });
    WAIT_FOR(yard, yard->handbacks, 3u);
    lane->ready = 20;
    offer(yard, 0);
    WAIT_FOR(yard, yard->result_count, 25u);
    (void)check_receiver(yard, 25);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(mail_flows_within_the_limits),
        STORY(messages_follow_where_the_receiver_permits_it),
        STORY(messages_that_followed_in_vain_are_sent_again),
        STORY(nothing_follows_while_another_lane_waits),
        STORY(a_new_message_leaves_at_once_on_standing_credit),
        STORY(lanes_that_share_a_source_share_its_slots),
        STORY(urgent_mail_has_the_next_line_of_any_lane),
        STORY(mail_that_is_behind_goes_before_other_lanes),
        STORY(urgent_mail_has_the_next_token),
        STORY(an_idle_line_serves_other_lanes),
        STORY(a_lane_does_not_wait_for_idle_lines_of_another),
        STORY(a_lane_hears_of_a_line_that_falls_idle),
        STORY(a_lane_takes_idle_lines_beyond_its_part),
        STORY(idle_lines_to_other_hosts_make_room),
        STORY(a_reload_changes_a_limit),
        STORY(results_outlive_a_router),
        STORY(a_killed_worker_knows_what_it_may_have_sent),
        STORY(a_killed_worker_hands_over_what_it_had_heard),
        STORY(a_worker_that_stood_still_lets_go_of_what_it_began),
        STORY(a_worker_that_is_drained_rests_until_it_is_resumed),
        STORY(a_worker_that_leaves_hands_back_what_is_not_begun),
        STORY(a_site_that_cannot_be_reached_is_left_alone),
        STORY(a_silent_router_is_greeted_again),
        STORY(frames_that_make_no_sense_do_no_harm),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
