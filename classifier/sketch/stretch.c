/* stretch.c - sixty-four bytes of text, and where words of it begin and end. */
#include "classifier/sketch/stretch.h"

struct kinds {
    uint64_t letters;
    uint64_t blanks; /* line ends, too */
    uint64_t line_ends;
    uint64_t marks; /* that part words where a blank is behind them */
};

static chunk blanks_of(chunk bytes)
{
    return chunk_is(bytes, ' ') | chunk_is(bytes, '\r') | chunk_is(bytes, '\n');
}

static chunk marks_of(chunk bytes)
{
    return chunk_is(bytes, ',') | chunk_is(bytes, '.') | chunk_is(bytes, ':');
}

static struct kinds kinds_of(const char *from)
{
    struct kinds kinds = { 0, 0, 0, 0 };
    for (size_t at = 0; at < STRETCH_BYTES; at += CHUNK_BYTES) {
        const chunk bytes = chunk_read(from + at);
        const chunk line_ends = chunk_is(bytes, '\n');
        kinds.letters |= (uint64_t)chunk_bits(chunk_letters(bytes)) << at;
        kinds.blanks |= (uint64_t)chunk_bits(blanks_of(bytes)) << at;
        kinds.line_ends |= (uint64_t)chunk_bits(line_ends) << at;
        kinds.marks |= (uint64_t)chunk_bits(marks_of(bytes)) << at;
    }
    return kinds;
}

/* What is behind so many bytes is blank. */
static void cut(struct kinds *kinds, size_t len)
{
    const uint64_t rest = ~UINT64_C(0) << len;
    kinds->letters &= ~rest;
    kinds->blanks |= rest;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\r' || byte == '\n';
}

void stretch_read(struct stretch *stretch, struct slice text)
{
    struct kinds are = kinds_of(text.ptr);
    if (text.len < STRETCH_BYTES)
        cut(&are, text.len);
    const bool blank_behind =
        text.len <= STRETCH_BYTES || is_blank(text.ptr[STRETCH_BYTES]);
    const uint64_t behind = are.letters << 1;
    const uint64_t blank_next = are.blanks >> 1 | (uint64_t)blank_behind << 63;
    const uint64_t between = are.blanks | (are.marks & behind & blank_next);
    stretch->at = text.ptr;
    stretch->starts = are.letters & ~behind;
    stretch->ends = behind & ~are.letters;
    stretch->others = ~(are.letters | between);
    /* A carry runs from the line end over all between to what is behind. */
    stretch->line_starts = between + are.line_ends;
}

bool stretch_has(const struct stretch *stretch, const char *at)
{
    if (!stretch->at)
        return false;
    const size_t offset = (size_t)(at - stretch->at);
    return offset < STRETCH_BYTES
           && (stretch->ends | stretch->others) >> offset != 0;
}
