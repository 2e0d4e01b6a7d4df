/*
 * command.h - what an SMTP client asks, server side.
 *
 * RFC 5321 section 4.1.1, RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 3461
 * section 4 (RET, ENVID, NOTIFY, ORCPT), 4954 section 5 (AUTH):
 *
 *     mail            = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
 *     rcpt            = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF
 *     Mail-parameters = esmtp-param *(SP esmtp-param)
 *     esmtp-param     = esmtp-keyword ["=" esmtp-value]
 *     esmtp-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *     esmtp-value     = 1*(%d33-60 / %d62-126)
 *
 * Verbs and keywords match without regard to case. Blanks after the colon and
 * at the end of the line are tolerated: many libraries send them. A parser that
 * refuses says what to answer; nothing is half accepted.
 */
#ifndef COMMON_PROTO_COMMAND_H
#define COMMON_PROTO_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/proto/path.h"
#include "common/proto/verdict.h"

#define COMMAND_ENVID_MAX 100u /* RFC 3461 section 4.4 */
#define COMMAND_ORCPT_MAX 500u /* RFC 3461 section 4.2 */
#define COMMAND_AUTH_MAX  500u /* RFC 4954 section 5 */

enum command_verb {
    COMMAND_UNKNOWN,
    COMMAND_EHLO,
    COMMAND_HELO,
    COMMAND_LHLO,
    COMMAND_STARTTLS,
    COMMAND_AUTH,
    COMMAND_MAIL,
    COMMAND_RCPT,
    COMMAND_DATA,
    COMMAND_BDAT,
    COMMAND_RSET,
    COMMAND_NOOP,
    COMMAND_QUIT,
    COMMAND_VRFY,
    COMMAND_EXPN,
    COMMAND_ETRN,
    COMMAND_HELP,
};

struct command {
    enum command_verb verb;
    struct slice argument; /* without blanks at both ends; may be empty */
};

enum command_body {
    COMMAND_BODY_NOT_GIVEN,
    COMMAND_BODY_7BIT,
    COMMAND_BODY_8BITMIME,
};

/* Values of RET and bits of NOTIFY; 0: not given. */
#define RET_FULL       1u
#define RET_HDRS       2u
#define NOTIFY_NEVER   1u /* alone */
#define NOTIFY_SUCCESS 2u
#define NOTIFY_FAILURE 4u
#define NOTIFY_DELAY   8u

struct mail_command {
    struct path from;
    bool has_size;
    uint64_t size;
    enum command_body body;
    bool smtputf8;
    uint8_t ret;        /* RET_* */
    struct slice envid; /* xtext, checked; or empty */
    bool has_auth;
    struct slice auth; /* xtext, checked; "<>" when the client does not say */
};

struct rcpt_command {
    struct path to;
    uint8_t notify;     /* NOTIFY_* */
    struct slice orcpt; /* type;xtext, checked; or empty */
};

/* What to answer to a command that is refused. */
struct refusal {
    uint16_t code;
    struct enhanced enhanced;
    const char *text; /* constant */
};

/* Splits a line, given without its CRLF. Any line gives a command; one with a
 * control byte other than a tab gives COMMAND_UNKNOWN. */
void command_read(struct slice line, struct command *command);

/* "MAIL"; "?" for the unknown one. */
const char *command_name(enum command_verb verb);

/* Read the argument of MAIL and RCPT. RC_OK, or RC_SYNTAX with
 * *refusal set and the command unchanged. Addresses that need UTF-8 are refused
 * without SMTPUTF8 (RFC 6531 section 3.4): MAIL knows by its own parameter,
 * RCPT is told in `utf8`. */
enum rc command_read_mail(struct slice argument, struct mail_command *mail,
                          struct refusal *refusal) must_check;
enum rc command_read_rcpt(struct slice argument, bool utf8,
                          struct rcpt_command *rcpt,
                          struct refusal *refusal) must_check;

#endif
