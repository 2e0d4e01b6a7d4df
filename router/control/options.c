/* options.c - what the commands of `sendyard` have in common. */
#include "router/control/options.h"

#include <string.h>

#include "config/loader.h"

static const char **value_of(struct options *options, const char *word)
{
    const struct {
        const char *word;
        const char **value;
    } known[] = {
        { "--config", &options->config },
        { "--router", &options->router },
        { "--account", &options->account },
        { "--to", &options->to },
        { "--from", &options->from },
        { "--listener", &options->listener },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].value;
    return NULL;
}

bool options_read(int argc, char *const *argv, struct options *options,
                  FILE *err)
{
    *options = (struct options){ .config = OPTIONS_CONFIG_DEFAULT };
    for (int i = 0; i < argc; i++) {
        const char **value = value_of(options, argv[i]);
        if (value && i + 1 < argc) {
            *value = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (argv[i][0] == '-' || value) {
            (void)fprintf(err,
                          value ? "%s needs a value\n" : "unknown option %s\n",
                          argv[i]);
            return false;
        } else if (options->word_count == OPTIONS_WORDS_MAX) {
            (void)fprintf(err, "too many words: %s\n", argv[i]);
            return false;
        } else {
            options->words[options->word_count++] = argv[i];
        }
    }
    return true;
}

struct conf *options_load(const struct options *options, FILE *err)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    struct conf *conf = NULL;
    if (conf_load(options->config, &conf, &errors) != RC_OK)
        conf_errors_print(&errors, err);
    conf_errors_release(&errors);
    return conf;
}

const struct conf_router *options_router(const struct options *options,
                                         const struct conf *conf, FILE *err)
{
    if (!options->router)
        return &conf->routers[0];
    const struct conf_router *router =
        conf_router(conf, slice_text(options->router));
    if (!router)
        (void)fprintf(err, "the config has no router \"%s\"\n",
                      options->router);
    return router;
}
