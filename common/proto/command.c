/* command.c - what an SMTP client asks, server side. */
#include "common/proto/command.h"

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/codec.h"
#include "common/proto/utf8.h"

/* clang-format off */
static const struct slice verbs[] = {
    [COMMAND_UNKNOWN]  = { "?",        1 },
    [COMMAND_EHLO]     = { "EHLO",     4 },
    [COMMAND_HELO]     = { "HELO",     4 },
    [COMMAND_LHLO]     = { "LHLO",     4 },
    [COMMAND_STARTTLS] = { "STARTTLS", 8 },
    [COMMAND_AUTH]     = { "AUTH",     4 },
    [COMMAND_MAIL]     = { "MAIL",     4 },
    [COMMAND_RCPT]     = { "RCPT",     4 },
    [COMMAND_DATA]     = { "DATA",     4 },
    [COMMAND_BDAT]     = { "BDAT",     4 },
    [COMMAND_RSET]     = { "RSET",     4 },
    [COMMAND_NOOP]     = { "NOOP",     4 },
    [COMMAND_QUIT]     = { "QUIT",     4 },
    [COMMAND_VRFY]     = { "VRFY",     4 },
    [COMMAND_EXPN]     = { "EXPN",     4 },
    [COMMAND_ETRN]     = { "ETRN",     4 },
    [COMMAND_HELP]     = { "HELP",     4 },
};

static const struct refusal
    no_from       = { 501, { 5, 5, 4 }, "Say MAIL FROM:<address>" },
    no_to         = { 501, { 5, 5, 4 }, "Say RCPT TO:<address>" },
    bad_sender    = { 501, { 5, 1, 7 }, "Bad sender address syntax" },
    long_sender   = { 501, { 5, 1, 7 }, "Sender address is too long" },
    bad_recipient = { 501, { 5, 1, 3 }, "Bad recipient address syntax" },
    long_recipient = { 501, { 5, 1, 3 }, "Recipient address is too long" },
    utf8_sender   = { 553, { 5, 6, 7 }, "Sender address needs SMTPUTF8" },
    utf8_recipient = { 553, { 5, 6, 7 }, "Recipient address needs SMTPUTF8" },
    bad_parameter = { 501, { 5, 5, 4 }, "Bad parameter value" },
    twice         = { 501, { 5, 5, 4 }, "Parameter given twice" },
    unknown       = { 555, { 5, 5, 4 }, "Parameter not recognized" };
/* clang-format on */

static bool has_control(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (char_is(line.ptr[i], CHAR_CTRL) && line.ptr[i] != '\t')
            return true;
    return false;
}

void command_read(struct slice line, struct command *command)
{
    struct cursor cursor = cursor_of(line);
    struct slice word = slice_head(line, 0);
    (void)cursor_run(&cursor, CHAR_ALPHA, &word);
    *command = (struct command){
        .verb = COMMAND_UNKNOWN,
        .argument = slice_trim(cursor_rest(&cursor)),
    };
    bool ends = cursor_done(&cursor) || char_is(*cursor.at, CHAR_BLANK);
    if (!ends || has_control(line))
        return;
    for (size_t i = COMMAND_UNKNOWN + 1; i < ARRAY_LEN(verbs); i++)
        if (slice_equal_nocase(word, verbs[i]))
            command->verb = (enum command_verb)i;
}

const char *command_name(enum command_verb verb)
{
    CHECK((size_t)verb < ARRAY_LEN(verbs));
    return verbs[verb].ptr;
}

/* Reads a parameter's value into a command; empty: none was given. */
typedef bool read_fn(struct slice value, void *command);

struct parameter {
    struct slice keyword;
    read_fn *read;
};

static bool read_size(struct slice value, void *command)
{
    struct mail_command *mail = command;
    mail->has_size = true;
    return slice_number(value, UINT64_MAX, &mail->size);
}

static bool read_body(struct slice value, void *command)
{
    struct mail_command *mail = command;
    if (slice_equal_nocase(value, SLICE("7BIT")))
        mail->body = COMMAND_BODY_7BIT;
    else if (slice_equal_nocase(value, SLICE("8BITMIME")))
        mail->body = COMMAND_BODY_8BITMIME;
    return mail->body != COMMAND_BODY_NOT_GIVEN;
}

static bool read_smtputf8(struct slice value, void *command)
{
    struct mail_command *mail = command;
    mail->smtputf8 = true;
    return value.len == 0;
}

static bool read_ret(struct slice value, void *command)
{
    struct mail_command *mail = command;
    if (slice_equal_nocase(value, SLICE("FULL")))
        mail->ret = RET_FULL;
    else if (slice_equal_nocase(value, SLICE("HDRS")))
        mail->ret = RET_HDRS;
    return mail->ret != 0;
}

static bool read_envid(struct slice value, void *command)
{
    struct mail_command *mail = command;
    mail->envid = value;
    return value.len > 0 && value.len <= COMMAND_ENVID_MAX
           && xtext_is_valid(value);
}

static bool read_auth(struct slice value, void *command)
{
    struct mail_command *mail = command;
    mail->has_auth = true;
    mail->auth = value;
    return value.len > 0 && value.len <= COMMAND_AUTH_MAX
           && xtext_is_valid(value);
}

static bool read_notify(struct slice value, void *command)
{
    static const struct {
        struct slice word;
        uint8_t bit;
    } words[] = {
        { { "NEVER", 5 }, NOTIFY_NEVER },
        { { "SUCCESS", 7 }, NOTIFY_SUCCESS },
        { { "FAILURE", 7 }, NOTIFY_FAILURE },
        { { "DELAY", 5 }, NOTIFY_DELAY },
    };
    struct rcpt_command *rcpt = command;
    for (bool more = true; more;) {
        size_t end = slice_find(value, ',');
        struct slice word = slice_head(value, end);
        more = end < value.len;
        value = slice_from(value, end + 1);

        uint8_t bit = 0;
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            if (slice_equal_nocase(word, words[i].word))
                bit = words[i].bit;
        if (bit == 0)
            return false;
        rcpt->notify = (uint8_t)(rcpt->notify | bit);
    }
    return rcpt->notify == NOTIFY_NEVER || !(rcpt->notify & NOTIFY_NEVER);
}

/* ORCPT=addr-type ";" xtext; RFC 6533 section 3 lets the address of type utf-8
 * be plain UTF-8, too. */
static bool read_orcpt(struct slice value, void *command)
{
    struct rcpt_command *rcpt = command;
    struct cursor cursor = cursor_of(value);
    struct slice type;
    if (value.len > COMMAND_ORCPT_MAX || !cursor_run(&cursor, CHAR_ATEXT, &type)
        || !cursor_byte(&cursor, ';') || cursor_done(&cursor))
        return false;
    struct slice address = cursor_rest(&cursor);
    rcpt->orcpt = value;
    if (slice_equal_nocase(type, SLICE("utf-8")) && !utf8_is_ascii(address))
        return utf8_is_valid(address);
    return xtext_is_valid(address);
}

static const struct parameter mail_parameters[] = {
    { { "SIZE", 4 }, read_size },         { { "BODY", 4 }, read_body },
    { { "SMTPUTF8", 8 }, read_smtputf8 }, { { "RET", 3 }, read_ret },
    { { "ENVID", 5 }, read_envid },       { { "AUTH", 4 }, read_auth },
};

static const struct parameter rcpt_parameters[] = {
    { { "NOTIFY", 6 }, read_notify },
    { { "ORCPT", 5 }, read_orcpt },
};

struct parameters {
    const struct parameter *items;
    size_t count;
};

/* esmtp-keyword ["=" esmtp-value] */
static bool take_parameter(struct cursor *cursor, struct slice *keyword,
                           struct slice *value)
{
    if (!cursor_run(cursor, CHAR_LDH, keyword))
        return false;
    *value = slice_of(cursor->at, 0);
    if (cursor_byte(cursor, '=')) {
        const char *from = cursor->at;
        while (!cursor_done(cursor) && *cursor->at != '='
               && !char_is(*cursor->at, CHAR_BLANK | CHAR_CTRL))
            cursor->at++;
        *value = slice_of(from, (size_t)(cursor->at - from));
        if (value->len == 0)
            return false;
    }
    return cursor_done(cursor) || char_is(*cursor->at, CHAR_BLANK);
}

static enum rc refuse(const struct refusal *why, struct refusal *refusal)
{
    *refusal = *why;
    return RC_SYNTAX;
}

static enum rc read_parameters(struct cursor *cursor, struct parameters known,
                               void *command, struct refusal *refusal)
{
    uint32_t seen = 0;
    if (!cursor_done(cursor) && !char_is(*cursor->at, CHAR_BLANK))
        return refuse(&bad_parameter, refusal);
    cursor_blanks(cursor);
    while (!cursor_done(cursor)) {
        struct slice keyword;
        struct slice value;
        if (!take_parameter(cursor, &keyword, &value))
            return refuse(&bad_parameter, refusal);
        size_t at = 0;
        while (at < known.count
               && !slice_equal_nocase(keyword, known.items[at].keyword))
            at++;
        if (at == known.count)
            return refuse(&unknown, refusal);
        if (seen & 1u << at)
            return refuse(&twice, refusal);
        seen |= 1u << at;
        if (!known.items[at].read(value, command))
            return refuse(&bad_parameter, refusal);
        cursor_blanks(cursor);
    }
    return RC_OK;
}

enum rc command_read_mail(struct slice argument, struct mail_command *mail,
                          struct refusal *refusal)
{
    static const struct parameters known = { mail_parameters,
                                             ARRAY_LEN(mail_parameters) };
    struct cursor cursor = cursor_of(argument);
    struct mail_command found = { 0 };
    if (!cursor_word(&cursor, SLICE("FROM:")))
        return refuse(&no_from, refusal);
    cursor_blanks(&cursor);
    enum rc rc = path_take(&cursor, PATH_REVERSE, &found.from);
    if (rc != RC_OK)
        return refuse(rc == RC_LIMIT ? &long_sender : &bad_sender, refusal);
    rc = read_parameters(&cursor, known, &found, refusal);
    if (rc != RC_OK)
        return rc;
    if (found.from.needs_utf8 && !found.smtputf8)
        return refuse(&utf8_sender, refusal);
    *mail = found;
    return RC_OK;
}

enum rc command_read_rcpt(struct slice argument, bool utf8,
                          struct rcpt_command *rcpt, struct refusal *refusal)
{
    static const struct parameters known = { rcpt_parameters,
                                             ARRAY_LEN(rcpt_parameters) };
    struct cursor cursor = cursor_of(argument);
    struct rcpt_command found = { 0 };
    if (!cursor_word(&cursor, SLICE("TO:")))
        return refuse(&no_to, refusal);
    cursor_blanks(&cursor);
    enum rc rc = path_take(&cursor, PATH_FORWARD, &found.to);
    if (rc != RC_OK)
        return refuse(rc == RC_LIMIT ? &long_recipient : &bad_recipient,
                      refusal);
    rc = read_parameters(&cursor, known, &found, refusal);
    if (rc != RC_OK)
        return rc;
    if (!utf8 && (found.to.needs_utf8 || !utf8_is_ascii(found.orcpt)))
        return refuse(&utf8_recipient, refusal);
    *rcpt = found;
    return RC_OK;
}
