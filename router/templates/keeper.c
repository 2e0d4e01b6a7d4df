/* keeper.c - what templates need besides a submission. */
#include "router/templates/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/message_id.h"
#include "router/templates/exchange.h"
#include "router/templates/file.h"
#include "router/templates/recall.h"
#include "router/templates/takings.h"

#define LOOK_EACH_MS  1000u
#define WRITE_EACH_MS MINUTES_MS(10)
#define WRITE_AGAIN   10000u     /* after a failure; milliseconds */
#define TAKINGS_MIN   (1u << 20) /* bytes, before all is written anew */
#define CHANGES_MAX   4096u

/* A state that changed, on its way to the loop's thread. */
struct change {
    enum guard_change why;
    struct template_record record; /* its tenant is below */
    char tenant[];
};

struct keeper {
    struct keeper_options options;
    struct loop *loop;
    struct template_exchange *exchange; /* NULL: there is no Redis to use */
    struct mailbox *changes;
    struct takings *takings;
    struct timer *look;
    int folder_fd;
    uint64_t written_ms;
    size_t written_bytes;
    bool is_written; /* all that the takings' other file has */
    bool is_refused; /* by the disk, and that was said */
};

/* ---- the file ---------------------------------------------------------- */

static void read_all(struct keeper *keeper)
{
    const struct recalled recalled =
        recall(keeper->folder_fd, keeper->options.templates);
    if (recalled.is_damaged) {
        log_line(LOG_ERROR, "templates_damaged", "folder=%s",
                 keeper->options.folder);
        templates_file_set_aside(keeper->folder_fd);
    }
    if (recalled.is_cut)
        log_line(LOG_WARNING, "templates_takings_cut", "folder=%s",
                 keeper->options.folder);
}

/* Once for a time of trouble. */
static void hear_disk(struct keeper *keeper, enum rc rc,
                      const struct fault *fault)
{
    if (rc != RC_OK && !keeper->is_refused)
        log_fault(LOG_ERROR, "templates_not_written", fault);
    keeper->is_refused = rc != RC_OK;
}

static void add_to_file(void *context, const struct template_record *record)
{
    if (recall_is_worth(record))
        (void)templates_file_add(context, record); /* while there is room */
}

static enum rc write_all(struct keeper *keeper, struct fault *fault)
{
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, TEMPLATES_FILE_MAX);
    templates_file_begin(&bytes);
    templates_each_other(keeper->options.templates, add_to_file, &bytes);
    templates_each(keeper->options.templates, add_to_file, &bytes);
    keeper->written_ms = loop_now_ms(keeper->loop);
    keeper->written_bytes = bytes.len;
    return templates_file_write(keeper->folder_fd, buf_slice(&bytes), fault);
}

/* The takings turn first, so that nothing is taken between the two; but not away
 * from a file that no file of all covers. */
static void write_file(struct keeper *keeper)
{
    struct fault fault;
    enum rc rc = RC_OK;
    if (keeper->is_written)
        rc = takings_turn(keeper->takings, &fault);
    if (rc == RC_OK)
        rc = write_all(keeper, &fault);
    keeper->is_written = rc == RC_OK;
    if (rc == RC_OK && !takings_is_whole(keeper->takings))
        rc = takings_turn(keeper->takings, &fault);
    hear_disk(keeper, rc, &fault);
}

static bool is_due(struct keeper *keeper, uint64_t now_ms)
{
    const uint64_t rest_ms = now_ms - keeper->written_ms;
    const size_t bytes = takings_bytes(keeper->takings);
    if (!keeper->is_written || !takings_is_whole(keeper->takings))
        return rest_ms >= WRITE_AGAIN;
    return rest_ms >= WRITE_EACH_MS
           || (bytes > TAKINGS_MIN && bytes > keeper->written_bytes);
}

static void look(void *context)
{
    struct keeper *keeper = context;
    const uint64_t now_ms = loop_now_ms(keeper->loop);
    struct fault fault;
    timer_set(keeper->look, now_ms + LOOK_EACH_MS);
    if (is_due(keeper, now_ms))
        write_file(keeper);
    else if (takings_is_whole(keeper->takings))
        hear_disk(keeper, takings_sync(keeper->takings, &fault), &fault);
}

/* ---- hooks ------------------------------------------------------------- */

/* In any thread. A change that is not taken is in the file before long, and
 * with the others when it changes again. */
static void hear_changed(void *context, const struct template_record *record,
                         enum guard_change why)
{
    struct keeper *keeper = context;
    struct change *change = mem_new(1, sizeof *change + record->tenant.len + 1);
    change->why = why;
    change->record = *record;
    memcpy(change->tenant, record->tenant.ptr, record->tenant.len);
    change->record.tenant = slice_of(change->tenant, record->tenant.len);
    if (!mailbox_post(keeper->changes, change))
        mem_free(change);
}

/* In any thread. */
static bool hear_wished(void *context, struct templates_wish *wish)
{
    struct keeper *keeper = context;
    return keeper->exchange && template_exchange_wish(keeper->exchange, wish);
}

/* In any thread. */
static void hear_taken(void *context, const struct template_record *record)
{
    struct keeper *keeper = context;
    takings_add(keeper->takings, record);
}

static void log_renamed(const struct template_record *record)
{
    char before[ID_TEXT_SIZE];
    char now[ID_TEXT_SIZE];
    log_line(LOG_DEBUG, "template_renamed", "id=%s now=%s",
             id_format(record->template.id, before),
             id_format(record->now, now));
}

static void log_change(const struct change *change)
{
    const struct guard_template *template = &change->record.template;
    const enum judge_state state = guard_state(template);
    char id[ID_TEXT_SIZE];
    log_line(
        state == TEMPLATE_TRIPPED ? LOG_WARNING : LOG_INFO, "template",
        "id=%s tenant=%s state=%s why=%s recipients=%" PRIu32
        " recent=%u delivered=%u bounced=%u complained=%u",
        id_format(template->id, id),
        log_quote(change->record.tenant.ptr, change->record.tenant.len).text,
        guard_state_name(state),
        change->why == GUARD_UNCHANGED ? "told"
                                       : guard_change_name(change->why),
        template->recipients, (unsigned)template->recent,
        (unsigned)template->delivered, (unsigned)template->bounced,
        (unsigned)template->complained);
}

static void change(void *context, void *item)
{
    struct keeper *keeper = context;
    struct change *change = item;
    const bool is_tripped =
        guard_state(&change->record.template) == TEMPLATE_TRIPPED;
    if (change->record.now != 0)
        log_renamed(&change->record);
    else
        log_change(change);
    takings_add(keeper->takings, &change->record);
    if (keeper->exchange)
        template_exchange_put(keeper->exchange, &change->record);
    if (is_tripped && keeper->options.tripped)
        keeper->options.tripped(keeper->options.context, &change->record,
                                change->why);
    mem_free(change);
}

/* News of another router. */
static void hear_news(void *context, const struct template_record *record)
{
    struct keeper *keeper = context;
    takings_add(keeper->takings, record);
}

/* ---- */

static void open_exchange(struct keeper *keeper)
{
    struct fault fault;
    const struct template_exchange_options options = {
        .templates = keeper->options.templates,
        .redis = keeper->options.redis,
        .prefix = keeper->options.prefix,
        .max_templates = keeper->options.max_templates,
        .heard = hear_news,
        .context = keeper,
    };
    if (!options.redis.url)
        return;
    keeper->exchange = template_exchange_new(keeper->loop, &options, &fault);
    if (!keeper->exchange)
        log_fault(LOG_ERROR, "templates_not_shared", &fault);
}

struct keeper *keeper_new(struct loop *loop,
                          const struct keeper_options *options,
                          struct fault *fault)
{
    const int fd = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        (void)fault_set(fault, RC_IO, errno, "open %s", options->folder);
        return NULL;
    }
    struct keeper *keeper = NEW(struct keeper);
    keeper->options = *options;
    keeper->loop = loop;
    keeper->folder_fd = fd;
    keeper->takings = takings_new(fd);
    keeper->changes = mailbox_new(loop, CHANGES_MAX, change, keeper);
    read_all(keeper);
    write_file(keeper);
    open_exchange(keeper);
    keeper->look = timer_new(loop, look, keeper);
    timer_set(keeper->look, loop_now_ms(loop) + LOOK_EACH_MS);
    const struct templates_hooks hooks = {
        .changed = hear_changed,
        .wished = hear_wished,
        .taken = hear_taken,
        .context = keeper,
    };
    templates_tell(options->templates, &hooks);
    return keeper;
}

void keeper_free(struct keeper **keeper)
{
    struct keeper *freed = steal(*keeper);
    if (!freed)
        return;
    templates_tell(freed->options.templates, NULL);
    write_file(freed);
    mailbox_free(&freed->changes);
    template_exchange_free(&freed->exchange);
    timer_free(&freed->look);
    takings_free(&freed->takings);
    (void)close(freed->folder_fd);
    mem_free(freed);
}
