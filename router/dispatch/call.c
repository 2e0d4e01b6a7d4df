/* call.c - one thing that another thread wants of the lane thread. */
#include "router/dispatch/call.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/dispatch/limits.h"

struct call {
    enum call_kind kind;
    enum dispatch_question question;
    char *arg;
    struct conf *conf;
    struct action *action;
    atomic_uint parties;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool has_answer;
    enum rc rc;
    struct buf json;
};

static struct call *make(enum call_kind kind, unsigned parties)
{
    struct call *call = NEW(struct call);
    call->kind = kind;
    atomic_init(&call->parties, parties);
    buf_init(&call->json, DISPATCH_ANSWER_MAX);
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&call->answered, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    CHECK(pthread_mutex_init(&call->lock, NULL) == 0);
    return call;
}

struct call *call_new(enum call_kind kind, struct conf *conf)
{
    struct call *call = make(kind, 1);
    call->conf = conf;
    return call;
}

struct call *call_new_ask(enum dispatch_question question, struct slice arg)
{
    struct call *call = make(CALL_ASK, 2);
    call->question = question;
    call->arg = mem_copy_text(arg.ptr, arg.len);
    return call;
}

struct call *call_new_act(const struct action *action)
{
    struct call *call = make(CALL_ACT, 1);
    call->action = action_copy(action);
    return call;
}

void call_leave(struct call **call)
{
    struct call *left = steal(*call);
    if (!left || atomic_fetch_sub(&left->parties, 1) > 1)
        return;
    conf_release(&left->conf);
    action_free(&left->action);
    (void)pthread_cond_destroy(&left->answered);
    (void)pthread_mutex_destroy(&left->lock);
    buf_release(&left->json);
    mem_free(left->arg);
    mem_free(left);
}

enum call_kind call_kind(const struct call *call)
{
    return call->kind;
}

enum dispatch_question call_question(const struct call *call)
{
    return call->question;
}

struct slice call_arg(const struct call *call)
{
    return slice_text(call->arg);
}

struct conf *call_take_conf(struct call *call)
{
    return steal(call->conf);
}

const struct action *call_action(const struct call *call)
{
    return call->action;
}

struct buf *call_json(struct call *call)
{
    return &call->json;
}

void call_answer(struct call *call, enum rc rc)
{
    (void)pthread_mutex_lock(&call->lock);
    call->has_answer = true;
    call->rc = rc;
    (void)pthread_cond_signal(&call->answered);
    (void)pthread_mutex_unlock(&call->lock);
}

static struct timespec deadline_in(uint64_t timeout_ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(timeout_ms / 1000);
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

enum rc call_wait(struct call *call, uint64_t timeout_ms, struct buf *json)
{
    const struct timespec deadline = deadline_in(timeout_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&call->lock);
    while (!call->has_answer && waited != ETIMEDOUT)
        waited =
            pthread_cond_timedwait(&call->answered, &call->lock, &deadline);
    enum rc rc = call->has_answer ? call->rc : RC_TIMEOUT;
    if ((rc == RC_OK || rc == RC_SYNTAX)
        && !buf_add(json, buf_slice(&call->json)))
        rc = RC_LIMIT;
    (void)pthread_mutex_unlock(&call->lock);
    return rc;
}
