/* origin.c - the field by which a message of ours is known. */
#include "router/origin.h"

#include "common/base/siphash.h"
#include "common/proto/header.h"
#include "common/proto/message_id.h"

/* Two ids, the veiled number, and the seal. */
_Static_assert(4 * ID_TEXT_SIZE <= ORIGIN_TEXT_SIZE,
               "a field's value has room");

/* From a text of any length. */
static struct siphash_key key_of(const struct conf *conf)
{
    static const struct siphash_key first = { { 0, 0 } };
    static const struct siphash_key second = { { 1, 0 } };
    const struct slice text = slice_text(conf->classifier.feedback.key);
    return (struct siphash_key){ { siphash(&first, text),
                                   siphash(&second, text) } };
}

/* Writes an id and a blank; returns what is behind. */
static char *add_id(uint64_t id, char *at)
{
    (void)id_format(id, at);
    at[ID_TEXT_LEN] = ' ';
    return at + ID_TEXT_SIZE;
}

/* "ID TEMPLATE ". Its hash is the veil over the number behind it: no other
 * message has that id, and no account's name has a blank. */
static struct slice begin_claim(const struct origin *origin,
                                char text[ORIGIN_TEXT_SIZE])
{
    const char *end = add_id(origin->template, add_id(origin->id, text));
    return slice_of(text, (size_t)(end - text));
}

/* "ID TEMPLATE RECIPIENTS ", the part that is sealed. */
static struct slice format_claim(const struct siphash_key *key,
                                 const struct origin *origin,
                                 char text[ORIGIN_TEXT_SIZE])
{
    const struct slice begin = begin_claim(origin, text);
    const uint64_t veiled = origin->recipients ^ siphash(key, begin);
    const char *end = add_id(veiled, text + begin.len);
    return slice_of(text, (size_t)(end - text));
}

/* Of the claim under a key that is the account's own. */
static uint64_t seal(const struct siphash_key *key,
                     const struct conf_account *account, struct slice claim)
{
    const struct siphash_key own = {
        { key->words[0],
          key->words[1] ^ siphash(key, slice_text(account->name)) }
    };
    return siphash(&own, claim);
}

const char *origin_format(const struct conf *conf,
                          const struct conf_account *account,
                          const struct origin *origin,
                          char text[ORIGIN_TEXT_SIZE])
{
    const struct siphash_key key = key_of(conf);
    const struct slice claim = format_claim(&key, origin, text);
    (void)id_format(seal(&key, account, claim), text + claim.len);
    return text;
}

/* The next word; blanks and folds stand between them. */
static struct slice take_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t len = 0;
    while (len < rest->len && slice_find(SLICE(" \t\r\n"), rest->ptr[len]) == 4)
        len++;
    const struct slice word = slice_head(*rest, len);
    *rest = slice_from(*rest, len);
    return word;
}

/* True: it has the form; its number is veiled still. */
static bool parse(struct slice value, struct origin *origin, uint64_t *veiled,
                  uint64_t *sealed)
{
    return id_parse(take_word(&value), &origin->id)
           && id_parse(take_word(&value), &origin->template)
           && id_parse(take_word(&value), veiled)
           && id_parse(take_word(&value), sealed)
           && slice_is_empty(slice_trim(value));
}

/* Whose it is; NULL: not one that we wrote. */
static const struct conf_account *read_field(const struct conf *conf,
                                             struct slice value,
                                             struct origin *origin)
{
    char text[ORIGIN_TEXT_SIZE];
    uint64_t veiled;
    uint64_t sealed;
    const struct siphash_key key = key_of(conf);
    if (!parse(value, origin, &veiled, &sealed))
        return NULL;
    const uint64_t recipients =
        veiled ^ siphash(&key, begin_claim(origin, text));
    if (recipients > UINT32_MAX)
        return NULL;
    origin->recipients = (uint32_t)recipients;
    const struct slice claim = format_claim(&key, origin, text);
    for (size_t i = 0; i < conf->account_count; i++)
        if (seal(&key, &conf->accounts[i], claim) == sealed)
            return &conf->accounts[i];
    return NULL;
}

enum rc origin_find(const struct conf *conf, struct slice header,
                    struct origin *origin, const struct conf_account **account)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    for (unsigned i = 0; i < ORIGIN_FIELDS_MAX; i++) {
        struct origin found;
        if (!header_find(&cursor, SLICE(ORIGIN_FIELD), &field))
            return RC_NONE;
        const struct conf_account *whose =
            read_field(conf, field.value, &found);
        if (!whose)
            continue;
        *origin = found;
        *account = whose;
        return RC_OK;
    }
    return RC_NONE;
}
