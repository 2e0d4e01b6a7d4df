/* explain.c - what would happen to a message, and why. */
#include "router/control/explain.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/idn.h"
#include "common/proto/addresses.h"
#include "common/proto/header.h"
#include "common/proto/path.h"
#include "router/control/api.h"
#include "router/control/asker.h"
#include "router/control/client.h"
#include "router/control/destinations.h"
#include "router/control/options.h"
#include "router/control/status.h"
#include "router/submission/acceptance.h"
#include "router/submission/subaddress.h"

#define MESSAGE_MAX (128u << 20)

/* One explanation under way. */
struct explain {
    const struct options *options;
    struct conf *conf;
    const struct conf_account *account;
    const struct conf_listener *listener; /* NULL: none was named */
    struct subaddress tag;                /* of the recipient */
    struct buf message;
    struct header_split split;
    bool is_header_cut;
    struct slice mail_from;
    struct path to;
    char domain[IDN_DOMAIN_SIZE]; /* of the recipient, as the DNS has it */
    FILE *out;
    FILE *err;
};

static bool read_message(struct explain *explain, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        (void)fprintf(explain->err, "%s: cannot be opened\n", path);
        return false;
    }
    buf_init(&explain->message, MESSAGE_MAX);
    bool is_read = true;
    for (size_t got = 1; got > 0 && is_read;) {
        char *room = buf_room(&explain->message, 65536);
        got = room ? fread(room, 1, 65536, file) : 0;
        buf_added(&explain->message, got);
        is_read = room != NULL && ferror(file) == 0;
    }
    (void)fclose(file);
    if (!is_read)
        (void)fprintf(explain->err, "%s: cannot be read whole\n", path);
    /* A header that ends badly is for acceptance to judge. */
    explain->is_header_cut =
        header_split(buf_slice(&explain->message), &explain->split) != RC_OK;
    return is_read;
}

/* --from, else the first address of the From field. */
static void find_sender(struct explain *explain)
{
    if (explain->options->from) {
        explain->mail_from = slice_text(explain->options->from);
        return;
    }
    struct cursor cursor = cursor_of(explain->split.header);
    struct header_field field;
    struct addresses addresses;
    struct address address;
    if (!header_find(&cursor, SLICE("From"), &field))
        return;
    addresses_init(&addresses, field.value);
    if (addresses_next(&addresses, &address) == RC_OK)
        explain->mail_from = slice_of(
            address.local.ptr, address.local.len + 1 + address.domain.len);
}

static bool find_recipient(struct explain *explain)
{
    if (path_from_text(slice_text(explain->options->to), &explain->to)
        != RC_OK) {
        (void)fprintf(explain->err, "--to %s is no address\n",
                      explain->options->to);
        return false;
    }
    subaddress_read(explain->conf, explain->account, explain->to.whole,
                    &explain->tag);
    if (idn_to_ascii(explain->to.domain, explain->domain))
        return true;
    (void)fprintf(explain->err, "--to %s has no domain\n",
                  explain->options->to);
    return false;
}

static bool find_account(struct explain *explain)
{
    const struct conf *conf = explain->conf;
    const char *name = explain->options->account;
    if (!name && conf->account_count > 0)
        explain->account = &conf->accounts[0];
    else if (name)
        explain->account = conf_account(conf, slice_text(name));
    if (!explain->account)
        (void)fprintf(explain->err, "the config has no account \"%s\"\n",
                      name ? name : "");
    return explain->account != NULL;
}

static bool find_listener(struct explain *explain)
{
    const struct conf *conf = explain->conf;
    const char *name = explain->options->listener;
    for (size_t i = 0; name && i < conf->listener_count; i++)
        if (strcmp(conf->listeners[i].name, name) == 0)
            explain->listener = &conf->listeners[i];
    if (!name || explain->listener)
        return true;
    (void)fprintf(explain->err, "the config has no listener \"%s\"\n", name);
    return false;
}

static void say(const struct explain *explain, const char *what,
                const char *value)
{
    (void)fprintf(explain->out, "%-12s %s\n", what, value);
}

/* "(file:line)" and the line's end; "(default)" for what nobody wrote. */
static void end_with_place(const struct explain *explain,
                           const struct conf_place *place)
{
    if (place->line == 0)
        (void)fprintf(explain->out, "  (%s)\n", place->file);
    else
        (void)fprintf(explain->out, "  (%s:%u)\n", place->file, place->line);
}

static void say_at(const struct explain *explain, const char *what,
                   const char *value, const struct conf_place *place)
{
    (void)fprintf(explain->out, "%-12s %s", what, value);
    end_with_place(explain, place);
}

static void say_judgement(const struct explain *explain,
                          const struct acceptance *acceptance)
{
    struct buf reasons;
    buf_init(&reasons, 4096);
    judge_reasons_text(&acceptance->judgement, &reasons);
    say_at(explain, "stream", acceptance->stream->name,
           &acceptance->stream->place);
    (void)fprintf(explain->out, "%-12s %.*s\n", "because",
                  SLICE_ARG(buf_slice(&reasons)));
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++) {
        uint32_t per_mille = acceptance->judgement.per_mille[kind];
        (void)fprintf(explain->out, "%-12s %u.%u %% %s\n",
                      kind == 0 ? "found" : "", per_mille / 10, per_mille % 10,
                      judge_kind_name((enum judge_kind)kind));
    }
    buf_release(&reasons);
}

static void say_pool(const struct explain *explain,
                     const struct conf_pool *pool)
{
    say_at(explain, "pool", pool->name, &pool->place);
    for (size_t i = 0; i < pool->member_count; i++) {
        const struct conf_member *member = &pool->members[i];
        const char *address6 = member->source->address6;
        (void)fprintf(explain->out,
                      "%-12s %s %s%s%s as %s, weight %" PRIu32 "\n", "  source",
                      member->source->name, member->source->address,
                      address6 ? " and " : "", address6 ? address6 : "",
                      member->source->ehlo, member->weight);
    }
}

static void say_route(const struct explain *explain,
                      const struct route_answer *route)
{
    say_at(explain, "route", route->route->name, &route->route->place);
    if (route->match)
        say_at(explain, "  by", "its match rule", &route->match->place);
    else
        say(explain, "  by", "the stream's route");
    say_pool(explain, route->route->pool);
    if (route->route->fallback)
        say_at(explain, "  fallback", route->route->fallback->name,
               &route->route->fallback->place);
}

static const struct conf_provider *find_provider(const struct conf *conf,
                                                 struct slice name)
{
    for (size_t i = 0; i < conf->provider_count; i++)
        if (slice_equal(slice_text(conf->providers[i].name), name))
            return &conf->providers[i];
    return NULL;
}

static void format_limit(enum conf_limit_kind kind,
                         const struct conf_limit *limit, struct buf *text)
{
    if (kind == LIMIT_MAX_MSG_RATE || kind == LIMIT_MAX_CONNECT_RATE) {
        if (limit->rate.count == 0)
            (void)buf_add_text(text, "no limit");
        else
            (void)buf_addf(text, "%" PRIu32 " in %" PRIu64 " ms",
                           limit->rate.count, limit->rate.window_ms);
    } else if (kind == LIMIT_RETRY_AFTER) {
        (void)buf_add_text(text, limit->schedule->text);
    } else if (kind == LIMIT_RETRY_AS_ASKED || kind == LIMIT_CHUNKING) {
        (void)buf_add_text(text, limit->number ? "true" : "false");
    } else if (kind == LIMIT_CONVERT_8BIT) {
        static const char *const words[] = { "unsigned", "always", "never" };
        (void)buf_add_text(text, words[limit->number]);
    } else if (kind == LIMIT_RETRY_SAME_SOURCE) {
        static const char *const words[] = { "never", "greylisted", "always" };
        (void)buf_add_text(text, words[limit->number]);
    } else if (kind == LIMIT_ADDRESS_PREFERENCE) {
        static const char *const words[] = { "ipv6", "ipv4" };
        (void)buf_add_text(text, words[limit->number]);
    } else if (kind >= LIMIT_CONNECT_TIMEOUT) {
        (void)buf_addf(text, "%" PRIu64 " ms", limit->number);
    } else if (kind == LIMIT_TLS) {
        static const char *const words[] = { "opportunistic", "required",
                                             "off" };
        (void)buf_add_text(text, words[limit->number]);
    } else {
        (void)buf_add_number(text, limit->number);
    }
}

static void say_limits(const struct explain *explain, struct slice provider)
{
    (void)fprintf(explain->out, "limits, per source and site\n");
    for (unsigned kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
        const struct conf_limit *limit =
            conf_limit(explain->conf, (enum conf_limit_kind)kind,
                       slice_text(explain->domain),
                       find_provider(explain->conf, provider));
        struct buf text;
        buf_init(&text, 1024);
        format_limit((enum conf_limit_kind)kind, limit, &text);
        (void)fprintf(explain->out, "  %-28s %.*s",
                      conf_limit_name((enum conf_limit_kind)kind),
                      SLICE_ARG(buf_slice(&text)));
        end_with_place(explain, &limit->place);
        buf_release(&text);
    }
}

/* The waits in force, and whose they are. */
static void say_retry(const struct explain *explain,
                      const struct conf_stream *stream,
                      const struct conf_route *route, struct slice provider)
{
    const struct conf_retry retry =
        conf_retry(explain->conf, stream, route, slice_text(explain->domain),
                   find_provider(explain->conf, provider));
    (void)fprintf(explain->out, "%-12s %s  (%s%s%s)\n", "retry",
                  retry.schedule->text, retry.by, retry.name ? " " : "",
                  retry.name ? retry.name : "");
}

/* What the running router knows: who holds a source and could send now. */
static void say_holders(const struct explain *explain, struct slice site)
{
    const struct conf_router *router =
        options_router(explain->options, explain->conf, explain->err);
    if (!router)
        return;
    struct buf path;
    struct buf json;
    struct fault fault;
    char socket[API_PATH_MAX];
    char name[SITE_NAME_MAX + 1];
    unsigned status = 0;
    (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(site));
    buf_init(&path, 4096);
    buf_init(&json, 1u << 20);
    (void)buf_add_text(&path, "/v1/holders?site=");
    client_encode(&path, name);
    (void)buf_add_byte(&path, '\0');
    api_socket_path(explain->conf, router, socket);
    const struct client_request request = {
        .socket_path = socket,
        .method = "GET",
        .path = buf_slice(&path).ptr,
    };
    enum rc rc = client_ask(&request, &status, &json, &fault);
    if (rc != RC_OK)
        (void)fprintf(explain->out, "%-12s the router is not running here\n",
                      "holders");
    else if (status != 200)
        (void)fprintf(explain->out, "%-12s nothing is queued for it now\n",
                      "holders");
    else
        status_print_holders(buf_slice(&json), explain->out);
    buf_release(&path);
    buf_release(&json);
}

static void say_destination(const struct explain *explain,
                            const struct conf_stream *stream,
                            const struct conf_route *route,
                            const struct mx_answer *answer)
{
    if (answer->kind != MX_FOUND) {
        (void)fprintf(explain->out, "%-12s %s, %u.%u.%u %s\n", "receiver",
                      answer->kind == MX_FAILED ? "none, it would bounce"
                                                : "not known, it would wait",
                      answer->status.class, answer->status.subject,
                      answer->status.detail, answer->text);
        return;
    }
    const struct destination *destination = answer->destination;
    (void)fprintf(explain->out, "%-12s %.*s\n", "site",
                  SLICE_ARG(destination->site));
    for (size_t i = 0; i < destination->host_count; i++)
        (void)fprintf(explain->out, "%-12s %u %.*s\n", "  mx",
                      destination->hosts[i].preference,
                      SLICE_ARG(destination->hosts[i].name));
    say_retry(explain, stream, route, destination->provider);
    say_limits(explain, destination->provider);
    say_holders(explain, destination->site);
}

static int explain_receiver(const struct explain *explain,
                            const struct conf_stream *stream,
                            const struct conf_route *route)
{
    struct fault fault;
    struct destinations *destinations = destinations_new(explain->conf, &fault);
    if (!destinations) {
        (void)fprintf(explain->err, "%s\n", fault.text);
        return EX_UNAVAILABLE;
    }
    struct mx_answer answer;
    destinations_ask(destinations, slice_text(explain->domain), &answer);
    say_destination(explain, stream, route, &answer);
    destinations_free(&destinations);
    return EX_OK;
}

static int explain_message(const struct explain *explain)
{
    struct policy *policy = policy_new(explain->conf);
    struct sketcher *sketcher = sketcher_new();
    const struct conf_router *router =
        options_router(explain->options, explain->conf, explain->err);
    struct asker *asker = router ? asker_new(explain->conf, router) : NULL;
    if (!policy->judge.model)
        (void)fprintf(explain->err, "%s\n", policy->fault.text);
    const struct envelope_recipient recipient = { .address =
                                                      explain->tag.address };
    const struct acceptance_question question = {
        .conf = explain->conf,
        .policy = policy,
        .sketcher = sketcher,
        .account = explain->account,
        .listener = explain->listener,
        .tagged = explain->tag.stream,
        .mail_from = explain->mail_from,
        .recipients = &recipient,
        .recipient_count = 1,
        .header = explain->split.header,
        .is_header_cut = explain->is_header_cut,
        .text = explain->split.body,
        .asker = asker_trial(asker),
        .now_utc_ms = time_utc_ms(),
    };
    struct acceptance *acceptance = NEW(struct acceptance);
    struct route_answer route;
    acceptance_decide(&question, acceptance, &route);
    say_at(explain, "account", explain->account->name,
           &explain->account->place);
    if (explain->listener)
        say_at(explain, "listener", explain->listener->name,
               &explain->listener->place);
    if (explain->tag.address.len < explain->to.whole.len)
        (void)fprintf(explain->out, "%-12s %.*s\n", "recipient",
                      SLICE_ARG(explain->tag.address));
    int code = EX_OK;
    if (acceptance->is_allowed) {
        say_judgement(explain, acceptance);
        if (asker)
            asker_say(asker, acceptance->template, explain->out);
        say_route(explain, &route);
        code = explain_receiver(explain, acceptance->stream, route.route);
    } else {
        (void)fprintf(explain->out, "%-12s %u %u.%u.%u %s\n", "refused",
                      acceptance->code, acceptance->enhanced.class,
                      acceptance->enhanced.subject, acceptance->enhanced.detail,
                      acceptance->text);
    }
    asker_free(&asker);
    mem_free(acceptance);
    sketcher_free(&sketcher);
    policy_free(&policy);
    return code;
}

int command_explain(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count != 1 || !options.to) {
        (void)fprintf(err, "usage: sendyard explain [--config FILE] "
                           "[--account NAME] [--listener NAME]\n"
                           "           [--from ADDRESS] FILE.eml --to "
                           "ADDRESS\n");
        return EX_USAGE;
    }
    struct explain explain = { .options = &options, .out = out, .err = err };
    explain.conf = options_load(&options, err);
    if (!explain.conf)
        return EX_CONFIG;
    int code = EX_DATAERR;
    if (find_account(&explain) && find_listener(&explain)
        && find_recipient(&explain)
        && read_message(&explain, options.words[0])) {
        find_sender(&explain);
        code = explain_message(&explain);
    }
    buf_release(&explain.message);
    conf_release(&explain.conf);
    return code;
}
