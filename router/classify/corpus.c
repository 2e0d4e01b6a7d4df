/* corpus.c - labelled messages in a folder with a manifest. */
#include "router/classify/corpus.h"

#include <limits.h>

#include "router/classify/bag.h"
#include "router/control/answer.h"

struct corpus {
    const char *folder;
    corpus_fn *fn;
    void *context;
    FILE *err;
    struct buf bytes; /* of the message at hand */
};

static bool give(struct corpus *corpus, const struct value *line)
{
    char path[PATH_MAX];
    struct header_split split;
    struct corpus_message message = {
        .file = value_text(line, "file"),
        .kind = value_text(line, "kind"),
        .source = value_text(line, "source"),
        .template = value_text(line, "template"),
        .rcpt = slice_text(value_text(line, "rcpt")),
        .is_real = value_flag(line, "real"),
    };
    (void)snprintf(path, sizeof path, "%s/%s", corpus->folder, message.file);
    buf_clear(&corpus->bytes);
    if (!bag_read(path, &corpus->bytes, corpus->err))
        return false;
    bag_split(buf_slice(&corpus->bytes), &split);
    message.is_known =
        judge_kind_of(slice_text(value_text(line, "label")), &message.label);
    message.header = split.header;
    message.body = split.body;
    corpus->fn(corpus->context, &message);
    return true;
}

static bool give_line(struct corpus *corpus, struct slice text, size_t number)
{
    struct fault fault;
    struct answer *answer = answer_parse(text, &fault);
    if (!answer) {
        (void)fprintf(corpus->err, "%s/manifest.jsonl:%zu: %s\n",
                      corpus->folder, number, fault.text);
        return false;
    }
    bool is_given = give(corpus, answer_root(answer));
    answer_free(&answer);
    return is_given;
}

bool corpus_each(const char *folder, corpus_fn *fn, void *context, FILE *err)
{
    char path[PATH_MAX];
    struct buf manifest;
    struct corpus corpus = {
        .folder = folder, .fn = fn, .context = context, .err = err
    };
    (void)snprintf(path, sizeof path, "%s/manifest.jsonl", folder);
    buf_init(&manifest, BAG_FILE_MAX);
    buf_init(&corpus.bytes, BAG_FILE_MAX);
    bool is_whole = bag_read(path, &manifest, err);
    struct slice rest = buf_slice(&manifest);
    for (size_t number = 1; rest.len > 0; number++) {
        struct slice line = slice_head(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.len + 1);
        if (!slice_is_empty(slice_trim(line)))
            is_whole &= give_line(&corpus, line, number);
    }
    buf_release(&manifest);
    buf_release(&corpus.bytes);
    return is_whole;
}
