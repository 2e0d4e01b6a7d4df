/* letter.c - the messages that the generator sends. */
#include "letter.h"

#include "measure.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { LINE_TEXT_BYTES = 70 };

static const char prose[] =
    "Thank you for your order. We have packed it with care and handed it to "
    "the carrier this morning; you can follow its way with the number below. "
    "Should anything be missing or broken, answer this letter within thirty "
    "days and we will put it right at our cost. The invoice is in your "
    "account, together with the terms that were in force on the day of the "
    "purchase. If you did not place this order, tell us at once. ";

void letter_write_body(struct letter *letter, uint64_t body_bytes)
{
    struct bytes *body = &letter->body;
    size_t at = 0;
    while (body->len + 2 < body_bytes) {
        size_t len = body_bytes - body->len - 2;
        if (len > LINE_TEXT_BYTES)
            len = LINE_TEXT_BYTES;
        /* one or two bytes left would not hold a line of their own */
        if (body_bytes - body->len - 2 - len < 3)
            len = body_bytes - body->len - 2;
        for (size_t i = 0; i < len; i++) {
            const char next = prose[(at + i) % (sizeof prose - 1)];
            bytes_add(body, i == 0 && next == '.' ? "," : &next, 1);
        }
        at += len;
        bytes_add(body, "\r\n", 2);
    }
    letter->body_sum = sum_add(SUM_BEGIN, body->ptr, body->len);
}

void letter_release(struct letter *letter)
{
    bytes_release(&letter->extra);
    bytes_release(&letter->body);
}

void letter_add_id(const struct letter *letter, uint64_t sequence,
                   struct bytes *out)
{
    bytes_addf(out, "%s-%" PRIu64, letter->run, sequence);
}

void letter_add_rcpt(const struct letter *letter, uint64_t sequence,
                     struct bytes *out)
{
    for (const char *at = letter->rcpt_pattern; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'd') {
            bytes_addf(out, "%" PRIu64, sequence);
            at++;
            continue;
        }
        bytes_add(out, at, 1);
        if (*at == '@' && letter->domain_count > 0)
            bytes_addf(out, "d%" PRIu64 ".", sequence % letter->domain_count);
    }
}

static void add_date(struct bytes *out)
{
    char date[64];
    struct tm calendar;
    const time_t now_utc_s = time(NULL);
    gmtime_r(&now_utc_s, &calendar);
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S +0000\r\n",
             &calendar);
    bytes_add_text(out, date);
}

/* No two messages have the same body, and the receiver knows which is right. */
static void add_sum(const struct letter *letter, const struct bytes *last_line,
                    struct bytes *out)
{
    bytes_addf(out, "X-Load-Sum: %016" PRIx64 "\r\n",
               sum_add(letter->body_sum, last_line->ptr, last_line->len));
}

void letter_add_content(const struct letter *letter, uint64_t sequence,
                        struct bytes *out)
{
    struct bytes last_line = { 0 };
    if (letter->is_summed) {
        letter_add_id(letter, sequence, &last_line);
        bytes_add_text(&last_line, "\r\n");
    }
    bytes_addf(out, "From: Example Shop <%s>\r\nTo: <", letter->from);
    letter_add_rcpt(letter, sequence, out);
    bytes_addf(out, ">\r\nSubject: Your order %" PRIu64 " is on its way\r\n",
               sequence);
    add_date(out);
    bytes_add_text(out, "Message-ID: <");
    letter_add_id(letter, sequence, out);
    bytes_add_text(out, "@load.invalid>\r\nX-Load-Id: ");
    letter_add_id(letter, sequence, out);
    bytes_add_text(out, "\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=us-ascii\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n");
    if (letter->extra.len > 0)
        bytes_add(out, letter->extra.ptr, letter->extra.len);
    if (letter->is_summed)
        add_sum(letter, &last_line, out);
    bytes_add_text(out, "\r\n");
    if (letter->body.len > 0)
        bytes_add(out, letter->body.ptr, letter->body.len);
    if (last_line.len > 0)
        bytes_add(out, last_line.ptr, last_line.len);
    bytes_add_text(out, ".\r\n");
    bytes_release(&last_line);
}
