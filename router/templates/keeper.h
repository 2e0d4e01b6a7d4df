/*
 * keeper.h - what templates need besides a submission: a file, others, a log.
 *
 *     submission, dispatch --templates--> hooks --> the loop's thread:
 *         file (file.h)   other routers (exchange.h)   what trips is told
 *
 * What outlives a restart: of every template that is more than new, or has taken
 * of a budget, its state, its history, its peak and what it has taken; and what
 * was taken of the tenants' pots. The file of them all is written every ten
 * minutes, when the takings (takings.h) have grown as large, and at the end; what is
 * taken and what changes state is among them at once. So a process that is
 * killed forgets of budgets nothing, and a machine that loses its power what
 * came in the last second; of outcomes, recipients and peaks, which only the
 * file has, both forget what came since it was written. Shares that were not
 * used up are lost, and who had a template before counts once more.
 *
 * A damaged file never stops the start: whole records count, and the file of
 * all is set aside.
 */
#ifndef ROUTER_TEMPLATES_KEEPER_H
#define ROUTER_TEMPLATES_KEEPER_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"
#include "common/edge/store.h"
#include "router/templates/templates.h"

struct keeper;

struct keeper_options {
    struct templates *templates; /* must outlive the keeper */
    const char *folder;          /* of the spool; ours alone */
    struct store_place redis;
    const char *prefix;
    uint32_t max_templates;
    /* A template tripped here; GUARD_UNCHANGED: the operator said so. In the
     * loop's thread. */
    void (*tripped)(void *context, const struct template_record *record,
                    enum guard_change why);
    void *context;
};

/* Reads the file. NULL only when the folder cannot be opened. Without a usable
 * place of Redis it keeps to itself. */
struct keeper *keeper_new(struct loop *loop,
                          const struct keeper_options *options,
                          struct fault *fault) must_check;

/* Writes the file. No other thread may use the templates any more. */
void keeper_free(struct keeper **keeper);

#endif
