/* asker.c - how the template of a message stands, for who only wants to know. */
#include "router/control/asker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/control/answer.h"
#include "router/control/api.h"
#include "router/control/client.h"
#include "router/templates/recall.h"
#include "router/templates/rules.h"
#include "router/templates/trial.h"

#define ANSWER_MAX   4096u
#define QUESTION_MAX 4096u
#define PATH_SIZE    64u

struct asker {
    struct trial_asker trial;
    const struct conf *conf;
    const struct conf_router *router;
    char socket[API_PATH_MAX];
    struct templates *kept; /* NULL: the router is asked */
    bool is_silent;         /* nobody knows */
};

/* ---- the router -------------------------------------------------------- */

static void add_id(struct json *json, const char *key, uint64_t number)
{
    char text[ID_TEXT_SIZE];
    json_add_text(json, key, slice_text(id_format(number, text)));
}

static uint64_t two(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static void add_finding(struct json *json,
                        const struct templates_finding *finding)
{
    json_add_bool(json, "take", true);
    add_id(json, "text", finding->text.text_hash);
    add_id(json, "own", finding->text.own_hash);
    json_add_number(json, "points",
                    (uint64_t)((int64_t)finding->points + ASKER_POINTS_ZERO));
    json_add_bool(json, "candidate", finding->is_candidate);
    json_add_bool(json, "budget", finding->needs_budget);
    json_add_bool(json, "as_trusted", finding->as_trusted);
}

static void add_question(const struct templates_ticket *ticket,
                         const struct templates_finding *finding,
                         struct buf *out)
{
    struct json json;
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "tenant", ticket->tenant);
    add_id(&json, "id", ticket->key.id);
    add_id(&json, "bands_a", two(ticket->key.bands[0], ticket->key.bands[1]));
    add_id(&json, "bands_b", two(ticket->key.bands[2], ticket->key.bands[3]));
    json_add_number(&json, "skeleton", ticket->key.skeleton);
    if (ticket->hash_count > 0)
        json_add_text(&json, "recipient", ticket->recipients[0]);
    json_add_number(&json, "recipients", ticket->recipient_count);
    if (finding)
        add_finding(&json, finding);
    json_end(&json);
}

static bool read_state(const char *name, enum judge_state *state)
{
    for (int i = TEMPLATE_NEW; i <= TEMPLATE_TRIPPED; i++)
        if (strcmp(name, guard_state_name((enum judge_state)i)) == 0) {
            *state = (enum judge_state)i;
            return true;
        }
    return false;
}

static bool read_standing(const struct value *root,
                          struct judge_standing *standing)
{
    struct judge_standing read = {
        .is_spent = value_flag(root, "spent"),
        .is_blamed = value_flag(root, "blamed"),
        .recipients = (uint32_t)value_number(root, "used"),
        .budget = (uint32_t)value_number(root, "budget"),
    };
    if (!id_parse(slice_text(value_text(root, "id")), &read.id)
        || !read_state(value_text(root, "state"), &read.state))
        return false;
    read.is_taught =
        judge_kind_of(slice_text(value_text(root, "taught")), &read.taught);
    *standing = read;
    return true;
}

static struct answer *ask(const struct asker *asker, const char *method,
                          const char *path, struct slice body)
{
    struct fault fault;
    unsigned status = 0;
    scoped(buf_release) struct buf json;
    const struct client_request request = { .socket_path = asker->socket,
                                            .method = method,
                                            .path = path,
                                            .body = body };
    buf_init(&json, ANSWER_MAX);
    if (client_ask(&request, &status, &json, &fault) != RC_OK || status != 200)
        return NULL;
    return answer_parse(buf_slice(&json), &fault);
}

/* Does the router say how it stands? *is_given: as templates_try(). */
static bool ask_router(const struct asker *asker,
                       const struct templates_ticket *ticket,
                       const struct templates_finding *finding, bool *is_given,
                       struct judge_standing *standing)
{
    scoped(buf_release) struct buf question;
    buf_init(&question, QUESTION_MAX);
    add_question(ticket, finding, &question);
    struct answer *answer = question.full ? NULL
                                          : ask(asker, "POST", "/v1/standing",
                                                buf_slice(&question));
    const struct value *root = answer ? answer_root(answer) : NULL;
    const bool is_told = root && read_standing(root, standing);
    *is_given = is_told && value_flag(root, "given");
    answer_free(&answer);
    return is_told;
}

/* ---- its files --------------------------------------------------------- */

static void read_files(struct asker *asker)
{
    const struct guard_rules rules = rules_of(asker->conf);
    asker->kept = templates_new();
    templates_reconf(asker->kept, &rules,
                     asker->conf->classifier.max_templates);
    const int fd =
        open(asker->conf->spool.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    asker->is_silent = fd < 0 || !recall(fd, asker->kept).is_kept;
    if (fd >= 0)
        (void)close(fd);
}

static bool look(void *context, const struct templates_ticket *ticket,
                 struct judge_standing *standing)
{
    struct asker *asker = context;
    bool is_given = false;
    if (!asker->kept && ask_router(asker, ticket, NULL, &is_given, standing))
        return true;
    if (!asker->kept)
        read_files(asker);
    if (!asker->is_silent)
        templates_look(asker->kept, ticket, time_utc_ms(), standing);
    return !asker->is_silent;
}

static bool take(void *context, const struct templates_ticket *ticket,
                 const struct templates_finding *finding,
                 struct judge_standing *standing)
{
    struct asker *asker = context;
    bool is_given = false;
    if (asker->kept)
        return templates_try(asker->kept, ticket, finding, time_utc_ms(),
                             standing);
    (void)ask_router(asker, ticket, finding, &is_given, standing);
    return is_given;
}

struct asker *asker_new(const struct conf *conf,
                        const struct conf_router *router)
{
    struct asker *asker = NEW(struct asker);
    asker->trial = (struct trial_asker){ look, take, asker };
    asker->conf = conf;
    asker->router = router;
    api_socket_path(conf, router, asker->socket);
    return asker;
}

void asker_free(struct asker **asker)
{
    struct asker *freed = steal(*asker);
    if (!freed)
        return;
    templates_free(&freed->kept);
    mem_free(freed);
}

const struct trial_asker *asker_trial(const struct asker *asker)
{
    return asker ? &asker->trial : NULL;
}

/* ---- for people -------------------------------------------------------- */

static struct answer *describe(const struct asker *asker, uint64_t template)
{
    char id[ID_TEXT_SIZE];
    char path[PATH_SIZE];
    struct fault fault;
    scoped(buf_release) struct buf json;
    buf_init(&json, ANSWER_MAX);
    (void)snprintf(path, sizeof path, "/v1/templates/%s",
                   id_format(template, id));
    if (!asker->kept)
        return ask(asker, "GET", path, SLICE(""));
    if (templates_add_json(asker->kept, template, time_utc_ms(), &json)
        != RC_OK)
        return NULL;
    return answer_parse(buf_slice(&json), &fault);
}

static void say_known(const struct value *root, FILE *out)
{
    (void)fprintf(out,
                  "%-12s %s since %s, %" PRIu64 " of %" PRIu64
                  " recipients taken; first seen %s\n",
                  "  standing", value_text(root, "state"),
                  value_text(root, "since"), value_number(root, "used"),
                  value_number(root, "budget"), value_text(root, "first"));
    (void)fprintf(out,
                  "%-12s %" PRIu64 " delivered, %" PRIu64 " bounced, %" PRIu64
                  " complained\n",
                  "  outcomes", value_number(root, "delivered"),
                  value_number(root, "bounced"),
                  value_number(root, "complained"));
    if (value_text(root, "taught")[0] != '\0')
        (void)fprintf(out, "%-12s %s\n", "  taught",
                      value_text(root, "taught"));
}

void asker_say(const struct asker *asker, uint64_t template, FILE *out)
{
    char id[ID_TEXT_SIZE];
    if (asker->is_silent || template == 0) {
        (void)fprintf(out, "%-12s not known: %s\n", "template",
                      asker->is_silent ? "the router is not running here, and "
                                         "left nothing"
                                       : "it is judged alone");
        return;
    }
    (void)fprintf(out, "%-12s %s  (%s %s)\n", "template",
                  id_format(template, id),
                  asker->kept ? "from the files of router" : "from router",
                  asker->router->name);
    struct answer *answer = describe(asker, template);
    if (answer)
        say_known(answer_root(answer), out);
    else
        (void)fprintf(out, "%-12s not met before\n", "  standing");
    answer_free(&answer);
}
