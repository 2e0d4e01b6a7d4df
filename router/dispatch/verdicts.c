/* verdicts.c - how many messages were judged how, since the start. */
#include "router/dispatch/verdicts.h"

#include <string.h>

#include "classifier/judge.h"
#include "common/base/attr.h"
#include "common/base/mem.h"
#include "common/base/table.h"

#define KEY_MAX 1024u

/* A counter and its name; of a verdict four words, of a complaint two, each with
 * a NUL behind. */
struct row {
    uint64_t count;
    size_t len;
    char key[];
};

struct verdicts {
    struct table verdicts;
    struct table reasons;
    struct table complaints;
};

struct verdicts *verdicts_new(void)
{
    struct verdicts *verdicts = NEW(struct verdicts);
    table_init(&verdicts->verdicts);
    table_init(&verdicts->reasons);
    table_init(&verdicts->complaints);
    return verdicts;
}

static void free_rows(struct table *table)
{
    size_t at = 0;
    for (void *row; (row = table_next(table, &at)) != NULL;)
        mem_free(row);
    table_release(table);
}

void verdicts_free(struct verdicts **verdicts)
{
    struct verdicts *held = steal(*verdicts);
    if (!held)
        return;
    free_rows(&held->verdicts);
    free_rows(&held->reasons);
    free_rows(&held->complaints);
    mem_free(held);
}

static bool is_row(const void *value, struct slice key)
{
    const struct row *row = value;
    return slice_equal(slice_of(row->key, row->len), key);
}

/* One more of this; of `rest` when there are too many of its sort. */
static void count(struct table *table, size_t max, struct slice key,
                  struct slice rest)
{
    struct row *row = table_get_text(table, key, is_row);
    if (!row && table->count >= max && !slice_equal(key, rest)) {
        count(table, max + 1, rest, rest);
        return;
    }
    if (!row) {
        row = mem_new(1, sizeof *row + key.len);
        row->len = key.len;
        memcpy(row->key, key.ptr, key.len);
        table_put_text(table, key, row);
    }
    row->count++;
}

/* The words of a verdict in a row, made without memory of the heap: there is
 * one for each message. */
struct key {
    char bytes[KEY_MAX];
    size_t len;
};

/* A word that has no room is left empty; names of a config have it. */
static void add_word(struct key *key, struct slice word)
{
    const size_t room = KEY_MAX - key->len - 1;
    const size_t len = word.len < room ? word.len : 0;
    if (len > 0)
        memcpy(key->bytes + key->len, word.ptr, len);
    key->len += len;
    key->bytes[key->len++] = '\0';
}

static struct slice kind_of(const struct envelope *envelope)
{
    if (envelope->kind == 0 || envelope->kind > JUDGE_KIND_COUNT)
        return slice_text("");
    return slice_text(judge_kind_name((enum judge_kind)(envelope->kind - 1)));
}

/* "images=4(+0.71:bulk)" counts as "images". */
static struct slice name_of(struct slice reason)
{
    size_t len = 0;
    while (len < reason.len && reason.ptr[len] != '=' && reason.ptr[len] != '('
           && reason.ptr[len] != '#')
        len++;
    return slice_head(reason, len);
}

static void count_reasons(struct verdicts *verdicts, struct slice reasons)
{
    while (reasons.len > 0) {
        size_t len = slice_find(reasons, ' ');
        count(&verdicts->reasons, VERDICTS_REASONS_MAX,
              name_of(slice_head(reasons, len)), SLICE("other"));
        reasons = slice_from(reasons, len + 1);
    }
}

void verdicts_count(struct verdicts *verdicts, const struct envelope *envelope)
{
    struct key key;
    key.len = 0;
    add_word(&key, envelope->account);
    add_word(&key, envelope->declared);
    add_word(&key, envelope->stream);
    add_word(&key, kind_of(envelope));
    count(&verdicts->verdicts, VERDICTS_MAX, slice_of(key.bytes, key.len),
          SLICE("other\0\0\0"));
    count_reasons(verdicts, envelope->reasons);
}

void verdicts_count_complaint(struct verdicts *verdicts, struct slice account,
                              struct slice type)
{
    struct key key;
    key.len = 0;
    add_word(&key, account);
    add_word(&key, type);
    count(&verdicts->complaints, VERDICTS_MAX, slice_of(key.bytes, key.len),
          SLICE("other\0"));
}

static void write_words(const struct table *table, const char *const *names,
                        size_t name_count, struct json *json)
{
    size_t at = 0;
    const struct row *row;
    json_begin_array(json);
    while ((row = table_next(table, &at)) != NULL) {
        struct cursor cursor = cursor_of(slice_of(row->key, row->len));
        struct slice word;
        json_begin_object(json);
        for (size_t i = 0; i < name_count; i++)
            if (cursor_until(&cursor, '\0', &word))
                json_add_text(json, names[i], word);
        json_add_number(json, "count", row->count);
        json_end(json);
    }
    json_end(json);
}

static void write_reasons(const struct table *table, struct json *json)
{
    size_t at = 0;
    const struct row *row;
    json_begin_array(json);
    while ((row = table_next(table, &at)) != NULL) {
        json_begin_object(json);
        json_add_text(json, "reason", slice_of(row->key, row->len));
        json_add_number(json, "count", row->count);
        json_end(json);
    }
    json_end(json);
}

void verdicts_write(const struct verdicts *verdicts, struct json *json)
{
    static const char *const of_verdict[] = { "account", "declared", "stream",
                                              "kind" };
    static const char *const of_complaint[] = { "account", "type" };
    json_key(json, "verdicts");
    write_words(&verdicts->verdicts, of_verdict, ARRAY_LEN(of_verdict), json);
    json_key(json, "reasons");
    write_reasons(&verdicts->reasons, json);
    json_key(json, "complaints");
    write_words(&verdicts->complaints, of_complaint, ARRAY_LEN(of_complaint),
                json);
}
