/* idn.c - internationalised domain names as the DNS knows them. */
#include "common/edge/idn.h"

#include <idn2.h>

#include "common/base/chars.h"
#include "common/proto/path.h"

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (char_is(text.ptr[i], CHAR_UTF8))
            return false;
    return true;
}

static void lower_into(struct slice text, char lower[IDN_DOMAIN_SIZE])
{
    for (size_t i = 0; i < text.len; i++)
        lower[i] = char_lower(text.ptr[i]);
    lower[text.len] = '\0';
}

/* IDN2_USE_STD3_ASCII_RULES is never set: it drops bytes that it does not like
 * and answers with another domain. The check of the result is ours. */
static bool convert(struct slice domain, char ascii[IDN_DOMAIN_SIZE])
{
    char unicode[IDN_DOMAIN_SIZE];
    char *found = NULL;
    lower_into(domain, unicode);
    int rc = idn2_to_ascii_8z(unicode, &found,
                              IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return false;
    struct slice result = slice_text(found);
    bool is_domain =
        result.len < IDN_DOMAIN_SIZE && path_is_domain(result, false);
    if (is_domain)
        lower_into(result, ascii);
    idn2_free(found);
    return is_domain;
}

bool idn_to_ascii(struct slice domain, char ascii[IDN_DOMAIN_SIZE])
{
    if (domain.len == 0 || domain.len >= IDN_DOMAIN_SIZE)
        return false;
    if (!is_ascii(domain))
        return convert(domain, ascii);
    lower_into(domain, ascii);
    return true;
}
