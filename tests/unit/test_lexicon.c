/* test_lexicon - words of many languages have their theme, others have none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/sketch/lexicon.h"
#include "classifier/sketch/words.h"
#include "common/base/attr.h"

static const struct {
    const char *word;
    unsigned theme;
} words[] = {
    { "unsubscribe", THEME_LEAVING },
    { "abbestellen", THEME_LEAVING },
    { "désabonner", THEME_LEAVING },
    { "Password", THEME_SECRET },
    { "contraseña", THEME_SECRET },
    { "пароль", THEME_SECRET },
    { "INVOICE", THEME_ORDER },
    { "Rechnung", THEME_ORDER },
    { "facture", THEME_ORDER },
    { "you", THEME_YOU },
    { "me", THEME_ME },
    { "we", THEME_WE },
    { "confirm", THEME_SECRET },
    /* Of two themes that have a word the first keeps it. */
    { "limited", THEME_OFFER },
    { "vous", THEME_VISIT },
    { "zebra", THEME_NONE },
    { "unsubscribes", THEME_NONE },
    { "x", THEME_NONE },
};

static uint64_t hash_of(const char *text)
{
    struct words read;
    struct word word;
    words_init(&read, slice_text(text), NULL);
    assert_true(words_next(&read, &word));
    return word.hash;
}

static void words_have_their_theme(void **state)
{
    (void)state;
    struct lexicon *lexicon = lexicon_new();
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const unsigned theme = lexicon_theme(lexicon, hash_of(words[i].word));
        if (theme != words[i].theme)
            fail_msg("%s: %u", words[i].word, theme);
    }
    lexicon_free(&lexicon);
}

static void all_are_counted_at_once(void **state)
{
    (void)state;
    struct lexicon *lexicon = lexicon_new();
    uint64_t hashes[ARRAY_LEN(words)];
    uint32_t expected[THEME_COUNT + 1] = { [THEME_YOU] = 7 };
    uint32_t counts[THEME_COUNT] = { [THEME_YOU] = 7 };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        hashes[i] = hash_of(words[i].word);
        expected[words[i].theme]++;
    }
    lexicon_count(lexicon, hashes, ARRAY_LEN(words), counts);
    assert_memory_equal(counts, expected, sizeof counts);
    lexicon_free(&lexicon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_their_theme),
        cmocka_unit_test(all_are_counted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
