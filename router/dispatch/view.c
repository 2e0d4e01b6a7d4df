/* view.c - what a filter is asked about. */
#include "router/dispatch/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/proto/message_id.h"
#include "router/dispatch/place.h"
#include "router/templates/templates.h"

#define CODE_SIZE 8

struct view {
    struct filter_view filter;
    char code[CODE_SIZE]; /* of filter.texts[FILTER_CODE] */
    char template[ID_TEXT_SIZE];
};

struct slice view_route(const struct dispatch *dispatch, const struct job *job)
{
    return slice_text(dispatch->conf->routes[job->route].name);
}

struct slice view_state(const struct job *job)
{
    const bool is_closed = job->state == JOB_READY && job->lane->closed > 0
                           && lane_has_closed(job->lane, job);
    return slice_text(job_state_name(is_closed ? JOB_PAUSED : job->state));
}

struct filter_view view_share(const struct dispatch *dispatch,
                              const struct lane *lane, uint16_t stream,
                              uint32_t tenant)
{
    struct filter_view view = { .id = 0 };
    view.texts[FILTER_POOL] = lane->pool_name;
    view.texts[FILTER_SITE] = lane->site;
    view.texts[FILTER_TENANT] = names_text(&dispatch->lanes.tenants, tenant);
    view.texts[FILTER_STREAM] =
        slice_text(dispatch->conf->streams[stream].name);
    return view;
}

static struct slice pool_of(const struct dispatch *dispatch,
                            const struct job *job)
{
    if (job->lane && job->state != JOB_BOUNCING)
        return job->lane->pool_name;
    const struct conf_route *route = &dispatch->conf->routes[job->route];
    return slice_text(pools_for_route(&dispatch->pools, route)->name);
}

/* All but what add_recipient() adds. Age is up to `utc_ms`. */
static void view_job(struct dispatch *dispatch, const struct job *job,
                     uint64_t utc_ms, struct view *view)
{
    const uint64_t born_ms = id_utc_ms(job->queued->id);
    struct filter_view *filter = &view->filter;
    *view = (struct view){ .code = "" };
    for (size_t i = 0; i < FILTER_TEXTS; i++)
        filter->texts[i] = SLICE("");
    filter->id = job->queued->id;
    filter->age_ms = utc_ms > born_ms ? utc_ms - born_ms : 0;
    filter->attempts = job->attempts;
    filter->texts[FILTER_TENANT] =
        names_text(&dispatch->lanes.tenants, job->tenant);
    filter->texts[FILTER_STREAM] =
        slice_text(dispatch->conf->streams[job->stream].name);
    filter->texts[FILTER_ROUTE] = view_route(dispatch, job);
    filter->texts[FILTER_POOL] = pool_of(dispatch, job);
    filter->texts[FILTER_STATE] = view_state(job);
    if (job->destination)
        filter->texts[FILTER_SITE] = job->destination->site;
    else if (job->lane)
        filter->texts[FILTER_SITE] = job->lane->site;
}

/* The id of the envelope's template; where the filter names the same template
 * by another id that it has or had, that one. */
static struct slice template_of(const struct dispatch *dispatch,
                                const struct filter *filter,
                                const struct envelope *envelope,
                                char text[ID_TEXT_SIZE])
{
    struct templates *templates = dispatch->options.templates;
    const struct slice asked = filter->texts[FILTER_TEMPLATE];
    uint64_t id = 0;
    if (envelope->template == 0)
        return SLICE("");
    if (templates && asked.ptr && id_parse(asked, &id)
        && templates_resolve(templates, id)
               == templates_resolve(templates, envelope->template))
        return asked;
    return slice_text(id_format(envelope->template, text));
}

/* The last reply, and with an envelope (NULL: not needed) what it tells. */
static void add_recipient(struct view *view, const struct envelope *envelope,
                          const struct job_recipient *recipient)
{
    struct slice *texts = view->filter.texts;
    const struct job_note *note = recipient->note;
    view->code[0] = '\0';
    if (note && note->code > 0)
        (void)snprintf(view->code, sizeof view->code, "%u",
                       (unsigned)note->code);
    texts[FILTER_CODE] = slice_text(view->code);
    texts[FILTER_REPLY] = job_note_text(note);
    if (!envelope)
        return;
    const struct slice address = envelope->recipients[recipient->index].address;
    texts[FILTER_ACCOUNT] = envelope->account;
    texts[FILTER_SENDER] = envelope->mail_from;
    texts[FILTER_RECIPIENT] = address;
    texts[FILTER_DOMAIN] = place_domain_of(address);
}

const bool *view_match(struct dispatch *dispatch, struct job *job,
                       const struct filter *filter, uint64_t utc_ms,
                       size_t *count)
{
    struct view view;
    const struct envelope *envelope = NULL;
    bool *match = NULL;
    const struct job_recipient *recipients = job_recipients(job);
    *count = 0;
    view_job(dispatch, job, utc_ms, &view);
    for (size_t i = 0; i < job->recipient_count; i++) {
        add_recipient(&view, envelope, &recipients[i]);
        if (!filter_match_others(filter, &view.filter))
            continue;
        if (!envelope && filter_needs_envelope(filter)) {
            envelope = dispatch_open(dispatch, job->queued);
            view.filter.texts[FILTER_TEMPLATE] =
                template_of(dispatch, filter, envelope, view.template);
            add_recipient(&view, envelope, &recipients[i]);
        }
        if (!filter_match(filter, &view.filter))
            continue;
        if (!match)
            match = arena_new(&dispatch->scratch, job->recipient_count, 1);
        CHECK(match); /* as for outcome.c: made for the largest envelope */
        match[i] = true;
        (*count)++;
    }
    return match;
}
