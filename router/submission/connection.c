/* connection.c - a conn and a session, tied together. */
#include "router/submission/connection.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/conn.h"
#include "common/edge/log.h"
#include "router/submission/limits.h"

enum connection_state {
    CONNECTION_SHAKING, /* TLS from the first byte is not up yet */
    CONNECTION_TALKING,
    CONNECTION_WAITING, /* for the intake or the auth */
    CONNECTION_HOLDING, /* an answer of the auth back, see brake.h */
    CONNECTION_LEFT,    /* the client is gone, a ticket or job is still out */
};

struct connection {
    struct list link; /* of the desk */
    enum connection_state state;
    struct desk *desk;
    struct setup *setup;
    struct crowd *crowd;
    const char *address; /* the listener's, of the conf in setup */
    struct net net;
    char ip[ADDR_TEXT_SIZE];
    struct conn *conn;       /* NULL once LEFT */
    struct session *session; /* the same */
    struct session_host host;
    struct timer *timer;
    uint64_t timer_ms; /* when it fires; UINT64_MAX: not set */
    uint64_t hold_ms;  /* HOLDING: until then */
    enum session_answer held_answer;
    bool is_storing; /* WAITING, LEFT: the ticket is out, not a job */
    struct auth_job *job;
    size_t recipients; /* of the message that is being stored */
    struct intake_ticket ticket;
};

static void step(struct connection *connection);

static uint64_t now_of(const struct connection *connection)
{
    return loop_now_ms(connection->desk->loop);
}

struct connection *connection_of(struct list *link)
{
    return container_of(link, struct connection, link);
}

static uint64_t host_utc_ms(void *context)
{
    (void)context;
    return time_utc_ms();
}

static enum rc host_reports(void *context, const struct conf *conf,
                            struct slice report)
{
    const struct connection *connection = context;
    const struct submission_options *options = connection->desk->options;
    return options->hear_report(options->report_context, conf, report);
}

static bool host_accepts(void *context, uint64_t size)
{
    const struct connection *connection = context;
    return intake_accepts(connection->desk->options->intake, size)
           && budget_has_room(connection->desk->budget, size,
                              connection->setup->conf->max_incoming_memory);
}

static bool host_resizes(void *context, uint64_t from, uint64_t to)
{
    const struct connection *connection = context;
    struct intake *intake = connection->desk->options->intake;
    if (!budget_resize(connection->desk->budget, from, to,
                       connection->setup->conf->max_incoming_memory))
        return false;
    if (from == 0)
        intake_expect(intake);
    if (to == 0)
        intake_expect_no_more(intake);
    return true;
}

static void host_refused(void *context, uint16_t code)
{
    struct connection *connection = context;
    CHECK(code < SUBMISSION_CODES);
    desk_count(&connection->desk->counters.refused[code], 1);
}

static void destroy(struct connection *connection)
{
    struct desk *desk = connection->desk;
    list_remove(&connection->link);
    setup_release(&connection->setup);
    mem_free(connection);
    desk_check_end(desk);
}

/* Without the client; what is out must still come back. */
static void leave(struct connection *connection)
{
    bool is_waiting = connection->state == CONNECTION_WAITING;
    if (connection->conn)
        conn_free(&connection->conn);
    session_free(&connection->session);
    timer_free(&connection->timer);
    crowd_leave(connection->crowd, &connection->net);
    crowd_release(&connection->crowd);
    (void)atomic_fetch_sub_explicit(&connection->desk->counters.connections, 1,
                                    memory_order_relaxed);
    connection->state = CONNECTION_LEFT;
    if (!is_waiting)
        destroy(connection);
}

static void say_bye(struct connection *connection)
{
    conn_finish(&connection->conn, SUBMISSION_GOODBYE_MS);
    leave(connection);
}

static uint64_t deadline_of(const struct connection *connection)
{
    return connection->state == CONNECTION_HOLDING
               ? connection->hold_ms
               : session_deadline_ms(connection->session);
}

/* A deadline that moved away costs nothing: the timer fires early once. */
static void arm(struct connection *connection)
{
    uint64_t due_ms = deadline_of(connection);
    if (due_ms >= connection->timer_ms)
        return;
    timer_set(connection->timer, due_ms);
    connection->timer_ms = due_ms;
}

static void on_timer(void *context)
{
    struct connection *connection = context;
    connection->timer_ms = UINT64_MAX;
    if (deadline_of(connection) > now_of(connection)) {
        arm(connection);
        return;
    }
    if (connection->state == CONNECTION_HOLDING) {
        connection->state = CONNECTION_TALKING;
        session_checked(connection->session, connection->held_answer,
                        conn_out(connection->conn), now_of(connection));
        step(connection);
        return;
    }
    if (connection->state == CONNECTION_SHAKING) {
        leave(connection);
        return;
    }
    session_time_out(connection->session, conn_out(connection->conn));
    say_bye(connection);
}

static void stored(struct connection *connection, enum rc rc, uint64_t id)
{
    struct desk_counters *counters = &connection->desk->counters;
    if (rc == RC_OK) {
        desk_count(&counters->accepted, 1);
        desk_count(&counters->accepted_recipients, connection->recipients);
    }
    if (connection->session)
        session_stored(connection->session, rc, id, conn_out(connection->conn),
                       now_of(connection));
}

/* Hands the message to the intake; the ticket or a refusal follows. */
static void put(struct connection *connection)
{
    const struct submission_options *options = connection->desk->options;
    uint64_t id = options->next_id(options->id_context);
    struct message *message =
        session_message(connection->session, id, time_utc_ms());
    connection->recipients = session_recipient_count(connection->session);
    connection->ticket.back_to = connection->desk->tickets;
    if (message && intake_put(options->intake, message, &connection->ticket)) {
        connection->is_storing = true;
        connection->state = CONNECTION_WAITING;
        return;
    }
    message_free(&message);
    stored(connection, RC_LIMIT, id);
}

void connection_hear_ticket(void *context, void *item)
{
    struct intake_ticket *ticket = item;
    struct connection *connection =
        container_of(ticket, struct connection, ticket);
    (void)context;
    CRASH_POINT("reply.due");
    stored(connection, ticket->rc, ticket->id);
    CRASH_POINT("reply.in_buffer");
    if (connection->state == CONNECTION_LEFT) {
        destroy(connection);
        return;
    }
    connection->state = CONNECTION_TALKING;
    step(connection);
    CRASH_POINT("reply.stepped");
}

static void log_login(const struct connection *connection,
                      const struct auth_job *job)
{
    struct desk_counters *counters = &connection->desk->counters;
    bool is_in = job->answer == SESSION_LET_IN;
    desk_count(is_in ? &counters->logins : &counters->logins_failed, 1);
    if (is_in)
        return;
    struct slice user = credentials_user(&job->credentials);
    log_line(LOG_INFO, "login_failed", "ip=%s account=%s checked=%s",
             connection->ip, log_quote(user.ptr, user.len).text,
             job->answer == SESSION_KEPT_OUT ? "yes" : "no");
}

/* The answer is there: tells it, or holds a bad one back for a while. */
static void answer(struct connection *connection)
{
    struct auth_job *job = connection->job;
    log_login(connection, job);
    connection->state = CONNECTION_TALKING;
    if (job->delay_ms > 0) {
        connection->state = CONNECTION_HOLDING;
        connection->hold_ms = now_of(connection) + job->delay_ms;
        connection->held_answer = job->answer;
    } else {
        session_checked(connection->session, job->answer,
                        conn_out(connection->conn), now_of(connection));
    }
    auth_job_free(&connection->job);
}

static void check(struct connection *connection)
{
    const struct credentials *credentials =
        session_credentials(connection->session);
    const struct conf_account *account =
        conf_account(connection->setup->conf, credentials_user(credentials));
    struct auth_job *job = auth_job_new(credentials);
    job->net = connection->net;
    job->back_to = connection->desk->checks;
    job->owner = connection;
    if (account && account->password_hash
        && strlen(account->password_hash) < sizeof job->hash)
        memcpy(job->hash, account->password_hash,
               strlen(account->password_hash) + 1);
    connection->job = job;
    connection->is_storing = false;
    connection->state = CONNECTION_WAITING;
    if (auth_ask(connection->desk->auth, job, now_of(connection)))
        answer(connection);
}

void connection_hear_check(void *context, void *item)
{
    struct auth_job *job = item;
    struct connection *connection = job->owner;
    (void)context;
    if (connection->state == CONNECTION_LEFT) {
        auth_job_free(&connection->job);
        destroy(connection);
        return;
    }
    answer(connection);
    step(connection);
}

/* Between two transactions a session goes over to the newest config; one whose
 * listener is gone stays with the old one to its end. */
static void adopt(struct connection *connection)
{
    struct setup *newest = connection->desk->setup;
    if (connection->setup == newest || !session_is_idle(connection->session))
        return;
    const struct conf_listener *listener =
        setup_listener(newest, connection->address);
    if (!listener)
        return;
    const struct session_setting setting =
        setup_setting(newest, listener, connection->desk->sketcher);
    session_adopt(connection->session, &setting);
    connection->address = listener->address.text;
    setup_release(&connection->setup);
    connection->setup = setup_hold(newest);
}

/* Gives the session what it wants until that takes time. */
static void step(struct connection *connection)
{
    adopt(connection);
    while (connection->state == CONNECTION_TALKING) {
        struct conn *conn = connection->conn;
        enum session_want want =
            session_feed(connection->session, conn_in(conn), conn_out(conn),
                         now_of(connection));
        if (want == SESSION_READ || want == SESSION_DRAIN)
            break;
        if (want == SESSION_PUT) {
            put(connection);
        } else if (want == SESSION_CHECK) {
            check(connection);
        } else if (want == SESSION_START_TLS) {
            connection->state = CONNECTION_SHAKING;
            conn_start_tls(conn, connection->setup->tls[LISTENER_STARTTLS],
                           NULL);
        } else {
            say_bye(connection);
            return;
        }
    }
    arm(connection);
}

/* TLS is up, by STARTTLS or from the first byte. */
static void on_open(void *context)
{
    struct connection *connection = context;
    bool is_greeted = session_is_greeted(connection->session);
    connection->state = CONNECTION_TALKING;
    session_secured(connection->session, conn_tls_version(connection->conn),
                    conn_tls_cipher(connection->conn), now_of(connection));
    if (!is_greeted)
        session_greet(connection->session, conn_out(connection->conn));
    step(connection);
}

static void on_input(void *context)
{
    struct connection *connection = context;
    if (connection->state == CONNECTION_TALKING)
        step(connection);
}

static void on_closed(void *context, const struct fault *fault)
{
    struct connection *connection = context;
    if (connection->state == CONNECTION_SHAKING)
        log_line(LOG_INFO, "tls_failed", "ip=%s reason=%s", connection->ip,
                 log_quote(fault->text, strlen(fault->text)).text);
    leave(connection);
}

static const struct conn_handlers handlers = {
    .on_open = on_open,
    .on_input = on_input,
    .on_drained = on_input,
    .on_closed = on_closed,
};

static void start_session(struct connection *connection,
                          const struct conf_listener *listener)
{
    struct addr peer;
    conn_peer(connection->conn, &peer);
    addr_ip_text(&peer, connection->ip);
    const struct session_setting setting =
        setup_setting(connection->setup, listener, connection->desk->sketcher);
    const struct session_client client = {
        .ip = connection->ip,
        .is_ipv6 = strchr(connection->ip, ':') != NULL,
    };
    connection->host = (struct session_host){
        .accepts = host_accepts,
        .resizes = host_resizes,
        .refused = host_refused,
        .reports = host_reports,
        .templates = connection->desk->options->templates,
        .utc_ms = host_utc_ms,
        .context = connection,
    };
    connection->session =
        session_new(&setting, &connection->host, &client, now_of(connection));
}

void connection_open(struct desk *desk, const struct conf_listener *listener,
                     struct crowd *crowd, const struct net *net, int fd)
{
    struct connection *connection = NEW(struct connection);
    connection->desk = desk;
    connection->setup = setup_hold(desk->setup);
    connection->crowd = crowd_hold(crowd);
    connection->address = listener->address.text;
    connection->net = *net;
    connection->timer_ms = UINT64_MAX;
    connection->timer = timer_new(desk->loop, on_timer, connection);
    connection->conn = conn_accept(desk->loop, fd, SUBMISSION_IN_MAX,
                                   SUBMISSION_OUT_MAX, &handlers, connection);
    list_push_back(&desk->connections, &connection->link);
    start_session(connection, listener);
    desk_count(&desk->counters.connections, 1);
    desk_count(&desk->counters.connections_total, 1);
    if (listener->tls == LISTENER_IMPLICIT) {
        connection->state = CONNECTION_SHAKING;
        conn_start_tls(connection->conn,
                       connection->setup->tls[LISTENER_IMPLICIT], NULL);
    } else {
        connection->state = CONNECTION_TALKING;
        session_greet(connection->session, conn_out(connection->conn));
    }
    arm(connection);
}

void connection_drain(struct connection *connection)
{
    if (connection->state == CONNECTION_LEFT)
        return;
    if (connection->state == CONNECTION_SHAKING) {
        leave(connection);
        return;
    }
    session_drain(connection->session, conn_out(connection->conn));
    if (connection->state == CONNECTION_TALKING)
        step(connection);
}

void connection_cut(struct connection *connection)
{
    if (connection->state != CONNECTION_LEFT)
        leave(connection);
}
