/*
 * classifier.c - what it costs to judge a message.
 *
 *     bench_classifier ROUNDS PATH...
 *
 * Reads all messages at PATH (folders, mailboxes, files) into memory, then
 * sketches and judges each ROUNDS times by the model that ships, as live
 * routing does. Prints the mean and percentiles of each message's best round (what
 * it costs when nothing interferes), the mean over all rounds, and the cost of a
 * KB. The loop is all that runs: `perf record bench_classifier 200 PATH`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/classify/bag.h"
#include "router/classify/judging.h"

#define ROUNDS_MAX  1000000u
#define FIRST_COUNT 256u

struct item {
    char *bytes;
    size_t len;
    uint64_t best_ns;
};

struct bench {
    struct item *items;
    size_t count;
    size_t size;
    size_t bytes;
    uint64_t sum_ns;
    struct judging judging;
    struct judged judged;
};

static bool keep(void *context, const struct bag_message *message)
{
    struct bench *bench = context;
    if (bench->count == bench->size) {
        bench->size = bench->size > 0 ? 2 * bench->size : FIRST_COUNT;
        bench->items =
            mem_resize(bench->items, bench->size, sizeof *bench->items);
    }
    bench->items[bench->count++] = (struct item){
        .bytes = mem_copy_text(message->bytes.ptr, message->bytes.len),
        .len = message->bytes.len,
        .best_ns = UINT64_MAX,
    };
    bench->bytes += message->bytes.len;
    return true;
}

static void judge_all(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++) {
        struct item *item = &bench->items[i];
        struct header_split split;
        bag_split(slice_of(item->bytes, item->len), &split);
        judging_judge(&bench->judging, split.header, split.body,
                      slice_text(NULL), &bench->judged);
        bench->sum_ns += bench->judged.cost_ns;
        if (bench->judged.cost_ns < item->best_ns)
            item->best_ns = bench->judged.cost_ns;
    }
}

static int by_cost(const void *a, const void *b)
{
    uint64_t left = ((const struct item *)a)->best_ns;
    uint64_t right = ((const struct item *)b)->best_ns;
    return (left > right) - (left < right);
}

static double us_at(const struct bench *bench, size_t per_mille)
{
    size_t at = bench->count * per_mille / 1000;
    at = at < bench->count ? at : bench->count - 1;
    return (double)bench->items[at].best_ns / 1000;
}

static void print(struct bench *bench, uint64_t rounds)
{
    double best_us = 0;
    qsort(bench->items, bench->count, sizeof *bench->items, by_cost);
    for (size_t i = 0; i < bench->count; i++)
        best_us += (double)bench->items[i].best_ns / 1000;
    double count = (double)bench->count;
    printf("%zu messages of %.1f KB, %" PRIu64 " rounds\n", bench->count,
           (double)bench->bytes / 1024 / count, rounds);
    printf("best round: mean %.1f us, p50 %.1f, p99 %.1f, most %.1f, %.2f "
           "us/KB\n",
           best_us / count, us_at(bench, 500), us_at(bench, 990),
           us_at(bench, 1000), best_us / ((double)bench->bytes / 1024));
    printf("all rounds: mean %.1f us\n",
           (double)bench->sum_ns / 1000 / count / (double)rounds);
}

static int run(struct bench *bench, uint64_t rounds, char **paths)
{
    const struct arguments arguments = { .json = false };
    int code = judging_open(&bench->judging, &arguments, stderr);
    for (; *paths && code == EX_OK; paths++)
        if (!bag_each(*paths, keep, bench, stderr))
            code = EX_NOINPUT;
    if (code == EX_OK && bench->count > 0) {
        for (uint64_t i = 0; i < rounds; i++)
            judge_all(bench);
        print(bench, rounds);
    }
    judging_close(&bench->judging);
    return code;
}

int main(int argc, char **argv)
{
    uint64_t rounds = 0;
    if (argc < 3 || !slice_number(slice_text(argv[1]), ROUNDS_MAX, &rounds)
        || rounds == 0) {
        (void)fprintf(stderr, "usage: %s ROUNDS PATH...\n", argv[0]);
        return EX_USAGE;
    }
    struct bench *bench = NEW(struct bench);
    int code = run(bench, rounds, argv + 2);
    for (size_t i = 0; i < bench->count; i++)
        mem_free(bench->items[i].bytes);
    mem_free(bench->items);
    mem_free(bench);
    return code;
}
