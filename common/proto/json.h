/*
 * json.h - writes JSON (RFC 8259) into a buffer.
 *
 *     struct json json;
 *     json_init(&json, out);
 *     json_begin_object(&json);
 *     json_key(&json, "event");
 *     json_text(&json, SLICE("accepted"));
 *     json_end(&json);
 *
 * Commas are set by the writer. Texts may hold any bytes: quotes, backslashes
 * and control bytes are escaped, each byte that is not part of well-formed
 * UTF-8 becomes U+FFFD, so what comes out is always valid. A buffer that was
 * full says so in buf.full; what was written is then cut somewhere. Wrong order
 * of calls (a value without its key, an end too many) is a broken invariant.
 */
#ifndef COMMON_PROTO_JSON_H
#define COMMON_PROTO_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"

#define JSON_DEPTH_MAX 32u

struct json {
    struct buf *out;
    uint32_t depth;  /* objects and arrays that are open */
    uint64_t arrays; /* bit n: the one at depth n + 1 is an array */
    uint64_t filled; /* bit n: it has a member already */
    bool has_key;    /* a key waits for its value */
};

void json_init(struct json *json, struct buf *out);

void json_begin_object(struct json *json);
void json_begin_array(struct json *json);
void json_end(struct json *json); /* of the innermost one */

/* Inside an object, before each value. Keys are our own words. */
void json_key(struct json *json, const char *key);

void json_text(struct json *json, struct slice text);
void json_number(struct json *json, uint64_t number);
void json_signed(struct json *json, int64_t number);
void json_decimal(struct json *json, double number); /* not finite: null */
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A value that is JSON already. */
void json_raw(struct json *json, struct slice value);

/* Members of an object: key and value in one. */
void json_add_text(struct json *json, const char *key, struct slice text);
void json_add_number(struct json *json, const char *key, uint64_t number);
void json_add_bool(struct json *json, const char *key, bool value);

#endif
