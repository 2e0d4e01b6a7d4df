/* json.c - writes JSON (RFC 8259) into a buffer. */
#include "common/proto/json.h"

#include <inttypes.h>
#include <math.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/utf8.h"

_Static_assert(JSON_DEPTH_MAX <= 64, "one bit per depth");

void json_init(struct json *json, struct buf *out)
{
    *json = (struct json){ .out = out };
}

static uint64_t top_bit(const struct json *json)
{
    return UINT64_C(1) << (json->depth - 1);
}

static void add_comma(struct json *json)
{
    if (json->filled & top_bit(json))
        (void)buf_add_byte(json->out, ',');
    json->filled |= top_bit(json);
}

/* What comes before every value. */
static void begin_value(struct json *json)
{
    if (json->depth == 0)
        return;
    if (json->arrays & top_bit(json)) {
        add_comma(json);
        return;
    }
    CHECK(json->has_key);
    json->has_key = false;
}

static void open_one(struct json *json, bool is_array)
{
    begin_value(json);
    CHECK(json->depth < JSON_DEPTH_MAX);
    json->depth++;
    json->filled &= ~top_bit(json);
    json->arrays &= ~top_bit(json);
    if (is_array)
        json->arrays |= top_bit(json);
    (void)buf_add_byte(json->out, is_array ? '[' : '{');
}

void json_begin_object(struct json *json)
{
    open_one(json, false);
}

void json_begin_array(struct json *json)
{
    open_one(json, true);
}

void json_end(struct json *json)
{
    CHECK(json->depth > 0 && !json->has_key);
    (void)buf_add_byte(json->out, json->arrays & top_bit(json) ? ']' : '}');
    json->depth--;
}

static void add_control(struct buf *out, char byte)
{
    if (byte == '\n')
        (void)buf_add(out, SLICE("\\n"));
    else if (byte == '\r')
        (void)buf_add(out, SLICE("\\r"));
    else if (byte == '\t')
        (void)buf_add(out, SLICE("\\t"));
    else
        (void)buf_addf(out, "\\u%04x", (unsigned)(unsigned char)byte);
}

static bool is_plain(char byte)
{
    return !char_is(byte, CHAR_CTRL | CHAR_UTF8) && byte != '"' && byte != '\\';
}

/* Length of the run at the front that may stand in a string as it is. */
static size_t plain_run(struct slice text)
{
    size_t at = 0;
    for (;;) {
        while (at < text.len && is_plain(text.ptr[at]))
            at++;
        if (at == text.len || !char_is(text.ptr[at], CHAR_UTF8))
            break;
        size_t len = utf8_sequence(slice_from(text, at));
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

static void add_string(struct buf *out, struct slice text)
{
    (void)buf_add_byte(out, '"');
    for (;;) {
        size_t run = plain_run(text);
        (void)buf_add(out, slice_head(text, run));
        if (run == text.len)
            break;
        char byte = text.ptr[run];
        if (char_is(byte, CHAR_UTF8)) {
            (void)buf_add(out, SLICE("\xef\xbf\xbd")); /* U+FFFD */
        } else if (char_is(byte, CHAR_CTRL)) {
            add_control(out, byte);
        } else {
            (void)buf_add_byte(out, '\\');
            (void)buf_add_byte(out, byte);
        }
        text = slice_from(text, run + 1);
    }
    (void)buf_add_byte(out, '"');
}

void json_key(struct json *json, const char *key)
{
    CHECK(json->depth > 0 && !(json->arrays & top_bit(json)));
    CHECK(!json->has_key);
    add_comma(json);
    add_string(json->out, slice_text(key));
    (void)buf_add_byte(json->out, ':');
    json->has_key = true;
}

void json_text(struct json *json, struct slice text)
{
    begin_value(json);
    add_string(json->out, text);
}

void json_number(struct json *json, uint64_t number)
{
    begin_value(json);
    (void)buf_add_number(json->out, number);
}

void json_signed(struct json *json, int64_t number)
{
    begin_value(json);
    (void)buf_addf(json->out, "%" PRId64, number);
}

void json_decimal(struct json *json, double number)
{
    begin_value(json);
    if (isfinite(number))
        (void)buf_addf(json->out, "%.10g", number);
    else
        (void)buf_add(json->out, SLICE("null"));
}

void json_bool(struct json *json, bool value)
{
    begin_value(json);
    (void)buf_add(json->out, value ? SLICE("true") : SLICE("false"));
}

void json_raw(struct json *json, struct slice value)
{
    begin_value(json);
    (void)buf_add(json->out, value);
}

void json_null(struct json *json)
{
    begin_value(json);
    (void)buf_add(json->out, SLICE("null"));
}

void json_add_text(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_add_number(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    json_number(json, number);
}

void json_add_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
