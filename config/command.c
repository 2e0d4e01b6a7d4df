/* command.c - `sendyard check` and `sendyard config`, without the process. */
#include "config/command.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/attr.h"
#include "config/dump.h"
#include "config/loader.h"
#include "config/reference.h"

struct request {
    const char *path;
    enum conf_files files;
};

static bool parse(int argc, char *const *argv, struct request *request)
{
    *request = (struct request){ .files = CONF_FILES_ALL };
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--no-files") == 0)
            request->files = CONF_FILES_NONE;
        else if (strcmp(argv[i], "--worker") == 0)
            request->files = CONF_FILES_WORKER;
        else if (argv[i][0] != '-' && !request->path)
            request->path = argv[i];
        else
            return false;
    }
    return request->path != NULL;
}

static int usage(FILE *err)
{
    (void)fprintf(err, "usage: sendyard check [--no-files | --worker] FILE\n"
                       "       sendyard config reference\n"
                       "       sendyard config dump [--no-files | --worker] "
                       "FILE\n");
    return EX_USAGE;
}

static int load(const struct request *request, struct conf **conf, FILE *err)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    enum rc rc = conf_load_for(request->path, request->files, conf, &errors);
    conf_errors_print(&errors, err);
    conf_errors_release(&errors);
    return rc == RC_OK ? EX_OK : EX_CONFIG;
}

int command_check(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct request request;
    scoped(conf_release) struct conf *conf = NULL;
    if (!parse(argc, argv, &request))
        return usage(err);
    int code = load(&request, &conf, err);
    if (code != EX_OK)
        return code;
    (void)fprintf(out,
                  "%s: ok (%zu listeners, %zu accounts, %zu streams, %zu "
                  "routes, %zu pools, %zu sources, %zu routers; digest "
                  "%016" PRIx64 ")\n",
                  request.path, conf->listener_count, conf->account_count,
                  conf->stream_count, conf->route_count, conf->pool_count,
                  conf->source_count, conf->router_count, conf->digest);
    return EX_OK;
}

int command_config(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct request request;
    scoped(conf_release) struct conf *conf = NULL;
    if (argc == 1 && strcmp(argv[0], "reference") == 0) {
        reference_print(out);
        return EX_OK;
    }
    if (argc < 2 || strcmp(argv[0], "dump") != 0
        || !parse(argc - 1, argv + 1, &request))
        return usage(err);
    int code = load(&request, &conf, err);
    if (code == EX_OK)
        dump_conf(conf, out);
    return code;
}
