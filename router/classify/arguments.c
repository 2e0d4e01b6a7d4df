/* arguments.c - what stands on the command line of `sendyard classify`. */
#include "router/classify/arguments.h"

#include <string.h>

#include "common/base/mem.h"

static const char **value_of(struct arguments *arguments, const char *word)
{
    const struct {
        const char *word;
        const char **value;
    } known[] = {
        { "--config", &arguments->config },
        { "--router", &arguments->router },
        { "--account", &arguments->account },
        { "--model", &arguments->model },
        { "--declared", &arguments->declared },
        { "--out", &arguments->out },
        { "--base", &arguments->base },
        { "--headers", &arguments->headers },
        { "--folds", &arguments->folds },
        { "--date", &arguments->date },
        { "--since", &arguments->since },
        { "--teach", &arguments->teach },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].value;
    return NULL;
}

static bool *flag_of(struct arguments *arguments, const char *word)
{
    if (strcmp(word, "--json") == 0)
        return &arguments->json;
    return strcmp(word, "--force") == 0 ? &arguments->force : NULL;
}

bool arguments_read(int argc, char *const *argv, struct arguments *arguments,
                    FILE *err)
{
    *arguments = (struct arguments){
        .words = mem_new((size_t)argc + 1, sizeof *arguments->words),
    };
    bool are_words = false; /* behind "--" nothing is an option */
    for (int i = 0; i < argc; i++) {
        const char **value = are_words ? NULL : value_of(arguments, argv[i]);
        bool *flag = are_words ? NULL : flag_of(arguments, argv[i]);
        if (!are_words && strcmp(argv[i], "--") == 0) {
            are_words = true;
        } else if (value && i + 1 < argc) {
            *value = argv[++i];
        } else if (flag) {
            *flag = true;
        } else if (value
                   || (!are_words && argv[i][0] == '-' && argv[i][1] != '\0')) {
            (void)fprintf(err,
                          value ? "%s needs a value\n" : "unknown option %s\n",
                          argv[i]);
            return false;
        } else {
            arguments->words[arguments->word_count++] = argv[i];
        }
    }
    return true;
}

void arguments_release(struct arguments *arguments)
{
    mem_free(arguments->words);
    *arguments = (struct arguments){ .word_count = 0 };
}
