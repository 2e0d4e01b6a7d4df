/*
 * filter.h - which recipients an operator means.
 *
 * Pure. A filter is a list of criteria, and a recipient is meant when all of
 * them match. Its text is what people type, what is stored and what is shown:
 *
 *     filter    = "all" / criterion *( " " criterion )
 *     criterion = name "=" value
 *     value     = 1*( any byte but blank, quote and control )
 *               / DQUOTE *( byte / "\" byte ) DQUOTE
 *
 *     account tenant stream route site pool     names, with '*' (glob.h)
 *     domain recipient sender reply             texts, with '*'
 *     template                                  an id, as of `sendyard template`
 *     code                                      of the last reply: 450, 4*
 *     state                                     ready, waiting, held ...
 *     id                                        message ids; may come again
 *     older younger                             time in the queue: 90m, 2d
 *     attempts                                  3, 2..4, 5.., ..1
 *
 * An empty filter means nobody and is refused; "all" must be said.
 *
 * It is asked about a view of one recipient, made of a message in memory or of
 * one just read from disk alike. Criteria that a whole share of a lane has in
 * common (tenant, stream, site, pool) can be told apart from the others.
 */
#ifndef ROUTER_ACTIONS_FILTER_H
#define ROUTER_ACTIONS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define FILTER_TEXT_MAX 8192u /* bytes; longer ones are a script's mistake */
#define FILTER_IDS_MAX  256u

enum filter_text {
    FILTER_ACCOUNT,
    FILTER_TENANT,
    FILTER_STREAM,
    FILTER_ROUTE,
    FILTER_SITE,
    FILTER_POOL,
    FILTER_DOMAIN,
    FILTER_RECIPIENT,
    FILTER_SENDER,
    FILTER_TEMPLATE,
    FILTER_REPLY,
    FILTER_CODE,
    FILTER_STATE,
    FILTER_TEXTS, /* their number */
};

struct filter {
    struct arena arena; /* of the texts */
    bool all;
    struct slice texts[FILTER_TEXTS]; /* ptr NULL: not asked for */
    uint64_t ids[FILTER_IDS_MAX];
    size_t id_count;
    uint64_t older_ms; /* 0: not asked for */
    uint64_t younger_ms;
    bool has_attempts;
    uint32_t attempts_min;
    uint32_t attempts_max;
};

/* One recipient; texts that are unknown are empty, and match '*' alone. */
struct filter_view {
    struct slice texts[FILTER_TEXTS];
    uint64_t id;
    uint64_t age_ms;
    uint32_t attempts;
};

void filter_init(struct filter *filter);
void filter_release(struct filter *filter);

/* Total over any bytes: RC_OK; RC_SYNTAX, RC_LIMIT with *fault. After a failure
 * the filter may only be released. */
enum rc filter_parse(struct filter *filter, struct slice text,
                     struct fault *fault) must_check;

/* Adds one criterion; the name as above. RC_NONE: there is no such name. */
enum rc filter_set(struct filter *filter, struct slice name, struct slice value,
                   struct fault *fault) must_check;

bool filter_is_empty(const struct filter *filter);

/* Appends the canonical text: filter_parse() reads it back to the same. */
bool filter_format(const struct filter *filter, struct buf *out);

/* Do all criteria match? */
bool filter_match(const struct filter *filter, const struct filter_view *view);

/* Are all of its criteria common to a share of a lane? Then a view of tenant,
 * stream, site and pool decides. */
bool filter_is_of_share(const struct filter *filter);

/* Does it need what only the envelope tells: account, domain, recipient,
 * sender, template? */
bool filter_needs_envelope(const struct filter *filter);

/* Does a view with the envelope's texts missing match all the others? */
bool filter_match_others(const struct filter *filter,
                         const struct filter_view *view);

/* Do the criteria that a share has in common match? Others are not looked at. */
bool filter_match_share(const struct filter *filter,
                        const struct filter_view *view);

/* The name of a criterion; NULL behind the last one. For options and help. */
const char *filter_name(size_t at);

#endif
