/* lesson.c - the labelled messages that a model is to learn from. */
#include "router/classify/lesson.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/proto/addresses.h"
#include "common/proto/header.h"
#include "router/classify/bag.h"
#include "router/classify/corpus.h"

struct sender {
    uint32_t number;
    size_t len;
    char name[]; /* of `len` bytes */
};

/* A path whose messages are all of one class. */
struct class_reader {
    struct lesson *lesson;
    enum model_class class;
    struct lesson_source *source;
};

struct lesson *lesson_new(void)
{
    struct lesson *lesson = NEW(struct lesson);
    samples_init(&lesson->samples);
    lesson->words = wordlist_new();
    lesson->sketcher = sketcher_new();
    table_init(&lesson->senders);
    return lesson;
}

void lesson_free(struct lesson **lesson)
{
    struct lesson *held = steal(*lesson);
    size_t at = 0;
    if (!held)
        return;
    for (void *sender; (sender = table_next(&held->senders, &at));)
        mem_free(sender);
    table_release(&held->senders);
    samples_release(&held->samples);
    wordlist_free(&held->words);
    sketcher_free(&held->sketcher);
    mem_free(held);
}

static bool is_sender(const void *value, struct slice name)
{
    const struct sender *sender = value;
    return slice_equal(slice_of(sender->name, sender->len), name);
}

static uint32_t sender_number(struct lesson *lesson, struct slice name)
{
    struct sender *sender = table_get_text(&lesson->senders, name, is_sender);
    if (sender)
        return sender->number;
    sender = mem_new(1, sizeof *sender + name.len);
    sender->number = lesson->sender_count++;
    sender->len = name.len;
    if (name.len > 0)
        memcpy(sender->name, name.ptr, name.len);
    table_put_text(&lesson->senders, slice_of(sender->name, sender->len),
                   sender);
    return sender->number;
}

static struct lesson_source *source_called(struct lesson *lesson,
                                           const char *name)
{
    for (size_t i = 0; i < lesson->source_count; i++)
        if (strncmp(lesson->sources[i].name, name, LESSON_NAME_SIZE - 1) == 0)
            return &lesson->sources[i];
    if (lesson->source_count == LESSON_SOURCES_MAX - 1)
        name = "others";
    if (lesson->source_count == LESSON_SOURCES_MAX)
        return &lesson->sources[LESSON_SOURCES_MAX - 1];
    struct lesson_source *source = &lesson->sources[lesson->source_count++];
    (void)snprintf(source->name, sizeof source->name, "%s", name);
    return source;
}

static struct slice from_domain(struct slice header)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    struct addresses addresses;
    struct address address;
    if (!header_find(&cursor, SLICE("From"), &field))
        return SLICE("");
    addresses_init(&addresses, field.value);
    return addresses_next(&addresses, &address) == RC_OK ? address.domain
                                                         : SLICE("");
}

static void learn(struct lesson *lesson, const struct sketch_message *message,
                  enum model_class class, uint32_t sender)
{
    wordlist_begin(lesson->words, sender);
    sketch_tell(lesson->sketcher, message, wordlist_hear, lesson->words,
                &lesson->sketch);
    samples_add(&lesson->samples, &lesson->sketch, class, sender);
    lesson->counts[class]++;
}

static bool hear_message(void *context, const struct bag_message *message)
{
    struct class_reader *reader = context;
    struct header_split split;
    bag_split(message->bytes, &split);
    const struct sketch_message sketched = {
        .header = split.header,
        .body = split.body,
        .recipients = &message->rcpt,
        .recipient_count = slice_is_empty(message->rcpt) ? 0 : 1,
    };
    learn(reader->lesson, &sketched, reader->class,
          sender_number(reader->lesson, from_domain(split.header)));
    reader->source->counts[reader->class]++;
    return true;
}

static void hear_corpus(void *context, const struct corpus_message *message)
{
    struct lesson *lesson = context;
    const struct sketch_message sketched = {
        .header = message->header,
        .body = message->body,
        .recipients = &message->rcpt,
        .recipient_count = slice_is_empty(message->rcpt) ? 0 : 1,
    };
    if (!message->is_known || message->label == KIND_SYSTEM) {
        lesson->left_out++;
        return;
    }
    enum model_class class = (enum model_class)message->label;
    struct slice sender = message->is_real ? from_domain(message->header)
                                           : slice_text(message->source);
    learn(lesson, &sketched, class, sender_number(lesson, sender));
    source_called(lesson, message->source)->counts[class]++;
}

static bool read_class(struct lesson *lesson, enum model_class class,
                       const char *path, FILE *err)
{
    struct class_reader reader = { .lesson = lesson,
                                   .class = class,
                                   .source = source_called(lesson, path) };
    return bag_each(path, hear_message, &reader, err);
}

/* The folders of the classes, those that are there. */
static bool read_samples(struct lesson *lesson, const char *folder, FILE *err)
{
    bool is_read = true;
    for (unsigned c = 0; c < MODEL_CLASSES && is_read; c++) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", folder,
                       model_class_name((enum model_class)c));
        is_read = access(path, F_OK) != 0
                  || read_class(lesson, (enum model_class)c, path, err);
    }
    return is_read;
}

bool lesson_read(struct lesson *lesson, const char *word, FILE *err)
{
    struct slice label =
        slice_head(slice_text(word), slice_find(slice_text(word), '='));
    enum judge_kind kind;
    if (word[label.len] == '\0') {
        (void)fprintf(err,
                      "%s: wants CLASS=PATH, corpus=FOLDER or samples=FOLDER\n",
                      word);
        return false;
    }
    const char *path = word + label.len + 1;
    if (slice_equal(label, SLICE("corpus")))
        return corpus_each(path, hear_corpus, lesson, err);
    if (slice_equal(label, SLICE("samples")))
        return read_samples(lesson, path, err);
    if (judge_kind_of(label, &kind) && kind != KIND_SYSTEM)
        return read_class(lesson, (enum model_class)kind, path, err);
    (void)fprintf(err, "%s: the class is transactional, bulk or personal\n",
                  word);
    return false;
}
