/* decode.c - what a part says, as UTF-8. */
#include "classifier/reading/decode.h"

#include <errno.h>
#include <iconv.h>

#include "classifier/reading/base64.h"
#include "classifier/reading/entity.h"
#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"
#include "common/base/mem.h"

#define STAGE_BYTES (512u << 10) /* of one part between the two steps */
#define STRETCH     ((size_t)4 * CHUNK_BYTES)
#define REPLACEMENT "\xEF\xBF\xBD"
#define ERRORS_MAX  16384u /* more in a text: it is none of that charset */

/* clang-format off */
/* iconv knows many more, and its rarer converters are no place to send a
 * stranger's bytes to. */
static const struct slice known[] = {
    { "iso-8859-2", 10 },
    { "iso-8859-3", 10 },
    { "iso-8859-4", 10 },
    { "iso-8859-5", 10 },
    { "iso-8859-6", 10 },
    { "iso-8859-7", 10 },
    { "iso-8859-8", 10 },
    { "iso-8859-9", 10 },
    { "iso-8859-10", 11 },
    { "iso-8859-11", 11 },
    { "iso-8859-13", 11 },
    { "iso-8859-14", 11 },
    { "iso-8859-15", 11 },
    { "iso-8859-16", 11 },
    { "windows-1250", 12 },
    { "windows-1251", 12 },
    { "windows-1253", 12 },
    { "windows-1254", 12 },
    { "windows-1255", 12 },
    { "windows-1256", 12 },
    { "windows-1257", 12 },
    { "windows-1258", 12 },
    { "cp1250", 6 },
    { "cp1251", 6 },
    { "cp1252", 6 },
    { "cp1253", 6 },
    { "cp1254", 6 },
    { "cp1255", 6 },
    { "cp1256", 6 },
    { "cp1257", 6 },
    { "cp1258", 6 },
    { "koi8-r", 6 },
    { "koi8-u", 6 },
    { "iso-2022-jp", 11 },
    { "iso-2022-kr", 11 },
    { "shift_jis", 9 },
    { "euc-jp", 6 },
    { "euc-kr", 6 },
    { "euc-tw", 6 },
    { "gb2312", 6 },
    { "gbk", 3 },
    { "gb18030", 7 },
    { "big5", 4 },
    { "big5-hkscs", 10 },
    { "tis-620", 7 },
    { "macintosh", 9 },
    { "utf-16", 6 },
    { "utf-16le", 8 },
    { "utf-16be", 8 },
};
/* clang-format on */

struct converter {
    iconv_t handle;
    bool is_tried;
    bool is_open;
};

struct decoder {
    struct buf stage; /* decoded, not yet converted */
    struct converter converters[ARRAY_LEN(known)];
};

struct decoder *decoder_new(void)
{
    struct decoder *decoder = NEW(struct decoder);
    buf_init(&decoder->stage, STAGE_BYTES);
    return decoder;
}

void decoder_free(struct decoder **decoder)
{
    struct decoder *held = steal(*decoder);
    if (!held)
        return;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (held->converters[i].is_open)
            (void)iconv_close(held->converters[i].handle);
    buf_release(&held->stage);
    mem_free(held);
}

/* The room that is left, made real: as many bytes as may still be added. */
static size_t open_room(struct buf *out, size_t wanted, char **room)
{
    size_t left = out->max - out->len;
    size_t size = wanted < left ? wanted : left;
    *room = size > 0 ? buf_room(out, size) : NULL;
    return *room ? size : 0;
}

static bool add_base64(struct slice text, struct buf *out)
{
    char *room;
    size_t size = open_room(out, text.len / 4 * 3 + 3, &room);
    size_t len;
    const bool is_whole = base64_read(text, room, size, &len);
    if (size > 0)
        buf_added(out, len);
    return is_whole;
}

/* What is read of, and where it goes. */
struct quoted {
    const char *at;
    const char *end;
    char *to;
    char *limit;
};

/* Up to the next "=", or the end of either. */
static inline void copy_plain(struct quoted *quoted)
{
    while (quoted->end - quoted->at >= (ptrdiff_t)CHUNK_BYTES
           && quoted->limit - quoted->to >= (ptrdiff_t)CHUNK_BYTES) {
        const chunk bytes = chunk_read(quoted->at);
        const size_t len = chunk_first(chunk_is(bytes, '='));
        chunk_write(bytes, quoted->to);
        quoted->at += len;
        quoted->to += len;
        if (len < CHUNK_BYTES)
            return;
    }
    while (quoted->at < quoted->end && quoted->to < quoted->limit
           && *quoted->at != '=')
        *quoted->to++ = *quoted->at++;
}

/* How long a line end is, with the blanks before it; 0: none is next. */
static size_t line_end_len(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && char_is(*at, CHAR_BLANK))
        at++;
    if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
        at++;
    return at < end && *at == '\n' ? (size_t)(at + 1 - from) : 0;
}

/* From "=": a coded byte, or a line end that is none; one that codes nothing
 * stands for itself. */
static inline void take_coded(struct quoted *quoted)
{
    const char *at = quoted->at + 1;
    if (quoted->end - at >= 2) {
        const int high = char_hex_value(at[0]);
        const int low = char_hex_value(at[1]);
        if (high >= 0 && low >= 0) {
            *quoted->to++ = (char)(high << 4 | low);
            quoted->at = at + 2;
            return;
        }
    }
    const size_t len = line_end_len(at, quoted->end);
    if (len == 0)
        *quoted->to++ = '=';
    quoted->at = at + len;
}

/* A coded byte or a line end that is none. False, and nothing taken, when "="
 * begins neither: hardly ever. Which of the two it is, is as good as chance, so
 * there is no branch on it. */
static inline bool take_usual(struct quoted *quoted)
{
    const char *at = quoted->at;
    const int value = char_hex_value(at[1]) * 16 | char_hex_value(at[2]);
    const bool is_coded = value >= 0;
    const bool is_short = at[1] == '\n';
    const bool is_line_end = is_short | ((at[1] == '\r') & (at[2] == '\n'));
    *quoted->to = (char)value;
    quoted->to += is_coded;
    quoted->at += 3 - is_short;
    if (is_coded | is_line_end)
        return true;
    quoted->at = at;
    return false;
}

static uint64_t find_equals(const char *from)
{
    uint64_t equals = 0;
    for (size_t i = 0; i < STRETCH; i += CHUNK_BYTES)
        equals |= (uint64_t)chunk_bits(chunk_is(chunk_read(from + i), '='))
                  << i;
    return equals;
}

/* Copies up to `until`, at most a stretch; a whole one is read and written. */
static inline void copy_to(struct quoted *quoted, const char *until)
{
    memcpy(quoted->to, quoted->at, STRETCH);
    quoted->to += until - quoted->at;
    quoted->at = until;
}

/* Stretch by stretch, as long as there is another behind, and room for both. */
static void take_stretches(struct quoted *quoted)
{
    while (quoted->end - quoted->at >= (ptrdiff_t)(2 * STRETCH)
           && quoted->limit - quoted->to >= (ptrdiff_t)(2 * STRETCH)) {
        const char *from = quoted->at;
        uint64_t equals = find_equals(from);
        for (; equals != 0; equals &= equals - 1) {
            copy_to(quoted, from + __builtin_ctzll(equals));
            if (!take_usual(quoted))
                take_coded(quoted); /* passes over no other "=" */
        }
        if (quoted->at < from + STRETCH)
            copy_to(quoted, from + STRETCH);
    }
}

/* What is decoded is never longer than what it was. */
static bool add_quoted(struct slice text, struct buf *out)
{
    char *room;
    const size_t size = open_room(out, text.len, &room);
    if (size == 0)
        return text.len == 0;
    struct quoted quoted = { .at = text.ptr,
                             .end = text.ptr + text.len,
                             .to = room,
                             .limit = room + size };
    take_stretches(&quoted);
    copy_plain(&quoted);
    while (quoted.at < quoted.end && quoted.to < quoted.limit) {
        take_coded(&quoted);
        copy_plain(&quoted);
    }
    buf_added(out, (size_t)(quoted.to - room));
    return quoted.at == quoted.end;
}

static bool add_plain(struct slice text, struct buf *out)
{
    size_t left = out->max - out->len;
    (void)buf_add(out, slice_head(text, left));
    return text.len <= left;
}

static bool add_transfer(struct slice text, enum part_encoding encoding,
                         struct buf *out)
{
    switch (encoding) {
    case PART_BASE64:
        return add_base64(text, out);
    case PART_QUOTED:
        return add_quoted(text, out);
    case PART_IDENTITY:
        break;
    }
    return add_plain(text, out);
}

/* windows-1252, which is what mail that says iso-8859-1 means, too: readers
 * have agreed on that. Common enough to do without iconv. */
static bool is_western(struct slice charset)
{
    return slice_equal_nocase(charset, SLICE("iso-8859-1"))
           || slice_equal_nocase(charset, SLICE("windows-1252"))
           || slice_equal_nocase(charset, SLICE("latin1"));
}

static uint32_t western_character(unsigned char byte)
{
    static const uint16_t specials[32] = {
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
        0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
    };
    return byte >= 0x80 && byte < 0xA0 ? specials[byte - 0x80] : byte;
}

static bool is_ascii(const char *stretch)
{
    const chunk all = chunk_read(stretch) | chunk_read(stretch + CHUNK_BYTES)
                      | chunk_read(stretch + (size_t)2 * CHUNK_BYTES)
                      | chunk_read(stretch + (size_t)3 * CHUNK_BYTES);
    return !chunk_any(all & 0x80);
}

/* How many bytes at the front are ASCII. */
static size_t ascii_len(struct slice text)
{
    size_t len = 0;
    while (text.len - len >= STRETCH && is_ascii(text.ptr + len))
        len += STRETCH;
    while (len < text.len && (unsigned char)text.ptr[len] < 0x80)
        len++;
    return len;
}

static bool convert_western(struct slice text, struct buf *out)
{
    while (text.len > 0) {
        size_t plain = ascii_len(text);
        if (!buf_add(out, slice_head(text, plain)))
            return add_plain(text, out);
        text = slice_from(text, plain);
        if (text.len == 0)
            break;
        char bytes[ENTITY_BYTES_MAX];
        (void)buf_add(
            out,
            slice_of(bytes,
                     entity_write(western_character((unsigned char)*text.ptr),
                                  bytes)));
        text = slice_from(text, 1);
    }
    return !out->full;
}

static bool is_utf8(struct slice charset)
{
    return slice_is_empty(charset)
           || slice_equal_nocase(charset, SLICE("utf-8"))
           || slice_equal_nocase(charset, SLICE("us-ascii"))
           || slice_equal_nocase(charset, SLICE("utf8"))
           || slice_equal_nocase(charset, SLICE("ascii"));
}

/* The converter of a charset that mail has; NULL for all others. Each is opened
 * once and kept, so that what one message names changes nothing for the next. */
static struct converter *find_converter(struct decoder *decoder,
                                        struct slice charset)
{
    size_t at = 0;
    while (at < ARRAY_LEN(known) && !slice_equal_nocase(known[at], charset))
        at++;
    if (at == ARRAY_LEN(known))
        return NULL;
    struct converter *converter = &decoder->converters[at];
    if (!converter->is_tried) {
        union {
            iconv_t handle;
            intptr_t number;
        } opened = { .handle = iconv_open("UTF-8", known[at].ptr) };
        converter->handle = opened.handle;
        converter->is_open = opened.number != -1;
        converter->is_tried = true;
    }
    return converter->is_open ? converter : NULL;
}

/* Converts all of `text`; what cannot be is replaced, byte by byte. */
static bool convert(iconv_t handle, struct slice text, struct buf *out)
{
    union {
        const char *in;
        char *iconv; /* which asks for a pointer that it does not write by */
    } at = { .in = text.ptr };
    size_t left = text.len;
    uint32_t errors = 0;
    (void)iconv(handle, NULL, NULL, NULL, NULL);
    while (left > 0) {
        char *room;
        size_t size = open_room(out, left + 64, &room);
        if (size < 8)
            return false;
        char *to = room;
        size_t free_bytes = size;
        size_t done = iconv(handle, &at.iconv, &left, &to, &free_bytes);
        int error = done == (size_t)-1 ? errno : 0;
        buf_added(out, size - free_bytes);
        if (error == 0 || error == E2BIG)
            continue;
        if (++errors > ERRORS_MAX)
            return false;
        at.in++;
        left--;
        (void)buf_add_text(out, REPLACEMENT);
    }
    return true;
}

/* The part without its transfer encoding: in the stage, unless it has none. */
static struct slice unwrap(struct decoder *decoder, const struct part *part,
                           bool *is_whole)
{
    *is_whole = true;
    if (part->encoding == PART_IDENTITY)
        return part->body;
    buf_clear(&decoder->stage);
    *is_whole = add_transfer(part->body, part->encoding, &decoder->stage);
    return buf_slice(&decoder->stage);
}

bool decode_part(struct decoder *decoder, const struct part *part,
                 struct buf *out)
{
    if (is_utf8(part->charset))
        return add_transfer(part->body, part->encoding, out);
    bool is_whole;
    const struct slice coded = unwrap(decoder, part, &is_whole);
    struct converter *converter = is_western(part->charset)
                                      ? NULL
                                      : find_converter(decoder, part->charset);
    return (converter ? convert(converter->handle, coded, out)
                      : convert_western(coded, out))
           && is_whole;
}

/* Nothing has to be decoded: what is written is what is said. */
static bool is_plain(const struct part *part, struct slice text)
{
    if (part->encoding != PART_IDENTITY)
        return false;
    return is_utf8(part->charset)
           || (is_western(part->charset) && ascii_len(text) == text.len);
}

struct slice decode_text(struct decoder *decoder, const struct part *part,
                         struct buf *room, bool *is_whole)
{
    const struct slice text = slice_head(part->body, room->max);
    if (is_plain(part, text)) {
        *is_whole = text.len == part->body.len;
        return text;
    }
    buf_clear(room);
    *is_whole = decode_part(decoder, part, room);
    return buf_slice(room);
}

/* "charset?X?text?=" behind "=?": one encoded word, RFC 2047 section 2. */
static bool take_word(struct cursor *cursor, struct part *part)
{
    struct cursor ahead = *cursor;
    struct slice encoding;
    if (!cursor_until(&ahead, '?', &part->charset)
        || !cursor_until(&ahead, '?', &encoding) || encoding.len != 1
        || !cursor_until(&ahead, '?', &part->body) || !cursor_byte(&ahead, '='))
        return false;
    /* RFC 2231 section 5: a language may follow the charset. */
    part->charset = slice_head(part->charset, slice_find(part->charset, '*'));
    part->encoding =
        char_lower(encoding.ptr[0]) == 'b' ? PART_BASE64 : PART_QUOTED;
    *cursor = ahead;
    return true;
}

/* In Q text a "_" is a space: RFC 2047 section 4.2. */
static void add_word(struct decoder *decoder, struct part *part,
                     struct buf *out)
{
    size_t from = out->len;
    (void)decode_part(decoder, part, out);
    if (part->encoding != PART_QUOTED)
        return;
    char *text = out->ptr + out->start;
    for (size_t i = from; i < out->len; i++)
        if (text[i] == '_')
            text[i] = ' ';
}

static bool is_space(char byte)
{
    return char_is(byte, CHAR_BLANK) || byte == '\r' || byte == '\n';
}

/* All up to the next blank or "=", at least one byte. */
static struct slice take_plain(struct cursor *cursor)
{
    const char *from = cursor->at++;
    while (!cursor_done(cursor) && !is_space(*cursor->at) && *cursor->at != '=')
        cursor->at++;
    return slice_of(from, (size_t)(cursor->at - from));
}

void decode_words(struct decoder *decoder, struct slice value, struct buf *out)
{
    struct cursor cursor = cursor_of(slice_trim(value));
    bool after_word = false; /* then blanks before the next word vanish */
    while (!cursor_done(&cursor)) {
        const char *from = cursor.at;
        while (!cursor_done(&cursor) && is_space(*cursor.at))
            cursor.at++;
        const bool has_blanks = cursor.at > from;
        struct part word = { .kind = PART_TEXT };
        struct cursor ahead = cursor;
        const bool is_word =
            cursor_word(&ahead, SLICE("=?")) && take_word(&ahead, &word);
        if (has_blanks && !(is_word && after_word))
            (void)buf_add_byte(out, ' ');
        after_word = is_word;
        if (is_word) {
            add_word(decoder, &word, out);
            cursor = ahead;
        } else if (!cursor_done(&cursor)) {
            (void)add_plain(take_plain(&cursor), out);
        }
    }
}
