/* test_words - text becomes words, and what varies becomes a mask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/sketch/run.h"
#include "classifier/sketch/words.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/chars.h"
#include "common/base/mem.h"

/* Words as they stand, masks by name. */
static const struct {
    const char *text;
    const char *words;
} texts[] = {
    { "Hello, World!", "Hello World" },
    { "don't stop", "don't stop" },
    { "it is 481516 now", "it is <code> now" },
    { "the 3 of 12345678901", "the <number> of <number>" },
    { "$1,299.00 or 20\xe2\x82\xac", "<money> or <money>" },
    { "1.299.000 EUR", "<money> EUR" },
    { "26.11.2025 and 12/24", "<date> and <date>" },
    { "save 50% now", "save <percent> now" },
    { "on 2025-11-26 at 12:30", "on <date> at <date>" },
    { "see https://a.example/x?y=1 now", "see <url> now" },
    { "mail a.b@c.example today", "mail <address> today" },
    { "order AB-12345X", "order AB <id>" },
    { "Hi Anna Berg", "Hi <rcpt> <rcpt>" },
    { "\xff\xfe\xc0", "" },
    { "   \r\n\t ", "" },
};

/* The same word, however it is written. */
static const char *const equal[][2] = {
    { "GR\xc3\x9c\xc3\x9f"
      "E",
      "gr\xc3\xbc\xc3\x9f"
      "e" },
    { "u\xe2\x80\x8bn\xe2\x80\x8csub", "unsub" },
    { "un\xc2\xadsub", "unsub" },
    { "\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3", "abc" },
    { "481516", "2342" },
    { "\xd0\x9a\xd0\x9e\xd0\x94", "\xd0\xba\xd0\xbe\xd0\xb4" },
};

static void read_words(const char *text, struct words *words, struct buf *out)
{
    struct words_known known = { .count = 0 };
    struct word word;
    words_know(&known, SLICE("Anna Berg"));
    words_init(words, slice_text(text), &known);
    while (words_next(words, &word)) {
        const char *mask = word_kind_name(word.kind);
        if (out->len > 0)
            (void)buf_add_byte(out, ' ');
        (void)buf_add(out, mask ? slice_text(mask) : word.text);
    }
}

static void texts_become_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct words words;
        struct buf out;
        buf_init(&out, 4096);
        read_words(texts[i].text, &words, &out);
        if (!slice_equal(buf_slice(&out), slice_text(texts[i].words)))
            fail_msg("\"%s\": \"%.*s\"", texts[i].text,
                     SLICE_ARG(buf_slice(&out)));
        buf_release(&out);
    }
}

static uint64_t hash_of(const char *text)
{
    struct words words;
    struct word word;
    words_init(&words, slice_text(text), NULL);
    assert_true(words_next(&words, &word));
    const uint64_t hash = word.hash;
    assert_false(words_next(&words, &word));
    return hash;
}

static void a_word_is_one_however_it_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(equal); i++)
        if (hash_of(equal[i][0]) != hash_of(equal[i][1]))
            fail_msg("%s is not %s", equal[i][0], equal[i][1]);
    assert_true(hash_of("code") != hash_of("codes"));
}

/* The first word of a text. */
static void first_word(const struct buf *text, struct words *words,
                       struct word *word)
{
    words_init(words, buf_slice(text), NULL);
    assert_true(words_next(words, word));
}

/* Nor by what follows it: where much does, and of words of few letters, the way
 * is a short one. */
static void a_word_is_one_whatever_follows(void **state)
{
    (void)state;
    static const char *const behind[] = { " ",  "\n", ",", "!", ".",    ". ",
                                          ": ", "-x", "'", "/", "\x80", "<" };
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn";
    struct buf text;
    struct words words;
    struct word word;
    buf_init(&text, 128);
    for (int len = 1; len <= (int)WORDS_LEN_MAX; len++) {
        buf_clear(&text);
        assert_true(buf_addf(&text, "%.*s", len, letters));
        first_word(&text, &words, &word);
        const uint64_t alone = word.hash;
        for (size_t i = 0; i < 2 * ARRAY_LEN(behind); i++) {
            buf_clear(&text);
            assert_true(buf_addf(&text, "%.*s%s%s", len, letters, behind[i / 2],
                                 i % 2 ? " and much more behind it" : ""));
            first_word(&text, &words, &word);
            assert_true(word.hash == alone);
            assert_int_equal(word.kind, WORD_PLAIN);
            assert_int_equal(word.text.len, len);
        }
    }
    buf_release(&text);
}

static void capitals_are_counted_on_both_ways(void **state)
{
    (void)state;
    struct words words;
    struct word word;
    struct buf text;
    buf_init(&text, 64);
    for (int i = 0; i < 2; i++) {
        buf_clear(&text);
        (void)buf_add_text(&text, i ? "LETTERS LettERS OF letters, and more"
                                    : "LETTERS");
        words_init(&words, buf_slice(&text), NULL);
        while (words_next(&words, &word))
            ;
        assert_int_equal(words.shape.capitals, 1);
    }
    buf_release(&text);
}

/* Han and kana put no blanks between words: each two characters are one. */
static void scripts_without_blanks_give_pairs(void **state)
{
    (void)state;
    struct words words;
    struct word word;
    size_t count = 0;
    words_init(&words, SLICE("\xe9\xaa\x8c\xe8\xaf\x81\xe7\xa0\x81"), NULL);
    while (words_next(&words, &word))
        count++;
    assert_true(count >= 2);
}

static void what_is_seen_is_counted(void **state)
{
    (void)state;
    struct words words;
    struct buf out;
    buf_init(&out, 4096);
    read_words("SALE NOW! Really? Yes!\r\n> quoted line\r\n====\r\n"
               "p\xd0\xb0ypal \xe2\x80\x8b 20% of $5\r\n",
               &words, &out);
    assert_int_equal(words.shape.exclaims, 2);
    assert_int_equal(words.shape.questions, 1);
    assert_int_equal(words.shape.capitals, 2);
    assert_int_equal(words.shape.quotes, 1);
    assert_int_equal(words.shape.rules, 1);
    assert_int_equal(words.shape.foreign, 1);
    assert_int_equal(words.shape.kinds[WORD_PERCENT], 1);
    assert_int_equal(words.shape.kinds[WORD_MONEY], 1);
    assert_int_equal(words.shape.lines, 4);
    buf_release(&out);
}

/* One word of a megabyte is a mask, and what follows is still read. */
static void a_long_run_is_one_word(void **state)
{
    (void)state;
    struct words words;
    struct word word;
    struct buf text;
    buf_init(&text, 2u << 20);
    char *room = buf_room(&text, 1u << 20);
    memset(room, 'w', 1u << 20);
    buf_added(&text, 1u << 20);
    (void)buf_add_text(&text, " end");
    words_init(&words, buf_slice(&text), NULL);
    assert_true(words_next(&words, &word));
    assert_int_equal(word.kind, WORD_LONG);
    while (words_next(&words, &word))
        ;
    assert_true(slice_equal(word.text, SLICE("end")));
    assert_true(words.shape.words <= 3);
    buf_release(&text);
}

/* Pieces that texts are thrown together of. */
static const char *const pieces[] = {
    "a",
    "b",
    "the",
    "and",
    ", ",
    ". ",
    " abcdefghijklmno ",
    " abcdefghijklmnop ",
    " abcdefghijklmnopq ",
    " abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr",
    "N",
    "Q",
    "word",
    "7",
    "42",
    "'",
    ".",
    ",",
    ":",
    ";",
    "-",
    "@",
    "/",
    "://",
    "!",
    "?",
    ">",
    "\n",
    " ",
    "  ",
    "%",
    "$",
    "=",
    "*",
    "(",
    "]",
    "\xe2\x80\x99",
    "\xc3\xa9",
    "_",
    "&",
    "\"",
    "|",
    "\xe2\x80\x8b",
    "\xc2\xa0",
    "+",
    "\r",
    "\xff",
    "#",
    "\xe6\x97\xa5",
    "\xe2\x82\xac",
    "<",
    "{",
    "}",
    "\\",
    "~",
    "[",
    ")",
    "\t",
    "==",
    "----",
    "**",
};

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Pieces as chance has it, up to `len` bytes. */
static void throw_together(uint64_t *random, size_t len, struct buf *text)
{
    buf_clear(text);
    for (;;) {
        const char *piece = pieces[next_random(random) % ARRAY_LEN(pieces)];
        if (text->len + strlen(piece) > len)
            return;
        (void)buf_add_text(text, piece);
    }
}

struct walked {
    struct text_shape shape;
    size_t left;   /* bytes behind the last word */
    uint64_t hash; /* of all words, in their order */
};

static void mix(uint64_t *hash, uint64_t more)
{
    *hash = (*hash ^ more) * 0x9E3779B97F4A7C15u;
}

static void walk(struct slice text, uint32_t max, struct walked *walked)
{
    struct words words;
    struct word word;
    *walked = (struct walked){ .hash = 1 };
    words_init(&words, text, NULL);
    for (; max > 0 && words_next(&words, &word); max--)
        mix(&walked->hash, word.hash);
    walked->shape = words.shape;
    walked->left = cursor_rest(&words.cursor).len;
}

static void leap_over(struct words *words, uint32_t max, struct walked *walked)
{
    struct word word;
    uint64_t hashes[3];
    *walked = (struct walked){ .hash = 1 };
    while (max > 0) {
        const uint32_t most = max < ARRAY_LEN(hashes) ? max : ARRAY_LEN(hashes);
        const uint32_t count = words_take_plain(words, hashes, most);
        for (uint32_t i = 0; i < count; i++)
            mix(&walked->hash, hashes[i]);
        max -= count;
        if (count == most)
            continue;
        if (!words_next(words, &word))
            break;
        mix(&walked->hash, word.hash);
        max--;
    }
    walked->shape = words->shape;
    walked->left = cursor_rest(&words->cursor).len;
}

/* The same with all plain words that can be taken at once, of which nothing is
 * known but their hashes. What is behind the text would change it all. */
static void leap(struct slice text, const struct words_known *known,
                 uint32_t max, struct walked *walked)
{
    static const char behind[] = { 'x', ' ', 'y', '\n', ',', '.', 'z' };
    struct words words;
    char *copy = mem_resize(NULL, text.len + STRETCH_BYTES, 1);
    for (size_t i = 0; i < STRETCH_BYTES; i++)
        copy[text.len + i] = behind[(text.len + i * i) % sizeof behind];
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    words_init(&words, slice_of(copy, text.len), known);
    leap_over(&words, max, walked);
    mem_free(copy);
}

static void leaps_say_what_steps_say(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    struct buf text;
    buf_init(&text, 256);
    for (uint32_t i = 0; i < 100000; i++) {
        const uint32_t max = i % 5 == 0 ? i % 37 : UINT32_MAX;
        struct walked steps;
        struct walked leaps;
        throw_together(&random, i % 256, &text);
        walk(buf_slice(&text), max, &steps);
        leap(buf_slice(&text), NULL, max, &leaps);
        if (steps.hash != leaps.hash || steps.left != leaps.left
            || memcmp(&steps.shape, &leaps.shape, sizeof steps.shape) != 0)
            fail_msg("%u words of \"%.*s\"", max, (int)text.len,
                     text.ptr + text.start);
    }
    buf_release(&text);
}

/* Letters and digits made full-width, which are read one by one and say the
 * same. */
static void widen(struct slice text, struct buf *wide)
{
    buf_clear(wide);
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char byte = (unsigned char)text.ptr[i];
        if (!char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT)) {
            (void)buf_add_byte(wide, text.ptr[i]);
            continue;
        }
        const unsigned character = 0xFF01u + byte - '!';
        (void)buf_add_byte(wide, (char)0xEF);
        (void)buf_add_byte(wide, (char)(0x80 | (character >> 6 & 0x3F)));
        (void)buf_add_byte(wide, (char)(0x80 | (character & 0x3F)));
    }
}

static bool is_same_run(const struct run *a, const struct run *b)
{
    return a->hash == b->hash && a->letters == b->letters
           && a->digits == b->digits && a->widthless == b->widthless
           && a->has_small == b->has_small && a->has_latin == b->has_latin
           && a->has_other == b->has_other;
}

static void short_runs_are_as_those_read_letter_by_letter(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a", "B", "cd",       "efghi",        "1",        "23", "'", "'",
        "-", " ", "\xc3\xa9", "\xe2\x80\x8b", "\xd0\xb6",
    };
    uint64_t random = 88172645463325252u;
    struct buf text;
    struct buf wide;
    buf_init(&text, 64);
    buf_init(&wide, 256);
    for (size_t i = 0; i < 100000; i++) {
        buf_clear(&text);
        for (size_t count = i % 12; count > 0; count--) {
            const size_t which = next_random(&random) % ARRAY_LEN(parts);
            (void)buf_add_text(&text, parts[which]);
        }
        struct run one;
        struct run other;
        struct cursor cursor = cursor_of(buf_slice(&text));
        run_take(&cursor, &one);
        const struct slice left = cursor_rest(&cursor);
        widen(buf_slice(&text), &wide);
        cursor = cursor_of(buf_slice(&wide));
        run_take(&cursor, &other);
        const struct slice wide_left = cursor_rest(&cursor);
        widen(left, &wide);
        if (!is_same_run(&one, &other) || wide.len != wide_left.len)
            fail_msg("\"%.*s\"", (int)text.len, text.ptr + text.start);
    }
    buf_release(&text);
    buf_release(&wide);
}

static void what_has_no_width_is_counted_in_words(void **state)
{
    (void)state;
    struct run run;
    struct words words;
    struct word word;
    struct cursor cursor = cursor_of(SLICE("a\xe2\x80\x8b"
                                           "b"));
    run_take(&cursor, &run);
    assert_int_equal(run.letters, 2);
    assert_int_equal(run.widthless, 1);
    words_init(&words,
               SLICE("a\xe2\x80\x8b"
                     "b c\xe2\x80\x8b"
                     "d"),
               NULL);
    while (words_next(&words, &word))
        ;
    assert_int_equal(words.shape.words, 2);
    assert_int_equal(words.shape.widthless, 2);
}

static void names_are_masked_in_leaps_too(void **state)
{
    (void)state;
    struct words_known known = { .count = 0 };
    struct walked walked;
    words_know(&known, SLICE("Anna Berg"));
    leap(SLICE("hi Anna Berg, and once more Anna; hello to all others there"),
         &known, UINT32_MAX, &walked);
    assert_int_equal(walked.shape.words, 12);
    assert_int_equal(walked.shape.kinds[WORD_RECIPIENT], 3);
    assert_int_equal(walked.shape.kinds[WORD_PLAIN], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_words),
        cmocka_unit_test(a_word_is_one_however_it_is_written),
        cmocka_unit_test(a_word_is_one_whatever_follows),
        cmocka_unit_test(capitals_are_counted_on_both_ways),
        cmocka_unit_test(scripts_without_blanks_give_pairs),
        cmocka_unit_test(what_is_seen_is_counted),
        cmocka_unit_test(a_long_run_is_one_word),
        cmocka_unit_test(leaps_say_what_steps_say),
        cmocka_unit_test(short_runs_are_as_those_read_letter_by_letter),
        cmocka_unit_test(what_has_no_width_is_counted_in_words),
        cmocka_unit_test(names_are_masked_in_leaps_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
