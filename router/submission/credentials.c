/* credentials.c - what a client shows to be let in. */
#include "router/submission/credentials.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/proto/codec.h"
#include "router/submission/limits.h"

/* "=" stands for a response of no bytes, RFC 4954 section 4. */
static enum rc decode(struct slice base64, struct buf *out)
{
    buf_init(out, SUBMISSION_AUTH_LINE_MAX);
    if (slice_equal(base64, SLICE("=")))
        return RC_OK;
    return base64_decode(base64, out);
}

static void wipe(struct buf *secret)
{
    if (secret->ptr)
        explicit_bzero(secret->ptr, secret->size);
    buf_release(secret);
}

static enum rc keep(struct slice text, char *where, size_t max, size_t *len)
{
    if (text.len > max)
        return RC_LIMIT;
    if (text.len > 0)
        memcpy(where, text.ptr, text.len);
    *len = text.len;
    return RC_OK;
}

static enum rc keep_both(struct credentials *credentials, struct slice user,
                         struct slice password)
{
    enum rc rc = keep(user, credentials->user, sizeof credentials->user,
                      &credentials->user_len);
    if (rc == RC_OK)
        rc = keep(password, credentials->password, sizeof credentials->password,
                  &credentials->password_len);
    if (rc != RC_OK)
        credentials_wipe(credentials);
    return rc;
}

static enum rc split_plain(struct credentials *credentials,
                           struct slice message)
{
    struct cursor cursor = cursor_of(message);
    struct slice authzid;
    struct slice authcid;
    if (!cursor_until(&cursor, '\0', &authzid)
        || !cursor_until(&cursor, '\0', &authcid))
        return RC_SYNTAX;
    struct slice password = cursor_rest(&cursor);
    if (authcid.len == 0 || slice_find(password, '\0') < password.len)
        return RC_SYNTAX;
    if (authzid.len > 0 && !slice_equal(authzid, authcid))
        return RC_LIMIT;
    return keep_both(credentials, authcid, password);
}

enum rc credentials_read_plain(struct credentials *credentials,
                               struct slice base64)
{
    struct buf message;
    enum rc rc = decode(base64, &message);
    if (rc == RC_OK)
        rc = split_plain(credentials, buf_slice(&message));
    wipe(&message);
    return rc;
}

enum rc credentials_read_user(struct credentials *credentials,
                              struct slice base64)
{
    struct buf user;
    enum rc rc = decode(base64, &user);
    if (rc == RC_OK)
        rc = keep_both(credentials, buf_slice(&user), slice_text(""));
    wipe(&user);
    return rc;
}

enum rc credentials_read_password(struct credentials *credentials,
                                  struct slice base64)
{
    struct buf password;
    enum rc rc = decode(base64, &password);
    if (rc == RC_OK)
        rc = keep(buf_slice(&password), credentials->password,
                  sizeof credentials->password, &credentials->password_len);
    wipe(&password);
    return rc;
}

void credentials_wipe(struct credentials *credentials)
{
    explicit_bzero(credentials, sizeof *credentials);
}
