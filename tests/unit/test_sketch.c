/* test_sketch - what is read of a message, and what is only compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/sketch/sketch.h"
#include "common/base/buf.h"
#include "common/base/chars.h"
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

/* A name is masked, even one that means something in some language. That of a
 * mailbox for orders is left in their text: nothing would be known of it there. */
static void names_are_masked_and_roles_are_not(void **state)
{
    struct taken *taken = *state;
    const char *text = "Your order 4711 is on its way to Ben, says Mia.\r\n";
    const uint64_t hash =
        take(taken, TO, text, "nobody@example.org")->text_hash;
    assert_int_equal(take(taken, TO, text, "order@example.org")->text_hash,
                     hash);
    static const char *const named[] = { "ben@example.org", "mia@example.org",
                                         "mia.price@example.org",
                                         "order.ben@example.org",
                                         "mia77@example.org" };
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        assert_int_not_equal(take(taken, TO, text, named[i])->text_hash, hash);
        assert_in_range(taken->sketch->measures[MEASURE_RECIPIENT], 1, 2);
    }
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

/* Fifty words of the text are, one of them a number here, and of links none. */
static void no_more_than_its_front_is_compared(void **state)
{
    struct taken *taken = *state;
    take(taken, MIXED,
         HTML(WORDS) TEXT("77 " WORDS WORDS
                          "one two three four five " OTHERS) "--b--\r\n",
         NULL);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 0);

    take(taken, MIXED, HTML(WORDS) TEXT("77 " WORDS WORDS OTHERS) "--b--\r\n",
         NULL);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 1);

    take(taken, MIXED,
         HTML(WORDS) TEXT(WORDS "http://a.b/c 1 http://a.b/d 2 http://a.b/e 3 "
                                "http://a.b/f 4 http://a.b/g 5") "--b--\r\n",
         NULL);
    assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 0);
}

/* Neither blanks nor what stands for nothing keep the words behind them out. */
static void what_is_shown_cannot_be_kept_from_it(void **state)
{
    struct taken *taken = *state;
    static const char *const fillings[] = { " ", "=\n", "=\n" };
    static const int counts[] = { 4000, 4000, 12000 };
    for (size_t i = 0; i < ARRAY_LEN(fillings); i++) {
        struct buf body;
        buf_init(&body, 1u << 16);
        (void)buf_add_text(&body, HTML(WORDS) "--b\r\nContent-Transfer-Encoding"
                                              ": quoted-printable\r\n\r\n");
        for (int k = 0; k < counts[i]; k++)
            (void)buf_add_text(&body, fillings[i]);
        (void)buf_add_text(&body, OTHERS "\r\n--b--\r\n");
        (void)buf_add_byte(&body, '\0');
        take(taken, MIXED, body.ptr + body.start, NULL);
        assert_int_equal(taken->sketch->measures[MEASURE_CONTRADICTION], 10);
        assert_false(taken->sketch->is_truncated);
        buf_release(&body);
    }
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
    assert_true(take(taken, TO, "", NULL)->lacks_stream_field);
    assert_false(take(taken, TO "x-sendyard-stream: bulk\r\n", "", NULL)
                     ->lacks_stream_field);

    struct buf header;
    buf_init(&header, 2 * SKETCH_HEADER_BYTES);
    while (header.len < SKETCH_HEADER_BYTES)
        (void)buf_add_text(&header, "X-Filler: and so on\r\n");
    (void)buf_add_text(&header, "X-Sendyard-Stream: bulk\r\n");
    (void)buf_add_byte(&header, '\0');
    assert_false(
        take(taken, header.ptr + header.start, "", NULL)->lacks_stream_field);
    assert_true(taken->sketch->is_truncated);
    buf_release(&header);
}

/* Each is found by its length, whatever its case. */
static void every_field_is_known(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "Cc",
        "Sender",
        "List-Id",
        "X-Abuse",
        "X-Mailer",
        "Reply-To",
        "Received",
        "List-Post",
        "List-Help",
        "X-MC-User",
        "Errors-To",
        "Precedence",
        "References",
        "User-Agent",
        "X-Campaign",
        "X-Priority",
        "Importance",
        "Feedback-ID",
        "In-Reply-To",
        "List-Archive",
        "X-CampaignID",
        "X-Campaign-ID",
        "X-Mailgun-Tag",
        "X-List-Member",
        "Auto-Submitted",
        "X-Report-Abuse",
        "X-Entity-Ref-ID",
        "List-Unsubscribe",
        "X-CSA-Complaints",
        "X-Report-Abuse-To",
        "List-Unsubscribe-Post",
        "X-Auto-Response-Suppress",
    };
    struct marks none;
    marks_read(SLICE("X-A: b\r\n"), &none);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct marks marks;
        struct buf header;
        buf_init(&header, 256);
        (void)buf_addf(&header, "%s: list\r\n", fields[i]);
        for (size_t k = 0; k < strlen(fields[i]); k += 2)
            header.ptr[header.start + k] = char_lower(fields[i][k]);
        marks_read(buf_slice(&header), &marks);
        if (marks.bits == none.bits)
            fail_msg("%s", fields[i]);
        buf_release(&header);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_masked_and_roles_are_not),
        TEST(text_beside_html_is_compared),
        TEST(no_more_than_its_front_is_compared),
        TEST(what_is_shown_cannot_be_kept_from_it),
        TEST(text_beside_nothing_is_read),
        TEST(the_content_is_described_anywhere),
        TEST(a_stream_in_the_header_is_seen),
        TEST(every_field_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
