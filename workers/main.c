/* main.c - sendyard-worker: its arguments, log and rights; then worker.h. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "common/edge/log.h"
#include "common/edge/process.h"
#include "workers/worker.h"

static bool read_arguments(int argc, char **argv,
                           struct worker_options *options)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--config") == 0)
            options->config_path = argv[i + 1];
        else if (strcmp(argv[i], "--name") == 0)
            options->name = argv[i + 1];
        else
            return false;
    }
    return argc % 2 == 1 && options->config_path;
}

static int run(struct worker_options *options)
{
    const struct conf *conf = options->conf;
    struct fault fault;
    /* For the journal; on a host with nothing but workers nobody else makes it. */
    if (process_make_folder(conf->run_dir, conf->user, &fault) != RC_OK)
        log_fault(LOG_WARNING, "run_dir_unavailable", &fault);
    if (process_confine(conf->user, false, &fault) != RC_OK) {
        log_fault(LOG_ERROR, "start_failed", &fault);
        return EX_NOPERM;
    }
    if (getrandom(&options->boot, sizeof options->boot, 0)
        != (ssize_t)sizeof options->boot)
        return EX_OSERR;
    if (worker_run(options, &fault) != RC_OK) {
        log_fault(LOG_ERROR, "start_failed", &fault);
        return EX_UNAVAILABLE;
    }
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct worker_options options = { .name = "worker" };
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("sendyard-worker %s\n", SENDYARD_VERSION);
        return EX_OK;
    }
    if (!read_arguments(argc, argv, &options)) {
        (void)fprintf(stderr,
                      "usage: sendyard-worker --config FILE [--name NAME]\n");
        return EX_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    options.conf = worker_load_conf(options.config_path);
    if (!options.conf)
        return EX_CONFIG;
    enum log_level level = LOG_INFO;
    (void)log_level_of(options.conf->log.level, &level);
    log_open(options.name, level);
    process_raise_file_limit();

    int code = run(&options);
    conf_release(&options.conf);
    return code;
}
