/*
 * say.h - the commands of a transaction, as the server can take them.
 *
 * Parameters are said only to a server that offers their extension. Addresses
 * and parameters were checked where they came in; a line can hold no CR or LF.
 */
#ifndef WORKERS_SMTP_SAY_H
#define WORKERS_SMTP_SAY_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/proto/ehlo.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"

/* Whether this server can never take this message: larger than its SIZE (RFC
 * 1870), 8-bit without 8BITMIME (RFC 6152), internationalised without SMTPUTF8
 * (RFC 6531). Then *verdict says so. */
bool say_cannot(const struct ehlo *peer, const struct wire_job *envelope,
                struct verdict *verdict);

/* MAIL FROM with SIZE, BODY, SMTPUTF8, RET and ENVID. */
void say_mail(const struct ehlo *peer, const struct wire_job *envelope,
              struct buf *out);

/* RCPT TO with NOTIFY and ORCPT. */
void say_rcpt(const struct ehlo *peer, const struct wire_recipient *recipient,
              struct buf *out);

#endif
