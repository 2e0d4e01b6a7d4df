/* path.c - the addresses of an SMTP envelope. */
#include "common/proto/path.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/chars.h"
#include "common/proto/token.h"
#include "common/proto/utf8.h"

#define LITERAL_MAX 63u /* "[IPv6:" and the longest IPv6 address are less */

/* One label: letters, digits and inner hyphens, or UTF-8. */
static bool take_label(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    struct slice label;
    if (!cursor_run(&ahead, CHAR_LDH | CHAR_UTF8, &label)
        || label.len > PATH_LABEL_MAX || label.ptr[0] == '-'
        || label.ptr[label.len - 1] == '-')
        return false;
    *cursor = ahead;
    return true;
}

static bool take_domain(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    do {
        if (!take_label(&ahead))
            return false;
    } while (cursor_byte(&ahead, '.'));
    *cursor = ahead;
    return true;
}

/* Snum 3("." Snum) or "IPv6:" IPv6-addr, given without brackets. inet_pton
 * reads both as strictly as the grammar: no hex, no short forms. */
static bool is_ip(struct slice text)
{
    struct cursor at = cursor_of(text);
    int family = cursor_word(&at, SLICE("IPv6:")) ? AF_INET6 : AF_INET;
    struct slice number = cursor_rest(&at);
    char copy[LITERAL_MAX + 1];
    if (number.len == 0 || number.len > LITERAL_MAX
        || memchr(number.ptr, '\0', number.len))
        return false;
    memcpy(copy, number.ptr, number.len);
    copy[number.len] = '\0';
    unsigned char address[16];
    return inet_pton(family, copy, address) == 1;
}

static bool take_literal(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    struct slice inner;
    if (!cursor_byte(&ahead, '[') || !cursor_until(&ahead, ']', &inner)
        || !is_ip(inner))
        return false;
    *cursor = ahead;
    return true;
}

/* DQUOTE *QcontentSMTP DQUOTE */
static bool take_quoted(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    if (!cursor_byte(&ahead, '"'))
        return false;
    while (!cursor_done(&ahead) && *ahead.at != '"') {
        bool pair = cursor_byte(&ahead, '\\');
        if (cursor_done(&ahead) || char_is(*ahead.at, CHAR_CTRL)
            || (pair && char_is(*ahead.at, CHAR_UTF8)))
            return false;
        ahead.at++;
    }
    if (!cursor_byte(&ahead, '"'))
        return false;
    *cursor = ahead;
    return true;
}

static bool take_local(struct cursor *cursor)
{
    return take_quoted(cursor) || token_dot_atom(cursor);
}

static enum rc check_sizes(const struct path *path)
{
    bool fits = path->local.len <= PATH_LOCAL_MAX
                && path->domain.len <= PATH_DOMAIN_MAX
                && path->whole.len <= PATH_MAX_BYTES;
    return fits ? RC_OK : RC_LIMIT;
}

/* Local-part "@" ( Domain / address-literal ) */
static enum rc take_mailbox(struct cursor *cursor, struct path *path)
{
    struct cursor ahead = *cursor;
    struct path found = { 0 };
    if (!take_local(&ahead))
        return RC_SYNTAX;
    found.local = token_between(cursor->at, ahead.at);
    if (!cursor_byte(&ahead, '@'))
        return RC_SYNTAX;
    const char *domain = ahead.at;
    found.is_literal = take_literal(&ahead);
    if (!found.is_literal && !take_domain(&ahead))
        return RC_SYNTAX;
    found.domain = token_between(domain, ahead.at);
    found.whole = token_between(cursor->at, ahead.at);
    found.needs_utf8 = !utf8_is_ascii(found.whole);
    if (found.needs_utf8 && !utf8_is_valid(found.whole))
        return RC_SYNTAX;
    *path = found;
    *cursor = ahead;
    return check_sizes(&found);
}

/* A-d-l ":", taken and forgotten. */
static bool take_route(struct cursor *cursor)
{
    do {
        if (!cursor_byte(cursor, '@') || !take_domain(cursor))
            return false;
    } while (cursor_byte(cursor, ','));
    return cursor_byte(cursor, ':');
}

static enum rc take_inside(struct cursor *cursor, enum path_kind kind,
                           struct path *path)
{
    if (token_is_next(cursor, '>')) {
        path->is_null = true;
        path->whole = slice_of(cursor->at, 0);
        return kind == PATH_REVERSE ? RC_OK : RC_SYNTAX;
    }
    const char *from = cursor->at;
    if (kind == PATH_FORWARD && cursor_word(cursor, SLICE("postmaster"))) {
        if (token_is_next(cursor, '>')) {
            path->whole = path->local = token_between(from, cursor->at);
            return RC_OK;
        }
        cursor->at = from;
    }
    if (token_is_next(cursor, '@') && !take_route(cursor))
        return RC_SYNTAX;
    return take_mailbox(cursor, path);
}

enum rc path_take(struct cursor *cursor, enum path_kind kind, struct path *path)
{
    struct cursor ahead = *cursor;
    struct path found = { 0 };
    if (!cursor_byte(&ahead, '<'))
        return RC_SYNTAX;
    enum rc rc = take_inside(&ahead, kind, &found);
    if (rc != RC_OK)
        return rc;
    if (!cursor_byte(&ahead, '>'))
        return RC_SYNTAX;
    *path = found;
    *cursor = ahead;
    return RC_OK;
}

enum rc path_from_text(struct slice text, struct path *path)
{
    struct cursor cursor = cursor_of(text);
    struct path found = { 0 };
    enum rc rc = take_mailbox(&cursor, &found);
    if (rc != RC_OK)
        return rc;
    if (!cursor_done(&cursor))
        return RC_SYNTAX;
    *path = found;
    return RC_OK;
}

bool path_is_domain(struct slice text, bool utf8)
{
    struct cursor cursor = cursor_of(text);
    if (text.len > PATH_DOMAIN_MAX || !take_domain(&cursor)
        || !cursor_done(&cursor))
        return false;
    return utf8 ? utf8_is_valid(text) : utf8_is_ascii(text);
}

bool path_is_literal(struct slice text)
{
    struct cursor cursor = cursor_of(text);
    return take_literal(&cursor) && cursor_done(&cursor);
}
