/* store_url.c - where Redis is and who we are there, from a URL. */
#include "common/edge/store_url.h"

#include <stdio.h>

#include "common/base/chars.h"

#define PORT_DEFAULT          6379
#define PORT_SENTINEL_DEFAULT 26379
#define PORT_MAX              65535
#define DATABASE_MAX          1023

static enum rc parse_unix(const char *path, struct store_url *url,
                          struct fault *fault)
{
    url->is_unix = true;
    if (path[0] != '/' || !addr_of_path(path, &url->socket))
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: unix:// needs an absolute path of a "
                         "socket's length");
    return RC_OK;
}

/* Copies text with %XX decoded; false when it is malformed or too long. */
static bool decode_secret(struct slice text, char secret[STORE_SECRET_SIZE])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%') {
            int high = i + 2 < text.len ? char_hex_value(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? char_hex_value(text.ptr[i + 2]) : -1;
            if (low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (byte == '\0' || len + 1 >= STORE_SECRET_SIZE)
            return false;
        secret[len++] = byte;
    }
    secret[len] = '\0';
    return true;
}

/* Takes [[user]:password@] off the front. */
static bool take_login(struct slice *rest, struct store_url *url)
{
    size_t at = slice_find(*rest, '@');
    if (at == rest->len)
        return true;
    struct slice login = slice_head(*rest, at);
    size_t colon = slice_find(login, ':');
    *rest = slice_from(*rest, at + 1);
    return colon < login.len
           && decode_secret(slice_head(login, colon), url->user)
           && decode_secret(slice_from(login, colon + 1), url->password);
}

/* Takes [/db] off the end. */
static bool take_database(struct slice *rest, struct store_url *url)
{
    size_t at = slice_find(*rest, '/');
    struct slice text = slice_from(*rest, at + 1);
    uint64_t number = 0;
    *rest = slice_head(*rest, at);
    if (text.len > 0 && !slice_number(text, DATABASE_MAX, &number))
        return false;
    url->database = (uint32_t)number;
    return true;
}

/* Takes [:port] off the end; what is left is the host. *port is the default
 * before. */
static bool take_port(struct slice *rest, uint16_t *port)
{
    uint64_t number = *port;
    size_t from =
        rest->len > 0 && rest->ptr[0] == '[' ? slice_find(*rest, ']') : 0;
    size_t colon = from + slice_find(slice_from(*rest, from), ':');
    if (colon < rest->len
        && (!slice_number(slice_from(*rest, colon + 1), PORT_MAX, &number)
            || number == 0))
        return false;
    *rest = slice_head(*rest, colon);
    *port = (uint16_t)number;
    return true;
}

/* A name or an IP address, and a port if it is not the default one. */
static enum rc parse_host(struct slice text, uint16_t port,
                          struct store_host *host, struct fault *fault)
{
    host->port = port;
    if (!take_port(&text, &host->port))
        return fault_set(fault, RC_SYNTAX, 0, "redis URL: bad port");
    const bool is_bracketed =
        text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    if (is_bracketed)
        text = slice_of(text.ptr + 1, text.len - 2);
    struct addr addr;
    bool fits = text.len > 0 && text.len < sizeof host->name
                && (!is_bracketed || addr_of_ip(text, host->port, &addr));
    for (size_t i = 0; fits && !is_bracketed && i < text.len; i++)
        fits = char_is(text.ptr[i], CHAR_LDH) || text.ptr[i] == '.'
               || text.ptr[i] == '_';
    if (!fits)
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: %.*s is no host name and no IP address",
                         (int)slice_head(text, 64).len, text.ptr);
    memcpy(host->name, text.ptr, text.len);
    host->name[text.len] = '\0';
    return RC_OK;
}

/* Takes /MASTER off the end. */
static enum rc take_master(struct slice *rest, struct store_url *url,
                           struct fault *fault)
{
    const size_t at = slice_find(*rest, '/');
    struct slice name = slice_from(*rest, at + 1);
    name = slice_head(name, slice_find(name, '/'));
    if (name.len == 0 || name.len >= sizeof url->master)
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: behind the sentinels goes /MASTER");
    memcpy(url->master, name.ptr, name.len);
    url->master[name.len] = '\0';
    if (!take_database(&(struct slice){ name.ptr, rest->len - at - 1 }, url))
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: after the master goes a database number");
    *rest = slice_head(*rest, at);
    return RC_OK;
}

static enum rc parse_sentinels(struct slice rest, struct store_url *url,
                               struct fault *fault)
{
    enum rc rc = take_master(&rest, url, fault);
    for (bool more = true; rc == RC_OK && more;) {
        const size_t comma = slice_find(rest, ',');
        const struct slice host = slice_head(rest, comma);
        more = comma < rest.len;
        rest = slice_from(rest, comma + 1);
        if (url->sentinel_count == STORE_SENTINELS_MAX)
            return fault_set(fault, RC_SYNTAX, 0,
                             "redis URL: more than %d sentinels",
                             STORE_SENTINELS_MAX);
        rc = parse_host(host, PORT_SENTINEL_DEFAULT,
                        &url->sentinels[url->sentinel_count++], fault);
    }
    return rc;
}

/* The scheme up to the authority; false: it is none of ours. */
static bool take_scheme(struct cursor *cursor, struct store_url *url,
                        bool *is_sentinel)
{
    const bool redis_tls = cursor_word(cursor, SLICE("rediss://"));
    const bool redis = !redis_tls && cursor_word(cursor, SLICE("redis://"));
    const bool sentinel_tls = cursor_word(cursor, SLICE("sentinels://"));
    const bool sentinel =
        !sentinel_tls && cursor_word(cursor, SLICE("sentinel://"));
    url->is_tls = redis_tls || sentinel_tls;
    *is_sentinel = sentinel || sentinel_tls;
    return redis || redis_tls || *is_sentinel;
}

enum rc store_url_parse(const char *text, struct store_url *url,
                        struct fault *fault)
{
    *url = (struct store_url){ 0 };
    struct cursor cursor = cursor_of(slice_text(text));
    if (cursor_word(&cursor, SLICE("unix://")))
        return parse_unix(cursor.at, url, fault);
    bool is_sentinel = false;
    if (!take_scheme(&cursor, url, &is_sentinel))
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: expected unix://, redis://, rediss://, "
                         "sentinel:// or sentinels://");

    struct slice rest = cursor_rest(&cursor);
    if (!take_login(&rest, url))
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: before the @ goes user:password, "
                         "%%-encoded");
    if (is_sentinel)
        return parse_sentinels(rest, url, fault);
    if (!take_database(&rest, url))
        return fault_set(fault, RC_SYNTAX, 0,
                         "redis URL: after the / goes a database number");
    return parse_host(rest, PORT_DEFAULT, &url->host, fault);
}
