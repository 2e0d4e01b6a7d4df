/* book.c - every action that this router knows of. */
#include "router/actions/book.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/actions/ledger.h"

#define LOOK_EACH_MS 1000u

/* Another router's progress. */
struct remote {
    struct list link;
    struct progress progress;
    char router[ACTION_NAME_MAX + 1];
};

struct entry {
    struct list link; /* in book->all, oldest first */
    struct action *action;
    struct progress ours;
    struct list remotes;
    size_t remote_count;
    bool untold; /* the lane thread has not heard of it yet */
};

struct book {
    struct book_options options;
    char *router;
    int folder_fd;
    pthread_mutex_t lock;
    struct list all;
    struct table by_id;
    struct mailbox *notes;
    struct timer *look;
    struct loop *loop;
    bool started;
    bool unwritten; /* here is what the file does not have */
    bool refused;   /* by the disk, and that was said */
    book_change_fn *on_change;
    void *change_context;
};

static void lock(struct book *book)
{
    CHECK(pthread_mutex_lock(&book->lock) == 0);
}

static void unlock(struct book *book)
{
    CHECK(pthread_mutex_unlock(&book->lock) == 0);
}

static bool is_finished(const struct progress *progress)
{
    return progress->state == PROGRESS_DONE
           || progress->state == PROGRESS_CANCELLED;
}

/* Nothing is left to be done for it here. */
static bool is_over(const struct entry *entry, uint64_t utc_ms)
{
    if (entry->action->kind == ACTION_PAUSE)
        return !action_is_live(entry->action, utc_ms);
    return is_finished(&entry->ours);
}

static void drop(struct book *book, struct entry *entry)
{
    (void)table_take(&book->by_id, entry->action->id);
    list_remove(&entry->link);
    for (struct list *link; (link = list_take(&entry->remotes));)
        mem_free(container_of(link, struct remote, link));
    action_free(&entry->action);
    mem_free(entry);
}

/* What is over and past its keeping goes; and the oldest that is over when there
 * is no room. */
static void prune(struct book *book)
{
    const uint64_t utc_ms = time_utc_ms();
    list_each (link, &book->all) {
        struct entry *entry = container_of(link, struct entry, link);
        const bool is_full = book->by_id.count > BOOK_ACTIONS_MAX;
        if (is_over(entry, utc_ms)
            && (is_full || action_is_past(entry->action, utc_ms)))
            drop(book, entry);
    }
}

/* In the order of ids, which is that of time. */
static struct entry *enter(struct book *book, const struct action *action)
{
    struct entry *entry = NEW(struct entry);
    entry->action = action_copy(action);
    list_init(&entry->remotes);
    struct list *where = &book->all;
    while (where->prev != &book->all
           && container_of(where->prev, struct entry, link)->action->id
                  > action->id)
        where = where->prev;
    list_insert(where, &entry->link);
    table_put(&book->by_id, action->id, entry);
    return entry;
}

static enum rc write_down(struct book *book, struct fault *fault)
{
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, LEDGER_BYTES_MAX);
    ledger_begin(&bytes);
    list_each (link, &book->all) {
        const struct entry *entry = container_of(link, struct entry, link);
        if (!ledger_add(&bytes, entry->action, &entry->ours))
            return fault_set(fault, RC_LIMIT, 0, "too many actions");
    }
    return ledger_write(book->folder_fd, buf_slice(&bytes), fault);
}

/* For changes that nobody waits for: tried again until they are written. */
static void keep_written(struct book *book)
{
    struct fault fault;
    const bool was = book->refused;
    book->refused = write_down(book, &fault) != RC_OK;
    book->unwritten = book->refused;
    if (book->refused && !was)
        log_fault(LOG_ERROR, "actions_not_written", &fault);
}

static void tell(struct book *book, struct entry *entry)
{
    entry->untold =
        !book->started
        || !book->options.tell(book->options.tell_context, entry->action);
}

static void announce(struct book *book)
{
    if (book->on_change)
        book->on_change(book->change_context);
}

static void hear_note(void *context, void *item)
{
    struct book *book = context;
    struct book_note *note = item;
    lock(book);
    struct entry *entry = table_get(&book->by_id, note->id);
    if (entry) {
        entry->ours = note->progress;
        if (is_finished(&entry->ours))
            keep_written(book);
        announce(book);
    }
    unlock(book);
    mem_free(note);
}

/* What was put off. */
static void write_and_tell(struct book *book)
{
    if (book->unwritten)
        keep_written(book);
    list_each (link, &book->all) {
        struct entry *entry = container_of(link, struct entry, link);
        if (book->started && entry->untold)
            tell(book, entry);
    }
}

static void look(void *context)
{
    struct book *book = context;
    lock(book);
    const size_t before = book->by_id.count;
    prune(book);
    if (book->by_id.count != before)
        book->unwritten = true;
    write_and_tell(book);
    unlock(book);
    timer_set(book->look, loop_now_ms(book->loop) + LOOK_EACH_MS);
}

static void read_entry(void *context, const struct action *action,
                       const struct progress *progress)
{
    struct book *book = context;
    if (table_get(&book->by_id, action->id))
        return;
    struct entry *entry = enter(book, action);
    entry->ours = *progress;
    entry->untold = true;
}

static void read_ledger(struct book *book)
{
    struct fault fault;
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, LEDGER_BYTES_MAX);
    const enum rc rc = ledger_read(book->folder_fd, &bytes, &fault);
    if (rc == RC_NONE)
        return;
    if (rc != RC_OK)
        log_fault(LOG_ERROR, "actions_not_read", &fault);
    if (ledger_parse(buf_slice(&bytes), read_entry, book) && rc == RC_OK)
        return;
    log_line(LOG_ERROR, "actions_damaged", "kept=%zu aside=actions.damaged",
             book->by_id.count);
    ledger_set_aside(book->folder_fd);
    keep_written(book);
}

struct book *book_open(struct loop *loop, const struct book_options *options,
                       struct fault *fault)
{
    const int fd = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        (void)fault_set(fault, RC_IO, errno, "open %s", options->folder);
        return NULL;
    }
    struct book *book = NEW(struct book);
    book->options = *options;
    book->router = mem_copy_text(options->router, strlen(options->router));
    book->folder_fd = fd;
    book->loop = loop;
    CHECK(pthread_mutex_init(&book->lock, NULL) == 0);
    list_init(&book->all);
    table_init(&book->by_id);
    read_ledger(book);
    prune(book);
    book->notes = mailbox_new(loop, BOOK_NOTES_MAX, hear_note, book);
    book->look = timer_new(loop, look, book);
    timer_set(book->look, loop_now_ms(loop) + LOOK_EACH_MS);
    return book;
}

void book_free(struct book **book)
{
    struct book *freed = steal(*book);
    if (!freed)
        return;
    mailbox_free(&freed->notes);
    timer_free(&freed->look);
    while (!list_is_empty(&freed->all))
        drop(freed, container_of(freed->all.next, struct entry, link));
    table_release(&freed->by_id);
    (void)pthread_mutex_destroy(&freed->lock);
    (void)close(freed->folder_fd);
    mem_free(freed->router);
    mem_free(freed);
}

void book_start(struct book *book)
{
    const uint64_t utc_ms = time_utc_ms();
    lock(book);
    book->started = true;
    list_each (link, &book->all) {
        struct entry *entry = container_of(link, struct entry, link);
        entry->untold = false;
        if (!is_over(entry, utc_ms))
            tell(book, entry);
    }
    unlock(book);
}

struct mailbox *book_mailbox(struct book *book)
{
    return book->notes;
}

void book_on_change(struct book *book, book_change_fn *fn, void *context)
{
    lock(book);
    book->on_change = fn;
    book->change_context = context;
    unlock(book);
}

static enum rc add(struct book *book, const struct action *action,
                   struct fault *fault)
{
    if (book->by_id.count >= BOOK_ACTIONS_MAX)
        prune(book);
    if (book->by_id.count >= (size_t)2 * BOOK_ACTIONS_MAX)
        return fault_set(fault, RC_LIMIT, 0, "too many actions are in force");
    struct entry *entry = enter(book, action);
    const enum rc rc = write_down(book, fault);
    if (rc != RC_OK) {
        drop(book, entry);
        return rc;
    }
    tell(book, entry);
    announce(book);
    return RC_OK;
}

enum rc book_add(struct book *book, const struct action *wanted, uint64_t *id,
                 struct fault *fault)
{
    struct filter filter;
    struct action action = *wanted;
    scoped(buf_release) struct buf text;
    enum rc rc = action_check(&action, fault);
    if (rc != RC_OK)
        return rc;
    buf_init(&text, FILTER_TEXT_MAX);
    filter_init(&filter);
    rc = filter_parse(&filter, action.filter, fault);
    if (rc == RC_OK && !filter_format(&filter, &text))
        rc = fault_set(fault, RC_LIMIT, 0, "the filter is too long");
    filter_release(&filter);
    if (rc != RC_OK)
        return rc;
    action.filter = buf_slice(&text);
    lock(book);
    action.id = book->options.new_id(book->options.id_context);
    action.created_utc_ms = time_utc_ms();
    rc = add(book, &action, fault);
    unlock(book);
    if (rc == RC_OK)
        *id = action.id;
    return rc;
}

/* Replaces the action by a copy that has ended. */
static void end(struct entry *entry, uint64_t utc_ms, struct slice actor)
{
    struct action ended = *entry->action;
    ended.ended_utc_ms = utc_ms;
    ended.ended_by = slice_head(actor, ACTION_NAME_MAX);
    struct action *before = entry->action;
    entry->action = action_copy(&ended);
    action_free(&before);
}

static enum rc end_entry(struct book *book, struct entry *entry,
                         struct slice actor, struct fault *fault)
{
    const uint64_t utc_ms = time_utc_ms();
    if (entry->action->ended_utc_ms > 0 || is_over(entry, utc_ms))
        return fault_set(fault, RC_LIMIT, 0, "it is over already");
    struct action *before = action_copy(entry->action);
    end(entry, utc_ms, actor);
    const enum rc rc = write_down(book, fault);
    if (rc != RC_OK) {
        action_free(&entry->action);
        entry->action = before;
        return rc;
    }
    action_free(&before);
    tell(book, entry);
    announce(book);
    return RC_OK;
}

enum rc book_end(struct book *book, uint64_t id, struct slice actor,
                 struct fault *fault)
{
    lock(book);
    struct entry *entry = table_get(&book->by_id, id);
    const enum rc rc =
        entry ? end_entry(book, entry, actor, fault)
              : fault_set(fault, RC_NONE, 0, "there is no such action");
    unlock(book);
    return rc;
}

/* Older than all that a full book could keep: it was dropped here before. */
static bool is_forgotten(const struct book *book, const struct action *action)
{
    if (book->by_id.count < BOOK_ACTIONS_MAX)
        return false;
    return action->id
           < container_of(book->all.next, struct entry, link)->action->id;
}

void book_merge(struct book *book, const struct action *action)
{
    const uint64_t utc_ms = time_utc_ms();
    lock(book);
    struct entry *entry = table_get(&book->by_id, action->id);
    bool is_news = false;
    if (!entry && !action_is_past(action, utc_ms)
        && !is_forgotten(book, action)) {
        entry = enter(book, action);
        is_news = true;
    } else if (entry && action_is_outdone(entry->action, action)) {
        end(entry, action->ended_utc_ms, action->ended_by);
        is_news = true;
    }
    if (is_news) {
        book->unwritten = true;
        entry->untold = true;
    }
    unlock(book);
}

void book_merged(struct book *book)
{
    lock(book);
    write_and_tell(book);
    unlock(book);
}

static struct remote *remote_of(struct entry *entry, struct slice router)
{
    list_each (link, &entry->remotes) {
        struct remote *remote = container_of(link, struct remote, link);
        if (slice_equal(slice_text(remote->router), router))
            return remote;
    }
    if (entry->remote_count == BOOK_ROUTERS_MAX)
        return NULL;
    struct remote *remote = NEW(struct remote);
    memcpy(remote->router, router.ptr, router.len);
    list_push_back(&entry->remotes, &remote->link);
    entry->remote_count++;
    return remote;
}

void book_merge_progress(struct book *book, uint64_t id, struct slice router,
                         const struct progress *progress)
{
    if (router.len > ACTION_NAME_MAX || router.len == 0
        || slice_equal(router, slice_text(book->router)))
        return;
    lock(book);
    struct entry *entry = table_get(&book->by_id, id);
    struct remote *remote = entry ? remote_of(entry, router) : NULL;
    if (remote)
        remote->progress = *progress;
    unlock(book);
}

void book_each(struct book *book, book_each_fn *fn, void *context)
{
    lock(book);
    list_each (link, &book->all) {
        const struct entry *entry = container_of(link, struct entry, link);
        fn(context, entry->action, &entry->ours);
    }
    unlock(book);
}

static void add_progress(struct json *json, struct slice router,
                         const struct progress *progress)
{
    json_begin_object(json);
    json_add_text(json, "router", router);
    json_add_text(json, "state",
                  slice_text(progress_state_name(progress->state)));
    json_add_number(json, "total", progress->total);
    json_add_number(json, "seen", progress->seen);
    json_add_number(json, "matched", progress->matched);
    json_add_number(json, "done", progress->done);
    json_add_number(json, "busy", progress->busy);
    json_add_number(json, "started_utc_ms", progress->started_utc_ms);
    json_add_number(json, "ended_utc_ms", progress->ended_utc_ms);
    json_end(json);
}

static const char *state_of(const struct entry *entry, uint64_t utc_ms)
{
    if (entry->action->kind != ACTION_PAUSE)
        return entry->action->ended_utc_ms > 0
                   ? "cancelled"
                   : progress_state_name(entry->ours.state);
    if (action_is_live(entry->action, utc_ms))
        return "in force";
    return entry->action->ended_utc_ms > 0 ? "resumed" : "over";
}

static void add_optional(struct json *json, const char *key, struct slice text)
{
    if (text.len > 0)
        json_add_text(json, key, text);
}

static void add_entry(const struct book *book, struct json *json,
                      const struct entry *entry)
{
    char id[ID_TEXT_SIZE];
    const struct action *action = entry->action;
    json_begin_object(json);
    json_add_text(json, "id", slice_text(id_format(action->id, id)));
    json_add_text(json, "action", slice_text(action_kind_name(action->kind)));
    json_add_text(json, "filter", action->filter);
    json_add_text(json, "actor", action->actor);
    add_optional(json, "why", action->why);
    add_optional(json, "route", action->route);
    json_add_text(json, "state", slice_text(state_of(entry, time_utc_ms())));
    json_add_number(json, "created_utc_ms", action->created_utc_ms);
    if (action->until_utc_ms > 0)
        json_add_number(json, "until_utc_ms", action->until_utc_ms);
    if (action->ended_utc_ms > 0)
        json_add_number(json, "ended_utc_ms", action->ended_utc_ms);
    add_optional(json, "ended_by", action->ended_by);
    json_key(json, "routers");
    json_begin_array(json);
    if (action->kind != ACTION_PAUSE)
        add_progress(json, slice_text(book->router), &entry->ours);
    list_each (link, &entry->remotes) {
        const struct remote *remote = container_of(link, struct remote, link);
        add_progress(json, slice_text(remote->router), &remote->progress);
    }
    json_end(json);
    json_end(json);
}

static enum rc add_all(const struct book *book, struct json *json)
{
    json_begin_object(json);
    json_key(json, "actions");
    json_begin_array(json);
    list_each (link, &book->all)
        add_entry(book, json, container_of(link, struct entry, link));
    json_end(json);
    json_end(json);
    return RC_OK;
}

enum rc book_add_json(struct book *book, uint64_t id, struct buf *out)
{
    struct json json;
    enum rc rc = RC_OK;
    json_init(&json, out);
    lock(book);
    const struct entry *entry = id > 0 ? table_get(&book->by_id, id) : NULL;
    if (entry)
        add_entry(book, &json, entry);
    else
        rc = id > 0 ? RC_NONE : add_all(book, &json);
    unlock(book);
    if (rc != RC_OK)
        return rc;
    return out->full ? RC_LIMIT : RC_OK;
}
