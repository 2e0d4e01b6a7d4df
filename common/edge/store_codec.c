/* store_codec.c - commands to Redis as bytes, and its replies from bytes. */
#include "common/edge/store_codec.h"

#include <hiredis/hiredis.h>

#include "common/base/arena.h"
#include "common/base/check.h"
#include "common/base/mem.h"

struct store_codec {
    redisReader *reader;
    redisReplyObjectFunctions functions; /* the reader's */
    struct arena arena;                  /* holds the reply heard last */
    struct slice error;
    bool heard; /* the arena's content is old */
};

/* Where the value of a task goes: its parent array's slot, or alone. */
static struct store_reply *slot(const redisReadTask *task)
{
    struct store_codec *codec = task->privdata;
    if (!task->parent)
        return arena_new(&codec->arena, 1, sizeof(struct store_reply));
    struct store_reply *parent = task->parent->obj;
    /* The array is ours and still being filled: const is for its readers. */
    struct store_reply *items = (void *)(uintptr_t)parent->items;
    return &items[task->idx];
}

/* The hiredis reader takes NULL from these as "out of memory" and stops. */
static void *make_text(const redisReadTask *task, char *bytes, size_t len)
{
    struct store_codec *codec = task->privdata;
    struct store_reply *reply = slot(task);
    if (!reply)
        return NULL;
    reply->kind = STORE_TEXT;
    reply->text = arena_slice(&codec->arena, slice_of(bytes, len));
    if (!reply->text.ptr)
        return NULL;
    if (task->type == REDIS_REPLY_ERROR && !codec->error.ptr)
        codec->error = reply->text;
    return reply;
}

static void *make_array(const redisReadTask *task, int count)
{
    struct store_codec *codec = task->privdata;
    struct store_reply *reply = slot(task);
    if (!reply || count < 0 || count > STORE_REPLY_ITEMS_MAX)
        return NULL;
    reply->kind = STORE_ARRAY;
    reply->count = (size_t)count;
    if (count > 0) {
        reply->items =
            arena_new(&codec->arena, reply->count, sizeof *reply->items);
        if (!reply->items)
            return NULL;
    }
    return reply;
}

static void *make_integer(const redisReadTask *task, long long integer)
{
    struct store_reply *reply = slot(task);
    if (!reply)
        return NULL;
    reply->kind = STORE_INTEGER;
    reply->integer = integer;
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    return slot(task); /* STORE_NIL is zero */
}

static void free_reply(void *reply)
{
    (void)reply; /* the arena's */
}

struct store_codec *store_codec_new(void)
{
    struct store_codec *codec = NEW(struct store_codec);
    codec->functions = (redisReplyObjectFunctions){
        .createString = make_text,
        .createArray = make_array,
        .createInteger = make_integer,
        .createNil = make_nil,
        .freeObject = free_reply,
    };
    arena_init(&codec->arena, STORE_REPLY_BYTES_MAX);
    codec->reader = redisReaderCreateWithFunctions(&codec->functions);
    CHECK(codec->reader);
    codec->reader->privdata = codec;
    return codec;
}

void store_codec_free(struct store_codec **codec)
{
    struct store_codec *old = steal(*codec);
    if (!old)
        return;
    redisReaderFree(old->reader);
    arena_release(&old->arena);
    mem_free(old);
}

bool store_codec_say(const struct slice *words, size_t count, struct buf *out)
{
    const char *texts[STORE_WORDS_MAX];
    size_t lens[STORE_WORDS_MAX];
    CHECK(count > 0 && count <= STORE_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        texts[i] = words[i].len > 0 ? words[i].ptr : "";
        lens[i] = words[i].len;
    }
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, (int)count, texts, lens);
    if (len < 0)
        return false;
    bool fits = buf_add(out, slice_of(command, (size_t)len));
    redisFreeCommand(command);
    return fits;
}

enum rc store_codec_feed(struct store_codec *codec, struct slice bytes)
{
    const redisReader *reader = codec->reader;
    if (bytes.len > STORE_REPLY_BYTES_MAX - (reader->len - reader->pos)
        || redisReaderFeed(codec->reader, bytes.ptr, bytes.len) != REDIS_OK)
        return RC_LIMIT;
    return RC_OK;
}

enum rc store_codec_hear(struct store_codec *codec, struct store_heard *heard,
                         struct fault *fault)
{
    if (codec->heard) {
        arena_clear(&codec->arena);
        codec->error = (struct slice){ NULL, 0 };
        codec->heard = false;
    }
    void *reply = NULL;
    if (redisReaderGetReply(codec->reader, &reply) != REDIS_OK)
        return fault_set(fault, RC_SYNTAX, 0, "redis sends nonsense: %s",
                         codec->reader->err == REDIS_ERR_OOM
                             ? "a reply beyond our limits"
                             : codec->reader->errstr);
    if (!reply)
        return RC_MORE;
    codec->heard = true;
    heard->reply = reply;
    heard->error = codec->error;
    return RC_OK;
}
