/* dialog.c - the client's half of SMTP, without the socket. */
#include "dialog.h"

#include <strings.h>

enum { CODE_DIGITS = 3 };

struct reply {
    uint32_t code;
    bool is_last;
    const char *text;
    size_t text_len;
};

static bool reply_parse(const char *line, size_t len, struct reply *reply)
{
    uint32_t code = 0;
    if (len < CODE_DIGITS)
        return false;
    for (int i = 0; i < CODE_DIGITS; i++) {
        if (line[i] < '0' || line[i] > '9')
            return false;
        code = code * 10 + (uint32_t)(line[i] - '0');
    }
    const bool has_text = len > CODE_DIGITS;
    *reply = (struct reply){ .code = code,
                             .is_last = !has_text || line[3] != '-',
                             .text = line + CODE_DIGITS + has_text,
                             .text_len = len - CODE_DIGITS - has_text };
    return code >= 200 && code <= 599;
}

static bool is_positive(const struct reply *reply)
{
    return reply->code < 300;
}

static bool names(const struct reply *reply, const char *word, size_t len)
{
    return reply->text_len >= len && strncasecmp(reply->text, word, len) == 0;
}

static void say_hello(struct dialog *dialog, struct bytes *out)
{
    dialog->state = DIALOG_HELLO;
    dialog->offers_pipelining = false;
    dialog->offers_starttls = false;
    bytes_add_text(out, "EHLO load.invalid\r\n");
}

static void hear_hello(struct dialog *dialog, const struct reply *reply,
                       struct bytes *out)
{
    const struct dialog_plan *plan = dialog->plan;
    if (names(reply, "PIPELINING", 10))
        dialog->offers_pipelining = true;
    if (names(reply, "STARTTLS", 8))
        dialog->offers_starttls = true;
    if (!reply->is_last)
        return;

    if (!is_positive(reply)) {
        dialog->state = DIALOG_FAILED;
    } else if (plan->starttls && !dialog->is_secured) {
        dialog->state =
            dialog->offers_starttls ? DIALOG_STARTTLS : DIALOG_FAILED;
        if (dialog->offers_starttls)
            bytes_add_text(out, "STARTTLS\r\n");
    } else if (plan->auth_base64 != NULL) {
        dialog->state = DIALOG_AUTH;
        bytes_addf(out, "AUTH PLAIN %s\r\n", plan->auth_base64);
    } else {
        dialog->state = DIALOG_READY;
    }
}

static void say_rcpt(const struct dialog *dialog, struct bytes *out)
{
    bytes_add_text(out, "RCPT TO:<");
    letter_add_rcpt(dialog->plan->letter, dialog->sequence, out);
    bytes_add_text(out, ">\r\n");
}

static bool is_pipelining(const struct dialog *dialog)
{
    return dialog->plan->pipeline && dialog->offers_pipelining;
}

static void say_reset(struct dialog *dialog, struct bytes *out)
{
    dialog->state = DIALOG_RESET;
    bytes_add_text(out, "RSET\r\n");
}

/* The answer to MAIL or RCPT. In a pipeline the next word is said already. */
static void hear_envelope(struct dialog *dialog, const struct reply *reply,
                          struct bytes *out)
{
    const bool was_mail = dialog->state == DIALOG_MAIL;
    if (!is_positive(reply) && dialog->refusal == 0)
        dialog->refusal = reply->code;
    if (dialog->refusal != 0 && !is_pipelining(dialog)) {
        say_reset(dialog, out);
        return;
    }
    dialog->state = was_mail ? DIALOG_RCPT : DIALOG_DATA;
    if (is_pipelining(dialog))
        return;
    if (was_mail)
        say_rcpt(dialog, out);
    else
        bytes_add_text(out, "DATA\r\n");
}

/* 354 with no recipient left must be answered by an empty message, which
 * the server then refuses (RFC 2920, 3.1). */
static void hear_data(struct dialog *dialog, const struct reply *reply,
                      struct bytes *out)
{
    if (reply->code == 354) {
        dialog->state = DIALOG_BODY;
        if (dialog->refusal != 0)
            bytes_add_text(out, ".\r\n");
        else
            letter_add_content(dialog->plan->letter, dialog->sequence, out);
        return;
    }
    if (dialog->refusal == 0)
        dialog->refusal = reply->code;
    say_reset(dialog, out);
}

static void hear_last(struct dialog *dialog, const struct reply *reply,
                      struct bytes *out)
{
    const enum dialog_state passed =
        is_positive(reply) ? DIALOG_READY : DIALOG_FAILED;
    switch (dialog->state) {
    case DIALOG_GREETING:
        dialog->is_greeted = true;
        if (is_positive(reply))
            say_hello(dialog, out);
        else
            dialog->state = DIALOG_FAILED;
        break;
    case DIALOG_STARTTLS:
        dialog->state = is_positive(reply) ? DIALOG_HANDSHAKE : DIALOG_FAILED;
        break;
    case DIALOG_AUTH:
    case DIALOG_RESET:
        dialog->state = passed;
        break;
    case DIALOG_MAIL:
    case DIALOG_RCPT:
        hear_envelope(dialog, reply, out);
        break;
    case DIALOG_DATA:
        hear_data(dialog, reply, out);
        break;
    case DIALOG_BODY:
        if (!is_positive(reply) && dialog->refusal == 0)
            dialog->refusal = reply->code;
        dialog->state = DIALOG_READY;
        break;
    case DIALOG_HELLO:
    case DIALOG_HANDSHAKE:
    case DIALOG_READY:
    case DIALOG_FAILED:
        dialog->state = DIALOG_FAILED; /* nobody asked */
        break;
    }
}

void dialog_init(struct dialog *dialog, const struct dialog_plan *plan)
{
    *dialog = (struct dialog){ .plan = plan,
                               .state = plan->tls ? DIALOG_HANDSHAKE
                                                  : DIALOG_GREETING };
}

void dialog_hear(struct dialog *dialog, const char *line, size_t len,
                 struct bytes *out)
{
    struct reply reply;
    if (!reply_parse(line, len, &reply)) {
        dialog->state = DIALOG_FAILED;
        return;
    }
    if (reply.code == 421)
        dialog->state = DIALOG_FAILED;
    else if (dialog->state == DIALOG_HELLO)
        hear_hello(dialog, &reply, out);
    else if (reply.is_last)
        hear_last(dialog, &reply, out);
    if (dialog->state == DIALOG_FAILED && dialog->refusal == 0)
        dialog->refusal = reply.code;
}

void dialog_secured(struct dialog *dialog, struct bytes *out)
{
    dialog->is_secured = true;
    if (dialog->is_greeted)
        say_hello(dialog, out);
    else
        dialog->state = DIALOG_GREETING;
}

void dialog_begin(struct dialog *dialog, uint64_t sequence, struct bytes *out)
{
    dialog->state = DIALOG_MAIL;
    dialog->sequence = sequence;
    dialog->refusal = 0;
    bytes_addf(out, "MAIL FROM:<%s>\r\n", dialog->plan->letter->from);
    if (is_pipelining(dialog)) {
        say_rcpt(dialog, out);
        bytes_add_text(out, "DATA\r\n");
    }
}
