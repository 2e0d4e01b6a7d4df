/*
 * passwd.h - password hashes of crypt(5). The only file (with passwd.c) that
 * knows libcrypt.
 *
 * Both functions are slow on purpose (yescrypt: about 20 ms) and are called in
 * threads that may wait; any number of threads at a time.
 */
#ifndef COMMON_EDGE_PASSWD_H
#define COMMON_EDGE_PASSWD_H

#include <stdbool.h>

#include "common/base/slice.h"

#define PASSWD_HASH_SIZE 384 /* CRYPT_OUTPUT_SIZE */
#define PASSWD_MAX       512 /* longer passwords never match */

/* Whether the password has this hash. A hash of no known form matches
 * nothing. The time does not tell how much of it was right. */
bool passwd_matches(struct slice password, const char *hash);

/* A new yescrypt hash with random salt. False when the password is empty, too
 * long or holds a NUL. */
bool passwd_make(struct slice password, char hash[PASSWD_HASH_SIZE]);

#endif
