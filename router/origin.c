/* origin.c - the field by which a message of ours is known. */
#include "router/origin.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/siphash.h"
#include "common/proto/header.h"
#include "common/proto/message_id.h"

/* Two ids, a number of ten digits, and the seal. */
_Static_assert(2 * ID_TEXT_SIZE + 11 + ID_TEXT_SIZE <= ORIGIN_TEXT_SIZE,
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

/* "ID TEMPLATE RECIPIENTS ", the part that is sealed. */
static struct slice format_claim(const struct origin *origin,
                                 char text[ORIGIN_TEXT_SIZE])
{
    char *at = add_id(origin->template, add_id(origin->id, text));
    const size_t len = (size_t)(at - text);
    const int more = snprintf(at, ORIGIN_TEXT_SIZE - len, "%" PRIu32 " ",
                              origin->recipients);
    CHECK(more > 0);
    return slice_of(text, len + (size_t)more);
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
    const struct slice claim = format_claim(origin, text);
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

static bool parse(struct slice value, struct origin *origin, uint64_t *sealed)
{
    uint64_t recipients;
    if (!id_parse(take_word(&value), &origin->id)
        || !id_parse(take_word(&value), &origin->template)
        || !slice_number(take_word(&value), UINT32_MAX, &recipients)
        || !id_parse(take_word(&value), sealed))
        return false;
    origin->recipients = (uint32_t)recipients;
    return slice_is_empty(slice_trim(value));
}

static const struct conf_account *sealed_for(const struct conf *conf,
                                             const struct origin *origin,
                                             uint64_t sealed)
{
    char text[ORIGIN_TEXT_SIZE];
    const struct siphash_key key = key_of(conf);
    const struct slice claim = format_claim(origin, text);
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
        uint64_t sealed;
        if (!header_find(&cursor, SLICE(ORIGIN_FIELD), &field))
            return RC_NONE;
        const struct conf_account *whose =
            parse(field.value, &found, &sealed)
                ? sealed_for(conf, &found, sealed)
                : NULL;
        if (!whose)
            continue;
        *origin = found;
        *account = whose;
        return RC_OK;
    }
    return RC_NONE;
}
