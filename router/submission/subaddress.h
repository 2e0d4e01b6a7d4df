/*
 * subaddress.h - the stream that a recipient's address names.
 *
 *     RCPT TO:<user+STREAM@domain>
 *
 * RFC 5233 calls it the detail. A word of the envelope, for programs that
 * cannot set a header field. It is heard only for accounts whose `recipient_tag`
 * says so, since "+news" may as well be the recipient's own; and only where
 * STREAM is the name of a stream, case ignored. What stands behind the last "+"
 * counts, so that an address with a detail of its own can have ours behind it. A
 * quoted local part has none.
 *
 * Where tags are stripped the mail goes to the address without "+STREAM". That
 * is the envelope alone: the header stays as it is.
 */
#ifndef ROUTER_SUBMISSION_SUBADDRESS_H
#define ROUTER_SUBMISSION_SUBADDRESS_H

#include "common/base/slice.h"
#include "common/proto/path.h"
#include "config/conf.h"

struct subaddress {
    const struct conf_stream *stream; /* NULL: it names none */
    struct slice address; /* where the mail goes: as given, or in `bare` */
    char bare[PATH_MAX_BYTES];
};

/* `address` is a mailbox without <>, and must outlive *tag. */
void subaddress_read(const struct conf *conf,
                     const struct conf_account *account, struct slice address,
                     struct subaddress *tag);

#endif
