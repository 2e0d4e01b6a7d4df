/* linewise.c - transparency of DATA, RFC 5321 section 4.5.2. */
#include "common/proto/linewise.h"

#include <string.h>

#include "common/proto/token.h"
#include "common/proto/utf8.h"

void linewise_encoder_init(struct linewise_encoder *encoder)
{
    /* As if the reply to DATA had ended a line: a first "." is doubled. */
    *encoder = (struct linewise_encoder){ .last = { '\r', '\n' } };
}

static void remember(struct linewise_encoder *encoder, struct slice body)
{
    encoder->last[0] = encoder->last[1];
    if (body.len > 1)
        encoder->last[0] = body.ptr[body.len - 2];
    encoder->last[1] = body.ptr[body.len - 1];
}

/* Runs end right before a "." that begins a line; each next run begins with it
 * and is preceded by one more. */
static bool stuff(struct slice body, bool at_line_start, struct buf *out)
{
    const char *end = body.ptr + body.len;
    const char *run = body.ptr;
    if (at_line_start && *run == '.' && !buf_add_byte(out, '.'))
        return false;
    const char *at = run;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at == end)
            break;
        if (*at != '.')
            continue;
        if (!buf_add(out, token_between(run, at)) || !buf_add_byte(out, '.'))
            return false;
        run = at;
    }
    return buf_add(out, token_between(run, end));
}

bool linewise_encode(struct linewise_encoder *encoder, struct slice body,
                     struct buf *out)
{
    if (body.len == 0)
        return true;
    size_t before = out->len;
    if (!stuff(body, encoder->last[1] == '\n', out)) {
        buf_cut(out, before);
        return false;
    }
    remember(encoder, body);
    return true;
}

bool linewise_encode_end(const struct linewise_encoder *encoder,
                         struct buf *out)
{
    bool has_cr = encoder->last[0] == '\r';
    if (has_cr && encoder->last[1] == '\n')
        return buf_add(out, SLICE(".\r\n"));
    /* A CR at the very end is completed, so that it is not bare. */
    if (encoder->last[1] == '\r')
        return buf_add(out, SLICE("\n.\r\n"));
    return buf_add(out, SLICE("\r\n.\r\n"));
}

void linewise_decoder_init(struct linewise_decoder *decoder,
                           enum linewise_bare bare, uint64_t bytes_max)
{
    *decoder = (struct linewise_decoder){
        .place = LINEWISE_LINE_START,
        .bare = bare,
        .bytes_max = bytes_max,
    };
}

/* One call of linewise_decode(): bytes from `run` to the cursor are taken and
 * belong to the body, but are not stored yet. */
struct walk {
    struct linewise_decoder *decoder;
    struct cursor *in;
    const char *run;
    struct buf *out;
};

/* Every byte of the body goes through here once. */
static void store(struct walk *walk, struct slice bytes)
{
    struct linewise_findings *findings = &walk->decoder->findings;
    if (bytes.len == 0)
        return;
    if (!findings->has_nul)
        findings->has_nul = memchr(bytes.ptr, '\0', bytes.len) != NULL;
    if (!findings->has_8bit)
        findings->has_8bit = !utf8_is_ascii(bytes);
    findings->bytes += bytes.len;
    if (findings->bytes > walk->decoder->bytes_max)
        findings->too_large = true;
    if (!findings->too_large && !buf_add(walk->out, bytes))
        findings->too_large = true;
}

/* Stores the run up to `end`; the next one begins at the cursor. */
static void flush(struct walk *walk, const char *end)
{
    store(walk, token_between(walk->run, end));
    walk->run = walk->in->at;
}

static void count_text(struct linewise_decoder *decoder, size_t len)
{
    decoder->line_bytes += len;
    if (decoder->line_bytes > decoder->findings.line_bytes_max)
        decoder->findings.line_bytes_max = decoder->line_bytes;
}

/* The byte before the cursor is a CR or LF on its own, and in the run. It is no
 * end of a line to RFC 5321, so a "." behind it is text: place is IN_LINE. */
static enum linewise_place take_bare(struct walk *walk)
{
    struct linewise_decoder *decoder = walk->decoder;
    if (decoder->bare == LINEWISE_NORMALISE) {
        flush(walk, walk->in->at - 1);
        store(walk, SLICE("\r\n"));
        decoder->line_bytes = 0;
    } else {
        count_text(decoder, 1);
    }
    return LINEWISE_IN_LINE;
}

/* A CR of an earlier call, or behind a "." that was taken off, turned out to be
 * bare. */
static enum linewise_place release_bare_cr(struct walk *walk)
{
    struct linewise_decoder *decoder = walk->decoder;
    decoder->findings.bare_cr++;
    if (decoder->bare == LINEWISE_NORMALISE) {
        store(walk, SLICE("\r\n"));
        decoder->line_bytes = 0;
    } else {
        store(walk, SLICE("\r"));
        count_text(decoder, 1);
    }
    return LINEWISE_IN_LINE;
}

static enum linewise_place at_line_start(struct walk *walk)
{
    walk->decoder->line_bytes = 0;
    if (*walk->in->at != '.')
        return LINEWISE_IN_LINE;
    const char *dot = walk->in->at++;
    flush(walk, dot);
    return LINEWISE_DOT;
}

static enum linewise_place after_dot(struct walk *walk)
{
    if (!cursor_byte(walk->in, '\r'))
        return LINEWISE_IN_LINE;
    walk->run = walk->in->at;
    return LINEWISE_DOT_CR;
}

static enum linewise_place after_dot_cr(struct walk *walk)
{
    if (!cursor_byte(walk->in, '\n'))
        return release_bare_cr(walk);
    walk->run = walk->in->at;
    return LINEWISE_ENDED;
}

static enum linewise_place after_cr(struct walk *walk)
{
    if (*walk->in->at != '\n')
        return release_bare_cr(walk);
    store(walk, SLICE("\r"));
    walk->in->at++;
    return LINEWISE_LINE_START;
}

/* Ordinary text, up to and with the next CRLF, CR or LF. */
static enum linewise_place in_line(struct walk *walk)
{
    struct slice rest = cursor_rest(walk->in);
    struct slice line = slice_head(rest, slice_find(rest, '\n'));
    size_t cr = slice_find(line, '\r');
    count_text(walk->decoder, cr);
    walk->in->at += cr;
    if (cursor_done(walk->in))
        return LINEWISE_IN_LINE;

    const char *end = walk->in->at++;
    if (*end == '\n') {
        walk->decoder->findings.bare_lf++;
        return take_bare(walk);
    }
    if (cursor_done(walk->in)) {
        flush(walk, end);
        return LINEWISE_CR;
    }
    if (cursor_byte(walk->in, '\n'))
        return LINEWISE_LINE_START;
    walk->decoder->findings.bare_cr++;
    return take_bare(walk);
}

static enum linewise_place step(struct walk *walk)
{
    switch (walk->decoder->place) {
    case LINEWISE_LINE_START:
        return at_line_start(walk);
    case LINEWISE_DOT:
        return after_dot(walk);
    case LINEWISE_DOT_CR:
        return after_dot_cr(walk);
    case LINEWISE_IN_LINE:
        return in_line(walk);
    case LINEWISE_CR:
        return after_cr(walk);
    case LINEWISE_ENDED:
        break;
    }
    return LINEWISE_ENDED;
}

enum rc linewise_decode(struct linewise_decoder *decoder, struct cursor *cursor,
                        struct buf *out)
{
    struct walk walk = {
        .decoder = decoder,
        .in = cursor,
        .run = cursor->at,
        .out = out,
    };
    while (decoder->place != LINEWISE_ENDED && !cursor_done(cursor))
        decoder->place = step(&walk);
    flush(&walk, cursor->at);
    return decoder->place == LINEWISE_ENDED ? RC_OK : RC_MORE;
}
