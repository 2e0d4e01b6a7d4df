/* keys.c - secrets for the config. */
#include "router/control/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/bus.h"
#include "common/edge/passwd.h"

#define PASSWORD_MAX 512

/* Echo off on a terminal; the old settings come back in *saved. */
static bool hide_input(struct termios *saved)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, saved) != 0)
        return false;
    struct termios hidden = *saved;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSANOW, &hidden) == 0;
}

static bool read_password(char password[PASSWORD_MAX], FILE *err)
{
    struct termios saved;
    bool is_hidden = hide_input(&saved);
    if (is_hidden)
        (void)fprintf(err, "Password: ");
    bool is_read = fgets(password, PASSWORD_MAX, stdin) != NULL;
    if (is_hidden) {
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
        (void)fprintf(err, "\n");
    }
    password[strcspn(password, "\r\n")] = '\0';
    return is_read && password[0] != '\0';
}

int command_password(int argc, char *const *argv, FILE *out, FILE *err)
{
    (void)argv;
    if (argc > 0) {
        (void)fprintf(err, "password takes no argument: it reads its standard "
                           "input\n");
        return EX_USAGE;
    }
    char password[PASSWORD_MAX];
    char hash[PASSWD_HASH_SIZE];
    if (!read_password(password, err)) {
        (void)fprintf(err, "no password was given\n");
        return EX_DATAERR;
    }
    bool is_made = passwd_make(slice_text(password), hash);
    explicit_bzero(password, sizeof password);
    if (!is_made) {
        (void)fprintf(err, "the password cannot be hashed\n");
        return EX_SOFTWARE;
    }
    (void)fprintf(out, "%s\n", hash);
    return EX_OK;
}

static bool write_secret(const char *path, const char *secret)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool is_written = dprintf(fd, "%s\n", secret) > 0 && fsync(fd) == 0;
    return close(fd) == 0 && is_written;
}

int command_keygen(int argc, char *const *argv, FILE *out, FILE *err)
{
    if (argc != 1) {
        (void)fprintf(err, "usage: sendyard keygen FILE\n");
        return EX_USAGE;
    }
    char public_key[41];
    char secret_key[41];
    if (!bus_make_keys(public_key, secret_key)) {
        (void)fprintf(err, "libzmq was built without CURVE\n");
        return EX_UNAVAILABLE;
    }
    bool is_written = write_secret(argv[0], secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    if (!is_written) {
        struct fault fault;
        (void)fault_set(&fault, RC_IO, errno, "write %s", argv[0]);
        (void)fprintf(err, "%s\n", fault.text);
        return EX_CANTCREAT;
    }
    (void)fprintf(out, "%s\n", public_key);
    return EX_OK;
}
