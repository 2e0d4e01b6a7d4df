/* recall.c - what the files of a spool's folder keep of templates. */
#include "router/templates/recall.h"

#include "common/base/time.h"
#include "router/templates/file.h"
#include "router/templates/takings.h"

bool recall_is_worth(const struct template_record *record)
{
    const struct guard_template *template = &record->template;
    const uint64_t now_ms = time_utc_ms();
    if (record->now != 0 || template_has_changed(template)
        || (template->id != 0 && guard_state(template) != TEMPLATE_NEW))
        return true;
    return !allowance_is_idle(&record->taken, now_ms)
           || !allowance_is_idle(&record->pot, now_ms);
}

static void restore(void *context, const struct template_record *record)
{
    if (recall_is_worth(record))
        templates_restore(context, record, time_utc_ms());
}

struct recalled recall(int folder_fd, struct templates *templates)
{
    struct fault fault;
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, TEMPLATES_FILE_MAX);
    const enum rc rc = templates_file_read(folder_fd, &bytes, &fault);
    struct recalled recalled = { .is_kept = rc != RC_NONE };
    if (recalled.is_kept)
        recalled.is_damaged =
            rc != RC_OK
            || !templates_file_parse(buf_slice(&bytes), restore, templates);
    recalled.is_cut = !takings_read(folder_fd, restore, templates);
    return recalled;
}
