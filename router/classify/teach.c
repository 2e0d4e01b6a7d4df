/* teach.c - what the operator says of a message. */
#include "router/classify/teach.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "config/conf.h"
#include "router/classify/bag.h"
#include "router/classify/corpus.h"
#include "router/classify/lines.h"
#include "router/classify/shelf.h"
#include "router/control/asking.h"
#include "router/control/client.h"
#include "router/spool/check.h"

#define PATH_BYTES_MAX 512u
#define BODY_BYTES_MAX 256u

struct teach {
    const struct conf *conf;
    const struct options *options;
    enum model_class class;
    struct sketcher *sketcher;
    struct sketch sketch;
    uint32_t kept;
    FILE *out;
    FILE *err;
};

/* ---- the sample ---------------------------------------------------------- */

static bool keep(struct teach *teach, struct slice message)
{
    struct header_split split;
    bag_split(message, &split);
    const struct sketch_message sketched = { .header = split.header,
                                             .body = split.body };
    sketch_take(teach->sketcher, &sketched, &teach->sketch);
    if (!shelf_keep(teach->conf->classifier.samples, teach->class,
                    &teach->sketch, message, teach->err))
        return false;
    teach->kept++;
    return true;
}

static bool keep_message(void *context, const struct bag_message *message)
{
    return keep(context, message->bytes);
}

/* A message that has left the spool cannot be kept; its template is taught all
 * the same. */
static bool keep_queued(struct teach *teach, uint64_t id)
{
    struct check *check = NULL;
    struct body *body = NULL;
    struct fault fault = { .rc = RC_OK };
    bool is_kept = true;
    if (!teach->conf->classifier.samples)
        return true;
    if (check_open(teach->conf->spool.path, true, &check, &fault) == RC_OK
        && check_read_body(check, id, &body, &fault) == RC_OK)
        is_kept = keep(teach, body_slice(body));
    else
        (void)fprintf(teach->err, "not kept as a sample: %s\n", fault.text);
    body_release(&body);
    check_close(&check);
    return is_kept;
}

/* ---- the template -------------------------------------------------------- */

struct search {
    const char *id;
    char template[ID_TEXT_SIZE]; /* "": not found */
};

static void look_for_id(void *context, const struct value *event)
{
    struct search *search = context;
    if (strcmp(value_text(event, "event"), "accepted") == 0
        && strcmp(value_text(event, "id"), search->id) == 0)
        (void)snprintf(search->template, sizeof search->template, "%s",
                       value_text(event, "template"));
}

/* The template of a message, as the event log has it; an id that is in no line
 * of it is taken for that of a template. */
static void find_template(const struct teach *teach, const char *id,
                          struct search *search)
{
    *search = (struct search){ .id = id };
    (void)lines_each_of(teach->conf, look_for_id, search);
    if (search->template[0] == '\0')
        (void)snprintf(search->template, sizeof search->template, "%s", id);
}

static int tell_router(struct teach *teach, const char *template)
{
    struct asking asking;
    struct json json;
    scoped(buf_release) struct buf path;
    scoped(buf_release) struct buf body;
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&body, BODY_BYTES_MAX);
    (void)buf_add_text(&path, "/v1/templates/");
    client_encode(&path, template);
    (void)buf_add_byte(&path, '\0');
    json_init(&json, &body);
    json_begin_object(&json);
    json_add_text(&json, "do", SLICE("teach"));
    json_add_text(&json, "kind", slice_text(model_class_name(teach->class)));
    json_end(&json);
    int code = asking_open(&asking, teach->options, teach->err);
    if (code == EX_OK)
        code =
            asking_do(&asking, "POST", buf_slice(&path).ptr, buf_slice(&body));
    if (code == EX_OK)
        (void)fprintf(teach->out, "template %s is %s now\n", template,
                      model_class_name(teach->class));
    asking_close(&asking);
    return code;
}

/* ---- both ---------------------------------------------------------------- */

static int teach_id(struct teach *teach, const char *text)
{
    struct search search;
    uint64_t id = 0;
    if (!id_parse(slice_text(text), &id)) {
        (void)fprintf(teach->err, "%s: neither a file nor an id\n", text);
        return EX_NOINPUT;
    }
    if (!keep_queued(teach, id))
        return EX_CANTCREAT;
    find_template(teach, text, &search);
    return tell_router(teach, search.template);
}

static int teach_file(struct teach *teach, const char *path)
{
    if (!teach->conf->classifier.samples) {
        (void)fprintf(teach->err,
                      "classifier.samples names no folder: nothing can be "
                      "kept\n");
        return EX_CONFIG;
    }
    return bag_each(path, keep_message, teach, teach->err) ? EX_OK : EX_NOINPUT;
}

static int teach_all(struct teach *teach, const struct arguments *arguments)
{
    int code = EX_OK;
    teach->sketcher = sketcher_new();
    for (int i = 0; i < arguments->word_count && code == EX_OK; i++) {
        const char *word = arguments->words[i];
        bool is_file = strcmp(word, "-") == 0 || access(word, F_OK) == 0;
        code = (is_file ? teach_file : teach_id)(teach, word);
    }
    sketcher_free(&teach->sketcher);
    if (teach->kept > 0)
        (void)fprintf(teach->out, "kept %u as %s in %s\n", teach->kept,
                      model_class_name(teach->class),
                      teach->conf->classifier.samples);
    return code;
}

int teach_run(const struct arguments *arguments, FILE *out, FILE *err)
{
    const struct options options = {
        .config =
            arguments->config ? arguments->config : OPTIONS_CONFIG_DEFAULT,
        .router = arguments->router,
    };
    enum judge_kind kind;
    if (!judge_kind_of(slice_text(arguments->teach), &kind)
        || kind == KIND_SYSTEM || arguments->word_count == 0) {
        (void)fprintf(err, "--teach wants transactional, bulk or personal, and "
                           "an id or a file\n");
        return EX_USAGE;
    }
    struct conf *conf = options_load(&options, err);
    if (!conf)
        return EX_CONFIG;
    struct teach teach = { .conf = conf,
                           .options = &options,
                           .class = (enum model_class)kind,
                           .out = out,
                           .err = err };
    int code = teach_all(&teach, arguments);
    conf_release(&conf);
    return code;
}
