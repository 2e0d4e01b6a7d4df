/* sketch.c - all that the classifier knows of a message, taken in one pass. */
#include "classifier/sketch/sketch.h"

#include "classifier/reading/decode.h"
#include "classifier/reading/html.h"
#include "common/base/chars.h"
#include "common/base/mem.h"

#define BUCKET_COUNT   (1u << SKETCH_BUCKET_LOG)
#define GREETING_LEN   12u /* words in which a recipient is greeted */
#define SUBJECT_BYTES  2048u
#define NAME_BYTES     256u
#define SUBJECT_SALT   0x5851F42D4C957F2Du
#define PAIR_FACTOR    0xD6E8FEB86659FD93u
#define HTML_BYTES_MIN 16u /* less is shown: the text part is what is read */
/* Markup that was passed over since enough had been shown: a long letter has
 * some, and more could hide anything. */
#define SKIPPED_BYTES_MAX (32u << 10)
#define COMPARED_MIN      20u /* words, before two parts can contradict */
#define COMPARED_MAX      50u
#define COMPARED_BYTES    1024u /* of the text beside HTML */
#define PLAIN_BYTES                                                            \
    ((size_t)4 * SKETCH_TEXT_BYTES) /* encoded, of a text part */

_Static_assert(SKETCH_TOKENS_MAX > 2 * SKETCH_WORDS + 3 * SKETCH_SUBJECT_WORDS,
               "a token is written before it is known to be new");

struct bits {
    uint64_t words[BUCKET_COUNT / 64];
};

struct sketcher {
    struct decoder *decoder;
    struct lexicon *lexicon;
    struct buf markup;  /* a part, decoded */
    struct buf html;    /* visible text of the HTML parts */
    struct buf plain;   /* the text parts, or what is compared of them */
    struct buf subject; /* or a name */
    struct part texts[PARTS_MAX]; /* of this message, not yet read */
    size_t text_count;
    /* Of the words that a run took. Locals are cleared by the compiler
     * (-ftrivial-auto-var-init): so large a one costs more than it is worth. */
    uint64_t hashes[SKETCH_WORDS];
    struct bits seen; /* tokens of this message; clear between two */
};

/* One run over words: of a subject or of a body. */
struct pass {
    struct sketcher *sketcher;
    struct sketch *sketch;
    struct measured *measured;
    bool in_subject;
    uint64_t salt;
    sketch_token_fn *tell; /* NULL: nobody listens */
    void *context;
    uint64_t told; /* hash of the last word, and how it was shown; 0: none */
    struct slice shown;
};

static bool bits_set(struct bits *bits, uint16_t at)
{
    uint64_t mask = UINT64_C(1) << (at & 63);
    bool was_set = (bits->words[at >> 6] & mask) != 0;
    bits->words[at >> 6] |= mask;
    return was_set;
}

static bool bits_has(const struct bits *bits, uint16_t at)
{
    return (bits->words[at >> 6] >> (at & 63) & 1) != 0;
}

static void bits_drop(struct bits *bits, uint16_t at)
{
    bits->words[at >> 6] = 0;
}

struct sketcher *sketcher_new(void)
{
    struct sketcher *sketcher = NEW(struct sketcher);
    sketcher->decoder = decoder_new();
    sketcher->lexicon = lexicon_new();
    buf_init(&sketcher->markup, SKETCH_MARKUP_BYTES);
    buf_init(&sketcher->html, SKETCH_SHOWN_BYTES);
    buf_init(&sketcher->plain, SKETCH_TEXT_BYTES);
    buf_init(&sketcher->subject, SUBJECT_BYTES);
    return sketcher;
}

void sketcher_free(struct sketcher **sketcher)
{
    struct sketcher *held = steal(*sketcher);
    if (!held)
        return;
    decoder_free(&held->decoder);
    lexicon_free(&held->lexicon);
    buf_release(&held->markup);
    buf_release(&held->html);
    buf_release(&held->plain);
    buf_release(&held->subject);
    mem_free(held);
}

/* As words_take_plain() wants it. */
static struct slice readable(struct buf *text)
{
    buf_pad(text, STRETCH_BYTES);
    return buf_slice(text);
}

static uint16_t bucket_of(uint64_t hash)
{
    return (uint16_t)(hash * PAIR_FACTOR >> (64 - SKETCH_BUCKET_LOG));
}

/* Adds a token once; true when it was there before. Whether it was is as good as
 * chance, so there is no branch on it. */
static bool add_token(struct sketch *sketch, struct bits *seen, uint64_t hash)
{
    uint16_t bucket = bucket_of(hash);
    const bool was_there = bits_set(seen, bucket);
    sketch->tokens[sketch->token_count] = bucket;
    sketch->token_count += !was_there;
    return was_there;
}

/* One permutation, eight bins: a run of three words falls into one bin and
 * stays when it is the least there; an empty bin, 0, is above all. */
static void add_run(struct sketch *sketch, uint64_t hash)
{
    hash *= PAIR_FACTOR;
    uint32_t value = (uint32_t)(hash >> 32) | 1u; /* 0: an empty bin */
    uint32_t *bin = &sketch->min_hashes[hash >> 8 & (SKETCH_HASHES - 1)];
    *bin = value - 1 < *bin - 1 ? value : *bin;
}

static uint64_t pair_of(uint64_t before, uint64_t hash)
{
    return (before * PAIR_FACTOR) ^ hash;
}

/* Words, pairs and runs of three become tokens and the template's hashes. */
static void add_words(struct pass *pass, const uint64_t *words, uint32_t count)
{
    struct sketch *sketch = pass->sketch;
    struct bits *seen = &pass->sketcher->seen;
    uint64_t before[2] = { 0, 0 }; /* the last two; 0: none */
    uint32_t repeated = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t hash = words[i] ^ pass->salt;
        const uint64_t pair = pair_of(before[0], hash);
        repeated += add_token(sketch, seen, hash);
        if (before[0] != 0)
            (void)add_token(sketch, seen, pair);
        /* Words of the subject count as words of the text, too. */
        if (pass->in_subject)
            (void)add_token(sketch, seen, words[i]);
        if (before[1] != 0)
            add_run(sketch, (before[1] * SUBJECT_SALT) ^ pair);
        sketch->text_hash = (sketch->text_hash ^ words[i]) * PAIR_FACTOR;
        before[1] = before[0];
        before[0] = hash;
    }
    if (!pass->in_subject)
        pass->measured->repeated = repeated;
}

static struct slice word_shown(const struct word *word)
{
    const char *mask = word_kind_name(word->kind);
    return mask ? slice_text(mask) : word->text;
}

/* The tokens that add_words() makes of it. */
static void tell_word(struct pass *pass, const struct word *word)
{
    const struct slice none = slice_text(NULL);
    const struct slice shown = word_shown(word);
    const uint64_t hash = word->hash ^ pass->salt;
    pass->tell(pass->context, bucket_of(hash), pass->in_subject, shown, none);
    if (pass->told != 0)
        pass->tell(pass->context, bucket_of(pair_of(pass->told, hash)),
                   pass->in_subject, shown, pass->shown);
    if (pass->in_subject)
        pass->tell(pass->context, bucket_of(word->hash), true, shown, none);
    pass->told = hash;
    pass->shown = shown;
}

/* What a mask hides, where it may be the recipient's own. */
static void hear_own(struct sketch *sketch, const struct word *word)
{
    if (word->kind != WORD_CODE && word->kind != WORD_ID
        && word->kind != WORD_TOKEN)
        return;
    uint64_t hash = sketch->own_hash;
    for (size_t i = 0; i < word->text.len; i++)
        hash = (hash ^ (unsigned char)word->text.ptr[i]) * PAIR_FACTOR;
    sketch->own_hash = hash | 1u;
}

static void hear_word(struct pass *pass, const struct word *word, uint32_t at)
{
    if (pass->tell)
        tell_word(pass, word);
    if (word->kind == WORD_PLAIN)
        return;
    hear_own(pass->sketch, word);
    pass->measured->greeting +=
        !pass->in_subject && at < GREETING_LEN && word->kind == WORD_RECIPIENT;
}

/* First all words are taken, then each is weighed: loops that do one thing. Who
 * listens gets each by itself. */
static void read_words(struct pass *pass, struct words *words, uint32_t max)
{
    uint64_t *hashes = pass->sketcher->hashes;
    struct word word;
    uint32_t count = 0;
    while (count < max) {
        if (!pass->tell)
            count += words_take_plain(words, hashes + count, max - count);
        if (count == max || !words_next(words, &word))
            break;
        hear_word(pass, &word, count);
        hashes[count++] = word.hash;
    }
    add_words(pass, hashes, count);
    lexicon_count(pass->sketcher->lexicon, hashes, count,
                  pass->in_subject ? pass->measured->subject_themes
                                   : pass->measured->themes);
}

static void read_subject(struct pass *pass, struct slice text,
                         const struct words_known *known)
{
    struct words words;
    pass->in_subject = true;
    pass->salt = SUBJECT_SALT;
    words_init(&words, text, known);
    read_words(pass, &words, SKETCH_SUBJECT_WORDS);
    pass->measured->subject = words.shape;
}

/* What the words that were not read would have been: six bytes to one. */
static void guess_rest(struct words *words, uint32_t unread_bytes)
{
    words->shape.words +=
        (uint32_t)(cursor_rest(&words->cursor).len + unread_bytes) / 6;
}

static void read_body(struct pass *pass, struct slice text,
                      const struct words_known *known)
{
    struct words words;
    pass->in_subject = false;
    pass->salt = 0;
    pass->told = 0;
    words_init(&words, text, known);
    read_words(pass, &words, SKETCH_WORDS);
    guess_rest(&words,
               pass->measured->shows_html ? 0 : pass->measured->unread_bytes);
    pass->measured->text = words.shape;
    pass->measured->text_bytes = (uint32_t)text.len;
}

/* The plain ones of the first words: links that HTML hides are written out. */
static uint32_t take_compared(struct words *words, uint64_t *hashes)
{
    struct word word;
    uint32_t read = 0;
    uint32_t plain = 0;
    while (read < COMPARED_MAX) {
        const uint32_t taken =
            words_take_plain(words, hashes + plain, COMPARED_MAX - read);
        read += taken;
        plain += taken;
        if (read == COMPARED_MAX || !words_next(words, &word))
            break;
        if (word.kind == WORD_PLAIN)
            hashes[plain++] = word.hash;
        read++;
    }
    return plain;
}

/* How many tenths of the first words of the text part are not among those of
 * the HTML that were read: what one reader sees and the other does not. A text of
 * which so much was compared and hardly a word found keeps them out of sight. */
static uint32_t contradiction(struct sketcher *sketcher,
                              const struct measured *measured,
                              const struct words_known *known)
{
    uint64_t *hashes = sketcher->hashes;
    struct words words;
    words_init(&words, readable(&sketcher->plain), known);
    const uint32_t plain = take_compared(&words, hashes);
    uint32_t missing = 0;
    for (uint32_t i = 0; i < plain; i++)
        missing += !bits_has(&sketcher->seen, bucket_of(hashes[i]));
    if (plain < COMPARED_MIN)
        return sketcher->plain.len == COMPARED_BYTES
                       || measured->unread_bytes > 0
                   ? 10
                   : 0;
    return missing * 10 / plain;
}

/* At most `most` bytes of a part, decoded; what may still be read of the message
 * can be less, and then it is_truncated. */
static struct slice decode(struct sketcher *sketcher, const struct part *part,
                           size_t most, struct measured *measured,
                           struct sketch *sketch)
{
    const size_t left = SKETCH_MARKUP_BYTES - measured->markup_bytes;
    struct part within = *part;
    within.body =
        slice_head(part->body, SKETCH_ENCODED_BYTES - measured->encoded_bytes);
    measured->encoded_bytes += (uint32_t)within.body.len;
    sketcher->markup.max = most < left ? most : left;
    bool is_whole;
    const struct slice text =
        decode_text(sketcher->decoder, &within, &sketcher->markup, &is_whole);
    sketch->is_truncated |= within.body.len < part->body.len
                            || (!is_whole && sketcher->markup.max == left);
    measured->markup_bytes += (uint32_t)text.len;
    return text;
}

/* What is read at once, and what is counted. */
static void see_part(struct sketcher *sketcher, const struct part *part,
                     struct measured *measured, struct sketch *sketch)
{
    measured->parts++;
    measured->calendars += part->kind == PART_CALENDAR;
    measured->attached_images += part->kind == PART_IMAGE;
    measured->attached += part->is_attached || part->kind == PART_OTHER;
    if (part->is_attached)
        return;
    if (part->kind == PART_HTML) {
        html_read(decode(sketcher, part, SIZE_MAX, measured, sketch),
                  &measured->html, &sketcher->html);
        measured->has_html = 1;
    } else if (part->kind == PART_TEXT) {
        sketcher->texts[sketcher->text_count++] = *part;
        measured->has_text = 1;
    }
}

/* Of text parts no more than `bytes` are read, and of none more than PLAIN_BYTES
 * as they stand; how long the rest is can be told without. */
static void read_texts(struct sketcher *sketcher, size_t bytes,
                       struct measured *measured, struct sketch *sketch)
{
    struct buf *plain = &sketcher->plain;
    buf_clear(plain);
    plain->max = bytes;
    for (size_t i = 0; i < sketcher->text_count; i++) {
        struct part part = sketcher->texts[i];
        const size_t whole = part.body.len;
        part.body = slice_head(part.body, PLAIN_BYTES);
        measured->unread_bytes += (uint32_t)(whole - part.body.len);
        const struct slice text =
            decode(sketcher, &part, bytes - plain->len, measured, sketch);
        (void)buf_add(plain, slice_head(text, plain->max - plain->len));
    }
    sketcher->text_count = 0;
}

/* Text parts wait for what is shown: beside HTML they are only compared. */
static void read_parts(struct sketcher *sketcher,
                       const struct sketch_message *message,
                       const struct marks *marks, struct measured *measured,
                       struct sketch *sketch)
{
    struct parts parts;
    struct part part;
    buf_clear(&sketcher->html);
    parts_init(&parts, marks->content, message->body);
    while (parts_next(&parts, &part))
        see_part(sketcher, &part, measured, sketch);
    sketch->is_truncated |= parts.is_cut;
    sketch->is_report = parts.is_report;
    measured->shows_html =
        measured->has_html && sketcher->html.len > HTML_BYTES_MIN;
    read_texts(sketcher,
               measured->shows_html ? COMPARED_BYTES : SKETCH_TEXT_BYTES,
               measured, sketch);
}

static void know_name(struct sketcher *sketcher, struct words_known *known)
{
    words_know(known, buf_slice(&sketcher->subject));
}

/* Does the mailbox have the name of what it is for: "order@", "login@"? */
static bool is_role(const struct sketcher *sketcher,
                    const struct words_known *local)
{
    return local->count == 1
           && lexicon_theme(sketcher->lexicon, local->hashes[0]) <= THEME_NEWS;
}

/* "anna.berg7" is two names. What is no ASCII may be a letter. */
static bool joins_name(char byte)
{
    return char_is(byte, CHAR_ALPHA) || (unsigned char)byte >= 0x80;
}

/* The name of a role is not masked: the text speaks of orders, not of him. */
static void know_local_part(struct sketcher *sketcher, struct slice address,
                            struct words_known *known)
{
    const struct slice local =
        slice_head(slice_head(address, slice_find(address, '@')), NAME_BYTES);
    struct words_known words = { .count = 0 };
    buf_clear(&sketcher->subject);
    char *letters = buf_room(&sketcher->subject, local.len);
    if (!letters)
        return;
    for (size_t i = 0; i < local.len; i++)
        letters[i] = (char)(joins_name(local.ptr[i]) ? local.ptr[i] : ' ');
    buf_added(&sketcher->subject, local.len);
    know_name(sketcher, &words);
    if (is_role(sketcher, &words))
        return;
    for (size_t i = 0; i < words.count; i++)
        words_know_hash(known, words.hashes[i]);
}

/* The names that stand in To, and the local parts of the recipients. */
static void know_recipients(struct sketcher *sketcher,
                            const struct sketch_message *message,
                            const struct marks *marks,
                            struct words_known *known)
{
    for (size_t i = 0; i < message->recipient_count && i < 2; i++)
        know_local_part(sketcher, message->recipients[i], known);
    struct slice name = slice_head(marks->to, slice_find(marks->to, '<'));
    if (name.len == marks->to.len) {
        know_local_part(sketcher, marks->to, known);
        return;
    }
    buf_clear(&sketcher->subject);
    decode_words(sketcher->decoder, slice_head(name, NAME_BYTES),
                 &sketcher->subject);
    know_name(sketcher, known);
}

/* An empty bin borrows from the next that is not, so that equal texts stay
 * equal and short ones have all eight. */
static void fill_bins(struct sketch *sketch)
{
    uint32_t before[SKETCH_HASHES];
    memcpy(before, sketch->min_hashes, sizeof before);
    for (uint32_t i = 0; i < SKETCH_HASHES; i++)
        for (uint32_t k = 1; k < SKETCH_HASHES && sketch->min_hashes[i] == 0;
             k++)
            sketch->min_hashes[i] = before[(i + k) % SKETCH_HASHES]
                                        ? before[(i + k) % SKETCH_HASHES] + k
                                        : 0;
}

static void take(struct pass *pass, const struct sketch_message *message)
{
    struct sketcher *sketcher = pass->sketcher;
    struct sketch *sketch = pass->sketch;
    struct measured measured = { .parts = 0 };
    struct words_known known = { .count = 0 };
    struct marks marks;
    pass->measured = &measured;
    struct slice header = slice_head(message->header, SKETCH_HEADER_BYTES);
    sketch->is_truncated = header.len < message->header.len;
    marks_read(header, &marks);
    sketch->marks = marks.bits;
    sketch->lacks_stream_field = !marks.names_stream && !sketch->is_truncated;
    know_recipients(sketcher, message, &marks, &known);
    read_parts(sketcher, message, &marks, &measured, sketch);

    buf_clear(&sketcher->subject);
    decode_words(sketcher->decoder, slice_head(marks.subject, SUBJECT_BYTES),
                 &sketcher->subject);
    read_subject(pass, readable(&sketcher->subject), &known);
    read_body(
        pass,
        readable(measured.shows_html ? &sketcher->html : &sketcher->plain),
        &known);
    if (measured.shows_html && measured.has_text
        && measured.text.words >= COMPARED_MIN)
        measured.contradiction = contradiction(sketcher, &measured, &known);
    measures_take(&measured, sketch->measures);
    fill_bins(sketch);
    sketch->skeleton = measured.html.skeleton;
    sketch->word_count = measured.text.words;
    sketch->own_hash ^= measured.html.own_hash;
    sketch->is_truncated |= measured.html.skipped_bytes > SKIPPED_BYTES_MAX;
    pass->measured = NULL;
    for (uint32_t i = 0; i < sketch->token_count; i++)
        bits_drop(&sketcher->seen, sketch->tokens[i]);
}

void sketch_tell(struct sketcher *sketcher,
                 const struct sketch_message *message, sketch_token_fn *tell,
                 void *context, struct sketch *sketch)
{
    struct pass pass = {
        .sketcher = sketcher, .sketch = sketch, .tell = tell, .context = context
    };
    *sketch = (struct sketch){ .token_count = 0 };
    take(&pass, message);
}

void sketch_take(struct sketcher *sketcher,
                 const struct sketch_message *message, struct sketch *sketch)
{
    sketch_tell(sketcher, message, NULL, NULL, sketch);
}
