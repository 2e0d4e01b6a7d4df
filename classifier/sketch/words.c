/* words.c - text as words, what varies from message to message masked. */
#include "classifier/sketch/words.h"

#include "classifier/sketch/letters.h"
#include "classifier/sketch/run.h"
#include "classifier/sketch/spelling.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"

#define CODE_LEN_MIN 4u
#define CODE_LEN_MAX 8u
#define ID_LEN_MIN   4u  /* "2fa" and "mp3" are words */
#define TOKEN_LEN    16u /* an id so long is nothing that a person types */
#define RULE_LEN     4u
#define NAME_LEN_MAX 256u /* of a host or address that is looked ahead for */

_Static_assert(SPELLING_BYTES >= 4 * WORDS_LEN_MAX, "longer words are masked");

const char *word_kind_name(enum word_kind kind)
{
    static const char *const names[WORD_KIND_COUNT] = {
        [WORD_PLAIN] = NULL,        [WORD_RECIPIENT] = "<rcpt>",
        [WORD_NUMBER] = "<number>", [WORD_CODE] = "<code>",
        [WORD_MONEY] = "<money>",   [WORD_PERCENT] = "<percent>",
        [WORD_DATE] = "<date>",     [WORD_ID] = "<id>",
        [WORD_TOKEN] = "<token>",   [WORD_URL] = "<url>",
        [WORD_HOST] = "<host>",     [WORD_ADDRESS] = "<address>",
        [WORD_LONG] = "<long>",
    };
    return names[kind];
}

void words_init(struct words *words, struct slice text,
                const struct words_known *known)
{
    *words = (struct words){ .cursor = cursor_of(text),
                             .known = known,
                             .at_line_start = true };
}

static void count_mark(struct text_shape *shape, char mark, bool at_line_start)
{
    shape->exclaims += mark == '!';
    shape->questions += mark == '?';
    shape->quotes += mark == '>' && at_line_start;
}

/* What stands between words; counted, then passed over. */
static void see_mark(struct words *words, const struct letter *letter)
{
    struct text_shape *shape = &words->shape;
    switch (letter->character) {
    case '\n':
        words->at_line_start = true;
        return;
    case ' ':
    case '\t':
    case '\r':
        return;
    case '!':
    case '?':
    case '>':
        count_mark(shape, (char)letter->character, words->at_line_start);
        break;
    default:
        shape->widthless += letter->class == LETTER_WIDTHLESS;
        shape->symbols += letter->class == LETTER_SYMBOL;
        break;
    }
    words->after_currency = letter->class == LETTER_CURRENCY;
    if (words->at_line_start && letter->class != LETTER_WIDTHLESS) {
        words->at_line_start = false;
        shape->lines++;
    }
}

/* "====" and the like, in a row. */
static bool take_rule(struct words *words)
{
    const char *at = words->cursor.at;
    char byte = *at;
    if (byte != '=' && byte != '-' && byte != '_' && byte != '*' && byte != '#'
        && byte != '~')
        return false;
    while (at < words->cursor.end && *at == byte)
        at++;
    if ((size_t)(at - words->cursor.at) < RULE_LEN)
        return false;
    words->cursor.at = at;
    words->shape.rules++;
    return true;
}

static bool is_between(const struct cursor *cursor, unsigned class)
{
    return cursor->end - cursor->at >= 2 && char_is(cursor->at[1], class);
}

/* Is a piece of a host or local part next: a dot and the like before a letter
 * or digit? */
static bool goes_on(const struct cursor *cursor)
{
    char byte = cursor_peek(cursor);
    return (byte == '.' || byte == '_' || byte == '+' || byte == '@'
            || byte == '-')
           && is_between(cursor, CHAR_ALPHA | CHAR_DIGIT);
}

/* Up to the blank, bracket or quote that ends it. */
static void take_url(struct words *words)
{
    struct cursor *cursor = &words->cursor;
    while (!cursor_done(cursor) && (unsigned char)*cursor->at > ' '
           && *cursor->at != '<' && *cursor->at != '>' && *cursor->at != '"'
           && *cursor->at != ')' && *cursor->at != ']')
        cursor->at++;
}

/* Small letters, two to six of them: what a top-level domain looks like. */
static bool is_top_level(struct slice label)
{
    for (size_t i = 0; i < label.len; i++)
        if (label.ptr[i] < 'a' || label.ptr[i] > 'z')
            return false;
    return label.len >= 2 && label.len <= 6;
}

/* "anna.b@mail.example.com" or "www.example.com/x": walks on over the pieces.
 * WORD_PLAIN, and nothing taken, when it is neither. */
static enum word_kind take_name(struct words *words)
{
    struct cursor ahead = words->cursor;
    bool is_address = false;
    const char *dot = NULL;
    const char *limit = ahead.at + NAME_LEN_MAX;
    while (ahead.at < limit && goes_on(&ahead)) {
        is_address |= *ahead.at == '@';
        dot = *ahead.at == '.' ? ahead.at : NULL;
        ahead.at++;
        while (!cursor_done(&ahead)
               && char_is(*ahead.at, CHAR_ALPHA | CHAR_DIGIT))
            ahead.at++;
    }
    if (!is_address
        && (!dot
            || !is_top_level(slice_of(dot + 1, (size_t)(ahead.at - dot - 1)))))
        return WORD_PLAIN;
    words->cursor = ahead;
    if (is_address)
        return WORD_ADDRESS;
    if (!cursor_done(&ahead) && *ahead.at == '/')
        take_url(words);
    return WORD_HOST;
}

/* Digits go on behind one of ".,:/-" and a digit: how many such joints? */
static unsigned take_joints(struct words *words, bool *is_date)
{
    struct cursor *cursor = &words->cursor;
    unsigned joints = 0;
    while (!cursor_done(cursor) && is_between(cursor, CHAR_DIGIT)
           && (*cursor->at == '.' || *cursor->at == ',' || *cursor->at == ':'
               || *cursor->at == '/' || *cursor->at == '-')) {
        *is_date |= *cursor->at == ':' || *cursor->at == '/'
                    || *cursor->at == '-' || (*cursor->at == '.' && joints > 0);
        joints++;
        cursor->at++;
        while (!cursor_done(cursor) && char_is(*cursor->at, CHAR_DIGIT))
            cursor->at++;
    }
    return joints;
}

static bool is_currency_next(const struct words *words)
{
    struct cursor ahead = words->cursor;
    struct letter letter;
    (void)cursor_byte(&ahead, ' ');
    (void)cursor_word(&ahead, SLICE("\xC2\xA0"));
    if (!letter_read(&ahead, &letter))
        return false;
    if (letter.class == LETTER_CURRENCY)
        return true;
    static const struct slice words_of[] = {
        { "eur", 3 }, { "usd", 3 }, { "gbp", 3 },
        { "chf", 3 }, { "kr", 2 },  { "z\xC5\x82", 3 },
    };
    for (size_t i = 0; i < sizeof words_of / sizeof words_of[0]; i++)
        if ((unsigned char)words_of[i].ptr[0] == letter.lower
            && slice_starts_nocase(cursor_rest(&ahead), words_of[i]))
            return true;
    return false;
}

static enum word_kind number_kind(struct words *words, const struct run *run)
{
    bool is_date = false;
    unsigned joints = take_joints(words, &is_date);
    struct slice rest = cursor_rest(&words->cursor);
    size_t blank = rest.len > 0 && rest.ptr[0] == ' ';
    if (blank < rest.len && rest.ptr[blank] == '%')
        return WORD_PERCENT;
    /* "1.299.000 EUR" has the form of a date. */
    if (words->after_currency || is_currency_next(words))
        return WORD_MONEY;
    if (is_date)
        return WORD_DATE;
    if (joints == 0 && run->digits >= CODE_LEN_MIN
        && run->digits <= CODE_LEN_MAX)
        return WORD_CODE;
    return WORD_NUMBER;
}

static bool is_known(const struct words *words, uint64_t hash)
{
    if (!words->known || (words->known->mask >> (hash & 63) & 1) == 0)
        return false;
    for (size_t i = 0; i < words->known->count; i++)
        if (words->known->hashes[i] == hash)
            return true;
    return false;
}

static enum word_kind run_kind(struct words *words, const struct run *run)
{
    struct slice rest = cursor_rest(&words->cursor);
    if (rest.len >= 3 && rest.ptr[0] == ':' && rest.ptr[1] == '/'
        && rest.ptr[2] == '/') {
        take_url(words);
        return WORD_URL;
    }
    if (run->letters == 0)
        return number_kind(words, run);
    if (goes_on(&words->cursor)) {
        enum word_kind kind = take_name(words);
        if (kind != WORD_PLAIN)
            return kind;
    }
    if (run->letters + run->digits > WORDS_LEN_MAX)
        return WORD_LONG;
    if (run->digits > 0 && run->letters + run->digits >= TOKEN_LEN)
        return WORD_TOKEN;
    if (run->digits > 0 && run->letters + run->digits >= ID_LEN_MIN)
        return WORD_ID;
    return is_known(words, run->hash) ? WORD_RECIPIENT : WORD_PLAIN;
}

static void take_run(struct words *words, struct word *word)
{
    struct run run;
    struct text_shape *shape = &words->shape;
    const char *from = words->cursor.at;
    run_take(&words->cursor, &run);
    word->hash = run.hash;
    word->kind = run_kind(words, &run);
    word->text = slice_of(from, (size_t)(words->cursor.at - from));
    shape->capitals += run.letters >= 3 && !run.has_small;
    shape->foreign += run.has_latin && run.has_other;
    shape->widthless += run.widthless;
}

/* Does it part words, whatever is behind it? */
static bool parts_words(char byte)
{
    static const bool bytes[256] = {
        ['\t'] = true, [','] = true, [';'] = true, ['!'] = true,
        ['?'] = true,  ['"'] = true, ['('] = true, [')'] = true,
    };
    return bytes[(unsigned char)byte];
}

/* What comes next is no pair with a character that stood before. */
static void take_to(struct words *words, const char *at)
{
    if (at > words->cursor.at)
        words->last_character = 0;
    words->cursor.at = at;
}

/* Passes over blanks and marks behind a word as see_mark() does, for a tenth of
 * what it costs. True where there were any. Not over what may be a rule. */
static bool skip_marks(struct words *words)
{
    enum { NONE, BLANK, LINE, MARK, COUNTED, RULE };
    static const uint8_t bytes[256] = {
        [' '] = BLANK,   ['\t'] = BLANK,  ['\r'] = BLANK,  ['\n'] = LINE,
        [','] = MARK,    ['.'] = MARK,    [';'] = MARK,    [':'] = MARK,
        ['"'] = MARK,    ['('] = MARK,    [')'] = MARK,    ['['] = MARK,
        [']'] = MARK,    ['|'] = MARK,    ['/'] = MARK,    ['\''] = MARK,
        ['&'] = MARK,    ['+'] = MARK,    ['%'] = MARK,    ['@'] = MARK,
        ['<'] = MARK,    ['{'] = MARK,    ['}'] = MARK,    ['\\'] = MARK,
        ['!'] = COUNTED, ['?'] = COUNTED, ['>'] = COUNTED, ['='] = RULE,
        ['-'] = RULE,    ['_'] = RULE,    ['*'] = RULE,    ['#'] = RULE,
        ['~'] = RULE,
    };
    const char *from = words->cursor.at;
    const char *end = words->cursor.end;
    const char *at = from;
    bool at_line_start = words->at_line_start;
    uint32_t lines = 0;
    for (uint8_t is; at < end && (is = bytes[(unsigned char)*at]) != NONE;
         at++) {
        if (is == BLANK)
            continue;
        if (is == RULE && (end - at < 2 || at[1] == *at))
            break;
        if (is == COUNTED)
            count_mark(&words->shape, *at, at_line_start);
        lines += is != LINE && at_line_start;
        at_line_start = is == LINE;
    }
    words->at_line_start = at_line_start;
    words->shape.lines += lines;
    take_to(words, at);
    return at > from;
}

static inline uint64_t plain_hash(chunk bytes, size_t len)
{
    return spelling_hash_chunk((bytes | LETTER_SMALL) & chunk_heads(len));
}

/* Nearly all words have a small letter, and most of those have it second. */
static inline bool is_capital(chunk bytes, size_t len, const char *at)
{
    return len >= 3 && (at[1] & LETTER_SMALL) == 0
           && !chunk_any(bytes & chunk_heads(len) & LETTER_SMALL);
}

/* Two characters of a script without blanks; the first of a run only waits for
 * the second. */
static bool take_pair(struct words *words, const struct letter *letter,
                      struct word *word)
{
    uint32_t before = words->last_character;
    words->last_character = letter->lower;
    word->kind = WORD_PLAIN;
    word->hash = spelling_hash_numbers(before, letter->lower);
    word->text = slice_of(words->cursor.at, letter->len);
    words->cursor.at += letter->len;
    return before != 0;
}

/* What stood before a word ends with it: a line's start, a currency. */
static void part_from(struct words *words)
{
    words->shape.lines += words->at_line_start;
    words->at_line_start = false;
    words->after_currency = false;
}

/* A word is found: masked unless it is plain, and counted. */
static void end_word(struct words *words, struct word *word)
{
    if (word->kind != WORD_PLAIN)
        word->hash = spelling_hash_numbers(0, word->kind);
    words->shape.words++;
    words->shape.kinds[word->kind]++;
    part_from(words);
}

enum found { FOUND_WORD, FOUND_MARK, FOUND_END };

static enum found take_next(struct words *words, struct word *word)
{
    struct letter letter;
    if (!letter_read(&words->cursor, &letter))
        return FOUND_END;
    if (letter.class == LETTER_PAIRED)
        return take_pair(words, &letter, word) ? FOUND_WORD : FOUND_MARK;
    words->last_character = 0;
    if (letter.class == LETTER_WORD || letter.class == LETTER_DIGIT) {
        take_run(words, word);
        return FOUND_WORD;
    }
    see_mark(words, &letter);
    if (!take_rule(words))
        words->cursor.at += letter.len;
    return FOUND_MARK;
}

bool words_next(struct words *words, struct word *word)
{
    enum found found;
    do {
        found = take_next(words, word);
    } while (found == FOUND_MARK);
    if (found == FOUND_END)
        return false;
    end_word(words, word);
    return true;
}

/* What the stretch has from the cursor on, a bit for each. */
struct ahead {
    uint64_t starts; /* of words; in step with */
    uint64_t ends;   /* of those that may be plain */
    uint64_t other;  /* the first of the stretch's others; 0: none is left */
    uint64_t line_starts; /* starts behind a line end */
};

/* An end at the cursor is that of the word before. */
static inline struct ahead look_ahead(const struct words *words)
{
    const struct stretch *stretch = &words->stretch;
    const uint64_t left = ~UINT64_C(0) << (words->cursor.at - stretch->at);
    const uint64_t ends = stretch->ends & left << 1;
    struct ahead ahead = { .starts = stretch->starts & left,
                           .other = stretch_first(stretch->others & left),
                           .line_starts = stretch->line_starts };
    ahead.ends = ends & (ahead.other - 1);
    if ((ends & ahead.other) != 0
        && parts_words(stretch->at[__builtin_ctzll(ahead.other)]))
        ahead.ends |= ahead.other;
    if (words->at_line_start)
        ahead.line_starts |= stretch_first(ahead.starts);
    return ahead;
}

/* take_run() would say the same of a plain word, at many times the cost. False,
 * and nothing taken, when the next may be none. */
static inline bool take_plain(struct words *words, struct ahead *ahead,
                              uint64_t *hash)
{
    const int start = __builtin_ctzll(ahead->starts);
    const size_t len = (size_t)(__builtin_ctzll(ahead->ends) - start);
    const char *at = words->stretch.at + start;
    if (len > CHUNK_BYTES)
        return false;
    const chunk bytes = chunk_read(at);
    *hash = plain_hash(bytes, len);
    if (is_known(words, *hash))
        return false;
    words->shape.lines += (uint32_t)(ahead->line_starts >> start & 1);
    words->shape.capitals += is_capital(bytes, len, at);
    words->cursor.at = at + len;
    ahead->starts &= ahead->starts - 1;
    ahead->ends &= ahead->ends - 1;
    return true;
}

/* Walks to what comes next in the stretch and was not taken. */
static void walk_to_other(struct words *words, const struct ahead *ahead)
{
    const int next = __builtin_ctzll(ahead->starts | ahead->other);
    words->at_line_start |= (words->stretch.line_starts >> next & 1) != 0;
    words->cursor.at = words->stretch.at + next;
}

/* The plain words of the stretch, `max` at most. */
static uint32_t take_stretch(struct words *words, uint64_t *hashes,
                             uint32_t max)
{
    struct ahead ahead = look_ahead(words);
    uint32_t count = 0;
    while (ahead.ends != 0 && count < max
           && take_plain(words, &ahead, &hashes[count]))
        count++;
    if (count > 0)
        words->at_line_start = false;
    if (ahead.other != 0 && count < max)
        walk_to_other(words, &ahead);
    return count;
}

uint32_t words_take_plain(struct words *words, uint64_t *hashes, uint32_t max)
{
    const char *from = words->cursor.at;
    uint32_t count = 0;
    do {
        if (!stretch_has(&words->stretch, words->cursor.at))
            stretch_read(&words->stretch, cursor_rest(&words->cursor));
        count += take_stretch(words, hashes + count, max - count);
    } while (count < max && skip_marks(words));
    if (words->cursor.at > from)
        words->last_character = 0;
    words->shape.words += count;
    words->shape.kinds[WORD_PLAIN] += count;
    return count;
}

void words_know_hash(struct words_known *known, uint64_t hash)
{
    if (known->count == WORDS_KNOWN_MAX)
        return;
    known->hashes[known->count++] = hash;
    known->mask |= UINT64_C(1) << (hash & 63);
}

void words_know(struct words_known *known, struct slice text)
{
    struct words words;
    struct word word;
    words_init(&words, text, NULL);
    while (known->count < WORDS_KNOWN_MAX && words_next(&words, &word))
        if (word.kind == WORD_PLAIN && word.text.len > 1)
            words_know_hash(known, word.hash);
}
