/* brake.c - how fast passwords may be guessed. */
#include "router/submission/brake.h"

#include <string.h>

#include "common/base/mem.h"

#define WAYS 4u
#define SETS 4096u /* of each table: 16,384 entries, half a megabyte */

/* The longest account name; what is over does not count. */
#define USER_MAX 255u

/* What a key stands for. */
enum kind { KIND_ACCOUNT, KIND_CLIENT, KIND_PAIR };

struct entry {
    uint64_t key;      /* 0: free */
    uint64_t since_ms; /* begin of the window, or the last success */
    uint32_t tries;
};

struct table {
    struct entry entries[SETS][WAYS];
};

struct brake {
    struct siphash_key key;
    struct table tries;
    struct table known; /* pairs that had a success; only those write here */
};

struct brake *brake_new(const struct siphash_key *key)
{
    struct brake *brake = NEW(struct brake);
    brake->key = *key;
    return brake;
}

void brake_free(struct brake **brake)
{
    mem_free(steal(*brake));
}

static uint64_t key_of(const struct brake *brake, enum kind kind,
                       struct slice user, const struct net *net)
{
    char text[1 + sizeof net->bytes + USER_MAX];
    size_t len = 1;
    text[0] = (char)kind;
    if (kind != KIND_ACCOUNT) {
        memcpy(text + len, net->bytes, sizeof net->bytes);
        len += sizeof net->bytes;
    }
    if (kind != KIND_CLIENT) {
        user = slice_head(user, USER_MAX);
        memcpy(text + len, user.ptr, user.len);
        len += user.len;
    }
    uint64_t key = siphash(&brake->key, slice_of(text, len));
    return key ? key : 1;
}

static const struct entry *look(const struct table *table, uint64_t key)
{
    const struct entry *set = table->entries[key % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

/* The entry of a key; made anew, in place of the oldest, where there is none
 * or its time is over. */
static struct entry *take(struct table *table, uint64_t key, uint64_t now_ms)
{
    struct entry *set = table->entries[key % SETS];
    struct entry *entry = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            entry = &set[i];
            break;
        }
        if (set[i].key == 0 || set[i].since_ms < entry->since_ms)
            entry = &set[i];
    }
    if (entry->key != key || now_ms - entry->since_ms >= BRAKE_WINDOW_MS)
        *entry = (struct entry){ .key = key, .since_ms = now_ms };
    return entry;
}

bool brake_knows(const struct brake *brake, struct slice user,
                 const struct net *net, uint64_t now_ms)
{
    const struct entry *entry =
        look(&brake->known, key_of(brake, KIND_PAIR, user, net));
    return entry && now_ms - entry->since_ms < BRAKE_KNOWN_MS;
}

bool brake_try(struct brake *brake, struct slice user, const struct net *net,
               uint64_t now_ms)
{
    bool is_known = brake_knows(brake, user, net, now_ms);
    uint64_t account =
        key_of(brake, is_known ? KIND_PAIR : KIND_ACCOUNT, user, net);
    uint64_t client = key_of(brake, KIND_CLIENT, user, net);
    struct entry *of_client = take(&brake->tries, client, now_ms);
    if (!is_known && of_client->tries >= BRAKE_CLIENT_MAX)
        return false;
    of_client->tries++;
    struct entry *of_account = take(&brake->tries, account, now_ms);
    if (of_account->tries < BRAKE_ACCOUNT_MAX) {
        of_account->tries++;
        return true;
    }
    /* Both may lie in one set and have pushed each other out. */
    of_client = take(&brake->tries, client, now_ms);
    of_client->tries -= of_client->tries > 0;
    return false;
}

static void take_back(struct brake *brake, uint64_t key, uint64_t now_ms)
{
    struct entry *entry = take(&brake->tries, key, now_ms);
    entry->tries -= entry->tries > 0;
}

void brake_passed(struct brake *brake, struct slice user, const struct net *net,
                  uint64_t now_ms)
{
    bool was_known = brake_knows(brake, user, net, now_ms);
    take_back(brake,
              key_of(brake, was_known ? KIND_PAIR : KIND_ACCOUNT, user, net),
              now_ms);
    take(&brake->tries, key_of(brake, KIND_CLIENT, user, net), now_ms)->tries =
        0;
    uint64_t pair = key_of(brake, KIND_PAIR, user, net);
    take(&brake->known, pair, now_ms)->since_ms = now_ms;
}

uint64_t brake_delay_ms(struct brake *brake, const struct net *net,
                        uint64_t now_ms)
{
    uint64_t key = key_of(brake, KIND_CLIENT, slice_text(""), net);
    uint32_t tries = take(&brake->tries, key, now_ms)->tries;
    uint64_t delay_ms = SECONDS_MS(1) << (tries > 4 ? 4 : tries - (tries > 0));
    return delay_ms < BRAKE_DELAY_MAX ? delay_ms : BRAKE_DELAY_MAX;
}
