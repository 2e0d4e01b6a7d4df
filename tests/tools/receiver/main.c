/*
 * main.c - sendyard-receiver CONFIG: plays many mail providers at once.
 *
 * For tests only: it does as a scripted provider would, enforces its rules,
 * and counts each breach of them and of SMTP. See README.md.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "config.h"
#include "server.h"

/* Each connection is an fd; the usual 1024 are few for a load test. */
static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    struct world world;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: sendyard-receiver CONFIG\n");
        return 2;
    }
    if (!world_load(&world, argv[1]))
        return 2;
    raise_fd_limit();
    /* OpenSSL writes to sockets without MSG_NOSIGNAL. */
    (void)signal(SIGPIPE, SIG_IGN);
    struct server *server = server_new(&world);
    const bool done = server != NULL && server_run(server);
    server_free(&server);
    world_release(&world);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
