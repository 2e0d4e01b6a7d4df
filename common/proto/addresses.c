/* addresses.c - the addresses in a From, Sender, To or Cc field. */
#include "common/proto/addresses.h"

#include "common/base/chars.h"
#include "common/proto/token.h"

/* comment = "(" *( ctext / quoted-pair / comment ) ")" */
static bool skip_comment(struct cursor *cursor)
{
    unsigned depth = 0;
    do {
        if (cursor_done(cursor))
            return false;
        char byte = *cursor->at++;
        if (byte == '(' && ++depth > ADDRESSES_COMMENT_DEPTH)
            return false;
        if (byte == ')')
            depth--;
        if (byte == '\\') {
            if (cursor_done(cursor))
                return false;
            cursor->at++;
        }
    } while (depth > 0);
    return true;
}

/* CFWS, perhaps none; false on a comment without end. */
static bool skip_cfws(struct cursor *cursor)
{
    for (; !cursor_done(cursor); cursor->at++) {
        while (token_is_next(cursor, '('))
            if (!skip_comment(cursor))
                return false;
        if (cursor_done(cursor)
            || !(char_is(*cursor->at, CHAR_BLANK) || *cursor->at == '\r'
                 || *cursor->at == '\n'))
            break;
    }
    return true;
}

/* DQUOTE *( qtext / quoted-pair / FWS ) DQUOTE; a fold only where `folds`. */
static bool take_quoted(struct cursor *cursor, bool folds)
{
    if (!cursor_byte(cursor, '"'))
        return false;
    while (!cursor_done(cursor) && *cursor->at != '"') {
        bool fold = folds && (*cursor->at == '\r' || *cursor->at == '\n');
        (void)cursor_byte(cursor, '\\');
        if (cursor_done(cursor)
            || (!fold && char_is(*cursor->at, CHAR_CTRL)
                && *cursor->at != '\t'))
            return false;
        cursor->at++;
    }
    return cursor_byte(cursor, '"');
}

/* local-part [CFWS] "@" [CFWS] domain */
static bool take_addr_spec(struct cursor *cursor, struct address *address)
{
    struct cursor ahead = *cursor;
    bool local = token_is_next(&ahead, '"') ? take_quoted(&ahead, false)
                                            : token_dot_atom(&ahead);
    if (!local)
        return false;
    address->local = token_between(cursor->at, ahead.at);
    if (!skip_cfws(&ahead) || !cursor_byte(&ahead, '@') || !skip_cfws(&ahead))
        return false;
    const char *domain = ahead.at;
    if (!token_literal(&ahead) && !token_dot_atom(&ahead))
        return false;
    address->domain = token_between(domain, ahead.at);
    *cursor = ahead;
    return true;
}

/* 1*( atom / quoted-string / "." / CFWS ), perhaps none. */
static bool take_phrase(struct cursor *cursor, struct slice *phrase)
{
    const char *from = cursor->at;
    for (const char *before = NULL; before != cursor->at;) {
        before = cursor->at;
        struct slice atom;
        if (token_is_next(cursor, '"') && !take_quoted(cursor, true))
            return false;
        (void)cursor_run(cursor, CHAR_ATEXT | CHAR_UTF8, &atom);
        /* A phrase begins with a word: "." may only follow one. */
        if (cursor->at != from)
            (void)cursor_byte(cursor, '.');
        if (!skip_cfws(cursor))
            return false;
    }
    *phrase = slice_trim(token_between(from, cursor->at));
    return true;
}

/* One mailbox, RC_OK, or the opening of a group, RC_MORE. */
static enum rc take_member(struct addresses *addresses, struct address *address)
{
    struct cursor *cursor = &addresses->at;
    if (take_addr_spec(cursor, address))
        return RC_OK;
    if (!take_phrase(cursor, &address->display))
        return RC_SYNTAX;
    if (cursor_byte(cursor, ':')) {
        if (addresses->in_group || address->display.len == 0)
            return RC_SYNTAX;
        addresses->in_group = true;
        return RC_MORE;
    }
    if (!cursor_byte(cursor, '<') || !skip_cfws(cursor)
        || !take_addr_spec(cursor, address) || !skip_cfws(cursor)
        || !cursor_byte(cursor, '>'))
        return RC_SYNTAX;
    return RC_OK;
}

void addresses_init(struct addresses *addresses, struct slice value)
{
    *addresses = (struct addresses){ .at = cursor_of(value) };
}

enum rc addresses_next(struct addresses *addresses, struct address *address)
{
    /* Steps are made on a copy: after an error the place stays, so that the
     * next call finds the same error. */
    struct addresses ahead = *addresses;
    for (;;) {
        if (!skip_cfws(&ahead.at))
            return RC_SYNTAX;
        if (cursor_done(&ahead.at)) {
            *addresses = ahead;
            return ahead.in_group ? RC_SYNTAX : RC_NONE;
        }
        if (cursor_byte(&ahead.at, ',')) {
            ahead.after_address = false;
            continue;
        }
        if (ahead.in_group && cursor_byte(&ahead.at, ';')) {
            ahead.in_group = false;
            ahead.after_address = true;
            continue;
        }
        if (ahead.after_address)
            return RC_SYNTAX;
        struct address found = { .display = slice_of(ahead.at.at, 0) };
        enum rc rc = take_member(&ahead, &found);
        if (rc == RC_MORE)
            continue;
        if (rc == RC_OK) {
            ahead.after_address = true;
            *addresses = ahead;
            *address = found;
        }
        return rc;
    }
}
