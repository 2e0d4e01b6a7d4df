/* fuzz_sketch - any bytes are a message that can be sketched and judged. */
#include <stdint.h>

#include "classifier/judge.h"
#include "classifier/naming.h"
#include "classifier/shipped.h"
#include "common/base/check.h"
#include "common/proto/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct judge_stream streams[] = {
    { .name = { "transactional", 13 },
      .class = JUDGE_TRANSACTIONAL,
      .floor = 900 },
    { .name = { "general", 7 }, .class = JUDGE_NEUTRAL },
    { .name = { "bulk", 4 }, .class = JUDGE_BULK },
};

static void check_same(const struct sketch *a, const struct sketch *b)
{
    CHECK(a->token_count == b->token_count);
    CHECK(memcmp(a->tokens, b->tokens, a->token_count * sizeof *a->tokens)
          == 0);
    CHECK(memcmp(a->measures, b->measures, sizeof a->measures) == 0);
    CHECK(memcmp(a->min_hashes, b->min_hashes, sizeof a->min_hashes) == 0);
    CHECK(a->marks == b->marks && a->skeleton == b->skeleton
          && a->text_hash == b->text_hash
          && a->is_truncated == b->is_truncated);
}

static void check_verdict(const struct sketch *sketch,
                          const struct judgement *judgement)
{
    uint32_t sum = 0;
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++)
        sum += judgement->per_mille[kind];
    CHECK(sum == 1000);
    CHECK(judgement->stream < ARRAY_LEN(streams));
    CHECK(judgement->reason_count > 0
          && judgement->reason_count <= JUDGE_REASONS_MAX);
    CHECK(!judgement->is_protected || !sketch->is_truncated);
}

/* Made once: to open a model and a lexicon costs more than most messages do, and
 * a sketcher is there to be used again. */
static struct sketcher *sketcher;
static struct model model;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct judge_account account = { .default_stream = JUDGE_STREAM_NONE,
                                           .enforce = true };
    const struct judge_standing standing = { .state = TEMPLATE_UNKNOWN };
    if (!sketcher) {
        sketcher = sketcher_new();
        CHECK(model_open(shipped_model(), &model) == RC_OK);
    }
    const struct judge_policy policy = {
        .streams = streams,
        .stream_count = ARRAY_LEN(streams),
        .kind_streams = { 0, 2, 1, 1 },
        .unsure_stream = 1,
        .model = &model,
        .max_recipients = 10,
    };
    struct header_split split;
    const enum rc rc = header_split(slice_of((const char *)data, size), &split);
    (void)rc;
    const struct slice rcpt = SLICE("anna.berg@example.net");
    const struct sketch_message sketched = { .header = split.header,
                                             .body = split.body,
                                             .recipients = &rcpt,
                                             .recipient_count = 1 };
    const struct judge_message message = { .mail_from = SLICE("a@example.org"),
                                           .recipient_count = 1,
                                           .header = split.header };
    struct sketch first;
    struct sketch again;
    struct judgement judgement;
    struct naming naming;
    sketch_take(sketcher, &sketched, &first);
    judge(&policy, &account, &message, &first, &standing, &judgement);
    check_verdict(&first, &judgement);
    /* Nothing of a message stays in the sketcher, and telling changes nothing. */
    again = first;
    naming_find(sketcher, &sketched, &judgement, &again, &naming);
    check_same(&first, &again);
    for (size_t i = 0; i < naming.count; i++)
        CHECK(naming.names[i].len > 0 && naming.names[i].len < NAMING_SIZE);
    return 0;
}
