/* client.c - asks a router over its control socket. */
#include "router/control/client.h"

#include <curl/curl.h>

#include "common/base/chars.h"

#define ASK_TIMEOUT_MS 60000L /* a search goes through the whole queue */

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    return buf_add(context, slice_of(bytes, size * count)) ? size * count : 0;
}

static enum rc rc_of(CURLcode code)
{
    if (code == CURLE_COULDNT_CONNECT)
        return RC_CLOSED;
    return code == CURLE_OPERATION_TIMEDOUT ? RC_TIMEOUT : RC_IO;
}

static void set_body(CURL *curl, struct slice body)
{
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
    (void)curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.ptr);
}

enum rc client_ask(const struct client_request *request, unsigned *status,
                   struct buf *out, struct fault *fault)
{
    const char *socket_path = request->socket_path;
    CURL *curl = curl_easy_init();
    if (!curl)
        return fault_set(fault, RC_IO, 0, "libcurl does not start");
    struct buf url;
    buf_init(&url, 64u << 10);
    (void)buf_addf(&url, "http://router%s", request->path);
    (void)buf_add_byte(&url, '\0');
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, buf_slice(&url).ptr);
    if (request->body.len > 0)
        set_body(curl, request->body);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ASK_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);

    CURLcode code = curl_easy_perform(curl);
    long answered = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered);
    curl_easy_cleanup(curl);
    buf_release(&url);
    if (code != CURLE_OK)
        return fault_set(fault, rc_of(code), 0, "%s: %s", socket_path,
                         curl_easy_strerror(code));
    *status = (unsigned)answered;
    return RC_OK;
}

void client_encode(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (char_is(*text, CHAR_LDH) || *text == '.' || *text == '_')
            (void)buf_add_byte(out, *text);
        else
            (void)buf_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
