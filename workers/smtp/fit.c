/* fit.c - a message as a server can take it that lacks 8BITMIME or SMTPUTF8. */
#include "workers/smtp/fit.h"

#include "common/edge/idn.h"
#include "common/proto/header.h"
#include "common/proto/path.h"
#include "common/proto/sevenbit.h"
#include "common/proto/utf8.h"

static bool lacks_8bit(const struct ehlo *peer, const struct wire_job *job)
{
    return job->body_8bit && !peer->eight_bit_mime;
}

static bool lacks_utf8(const struct ehlo *peer, const struct wire_job *job)
{
    return job->smtputf8 && !peer->smtputf8;
}

bool fit_is_needed(const struct ehlo *peer, const struct wire_job *job)
{
    return lacks_8bit(peer, job) || lacks_utf8(peer, job);
}

/* An address with U-labels by their A-labels. Else, and when the local part has
 * such bytes, false. */
static bool fit_address(struct slice *address, struct arena *arena)
{
    struct path path;
    char domain[IDN_DOMAIN_SIZE];
    if (utf8_is_ascii(*address))
        return true;
    if (path_from_text(*address, &path) != RC_OK || !utf8_is_ascii(path.local)
        || !idn_to_ascii(path.domain, domain))
        return false;
    const struct slice ascii = slice_text(domain);
    const size_t local_len = path.local.len + 1; /* with its "@" */
    char *copy = arena_new(arena, local_len + ascii.len, 1);
    if (!copy || local_len + ascii.len > PATH_MAX_BYTES)
        return false;
    memcpy(copy, address->ptr, local_len);
    memcpy(copy + local_len, ascii.ptr, ascii.len);
    *address = slice_of(copy, local_len + ascii.len);
    return true;
}

static bool fit_addresses(struct wire_job *envelope, struct arena *arena)
{
    const size_t count = envelope->recipient_count;
    struct wire_recipient *recipients =
        arena_new(arena, count, sizeof *recipients);
    if (!recipients || !fit_address(&envelope->mail_from, arena))
        return false;
    for (size_t i = 0; i < count; i++) {
        recipients[i] = envelope->recipients[i];
        if (!fit_address(&recipients[i].address, arena))
            return false;
    }
    envelope->recipients = recipients;
    envelope->smtputf8 = false;
    return true;
}

static bool has_ascii_header(struct slice message)
{
    struct header_split split;
    return header_split(message, &split) == RC_OK
           && utf8_is_ascii(split.header);
}

/* NULL: done. Else why not. */
static const char *convert(const struct fit_case *given,
                           enum sevenbit_what what, struct buf *text)
{
    if (given->rule == FIT_NEVER)
        return "is not to be converted (convert_8bit)";
    if (given->rule == FIT_UNSIGNED && sevenbit_is_signed(given->body))
        return "is signed, so that it must not be converted";
    buf_release(text);
    buf_init(text, SEVENBIT_MAX(given->body.len));
    if (sevenbit_convert(given->body, what, text) == RC_OK)
        return NULL;
    buf_release(text);
    return "cannot be converted safely";
}

static void say_why(bool is_8bit, const char *reason, struct verdict *why)
{
    if (is_8bit)
        verdict_local(why, (struct enhanced){ 5, 6, 3 },
                      "the message is 8-bit, the server lacks 8BITMIME, and it "
                      "%s",
                      reason);
    else
        verdict_local(why, (struct enhanced){ 5, 6, 7 },
                      "the message needs SMTPUTF8, which the server lacks, and "
                      "it %s",
                      reason);
}

bool fit_make(const struct fit_case *given, struct arena *arena,
              struct buf *text, struct fitted *fitted, struct verdict *why)
{
    const bool is_8bit = lacks_8bit(given->peer, given->job);
    const bool is_utf8 = lacks_utf8(given->peer, given->job);
    const bool has_utf8_header = is_utf8 && !has_ascii_header(given->body);
    struct fitted found = { .envelope = *given->job, .body = given->body };
    if (is_utf8 && !fit_addresses(&found.envelope, arena)) {
        say_why(false, "has an address that cannot do without", why);
        return false;
    }
    if (is_8bit || has_utf8_header) {
        const char *reason =
            convert(given, is_8bit ? SEVENBIT_ALL : SEVENBIT_HEADER, text);
        if (reason) {
            say_why(!has_utf8_header, reason, why);
            return false;
        }
        found.body = buf_slice(text);
        found.envelope.size = found.body.len;
        found.envelope.body_8bit = !is_8bit && !utf8_is_ascii(found.body);
    }
    *fitted = found;
    return true;
}
