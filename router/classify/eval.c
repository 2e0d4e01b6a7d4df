/* eval.c - what a model is worth on labelled mail. */
#include "router/classify/eval.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "classifier/training/disguise.h"
#include "common/base/mem.h"
#include "common/proto/json.h"
#include "router/classify/corpus.h"
#include "router/classify/judging.h"
#include "router/classify/scores.h"

#define KINDS_MAX   64u
#define KIND_NAME   32u
#define HEADER_MAX  (1u << 20)
#define ANSWER_MAX  (1u << 20)
#define TIMES_FIRST 1024u

struct eval_kind {
    char name[KIND_NAME];
    uint32_t count;
    uint32_t right;
    uint32_t is_protected;
};

/* What one disguise has come to. */
struct eval_sums {
    struct tally tally;
    struct eval_kind kinds[KINDS_MAX];
    size_t kind_count;
    uint32_t apart[JUDGE_KIND_COUNT]; /* what was taken for what, unlabelled */
    uint32_t *times;                  /* ns, of each message */
    size_t time_count;
    size_t time_size;
    uint64_t bytes;
};

struct eval {
    struct judging judging;
    struct judged judged;
    struct buf header;
    bool wanted[DISGUISE_COUNT];
    struct eval_sums sums[DISGUISE_COUNT];
};

static struct eval_kind *kind_of(struct eval_sums *sums, const char *name)
{
    for (size_t i = 0; i < sums->kind_count; i++)
        if (strncmp(sums->kinds[i].name, name, KIND_NAME - 1) == 0)
            return &sums->kinds[i];
    if (sums->kind_count == KINDS_MAX)
        return &sums->kinds[KINDS_MAX - 1];
    struct eval_kind *kind = &sums->kinds[sums->kind_count++];
    (void)snprintf(kind->name, KIND_NAME, "%s", name);
    return kind;
}

static void add_time(struct eval_sums *sums, uint64_t cost_ns)
{
    if (sums->time_count == sums->time_size) {
        sums->time_size =
            sums->time_size > 0 ? 2 * sums->time_size : TIMES_FIRST;
        sums->times =
            mem_resize(sums->times, sums->time_size, sizeof *sums->times);
    }
    sums->times[sums->time_count++] = (uint32_t)cost_ns;
}

static void count(struct eval *eval, struct eval_sums *sums,
                  const struct corpus_message *message)
{
    const struct judgement *judgement = &eval->judged.judgement;
    const struct judge_policy *policy = &eval->judging.policy;
    add_time(sums, eval->judged.cost_ns);
    sums->bytes += message->body.len;
    if (!message->is_known) {
        sums->apart[judgement->kind]++;
        return;
    }
    const struct tally_verdict verdict = {
        .is = message->label,
        .found = judgement->kind,
        .per_mille = judgement->per_mille[judgement->kind],
        .is_protected = judgement->is_protected,
        .to_bulk = policy->streams[judgement->stream].class == JUDGE_BULK,
    };
    struct eval_kind *kind = kind_of(sums, message->kind);
    tally_add(&sums->tally, &verdict);
    kind->count++;
    kind->right += verdict.is == verdict.found;
    kind->is_protected += verdict.is_protected;
}

static void judge_disguised(void *context, const struct corpus_message *message)
{
    struct eval *eval = context;
    bool is_bulk = message->is_known && message->label == KIND_BULK;
    for (unsigned d = 0; d < DISGUISE_COUNT; d++) {
        if (!eval->wanted[d])
            continue;
        buf_clear(&eval->header);
        (void)disguise_header((enum disguise)d, message->header, is_bulk,
                              &eval->header);
        judging_judge(&eval->judging, buf_slice(&eval->header), message->body,
                      message->rcpt, &eval->judged);
        count(eval, &eval->sums[d], message);
    }
}

static int compare_times(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

struct times {
    double mean_us;
    double p99_us;
    double us_per_kb;
};

static struct times times_of(struct eval_sums *sums)
{
    struct times times = { 0 };
    double sum = 0;
    if (sums->time_count == 0)
        return times;
    qsort(sums->times, sums->time_count, sizeof *sums->times, compare_times);
    for (size_t i = 0; i < sums->time_count; i++)
        sum += sums->times[i] / 1000.0;
    times.mean_us = sum / (double)sums->time_count;
    size_t late = sums->time_count * 99 / 100;
    times.p99_us = sums->times[late] / 1000.0;
    times.us_per_kb = sums->bytes > 0 ? sum / ((double)sums->bytes / 1024) : 0;
    return times;
}

/* The share of resets and codes that the protected stream takes. */
static double urgent_protected(const struct eval_sums *sums)
{
    uint32_t all = 0;
    uint32_t is_protected = 0;
    for (size_t i = 0; i < sums->kind_count; i++) {
        const struct eval_kind *kind = &sums->kinds[i];
        if (strcmp(kind->name, "reset") != 0
            && strcmp(kind->name, "verify") != 0)
            continue;
        all += kind->count;
        is_protected += kind->is_protected;
    }
    return all > 0 ? (double)is_protected / all : 0;
}

static void print_sums(enum disguise disguise, struct eval_sums *sums,
                       FILE *out)
{
    const struct times times = times_of(sums);
    scores_print(disguise_name(disguise), &sums->tally, out);
    (void)fprintf(
        out,
        "  resets and codes protected %.3f   mean %.1f us, p99 %.1f us, "
        "%.2f us/KB\n",
        urgent_protected(sums), times.mean_us, times.p99_us, times.us_per_kb);
    for (size_t i = 0; i < sums->kind_count; i++)
        (void)fprintf(out, "  %-16s %5u  right %.3f  protected %.3f\n",
                      sums->kinds[i].name, sums->kinds[i].count,
                      (double)sums->kinds[i].right / sums->kinds[i].count,
                      (double)sums->kinds[i].is_protected
                          / sums->kinds[i].count);
    uint32_t apart = 0;
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++)
        apart += sums->apart[kind];
    if (apart > 0)
        (void)fprintf(out,
                      "  %-16s %5u  transactional %u, bulk %u, personal "
                      "%u, system %u\n",
                      "(no such label)", apart, sums->apart[KIND_TRANSACTIONAL],
                      sums->apart[KIND_BULK], sums->apart[KIND_PERSONAL],
                      sums->apart[KIND_SYSTEM]);
}

static void add_decimal(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_decimal(json, value);
}

static void add_kinds(const struct eval_sums *sums, struct json *json)
{
    json_key(json, "kinds");
    json_begin_object(json);
    for (size_t i = 0; i < sums->kind_count; i++) {
        const struct eval_kind *kind = &sums->kinds[i];
        json_key(json, kind->name);
        json_begin_object(json);
        json_add_number(json, "count", kind->count);
        add_decimal(json, "recall", (double)kind->right / kind->count);
        add_decimal(json, "protected",
                    (double)kind->is_protected / kind->count);
        json_end(json);
    }
    json_end(json);
}

static void add_sums(enum disguise disguise, struct eval_sums *sums,
                     struct json *json)
{
    const struct times times = times_of(sums);
    json_begin_object(json);
    json_add_text(json, "headers", slice_text(disguise_name(disguise)));
    json_add_number(json, "messages", tally_all(&sums->tally));
    scores_add(&sums->tally, json);
    add_decimal(json, "resets_and_codes", urgent_protected(sums));
    add_decimal(json, "mean_us", times.mean_us);
    add_decimal(json, "p99_us", times.p99_us);
    add_decimal(json, "us_per_kb", times.us_per_kb);
    add_kinds(sums, json);
    json_key(json, "unlabelled");
    json_begin_object(json);
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++)
        json_add_number(json, judge_kind_name((enum judge_kind)kind),
                        sums->apart[kind]);
    json_end(json);
    json_end(json);
}

static void print_all(struct eval *eval, FILE *out)
{
    (void)fprintf(out, "model %s\n", eval->judging.model_id);
    scores_print_head(out);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        if (eval->wanted[d])
            print_sums((enum disguise)d, &eval->sums[d], out);
}

static void print_json(struct eval *eval, FILE *out)
{
    struct json json;
    struct buf text;
    buf_init(&text, ANSWER_MAX);
    json_init(&json, &text);
    json_begin_object(&json);
    json_add_text(&json, "model", slice_text(eval->judging.model_id));
    json_key(&json, "results");
    json_begin_array(&json);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        if (eval->wanted[d])
            add_sums((enum disguise)d, &eval->sums[d], &json);
    json_end(&json);
    json_end(&json);
    (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
}

static bool choose(struct eval *eval, const char *name, FILE *err)
{
    enum disguise disguise;
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        eval->wanted[d] = name == NULL;
    if (!name)
        return true;
    if (!disguise_of_name(slice_text(name), &disguise)) {
        (void)fprintf(err, "--headers is mixed, stripped or adversarial\n");
        return false;
    }
    eval->wanted[disguise] = true;
    return true;
}

static int eval_folder(struct eval *eval, const struct arguments *arguments,
                       FILE *out, FILE *err)
{
    int code = judging_open(&eval->judging, arguments, err);
    if (code == EX_OK) {
        if (!corpus_each(arguments->words[0], judge_disguised, eval, err))
            code = EX_NOINPUT;
        if (arguments->json)
            print_json(eval, out);
        else
            print_all(eval, out);
    }
    judging_close(&eval->judging);
    return code;
}

int eval_run(const struct arguments *arguments, FILE *out, FILE *err)
{
    struct eval *eval = NEW(struct eval);
    buf_init(&eval->header, HEADER_MAX);
    int code = EX_USAGE;
    if (arguments->word_count != 1)
        (void)fprintf(err, "eval wants one folder with a manifest.jsonl\n");
    else if (choose(eval, arguments->headers, err))
        code = eval_folder(eval, arguments, out, err);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        mem_free(eval->sums[d].times);
    buf_release(&eval->header);
    mem_free(eval);
    return code;
}
