/* test_sketch - what is read of a message, and what is only compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/sketch/sketch.h"
#include "common/base/mem.h"

struct taken {
    struct sketcher *sketcher;
    struct sketch *sketch;
};

static int begin(void **state)
{
    struct taken *taken = NEW(struct taken);
    taken->sketcher = sketcher_new();
    taken->sketch = NEW(struct sketch);
    *state = taken;
    return 0;
}

static int end(void **state)
{
    struct taken *taken = *state;
    sketcher_free(&taken->sketcher);
    mem_free(taken->sketch);
    mem_free(taken);
    return 0;
}

static const struct sketch *take(struct taken *taken, const char *header,
                                 const char *body, const char *rcpt)
{
    const struct slice recipient = slice_text(rcpt);
    const struct sketch_message message = {
        .header = slice_text(header),
        .body = slice_text(body),
        .recipients = &recipient,
        .recipient_count = rcpt ? 1 : 0,
    };
    sketch_take(taken->sketcher, &message, taken->sketch);
    return taken->sketch;
}

#define TO "Subject: a\r\nTo: x@example.org\r\n"

/* A name is masked. One that is a word of many messages is left in their text:
 * nothing would be known of it there. */
static void names_are_masked_and_words_are_not(void **state)
{
    struct taken *taken = *state;
    const char *text = "Your order 4711 is on its way to Mildred.\r\n";
    const uint64_t hash =
        take(taken, TO, text, "nobody@example.org")->text_hash;
    assert_int_equal(take(taken, TO, text, "order@example.org")->text_hash,
                     hash);
    assert_int_not_equal(
        take(taken, TO, text, "mildred@example.org")->text_hash, hash);
    assert_int_equal(taken->sketch->measures[MEASURE_RECIPIENT], 1);
}

#define MIXED                                                                  \
    TO "Content-Type: multipart/alternative; boundary=b\r\n"                   \
       "MIME-Version: 1.0\r\n"
#define TEXT(words) "--b\r\nContent-Type: text/plain\r\n\r\n" words "\r\n"
#define HTML(words) "--b\r\nContent-Type: text/html\r\n\r\n<p>" words "</p>\r\n"
#define WORDS                                                                  \
    "one two three four five six seven eight nine ten eleven twelve thirteen " \
    "fourteen fifteen sixteen seventeen eighteen nineteen twenty more words "
#define OTHERS                                                                 \
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu "   \
    "xi omicron pi rho sigma tau upsilon phi chi psi omega and others "

/* Whichever part comes first, HTML is what is read, and the text beside it is
 * held against that. */
static void text_beside_html_is_compared(void **state)
{
    struct taken *taken = *state;
    const uint64_t hash =
        take(taken, MIXED, HTML(WORDS) "--b--\r\n", NULL)->text_hash;
    assert_int_equal(taken->sketch->measures[MEASURE_HAS_TEXT], 0);

    take(taken, MIXED, TEXT(WORDS) HTML(WORDS) "--b--\r\n", NULL);
    assert_int_equal(taken->sketch->text_hash, hash);
    assert_int_equal(taken->sketch->measures[MEASURE_HAS_TEXT], 1);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 0);

    take(taken, MIXED, HTML(WORDS) TEXT(OTHERS) "--b--\r\n", NULL);
    assert_int_equal(taken->sketch->text_hash, hash);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 10);
}

/* HTML that shows nothing leaves the text part to be read. */
static void text_beside_nothing_is_read(void **state)
{
    struct taken *taken = *state;
    take(taken, MIXED, TEXT(WORDS) HTML("") "--b--\r\n", NULL);
    assert_int_equal(taken->sketch->word_count, 22);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 0);
}

/* Fields of the content count wherever they stand, and others between them. */
static void the_content_is_described_anywhere(void **state)
{
    struct taken *taken = *state;
    take(taken,
         "Content-Transfer-Encoding: base64\r\n" TO
         "content-type: text/html\r\nX-A: b\r\n",
         "PHA+c2VjcmV0IHdvcmRzIGFyZSBoZXJlPC9wPg==\r\n", NULL);
    assert_int_equal(taken->sketch->measures[MEASURE_HAS_HTML], 1);
    assert_int_equal(taken->sketch->word_count, 4);
}

/* Only a header that was read to its end is known to name no stream. */
static void a_stream_in_the_header_is_seen(void **state)
{
    struct taken *taken = *state;
    assert_true(take(taken, TO, "", NULL)->names_no_stream);
    assert_false(take(taken, TO "x-sendyard-stream: bulk\r\n", "", NULL)
                     ->names_no_stream);

    struct buf header;
    buf_init(&header, 2 * SKETCH_HEADER_BYTES);
    while (header.len < SKETCH_HEADER_BYTES)
        (void)buf_add_text(&header, "X-Filler: and so on\r\n");
    (void)buf_add_text(&header, "X-Sendyard-Stream: bulk\r\n");
    (void)buf_add_byte(&header, '\0');
    assert_false(
        take(taken, header.ptr + header.start, "", NULL)->names_no_stream);
    assert_true(taken->sketch->is_truncated);
    buf_release(&header);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_masked_and_words_are_not),
        TEST(text_beside_html_is_compared),
        TEST(text_beside_nothing_is_read),
        TEST(the_content_is_described_anywhere),
        TEST(a_stream_in_the_header_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
