/* auth.c - passwords are checked here. */
#include "router/submission/auth.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/submission/brake.h"

#define MEMORY_SIZE 4096u

/* Client, name, hash and password of one who was right, each ended by a NUL. */
#define DIGEST_TEXT_MAX                                                        \
    (sizeof(struct net) + CREDENTIALS_USER_MAX + PASSWD_HASH_SIZE              \
     + CREDENTIALS_PASSWORD_MAX + 4)

struct digest {
    uint64_t words[2];
};

struct remembered {
    struct digest digest;
    uint64_t until_ms; /* 0: free */
};

struct auth {
    pthread_t threads[AUTH_THREADS];
    struct siphash_key keys[2];    /* together a digest of 128 bits */
    char nobody[PASSWD_HASH_SIZE]; /* hash of a password that nobody knows */
    pthread_mutex_t lock;          /* guards what follows */
    pthread_cond_t work;
    struct list queue;
    size_t queued;
    bool is_ending;
    struct brake *brake;
    struct remembered memory[MEMORY_SIZE];
};

struct auth_job *auth_job_new(const struct credentials *credentials)
{
    struct auth_job *job = NEW(struct auth_job);
    job->credentials = *credentials;
    list_init(&job->link);
    return job;
}

void auth_job_free(struct auth_job **job)
{
    struct auth_job *held = steal(*job);
    if (!held)
        return;
    explicit_bzero(held, sizeof *held);
    mem_free(held);
}

static size_t append(char *text, size_t len, struct slice part)
{
    if (part.len > 0)
        memcpy(text + len, part.ptr, part.len);
    text[len + part.len] = '\0';
    return len + part.len + 1;
}

static struct digest digest_of(const struct auth *auth,
                               const struct auth_job *job)
{
    char text[DIGEST_TEXT_MAX];
    size_t len = append(text, 0, net_slice(&job->net));
    len = append(text, len, credentials_user(&job->credentials));
    len = append(text, len, slice_text(job->hash));
    len = append(text, len, credentials_password(&job->credentials));
    const struct slice all = slice_of(text, len);
    const struct digest digest = { { siphash(&auth->keys[0], all),
                                     siphash(&auth->keys[1], all) } };
    explicit_bzero(text, sizeof text);
    return digest;
}

/* In constant time, though a digest without its key is of no use. */
static bool is_same(struct digest a, struct digest b)
{
    return ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1])) == 0;
}

static struct remembered *slot_of(struct auth *auth, struct digest digest)
{
    return &auth->memory[digest.words[0] % MEMORY_SIZE];
}

static bool is_remembered(struct auth *auth, struct digest digest,
                          uint64_t now_ms)
{
    const struct remembered *slot = slot_of(auth, digest);
    return slot->until_ms > now_ms && is_same(slot->digest, digest);
}

static void judge_check(struct auth *auth, struct auth_job *job, bool is_right)
{
    uint64_t now_ms = time_now_ms();
    struct slice user = credentials_user(&job->credentials);
    struct digest digest = digest_of(auth, job);
    (void)pthread_mutex_lock(&auth->lock);
    if (is_right) {
        brake_passed(auth->brake, user, &job->net, now_ms);
        *slot_of(auth, digest) =
            (struct remembered){ digest, now_ms + AUTH_REMEMBER_MS };
        job->answer = SESSION_LET_IN;
    } else {
        job->delay_ms = brake_delay_ms(auth->brake, &job->net, now_ms);
        job->answer = SESSION_KEPT_OUT;
    }
    (void)pthread_mutex_unlock(&auth->lock);
}

static void check(struct auth *auth, struct auth_job *job)
{
    bool exists = job->hash[0] != '\0';
    bool is_right = passwd_matches(credentials_password(&job->credentials),
                                   exists ? job->hash : auth->nobody);
    judge_check(auth, job, is_right && exists);
    /* The loop makes room in its next turn. */
    while (!mailbox_post(job->back_to, job))
        (void)sched_yield();
}

static struct auth_job *next_job(struct auth *auth)
{
    (void)pthread_mutex_lock(&auth->lock);
    while (list_is_empty(&auth->queue) && !auth->is_ending)
        (void)pthread_cond_wait(&auth->work, &auth->lock);
    struct list *link = list_take(&auth->queue);
    auth->queued -= link != NULL;
    (void)pthread_mutex_unlock(&auth->lock);
    return link ? container_of(link, struct auth_job, link) : NULL;
}

static void *run(void *context)
{
    struct auth *auth = context;
    struct auth_job *job;
    while ((job = next_job(auth)))
        check(auth, job);
    return NULL;
}

static void make_nobody(struct auth *auth)
{
    struct siphash_key secret;
    siphash_key_make(&secret);
    char password[2 * sizeof secret];
    for (size_t i = 0; i < sizeof password; i++) {
        unsigned nibble = (unsigned)(secret.words[i / 16] >> (i % 16 * 4)) & 15;
        password[i] = (char)('a' + nibble);
    }
    CHECK(passwd_make(slice_of(password, sizeof password), auth->nobody));
}

struct auth *auth_new(void)
{
    struct auth *auth = NEW(struct auth);
    struct siphash_key brake_key;
    for (size_t i = 0; i < ARRAY_LEN(auth->keys); i++)
        siphash_key_make(&auth->keys[i]);
    siphash_key_make(&brake_key);
    make_nobody(auth);
    auth->brake = brake_new(&brake_key);
    list_init(&auth->queue);
    (void)pthread_mutex_init(&auth->lock, NULL);
    (void)pthread_cond_init(&auth->work, NULL);
    for (size_t i = 0; i < AUTH_THREADS; i++)
        CHECK(pthread_create(&auth->threads[i], NULL, run, auth) == 0);
    return auth;
}

void auth_free(struct auth **auth)
{
    struct auth *held = steal(*auth);
    if (!held)
        return;
    (void)pthread_mutex_lock(&held->lock);
    held->is_ending = true;
    (void)pthread_cond_broadcast(&held->work);
    (void)pthread_mutex_unlock(&held->lock);
    for (size_t i = 0; i < AUTH_THREADS; i++)
        (void)pthread_join(held->threads[i], NULL);
    brake_free(&held->brake);
    (void)pthread_cond_destroy(&held->work);
    (void)pthread_mutex_destroy(&held->lock);
    explicit_bzero(held, sizeof *held);
    mem_free(held);
}

/* Those who got in before go first: a flood of guesses must not hold them up.
 * With the lock held. */
static void enqueue(struct auth *auth, struct auth_job *job, bool is_known)
{
    if (is_known)
        list_push_front(&auth->queue, &job->link);
    else
        list_push_back(&auth->queue, &job->link);
    auth->queued++;
    (void)pthread_cond_signal(&auth->work);
}

bool auth_ask(struct auth *auth, struct auth_job *job, uint64_t now_ms)
{
    struct slice user = credentials_user(&job->credentials);
    struct digest digest = digest_of(auth, job);
    bool is_answered = true;
    job->delay_ms = 0;
    (void)pthread_mutex_lock(&auth->lock);
    if (is_remembered(auth, digest, now_ms)) {
        job->answer = SESSION_LET_IN;
    } else if (auth->queued >= AUTH_QUEUE_MAX
               || !brake_try(auth->brake, user, &job->net, now_ms)) {
        job->answer = SESSION_NOT_NOW;
        job->delay_ms = SECONDS_MS(1);
    } else {
        enqueue(auth, job, brake_knows(auth->brake, user, &job->net, now_ms));
        is_answered = false;
    }
    (void)pthread_mutex_unlock(&auth->lock);
    return is_answered;
}
