/* ascii_field.c - a header field with bytes over 127 made one without. */
#include "common/proto/ascii_field.h"

#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/proto/addresses.h"
#include "common/proto/encoded_word.h"
#include "common/proto/mime.h"
#include "common/proto/token.h"
#include "common/proto/utf8.h"

#define COLUMN_MAX 76u

typedef enum rc value_fn(struct slice value, struct buf *out);

static bool is_gap(char byte)
{
    return char_is(byte, CHAR_BLANK) || byte == '\r' || byte == '\n';
}

static enum rc added(bool is_added)
{
    return is_added ? RC_OK : RC_LIMIT;
}

/* Goes out as it is, and has to be fit for that. */
static enum rc add_ascii(struct slice text, struct buf *out)
{
    if (!utf8_is_ascii(text))
        return RC_SYNTAX;
    return added(buf_add(out, text));
}

/* The words with bytes over 127, and all between the first and last of them. */
static struct slice odd_words(struct slice value)
{
    size_t start = 0;
    while (start < value.len && !char_is(value.ptr[start], CHAR_UTF8))
        start++;
    size_t end = value.len;
    while (end > start && !char_is(value.ptr[end - 1], CHAR_UTF8))
        end--;
    while (start > 0 && !is_gap(value.ptr[start - 1]))
        start--;
    while (end < value.len && !is_gap(value.ptr[end]))
        end++;
    return slice_of(value.ptr + start, end - start);
}

static struct slice without_end_gap(struct slice text)
{
    while (text.len > 0 && is_gap(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* What follows the words, on a line of its own when theirs is full. */
static bool add_behind(struct slice text, struct buf *out)
{
    const size_t line = slice_find(text, '\r');
    const bool is_long = encoded_word_column(out) + line > COLUMN_MAX;
    const bool has_word = !slice_is_empty(slice_trim(slice_head(text, line)));
    return (!is_long || !has_word || buf_add(out, SLICE("\r\n")))
           && buf_add(out, without_end_gap(text));
}

static enum rc add_text(struct slice value, struct buf *out)
{
    if (encoded_word_is_near(value))
        return RC_SYNTAX;
    const struct slice odd = odd_words(value);
    const char *end = value.ptr + value.len;
    return added(
        buf_add(out, without_end_gap(token_between(value.ptr, odd.ptr)))
        && encoded_word_add(odd, out)
        && add_behind(token_between(odd.ptr + odd.len, end), out));
}

/* A display name without its quotes. */
static void unquote(struct slice phrase, struct buf *text)
{
    for (size_t i = 0; i < phrase.len; i++) {
        if (phrase.ptr[i] == '\\' && i + 1 < phrase.len)
            i++;
        else if (phrase.ptr[i] == '"')
            continue;
        (void)buf_add_byte(text, phrase.ptr[i]);
    }
}

static enum rc add_display(struct slice display, struct buf *out)
{
    struct buf text;
    buf_init(&text, display.len + 1);
    unquote(display, &text);
    enum rc rc = encoded_word_is_near(buf_slice(&text))
                     ? RC_SYNTAX
                     : added(encoded_word_add(buf_slice(&text), out));
    buf_release(&text);
    return rc;
}

/* All that is no display name with such bytes must have none. */
static enum rc add_addresses(struct slice value, struct buf *out)
{
    const char *at = value.ptr;
    struct addresses addresses;
    struct address address;
    enum rc rc;
    addresses_init(&addresses, value);
    while ((rc = addresses_next(&addresses, &address)) == RC_OK) {
        if (utf8_is_ascii(address.display))
            continue;
        struct slice before = token_between(at, address.display.ptr);
        rc = add_ascii(without_end_gap(before), out);
        if (rc == RC_OK)
            rc = add_display(address.display, out);
        if (rc != RC_OK)
            return rc;
        at = address.display.ptr + address.display.len;
        if (at < value.ptr + value.len && !is_gap(*at)
            && !buf_add_byte(out, ' '))
            return RC_LIMIT;
    }
    return rc == RC_NONE
               ? add_ascii(token_between(at, value.ptr + value.len), out)
               : RC_SYNTAX;
}

static bool add_percent(char byte, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned value = (unsigned char)byte;
    const char text[] = { '%', digits[value >> 4], digits[value & 15] };
    return buf_add(out, slice_of(text, sizeof text));
}

/* RFC 2231 section 7: attribute-char. Letters, digits and a few more do. */
static bool add_attribute(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const char byte = text.ptr[i];
        const bool is_plain = char_is(byte, CHAR_LDH) || byte == '.';
        if (!(is_plain ? buf_add_byte(out, byte) : add_percent(byte, out)))
            return false;
    }
    return true;
}

static bool add_extended(const struct mime_param *param, struct buf *out)
{
    struct buf text;
    buf_init(&text, param->value.len + 1);
    if (param->is_quoted)
        unquote(param->value, &text);
    else
        (void)buf_add(&text, param->value);
    const struct slice value = buf_slice(&text);
    const bool is_added = buf_add(out, param->name) && buf_add(out, SLICE("*="))
                          && buf_add(out, encoded_word_charset(value))
                          && buf_add(out, SLICE("''"))
                          && add_attribute(value, out);
    buf_release(&text);
    return is_added;
}

/* A value with folds is left alone: what they stand for is read in two ways. */
static bool is_convertible(const struct mime_param *param)
{
    return utf8_is_ascii(param->name)
           && slice_find(param->name, '*') == param->name.len
           && slice_find(param->value, '\r') == param->value.len
           && !encoded_word_is_near(param->value);
}

static enum rc add_params(struct slice value, struct buf *out)
{
    struct cursor cursor = cursor_of(value);
    struct slice type;
    struct slice subtype;
    struct mime_param param;
    const char *at = value.ptr;
    if (mime_take_type(&cursor, &type, &subtype) != RC_OK)
        return RC_SYNTAX;
    enum rc rc;
    while ((rc = mime_next_param(&cursor, &param)) == RC_OK) {
        if (utf8_is_ascii(param.whole))
            continue;
        if (!is_convertible(&param))
            return RC_SYNTAX;
        rc =
            add_ascii(without_end_gap(token_between(at, param.whole.ptr)), out);
        if (rc != RC_OK)
            return rc;
        if (!buf_add(out, SLICE("\r\n\t")) || !add_extended(&param, out))
            return RC_LIMIT;
        at = param.whole.ptr + param.whole.len;
    }
    return rc == RC_NONE
               ? add_ascii(token_between(at, value.ptr + value.len), out)
               : RC_SYNTAX;
}

static enum rc add_marked(struct slice value, struct buf *out)
{
    for (size_t i = 0; i < value.len; i++)
        if (!buf_add_byte(
                out,
                (char)(char_is(value.ptr[i], CHAR_UTF8) ? '?' : value.ptr[i])))
            return RC_LIMIT;
    return RC_OK;
}

/* Fields whose grammar has no place for encoded words end in add_ascii(). A name
 * that ends in "-" stands for all that begin so. */
/* clang-format off */
static const struct {
    struct slice name;
    value_fn    *add;
} fields[] = {
    { { "From", 4 },                add_addresses },
    { { "Sender", 6 },              add_addresses },
    { { "Reply-To", 8 },            add_addresses },
    { { "To", 2 },                  add_addresses },
    { { "Cc", 2 },                  add_addresses },
    { { "Bcc", 3 },                 add_addresses },
    { { "Resent-From", 11 },        add_addresses },
    { { "Resent-Sender", 13 },      add_addresses },
    { { "Resent-Reply-To", 15 },    add_addresses },
    { { "Resent-To", 9 },           add_addresses },
    { { "Resent-Cc", 9 },           add_addresses },
    { { "Resent-Bcc", 10 },         add_addresses },
    { { "Mail-Followup-To", 16 },   add_addresses },
    { { "Mail-Reply-To", 13 },      add_addresses },
    { { "Errors-To", 9 },           add_addresses },
    { { "Return-Receipt-To", 17 },  add_addresses },
    { { "Disposition-Notification-To", 27 }, add_addresses },
    { { "Content-Type", 12 },       add_params    },
    { { "Content-Disposition", 19 }, add_params   },
    { { "Received", 8 },            add_marked    },
    { { "Content-Description", 19 }, add_text     },
    { { "Content-", 8 },            add_ascii     },
    { { "MIME-Version", 12 },       add_ascii     },
    { { "Date", 4 },                add_ascii     },
    { { "Message-ID", 10 },         add_ascii     },
    { { "In-Reply-To", 11 },        add_ascii     },
    { { "References", 10 },         add_ascii     },
    { { "Return-Path", 11 },        add_ascii     },
    { { "Resent-", 7 },             add_ascii     },
    { { "List-", 5 },               add_ascii     },
    { { "ARC-", 4 },                add_ascii     },
    { { "DKIM-Signature", 14 },     add_ascii     },
    { { "DomainKey-Signature", 19 }, add_ascii    },
    { { "Authentication-Results", 22 }, add_ascii },
    { { "Received-SPF", 12 },       add_ascii     },
    { { "Auto-Submitted", 14 },     add_ascii     },
    { { "Keywords", 8 },            add_ascii     },
};
/* clang-format on */

static value_fn *find_how(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct slice known = fields[i].name;
        const bool is_prefix = known.ptr[known.len - 1] == '-';
        if (is_prefix ? slice_starts_nocase(name, known)
                      : slice_equal_nocase(name, known))
            return fields[i].add;
    }
    return add_text;
}

static bool has_long_line(struct slice text)
{
    while (text.len > ASCII_FIELD_LINE_MAX) {
        const size_t end = slice_find(text, '\n');
        if (end > ASCII_FIELD_LINE_MAX + 1)
            return true;
        text = slice_from(text, end + 1);
    }
    return false;
}

enum rc ascii_field_add(const struct header_field *field, struct buf *out)
{
    const size_t before = out->len;
    const char *value_end = field->value.ptr + field->value.len;
    const struct slice head = token_between(field->whole.ptr, field->value.ptr);
    const struct slice tail =
        token_between(value_end, field->whole.ptr + field->whole.len);
    if (!buf_add(out, head))
        return RC_LIMIT;
    const enum rc rc = find_how(field->name)(field->value, out);
    if (rc != RC_OK)
        return rc;
    if (!buf_add(out, tail))
        return RC_LIMIT;
    return has_long_line(slice_from(buf_slice(out), before)) ? RC_SYNTAX
                                                             : RC_OK;
}
