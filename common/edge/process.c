/* process.c - what every process of ours gives up before it meets the world. */
#include "common/edge/process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PASSWD_BUFFER 4096

/* A user's numbers, looked up while nothing is given up yet. */
struct identity {
    uid_t uid;
    gid_t gid;
};

static enum rc find_user(const char *user, struct identity *identity,
                         struct fault *fault)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[PASSWD_BUFFER];
    int error = getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    if (!found)
        return fault_set(fault, RC_NONE, error, "no user \"%s\"", user);
    *identity = (struct identity){ entry.pw_uid, entry.pw_gid };
    return RC_OK;
}

/* Leaves `capabilities` (a mask) as all that the process may do. */
static int set_capabilities(uint32_t capabilities)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[2] = {
        { .effective = capabilities, .permitted = capabilities },
    };
    return (int)syscall(SYS_capset, &header, data);
}

static enum rc become(const struct identity *identity, bool bind_low_ports,
                      struct fault *fault)
{
    if (prctl(PR_SET_KEEPCAPS, bind_low_ports ? 1 : 0) != 0)
        return fault_set(fault, RC_IO, errno, "keep capabilities");
    if (setgroups(0, NULL) != 0
        || setresgid(identity->gid, identity->gid, identity->gid) != 0
        || setresuid(identity->uid, identity->uid, identity->uid) != 0)
        return fault_set(fault, RC_IO, errno, "drop root");
    uint32_t kept = bind_low_ports ? 1u << CAP_NET_BIND_SERVICE : 0;
    if (set_capabilities(kept) != 0)
        return fault_set(fault, RC_IO, errno, "drop capabilities");
    return RC_OK;
}

/* The change of user clears the signal that a supervisor set to tell us of its
 * death, see prctl(2). When it died meanwhile nobody would tell us. */
static enum rc become_and_mind(const struct identity *identity,
                               bool bind_low_ports, struct fault *fault)
{
    int signo = 0;
    pid_t parent = getppid();
    if (prctl(PR_GET_PDEATHSIG, &signo) != 0)
        return fault_set(fault, RC_IO, errno, "read the death signal");
    enum rc rc = become(identity, bind_low_ports, fault);
    if (rc != RC_OK || signo == 0)
        return rc;
    if (prctl(PR_SET_PDEATHSIG, signo) != 0)
        return fault_set(fault, RC_IO, errno, "keep the death signal");
    if (getppid() != parent)
        return fault_set(fault, RC_CLOSED, 0, "the supervisor is gone");
    return RC_OK;
}

enum rc process_become(const char *user, bool bind_low_ports,
                       struct fault *fault)
{
    if (!user || geteuid() != 0)
        return RC_OK;
    struct identity identity = { 0 };
    enum rc rc = find_user(user, &identity, fault);
    return rc == RC_OK ? become_and_mind(&identity, bind_low_ports, fault) : rc;
}

enum rc process_confine(const char *user, bool bind_low_ports,
                        struct fault *fault)
{
    enum rc rc = process_become(user, bind_low_ports, fault);
    if (rc != RC_OK)
        return rc;
    const struct rlimit none = { 0, 0 };
    (void)umask(077);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        return fault_set(fault, RC_IO, errno, "confine the process");
    return RC_OK;
}

void process_raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum rc process_make_folder(const char *path, const char *user,
                            struct fault *fault)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_set(fault, RC_IO, errno, "make folder %s", path);
    if (!user || geteuid() != 0)
        return RC_OK;
    struct identity identity = { 0 };
    enum rc rc = find_user(user, &identity, fault);
    if (rc != RC_OK)
        return rc;
    if (chown(path, identity.uid, identity.gid) != 0)
        return fault_set(fault, RC_IO, errno, "give %s to %s", path, user);
    return RC_OK;
}

enum rc process_sibling(const char *program, char *path, unsigned long size,
                        struct fault *fault)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);
    if (len < 0)
        return fault_set(fault, RC_IO, errno, "find our own program");
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    if (folder + strlen(program) + 1 > size)
        return fault_set(fault, RC_LIMIT, 0, "path of %s is too long", program);
    (void)snprintf(path + folder, size - folder, "%s", program);
    return RC_OK;
}
