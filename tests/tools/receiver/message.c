/* message.c - one message as it comes over the wire, and its flaws. */
#include "message.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

/* RFC 5321, 4.5.3.1.6: 1000 with CRLF. */
#define LINE_BYTES_MAX 998u

static const char *const flaw_names[FLAW_COUNT] = {
    "bare_cr",          "bare_lf",        "nul",          "long_line",
    "eight_bit_header", "eight_bit_body", "dot_stuffing",
};

const char *flaw_name(unsigned index)
{
    return flaw_names[index];
}

void message_begin(struct message *message, uint64_t bytes_max)
{
    text_clear(&message->content);
    message->bytes = 0;
    message->bytes_max = bytes_max;
    message->state = DOT_LINE_START;
    message->dot_unstuffed = false;
}

void message_take_plain(struct message *message, const char *bytes, size_t len)
{
    message->bytes += len;
    if (message->bytes <= message->bytes_max)
        text_add(&message->content, bytes, len);
}

static enum dot_state after_text(char byte)
{
    return byte == '\r' ? DOT_CR : DOT_TEXT;
}

/* The state after `byte`. A dot that starts a line is held back, and put into
 * the content only if it turns out to be neither stuffing nor the end. */
static enum dot_state dot_step(struct message *message, char byte)
{
    switch (message->state) {
    case DOT_LINE_START:
        return byte == '.' ? DOT_DOT : after_text(byte);
    case DOT_DOT:
        if (byte == '\r')
            return DOT_DOT_CR;
        message->dot_unstuffed |= byte != '.';
        return DOT_TEXT;
    case DOT_DOT_CR: /* the end is caught by the caller */
        message->dot_unstuffed = true;
        message_take_plain(message, "\r", 1);
        return after_text(byte);
    case DOT_CR:
        return byte == '\n' ? DOT_LINE_START : after_text(byte);
    case DOT_TEXT:
        break;
    }
    return after_text(byte);
}

size_t message_take_dotted(struct message *message, const char *bytes,
                           size_t len, bool *ended)
{
    size_t kept = 0; /* everything before this was taken or left out */

    *ended = false;
    for (size_t i = 0; i < len; i++) {
        if (message->state == DOT_DOT_CR && bytes[i] == '\n') {
            *ended = true;
            return i + 1;
        }
        const enum dot_state before = message->state;
        /* Text up to here goes in before dot_step() may add a CR. */
        if (before == DOT_DOT_CR)
            kept = i;
        message->state = dot_step(message, bytes[i]);
        if (message->state == DOT_DOT || message->state == DOT_DOT_CR) {
            message_take_plain(message, bytes + kept, i - kept);
            kept = i + 1;
        }
    }
    message_take_plain(message, bytes + kept, len - kept);
    return len;
}

/* Offset behind the empty line that ends the header; len if there is none. */
static size_t body_offset(const struct message *message)
{
    const struct text *content = &message->content;

    if (content->len >= 2 && memcmp(content->bytes, "\r\n", 2) == 0)
        return 2;
    const char *end = content->len == 0
                          ? NULL
                          : memmem(content->bytes, content->len, "\r\n\r\n", 4);
    return end == NULL ? content->len : (size_t)(end - content->bytes) + 4;
}

static uint32_t line_flaw(size_t line_bytes)
{
    return line_bytes > LINE_BYTES_MAX ? FLAW_LONG_LINE : 0;
}

uint32_t message_flaws(const struct message *message)
{
    const char *bytes = message->content.bytes;
    const size_t len = message->content.len;
    const size_t body = body_offset(message);
    uint32_t flaws = message->dot_unstuffed ? FLAW_DOT_STUFFING : 0;
    size_t line = 0;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n') {
            flaws |= line_flaw(i - line);
            line = i + 2;
            i++;
        } else if (bytes[i] == '\r') {
            flaws |= FLAW_BARE_CR;
        } else if (bytes[i] == '\n') {
            flaws |= FLAW_BARE_LF;
        } else if (bytes[i] == '\0') {
            flaws |= FLAW_NUL;
        } else if ((unsigned char)bytes[i] >= 0x80) {
            flaws |= i < body ? FLAW_EIGHT_BIT_HEADER : FLAW_EIGHT_BIT_BODY;
        }
    }
    return flaws | line_flaw(len - line);
}

bool message_next_field(const struct message *message, size_t *at,
                        struct field *field)
{
    const char *start = message->content.bytes + *at;
    const size_t left = body_offset(message) - *at;
    size_t end = 0;

    if (left == 0 || *start == '\r')
        return false;
    do {
        const char *newline = memchr(start + end, '\n', left - end);
        end = newline == NULL ? left : (size_t)(newline - start) + 1;
    } while (end < left && (start[end] == ' ' || start[end] == '\t'));

    const char *colon = memchr(start, ':', end);
    const char *name_end = colon == NULL ? start + end : colon;
    const char *value = colon == NULL ? start + end : colon + 1;
    const char *value_end = start + end;
    while (value < value_end && (*value == ' ' || *value == '\t'))
        value++;
    while (value < value_end
           && (value_end[-1] == '\n' || value_end[-1] == '\r'))
        value_end--;
    *field = (struct field){ .name = start,
                             .name_len = (size_t)(name_end - start),
                             .value = value,
                             .value_len = (size_t)(value_end - value) };
    *at += end;
    return true;
}

void message_body_digest(const struct message *message,
                         char hex[SHA256_HEX_BYTES])
{
    const size_t body = body_offset(message);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;

    hex[0] = '\0';
    if (EVP_Digest(text_string(&message->content) + body,
                   message->content.len - body, digest, &digest_len,
                   EVP_sha256(), NULL)
        != 1)
        return;
    for (unsigned i = 0; i < digest_len && 2 * i + 2 < SHA256_HEX_BYTES; i++)
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", (unsigned)digest[i]);
}

void message_release(struct message *message)
{
    text_release(&message->content);
}
