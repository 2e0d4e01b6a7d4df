/* serve.c - the whole platform on one machine. */
#include "router/control/serve.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/check.h"
#include "common/edge/log.h"
#include "common/edge/loop.h"
#include "common/edge/process.h"
#include "config/conf.h"
#include "router/control/options.h"
#include "router/control/supervisor.h"

#define TEXTS_MAX (1u << 20) /* arguments of all children */

struct serve {
    const char *config_path;
    struct conf *conf;
    struct loop *loop;
    struct supervisor *supervisor;
    struct arena texts; /* of the children's arguments */
};

static const char *text_of(struct serve *serve, const char *format, ...)
    printf_like(2, 3);

static const char *text_of(struct serve *serve, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(len >= 0 && (size_t)len < sizeof text);
    char *kept = arena_text(&serve->texts, slice_of(text, (size_t)len));
    CHECK(kept);
    return kept;
}

static void all_ended(void *context)
{
    struct serve *serve = context;
    loop_stop(serve->loop);
}

static void hear_stop(void *context)
{
    struct serve *serve = context;
    log_line(LOG_INFO, "stopping", "why=signal");
    supervisor_stop(serve->supervisor);
}

static void hear_reload(void *context)
{
    struct serve *serve = context;
    supervisor_signal(serve->supervisor, SIGHUP);
}

static const char *find_redis(void)
{
    static const char *const places[] = { "/usr/bin/redis-server",
                                          "/usr/local/bin/redis-server" };
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* A Redis of our own, on a Unix socket that only our user can open, with a log
 * of its changes so that a restart forgets nothing. */
static enum rc start_redis(struct serve *serve, struct fault *fault)
{
    const struct conf *conf = serve->conf;
    const char *program = find_redis();
    if (!program)
        return fault_set(fault, RC_NONE, 0,
                         "no redis-server found: install it, or name yours in "
                         "state.redis");
    const char *folder = text_of(serve, "%s/redis", conf->run_dir);
    enum rc rc = process_make_folder(folder, conf->user, fault);
    if (rc != RC_OK)
        return rc;
    const struct child_spec spec = {
        .name = "redis",
        .user = conf->user,
        .argv = { program, "--port", "0", "--unixsocket",
                  text_of(serve, "%s/redis.sock", conf->run_dir), "--dir",
                  folder, "--appendonly", "yes", "--save", "", "--loglevel",
                  "warning" },
    };
    return supervisor_start(serve->supervisor, &spec, fault);
}

/* The path of a program beside ours, kept; NULL with *fault. */
static const char *sibling(struct serve *serve, const char *program,
                           struct fault *fault)
{
    char path[4096];
    if (process_sibling(program, path, sizeof path, fault) != RC_OK)
        return NULL;
    return text_of(serve, "%s", path);
}

static enum rc start_routers(struct serve *serve, struct fault *fault)
{
    const char *program = sibling(serve, "sendyard-router", fault);
    if (!program)
        return RC_IO;
    for (size_t i = 0; i < serve->conf->router_count; i++) {
        const char *name = serve->conf->routers[i].name;
        const struct child_spec spec = {
            .name = text_of(serve, "router:%s", name),
            .argv = { program, "--config", serve->config_path, "--name",
                      text_of(serve, "%s", name) },
        };
        enum rc rc = supervisor_start(serve->supervisor, &spec, fault);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc start_workers(struct serve *serve, struct fault *fault)
{
    const char *program = sibling(serve, "sendyard-worker", fault);
    if (!program)
        return RC_IO;
    for (uint32_t i = 1; i <= serve->conf->workers; i++) {
        const char *name = text_of(serve, "worker-%u", i);
        const struct child_spec spec = {
            .name = name,
            .argv = { program, "--config", serve->config_path, "--name", name },
        };
        enum rc rc = supervisor_start(serve->supervisor, &spec, fault);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc start_all(struct serve *serve, struct fault *fault)
{
    const struct conf *conf = serve->conf;
    enum rc rc = process_make_folder(conf->run_dir, conf->user, fault);
    if (rc == RC_OK)
        rc = process_make_folder(conf->spool.path, conf->user, fault);
    if (rc == RC_OK && strcmp(conf->state.redis, "private") == 0)
        rc = start_redis(serve, fault);
    if (rc == RC_OK)
        rc = start_routers(serve, fault);
    if (rc == RC_OK)
        rc = start_workers(serve, fault);
    return rc;
}

static int run(struct serve *serve)
{
    struct fault fault;
    serve->loop = loop_new();
    arena_init(&serve->texts, TEXTS_MAX);
    serve->supervisor = supervisor_new(serve->loop, all_ended, serve);
    loop_on_signal(serve->loop, SIGINT, hear_stop, serve);
    loop_on_signal(serve->loop, SIGTERM, hear_stop, serve);
    loop_on_signal(serve->loop, SIGHUP, hear_reload, serve);

    int code = EX_OK;
    if (start_all(serve, &fault) != RC_OK) {
        log_fault(LOG_ERROR, "start_failed", &fault);
        code = EX_UNAVAILABLE;
        supervisor_stop(serve->supervisor);
    }
    loop_run(serve->loop);
    supervisor_free(&serve->supervisor);
    loop_free(&serve->loop);
    arena_release(&serve->texts);
    return code;
}

int command_serve(int argc, char *const *argv, FILE *out, FILE *err)
{
    (void)out;
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    struct serve serve = { .config_path = options.config };
    serve.conf = options_load(&options, err);
    if (!serve.conf)
        return EX_CONFIG;
    enum log_level level = LOG_INFO;
    (void)log_level_of(serve.conf->log.level, &level);
    log_open("serve", level);
    process_raise_file_limit();
    int code = run(&serve);
    conf_release(&serve.conf);
    return code;
}
