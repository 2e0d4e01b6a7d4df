/* tap.c - the dialogue of one connection, made readable. */
#include "workers/smtp/tap.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/chars.h"

#define HIDDEN "(hidden)"

/* The end of a message's text, and how much of it belongs to the text. */
#define END           SLICE("\r\n.\r\n")
#define END_LINE_HEAD 2u

void tap_init(struct tap *tap, tap_fn *fn, void *context)
{
    *tap = (struct tap){ .fn = fn, .context = context };
}

static void give(struct tap *tap, enum tap_kind kind, struct slice line)
{
    tap->fn(tap->context, kind, line);
}

static void add(struct tap_line *line, char byte)
{
    if (char_is(byte, CHAR_CTRL))
        byte = '?';
    if (line->len < TAP_LINE_MAX)
        line->text[line->len++] = byte;
}

static struct slice take(struct tap_line *line)
{
    const struct slice text = slice_of(line->text, line->len);
    line->len = 0;
    return text;
}

static void give_count(struct tap *tap)
{
    char text[40];
    (void)snprintf(text, sizeof text, "... %" PRIu64 " bytes", tap->counted);
    give(tap, TAP_SAID, slice_text(text));
    tap->mode = TAP_COMMANDS;
}

static void begin_text(struct tap *tap)
{
    tap->mode = TAP_TEXT;
    tap->counted = 0;
    tap->end_seen = END_LINE_HEAD; /* a lone dot may come at once */
}

/* One byte of the text; the lone dot is none, and is shown. */
static void count_text(struct tap *tap, char byte)
{
    const struct slice end = END;
    tap->counted++;
    if (byte == end.ptr[tap->end_seen])
        tap->end_seen++;
    else
        tap->end_seen = byte == '\r';
    if (tap->end_seen < end.len)
        return;
    tap->counted -= end.len - END_LINE_HEAD;
    give_count(tap);
    give(tap, TAP_SAID, SLICE("."));
}

static void count_chunk(struct tap *tap, uint64_t bytes)
{
    tap->left -= bytes;
    if (tap->left == 0)
        give_count(tap);
}

static void begin_chunk(struct tap *tap, struct slice line)
{
    struct cursor cursor = cursor_of(slice_from(line, SLICE("BDAT ").len));
    uint64_t size = 0;
    if (!cursor_number(&cursor, UINT64_MAX, &size))
        return;
    tap->counted = size;
    tap->left = size;
    if (size > 0)
        tap->mode = TAP_CHUNK;
}

/* "AUTH PLAIN AGFubgBz..." shows its mechanism alone. */
static void give_auth(struct tap *tap, struct slice line)
{
    const size_t name = SLICE("AUTH ").len;
    const size_t blank = slice_find(slice_from(line, name), ' ');
    char text[TAP_LINE_MAX + sizeof HIDDEN + 1];
    const bool has_more = name + blank < line.len;
    const int len = snprintf(text, sizeof text, "%.*s%s",
                             SLICE_ARG(slice_head(line, name + blank)),
                             has_more ? " " HIDDEN : "");
    give(tap, TAP_SAID, slice_of(text, (size_t)len));
}

static void say_line(struct tap *tap)
{
    const struct slice line = take(&tap->said);
    const bool was_secret = tap->is_secret;
    tap->is_secret = false;
    if (was_secret) {
        give(tap, TAP_SAID, SLICE(HIDDEN));
    } else if (slice_starts_nocase(line, SLICE("AUTH "))) {
        give_auth(tap, line);
    } else {
        give(tap, TAP_SAID, line);
        if (slice_starts_nocase(line, SLICE("BDAT ")))
            begin_chunk(tap, line);
    }
}

static void say_byte(struct tap *tap, char byte)
{
    if (tap->mode == TAP_TEXT)
        count_text(tap, byte);
    else if (byte == '\n')
        say_line(tap);
    else if (byte != '\r')
        add(&tap->said, byte);
}

void tap_said(struct tap *tap, struct slice bytes)
{
    while (bytes.len > 0) {
        uint64_t step = 1;
        if (tap->mode == TAP_CHUNK) {
            step = bytes.len < tap->left ? bytes.len : tap->left;
            count_chunk(tap, step);
        } else {
            say_byte(tap, bytes.ptr[0]);
        }
        bytes = slice_from(bytes, (size_t)step);
    }
}

static void hear_line(struct tap *tap)
{
    const struct slice line = take(&tap->heard);
    give(tap, TAP_HEARD, line);
    if (slice_starts_nocase(line, SLICE("334")))
        tap->is_secret = true;
    if (slice_starts_nocase(line, SLICE("354")) && tap->mode == TAP_COMMANDS)
        begin_text(tap);
}

void tap_heard(struct tap *tap, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n')
            hear_line(tap);
        else if (bytes.ptr[i] != '\r')
            add(&tap->heard, bytes.ptr[i]);
    }
}
