/*
 * chars.h - what a byte may be part of, and its value as a digit, in tables.
 *
 * The classes are those of RFC 5234 (ALPHA, DIGIT, HEXDIG, WSP), RFC 5322
 * section 3.2.3 (atext), RFC 5321 section 4.1.2 (qtextSMTP), and RFC 3461
 * section 4 (xchar). Bytes from 128 up are UTF8 and nothing else.
 */
#ifndef COMMON_BASE_CHARS_H
#define COMMON_BASE_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#define CHAR_ALPHA 0x0001u
#define CHAR_DIGIT 0x0002u
#define CHAR_HEX   0x0004u
#define CHAR_BLANK 0x0008u /* space, tab */
#define CHAR_ATEXT 0x0010u
#define CHAR_QTEXT 0x0020u
#define CHAR_XCHAR 0x0040u
#define CHAR_CTRL  0x0080u /* 0-31 and 127 */
#define CHAR_UTF8  0x0100u /* 128-255 */
#define CHAR_FTEXT 0x0200u /* header field name, RFC 5322 section 3.6.8 */
#define CHAR_B64   0x0400u
#define CHAR_LDH   0x0800u /* letter, digit, hyphen */
#define CHAR_SPACE 0x1000u /* white space as HTML and CSS have it */

extern const uint16_t chars_table[256];

static inline bool char_is(char byte, unsigned class)
{
    return (chars_table[(unsigned char)byte] & class) != 0;
}

/* ASCII only; any other byte stays as it is. */
static inline char char_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

static inline bool char_is_space(char byte)
{
    return char_is(byte, CHAR_SPACE);
}

extern const int8_t chars_hex_values[256];

/* Value of a hexadecimal digit; -1 when it is none. */
static inline int char_hex_value(char byte)
{
    return chars_hex_values[(unsigned char)byte];
}

#endif
