/* letters.c - one character of text, and what it is for the words. */
#include "classifier/sketch/letters.h"

#include "common/proto/utf8.h"

#define IN(character, from, to) ((character) >= (from) && (character) <= (to))

/* clang-format off */
#define W LETTER_WORD
#define D LETTER_DIGIT
const uint8_t letters_ascii[128] = {
    ['$'] = LETTER_CURRENCY, ['\''] = LETTER_APOSTROPHE,
    ['0'] = D, D, D, D, D, D, D, D, D, D,
    ['A'] = W, W, W, W, W, W, W, W, W, W, W, W, W,
            W, W, W, W, W, W, W, W, W, W, W, W, W,
    ['a'] = W, W, W, W, W, W, W, W, W, W, W, W, W,
            W, W, W, W, W, W, W, W, W, W, W, W, W,
};
#undef W
#undef D
/* clang-format on */

static uint32_t join(const unsigned char *bytes, size_t len)
{
    if (len == 2)
        return (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu);
    if (len == 3)
        return (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6
               | (bytes[2] & 0x3Fu);
    return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3Fu) << 12
           | (bytes[2] & 0x3Fu) << 6 | (bytes[3] & 0x3Fu);
}

/* The scripts that mail is written in; elsewhere case says little. */
static uint32_t lower_of(uint32_t c)
{
    if (IN(c, 0xC0, 0xDE) && c != 0xD7)
        return c + 32;
    if (IN(c, 0x100, 0x17F)) { /* pairs, the large one even or odd */
        bool is_odd = IN(c, 0x139, 0x148) || IN(c, 0x179, 0x17E);
        return is_odd ? c + (c & 1u) : c | 1u;
    }
    if (IN(c, 0x391, 0x3A9))
        return c + 32;
    if (IN(c, 0x410, 0x42F))
        return c + 32;
    if (IN(c, 0x400, 0x40F))
        return c + 80;
    return c;
}

static enum letter_class class_of(uint32_t c)
{
    if (c == 0xAD || IN(c, 0x200B, 0x200F) || c == 0x2060 || c == 0xFEFF
        || c == 0x34F || IN(c, 0xFE00, 0xFE0F))
        return LETTER_WIDTHLESS;
    if (c == 0x2019 || c == 0x2BC)
        return LETTER_APOSTROPHE;
    if (IN(c, 0xA2, 0xA5) || IN(c, 0x20A0, 0x20CF))
        return LETTER_CURRENCY;
    if (c < 0xC0 || c == 0xD7 || c == 0xF7)
        return c == 0xAA || c == 0xB5 || c == 0xBA ? LETTER_WORD : LETTER_MARK;
    if (IN(c, 0x2022, 0x2023) || IN(c, 0x2100, 0x2BFF)
        || IN(c, 0x1F000, 0x1FAFF))
        return LETTER_SYMBOL;
    if (IN(c, 0x2000, 0x20FF) || IN(c, 0x3000, 0x3004) || IN(c, 0x3008, 0x3020)
        || IN(c, 0xFF5F, 0xFF65) || IN(c, 0xE000, 0xF8FF) || c == 0xFFFD)
        return LETTER_MARK;
    if (IN(c, 0x3005, 0x30FF) || IN(c, 0x3400, 0x9FFF) || IN(c, 0xE00, 0xEFF)
        || IN(c, 0xF900, 0xFAFF) || IN(c, 0x20000, 0x3FFFF)
        || IN(c, 0xFF66, 0xFF9F))
        return LETTER_PAIRED;
    return LETTER_WORD;
}

void letter_read_wide(const struct cursor *cursor, struct letter *letter)
{
    size_t len = utf8_sequence(cursor_rest(cursor));
    *letter = (struct letter){
        .character = 0xFFFD, .lower = 0xFFFD, .class = LETTER_MARK, .len = 1
    };
    if (len < 2)
        return;
    uint32_t character = join((const unsigned char *)cursor->at, len);
    letter->len = (uint32_t)len;
    if (IN(character, 0xFF01, 0xFF5E)) { /* full-width forms of ASCII */
        char narrow = (char)(character - 0xFEE0);
        letter->character = (unsigned char)narrow;
        letter->lower = (unsigned char)char_lower(narrow);
        letter->class = (enum letter_class)letters_ascii[letter->character];
        return;
    }
    letter->character = character;
    letter->lower = lower_of(character);
    letter->class = class_of(character);
}
