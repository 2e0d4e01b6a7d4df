/*
 * main.c - sendyard-router: composes the rooms a message passes.
 *
 * submission threads, one committer, one lane thread, one control thread; this
 * one waits for signals. SIGTERM: no new mail, open transactions get their
 * reply, everything is on disk, leave. SIGHUP: reads the config again. SIGUSR1:
 * reopens the event log.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/edge/process.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "config/loader.h"
#include "router/actions/exchange.h"
#include "router/control/api.h"
#include "router/control/complaint.h"
#include "router/control/relay.h"
#include "router/control/tally.h"
#include "router/dispatch/dispatch.h"
#include "router/intake.h"
#include "router/spool/spool.h"
#include "router/submission/submission.h"
#include "router/templates/keeper.h"
#include "router/templates/rules.h"

#define SPOOL_QUEUE_MAX    4096 /* messages on their way to disk */
#define SUBMISSION_ENDS_MS SECONDS_MS(10)
#define REPORT_ANSWER_MAX  (16u << 10)
#define TRIP_EVENT_MAX     (4u << 10)
#define LOW_PORT_MAX       1023

struct router {
    const char *config_path;
    const char *name;
    struct conf *conf;
    const struct conf_router *self; /* in conf */
    struct loop *loop;
    pthread_mutex_t ids_lock;
    struct id_maker ids;
    struct dispatch *dispatch;
    struct spool *spool;
    struct book *book;         /* of operators' actions */
    struct exchange *exchange; /* NULL: the config's Redis cannot be used */
    struct templates *templates;
    struct tally *tally;   /* of complaints */
    struct relay *relay;   /* of those that are others' */
    struct keeper *keeper; /* of the templates */
    struct intake *intake;
    struct submission *submission;
    struct api *api;
    pthread_mutex_t reload_lock; /* a signal and the API may meet */
};

static uint64_t next_id(void *context)
{
    struct router *router = context;
    CHECK(pthread_mutex_lock(&router->ids_lock) == 0);
    uint64_t id = id_next(&router->ids, time_utc_ms());
    CHECK(pthread_mutex_unlock(&router->ids_lock) == 0);
    return id;
}

static struct conf *load(const char *path, struct buf *why)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    bool is_loaded = conf_load(path, &conf, &errors) == RC_OK;
    for (size_t i = 0; !is_loaded && i < errors.count; i++)
        (void)buf_addf(why, "%s:%u: %s\n", errors.items[i].place.file,
                       errors.items[i].place.line, errors.items[i].text);
    conf_errors_release(&errors);
    return conf;
}

static void configure_templates(struct router *router, const struct conf *conf)
{
    const struct guard_rules rules = rules_of(conf);
    templates_reconf(router->templates, &rules, conf->classifier.max_templates);
}

static bool reload_with(struct router *router, struct conf *conf,
                        struct buf *why)
{
    const struct conf_router *self =
        conf_router(conf, slice_text(router->self->name));
    struct fault fault;
    if (!self) {
        (void)buf_addf(why, "the config has no router \"%s\" any more\n",
                       router->self->name);
        return false;
    }
    if (submission_reconf(router->submission, conf, &fault) != RC_OK) {
        (void)buf_addf(why, "%s\n", fault.text);
        return false;
    }
    if (!dispatch_reconf(router->dispatch, conf)) {
        (void)buf_addf(why, "the lane thread is busy: reload again\n");
        return false;
    }
    configure_templates(router, conf);
    struct conf *before = router->conf;
    router->conf = conf_hold(conf);
    router->self = self;
    conf_release(&before);
    return true;
}

/* In the control thread, or in ours. A conf with errors changes nothing. */
static bool reload(void *context, struct buf *why)
{
    struct router *router = context;
    CHECK(pthread_mutex_lock(&router->reload_lock) == 0);
    struct conf *conf = load(router->config_path, why);
    bool is_done = conf && reload_with(router, conf, why);
    conf_release(&conf);
    CHECK(pthread_mutex_unlock(&router->reload_lock) == 0);
    log_line(is_done ? LOG_INFO : LOG_ERROR,
             is_done ? "reloaded" : "reload_refused", "config=%s",
             router->config_path);
    return is_done;
}

static void hear_reload(void *context)
{
    struct buf why;
    buf_init(&why, 64u << 10);
    if (!reload(context, &why))
        (void)fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&why)));
    buf_release(&why);
}

static void hear_reopen(void *context)
{
    struct router *router = context;
    if (!dispatch_reopen_log(router->dispatch))
        log_line(LOG_WARNING, "reopen_refused", "why=busy");
}

static void hear_stop(void *context)
{
    struct router *router = context;
    log_line(LOG_INFO, "stopping", "config=%s", router->config_path);
    loop_stop(router->loop);
}

static void add_status(void *context, struct buf *out)
{
    struct router *router = context;
    struct submission_stats stats;
    submission_stats(router->submission, &stats);
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        { "connections", stats.connections },
        { "connections_total", stats.connections_total },
        { "turned_away", stats.turned_away },
        { "accepted", stats.accepted },
        { "accepted_recipients", stats.accepted_recipients },
        { "logins", stats.logins },
        { "logins_failed", stats.logins_failed },
        { "refused_4yz", stats.refused_4yz },
        { "refused_5yz", stats.refused_5yz },
    };
    struct json json;
    json_init(&json, out);
    json_begin_object(&json);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        json_add_number(&json, members[i].name, members[i].value);
    json_end(&json);
}

/* In any thread. */
static void hear_spool(void *context, const struct spool_notice *notice)
{
    static const struct {
        enum log_level level;
        const char *event;
    } lines[] = {
        [SPOOL_SEGMENT_GIVEN_UP] = { LOG_ERROR, "spool_segment_given_up" },
        [SPOOL_SEGMENT_REFUSED] = { LOG_ERROR, "spool_no_segment" },
        [SPOOL_REFUSES] = { LOG_WARNING, "spool_refuses" },
        [SPOOL_ACCEPTS] = { LOG_INFO, "spool_accepts" },
        [SPOOL_DAMAGED] = { LOG_ERROR, "spool_damaged" },
        [SPOOL_MESSAGE_LOST] = { LOG_ERROR, "spool_message_lost" },
        [SPOOL_UNREADABLE] = { LOG_ERROR, "spool_unreadable" },
        [SPOOL_SET_ASIDE] = { LOG_ERROR, "spool_set_aside" },
    };
    (void)context;
    char id[ID_TEXT_SIZE] = "-";
    struct fault fault;
    if (notice->id != 0)
        (void)id_format(notice->id, id);
    (void)fault_set(&fault, RC_IO, notice->sys_errno, "%s",
                    notice->reason ? notice->reason : "-");
    log_line(lines[notice->event].level, lines[notice->event].event,
             "segment=%016" PRIx64 " id=%s reason=%s", notice->sequence, id,
             log_quote(fault.text, strlen(fault.text)).text);
}

static enum rc open_spool(struct router *router, struct fault *fault)
{
    const struct conf_spool *conf = &router->conf->spool;
    const struct spool_options options = {
        .path = conf->path,
        .router = router->self->name,
        .segment_size = conf->segment_size,
        .soft = { conf->min_free, conf->min_free_inodes },
        .hard = { conf->hard_free, conf->hard_free_inodes },
        .queue_max = SPOOL_QUEUE_MAX,
        .listener = { .hear = hear_spool },
        .live = dispatch_recover,
    };
    enum rc rc =
        spool_open(&options, NULL, router->dispatch, &router->spool, fault);
    if (rc != RC_OK)
        return rc;
    id_maker_init(&router->ids, (uint16_t)router->self->number);
    id_maker_seen(&router->ids, spool_last_id(router->spool));
    struct spool_stats stats;
    spool_stats(router->spool, &stats);
    log_line(LOG_INFO, "recovered", "messages=%" PRIu64, stats.messages);
    return RC_OK;
}

static bool tell_lanes(void *context, const struct action *action)
{
    struct router *router = context;
    return dispatch_act(router->dispatch, action);
}

static struct store_place redis_of(const struct router *router,
                                   char url[CONF_REDIS_URL_SIZE])
{
    const struct conf_state *state = &router->conf->state;
    return (struct store_place){ .url = conf_redis_url(router->conf, url),
                                 .user = state->user,
                                 .password_file = state->password_file,
                                 .ca_file = state->ca_file };
}

/* Pauses of before are in force before the first message is given out. */
static enum rc open_book(struct router *router, struct fault *fault)
{
    char url[CONF_REDIS_URL_SIZE];
    const struct book_options options = {
        .folder = router->conf->spool.path,
        .router = router->self->name,
        .new_id = next_id,
        .id_context = router,
        .tell = tell_lanes,
        .tell_context = router,
    };
    router->book = book_open(router->loop, &options, fault);
    if (!router->book)
        return RC_IO;
    dispatch_report_to(router->dispatch, book_mailbox(router->book));
    book_start(router->book);
    const struct exchange_options others = {
        .book = router->book,
        .redis = redis_of(router, url),
        .prefix = router->conf->state.prefix,
        .router = router->self->name,
    };
    router->exchange = exchange_new(router->loop, &others, fault);
    if (!router->exchange)
        log_fault(LOG_ERROR, "actions_not_shared", fault);
    return RC_OK;
}

/* What is queued of a template that tripped leaves the route of its stream, at
 * every router: a bulk action, as if an operator had asked for it. */
static void move_queued(struct router *router, const char *id,
                        const struct conf_stream *stream, const char *route)
{
    struct fault fault;
    uint64_t action_id = 0;
    scoped(buf_release) struct buf filter;
    buf_init(&filter, FILTER_TEXT_MAX);
    (void)buf_addf(&filter, "stream=\"%s\" template=%s", stream->name, id);
    const struct action action = {
        .kind = ACTION_REROUTE,
        .filter = buf_slice(&filter),
        .actor = SLICE("classifier"),
        .why = SLICE("its template tripped"),
        .route = slice_text(route),
        .ended_by = SLICE(""),
    };
    if (book_add(router->book, &action, &action_id, &fault) != RC_OK)
        log_fault(LOG_ERROR, "template_not_rerouted", &fault);
}

/* What tripped leaves the streams above the one where its mail goes now. */
static void move_to(struct router *router, const char *id,
                    enum conf_class class)
{
    const struct conf *conf = router->conf;
    const struct conf_route *route = conf->classifier.streams[class]->route;
    for (size_t i = 0; i < conf->stream_count; i++) {
        const struct conf_stream *stream = &conf->streams[i];
        if (stream->class < class && stream->route != route)
            move_queued(router, id, stream, route->name);
    }
}

static void hear_tripped(void *context, const struct template_record *record,
                         enum guard_change why)
{
    struct router *router = context;
    char id[ID_TEXT_SIZE];
    scoped(buf_release) struct buf event;
    buf_init(&event, TRIP_EVENT_MAX);
    (void)id_format(record->template.id, id);
    (void)buf_add_text(&event, "template_tripped ");
    templates_add_trip(
        record, why == GUARD_UNCHANGED ? "operator" : guard_change_name(why),
        &event);
    if (event.full
        || !dispatch_tell(router->dispatch, DISPATCH_EVENT, buf_slice(&event)))
        log_line(LOG_WARNING, "template_trip_not_logged", "id=%s", id);
    CHECK(pthread_mutex_lock(&router->reload_lock) == 0);
    /* Nothing is moved where all is only observed. */
    if (router->conf->classifier.mode == MODE_ENFORCE)
        move_to(router, id,
                guard_is_blamed(&record->template) ? CLASS_BULK
                                                   : CLASS_NEUTRAL);
    CHECK(pthread_mutex_unlock(&router->reload_lock) == 0);
}

static enum rc open_keeper(struct router *router, struct fault *fault)
{
    char url[CONF_REDIS_URL_SIZE];
    const struct keeper_options options = {
        .templates = router->templates,
        .folder = router->conf->spool.path,
        .redis = redis_of(router, url),
        .prefix = router->conf->state.prefix,
        .max_templates = router->conf->classifier.max_templates,
        .tripped = hear_tripped,
        .context = router,
    };
    router->keeper = keeper_new(router->loop, &options, fault);
    return router->keeper ? RC_OK : RC_IO;
}

static struct conf *hold_conf(void *context)
{
    struct router *router = context;
    CHECK(pthread_mutex_lock(&router->reload_lock) == 0);
    struct conf *conf = conf_hold(router->conf);
    CHECK(pthread_mutex_unlock(&router->reload_lock) == 0);
    return conf;
}

static struct actions_ground ground_of(struct router *router)
{
    return (struct actions_ground){
        .dispatch = router->dispatch,
        .book = router->book,
        .templates = router->templates,
        .tally = router->tally,
        .relay = router->relay,
        .number = router->ids.router,
        .hold_conf = hold_conf,
        .context = router,
    };
}

static void hear_relayed(void *context, struct slice note)
{
    const struct actions_ground ground = ground_of(context);
    complaint_hear_relayed(&ground, note);
}

static void open_relay(struct router *router)
{
    struct fault fault;
    char url[CONF_REDIS_URL_SIZE];
    const struct relay_options options = {
        .redis = redis_of(router, url),
        .prefix = router->conf->state.prefix,
        .number = router->ids.router,
        .heard = hear_relayed,
        .context = router,
    };
    router->relay = relay_new(router->loop, &options, &fault);
    if (!router->relay)
        log_fault(LOG_ERROR, "complaints_not_relayed", &fault);
}

/* In a submission thread, under its own config. */
static enum rc hear_report(void *context, const struct conf *conf,
                           struct slice report)
{
    const struct actions_ground ground = ground_of(context);
    scoped(buf_release) struct buf answer;
    buf_init(&answer, REPORT_ANSWER_MAX);
    return complaint_hear(&ground, conf, report, &answer);
}

static enum rc open_control(struct router *router, struct fault *fault)
{
    const struct api_options options = {
        .conf = router->conf,
        .router = router->self,
        .dispatch = router->dispatch,
        .spool = router->spool,
        .ground = ground_of(router),
        .reload = reload,
        .add_status = add_status,
        .context = router,
    };
    router->api = api_new(&options, fault);
    return router->api ? RC_OK : RC_IO;
}

/* From the lanes to the door: nothing is let in before all behind it works. */
static enum rc open_all(struct router *router, struct fault *fault)
{
    router->templates = templates_new();
    router->tally = tally_new();
    configure_templates(router, router->conf);
    const struct dispatch_options options = {
        .conf = router->conf,
        .router = router->self,
        .new_id = next_id,
        .new_id_context = router,
        .templates = router->templates,
    };
    router->dispatch = dispatch_new(&options, fault);
    if (!router->dispatch)
        return RC_IO;
    enum rc rc = open_spool(router, fault);
    if (rc == RC_OK)
        rc = open_book(router, fault);
    if (rc == RC_OK)
        rc = open_keeper(router, fault);
    if (rc == RC_OK)
        open_relay(router);
    if (rc == RC_OK)
        rc = dispatch_start(router->dispatch, router->spool, fault);
    if (rc != RC_OK)
        return rc;
    router->intake =
        intake_new(router->spool, dispatch_mailbox(router->dispatch),
                   dispatch_full(router->dispatch));
    const struct submission_options door = {
        .intake = router->intake,
        .templates = router->templates,
        .next_id = next_id,
        .id_context = router,
        .hear_report = hear_report,
        .report_context = router,
    };
    router->submission = submission_start(router->conf, &door, fault);
    return router->submission ? open_control(router, fault) : RC_IO;
}

/* From the door to the lanes: what was let in is on disk before they close. */
static void close_all(struct router *router)
{
    api_free(&router->api);
    submission_stop(&router->submission, SUBMISSION_ENDS_MS);
    if (router->dispatch)
        dispatch_stop(router->dispatch);
    relay_free(&router->relay);
    keeper_free(&router->keeper);
    exchange_free(&router->exchange);
    book_free(&router->book);
    spool_close(&router->spool);
    intake_free(&router->intake);
    dispatch_free(&router->dispatch);
    tally_free(&router->tally);
    templates_free(&router->templates);
}

static int run(struct router *router)
{
    struct fault fault;
    int code = EX_OK;
    router->loop = loop_new();
    loop_on_signal(router->loop, SIGTERM, hear_stop, router);
    loop_on_signal(router->loop, SIGINT, hear_stop, router);
    loop_on_signal(router->loop, SIGHUP, hear_reload, router);
    loop_on_signal(router->loop, SIGUSR1, hear_reopen, router);
    if (open_all(router, &fault) == RC_OK) {
        log_line(LOG_INFO, "running", "router=%s", router->self->name);
        loop_run(router->loop);
    } else {
        log_fault(LOG_ERROR, "start_failed", &fault);
        code = EX_UNAVAILABLE;
    }
    close_all(router);
    loop_free(&router->loop);
    return code;
}

static bool read_arguments(int argc, char **argv, struct router *router)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--config") == 0)
            router->config_path = argv[i + 1];
        else if (strcmp(argv[i], "--name") == 0)
            router->name = argv[i + 1];
        else
            return false;
    }
    return argc % 2 == 1 && router->config_path;
}

static bool has_low_port(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listener_count; i++)
        if (conf->listeners[i].address.port <= LOW_PORT_MAX)
            return true;
    return false;
}

/* The config, our place in it, and no more rights than that needs. */
static int prepare(struct router *router)
{
    struct buf why;
    buf_init(&why, 64u << 10);
    router->conf = load(router->config_path, &why);
    (void)fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&why)));
    buf_release(&why);
    if (!router->conf)
        return EX_CONFIG;
    router->self = router->name
                       ? conf_router(router->conf, slice_text(router->name))
                       : &router->conf->routers[0];
    if (!router->self) {
        (void)fprintf(stderr, "the config has no router \"%s\"\n",
                      router->name);
        return EX_CONFIG;
    }
    enum log_level level = LOG_INFO;
    (void)log_level_of(router->conf->log.level, &level);
    log_open("router", level);
    process_raise_file_limit();

    struct fault fault;
    if (process_confine(router->conf->user, has_low_port(router->conf), &fault)
        == RC_OK)
        return EX_OK;
    log_fault(LOG_ERROR, "start_failed", &fault);
    return EX_NOPERM;
}

/* For tests alone; ordinary builds do not ask. */
static bool arm_crash_point(void)
{
    if (!CRASH_POINTS_BUILT)
        return true;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet */
    const char *where = getenv("SENDYARD_CRASH_POINT");
    return !where || crash_arm(where);
}

int main(int argc, char **argv)
{
    struct router router = {
        .ids_lock = PTHREAD_MUTEX_INITIALIZER,
        .reload_lock = PTHREAD_MUTEX_INITIALIZER,
    };
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("sendyard-router %s%s\n", SENDYARD_VERSION,
                     CRASH_POINTS_BUILT ? " (crash points)" : "");
        return EX_OK;
    }
    if (CRASH_POINTS_BUILT && argc == 2
        && strcmp(argv[1], "--crash-points") == 0) {
        crash_list();
        return EX_OK;
    }
    if (!read_arguments(argc, argv, &router)) {
        (void)fprintf(stderr,
                      "usage: sendyard-router --config FILE [--name NAME]\n");
        return EX_USAGE;
    }
    /* A full disk or a file limit is told by errno. */
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    if (!arm_crash_point())
        return EX_USAGE;
    int code = prepare(&router);
    if (code == EX_OK)
        code = run(&router);
    conf_release(&router.conf);
    return code;
}
