/* receiver.c - the server's half of SMTP that takes and discards mail. */
#include "receiver.h"

#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char id_field[] = "X-Load-Id:";
static const char sum_field[] = "X-Load-Sum:";

static bool is_command(const char *line, size_t len, const char *word)
{
    const size_t word_len = strlen(word);
    return len >= word_len && strncasecmp(line, word, word_len) == 0;
}

static enum receiver_event refuse(uint32_t code, struct bytes *out)
{
    bytes_addf(out, "%" PRIu32 " %" PRIu32 ".3.2 refused as asked\r\n", code,
               code / 100);
    return code == 421 ? RECEIVER_ENDS : RECEIVER_GOES_ON;
}

static enum receiver_event hear_command(struct receiver *receiver,
                                        const char *line, size_t len,
                                        uint32_t refuse_code, struct bytes *out)
{
    if (is_command(line, len, "MAIL FROM:")) {
        receiver->rcpt_count = 0;
        bytes_add_text(out, "250 2.1.0 ok\r\n");
    } else if (is_command(line, len, "RCPT TO:")) {
        if (refuse_code != 0)
            return refuse(refuse_code, out);
        receiver->rcpt_count++;
        bytes_add_text(out, "250 2.1.5 ok\r\n");
    } else if (is_command(line, len, "DATA")) {
        if (receiver->rcpt_count == 0) {
            bytes_add_text(out, "503 5.5.1 no recipient\r\n");
            return RECEIVER_GOES_ON;
        }
        receiver->state = RECEIVER_HEADER;
        receiver->sum = SUM_BEGIN;
        receiver->said_sum = 0;
        snprintf(receiver->load_id, sizeof receiver->load_id, "-");
        bytes_add_text(out, "354 go on\r\n");
    } else if (is_command(line, len, "EHLO")) {
        bytes_add_text(out, "250-sink.invalid\r\n250-PIPELINING\r\n"
                            "250-SIZE 1073741824\r\n250-8BITMIME\r\n"
                            "250 ENHANCEDSTATUSCODES\r\n");
    } else if (is_command(line, len, "HELO")) {
        bytes_add_text(out, "250 sink.invalid\r\n");
    } else if (is_command(line, len, "RSET")) {
        receiver->rcpt_count = 0;
        bytes_add_text(out, "250 2.0.0 ok\r\n");
    } else if (is_command(line, len, "NOOP")) {
        bytes_add_text(out, "250 2.0.0 ok\r\n");
    } else if (is_command(line, len, "QUIT")) {
        bytes_add_text(out, "221 2.0.0 bye\r\n");
        return RECEIVER_ENDS;
    } else {
        bytes_add_text(out, "500 5.5.2 unknown command\r\n");
    }
    return RECEIVER_GOES_ON;
}

/* Hexadecimal digits behind blanks. */
static uint64_t sum_parse(const char *text, size_t len)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.*s", (int)len, text);
    return strtoull(digits, NULL, 16);
}

/* Dots that were doubled for the way are one again. */
static void hear_body(struct receiver *receiver, const char *line, size_t len)
{
    if (receiver->said_sum == 0)
        return;
    const size_t from = len > 0 && line[0] == '.';
    receiver->sum = sum_add(receiver->sum, line + from, len - from);
    receiver->sum = sum_add(receiver->sum, "\r\n", 2);
}

const char *receiver_judge(const struct receiver *receiver)
{
    if (receiver->said_sum == 0)
        return "-";
    return receiver->sum == receiver->said_sum ? "good" : "bad";
}

static void hear_header(struct receiver *receiver, const char *line, size_t len)
{
    const size_t name_len = sizeof id_field - 1;
    if (len == 0) {
        receiver->state = RECEIVER_BODY;
        return;
    }
    if ((line[0] | 0x20) == 'x' && is_command(line, len, sum_field))
        receiver->said_sum = sum_parse(line + sizeof sum_field - 1,
                                       len - (sizeof sum_field - 1));
    if ((line[0] | 0x20) != 'x' || !is_command(line, len, id_field))
        return;
    line += name_len;
    len -= name_len;
    while (len > 0 && *line == ' ') {
        line++;
        len--;
    }
    snprintf(receiver->load_id, sizeof receiver->load_id, "%.*s", (int)len,
             line);
}

enum receiver_event receiver_hear(struct receiver *receiver, const char *line,
                                  size_t len, uint32_t refuse_code,
                                  struct bytes *out)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (receiver->state == RECEIVER_COMMAND)
        return hear_command(receiver, line, len, refuse_code, out);
    if (len == 1 && line[0] == '.') {
        receiver->state = RECEIVER_COMMAND;
        return RECEIVER_TOOK;
    }
    if (receiver->state == RECEIVER_HEADER)
        hear_header(receiver, line, len);
    else
        hear_body(receiver, line, len);
    return RECEIVER_GOES_ON;
}

void receiver_greet(struct bytes *out)
{
    bytes_add_text(out, "220 sink.invalid ESMTP\r\n");
}
