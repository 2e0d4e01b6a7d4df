/* say.c - the commands of a transaction, as the server can take them. */
#include "workers/smtp/say.h"

#include "common/base/attr.h"
#include "common/proto/command.h"

bool say_cannot(const struct ehlo *peer, const struct wire_job *envelope,
                struct verdict *verdict)
{
    if (peer->size && peer->size_max > 0 && envelope->size > peer->size_max) {
        verdict_local(verdict, (struct enhanced){ 5, 3, 4 },
                      "the message has %llu bytes, the server takes %llu",
                      (unsigned long long)envelope->size,
                      (unsigned long long)peer->size_max);
        return true;
    }
    if (envelope->smtputf8 && !peer->smtputf8) {
        verdict_local(verdict, (struct enhanced){ 5, 6, 7 },
                      "the message needs SMTPUTF8, which the server lacks");
        return true;
    }
    if (envelope->body_8bit && !peer->eight_bit_mime) {
        verdict_local(verdict, (struct enhanced){ 5, 6, 3 },
                      "the message is 8-bit, the server lacks 8BITMIME");
        return true;
    }
    return false;
}

void say_mail(const struct ehlo *peer, const struct wire_job *envelope,
              struct buf *out)
{
    (void)buf_add(out, SLICE("MAIL FROM:<"));
    (void)buf_add(out, envelope->mail_from);
    (void)buf_add_byte(out, '>');
    if (peer->size) {
        (void)buf_add(out, SLICE(" SIZE="));
        (void)buf_add_number(out, envelope->size);
    }
    if (envelope->body_8bit)
        (void)buf_add(out, SLICE(" BODY=8BITMIME"));
    if (envelope->smtputf8)
        (void)buf_add(out, SLICE(" SMTPUTF8"));
    if (peer->dsn && envelope->ret != 0)
        (void)buf_add_text(out, envelope->ret == RET_FULL ? " RET=FULL"
                                                          : " RET=HDRS");
    if (peer->dsn && !slice_is_empty(envelope->envid)) {
        (void)buf_add(out, SLICE(" ENVID="));
        (void)buf_add(out, envelope->envid);
    }
    (void)buf_add(out, SLICE("\r\n"));
}

static void say_notify(uint8_t notify, struct buf *out)
{
    static const struct {
        uint8_t bit;
        const char *word;
    } words[] = {
        { NOTIFY_NEVER, "NEVER" },
        { NOTIFY_SUCCESS, "SUCCESS" },
        { NOTIFY_FAILURE, "FAILURE" },
        { NOTIFY_DELAY, "DELAY" },
    };
    const char *separator = " NOTIFY=";
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(notify & words[i].bit))
            continue;
        (void)buf_add_text(out, separator);
        (void)buf_add_text(out, words[i].word);
        separator = ",";
    }
}

void say_rcpt(const struct ehlo *peer, const struct wire_recipient *recipient,
              struct buf *out)
{
    (void)buf_add(out, SLICE("RCPT TO:<"));
    (void)buf_add(out, recipient->address);
    (void)buf_add_byte(out, '>');
    if (peer->dsn) {
        say_notify(recipient->notify, out);
        if (!slice_is_empty(recipient->orcpt)) {
            (void)buf_add(out, SLICE(" ORCPT="));
            (void)buf_add(out, recipient->orcpt);
        }
    }
    (void)buf_add(out, SLICE("\r\n"));
}
