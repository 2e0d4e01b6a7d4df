/* redis_fixture.c - a real redis-server of a test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/redis_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t redis_start(const char *path)
{
    const pid_t redis = fork();
    assert_true(redis >= 0);
    if (redis > 0)
        return redis;
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    (void)execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
                 path, "--save", "", "--appendonly", "no", NULL);
    _exit(127);
}

void redis_stop(pid_t *redis)
{
    if (*redis <= 0)
        return;
    (void)kill(*redis, SIGKILL);
    (void)waitpid(*redis, NULL, 0);
    *redis = 0;
}
