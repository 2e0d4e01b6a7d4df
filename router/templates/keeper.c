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

#define LOOK_EACH_MS  1000u
#define WRITE_EACH_MS MINUTES_MS(10)
#define REST_BYTES    (256u << 10) /* a second of rest for each so many */
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
    struct timer *look;
    int folder_fd;
    uint64_t written_ms;
    size_t written_bytes;
    bool is_unwritten;
    bool is_refused; /* by the disk, and that was said */
};

/* ---- the file ---------------------------------------------------------- */

static void restore(void *context, const struct template_record *record)
{
    struct keeper *keeper = context;
    (void)templates_merge(keeper->options.templates, record);
}

static void read_file(struct keeper *keeper)
{
    struct fault fault;
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, TEMPLATES_FILE_MAX);
    const enum rc rc = templates_file_read(keeper->folder_fd, &bytes, &fault);
    if (rc == RC_NONE)
        return;
    if (rc == RC_OK && templates_file_parse(buf_slice(&bytes), restore, keeper))
        return;
    log_line(LOG_ERROR, "templates_damaged", "bytes=%zu", bytes.len);
    templates_file_set_aside(keeper->folder_fd);
}

static void add_to_file(void *context, const struct template_record *record)
{
    if (guard_state(&record->template) == TEMPLATE_NEW
        && !template_has_changed(&record->template))
        return;
    (void)templates_file_add(context, record); /* as many as there is room */
}

static void write_file(struct keeper *keeper)
{
    struct fault fault;
    const bool was_refused = keeper->is_refused;
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, TEMPLATES_FILE_MAX);
    templates_file_begin(&bytes);
    templates_each(keeper->options.templates, add_to_file, &bytes);
    keeper->is_refused =
        templates_file_write(keeper->folder_fd, buf_slice(&bytes), &fault)
        != RC_OK;
    keeper->is_unwritten = keeper->is_refused;
    keeper->written_ms = loop_now_ms(keeper->loop);
    keeper->written_bytes = bytes.len;
    if (keeper->is_refused && !was_refused)
        log_fault(LOG_ERROR, "templates_not_written", &fault);
}

static void look(void *context)
{
    struct keeper *keeper = context;
    const uint64_t now_ms = loop_now_ms(keeper->loop);
    /* A large file is not written for each change. */
    const uint64_t rest_ms = keeper->written_bytes / REST_BYTES * 1000;
    timer_set(keeper->look, now_ms + LOOK_EACH_MS);
    if ((keeper->is_unwritten && now_ms >= keeper->written_ms + rest_ms)
        || now_ms >= keeper->written_ms + WRITE_EACH_MS)
        write_file(keeper);
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

static void change(void *context, void *item)
{
    struct keeper *keeper = context;
    struct change *change = item;
    const struct guard_template *template = &change->record.template;
    const enum judge_state state = guard_state(template);
    const bool is_tripped = state == TEMPLATE_TRIPPED;
    char id[ID_TEXT_SIZE];
    log_line(
        is_tripped ? LOG_WARNING : LOG_INFO, "template",
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
    keeper->is_unwritten = true;
    if (keeper->exchange)
        template_exchange_put(keeper->exchange, &change->record);
    if (is_tripped && keeper->options.tripped)
        keeper->options.tripped(keeper->options.context, &change->record);
    mem_free(change);
}

/* News of another router. */
static void hear_news(void *context)
{
    struct keeper *keeper = context;
    keeper->is_unwritten = true;
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
    keeper->written_ms = loop_now_ms(loop);
    keeper->changes = mailbox_new(loop, CHANGES_MAX, change, keeper);
    read_file(keeper);
    open_exchange(keeper);
    keeper->look = timer_new(loop, look, keeper);
    timer_set(keeper->look, keeper->written_ms + LOOK_EACH_MS);
    const struct templates_hooks hooks = {
        .changed = hear_changed,
        .wished = hear_wished,
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
    (void)close(freed->folder_fd);
    mem_free(freed);
}
