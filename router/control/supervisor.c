/* supervisor.c - keeps a few processes running. */
#include "router/control/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/edge/process.h"

#define RESTART_WAIT_MIN_MS 100
#define RESTART_WAIT_MAX_MS SECONDS_MS(30)
#define STEADY_MS           SECONDS_MS(60) /* ran so long: waits start anew */
#define STOP_GRACE_MS       SECONDS_MS(20)

struct child {
    struct supervisor *supervisor;
    struct child_spec spec;
    pid_t pid; /* 0: not running */
    uint64_t started_ms;
    uint64_t wait_ms; /* before the next restart */
    bool is_asked;    /* to end; a second SIGTERM would mean "at once" */
    struct timer *restart;
};

struct supervisor {
    struct loop *loop;
    timer_fn *on_ended;
    void *context;
    struct child children[SUPERVISOR_CHILDREN_MAX];
    size_t count;
    bool is_stopping;
    struct timer *grace;
};

/* In the new process: never returns. Signals are as a program expects them. */
static _Noreturn void run_child(const struct child_spec *spec, pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    /* A terminal's Ctrl-C is for the supervisor: it ends us in order. */
    (void)setpgid(0, 0);
    if (process_become(spec->user, false, NULL) != RC_OK)
        _exit(EX_NOPERM);
    /* After the change of user, which clears it. The parent may be gone by
     * now: then the signal never comes. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(EX_TEMPFAIL);
    union {
        const char *const *in;
        char *const *out;
    } argv = { .in = spec->argv }; /* execv's type predates const */
    (void)execv(spec->argv[0], argv.out);
    _exit(EX_OSFILE);
}

static enum rc spawn(struct child *child, struct fault *fault)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return fault_set(fault, RC_IO, errno, "start %s", child->spec.name);
    if (pid == 0)
        run_child(&child->spec, parent);
    child->pid = pid;
    child->started_ms = loop_now_ms(child->supervisor->loop);
    log_line(LOG_INFO, "started", "child=%s pid=%d", child->spec.name,
             (int)pid);
    return RC_OK;
}

static void restart(void *context)
{
    struct child *child = context;
    struct fault fault;
    if (spawn(child, &fault) == RC_OK)
        return;
    log_fault(LOG_ERROR, "start_failed", &fault);
    timer_set(child->restart,
              loop_now_ms(child->supervisor->loop) + RESTART_WAIT_MAX_MS);
}

static bool all_ended(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->children[i].pid != 0)
            return false;
    return true;
}

static void kill_child(const struct child *child, int signo)
{
    if (child->pid > 0)
        (void)kill(child->pid, signo);
}

/* The last kind of program still running is asked first: workers leave before
 * the router, and the router before Redis. */
static void stop_next(struct supervisor *supervisor)
{
    const char *name = NULL;
    for (size_t i = supervisor->count; i-- > 0;) {
        struct child *child = &supervisor->children[i];
        if (child->pid == 0)
            continue;
        if (name && child->spec.argv[0] != name)
            return;
        name = child->spec.argv[0];
        if (!child->is_asked)
            kill_child(child, SIGTERM);
        child->is_asked = true;
    }
}

static void plan_restart(struct child *child, uint64_t now_ms)
{
    bool was_steady = now_ms - child->started_ms >= STEADY_MS;
    if (was_steady || child->wait_ms == 0)
        child->wait_ms = RESTART_WAIT_MIN_MS;
    else if (child->wait_ms < RESTART_WAIT_MAX_MS)
        child->wait_ms *= 2;
    timer_set(child->restart, now_ms + child->wait_ms);
}

static void child_ended(struct child *child, int status)
{
    struct supervisor *supervisor = child->supervisor;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    log_line(supervisor->is_stopping ? LOG_INFO : LOG_WARNING, "ended",
             "child=%s pid=%d exit=%d signal=%d", child->spec.name,
             (int)child->pid, code, signo);
    child->pid = 0;
    if (!supervisor->is_stopping)
        plan_restart(child, loop_now_ms(supervisor->loop));
    else if (all_ended(supervisor))
        supervisor->on_ended(supervisor->context);
    else
        stop_next(supervisor);
}

static void reap(void *context)
{
    struct supervisor *supervisor = context;
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < supervisor->count; i++)
            if (supervisor->children[i].pid == pid)
                child_ended(&supervisor->children[i], status);
}

static void grace_over(void *context)
{
    struct supervisor *supervisor = context;
    for (size_t i = 0; i < supervisor->count; i++)
        kill_child(&supervisor->children[i], SIGKILL);
}

struct supervisor *supervisor_new(struct loop *loop, timer_fn *on_ended,
                                  void *context)
{
    struct supervisor *supervisor = NEW(struct supervisor);
    supervisor->loop = loop;
    supervisor->on_ended = on_ended;
    supervisor->context = context;
    supervisor->grace = timer_new(loop, grace_over, supervisor);
    loop_on_signal(loop, SIGCHLD, reap, supervisor);
    return supervisor;
}

void supervisor_free(struct supervisor **supervisor)
{
    struct supervisor *held = steal(*supervisor);
    if (!held)
        return;
    for (size_t i = 0; i < held->count; i++)
        timer_free(&held->children[i].restart);
    timer_free(&held->grace);
    mem_free(held);
}

enum rc supervisor_start(struct supervisor *supervisor,
                         const struct child_spec *spec, struct fault *fault)
{
    if (supervisor->count == SUPERVISOR_CHILDREN_MAX)
        return fault_set(fault, RC_LIMIT, 0, "more than %d processes",
                         SUPERVISOR_CHILDREN_MAX);
    struct child *child = &supervisor->children[supervisor->count];
    *child = (struct child){ .supervisor = supervisor, .spec = *spec };
    enum rc rc = spawn(child, fault);
    if (rc != RC_OK)
        return rc;
    child->restart = timer_new(supervisor->loop, restart, child);
    supervisor->count++;
    return RC_OK;
}

void supervisor_signal(struct supervisor *supervisor, int signo)
{
    for (size_t i = 0; i < supervisor->count; i++)
        kill_child(&supervisor->children[i], signo);
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->is_stopping) {
        grace_over(supervisor);
        return;
    }
    supervisor->is_stopping = true;
    for (size_t i = 0; i < supervisor->count; i++)
        timer_clear(supervisor->children[i].restart);
    timer_set(supervisor->grace, loop_now_ms(supervisor->loop) + STOP_GRACE_MS);
    if (all_ended(supervisor))
        supervisor->on_ended(supervisor->context);
    else
        stop_next(supervisor);
}
