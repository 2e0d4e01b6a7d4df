/* train.c - a model of one's own mail. */
#include "router/classify/train.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "classifier/dictionary.h"
#include "classifier/training/pack.h"
#include "classifier/training/trial.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "router/classify/judging.h"
#include "router/classify/lesson.h"
#include "router/classify/scores.h"
#include "router/classify/trouble.h"

#define FOLDS_USUAL 5u
#define THREADS_MAX 16u

struct training {
    const struct arguments *arguments;
    struct lesson *lesson;
    struct judging_model base;
    struct weights *base_weights; /* NULL: no base */
    struct fit_options options;
    struct trial trial;
    struct weights *weights; /* fitted to all samples */
    atomic_uint next;        /* fold for the next thread; the last is no fold
                                but the fit of all */
    struct tally tallies[DISGUISE_COUNT];
    struct tally base_tallies[DISGUISE_COUNT];
    FILE *out;
    FILE *err;
};

static bool read_lesson(struct training *training)
{
    const struct arguments *arguments = training->arguments;
    for (int i = 0; i < arguments->word_count; i++)
        if (!lesson_read(training->lesson, arguments->words[i], training->err))
            return false;
    const uint32_t *counts = training->lesson->counts;
    unsigned classes = 0;
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        classes += counts[c] > 0;
    if (classes < (training->base_weights ? 1 : MODEL_CLASSES)) {
        (void)fprintf(training->err,
                      "there have to be messages of each class: transactional "
                      "%u, bulk %u, personal %u\n",
                      counts[MODEL_TRANSACTIONAL], counts[MODEL_BULK],
                      counts[MODEL_PERSONAL]);
        return false;
    }
    return true;
}

static bool read_base(struct training *training)
{
    training->options = fit_usual;
    if (!training->arguments->base)
        return true;
    if (!judging_model_read(training->arguments->base, &training->base,
                            training->err))
        return false;
    training->base_weights = weights_new();
    unpack_model(&training->base.model, training->base_weights);
    training->options = fit_on_base;
    training->options.base = training->base_weights;
    return true;
}

/* ---- the fits, shared out among threads --------------------------------- */

static void *work(void *context)
{
    struct training *training = context;
    uint32_t folds = training->trial.fold_count;
    for (;;) {
        uint32_t fold = atomic_fetch_add(&training->next, 1);
        if (fold > folds)
            return NULL;
        if (fold == 0)
            fit(&training->lesson->samples, &training->options,
                training->weights);
        else
            trial_fold(&training->trial, &training->options,
                       (uint8_t)(fold - 1));
    }
}

static void fit_all(struct training *training)
{
    pthread_t threads[THREADS_MAX];
    size_t count = 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    while (count < THREADS_MAX && (long)count + 1 < processors
           && pthread_create(&threads[count], NULL, work, training) == 0)
        count++;
    (void)work(training);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

/* ---- what they are worth ------------------------------------------------ */

static void count(struct training *training, const struct trial_scores *scores,
                  const struct calibration *calibration,
                  struct tally tallies[DISGUISE_COUNT])
{
    for (unsigned d = 0; d < DISGUISE_COUNT; d++)
        trial_count(&training->trial, scores, calibration, (enum disguise)d,
                    JUDGE_FLOOR_USUAL, &tallies[d]);
}

static void score_base(struct training *training)
{
    struct trial_scores *scores =
        mem_new(training->lesson->samples.count, sizeof *scores);
    const struct calibration own = {
        .temperature = training->base_weights->temperature,
    };
    trial_by(&training->trial, training->base_weights, scores);
    count(training, scores, &own, training->base_tallies);
    mem_free(scores);
}

static void score(struct training *training)
{
    struct weights *weights = training->weights;
    struct calibration calibration;
    float usual =
        training->base_weights ? training->base_weights->temperature : 1;
    trial_calibrate(&training->trial, usual, &calibration);
    /* A base may have been made of these very samples; then nothing was held
     * out from it, and it looks surer than it may be. */
    if (training->base_weights && calibration.temperature < usual)
        calibration.temperature = usual;
    count(training, training->trial.scores, &calibration, training->tallies);
    weights->temperature = calibration.temperature;
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        weights->bias[c] += calibration.bias[c];
    if (training->base_weights)
        score_base(training);
}

static void print_scores(const struct training *training)
{
    const struct lesson *lesson = training->lesson;
    (void)fprintf(training->out,
                  "%zu samples of %u senders: transactional %u, bulk %u, "
                  "personal %u; left out: %u with other labels\n",
                  lesson->samples.count, lesson->sender_count,
                  lesson->counts[MODEL_TRANSACTIONAL],
                  lesson->counts[MODEL_BULK], lesson->counts[MODEL_PERSONAL],
                  lesson->left_out);
    (void)fprintf(training->out,
                  "on senders that were held out, in %u folds; temperature "
                  "%.2f\n",
                  training->trial.fold_count,
                  (double)training->weights->temperature);
    scores_print_head(training->out);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++) {
        char name[32];
        scores_print(disguise_name((enum disguise)d), &training->tallies[d],
                     training->out);
        (void)snprintf(name, sizeof name, "%s, base",
                       disguise_name((enum disguise)d));
        if (training->base_weights)
            scores_print(name, &training->base_tallies[d], training->out);
    }
}

/* No sender could be held out, or more bulk gets through than with the base. */
static bool is_worse(const struct training *training)
{
    if (training->trial.fold_count < 2) {
        (void)fprintf(training->err,
                      "all messages have one sender: nothing could be held out "
                      "to see what the model is worth\n");
        return true;
    }
    for (unsigned d = 0; d < DISGUISE_COUNT && training->base_weights; d++) {
        uint32_t leaked = training->tallies[d].is_protected[KIND_BULK];
        uint32_t before = training->base_tallies[d].is_protected[KIND_BULK];
        if (leaked <= before)
            continue;
        (void)fprintf(
            training->err,
            "with %s headers %u bulk messages of %u reach a protected "
            "stream, %u with the base\n",
            disguise_name((enum disguise)d), leaked,
            tally_of(&training->tallies[d], KIND_BULK), before);
        return true;
    }
    return false;
}

/* ---- the file ------------------------------------------------------------ */

static void add_counts(struct json *json, const uint32_t counts[MODEL_CLASSES])
{
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        if (counts[c] > 0)
            json_add_number(json, model_class_name((enum model_class)c),
                            counts[c]);
}

static void add_sources(const struct lesson *lesson, struct json *json)
{
    json_key(json, "samples");
    json_begin_object(json);
    add_counts(json, lesson->counts);
    json_end(json);
    json_key(json, "sources");
    json_begin_array(json);
    for (size_t i = 0; i < lesson->source_count; i++) {
        json_begin_object(json);
        json_add_text(json, "name", slice_text(lesson->sources[i].name));
        add_counts(json, lesson->sources[i].counts);
        json_end(json);
    }
    json_end(json);
}

static void add_meta(const struct training *training, struct buf *meta)
{
    struct json json;
    char now[TIME_RFC3339_SIZE];
    time_rfc3339(time_utc_ms(), now);
    struct slice date =
        training->arguments->date
            ? slice_text(training->arguments->date)
            : slice_head(slice_text(now), sizeof "2026-01-31" - 1);
    json_init(&json, meta);
    json_begin_object(&json);
    json_add_text(&json, "date", date);
    if (training->base_weights)
        json_add_text(&json, "base", slice_text(training->base.id));
    json_add_number(&json, "senders", training->lesson->sender_count);
    json_add_number(&json, "folds", training->trial.fold_count);
    json_key(&json, "held_out");
    json_begin_object(&json);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++) {
        json_key(&json, disguise_name((enum disguise)d));
        json_begin_object(&json);
        scores_add(&training->tallies[d], &json);
        json_end(&json);
    }
    json_end(&json);
    add_sources(training->lesson, &json);
    json_end(&json);
}

/* Written beside, synced and renamed, so that a router that reads it sees the
 * old or the new one. */
static bool write_file(struct training *training, struct slice bytes)
{
    char beside[PATH_MAX];
    const char *path = training->arguments->out;
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        (void)fprintf(training->err, "%s: the path is too long\n", path);
        return false;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool is_written = fd >= 0 && file_write(fd, bytes) && fdatasync(fd) == 0;
    is_written &= fd >= 0 && close(fd) == 0;
    if (is_written && rename(beside, path) == 0)
        return true;
    trouble_tell(path, training->err);
    (void)unlink(beside);
    return false;
}

static int write_model(struct training *training)
{
    struct buf dictionary;
    struct buf meta;
    struct buf file;
    buf_init(&dictionary, DICTIONARY_BYTES_MAX);
    buf_init(&meta, MODEL_META_MAX);
    buf_init(&file, MODEL_FILE_MAX);
    wordlist_write(training->lesson->words, training->weights, &dictionary);
    add_meta(training, &meta);
    int code = EX_CANTCREAT;
    if (meta.full
        || !pack_model(training->weights, buf_slice(&dictionary),
                       buf_slice(&meta), &file))
        (void)fprintf(training->err, "the model does not fit its file\n");
    else if (write_file(training, buf_slice(&file)))
        code = EX_OK;
    buf_release(&dictionary);
    buf_release(&meta);
    buf_release(&file);
    return code;
}

/* ---- all of it ------------------------------------------------------------ */

static int train(struct training *training, uint32_t folds)
{
    if (!read_base(training) || !read_lesson(training))
        return EX_DATAERR;
    samples_weigh(&training->lesson->samples);
    trial_init(&training->trial, &training->lesson->samples,
               training->lesson->sender_count, folds);
    fit_all(training);
    score(training);
    print_scores(training);
    if (is_worse(training) && !training->arguments->force) {
        (void)fprintf(training->err, "%s is not written; --force writes it\n",
                      training->arguments->out);
        return EX_DATAERR;
    }
    return write_model(training);
}

int train_run(const struct arguments *arguments, FILE *out, FILE *err)
{
    uint64_t folds = FOLDS_USUAL;
    if (!arguments->out || arguments->word_count == 0
        || (arguments->folds
            && (!slice_number(slice_text(arguments->folds), FIT_FOLDS_MAX,
                              &folds)
                || folds < 2))) {
        (void)fprintf(err,
                      "train wants --out FILE, CLASS=PATH or "
                      "corpus=FOLDER, and 2 to %u folds\n",
                      FIT_FOLDS_MAX);
        return EX_USAGE;
    }
    struct training *training = NEW(struct training);
    training->arguments = arguments;
    training->lesson = lesson_new();
    training->weights = weights_new();
    training->out = out;
    training->err = err;
    int code = train(training, (uint32_t)folds);
    trial_release(&training->trial);
    lesson_free(&training->lesson);
    judging_model_release(&training->base);
    weights_free(&training->base_weights);
    weights_free(&training->weights);
    mem_free(training);
    return code;
}
