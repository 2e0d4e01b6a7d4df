/*
 * process.h - what every process of ours gives up before it meets the world.
 */
#ifndef COMMON_EDGE_PROCESS_H
#define COMMON_EDGE_PROCESS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"

/* As root and with a `user` (not NULL): becomes that user and its group, without
 * other groups, keeping CAP_NET_BIND_SERVICE alone and only when
 * `bind_low_ports`. Otherwise stays who it is. RC_NONE when there is no such
 * user. Call it while there is one thread. */
enum rc process_become(const char *user, bool bind_low_ports,
                       struct fault *fault) must_check;

/* process_become(), and then: no new privileges by exec, no core dumps, not
 * traceable by others, umask 077. */
enum rc process_confine(const char *user, bool bind_low_ports,
                        struct fault *fault) must_check;

/* Raises the limit of open files as far as the system lets us. */
void process_raise_file_limit(void);

/* Makes a folder (0700) that belongs to `user` (NULL: to us) when it is not
 * there; parents must be. */
enum rc process_make_folder(const char *path, const char *user,
                            struct fault *fault) must_check;

/* The path of a program that lies beside the running one, into `path`. */
enum rc process_sibling(const char *program, char *path, unsigned long size,
                        struct fault *fault) must_check;

#endif
