/* operate.c - looking at queued mail, and doing something with it. */
#include "router/control/operate.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/proto/json.h"
#include "router/control/asking.h"
#include "router/control/client.h"
#include "router/control/order.h"
#include "router/control/showing.h"
#include "router/control/status.h"

#define PATH_BYTES_MAX ((size_t)4 * FILTER_TEXT_MAX)
#define ACTOR_SIZE     64
#define LOOK_EACH_US   300000u

typedef void show_fn(const struct value *root, FILE *out);

/* Who types this. */
static void find_actor(char actor[ACTOR_SIZE])
{
    char memory[4096];
    struct passwd entry;
    struct passwd *found = NULL;
    const uid_t uid = getuid();
    if (getpwuid_r(uid, &entry, memory, sizeof memory, &found) == 0 && found)
        (void)snprintf(actor, ACTOR_SIZE, "%s", entry.pw_name);
    else
        (void)snprintf(actor, ACTOR_SIZE, "uid %u", (unsigned)uid);
}

static void show(const struct asking *asking, bool json, show_fn *fn, FILE *out)
{
    if (json)
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
    else
        fn(answer_root(asking->answer), out);
}

/* A GET or DELETE of `path` and one more part. */
static int ask_part(struct asking *asking, const char *method, const char *path,
                    const char *part)
{
    scoped(buf_release) struct buf whole;
    buf_init(&whole, PATH_BYTES_MAX);
    (void)buf_add_text(&whole, path);
    client_encode(&whole, part);
    if (strcmp(method, "DELETE") == 0) {
        char actor[ACTOR_SIZE];
        find_actor(actor);
        (void)buf_add_text(&whole, "?actor=");
        client_encode(&whole, actor);
    }
    (void)buf_add_byte(&whole, '\0');
    return asking_do(asking, method, buf_slice(&whole).ptr, SLICE(""));
}

static int list(struct asking *asking, const struct order *order, FILE *out)
{
    scoped(buf_release) struct buf filter;
    scoped(buf_release) struct buf path;
    buf_init(&filter, FILTER_TEXT_MAX + 1);
    buf_init(&path, PATH_BYTES_MAX);
    (void)buf_add(&filter, order->filter.len > 0 ? buf_slice(&order->filter)
                                                 : SLICE("all"));
    (void)buf_add_byte(&filter, '\0');
    (void)buf_add_text(&path, "/v1/queue/list?filter=");
    client_encode(&path, buf_slice(&filter).ptr);
    if (order->limit) {
        (void)buf_add_text(&path, "&limit=");
        client_encode(&path, order->limit);
    }
    if (order->after) {
        (void)buf_add_text(&path, "&after=");
        client_encode(&path, order->after);
    }
    (void)buf_add_byte(&path, '\0');
    const int code = asking_do(asking, "GET", buf_slice(&path).ptr, SLICE(""));
    if (code == EX_OK)
        show(asking, order->options.json, showing_list, out);
    return code;
}

static void add_optional(struct json *json, const char *key, const char *text)
{
    if (text)
        json_add_text(json, key, slice_text(text));
}

static int post(struct asking *asking, const struct order *order, bool dry_run)
{
    struct json json;
    char actor[ACTOR_SIZE];
    scoped(buf_release) struct buf body;
    buf_init(&body, PATH_BYTES_MAX);
    find_actor(actor);
    json_init(&json, &body);
    json_begin_object(&json);
    json_add_text(&json, "action", slice_text(action_kind_name(order->kind)));
    json_add_text(&json, "filter", buf_slice(&order->filter));
    json_add_text(&json, "actor", slice_text(actor));
    add_optional(&json, "why", order->why);
    add_optional(&json, "route", order->route);
    if (order->for_ms > 0)
        json_add_number(&json, "for_ms", order->for_ms);
    if (dry_run)
        json_add_bool(&json, "dry_run", true);
    json_end(&json);
    return asking_do(asking, "POST", "/v1/actions", buf_slice(&body));
}

static bool is_dangerous(enum action_kind kind)
{
    return kind == ACTION_EXPIRE || kind == ACTION_BOUNCE
           || kind == ACTION_DELETE;
}

/* Says how much is meant, and hears whether that is right. */
static int confirm(struct asking *asking, const struct order *order, FILE *out)
{
    char line[16];
    const int code = post(asking, order, true);
    if (code != EX_OK)
        return code;
    const struct value *root = answer_root(asking->answer);
    (void)fprintf(out,
                  "%s: %" PRIu64 " messages with %" PRIu64
                  " recipients match on router %s%s\n",
                  action_kind_name(order->kind), value_number(root, "matched"),
                  value_number(root, "recipients"), value_text(root, "router"),
                  asking->conf->router_count > 1
                      ? ", and perhaps more on the others"
                      : "");
    if (isatty(STDIN_FILENO) != 1) {
        (void)fprintf(asking->err, "without a terminal say --yes\n");
        return EX_USAGE;
    }
    (void)fprintf(out, "Go on? [y/N] ");
    (void)fflush(out);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return EX_OK;
    (void)fprintf(out, "Nothing was done.\n");
    return EX_TEMPFAIL;
}

static bool is_running(const struct value *action)
{
    const struct value *routers = value_member(action, "routers");
    for (size_t i = 0; i < value_count(routers); i++) {
        const char *state = value_text(value_item(routers, i), "state");
        if (strcmp(state, "done") != 0 && strcmp(state, "cancelled") != 0)
            return true;
    }
    return false;
}

/* Until every router that is known to have begun is done. */
static int wait_for(struct asking *asking, const char *id, bool json, FILE *out)
{
    for (;;) {
        const int code = ask_part(asking, "GET", "/v1/actions/", id);
        if (code != EX_OK)
            return code;
        const struct value *action = answer_root(asking->answer);
        const bool running = is_running(action);
        if (!json)
            showing_progress(action, out);
        if (!running)
            break;
        (void)fflush(out);
        (void)usleep(LOOK_EACH_US);
    }
    if (json)
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
    return EX_OK;
}

static void say_begun(const struct value *action, FILE *out)
{
    (void)fprintf(out, "%s %s: %s\n", value_text(action, "action"),
                  value_text(action, "id"), value_text(action, "filter"));
}

static int do_wait(struct asking *asking, bool json, FILE *out)
{
    char id[64];
    (void)snprintf(id, sizeof id, "%s",
                   value_text(answer_root(asking->answer), "id"));
    return wait_for(asking, id, json, out);
}

static int act(struct asking *asking, const struct order *order, FILE *out)
{
    const bool json = order->options.json;
    int code = EX_OK;
    if (order->dry_run) {
        code = post(asking, order, true);
        if (code == EX_OK)
            show(asking, json, showing_list, out);
        return code;
    }
    if (is_dangerous(order->kind) && !order->yes)
        code = confirm(asking, order, out);
    if (code == EX_OK)
        code = post(asking, order, false);
    if (code != EX_OK)
        return code;
    const bool waits = order->wait && order->kind != ACTION_PAUSE;
    if (!waits || !json)
        show(asking, json, say_begun, out);
    return waits ? do_wait(asking, json, out) : EX_OK;
}

/* Ids of pauses in force that the order names by their id or their filter. */
static void find_pauses(const struct order *order, const struct value *root,
                        struct buf *ids)
{
    const struct value *actions = value_member(root, "actions");
    const struct slice filter = buf_slice(&order->filter);
    for (size_t i = 0; i < value_count(actions); i++) {
        const struct value *action = value_item(actions, i);
        const char *id = value_text(action, "id");
        if (strcmp(value_text(action, "action"), "pause") != 0
            || strcmp(value_text(action, "state"), "in force") != 0)
            continue;
        const struct slice text = slice_text(value_text(action, "filter"));
        const size_t at = slice_find_slice(filter, slice_text(id));
        if (order->all || slice_equal(filter, text) || at < filter.len)
            (void)buf_addf(ids, "%s\n", id);
    }
}

static int resume(struct asking *asking, const struct order *order, FILE *out)
{
    scoped(buf_release) struct buf ids;
    buf_init(&ids, 1u << 20);
    int code = asking_do(asking, "GET", "/v1/actions", SLICE(""));
    if (code != EX_OK)
        return code;
    find_pauses(order, answer_root(asking->answer), &ids);
    if (ids.len == 0) {
        (void)fprintf(asking->err, "no such pause is in force; see `sendyard "
                                   "actions`\n");
        return EX_DATAERR;
    }
    struct cursor cursor = cursor_of(buf_slice(&ids));
    struct slice id;
    while (code == EX_OK && cursor_until(&cursor, '\n', &id)) {
        char text[64];
        (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(id));
        code = ask_part(asking, "DELETE", "/v1/actions/", text);
        if (code == EX_OK && !order->options.json)
            (void)fprintf(out, "resumed %s\n", text);
        else if (code == EX_OK)
            (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
    }
    return code;
}

static int obey(const struct order *order, FILE *out, FILE *err)
{
    struct asking asking;
    int code = asking_open(&asking, &order->options, err);
    if (code == EX_OK && order->verb == ORDER_LIST)
        code = list(&asking, order, out);
    else if (code == EX_OK && order->verb == ORDER_RESUME)
        code = resume(&asking, order, out);
    else if (code == EX_OK)
        code = act(&asking, order, out);
    asking_close(&asking);
    return code;
}

int command_queue_verbs(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct order order;
    int code = EX_USAGE;
    if (order_read(argc, argv, &order, err)) {
        code = EX_OK;
        if (order.help)
            order_print_help(&order, out);
        else if (order.verb == ORDER_OVERVIEW)
            code = command_queue(argc, argv, out, err);
        else
            code = obey(&order, out, err);
    }
    order_release(&order);
    return code;
}

static int run_actions(struct asking *asking, const struct options *options,
                       FILE *out)
{
    const bool cancels =
        options->word_count == 2 && strcmp(options->words[0], "cancel") == 0;
    int code = EX_OK;
    if (options->word_count == 0)
        code = asking_do(asking, "GET", "/v1/actions", SLICE(""));
    else
        code = ask_part(asking, cancels ? "DELETE" : "GET", "/v1/actions/",
                        options->words[options->word_count - 1]);
    if (code == EX_OK)
        show(asking, options->json,
             options->word_count == 0 ? showing_actions : showing_action, out);
    return code;
}

int command_actions(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    struct asking asking;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count > 2
        || (options.word_count == 2
            && strcmp(options.words[0], "cancel") != 0)) {
        (void)fprintf(err, "usage: sendyard actions [ID | cancel ID]\n");
        return EX_USAGE;
    }
    int code = asking_open(&asking, &options, err);
    if (code == EX_OK)
        code = run_actions(&asking, &options, out);
    asking_close(&asking);
    return code;
}

int command_why(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    struct asking asking;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count != 1) {
        (void)fprintf(err, "usage: sendyard why [--config FILE] ID\n");
        return EX_USAGE;
    }
    int code = asking_open(&asking, &options, err);
    if (code == EX_OK)
        code = ask_part(&asking, "GET", "/v1/why/", options.words[0]);
    if (code == EX_OK)
        show(&asking, options.json, showing_why, out);
    else if (code == EX_DATAERR)
        (void)fprintf(err,
                      "It is not queued on this router: it has left, or was "
                      "never here. `grep %s %s` tells.\n",
                      options.words[0], asking.conf->log.events);
    asking_close(&asking);
    return code;
}
