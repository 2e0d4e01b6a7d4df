/*
 * credentials.h - what a client shows to be let in.
 *
 * RFC 4616 section 2:
 *
 *     message = [authzid] UTF8NUL authcid UTF8NUL passwd
 *
 * authzid may be empty or equal to authcid: we let nobody act for another. The
 * texts come in base64; they are wiped as soon as they have been checked.
 */
#ifndef ROUTER_SUBMISSION_CREDENTIALS_H
#define ROUTER_SUBMISSION_CREDENTIALS_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define CREDENTIALS_USER_MAX     255u
#define CREDENTIALS_PASSWORD_MAX 512u

struct credentials {
    size_t user_len;
    size_t password_len;
    char user[CREDENTIALS_USER_MAX];
    char password[CREDENTIALS_PASSWORD_MAX];
};

/* Reads the base64 of a PLAIN message. RC_OK; RC_SYNTAX: not of the form;
 * RC_LIMIT: too long, or for another identity: such credentials are wrong, not
 * malformed. On failure nothing is kept. */
enum rc credentials_read_plain(struct credentials *credentials,
                               struct slice base64) must_check;

/* The two steps of LOGIN; returns as above. */
enum rc credentials_read_user(struct credentials *credentials,
                              struct slice base64) must_check;
enum rc credentials_read_password(struct credentials *credentials,
                                  struct slice base64) must_check;

void credentials_wipe(struct credentials *credentials);

static inline struct slice credentials_user(
    const struct credentials *credentials)
{
    return slice_of(credentials->user, credentials->user_len);
}

static inline struct slice credentials_password(
    const struct credentials *credentials)
{
    return slice_of(credentials->password, credentials->password_len);
}

#endif
