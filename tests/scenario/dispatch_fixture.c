/* dispatch_fixture.c - a real lane thread and scripted workers. */
#include "tests/scenario/dispatch_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/command.h"
#include "config/loader.h"

#define BEAT_MS        50u
#define HELLO_AGAIN_MS 2000u

static const char config[] =
    "host_name = \"mail.a.example\";\n"
    "run_dir = \"%s\";\n"
    "bus = { beat = \"50ms\"; lease = \"" LEASE "\"; };\n"
    "spool = { path = \"%s/spool\"; min_free = \"1MB\"; };\n"
    "log = { events = \"%s/events\"; };\n"
    "resolver = { address = \"127.0.0.1:9\"; };\n"
    "listeners = ( { name = \"in\"; address = \"127.0.0.1:2525\";\n"
    "                tls = \"plain\"; allow_auth_without_tls = true; } );\n"
    "accounts = ( { name = \"app\"; from_domains = ( \"a.example\" );\n"
    "  password = \"$y$j9T$abcdefghijklmnop$"
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq\"; } );\n"
    "streams = (\n"
    "  { name = \"main\"; class = \"neutral\"; route = \"main\";\n"
    "    expires = \"1d\"; retry = \"1s\"; },\n"
    "  { name = \"held\"; class = \"bulk\"; route = \"held\";\n"
    "    expires = \"1d\"; in_doubt = \"hold\"; },\n"
    "  { name = \"quiet\"; class = \"bulk\"; route = \"held\"; dsn = false; } "
    ");\n"
    "routes = (\n"
    "  { name = \"main\"; pool = \"main\"; fallback = \"reserve\"; },\n"
    "  { name = \"held\"; pool = \"main\"; },\n"
    "  { name = \"reserve\"; pool = \"reserve\"; } );\n"
    "pools = (\n"
    "  { name = \"main\"; sources = ( { source = \"a\"; weight = 3; },\n"
    "                              { source = \"b\"; weight = 1; } ); },\n"
    "  { name = \"reserve\"; sources = ( \"r\" ); } );\n"
    "sources = ( { name = \"a\"; address = \"127.0.0.11\"; },\n"
    "            { name = \"b\"; address = \"127.0.0.12\"; },\n"
    "            { name = \"r\"; address = \"127.0.0.13\"; } );\n";

static uint64_t next_id(void *context)
{
    struct fixture *fixture = context;
    (void)pthread_mutex_lock(&fixture->ids_lock);
    const uint64_t id = id_next(&fixture->ids, time_utc_ms());
    (void)pthread_mutex_unlock(&fixture->ids_lock);
    return id;
}

/* Replaces the first `from` of the text; it must be there. */
static void change(struct buf *text, const struct swap *swap)
{
    struct buf changed;
    const struct slice whole = buf_slice(text);
    const size_t at = slice_find_slice(whole, slice_text(swap->from));
    assert_true(at < whole.len);
    buf_init(&changed, 8192);
    assert_true(buf_add(&changed, slice_head(whole, at)));
    assert_true(buf_add_text(&changed, swap->to));
    assert_true(buf_add(&changed, slice_from(whole, at + strlen(swap->from))));
    buf_release(text);
    *text = changed;
}

static struct conf *load(const struct fixture *fixture,
                         const struct swap *swaps, size_t count)
{
    struct conf *conf = NULL;
    struct buf text;
    struct conf_errors errors;
    buf_init(&text, 8192);
    assert_true(buf_addf(&text, config, fixture->folder, fixture->folder,
                         fixture->folder));
    for (size_t i = 0; i < count; i++)
        change(&text, &swaps[i]);
    conf_errors_init(&errors);
    const enum rc rc = conf_load_text("test", buf_slice(&text), &conf, &errors);
    if (rc != RC_OK)
        conf_errors_print(&errors, stderr);
    assert_int_equal(rc, RC_OK);
    conf_errors_release(&errors);
    buf_release(&text);
    return conf;
}

void fixture_reload(struct fixture *fixture, const struct swap *swaps,
                    size_t count)
{
    struct conf *conf = load(fixture, swaps, count);
    assert_true(dispatch_reconf(fixture->dispatch, conf));
    conf_release(&fixture->conf);
    fixture->conf = conf;
    /* Calls are answered in their order. */
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"router\"");
}

int fixture_bind_resolver(struct fixture *fixture)
{
    char text[64];
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u",
                   (unsigned)ntohs(at.sin_port));
    fixture_reload(fixture, &(struct swap){ "127.0.0.1:9", text }, 1);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    return fd;
}

static void on_ticket(void *context, void *item)
{
    struct fixture *fixture = context;
    struct intake_ticket *ticket = item;
    assert_int_equal(ticket->rc, RC_OK);
    fixture->accepted++;
    mem_free(ticket);
}

void fixture_start_router(struct fixture *fixture)
{
    struct fault fault;
    const struct dispatch_options options = {
        .conf = fixture->conf,
        .router = &fixture->conf->routers[0],
        .new_id = next_id,
        .new_id_context = fixture,
        .hot_share = fixture->hot_share,
    };
    const struct spool_options where = {
        .path = fixture->conf->spool.path,
        .segment_size = 1u << 20,
        .queue_max = 1024,
        .router = "test",
        .live = dispatch_recover,
    };
    fixture->dispatch = dispatch_new(&options, &fault);
    assert_non_null(fixture->dispatch);
    assert_int_equal(
        spool_open(&where, NULL, fixture->dispatch, &fixture->spool, &fault),
        RC_OK);
    fixture->intake =
        intake_new(fixture->spool, dispatch_mailbox(fixture->dispatch),
                   dispatch_full(fixture->dispatch));
    assert_int_equal(dispatch_start(fixture->dispatch, fixture->spool, &fault),
                     RC_OK);
}

void fixture_stop_router(struct fixture *fixture)
{
    if (!fixture->dispatch)
        return; /* of a test that failed while it was down */
    dispatch_stop(fixture->dispatch);
    intake_free(&fixture->intake);
    spool_close(&fixture->spool);
    dispatch_free(&fixture->dispatch);
}

/* Which state is looked for, and where to put it. */
struct state_search {
    uint64_t id;
    struct arena *arena;
    struct state *state;
    bool found;
};

static void find_state(void *context, uint64_t id, struct slice envelope,
                       struct slice state)
{
    (void)envelope;
    struct state_search *search = context;
    if (id != search->id)
        return;
    search->found = true;
    *search->state = (struct state){ 0 };
    if (state.len > 0)
        assert_int_equal(state_unpack(arena_slice(search->arena, state),
                                      search->arena, search->state),
                         RC_OK);
}

bool fixture_read_state(struct fixture *fixture, uint64_t id,
                        struct arena *arena, struct state *state)
{
    struct fault fault;
    struct spool *spool = NULL;
    struct state_search search = { id, arena, state, false };
    const struct spool_options where = {
        .path = fixture->conf->spool.path,
        .segment_size = 1u << 20,
        .queue_max = 1024,
        .router = "test",
    };
    assert_int_equal(spool_open(&where, find_state, &search, &spool, &fault),
                     RC_OK);
    spool_close(&spool);
    return search.found;
}

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){ 0 };
    memcpy(fixture->folder, "/tmp/sendyard-lanes-XXXXXX", 27);
    assert_non_null(mkdtemp(fixture->folder));
    fixture->conf = load(fixture, NULL, 0);
    list_init(&fixture->workers);
    id_maker_init(&fixture->ids, 0);
    (void)pthread_mutex_init(&fixture->ids_lock, NULL);
    fixture->loop = loop_new();
    fixture->tickets = mailbox_new(fixture->loop, 1024, on_ticket, fixture);
    fixture_start_router(fixture);
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_folder(const char *folder)
{
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        print_message("%s is left\n", folder);
}

void fixture_release(struct fixture *fixture)
{
    /* Those of a test that failed. */
    list_each (link, &fixture->workers) {
        struct scripted *worker = container_of(link, struct scripted, link);
        scripted_free(&worker);
    }
    fixture_stop_router(fixture);
    mailbox_free(&fixture->tickets);
    loop_free(&fixture->loop);
    conf_release(&fixture->conf);
    remove_folder(fixture->folder);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = NEW(struct fixture);
    fixture_init(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_release(*state);
    mem_free(*state);
    return 0;
}

static void turn(struct fixture *fixture)
{
    loop_turn(fixture->loop);
    list_each (link, &fixture->workers) {
        struct scripted *worker = container_of(link, struct scripted, link);
        if (!worker->deaf)
            loop_turn(worker->loop);
    }
    (void)usleep(500);
}

void fixture_pass(struct fixture *fixture, uint64_t ms)
{
    for (uint64_t end = time_now_ms() + ms; time_now_ms() < end;)
        turn(fixture);
}

/* Gives a message to the spool; its id. */
static uint64_t post(struct fixture *fixture, const struct mail *mail)
{
    static const char text[] = "Subject: hello\r\n\r\nhello\r\n";
    struct envelope_recipient list[ARRAY_LEN(mail->recipients)];
    const uint64_t utc_ms = time_utc_ms();
    size_t count = 0;
    for (; count < ARRAY_LEN(list) && mail->recipients[count].address;
         count++) {
        const struct mail_recipient *at = &mail->recipients[count];
        list[count] = (struct envelope_recipient){
            .address = slice_text(at->address),
            .orcpt = SLICE(""),
            .route = slice_text(at->route ? at->route : mail->stream),
            .notify = at->notify,
        };
    }
    const struct envelope envelope = {
        .id = next_id(fixture),
        .accepted_utc_ms = utc_ms,
        .expires_utc_ms =
            utc_ms + (mail->expires_ms > 0 ? mail->expires_ms : HOURS_MS(1)),
        .body_size = sizeof text - 1,
        .account = SLICE("app"),
        .tenant = SLICE("app"),
        .stream = slice_text(mail->stream),
        .mail_from = slice_text(mail->sender ? mail->sender : "s@a.example"),
        .ret = mail->ret,
        .recipients = list,
        .recipient_count = count,
    };
    struct body *body =
        body_new(mem_copy_text(text, sizeof text - 1), sizeof text - 1);
    struct message *message = message_new(&envelope, body);
    assert_non_null(message);
    struct intake_ticket *ticket = NEW(struct intake_ticket);
    ticket->back_to = fixture->tickets;
    assert_true(intake_put(fixture->intake, message, ticket));
    return envelope.id;
}

static void await_tickets(struct fixture *fixture, size_t accepted)
{
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         fixture->accepted < accepted && time_now_ms() < end;)
        turn(fixture);
    assert_int_equal(fixture->accepted, accepted);
}

uint64_t fixture_submit_mail(struct fixture *fixture, const struct mail *mail)
{
    const size_t before = fixture->accepted;
    const uint64_t id = post(fixture, mail);
    await_tickets(fixture, before + 1);
    return id;
}

void fixture_submit_many(struct fixture *fixture, const char *stream,
                         size_t count)
{
    const struct mail mail = {
        .stream = stream, .recipients = { { .address = "u@[127.0.0.1]" } }
    };
    for (size_t left = count; left > 0;) {
        const size_t batch = left < 500 ? left : 500;
        const size_t before = fixture->accepted;
        for (size_t i = 0; i < batch; i++)
            (void)post(fixture, &mail);
        await_tickets(fixture, before + batch);
        left -= batch;
    }
}

uint64_t fixture_submit_to(struct fixture *fixture, const char *stream,
                           const char *const *recipients, size_t count)
{
    struct mail mail = { .stream = stream };
    assert_true(count <= ARRAY_LEN(mail.recipients));
    for (size_t i = 0; i < count; i++)
        mail.recipients[i].address = recipients[i];
    return fixture_submit_mail(fixture, &mail);
}

uint64_t fixture_submit(struct fixture *fixture, const char *stream)
{
    static const char *const one[] = { "u@[127.0.0.1]" };
    return fixture_submit_to(fixture, stream, one, 1);
}

FILE *fixture_open_log(struct fixture *fixture)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/events", fixture->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

size_t fixture_count_logged(struct fixture *fixture, const char *text)
{
    FILE *file = fixture_open_log(fixture);
    char line[4096];
    size_t count = 0;
    while (fgets(line, sizeof line, file))
        count += strstr(line, text) != NULL;
    (void)fclose(file);
    return count;
}

bool fixture_logged(struct fixture *fixture, const char *text)
{
    return fixture_count_logged(fixture, text) > 0;
}

void fixture_await_logged(struct fixture *fixture, const char *text)
{
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         !fixture_logged(fixture, text) && time_now_ms() < end;)
        fixture_pass(fixture, 10);
    assert_true(fixture_logged(fixture, text));
}

uint64_t fixture_number(struct fixture *fixture, const char *key)
{
    struct buf json;
    buf_init(&json, 1u << 20);
    assert_int_equal(dispatch_ask(fixture->dispatch, DISPATCH_STATUS, SLICE(""),
                                  WAIT_MAX_MS, &json),
                     RC_OK);
    const struct slice text = buf_slice(&json);
    size_t at = slice_find_slice(text, slice_text(key)) + strlen(key);
    uint64_t number = 0;
    assert_true(at < text.len);
    for (; text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
        number = 10 * number + (uint64_t)(text.ptr[at] - '0');
    buf_release(&json);
    return number;
}

void fixture_await_empty(struct fixture *fixture)
{
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"messages\":0,");
}

void fixture_await_answer(struct fixture *fixture,
                          enum dispatch_question question, const char *arg,
                          const char *text)
{
    struct buf json;
    bool found = false;
    buf_init(&json, 1u << 20);
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         !found && time_now_ms() < end;) {
        buf_clear(&json);
        enum rc rc = dispatch_ask(fixture->dispatch, question, slice_text(arg),
                                  WAIT_MAX_MS, &json);
        found =
            rc == RC_OK
            && slice_find_slice(buf_slice(&json), slice_text(text)) < json.len;
        turn(fixture);
    }
    if (!found)
        print_message("%.*s\n", SLICE_ARG(buf_slice(&json)));
    assert_true(found);
    buf_release(&json);
}

static void hear(void *context, const struct bus_peer *peer, struct slice head,
                 struct slice body)
{
    (void)peer;
    struct scripted *worker = context;
    struct kept_frame kept = { .seen = false };
    arena_init(&kept.arena, 1u << 20);
    const struct slice copy = arena_slice(&kept.arena, head);
    assert_int_equal(wire_decode(copy, &kept.arena, &kept.frame), RC_OK);
    kept.body = arena_slice(&kept.arena, body);
    if (kept.frame.kind == WIRE_BEAT)
        worker->router_boot = kept.frame.as.beat.boot;
    const bool is_heard = worker->hears && worker->hears(worker, &kept.frame);
    if (worker->prompt && kept.frame.kind == WIRE_JOB)
        scripted_result(worker, &kept.frame.as.job, 250, "ok");
    if (worker->prompt || is_heard || kept.frame.kind == WIRE_BEAT) {
        arena_release(&kept.arena);
        return;
    }
    assert_true(worker->count < KEPT_MAX);
    worker->kept[worker->count++] = kept;
}

void scripted_send_bytes(struct scripted *worker, struct slice bytes)
{
    enum rc rc = RC_LIMIT;
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         rc == RC_LIMIT && time_now_ms() < end;) {
        rc = bus_send(worker->bus, NULL, bytes, slice_of(NULL, 0), NULL, NULL);
        if (rc == RC_LIMIT) /* the link is not there yet, or full */
            (void)usleep(500);
    }
    assert_int_equal(rc, RC_OK);
}

void scripted_send(struct scripted *worker, const struct wire_frame *frame)
{
    struct buf bytes;
    buf_init(&bytes, 1u << 20);
    assert_int_equal(wire_encode(frame, &bytes), RC_OK);
    scripted_send_bytes(worker, buf_slice(&bytes));
    buf_release(&bytes);
}

void scripted_drain(struct scripted *worker)
{
    scripted_send(worker, &(struct wire_frame){ .kind = WIRE_DRAIN });
}

void scripted_handback(struct scripted *worker, uint64_t lease)
{
    scripted_send(worker,
                  &(struct wire_frame){
                      .kind = WIRE_HANDBACK,
                      .as.handback = { { &lease, 1 }, SLICE("limit") } });
}

static void beat(void *context)
{
    struct scripted *worker = context;
    timer_set(worker->beat, loop_now_ms(worker->fixture->loop) + BEAT_MS);
    if (worker->silent)
        return;
    struct buf bytes;
    buf_init(&bytes, 1024);
    const struct wire_frame frame = { .kind = WIRE_BEAT,
                                      .as.beat.boot = worker->boot };
    assert_int_equal(wire_encode(&frame, &bytes), RC_OK);
    (void)!bus_send(worker->bus, NULL, buf_slice(&bytes), slice_of(NULL, 0),
                    NULL, NULL);
    buf_release(&bytes);
}

static void send_hello(struct scripted *worker)
{
    struct slice sources[ARRAY_LEN(worker->sources)];
    size_t count = 0;
    while (count < ARRAY_LEN(sources) && worker->sources[count]) {
        sources[count] = slice_text(worker->sources[count]);
        count++;
    }
    scripted_send(worker, &(struct wire_frame){
                              .kind = WIRE_HELLO,
                              .as.hello = {
                                  .worker = slice_text(worker->name),
                                  .boot = worker->boot,
                                  .host = SLICE("here"),
                                  .pid = 1,
                                  .sources = { sources, count },
                                  .held_leases = worker->held_leases,
                                  .held_messages = worker->held_messages,
                                  .former_boots = worker->former_boots,
                              } });
}

/* A HELLO may be lost with the link of a router that went down: real workers say
 * it again, too. */
static const struct wire_frame *await_answer(struct scripted *worker)
{
    const struct wire_frame *welcome = NULL;
    const uint64_t end = time_now_ms() + HELLO_AGAIN_MS;
    while (!(welcome = scripted_look(worker, WIRE_WELCOME))
           && time_now_ms() < end)
        turn(worker->fixture);
    if (welcome)
        return welcome;
    send_hello(worker);
    return scripted_await(worker, WIRE_WELCOME);
}

/* A WELCOME voids the lanes of before; open ones are told anew. */
void scripted_hello(struct scripted *worker)
{
    scripted_forget(worker, WIRE_WELCOME);
    send_hello(worker);
    const struct wire_frame *welcome = await_answer(worker);
    for (size_t i = 0; &worker->kept[i].frame != welcome; i++)
        if (worker->kept[i].frame.kind == WIRE_OFFER)
            worker->kept[i].seen = true;
}

struct scripted *scripted_make(struct fixture *fixture, const char *name,
                               uint64_t boot, const char *const *sources)
{
    char id[40];
    struct fault fault;
    struct scripted *worker = NEW(struct scripted);
    worker->fixture = fixture;
    worker->name = name;
    worker->boot = boot;
    for (size_t i = 0; sources[i]; i++)
        worker->sources[i] = sources[i];
    (void)snprintf(id, sizeof id, "%s-%llu", name, (unsigned long long)boot);
    const struct bus_keys keys = { 0 };
    worker->loop = loop_new();
    list_push_back(&fixture->workers, &worker->link);
    worker->bus = bus_connect(worker->loop, fixture->conf->routers[0].bus,
                              slice_text(id), &keys, hear, worker, &fault);
    assert_non_null(worker->bus);
    worker->beat = timer_new(fixture->loop, beat, worker);
    return worker;
}

struct scripted *scripted_new(struct fixture *fixture, const char *name,
                              uint64_t boot, const char *const *sources)
{
    struct scripted *worker = scripted_make(fixture, name, boot, sources);
    scripted_hello(worker);
    timer_set(worker->beat, loop_now_ms(fixture->loop));
    return worker;
}

void scripted_free(struct scripted **worker)
{
    struct scripted *freed = steal(*worker);
    list_remove(&freed->link);
    timer_free(&freed->beat);
    bus_free(&freed->bus);
    loop_free(&freed->loop);
    for (size_t i = 0; i < freed->count; i++)
        arena_release(&freed->kept[i].arena);
    mem_free(freed);
}

void scripted_pull(struct scripted *worker, uint32_t lane, const char *source,
                   uint64_t total)
{
    scripted_send(worker, &(struct wire_frame){
                              .kind = WIRE_PULL,
                              .as.pull = { lane, slice_text(source), total } });
}

const struct wire_frame *scripted_look(struct scripted *worker,
                                       enum wire_kind kind)
{
    for (size_t i = 0; i < worker->count; i++) {
        struct kept_frame *kept = &worker->kept[i];
        if (kept->seen || kept->frame.kind != kind)
            continue;
        kept->seen = true;
        return &kept->frame;
    }
    return NULL;
}

void scripted_forget(struct scripted *worker, enum wire_kind kind)
{
    while (scripted_look(worker, kind))
        ;
}

const struct wire_frame *scripted_await(struct scripted *worker,
                                        enum wire_kind kind)
{
    const struct wire_frame *frame = NULL;
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         !(frame = scripted_look(worker, kind)) && time_now_ms() < end;)
        turn(worker->fixture);
    if (!frame)
        print_message("no %s came\n", wire_kind_name(kind));
    assert_non_null(frame);
    return frame;
}

const struct wire_job *scripted_await_job(struct scripted *worker)
{
    return &scripted_await(worker, WIRE_JOB)->as.job;
}

struct slice scripted_body(const struct scripted *worker,
                           const struct wire_job *job)
{
    for (size_t i = 0; i < worker->count; i++)
        if (&worker->kept[i].frame.as.job == job)
            return worker->kept[i].body;
    fail_msg("not a job of this worker");
    return SLICE("");
}

struct slice scripted_await_report(struct scripted *worker, const char *to,
                                   const struct wire_job **job)
{
    *job = scripted_await_job(worker);
    assert_int_equal((*job)->mail_from.len, 0);
    assert_int_equal((*job)->recipient_count, 1);
    assert_true(slice_equal((*job)->recipients[0].address, slice_text(to)));
    assert_int_equal((*job)->recipients[0].notify, NOTIFY_NEVER);
    return scripted_body(worker, *job);
}

void scripted_finish(struct fixture *fixture, struct scripted *worker,
                     const struct wire_job *job)
{
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

void scripted_results(struct scripted *worker, const struct wire_job *job,
                      const struct scripted_outcome *outcomes, size_t count)
{
    struct wire_outcome list[8];
    assert_true(count <= ARRAY_LEN(list));
    for (size_t i = 0; i < count; i++) {
        const uint8_t class = (uint8_t)(outcomes[i].code / 100);
        list[i].index = outcomes[i].index;
        verdict_local(&list[i].verdict, (struct enhanced){ class, 0, 0 }, "%s",
                      outcomes[i].text);
        list[i].verdict.code = outcomes[i].code;
    }
    scripted_send(worker,
                  &(struct wire_frame){ .kind = WIRE_RESULT,
                                        .as.result = {
                                            .lease = job->lease,
                                            .message = job->message,
                                            .lane = job->lane,
                                            .source = job->source,
                                            .source_ip = SLICE("127.0.0.11"),
                                            .host = SLICE("[127.0.0.1]"),
                                            .host_ip = SLICE("127.0.0.1"),
                                            .tls = SLICE(""),
                                            .started_utc_ms = time_utc_ms(),
                                            .ended_utc_ms = time_utc_ms(),
                                            .ends_dsn = worker->ends_dsn,
                                            .outcomes = list,
                                            .outcome_count = count,
                                        } });
}

void scripted_result(struct scripted *worker, const struct wire_job *job,
                     uint16_t code, const char *text)
{
    const struct scripted_outcome outcome = { job->recipients[0].index, code,
                                              text };
    scripted_results(worker, job, &outcome, 1);
}

void scripted_doubt(struct scripted *worker, const struct wire_job *job)
{
    struct wire_outcome outcomes[8];
    assert_true(job->recipient_count <= ARRAY_LEN(outcomes));
    for (size_t i = 0; i < job->recipient_count; i++) {
        outcomes[i].index = job->recipients[i].index;
        verdict_local(&outcomes[i].verdict, (struct enhanced){ 4, 4, 2 },
                      "died");
    }
    scripted_send(
        worker, &(struct wire_frame){ .kind = WIRE_RESULT,
                                      .as.result = {
                                          .lease = job->lease,
                                          .message = job->message,
                                          .in_doubt = true,
                                          .posthumous = true,
                                          .outcomes = outcomes,
                                          .outcome_count = job->recipient_count,
                                      } });
}

uint32_t scripted_await_lane(struct scripted *worker, const char *pool)
{
    for (;;) {
        const struct wire_offer *offer =
            &scripted_await(worker, WIRE_OFFER)->as.offer;
        if (offer->depth > 0 && slice_equal(offer->pool, slice_text(pool)))
            return offer->lane;
    }
}
