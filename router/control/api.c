/* api.c - what may be asked of a router over HTTP. */
#include "router/control/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/edge/addr.h"
#include "common/proto/json.h"
#include "router/control/complaint.h"
#include "router/control/http.h"
#include "router/control/problem.h"
#include "router/control/standing.h"
#include "router/templates/templates.h"

#define ASK_TIMEOUT_MS 5000
#define BACKLOG        64
#define WHY_MAX        (64u << 10)

#define TRACE_WORDS_MAX 4096

struct api {
    struct api_options options; /* conf and router: only while it is made */
    char *router;               /* its name; a reload takes the conf away */
    struct http_server *server;
};

static unsigned ask(struct api *api, enum dispatch_question question,
                    const char *about, struct buf *out)
{
    enum rc rc = dispatch_ask(api->options.dispatch, question,
                              slice_text(about), ASK_TIMEOUT_MS, out);
    if (rc == RC_OK)
        return 200;
    return problem_of(out, rc == RC_NONE ? rc : RC_TIMEOUT, slice_text(about));
}

static void add_spool(const struct api *api, struct json *json)
{
    struct spool_stats stats;
    spool_stats(api->options.spool, &stats);
    json_key(json, "spool");
    json_begin_object(json);
    json_add_number(json, "messages", stats.messages);
    json_add_number(json, "segments", stats.segments);
    json_add_number(json, "bytes_live", stats.bytes_live);
    json_add_number(json, "writes", stats.writes);
    json_add_number(json, "syncs", stats.syncs);
    json_add_number(json, "sync_us_max", stats.sync_us_max);
    json_add_number(json, "failures", stats.failures);
    json_add_number(json, "damaged", stats.damaged);
    json_add_number(json, "free_bytes", stats.free.bytes);
    json_add_number(json, "free_inodes", stats.free.inodes);
    json_add_number(json, "min_free", stats.soft.bytes);
    json_add_number(json, "min_free_inodes", stats.soft.inodes);
    json_add_number(json, "hard_free", stats.hard.bytes);
    json_add_number(json, "hard_free_inodes", stats.hard.inodes);
    json_add_bool(json, "accepts", stats.accepts);
    json_add_text(json, "refuses", slice_text(stats.refuses));
    json_end(json);
}

static void add_templates(const struct api *api, struct json *json)
{
    struct templates_counts counts;
    templates_count(api->options.ground.templates, &counts);
    json_key(json, "templates");
    json_begin_object(json);
    json_add_number(json, "messages", counts.messages);
    json_add_number(json, "spent", counts.spent);
    json_add_number(json, "dropped", counts.dropped);
    json_add_number(json, "bytes", counts.bytes);
    json_key(json, "states");
    json_begin_object(json);
    for (int i = TEMPLATE_NEW; i <= TEMPLATE_TRIPPED; i++)
        json_add_number(json, guard_state_name((enum judge_state)i),
                        counts.states[i]);
    json_end(json);
    json_key(json, "changes");
    json_begin_object(json);
    for (int i = GUARD_UNCHANGED + 1; i < GUARD_CHANGES; i++)
        json_add_number(json, guard_change_name((enum guard_change)i),
                        counts.changes[i]);
    json_end(json);
    json_end(json);
}

/* The lane thread's answer is the value of "dispatch"; the rest is ours. */
static unsigned get_status(struct api *api, const struct http_request *request,
                           struct buf *out)
{
    (void)request;
    (void)buf_add(out, SLICE("{\"dispatch\":"));
    enum rc rc = dispatch_ask(api->options.dispatch, DISPATCH_STATUS,
                              slice_text(NULL), ASK_TIMEOUT_MS, out);
    if (rc != RC_OK)
        return problem_of(out, RC_TIMEOUT, SLICE(""));
    (void)buf_add_byte(out, ',');
    struct buf rest;
    buf_init(&rest, WHY_MAX);
    struct json json;
    json_init(&json, &rest);
    json_begin_object(&json);
    json_add_text(&json, "router", slice_text(api->router));
    json_add_text(&json, "version", SLICE(SENDYARD_VERSION));
    json_add_number(&json, "pid", (uint64_t)getpid());
    add_spool(api, &json);
    add_templates(api, &json);
    json_key(&json, "submission");
    api->options.add_status(api->options.context, &rest);
    (void)buf_add_byte(&rest, '}');
    /* Both are objects: the second loses its opening brace. */
    (void)buf_add(out, slice_from(buf_slice(&rest), 1));
    buf_release(&rest);
    return 200;
}

static unsigned get_queue(struct api *api, const struct http_request *request,
                          struct buf *out)
{
    return ask(api, DISPATCH_QUEUE, http_query(request, "match"), out);
}

static unsigned get_message(struct api *api, const struct http_request *request,
                            struct buf *out)
{
    return ask(api, DISPATCH_MESSAGE, strrchr(request->path, '/') + 1, out);
}

static unsigned get_holders(struct api *api, const struct http_request *request,
                            struct buf *out)
{
    return ask(api, DISPATCH_HOLDERS, http_query(request, "site"), out);
}

static unsigned get_workers(struct api *api, const struct http_request *request,
                            struct buf *out)
{
    (void)request;
    return ask(api, DISPATCH_WORKERS, "", out);
}

static unsigned get_verdicts(struct api *api,
                             const struct http_request *request,
                             struct buf *out)
{
    (void)request;
    return ask(api, DISPATCH_VERDICTS, "", out);
}

static unsigned post_drain(struct api *api, const struct http_request *request,
                           struct buf *out)
{
    return ask(api, DISPATCH_DRAIN, strrchr(request->path, '/') + 1, out);
}

static unsigned delete_drain(struct api *api,
                             const struct http_request *request,
                             struct buf *out)
{
    return ask(api, DISPATCH_RESUME, strrchr(request->path, '/') + 1, out);
}

/* Blanks part the words of the question, so that none may be in one. */
static bool add_word(struct buf *words, const struct http_request *request,
                     const char *name)
{
    const char *value = http_query(request, name);
    if (value && (value[0] == '\0' || strchr(value, ' ')))
        return false;
    if (words->len > 0)
        (void)buf_add_byte(words, ' ');
    return buf_add_text(words, value ? value : "-");
}

static unsigned get_trace(struct api *api, const struct http_request *request,
                          struct buf *out)
{
    static const char *const names[] = { "name", "worker", "site", "domain",
                                         "id" };
    scoped(buf_release) struct buf words;
    buf_init(&words, TRACE_WORDS_MAX);
    bool is_good = true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        is_good = add_word(&words, request, names[i]) && is_good;
    enum rc rc = RC_SYNTAX;
    if (is_good)
        rc = dispatch_ask(api->options.dispatch, DISPATCH_TRACE,
                          buf_slice(&words), ASK_TIMEOUT_MS, out);
    if (rc == RC_OK)
        return 200;
    return problem_of(out, rc,
                      rc == RC_LIMIT ? SLICE("too many traces")
                                     : SLICE("these are no criteria of a "
                                             "trace"));
}

static unsigned reload(struct api *api, const struct http_request *request,
                       struct buf *out)
{
    (void)request;
    struct buf why;
    buf_init(&why, WHY_MAX);
    bool is_done = api->options.reload(api->options.context, &why);
    problem_say(out, is_done ? "reloaded" : "refused", buf_slice(&why));
    buf_release(&why);
    return is_done ? 200 : 422;
}

/* clang-format off */
static const struct {
    const char *method;
    const char *path; /* one that ends in '/' takes a further part */
    unsigned (*answer)(struct api *api, const struct http_request *request,
                       struct buf *out); /* or: */
    unsigned (*act)(const struct actions_ground *ground,
                    const struct http_request *request, struct buf *out);
} resources[] = {
    { "GET",    "/v1/status",      get_status,   NULL            },
    { "GET",    "/v1/queue",       get_queue,    NULL            },
    { "GET",    "/v1/queue/list",  NULL,         actions_list    },
    { "GET",    "/v1/messages/",   get_message,  NULL            },
    { "GET",    "/v1/why/",        NULL,         actions_why     },
    { "GET",    "/v1/holders",     get_holders,  NULL            },
    { "GET",    "/v1/workers",     get_workers,  NULL            },
    { "GET",    "/v1/verdicts",    get_verdicts, NULL            },
    { "POST",   "/v1/drain/",      post_drain,   NULL            },
    { "DELETE", "/v1/drain/",      delete_drain, NULL            },
    { "GET",    "/v1/trace",       get_trace,    NULL            },
    { "POST",   "/v1/reload",      reload,       NULL            },
    { "GET",    "/v1/actions",     NULL,         actions_get     },
    { "POST",   "/v1/actions",     NULL,         actions_post    },
    { "GET",    "/v1/actions/",    NULL,         actions_get_one },
    { "DELETE", "/v1/actions/",    NULL,         actions_delete  },
    { "GET",    "/v1/templates",   NULL,         standing_list   },
    { "GET",    "/v1/templates/",  NULL,         standing_get    },
    { "POST",   "/v1/standing",    NULL,         standing_ask    },
    { "POST",   "/v1/templates/",  NULL,         standing_post   },
    { "POST",   "/v1/complaints",  NULL,         complaint_post  },
};
/* clang-format on */

static bool path_is(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);
    if (pattern[len - 1] != '/')
        return strcmp(pattern, path) == 0;
    return strncmp(pattern, path, len) == 0 && !strchr(path + len, '/');
}

static unsigned answer(void *context, const struct http_request *request,
                       struct buf *out)
{
    struct api *api = context;
    bool is_path = false;
    for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
        if (!path_is(resources[i].path, request->path))
            continue;
        is_path = true;
        if (strcmp(resources[i].method, request->method) != 0)
            continue;
        return resources[i].act
                   ? resources[i].act(&api->options.ground, request, out)
                   : resources[i].answer(api, request, out);
    }
    problem_say(out, is_path ? "method not allowed" : "not found",
                slice_text(request->path));
    return is_path ? 405 : 404;
}

void api_socket_path(const struct conf *conf, const struct conf_router *router,
                     char path[API_PATH_MAX])
{
    (void)snprintf(path, API_PATH_MAX, "%s/%s.sock", conf->run_dir,
                   router->name);
}

static int listen_at(const struct api_options *options, struct fault *fault)
{
    struct addr addr;
    const struct conf_endpoint *control = &options->router->control;
    char path[API_PATH_MAX];
    api_socket_path(options->conf, options->router, path);
    bool is_addr = control->host ? addr_of_ip(slice_text(control->host),
                                              control->port, &addr)
                                 : addr_of_path(path, &addr);
    if (!control->host)
        (void)unlink(path); /* left by one that was killed */
    int fd = is_addr ? addr_listen(&addr, BACKLOG) : -1;
    if (fd < 0)
        (void)fault_set(fault, RC_IO, errno, "listen at %s",
                        control->host ? control->text : path);
    return fd;
}

struct api *api_new(const struct api_options *options, struct fault *fault)
{
    int fd = listen_at(options, fault);
    if (fd < 0)
        return NULL;
    struct api *api = NEW(struct api);
    api->options = *options;
    api->router =
        mem_copy_text(options->router->name, strlen(options->router->name));
    api->server = http_server_new(fd, answer, api, fault);
    if (!api->server) {
        (void)close(fd);
        api_free(&api);
    }
    return api;
}

void api_free(struct api **api)
{
    struct api *held = steal(*api);
    if (!held)
        return;
    http_server_free(&held->server);
    mem_free(held->router);
    mem_free(held);
}
