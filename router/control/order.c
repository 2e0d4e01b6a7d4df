/* order.c - what an operator typed behind `sendyard queue`. */
#include "router/control/order.h"

#include <string.h>

#include "common/base/mem.h"
#include "config/units.h"

#define WORDS_MAX       1024 /* of a command line; ids may be many */
#define CRITERIA_A_LINE 6    /* of the help */

/* clang-format off */
static const struct verb {
    const char *name;
    enum order_verb verb;
    enum action_kind kind;
    const char *options;
    const char *help;
} verbs[] = {
    { "list", ORDER_LIST, ACTION_PAUSE, "[--limit N] [--after ID]",
      "queued messages that match, oldest first, and how many there are" },
    { "pause", ORDER_ACT, ACTION_PAUSE, "[--for TIME]",
      "keep what matches from being sent, now and when it comes; no attempt is "
      "charged" },
    { "resume", ORDER_RESUME, ACTION_PAUSE, "ID | --all",
      "end a pause: by its id, or all with exactly these criteria" },
    { "requeue", ORDER_ACT, ACTION_REQUEUE, "",
      "try now what waits for its next attempt" },
    { "reroute", ORDER_ACT, ACTION_REROUTE, "--to ROUTE",
      "send by another route" },
    { "expire", ORDER_ACT, ACTION_EXPIRE, "",
      "fail now as expired; senders get their report" },
    { "bounce", ORDER_ACT, ACTION_BOUNCE, "[--text TEXT]",
      "fail now with this text; senders get their report" },
    { "delete", ORDER_ACT, ACTION_DELETE, "",
      "remove; nobody gets a report" },
    { "release", ORDER_ACT, ACTION_RELEASE, "",
      "send again what is held in doubt" },
};
/* clang-format on */

static const struct verb *verb_of(const struct order *order)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (order->verb == verbs[i].verb
            && (order->verb != ORDER_ACT || order->kind == verbs[i].kind))
            return &verbs[i];
    return NULL;
}

static void print_criteria(FILE *out)
{
    (void)fprintf(out, "\nCriteria, all of which must match:\n ");
    const char *name = NULL;
    for (size_t i = 0; (name = filter_name(i)); i++)
        (void)fprintf(out, "%s --%s",
                      i > 0 && i % CRITERIA_A_LINE == 0 ? "\n " : "", name);
    (void)fprintf(
        out,
        "\n  Names and texts may hold '*'. --older and --younger take times "
        "(90m, 2d),\n  --attempts a number or a range (2..4, 5..), --code a "
        "reply's code (450, 4*).\n  Ids may stand bare. --all means "
        "everything.\n");
}

void order_print_help(const struct order *order, FILE *out)
{
    const struct verb *verb = verb_of(order);
    if (verb) {
        (void)fprintf(out, "usage: sendyard queue %s%s%s [criteria]\n    %s\n",
                      verb->name, verb->options[0] ? " " : "", verb->options,
                      verb->help);
    } else {
        (void)fprintf(out,
                      "usage: sendyard queue            the lanes: how much "
                      "waits, since when, and why\n"
                      "       sendyard queue VERB ...   look at messages, or "
                      "do something with them\n\n");
        for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
            (void)fprintf(out, "  %s%s%s\n      %s\n", verbs[i].name,
                          verbs[i].options[0] ? " " : "", verbs[i].options,
                          verbs[i].help);
    }
    print_criteria(out);
    (void)fprintf(out, "\nOptions: --config FILE, --router NAME, --json, --why "
                       "TEXT, --dry-run (count only),\n  --wait (until it is "
                       "done), --yes (do not ask).\n");
}

/* Where the value of an option goes; NULL: it is none of ours. */
static const char **value_of(struct order *order, const char *word)
{
    const struct {
        const char *word;
        const char **value;
    } known[] = {
        { "--why", &order->why },     { "--text", &order->why },
        { "--to", &order->route },    { "--limit", &order->limit },
        { "--after", &order->after },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].value;
    return NULL;
}

static bool *flag_of(struct order *order, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
    } known[] = {
        { "--all", &order->all },         { "--yes", &order->yes },
        { "--dry-run", &order->dry_run }, { "--wait", &order->wait },
        { "--help", &order->help },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].flag;
    return NULL;
}

static bool is_criterion(const char *word)
{
    const char *name = NULL;
    if (strncmp(word, "--", 2) != 0)
        return false;
    for (size_t i = 0; (name = filter_name(i)); i++)
        if (strcmp(word + 2, name) == 0)
            return true;
    return false;
}

static bool add_criterion(struct filter *filter, const char *name,
                          const char *value, FILE *err)
{
    struct fault fault;
    if (filter_set(filter, slice_text(name), slice_text(value), &fault)
        == RC_OK)
        return true;
    (void)fprintf(err, "%s\n", fault.text);
    return false;
}

/* What is not ours is left for options_read(), in `rest`. */
struct reading {
    struct order *order;
    struct filter filter;
    char *rest[WORDS_MAX];
    int rest_count;
    FILE *err;
};

static bool is_for(const char *word)
{
    return strcmp(word, "--for") == 0;
}

static bool take_time(struct reading *reading, const char *text)
{
    uint64_t *ms = &reading->order->for_ms;
    if (units_duration(slice_text(text), ms) && *ms > 0)
        return true;
    (void)fprintf(reading->err, "--for %s: no time such as 90m or 2d\n", text);
    return false;
}

/* An option of ours with its value, NULL when there is none. */
static bool take_option(struct reading *reading, const char *word,
                        const char *text)
{
    const char **value = value_of(reading->order, word);
    if (!text) {
        (void)fprintf(reading->err, "%s needs a value\n", word);
        return false;
    }
    if (is_for(word))
        return take_time(reading, text);
    if (!value)
        return add_criterion(&reading->filter, word + 2, text, reading->err);
    *value = text;
    return true;
}

static bool split(struct reading *reading, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        bool *flag = flag_of(reading->order, word);
        if (flag) {
            *flag = true;
        } else if (value_of(reading->order, word) || is_for(word)
                   || is_criterion(word)) {
            i++;
            if (!take_option(reading, word, i < argc ? argv[i] : NULL))
                return false;
        } else if (reading->rest_count < WORDS_MAX) {
            reading->rest[reading->rest_count++] = argv[i];
        } else {
            (void)fprintf(reading->err, "more than %d words\n", WORDS_MAX);
            return false;
        }
    }
    return true;
}

static bool find_verb(struct order *order, FILE *err)
{
    if (order->options.word_count == 0)
        return true;
    const char *word = order->options.words[0];
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, word) == 0) {
            order->verb = verbs[i].verb;
            order->kind = verbs[i].kind;
            return true;
        }
    (void)fprintf(err, "sendyard queue: no verb \"%s\"\n", word);
    order_print_help(order, err);
    return false;
}

/* Bare words behind the verb are ids: of messages, or of the pause to end. */
static bool take_words(struct reading *reading)
{
    const struct options *options = &reading->order->options;
    for (int i = 1; i < options->word_count; i++)
        if (!add_criterion(&reading->filter, "id", options->words[i],
                           reading->err))
            return false;
    return true;
}

static bool check(const struct order *order, FILE *err)
{
    const char *wrong = NULL;
    if (order->verb == ORDER_OVERVIEW && !order->help && order->filter.len > 0)
        wrong = "criteria need a verb: sendyard queue list ...";
    else if (order->verb >= ORDER_RESUME && order->filter.len == 0)
        wrong = "say what is meant; to mean everything say --all";
    else if (order->for_ms > 0
             && (order->verb != ORDER_ACT || order->kind != ACTION_PAUSE))
        wrong = "--for is for a pause";
    else if (order->verb == ORDER_ACT
             && (order->kind == ACTION_REROUTE) != (order->route != NULL))
        wrong = order->route ? "--to is for a reroute"
                             : "a reroute needs --to ROUTE";
    if (wrong)
        (void)fprintf(err, "%s\n", wrong);
    return !wrong;
}

static bool read_all(struct reading *reading, int argc, char *const *argv)
{
    struct order *order = reading->order;
    if (!split(reading, argc, argv)
        || !options_read(reading->rest_count, reading->rest, &order->options,
                         reading->err)
        || !find_verb(order, reading->err))
        return false;
    if (order->help)
        return true;
    if (!take_words(reading))
        return false;
    if (order->all && !filter_is_empty(&reading->filter)) {
        (void)fprintf(reading->err, "--all and criteria exclude each other\n");
        return false;
    }
    reading->filter.all = order->all;
    if (!filter_is_empty(&reading->filter)
        && !filter_format(&reading->filter, &order->filter)) {
        (void)fprintf(reading->err, "too many criteria\n");
        return false;
    }
    return check(order, reading->err);
}

bool order_read(int argc, char *const *argv, struct order *order, FILE *err)
{
    struct reading *reading = NEW(struct reading);
    *order = (struct order){ .verb = ORDER_OVERVIEW };
    buf_init(&order->filter, FILTER_TEXT_MAX);
    reading->order = order;
    reading->err = err;
    filter_init(&reading->filter);
    const bool good = read_all(reading, argc, argv);
    filter_release(&reading->filter);
    mem_free(reading);
    return good;
}

void order_release(struct order *order)
{
    buf_release(&order->filter);
}
