/* names.c - forms of domains, addresses and password hashes. */
#include "config/names.h"

#include <arpa/inet.h>

#include "common/base/attr.h"
#include "common/base/chars.h"

/* A prefix and the shortest result of yescrypt's kin, DES left out. */
#define HASH_LEN_MIN 20

bool names_is_domain(struct slice text)
{
    size_t label = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_dot = byte == '.' && label > 0;
        label = is_dot ? 0 : label + 1;
        if (label > NAMES_LABEL_MAX
            || (!is_dot && !char_is(byte, CHAR_LDH) && byte != '_'))
            return false;
    }
    return label > 0 && text.len <= NAMES_DOMAIN_MAX;
}

bool names_address(struct slice text, char canonical[INET6_ADDRSTRLEN])
{
    char literal[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    if (text.len == 0 || text.len >= sizeof literal)
        return false;
    memcpy(literal, text.ptr, text.len);
    literal[text.len] = '\0';
    int family = strchr(literal, ':') ? AF_INET6 : AF_INET;
    return inet_pton(family, literal, binary) == 1
           && inet_ntop(family, binary, canonical, INET6_ADDRSTRLEN);
}

bool names_split_endpoint(struct slice text, struct slice *host,
                          struct slice *port)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    struct slice name = slice_head(text, colon - 1);
    bool has_brackets =
        name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (has_brackets)
        name = slice_of(name.ptr + 1, name.len - 2);
    if (has_brackets != (slice_find(name, ':') < name.len))
        return false;
    *host = name;
    *port = slice_from(text, colon);
    return true;
}

static bool has_hash_bytes(struct slice hash)
{
    struct slice marks = SLICE("./$=,+-_");
    for (size_t i = 0; i < hash.len; i++)
        if (!char_is(hash.ptr[i], CHAR_ALPHA | CHAR_DIGIT)
            && slice_find(marks, hash.ptr[i]) == marks.len)
            return false;
    return true;
}

bool names_is_hash(struct slice hash)
{
    static const char *const forms[] = { "$y$",  "$gy$",   "$7$",  "$2b$",
                                         "$2y$", "$2a$",   "$2x$", "$6$",
                                         "$5$",  "$sha1$", "$md5", "$1$" };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct slice form = slice_text(forms[i]);
        if (slice_equal(slice_head(hash, form.len), form))
            return hash.len >= HASH_LEN_MIN && has_hash_bytes(hash);
    }
    return false;
}
