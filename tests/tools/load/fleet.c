/* fleet.c - the generator's connections and the loop that drives them. */
#include "fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    LINES_BYTES = 4096, /* replies that wait to be read, per slot */
    RECONNECT_US = 100000,
    TICK_MS = 100, /* looks after retries and patience */
    PACE_MS = 1,   /* tick while messages have their time */
};

/* One connection, or the place of one. */
struct slot {
    struct channel channel;
    struct dialog dialog;
    struct bytes out;
    size_t out_sent;
    bool waits_out;   /* epoll also reports writable */
    bool is_idle;     /* in fleet->idle */
    bool has_message; /* whose fate is open */
    uint64_t messages;
    uint64_t begun_us;
    uint64_t dot_us;
    uint64_t retry_us; /* closed: connect again then */
    size_t in_len;
    char in[LINES_BYTES];
};

struct fleet {
    const struct fleet_plan *plan;
    struct ledger *ledger;
    struct fleet_result *result;
    struct ssl_ctx_st *tls;
    struct slot *slots;
    uint32_t *idle; /* stack of slots ready for a message */
    uint32_t idle_count;
    uint64_t open_count; /* slots with a connection */
    int epoll_fd;
    bool is_stopping;
    uint64_t begun;    /* messages */
    uint64_t finished; /* messages */
    uint64_t start_us;
    uint64_t progress_us; /* last time a connection became ready */
};

static void watch(struct fleet *fleet, struct slot *slot, int operation)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = slot };
    if (slot->waits_out)
        event.events |= EPOLLOUT;
    if (epoll_ctl(fleet->epoll_fd, operation, slot->channel.fd, &event) != 0)
        abort();
}

static void slot_connect(struct fleet *fleet, struct slot *slot,
                         uint64_t now_us)
{
    const struct fleet_plan *plan = fleet->plan;
    if (!channel_connect(&slot->channel, &plan->to,
                         plan->has_source ? &plan->source : NULL)) {
        fleet->result->connections_failed++;
        slot->retry_us = now_us + RECONNECT_US;
        return;
    }
    fleet->result->connections++;
    fleet->open_count++;
    dialog_init(&slot->dialog, &plan->dialog);
    slot->out.len = 0;
    slot->out_sent = 0;
    slot->in_len = 0;
    slot->messages = 0;
    /* where we speak first, writable is the news to wait for */
    slot->waits_out = slot->dialog.state == DIALOG_HANDSHAKE;
    watch(fleet, slot, EPOLL_CTL_ADD);
}

/* The message under way has its fate; `reply` is the server's last line. */
static void note_end(struct fleet *fleet, struct slot *slot, uint64_t now_us,
                     const char *reply, size_t reply_len)
{
    struct fleet_result *result = fleet->result;
    struct bytes *lines = ledger_lines(fleet->ledger);
    fleet->finished++;
    slot->has_message = false;
    result->finished_utc_us = clock_utc_us();
    if (slot->dialog.refusal != 0) {
        result->refused[slot->dialog.refusal]++;
        return;
    }
    result->accepted++;
    histogram_add(&result->dot_us, now_us - slot->dot_us);
    histogram_add(&result->message_us, now_us - slot->begun_us);
    if (lines == NULL)
        return;
    letter_add_id(fleet->plan->dialog.letter, slot->dialog.sequence, lines);
    bytes_addf(lines, "\t%" PRIu64 "\t%.*s\n", result->finished_utc_us,
               (int)reply_len, reply);
}

/* A message whose dot went out may have been taken: nobody can know. */
static void note_loss(struct fleet *fleet, struct slot *slot)
{
    struct bytes *lines = ledger_lines(fleet->ledger);
    fleet->finished++;
    slot->has_message = false;
    fleet->result->finished_utc_us = clock_utc_us();
    if (slot->dialog.refusal != 0) {
        fleet->result->refused[slot->dialog.refusal]++;
        return;
    }
    if (slot->dot_us == 0) {
        fleet->result->broken_off++;
        return;
    }
    fleet->result->in_doubt++;
    if (lines == NULL)
        return;
    bytes_add_text(lines, "?");
    letter_add_id(fleet->plan->dialog.letter, slot->dialog.sequence, lines);
    bytes_addf(lines, "\t%" PRIu64 "\t\n", clock_utc_us());
}

static void idle_remove(struct fleet *fleet, struct slot *slot)
{
    const uint32_t index = (uint32_t)(slot - fleet->slots);
    for (uint32_t i = 0; slot->is_idle && i < fleet->idle_count; i++) {
        if (fleet->idle[i] == index) {
            fleet->idle[i] = fleet->idle[--fleet->idle_count];
            slot->is_idle = false;
        }
    }
}

/* Closes the connection; another takes its place no sooner than `retry_us`.
 */
static void slot_close(struct fleet *fleet, struct slot *slot,
                       uint64_t retry_us)
{
    idle_remove(fleet, slot);
    channel_close(&slot->channel);
    slot->retry_us = retry_us;
    fleet->open_count--;
}

static void slot_lose(struct fleet *fleet, struct slot *slot, uint64_t now_us)
{
    if (slot->has_message)
        note_loss(fleet, slot);
    else if (slot->dialog.refusal != 0)
        fleet->result->connections_refused[slot->dialog.refusal]++;
    else if (slot->messages == 0)
        fleet->result->connections_failed++;
    slot_close(fleet, slot, now_us + RECONNECT_US);
}

static void slot_flush(struct fleet *fleet, struct slot *slot, uint64_t now_us)
{
    bool wait_out = false;
    while (slot->out_sent < slot->out.len) {
        const ssize_t sent =
            channel_write(&slot->channel, slot->out.ptr + slot->out_sent,
                          slot->out.len - slot->out_sent);
        if (sent == CHANNEL_LOST) {
            slot_lose(fleet, slot, now_us);
            return;
        }
        if (sent < 0) {
            wait_out = sent == CHANNEL_WAIT_OUT;
            break;
        }
        slot->out_sent += (size_t)sent;
    }
    if (slot->out_sent == slot->out.len) {
        slot->out.len = 0;
        slot->out_sent = 0;
    }
    if (wait_out != slot->waits_out) {
        slot->waits_out = wait_out;
        watch(fleet, slot, EPOLL_CTL_MOD);
    }
}

static bool may_begin(const struct fleet *fleet, uint64_t now_us)
{
    const struct fleet_plan *plan = fleet->plan;
    if (fleet->is_stopping || fleet->begun >= plan->message_count)
        return false;
    if (plan->rate_per_s == 0)
        return true;
    return fleet->begun * 1000000 / plan->rate_per_s
           <= now_us - fleet->start_us;
}

static void begin_message(struct fleet *fleet, struct slot *slot,
                          uint64_t now_us)
{
    const uint64_t rate = fleet->plan->rate_per_s;
    if (fleet->begun == 0)
        fleet->result->started_utc_us = clock_utc_us();
    slot->begun_us =
        rate == 0 ? now_us : fleet->start_us + fleet->begun * 1000000 / rate;
    slot->dot_us = 0;
    slot->has_message = true;
    slot->messages++;
    dialog_begin(&slot->dialog, ++fleet->begun, &slot->out);
    slot_flush(fleet, slot, now_us);
}

static void dispatch(struct fleet *fleet, uint64_t now_us)
{
    while (fleet->idle_count > 0 && may_begin(fleet, now_us)) {
        struct slot *slot = &fleet->slots[fleet->idle[--fleet->idle_count]];
        slot->is_idle = false;
        begin_message(fleet, slot, now_us);
    }
}

static void slot_ready(struct fleet *fleet, struct slot *slot, uint64_t now_us)
{
    const uint64_t limit = fleet->plan->per_connection;
    if (limit > 0 && slot->messages >= limit) {
        bytes_add_text(&slot->out, "QUIT\r\n");
        slot_flush(fleet, slot, now_us);
        if (slot->channel.fd >= 0)
            slot_close(fleet, slot, now_us);
        return;
    }
    fleet->idle[fleet->idle_count++] = (uint32_t)(slot - fleet->slots);
    slot->is_idle = true;
}

/* One reply line; false when the connection is gone. */
static bool slot_hear(struct fleet *fleet, struct slot *slot, uint64_t now_us,
                      const char *line, size_t len)
{
    struct dialog *dialog = &slot->dialog;
    const enum dialog_state before = dialog->state;
    dialog_hear(dialog, line, len, &slot->out);
    if (dialog->state == DIALOG_BODY && before != DIALOG_BODY)
        slot->dot_us = now_us;
    if (dialog->state == DIALOG_FAILED) {
        slot_lose(fleet, slot, now_us);
        return false;
    }
    if (dialog->state == DIALOG_READY && before != DIALOG_READY) {
        fleet->progress_us = now_us;
        if (slot->has_message)
            note_end(fleet, slot, now_us, line, len);
        dialog->refusal = 0;
        slot_ready(fleet, slot, now_us);
    }
    return slot->channel.fd >= 0;
}

/* Hears the whole lines that were read; false when the connection is gone. */
static bool slot_hear_all(struct fleet *fleet, struct slot *slot,
                          uint64_t now_us)
{
    char *at = slot->in;
    char *const end = slot->in + slot->in_len;
    char *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        const size_t len = (size_t)(newline - at);
        const bool has_cr = len > 0 && newline[-1] == '\r';
        if (!slot_hear(fleet, slot, now_us, at, len - has_cr))
            return false;
        at = newline + 1;
    }
    slot->in_len = (size_t)(end - at);
    if (slot->in_len == sizeof slot->in) {
        slot_lose(fleet, slot, now_us); /* no reply line is that long */
        return false;
    }
    memmove(slot->in, at, slot->in_len);
    return true;
}

/* True when TLS stands. */
static bool slot_shake(struct fleet *fleet, struct slot *slot, uint64_t now_us)
{
    const int wish = channel_handshake(&slot->channel, fleet->tls);
    if (wish == CHANNEL_LOST) {
        slot_lose(fleet, slot, now_us);
        return false;
    }
    const bool wait_out = wish == CHANNEL_WAIT_OUT;
    if (wait_out != slot->waits_out) {
        slot->waits_out = wait_out;
        watch(fleet, slot, EPOLL_CTL_MOD);
    }
    return wish == 0;
}

/* TLS may hold back bytes that epoll does not see: read until it is dry. */
static void slot_read(struct fleet *fleet, struct slot *slot, uint64_t now_us)
{
    const bool is_tls = slot->channel.tls != NULL;
    do {
        const ssize_t got =
            channel_read(&slot->channel, slot->in + slot->in_len,
                         sizeof slot->in - slot->in_len);
        if (got == CHANNEL_LOST) {
            slot_lose(fleet, slot, now_us);
            return;
        }
        if (got < 0)
            break;
        slot->in_len += (size_t)got;
        if (!slot_hear_all(fleet, slot, now_us))
            return;
    } while (is_tls);

    if (slot->dialog.state == DIALOG_HANDSHAKE
        && slot_shake(fleet, slot, now_us))
        dialog_secured(&slot->dialog, &slot->out);
}

static void slot_handle(struct fleet *fleet, struct slot *slot, uint32_t events)
{
    const uint64_t now_us = clock_monotonic_us();
    if (slot->dialog.state == DIALOG_HANDSHAKE) {
        if (slot_shake(fleet, slot, now_us))
            dialog_secured(&slot->dialog, &slot->out);
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        slot_read(fleet, slot, now_us);
    }
    dispatch(fleet, now_us);
    if (slot->channel.fd >= 0 && slot->out.len > slot->out_sent)
        slot_flush(fleet, slot, now_us);
}

static void reconnect(struct fleet *fleet, uint64_t now_us)
{
    const struct fleet_plan *plan = fleet->plan;
    if (fleet->is_stopping || fleet->begun >= plan->message_count
        || fleet->open_count == plan->connection_count)
        return;
    for (uint64_t i = 0; i < plan->connection_count; i++) {
        struct slot *slot = &fleet->slots[i];
        if (slot->channel.fd < 0 && slot->retry_us <= now_us)
            slot_connect(fleet, slot, now_us);
    }
}

static bool is_finished(const struct fleet *fleet)
{
    const uint64_t goal =
        fleet->is_stopping ? fleet->begun : fleet->plan->message_count;
    return fleet->finished >= goal;
}

/* Something is under way or no connection is ready, for too long. */
static bool is_impatient(struct fleet *fleet, uint64_t now_us)
{
    if (fleet->finished == fleet->begun && fleet->idle_count > 0)
        fleet->progress_us = now_us;
    return now_us - fleet->progress_us > fleet->plan->patience_s * 1000000;
}

static int wait_ms(const struct fleet *fleet)
{
    const bool paces = fleet->plan->rate_per_s > 0 && !fleet->is_stopping;
    return paces && fleet->idle_count > 0 ? PACE_MS : TICK_MS;
}

/* One sleep and what it brings; false when epoll or the ledger failed. */
static bool turn(struct fleet *fleet, uint32_t *signals)
{
    struct epoll_event events[EVENTS_MAX];
    const int count =
        epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, wait_ms(fleet));
    if (count < 0 && errno != EINTR)
        return false;
    for (int i = 0; i < count; i++) {
        struct slot *slot = events[i].data.ptr;
        if (slot == NULL)
            ++*signals;
        else if (slot->channel.fd >= 0)
            slot_handle(fleet, slot, events[i].events);
    }
    return ledger_flush(fleet->ledger);
}

/* The first signal ends the sending, the second the waiting as well. */
static enum fleet_end run(struct fleet *fleet, int stop_fd)
{
    const struct fleet_plan *plan = fleet->plan;
    uint32_t signals = 0;
    while (!is_finished(fleet)) {
        const uint64_t now_us = clock_monotonic_us();
        if (plan->seconds > 0
            && now_us - fleet->start_us >= plan->seconds * 1000000)
            fleet->is_stopping = true;
        if (is_impatient(fleet, now_us))
            return FLEET_IMPATIENT;
        reconnect(fleet, now_us);
        dispatch(fleet, now_us);
        const uint32_t before = signals;
        if (!turn(fleet, &signals))
            return FLEET_BROKEN;
        if (signals == before)
            continue;
        struct signalfd_siginfo info;
        if (signals > 1 || read(stop_fd, &info, sizeof info) < 0)
            return FLEET_STOPPED;
        fleet->is_stopping = true;
    }
    return signals > 0 ? FLEET_STOPPED : FLEET_DONE;
}

static void hang_up(struct fleet *fleet)
{
    const uint64_t now_us = clock_monotonic_us();
    for (uint64_t i = 0; i < fleet->plan->connection_count; i++) {
        struct slot *slot = &fleet->slots[i];
        if (slot->channel.fd >= 0 && slot->dialog.state == DIALOG_READY) {
            bytes_add_text(&slot->out, "QUIT\r\n");
            slot_flush(fleet, slot, now_us);
        }
        if (slot->has_message)
            note_loss(fleet, slot);
        channel_close(&slot->channel);
        bytes_release(&slot->out);
    }
}

static bool fleet_init(struct fleet *fleet, int stop_fd)
{
    const uint64_t count = fleet->plan->connection_count;
    struct epoll_event event = { .events = EPOLLIN };
    fleet->slots = calloc(count, sizeof *fleet->slots);
    fleet->idle = calloc(count, sizeof *fleet->idle);
    if (fleet->slots == NULL || fleet->idle == NULL)
        abort();
    for (uint64_t i = 0; i < count; i++)
        fleet->slots[i].channel.fd = -1;
    fleet->tls = channel_tls_new();
    fleet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fleet->start_us = clock_monotonic_us();
    fleet->progress_us = fleet->start_us;
    return fleet->tls != NULL && fleet->epoll_fd >= 0
           && epoll_ctl(fleet->epoll_fd, EPOLL_CTL_ADD, stop_fd, &event) == 0;
}

static void fleet_release(struct fleet *fleet)
{
    if (fleet->epoll_fd >= 0)
        close(fleet->epoll_fd);
    channel_tls_free(&fleet->tls);
    free(fleet->slots);
    free(fleet->idle);
}

enum fleet_end fleet_run(const struct fleet_plan *plan, int stop_fd,
                         struct ledger *ledger, struct fleet_result *result)
{
    struct fleet fleet = { .plan = plan, .ledger = ledger, .result = result };
    enum fleet_end end = FLEET_BROKEN;
    if (fleet_init(&fleet, stop_fd))
        end = run(&fleet, stop_fd);
    hang_up(&fleet);
    if (!ledger_flush(ledger))
        end = FLEET_BROKEN;
    fleet_release(&fleet);
    return end;
}
