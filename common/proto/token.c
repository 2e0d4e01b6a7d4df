/* token.c - pieces of grammar that several parsers of mail share. */
#include "common/proto/token.h"

#include "common/base/chars.h"

bool token_dot_atom(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    do {
        struct slice atom;
        if (!cursor_run(&ahead, CHAR_ATEXT | CHAR_UTF8, &atom))
            return false;
    } while (cursor_byte(&ahead, '.'));
    *cursor = ahead;
    return true;
}

static bool is_dtext(char byte)
{
    return byte > ' ' && byte < 127 && (byte < '[' || byte > ']');
}

bool token_literal(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    if (!cursor_byte(&ahead, '['))
        return false;
    while (!cursor_done(&ahead) && is_dtext(*ahead.at))
        ahead.at++;
    if (!cursor_byte(&ahead, ']'))
        return false;
    *cursor = ahead;
    return true;
}
