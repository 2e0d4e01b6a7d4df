/* template.c - `sendyard template`: what is known of templates. */
#include "router/control/template.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "common/proto/json.h"
#include "router/control/asking.h"
#include "router/control/client.h"
#include "router/control/table.h"

#define PATH_BYTES_MAX 1024u
#define BODY_BYTES_MAX 1024u

static const char usage[] =
    "usage: sendyard template [--config FILE] [--router NAME] [--json]\n"
    "           list [STATE] | show ID | trust ID | distrust ID | forget ID |\n"
    "           teach KIND ID | complain ID\n";

static void show_json(const struct asking *asking, FILE *out)
{
    (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&asking->json)));
}

static void show_list(const struct value *root, FILE *out)
{
    static const char *const heads[] = {
        "TEMPLATE", "TENANT", "STATE",     "SINCE",   "LAST",
        "USED",     "OF",     "DELIVERED", "BOUNCED", "COMPLAINTS",
    };
    const struct value *templates = value_member(root, "templates");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(templates); i++) {
        const struct value *template = value_item(templates, i);
        text_table_add(table, value_text(template, "id"));
        text_table_add(table, value_text(template, "tenant"));
        text_table_addf(table, "%s%s", value_text(template, "state"),
                        value_flag(template, "by_operator") ? "!" : "");
        text_table_add(table, value_text(template, "since"));
        text_table_add(table, value_text(template, "last"));
        text_table_addf(table, "%" PRIu64, value_number(template, "used"));
        text_table_addf(table, "%" PRIu64, value_number(template, "budget"));
        text_table_addf(table, "%" PRIu64, value_number(template, "delivered"));
        text_table_addf(table, "%" PRIu64, value_number(template, "bounced"));
        text_table_addf(table, "%" PRIu64,
                        value_number(template, "complained"));
    }
    text_table_print(table, out);
    text_table_free(&table);
    const uint64_t count = value_number(root, "count");
    if (count > value_count(templates))
        (void)fprintf(out, "... and %" PRIu64 " more\n",
                      count - value_count(templates));
}

static void show_one(const struct value *template, FILE *out)
{
    static const char *const texts[] = { "id",    "tenant", "state", "taught",
                                         "first", "last",   "since" };
    static const char *const numbers[] = {
        "used",      "budget",  "recipients", "recent",
        "delivered", "bounced", "complained",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (value_text(template, texts[i])[0] != '\0')
            (void)fprintf(out, "%-11s %s\n", texts[i],
                          value_text(template, texts[i]));
    if (value_flag(template, "by_operator"))
        (void)fprintf(out, "%-11s the operator said so\n", "");
    if (value_flag(template, "blamed"))
        (void)fprintf(out, "%-11s recipients complained: it is bulk\n", "");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)fprintf(out, "%-11s %" PRIu64 "\n", numbers[i],
                      value_number(template, numbers[i]));
}

static void add_path(struct buf *path, const char *start, const char *word)
{
    (void)buf_add_text(path, start);
    client_encode(path, word);
}

static int list(struct asking *asking, const struct options *options, FILE *out)
{
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    if (options->word_count == 2)
        add_path(&path, "/v1/templates?state=", options->words[1]);
    else
        (void)buf_add_text(&path, "/v1/templates");
    (void)buf_add_byte(&path, '\0');
    const int code = asking_do(asking, "GET", buf_slice(&path).ptr, SLICE(""));
    if (code == EX_OK && options->json)
        show_json(asking, out);
    else if (code == EX_OK)
        show_list(answer_root(asking->answer), out);
    return code;
}

/* GET where there is no body. */
static int talk(struct asking *asking, const struct options *options,
                struct slice body, FILE *out)
{
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    add_path(&path, "/v1/templates/", options->words[options->word_count - 1]);
    if (!buf_add_byte(&path, '\0')) {
        (void)fprintf(asking->err, "no template has such an id\n");
        return EX_DATAERR;
    }
    const int code = asking_do(asking, body.len > 0 ? "POST" : "GET",
                               buf_slice(&path).ptr, body);
    if (code == EX_OK && options->json)
        show_json(asking, out);
    else if (code == EX_OK)
        show_one(answer_root(asking->answer), out);
    return code;
}

static int say(struct asking *asking, const struct options *options, FILE *out)
{
    struct json json;
    scoped(buf_release) struct buf body;
    buf_init(&body, BODY_BYTES_MAX);
    json_init(&json, &body);
    json_begin_object(&json);
    json_add_text(&json, "do", slice_text(options->words[0]));
    if (options->word_count == 3)
        json_add_text(&json, "kind", slice_text(options->words[1]));
    json_end(&json);
    if (body.full) {
        (void)fprintf(asking->err, "%s", usage);
        return EX_USAGE;
    }
    return talk(asking, options, buf_slice(&body), out);
}

static bool is_verb(const struct options *options, const char *verb, int words)
{
    return options->word_count == words && strcmp(options->words[0], verb) == 0;
}

int command_template(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    struct asking asking;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    const bool lists =
        is_verb(&options, "list", 1) || is_verb(&options, "list", 2);
    const bool shows = is_verb(&options, "show", 2);
    const bool says =
        is_verb(&options, "trust", 2) || is_verb(&options, "distrust", 2)
        || is_verb(&options, "forget", 2) || is_verb(&options, "teach", 3)
        || is_verb(&options, "complain", 2);
    if (!lists && !shows && !says) {
        (void)fprintf(err, "%s", usage);
        return EX_USAGE;
    }
    int code = asking_open(&asking, &options, err);
    if (code == EX_OK && lists)
        code = list(&asking, &options, out);
    else if (code == EX_OK && shows)
        code = talk(&asking, &options, SLICE(""), out);
    else if (code == EX_OK)
        code = say(&asking, &options, out);
    asking_close(&asking);
    return code;
}
