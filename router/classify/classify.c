/* classify.c - `sendyard classify`: what a message is. */
#include "router/classify/classify.h"

#include <string.h>
#include <sysexits.h>

#include "router/classify/bag.h"
#include "router/classify/diff.h"
#include "router/classify/eval.h"
#include "router/classify/judging.h"
#include "router/classify/report.h"
#include "router/classify/show.h"
#include "router/classify/teach.h"
#include "router/classify/train.h"

#define LINE_MAX_BYTES (64u << 10)

typedef int part_fn(const struct arguments *arguments, FILE *out, FILE *err);

/* Messages that are judged one after the other. */
struct run {
    struct judging judging;
    struct judged judged;
    bool json;
    struct buf line;
    FILE *out;
};

static bool judge_one(void *context, const struct bag_message *message)
{
    struct run *run = context;
    struct header_split split;
    struct sketch again;
    struct naming naming;
    bag_split(message->bytes, &split);
    judging_judge(&run->judging, split.header, split.body, message->rcpt,
                  &run->judged);
    naming_find(run->judging.sketcher, &run->judged.message,
                &run->judged.judgement, &again, &naming);
    buf_clear(&run->line);
    (run->json ? show_json : show_text)(&run->judging, message->name,
                                        &run->judged, &naming, &run->line);
    struct slice line = buf_slice(&run->line);
    return fwrite(line.ptr, 1, line.len, run->out) == line.len;
}

static int print_usage(FILE *err)
{
    (void)fprintf(
        err,
        "usage: sendyard classify [--config FILE] [--account NAME] "
        "[--model FILE] [--json]\n"
        "           [--declared STREAM] FILE...|FOLDER|-\n"
        "       sendyard classify train --out FILE [--base FILE|shipped] "
        "[--folds N]\n"
        "           [--date TEXT] [--force] CLASS=PATH ... corpus=FOLDER "
        "samples=FOLDER ...\n"
        "       sendyard classify eval [--model FILE] [--headers MODE] "
        "[--json] "
        "FOLDER\n"
        "       sendyard classify diff MODEL MODEL FOLDER\n"
        "       sendyard classify report [--config FILE] [--since TIME] "
        "[--json] "
        "[LOG...]\n"
        "       sendyard classify --teach KIND [--config FILE] ID|FILE...\n");
    return EX_USAGE;
}

static int judge_all(const struct arguments *arguments, FILE *out, FILE *err)
{
    struct run run = { .json = arguments->json, .out = out };
    if (arguments->word_count == 0)
        return print_usage(err);
    buf_init(&run.line, LINE_MAX_BYTES);
    int code = judging_open(&run.judging, arguments, err);
    bool is_open = code == EX_OK;
    for (int i = 0; i < arguments->word_count && is_open; i++)
        if (!bag_each(arguments->words[i], judge_one, &run, err))
            code = EX_NOINPUT; /* the others are judged all the same */
    judging_close(&run.judging);
    buf_release(&run.line);
    return code;
}

/* Takes the first word when it names a part. */
static part_fn *take_part(struct arguments *arguments)
{
    static const struct {
        const char *word;
        part_fn *run;
    } parts[] = {
        { "train", train_run },
        { "eval", eval_run },
        { "diff", diff_run },
        { "report", report_run },
    };
    for (size_t i = 0; i < ARRAY_LEN(parts) && arguments->word_count > 0; i++) {
        if (strcmp(parts[i].word, arguments->words[0]) != 0)
            continue;
        arguments->word_count--;
        memmove(arguments->words, arguments->words + 1,
                (size_t)arguments->word_count * sizeof *arguments->words);
        return parts[i].run;
    }
    return arguments->teach ? teach_run : judge_all;
}

int command_classify(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct arguments arguments;
    int code = EX_USAGE;
    if (arguments_read(argc, argv, &arguments, err))
        code = take_part(&arguments)(&arguments, out, err);
    arguments_release(&arguments);
    return code;
}
