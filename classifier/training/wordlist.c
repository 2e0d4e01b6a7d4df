/* wordlist.c - which words the buckets of a model stand for. */
#include "classifier/training/wordlist.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

#define NAME_SIZE 40u

struct bucket_name {
    char text[NAME_SIZE];
    uint8_t len;
    bool is_shared;        /* by more than one sender */
    uint32_t votes;        /* for `text`, less those against */
    uint32_t first_sender; /* and one; 0: nobody yet */
};

struct wordlist {
    struct bucket_name names[MODEL_BUCKETS];
    uint32_t sender;
};

struct heavy {
    uint16_t bucket;
    float weight;
};

struct wordlist *wordlist_new(void)
{
    return NEW(struct wordlist);
}

void wordlist_free(struct wordlist **list)
{
    mem_free(steal(*list));
}

void wordlist_begin(struct wordlist *list, uint32_t sender)
{
    list->sender = sender + 1;
}

/* A name that is too long is cut between characters. */
static size_t write_name(char text[NAME_SIZE], bool in_subject,
                         struct slice word, struct slice before)
{
    int len =
        snprintf(text, NAME_SIZE, "%s%.*s%s%.*s", in_subject ? "subject: " : "",
                 SLICE_ARG(before), before.len > 0 ? " " : "", SLICE_ARG(word));
    if (len < (int)NAME_SIZE)
        return len > 0 ? (size_t)len : 0;
    size_t end = NAME_SIZE - 1;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    return end;
}

void wordlist_hear(void *context, uint16_t bucket, bool in_subject,
                   struct slice word, struct slice before)
{
    struct wordlist *list = context;
    struct bucket_name *name = &list->names[bucket];
    char text[NAME_SIZE];
    size_t len = write_name(text, in_subject, word, before);
    if (name->first_sender == 0)
        name->first_sender = list->sender;
    name->is_shared |= name->first_sender != list->sender;
    if (name->votes > 0
        && slice_equal(slice_of(text, len), slice_of(name->text, name->len))) {
        name->votes++;
    } else if (name->votes > 0) {
        name->votes--;
    } else {
        memcpy(name->text, text, len);
        name->len = (uint8_t)len;
        name->votes = 1;
    }
}

static float heaviness(const float weights[MODEL_CLASSES])
{
    float mean = (weights[0] + weights[1] + weights[2]) / MODEL_CLASSES;
    return fmaxf(weights[0], fmaxf(weights[1], weights[2])) - mean;
}

static int compare_weights(const void *a, const void *b)
{
    const struct heavy *left = a;
    const struct heavy *right = b;
    if (left->weight < right->weight)
        return 1;
    if (left->weight > right->weight)
        return -1;
    return (int)left->bucket - (int)right->bucket;
}

static int compare_buckets(const void *a, const void *b)
{
    const struct heavy *left = a;
    const struct heavy *right = b;
    return (int)left->bucket - (int)right->bucket;
}

/* What would break a line is left out; such a word can only come from a bug of
 * the tokenizer, but the file is read by others. */
static bool is_printable(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ')
            return false;
    return name.len > 0;
}

void wordlist_write(const struct wordlist *list, const struct weights *weights,
                    struct buf *out)
{
    struct heavy *heavy = mem_new(MODEL_BUCKETS, sizeof *heavy);
    size_t count = 0;
    size_t bytes = 0;
    for (uint32_t b = 0; b < MODEL_BUCKETS; b++)
        if (list->names[b].is_shared
            && is_printable(slice_of(list->names[b].text, list->names[b].len)))
            heavy[count++] =
                (struct heavy){ (uint16_t)b, heaviness(weights->words[b]) };
    qsort(heavy, count, sizeof *heavy, compare_weights);
    count = count < WORDLIST_WORDS ? count : WORDLIST_WORDS;
    for (size_t i = 0; i < count; i++) {
        bytes += list->names[heavy[i].bucket].len + sizeof "0000 \n" - 1;
        if (out->len + bytes > out->max)
            count = i;
    }
    qsort(heavy, count, sizeof *heavy, compare_buckets);
    for (size_t i = 0; i < count; i++) {
        const struct bucket_name *name = &list->names[heavy[i].bucket];
        (void)buf_addf(out, "%04x %.*s\n", heavy[i].bucket, (int)name->len,
                       name->text);
    }
    mem_free(heavy);
}
