/* spool_fixture.c - a real spool in a folder of its own. */
#include "tests/unit/spool_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

struct waiter {
    struct spool_write write;
    sem_t done;
    enum rc rc;
};

const char *fixture_memory_folder(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void hear(void *context, const struct spool_notice *notice)
{
    struct fixture *fixture = context;
    atomic_fetch_add(&fixture->heard[notice->event], 1);
    if (notice->id != 0)
        atomic_store(&fixture->heard_id, notice->id);
}

void fixture_init(struct fixture *fixture, const char *parent)
{
    *fixture = (struct fixture){ .options = {
                                     .segment_size = 64u << 10,
                                     .queue_max = 1000,
                                     .router = "test",
                                 } };
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/spool-XXXXXX",
                   parent);
    assert_non_null(mkdtemp(fixture->path));
    fixture->options.path = fixture->path;
    fixture->options.listener = (struct spool_listener){ hear, fixture };
    fixture->found = mem_new(FIXTURE_FOUND_MAX, sizeof *fixture->found);
}

typedef void each_fn(int folder, const char *name, const char *suffix,
                     size_t *count);

static void each_file(const char *path, each_fn *visit, const char *suffix,
                      size_t *count)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (;;) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
        const struct dirent *at = readdir(folder);
        if (!at)
            break;
        if (at->d_name[0] != '.')
            visit(dirfd(folder), at->d_name, suffix, count);
    }
    (void)closedir(folder);
}

static void remove_file(int folder, const char *name, const char *suffix,
                        size_t *count)
{
    (void)suffix;
    (void)count;
    (void)unlinkat(folder, name, 0);
}

static void count_file(int folder, const char *name, const char *suffix,
                       size_t *count)
{
    (void)folder;
    *count += slice_ends_nocase(slice_text(name), slice_text(suffix));
}

size_t fixture_count_files(const struct fixture *fixture, const char *suffix)
{
    size_t count = 0;
    each_file(fixture->path, count_file, suffix, &count);
    return count;
}

void fixture_release(struct fixture *fixture)
{
    fixture_close(fixture);
    each_file(fixture->path, remove_file, "", NULL);
    assert_int_equal(rmdir(fixture->path), 0);
    mem_free(steal(fixture->found));
}

static void copy_text(char text[FIXTURE_TEXT_MAX], struct slice from)
{
    assert_true(from.len < FIXTURE_TEXT_MAX);
    memcpy(text, from.len > 0 ? from.ptr : "", from.len);
    text[from.len] = '\0';
}

static void note_found(void *context, uint64_t id, struct slice envelope,
                       struct slice state)
{
    struct fixture *fixture = context;
    assert_true(fixture->found_count < FIXTURE_FOUND_MAX);
    struct found_message *found = &fixture->found[fixture->found_count++];
    found->id = id;
    copy_text(found->envelope, envelope);
    copy_text(found->state, state);
}

enum rc fixture_try_open(struct fixture *fixture)
{
    struct fault fault = { .rc = RC_OK };
    fixture->found_count = 0;
    return spool_open(&fixture->options, note_found, fixture, &fixture->spool,
                      &fault);
}

void fixture_open(struct fixture *fixture)
{
    assert_int_equal(fixture_try_open(fixture), RC_OK);
}

static void note_live(void *context, const struct spool_live *live)
{
    struct fixture *fixture = context;
    assert_true(fixture->found_count < FIXTURE_FOUND_MAX);
    fixture->found[fixture->found_count++] = (struct found_message){
        .id = live->id,
        .urgent = live->urgent,
        .has_state = live->has_state,
    };
}

void fixture_open_live(struct fixture *fixture)
{
    fixture->options.live = note_live;
    fixture_open(fixture);
    fixture->options.live = NULL;
}

void fixture_close(struct fixture *fixture)
{
    spool_close(&fixture->spool);
}

const struct found_message *fixture_find(const struct fixture *fixture,
                                         uint64_t id)
{
    for (size_t i = 0; i < fixture->found_count; i++)
        if (fixture->found[i].id == id)
            return &fixture->found[i];
    return NULL;
}

static void wake(struct spool_write *write, enum rc rc)
{
    struct waiter *waiter = container_of(write, struct waiter, write);
    waiter->rc = rc;
    (void)sem_post(&waiter->done);
}

enum rc fixture_write(struct fixture *fixture, enum spool_kind kind,
                      uint64_t id, struct slice payload, struct body *body)
{
    struct waiter waiter = { .write = {
                                 .kind = kind,
                                 .urgent = fixture->urgent,
                                 .id = id,
                                 .payload = payload,
                                 .body = body,
                                 .done = wake,
                             } };
    assert_int_equal(sem_init(&waiter.done, 0, 0), 0);
    assert_true(spool_post(fixture->spool, &waiter.write));
    while (sem_wait(&waiter.done) != 0)
        ;
    (void)sem_destroy(&waiter.done);
    return waiter.rc;
}

static char body_byte(uint64_t id, size_t at)
{
    return (char)(unsigned char)((id * 131 + at * 7 + (at >> 8)) & 0xff);
}

struct body *fixture_body(uint64_t id, size_t len)
{
    char *bytes = mem_new(len + 1, 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = body_byte(id, i);
    return body_new(bytes, len);
}

enum rc fixture_put(struct fixture *fixture, uint64_t id, size_t body_len)
{
    char envelope[FIXTURE_TEXT_MAX];
    (void)snprintf(envelope, sizeof envelope, "envelope %llu %zu",
                   (unsigned long long)id, body_len);
    struct body *body = fixture_body(id, body_len);
    const enum rc rc =
        fixture_write(fixture, SPOOL_PUT, id, slice_text(envelope), body);
    body_release(&body);
    return rc;
}

enum rc fixture_state(struct fixture *fixture, uint64_t id, const char *state)
{
    return fixture_write(fixture, SPOOL_STATE, id, slice_text(state), NULL);
}

enum rc fixture_drop(struct fixture *fixture, uint64_t id)
{
    return fixture_write(fixture, SPOOL_DROP, id, SLICE(""), NULL);
}

enum rc fixture_check_body(struct fixture *fixture, uint64_t id)
{
    struct body *body = NULL;
    struct fault fault = { .rc = RC_OK };
    const enum rc rc = spool_read_body(fixture->spool, id, &body, &fault);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < body->len; i++)
        if (body->bytes[i] != body_byte(id, i))
            fail_msg("body of %llu differs at %zu", (unsigned long long)id, i);
    body_release(&body);
    return RC_OK;
}

struct spool_stats fixture_stats(const struct fixture *fixture)
{
    struct spool_stats stats;
    spool_stats(fixture->spool, &stats);
    return stats;
}
