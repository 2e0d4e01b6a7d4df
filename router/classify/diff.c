/* diff.c - what a change of the model would move. */
#include "router/classify/diff.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/proto/escape.h"
#include "common/proto/json.h"
#include "router/classify/corpus.h"
#include "router/classify/judging.h"

#define NAME_SIZE   96u
#define LINE_BYTES  4096u
#define MOVES_FIRST 64u

/* Messages of one template that move between the same two streams. */
struct move {
    char name[NAME_SIZE];    /* source/template */
    char example[NAME_SIZE]; /* one file */
    unsigned from;
    unsigned to;
    uint32_t count;
    bool is_better; /* it goes to where its label belongs */
    bool is_worse;
};

struct diff {
    struct judging judging;
    struct judging_model models[2];
    struct judged judged;
    struct move *moves;
    size_t count;
    size_t size;
    uint32_t messages;
    uint32_t moved;
};

static struct move *move_of(struct diff *diff, const struct move *wanted)
{
    for (size_t i = 0; i < diff->count; i++) {
        struct move *move = &diff->moves[i];
        if (move->from == wanted->from && move->to == wanted->to
            && strcmp(move->name, wanted->name) == 0)
            return move;
    }
    if (diff->count == diff->size) {
        diff->size = diff->size > 0 ? 2 * diff->size : MOVES_FIRST;
        diff->moves = mem_resize(diff->moves, diff->size, sizeof *diff->moves);
    }
    diff->moves[diff->count] = *wanted;
    return &diff->moves[diff->count++];
}

static void escape_into(char text[NAME_SIZE], const char *first,
                        const char *second)
{
    struct escape escape;
    escape_init(&escape, text, NAME_SIZE);
    escape_add(&escape, slice_text(first));
    if (second) {
        escape_add(&escape, SLICE("/"));
        escape_add(&escape, slice_text(second));
    }
}

static void compare(void *context, const struct corpus_message *message)
{
    struct diff *diff = context;
    unsigned streams[2];
    for (unsigned i = 0; i < 2; i++) {
        diff->judging.policy.model = &diff->models[i].model;
        judging_judge(&diff->judging, message->header, message->body,
                      message->rcpt, &diff->judged);
        streams[i] = diff->judged.judgement.stream;
    }
    diff->messages++;
    if (streams[0] == streams[1])
        return;
    diff->moved++;
    unsigned right = message->is_known
                         ? diff->judging.policy.kind_streams[message->label]
                         : UINT32_MAX;
    struct move wanted = { .from = streams[0],
                           .to = streams[1],
                           .is_better = streams[1] == right,
                           .is_worse = streams[0] == right };
    escape_into(wanted.name, message->source, message->template);
    escape_into(wanted.example, message->file, NULL);
    move_of(diff, &wanted)->count++;
}

static int by_count(const void *a, const void *b)
{
    const struct move *left = a;
    const struct move *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->name, right->name);
}

static struct slice stream_name(const struct diff *diff, unsigned stream)
{
    return diff->judging.policy.streams[stream].name;
}

static void print_moves(const struct diff *diff, FILE *out)
{
    (void)fprintf(out, "%s -> %s: %u of %u messages would move\n",
                  diff->models[0].id, diff->models[1].id, diff->moved,
                  diff->messages);
    for (size_t i = 0; i < diff->count; i++) {
        const struct move *move = &diff->moves[i];
        (void)fprintf(out, "%5u  %.*s -> %.*s  %-6s %s  (%s)\n", move->count,
                      SLICE_ARG(stream_name(diff, move->from)),
                      SLICE_ARG(stream_name(diff, move->to)),
                      move->is_better  ? "better"
                      : move->is_worse ? "worse"
                                       : "",
                      move->name, move->example);
    }
}

/* One object a line. */
static void print_lines(const struct diff *diff, FILE *out)
{
    struct buf line;
    buf_init(&line, LINE_BYTES);
    for (size_t i = 0; i < diff->count; i++) {
        const struct move *move = &diff->moves[i];
        struct json json;
        buf_clear(&line);
        json_init(&json, &line);
        json_begin_object(&json);
        json_add_text(&json, "template", slice_text(move->name));
        json_add_text(&json, "from", stream_name(diff, move->from));
        json_add_text(&json, "to", stream_name(diff, move->to));
        json_add_number(&json, "count", move->count);
        json_add_bool(&json, "better", move->is_better);
        json_add_bool(&json, "worse", move->is_worse);
        json_add_text(&json, "example", slice_text(move->example));
        json_end(&json);
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&line)));
    }
    buf_release(&line);
}

static int diff_folder(struct diff *diff, const struct arguments *arguments,
                       FILE *out, FILE *err)
{
    for (int i = 0; i < 2; i++)
        if (!judging_model_read(arguments->words[i], &diff->models[i], err))
            return EX_DATAERR;
    int code = judging_open(&diff->judging, arguments, err);
    if (code != EX_OK)
        return code;
    if (!corpus_each(arguments->words[2], compare, diff, err))
        code = EX_NOINPUT;
    if (diff->count > 0)
        qsort(diff->moves, diff->count, sizeof *diff->moves, by_count);
    if (arguments->json)
        print_lines(diff, out);
    else
        print_moves(diff, out);
    return code;
}

int diff_run(const struct arguments *arguments, FILE *out, FILE *err)
{
    if (arguments->word_count != 3) {
        (void)fprintf(err, "diff wants two models and a folder with a "
                           "manifest.jsonl\n");
        return EX_USAGE;
    }
    struct diff *diff = NEW(struct diff);
    int code = diff_folder(diff, arguments, out, err);
    judging_close(&diff->judging);
    for (int i = 0; i < 2; i++)
        judging_model_release(&diff->models[i]);
    mem_free(diff->moves);
    mem_free(diff);
    return code;
}
