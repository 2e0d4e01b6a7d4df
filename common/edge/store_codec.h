/*
 * store_codec.h - commands to Redis as bytes, and its replies from bytes (RESP2).
 *
 * The only file (with store_codec.c) that knows hiredis, of which it uses the
 * codec alone: formatter and reader, no connection. Replies are built straight
 * into an arena, so what a server makes us hold is bounded.
 */
#ifndef COMMON_EDGE_STORE_CODEC_H
#define COMMON_EDGE_STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/store.h"

/* A script, its name, the number of keys; then keys and arguments. */
#define STORE_WORDS_MAX (STORE_ARGS_MAX + 3)

#define STORE_REPLY_BYTES_MAX (4u << 20)
#define STORE_REPLY_ITEMS_MAX 65536 /* of one array */

struct store_codec;

/* What a reply says; both live until the next call with the codec. */
struct store_heard {
    const struct store_reply *reply;
    struct slice error; /* first error in it; .ptr is NULL when there is none */
};

struct store_codec *store_codec_new(void) must_check;
void store_codec_free(struct store_codec **codec);

/* Adds a command of 1 to STORE_WORDS_MAX words; false: `out` has no room. */
bool store_codec_say(const struct slice *words, size_t count,
                     struct buf *out) must_check;

/* Takes bytes in; RC_LIMIT when a reply gets too long. */
enum rc store_codec_feed(struct store_codec *codec,
                         struct slice bytes) must_check;

/* RC_OK: one whole reply. RC_MORE: feed first. RC_SYNTAX with *fault: this is
 * no Redis, or a reply above our limits; the codec is of no more use. */
enum rc store_codec_hear(struct store_codec *codec, struct store_heard *heard,
                         struct fault *fault) must_check;

#endif
