/* test_training - weights come to fit samples, and what they are worth is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/training/trial.h"
#include "classifier/training/wordlist.h"
#include "common/base/attr.h"
#include "common/base/mem.h"

#define SENDERS 6u
#define EACH    8u

/* Two messages in each class of each sender: bucket 10 + class is what they
 * have in common, others are of the sender or of chance. */
static void make_samples(struct samples *samples)
{
    samples_init(samples);
    for (uint32_t sender = 0; sender < SENDERS; sender++)
        for (uint32_t i = 0; i < EACH * MODEL_CLASSES; i++) {
            const uint32_t class = i % MODEL_CLASSES;
            struct sketch sketch = {
                .token_count = 4,
                .tokens = { (uint16_t)(10 + class), (uint16_t)(1000 + sender),
                            (uint16_t)(2000 + i * 7 % 5),
                            (uint16_t)(3000 + sender * 100 + i) },
                .min_hashes = { i * 2654435761u, 0, 0, 0, i + sender },
            };
            sketch.measures[MEASURE_LINKS] = class == MODEL_BULK ? 20 : 1;
            if (class == MODEL_BULK)
                sketch.marks = UINT64_C(1) << MARK_LIST_ID;
            samples_add(samples, &sketch, (enum model_class) class, sender);
        }
    samples_weigh(samples);
}

static unsigned found(const struct samples *samples, size_t at, uint64_t marks,
                      const struct weights *weights)
{
    float score[MODEL_CLASSES];
    fit_score(samples, &samples->items[at], marks, weights, score);
    unsigned most = 0;
    for (unsigned c = 1; c < MODEL_CLASSES; c++)
        most = score[c] > score[most] ? c : most;
    return most;
}

static void samples_are_learnt(void **state)
{
    (void)state;
    struct samples samples;
    struct weights *weights = weights_new();
    struct weights *again = weights_new();
    make_samples(&samples);
    fit(&samples, &fit_usual, weights);
    for (size_t i = 0; i < samples.count; i++) {
        const struct sample *sample = &samples.items[i];
        assert_int_equal(found(&samples, i, sample->marks, weights),
                         sample->class);
        /* What a liar's header says does not turn it round. */
        assert_int_equal(
            found(&samples, i,
                  disguise_marks(DISGUISE_ADVERSARIAL, sample->marks,
                                 sample->class == MODEL_BULK),
                  weights),
            sample->class);
    }
    fit(&samples, &fit_usual, again);
    assert_memory_equal(weights, again, sizeof *weights);
    weights_free(&weights);
    weights_free(&again);
    samples_release(&samples);
}

/* How far bulk is from what else it could be where that is least: by the word
 * that all of it has, or by its measures alone. */
static float least_margin(const struct samples *samples, bool by_words,
                          const struct weights *weights)
{
    float least = 100;
    for (size_t i = 0; i < samples->count; i++) {
        struct sample part = samples->items[i];
        float score[MODEL_CLASSES];
        if (part.class != MODEL_BULK)
            continue;
        part.token_count = by_words ? 1 : 0;
        if (by_words)
            memset(part.steps, 0, sizeof part.steps);
        fit_score(samples, &part, 0, weights, score);
        for (unsigned c = 0; c < MODEL_CLASSES; c++)
            if (c != MODEL_BULK && score[MODEL_BULK] - score[c] < least)
                least = score[MODEL_BULK] - score[c];
    }
    return least;
}

/* Words and measures tell the same here. Where a part of them is left out, what
 * would have learnt little learns to tell by itself. */
static void each_part_tells_alone(void **state)
{
    (void)state;
    struct samples samples;
    struct weights *weights = weights_new();
    struct weights *whole = weights_new();
    struct fit_options options = fit_usual;
    make_samples(&samples);
    fit(&samples, &options, weights);
    options.word_drop = 0;
    options.measure_drop = 0;
    fit(&samples, &options, whole);
    /* Shown whole, words tell nearly all, and measures learn what they leave. */
    assert_true(least_margin(&samples, true, whole)
                > 4 * least_margin(&samples, false, whole));
    assert_true(least_margin(&samples, true, weights)
                < 2 * least_margin(&samples, false, weights));
    weights_free(&weights);
    weights_free(&whole);
    samples_release(&samples);
}

/* A base that knows other words keeps them, and moves where samples speak. */
static void a_base_is_moved_not_lost(void **state)
{
    (void)state;
    struct samples samples;
    struct weights *base = weights_new();
    struct weights *weights = weights_new();
    struct fit_options options = fit_on_base;
    make_samples(&samples);
    base->words[50000][MODEL_BULK] = 1.5F;
    base->words[10 + MODEL_BULK][MODEL_BULK] = -0.5F; /* wrong, here */
    options.base = base;
    fit(&samples, &options, weights);
    assert_float_equal(weights->words[50000][MODEL_BULK], 1.5, 0.001);
    assert_true(weights->words[10 + MODEL_BULK][MODEL_BULK] > 0);
    for (size_t i = 0; i < samples.count; i++)
        assert_int_equal(found(&samples, i, samples.items[i].marks, weights),
                         samples.items[i].class);
    weights_free(&base);
    weights_free(&weights);
    samples_release(&samples);
}

/* Many instances of one template weigh less each than one of its own. */
static void templates_do_not_outvote(void **state)
{
    (void)state;
    struct samples samples;
    struct sketch sketch = { .token_count = 1, .tokens = { 1 } };
    samples_init(&samples);
    for (unsigned i = 0; i < 100; i++)
        samples_add(&samples, &sketch, MODEL_BULK, 0);
    sketch.min_hashes[0] = 77;
    samples_add(&samples, &sketch, MODEL_BULK, 1);
    samples_add(&samples, &sketch, MODEL_TRANSACTIONAL, 2);
    samples_add(&samples, &sketch, MODEL_PERSONAL, 3);
    samples_weigh(&samples);
    assert_true(samples.items[100].weight > 20 * samples.items[0].weight);
    samples_release(&samples);
}

static void senders_are_held_out_whole(void **state)
{
    (void)state;
    struct samples samples;
    struct trial trial;
    uint32_t sizes[FIT_FOLDS_MAX] = { 0 };
    make_samples(&samples);
    trial_init(&trial, &samples, SENDERS, 3);
    assert_int_equal(trial.fold_count, 3);
    for (size_t i = 0; i < samples.count; i++)
        sizes[trial.folds[samples.items[i].sender]]++;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sizes[i], samples.count / 3);
    for (uint8_t fold = 0; fold < 3; fold++)
        trial_fold(&trial, &fit_usual, fold);
    for (unsigned d = 0; d < DISGUISE_COUNT; d++) {
        struct tally tally = { .bins = { 0 } };
        struct calibration calibration;
        trial_calibrate(&trial, 1, &calibration);
        trial_count(&trial, trial.scores, &calibration, (enum disguise)d, 900,
                    &tally);
        assert_int_equal(tally_all(&tally), samples.count);
        assert_true(tally_macro_f1(&tally) > 0.95);
    }
    trial_release(&trial);
    samples_release(&samples);

    make_samples(&samples);
    trial_init(&trial, &samples, SENDERS, 30);
    assert_int_equal(trial.fold_count, SENDERS);
    trial_release(&trial);
    samples_release(&samples);
}

/* Nothing of the held sender has been learnt. */
static void what_is_held_teaches_nothing(void **state)
{
    (void)state;
    struct samples samples;
    struct weights *weights = weights_new();
    struct fit_options options = fit_usual;
    uint8_t folds[SENDERS] = { 1 };
    make_samples(&samples);
    options.folds = folds;
    options.held = 1;
    fit(&samples, &options, weights);
    assert_float_equal(weights->words[1000][MODEL_BULK], 0, 0.0001);
    assert_true(weights->words[3100][MODEL_TRANSACTIONAL] != 0.0F);
    weights_free(&weights);
    samples_release(&samples);
}

/* One mark tells all, and may not say all: what it would have to weigh more than
 * the cap is worth nothing, and is not learnt. */
static void capped_marks_do_not_grow(void **state)
{
    (void)state;
    const float cap = (float)MODEL_MARKS_CAP / MODEL_POINT / 2;
    struct samples samples;
    struct weights *weights = weights_new();
    struct fit_options options = fit_usual;
    options.lie = 0;
    options.margin = 4;
    samples_init(&samples);
    for (uint32_t i = 0; i < 100; i++) {
        const bool is_bulk = i % 2 == 0;
        const struct sketch sketch = {
            .token_count = 1,
            .tokens = { 7 },
            .min_hashes = { i * 2654435761u },
            .marks = is_bulk ? UINT64_C(1) << MARK_LIST_ID : 0,
        };
        samples_add(&samples, &sketch,
                    is_bulk ? MODEL_BULK : MODEL_TRANSACTIONAL, i % SENDERS);
    }
    samples_weigh(&samples);
    fit(&samples, &options, weights);
    const float *mark = weights->marks[MARK_LIST_ID];
    const float bulk = mark[MODEL_BULK] - (mark[0] + mark[1] + mark[2]) / 3;
    assert_true(bulk > cap / 2);
    assert_true(bulk < cap * 1.2F);
    weights_free(&weights);
    samples_release(&samples);
}

/* Three of four are bulk, the others by half; the log-odds say nearly all are,
 * and of the others that most are personal. */
static void calibration_is_found(void **state)
{
    (void)state;
    struct samples samples;
    struct trial trial;
    struct calibration calibration;
    struct sketch sketch = { .token_count = 0 };
    samples_init(&samples);
    for (unsigned i = 0; i < 4000; i++)
        samples_add(&samples, &sketch,
                    i % 4 < 3    ? MODEL_BULK
                    : i % 8 == 3 ? MODEL_PERSONAL
                                 : MODEL_TRANSACTIONAL,
                    i % 2);
    trial_init(&trial, &samples, 2, 2);
    for (size_t i = 0; i < samples.count; i++)
        for (unsigned d = 0; d < DISGUISE_COUNT; d++) {
            trial.scores[i].by[d][MODEL_BULK] = 2.5F;
            trial.scores[i].by[d][MODEL_PERSONAL] = 0.5F;
        }
    trial_calibrate(&trial, 1, &calibration);
    float shares[MODEL_CLASSES];
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        shares[c] = trial.scores[0].by[0][c] + calibration.bias[c];
    fit_softmax(shares, calibration.temperature);
    assert_float_equal(shares[MODEL_BULK], 0.75, 0.02);
    assert_float_equal(shares[MODEL_PERSONAL], 0.125, 0.02);
    /* A few samples change little. */
    samples.count = 30;
    trial_calibrate(&trial, 3, &calibration);
    assert_float_equal(calibration.bias[MODEL_BULK], 0, 0.001);
    assert_in_range((int)(calibration.temperature * 100), 220, 400);
    trial_release(&trial);
    samples_release(&samples);
}

static void verdicts_are_counted(void **state)
{
    (void)state;
    struct tally tally = { .bins = { 0 } };
    static const struct tally_verdict verdicts[] = {
        { KIND_TRANSACTIONAL, KIND_TRANSACTIONAL, 950, true, false },
        { KIND_TRANSACTIONAL, KIND_TRANSACTIONAL, 850, false, false },
        { KIND_TRANSACTIONAL, KIND_BULK, 600, false, true },
        { KIND_BULK, KIND_BULK, 900, false, true },
        { KIND_BULK, KIND_TRANSACTIONAL, 920, true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        tally_add(&tally, &verdicts[i]);
    assert_float_equal(tally_precision(&tally, KIND_TRANSACTIONAL), 2.0 / 3,
                       1e-6);
    assert_float_equal(tally_recall(&tally, KIND_TRANSACTIONAL), 2.0 / 3, 1e-6);
    assert_float_equal(tally_f1(&tally, KIND_BULK), 0.5, 1e-6);
    assert_float_equal(tally_macro_f1(&tally), (2.0 / 3 + 0.5) / 2, 1e-6);
    assert_float_equal(tally_protected(&tally, KIND_BULK), 0.5, 1e-6);
    assert_float_equal(tally_to_bulk(&tally, KIND_TRANSACTIONAL), 1.0 / 3,
                       1e-6);
    /* Bins: 950, 900, 920 with two right; 850 right; 600 wrong. */
    assert_float_equal(tally_calibration_error(&tally), (0.77 + 0.15 + 0.6) / 5,
                       1e-3);
}

static void headers_are_disguised(void **state)
{
    (void)state;
    static const char header[] =
        "Received: x\r\nFrom: \"Shop\" <news@shop.example>\r\nTo: a@b\r\n"
        "List-Unsubscribe: <x>\r\nPrecedence: bulk\r\nX-Mailer: y\r\n"
        "Feedback-ID: a:b:c:d\r\nX-Campaign: 1\r\nContent-Type: text/html\r\n";
    static const struct {
        enum disguise disguise;
        bool is_bulk;
        const char *header;
    } cases[] = {
        { DISGUISE_MIXED, true, header },
        { DISGUISE_STRIPPED, true,
          "From: \"Shop\" <news@shop.example>\r\nTo: a@b\r\n"
          "Content-Type: text/html\r\n" },
        { DISGUISE_ADVERSARIAL, false, header },
        { DISGUISE_ADVERSARIAL, true,
          "Received: x\r\nFrom: \"Shop\" <noreply@shop.example>\r\nTo: a@b\r\n"
          "X-Mailer: y\r\nContent-Type: text/html\r\n"
          "Auto-Submitted: auto-generated\r\n"
          "X-Sendyard-Stream: transactional\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct marks before;
        struct marks after;
        buf_init(&out, 4096);
        assert_true(disguise_header(cases[i].disguise, SLICE(header),
                                    cases[i].is_bulk, &out));
        if (!slice_equal(buf_slice(&out), slice_text(cases[i].header)))
            fail_msg("%zu: %.*s", i, SLICE_ARG(buf_slice(&out)));
        /* The marks of samples are disguised as headers are. */
        marks_read(SLICE(header), &before);
        marks_read(buf_slice(&out), &after);
        assert_true(
            disguise_marks(cases[i].disguise, before.bits, cases[i].is_bulk)
            == after.bits);
        buf_release(&out);
    }
}

static void heavy_words_are_listed(void **state)
{
    (void)state;
    struct weights *weights = weights_new();
    struct wordlist *list = wordlist_new();
    struct buf out;
    weights->words[3][MODEL_BULK] = 2;
    weights->words[0xA00][MODEL_PERSONAL] = 3;
    weights->words[5][MODEL_BULK] = 9;
    for (uint32_t sender = 0; sender < 2; sender++) {
        wordlist_begin(list, sender);
        wordlist_hear(list, 3, false, SLICE("other"), SLICE(""));
        wordlist_hear(list, 3, false, SLICE("sale"), SLICE("big"));
        wordlist_hear(list, 3, false, SLICE("sale"), SLICE("big"));
        wordlist_hear(list, 0xA00, true, SLICE("hello"), SLICE(""));
    }
    wordlist_hear(list, 5, false, SLICE("anna"), SLICE("")); /* one sender's */
    buf_init(&out, 4096);
    wordlist_write(list, weights, &out);
    assert_true(slice_equal(buf_slice(&out),
                            SLICE("0003 big sale\n0a00 subject: hello\n")));
    buf_release(&out);
    buf_init(&out, 25); /* room for the heavier one alone */
    wordlist_write(list, weights, &out);
    assert_true(slice_equal(buf_slice(&out), SLICE("0a00 subject: hello\n")));
    buf_release(&out);
    wordlist_free(&list);
    weights_free(&weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_learnt),
        cmocka_unit_test(each_part_tells_alone),
        cmocka_unit_test(a_base_is_moved_not_lost),
        cmocka_unit_test(templates_do_not_outvote),
        cmocka_unit_test(senders_are_held_out_whole),
        cmocka_unit_test(what_is_held_teaches_nothing),
        cmocka_unit_test(capped_marks_do_not_grow),
        cmocka_unit_test(calibration_is_found),
        cmocka_unit_test(verdicts_are_counted),
        cmocka_unit_test(headers_are_disguised),
        cmocka_unit_test(heavy_words_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
