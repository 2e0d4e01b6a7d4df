/*
 * work.c - crash-work: uses a spool the way a busy router does, and says so.
 *
 *     crash-work FOLDER SEED BURSTS THREADS SIZE [KILL]
 *
 * Opens the spool in FOLDER with the smallest segments, takes over what it
 * finds, and lets each of THREADS threads post BURSTS bursts of writes (PUT;
 * STATE and DROP, several on one message without waiting). Bodies have up to
 * SIZE bytes. With KILL it kills itself at the KILLth write that is done, in
 * the middle of whatever goes on. Each step is told to the recorder, when one
 * is loaded. Exit status: 0 done, 1 the spool refused what it must not.
 */
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/spool.h"
#include "tests/crash/letters.h"
#include "tests/crash/trace.h"

#define SLOTS       16u
#define THREADS_MAX 16u
#define BURST_MAX   8u
#define NUMBER_STEP 100u /* writes of a life are told from those of another */
#define FOUND_MAX   100000u

struct message_slot {
    uint64_t id; /* 0: free */
    uint64_t number;
};

struct work {
    const char *folder;
    uint64_t seed;
    uint64_t bursts;
    uint64_t threads;
    uint64_t size_max;
    uint64_t kill_at; /* 0: never */
    struct spool *spool;
    atomic_uint_least64_t next_id;
    atomic_uint_least64_t done;
    atomic_bool failed;
    struct message_slot *found;
    size_t found_count;
};

struct writer {
    struct work *work;
    pthread_t thread;
    struct dice dice;
    sem_t done;
    uint64_t open; /* writes not done yet */
    struct message_slot slots[SLOTS];
};

struct post {
    struct spool_write write;
    struct writer *writer;
    struct mark mark;
    struct letter_text text;
    struct body body; /* borrows the letters' bytes */
};

static void say(struct mark mark)
{
    if (trace_mark)
        trace_mark(&mark);
}

/* In the committer's thread. */
static void written(struct spool_write *write, enum rc rc)
{
    struct post *post = container_of(write, struct post, write);
    struct writer *writer = post->writer;
    struct work *work = writer->work;
    if (rc != RC_OK)
        atomic_store(&work->failed, true);
    post->mark.kind = MARK_DONE;
    say(post->mark);
    mem_free(post);
    if (atomic_fetch_add(&work->done, 1) + 1 == work->kill_at)
        (void)raise(SIGKILL);
    (void)sem_post(&writer->done);
}

static void post_write(struct writer *writer, struct mark mark)
{
    struct post *post = NEW(struct post);
    post->writer = writer;
    post->mark = mark;
    post->mark.kind = MARK_POSTED;
    post->write = (struct spool_write){
        .kind = (enum spool_kind)mark.write,
        .id = mark.id,
        .done = written,
    };
    list_init(&post->write.link);
    if (mark.write == SPOOL_PUT) {
        letter_envelope(mark.id, mark.len, &post->text);
        const struct slice body = letter_body(mark.id, mark.len);
        post->body.len = body.len;
        post->body.bytes = (char *)(uintptr_t)body.ptr;
        post->write.body = &post->body;
    } else if (mark.write == SPOOL_STATE) {
        letter_state(mark.id, mark.number, &post->text);
    }
    post->write.payload = slice_of(post->text.bytes, post->text.len);
    writer->open++;
    say(post->mark);
    CHECK(spool_post(writer->work->spool, &post->write));
}

static uint64_t roll_size(struct writer *writer)
{
    const uint64_t max = writer->work->size_max;
    const uint64_t kind = dice_roll(&writer->dice, 20);
    if (kind < 12)
        return dice_roll(&writer->dice, max / 50 + 1);
    if (kind < 19)
        return dice_roll(&writer->dice, max / 8 + 1);
    return dice_roll(&writer->dice, max + 1);
}

static void post_put(struct writer *writer, struct message_slot *slot)
{
    slot->id = atomic_fetch_add(&writer->work->next_id, 1);
    slot->number = 1;
    post_write(writer, (struct mark){
                           .write = SPOOL_PUT,
                           .id = slot->id,
                           .number = slot->number,
                           .len = roll_size(writer),
                       });
}

static void post_change(struct writer *writer, struct message_slot *slot,
                        enum spool_kind kind)
{
    slot->number++;
    post_write(writer, (struct mark){
                           .write = kind,
                           .id = slot->id,
                           .number = slot->number,
                       });
    if (kind == SPOOL_DROP)
        slot->id = 0;
}

/* The first slots hold mail that stays, so that there is something to clean. */
static void post_some(struct writer *writer)
{
    const size_t at = dice_roll(&writer->dice, SLOTS);
    struct message_slot *slot = &writer->slots[at];
    const uint64_t stay = at < 3 ? 40 : 2;
    if (slot->id == 0) {
        post_put(writer, slot);
        return;
    }
    for (uint64_t more = dice_roll(&writer->dice, 3); more > 0; more--)
        post_change(writer, slot, SPOOL_STATE);
    if (dice_roll(&writer->dice, stay) == 0)
        post_change(writer, slot, SPOOL_DROP);
}

/* A message is changed only when its PUT was done, as the lane thread does. */
static void wait_all(struct writer *writer)
{
    for (; writer->open > 0; writer->open--)
        while (sem_wait(&writer->done) != 0)
            ;
}

static bool was_just_put(const struct writer *writer, const uint64_t *before)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (writer->slots[i].id != before[i])
            return true;
    return false;
}

static void *run_writer(void *context)
{
    struct writer *writer = context;
    for (uint64_t burst = 0; burst < writer->work->bursts; burst++) {
        for (uint64_t n = 1 + dice_roll(&writer->dice, BURST_MAX); n > 0; n--) {
            uint64_t before[SLOTS];
            for (size_t i = 0; i < SLOTS; i++)
                before[i] = writer->slots[i].id;
            post_some(writer);
            if (was_just_put(writer, before) && dice_roll(&writer->dice, 2))
                wait_all(writer);
        }
        wait_all(writer);
    }
    return NULL;
}

static void note_found(void *context, uint64_t id, struct slice envelope,
                       struct slice state)
{
    struct work *work = context;
    uint64_t len = 0;
    uint64_t number = 1;
    CHECK(work->found_count < FOUND_MAX);
    CHECK(letter_read_envelope(envelope, id, &len));
    CHECK(state.len == 0 || letter_read_state(state, id, &number));
    say((struct mark){ .kind = MARK_FOUND, .id = id, .number = number });
    work->found[work->found_count++] = (struct message_slot){ id, number };
}

static enum rc open_spool(struct work *work)
{
    const struct spool_options options = {
        .path = work->folder,
        .segment_size = 64u << 10,
        .queue_max = 100000,
        .router = "crash",
    };
    struct fault fault = { .rc = RC_OK };
    const enum rc rc =
        spool_open(&options, note_found, work, &work->spool, &fault);
    if (rc != RC_OK) {
        (void)fprintf(stderr, "crash-work: %s\n", fault.text);
        return rc;
    }
    say((struct mark){ .kind = MARK_OPENED });
    atomic_store(&work->next_id, spool_last_id(work->spool) + 1);
    return RC_OK;
}

/* Shares what was found out; what does not fit is dropped. */
static void adopt(struct work *work, struct writer *writers)
{
    for (size_t i = 0; i < work->found_count; i++) {
        struct writer *writer = &writers[i % work->threads];
        struct message_slot *slot = &writer->slots[i / work->threads % SLOTS];
        struct message_slot extra = work->found[i];
        extra.number += NUMBER_STEP;
        if (slot->id == 0)
            *slot = extra;
        else
            post_change(writer, &extra, SPOOL_DROP);
    }
}

static void run_writers(struct work *work)
{
    struct writer *writers = mem_new(work->threads, sizeof *writers);
    for (size_t i = 0; i < work->threads; i++) {
        writers[i].work = work;
        writers[i].dice.state = work->seed * 1000 + i;
        CHECK(sem_init(&writers[i].done, 0, 0) == 0);
    }
    adopt(work, writers);
    for (size_t i = 0; i < work->threads; i++)
        CHECK(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i])
              == 0);
    for (size_t i = 0; i < work->threads; i++) {
        CHECK(pthread_join(writers[i].thread, NULL) == 0);
        wait_all(&writers[i]);
        (void)sem_destroy(&writers[i].done);
    }
    mem_free(writers);
}

static bool read_arguments(int argc, char **argv, struct work *work)
{
    uint64_t *const numbers[] = { &work->seed, &work->bursts, &work->threads,
                                  &work->size_max, &work->kill_at };
    if (argc < 6 || argc > 7)
        return false;
    work->folder = argv[1];
    for (int i = 2; i < argc; i++)
        if (!slice_number(slice_text(argv[i]), UINT32_MAX, numbers[i - 2]))
            return false;
    return work->threads > 0 && work->threads <= THREADS_MAX
           && work->size_max <= LETTER_BODY_MAX;
}

int main(int argc, char **argv)
{
    struct work work = { .folder = NULL };
    if (!read_arguments(argc, argv, &work)) {
        (void)fputs("usage: crash-work FOLDER SEED BURSTS THREADS SIZE"
                    " [KILL]\n",
                    stderr);
        return EX_USAGE;
    }
    work.found = mem_new(FOUND_MAX, sizeof *work.found);
    if (open_spool(&work) != RC_OK)
        return 1;
    run_writers(&work);
    spool_close(&work.spool);
    mem_free(work.found);
    return atomic_load(&work.failed) ? 1 : 0;
}
