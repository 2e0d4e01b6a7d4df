/* fuzz_command - any line of a client is a command, and MAIL and RCPT are taken
 * whole or answered. */
#include <stdint.h>

#include "common/base/check.h"
#include "common/proto/codec.h"
#include "common/proto/command.h"

static void check_refusal(const struct refusal *refusal)
{
    CHECK(refusal->code >= 500 && refusal->code <= 599);
    CHECK(refusal->enhanced.class == 5 && refusal->text);
}

static void read_mail(struct slice argument)
{
    struct mail_command mail;
    struct refusal refusal = { 0 };
    if (command_read_mail(argument, &mail, &refusal) != RC_OK) {
        check_refusal(&refusal);
        return;
    }
    CHECK(mail.smtputf8 || !mail.from.needs_utf8);
    CHECK(mail.envid.len <= COMMAND_ENVID_MAX && xtext_is_valid(mail.envid));
    CHECK(mail.ret <= RET_HDRS);
}

static void read_rcpt(struct slice argument, bool utf8)
{
    struct rcpt_command rcpt;
    struct refusal refusal = { 0 };
    if (command_read_rcpt(argument, utf8, &rcpt, &refusal) != RC_OK) {
        check_refusal(&refusal);
        return;
    }
    CHECK(utf8 || !rcpt.to.needs_utf8);
    CHECK(!rcpt.to.is_null);
    CHECK(rcpt.orcpt.len <= COMMAND_ORCPT_MAX);
    CHECK(rcpt.notify == NOTIFY_NEVER || !(rcpt.notify & NOTIFY_NEVER));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice line = slice_of((const char *)data, size);
    struct command command;
    command_read(line, &command);
    CHECK(command_name(command.verb));
    read_mail(command.argument);
    read_rcpt(command.argument, false);
    read_rcpt(command.argument, true);
    return 0;
}
