/* test_dialog - what the scenarios cannot say: sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/smtp/dialog.h"

#define RECIPIENTS WIRE_RECIPIENTS_MAX
#define OUT_MAX    (512u << 10)
#define WIRE_MAX   (4u << 20)

static const struct dialog_options options = {
    .ehlo_name = { "client.test", 11 },
    .chunking = true,
    .transactions_max = 4,
};

struct bench {
    struct dialog dialog;
    struct transaction job;
    struct wire_job envelope;
    struct wire_recipient recipients[RECIPIENTS];
    struct verdict outcomes[RECIPIENTS];
    struct buf in;
    struct buf out;
    struct buf wire; /* all that was said since the last 354 */
};

static int set_up(void **state)
{
    struct bench *bench = NEW(struct bench);
    buf_init(&bench->in, 64u << 10);
    buf_init(&bench->out, OUT_MAX);
    buf_init(&bench->wire, WIRE_MAX);
    bench->recipients[0].address = SLICE("b@y");
    bench->envelope = (struct wire_job){
        .mail_from = SLICE("a@x"),
        .recipients = bench->recipients,
        .recipient_count = 1,
    };
    bench->job.envelope = &bench->envelope;
    bench->job.outcomes = bench->outcomes;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    buf_release(&bench->in);
    buf_release(&bench->out);
    buf_release(&bench->wire);
    mem_free(bench);
    return 0;
}

static void hear(struct bench *bench, const char *text)
{
    assert_true(buf_add_text(&bench->in, text));
    (void)dialog_hear(&bench->dialog, &bench->in, &bench->out);
}

static void begin_with(struct bench *bench, const char *offers)
{
    dialog_init(&bench->dialog, &options);
    hear(bench, "220 mx\r\n");
    hear(bench, offers);
    buf_clear(&bench->out);
    (void)dialog_begin(&bench->dialog, &bench->job, &bench->out);
}

static void begin(struct bench *bench)
{
    begin_with(bench, "250-mx\r\n250 PIPELINING\r\n");
}

static void begin_chunks(struct bench *bench)
{
    begin_with(bench, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
}

/* The body with an output buffer of `cap` bytes of which `drain` leave at a
 * time. */
static void say_body(struct bench *bench, size_t target, size_t drain)
{
    begin(bench);
    buf_clear(&bench->out);
    buf_clear(&bench->wire);
    hear(bench, "250 a\r\n250 b\r\n354 go\r\n");
    assert_int_equal(bench->dialog.state, DIALOG_BODY);
    while (!bench->job.end_is_said || bench->out.len > 0) {
        dialog_say(&bench->dialog, &bench->out, target);
        assert_true(bench->out.len > 0);
        struct slice part = slice_head(buf_slice(&bench->out), drain);
        assert_true(buf_add(&bench->wire, part));
        buf_take(&bench->out, part.len);
    }
    hear(bench, "250 kept\r\n");
    assert_int_equal(bench->dialog.state, DIALOG_READY);
    assert_int_equal(bench->outcomes[0].class, VERDICT_DELIVERED);
}

static void the_wire_does_not_depend_on_buffers(void **state)
{
    struct bench *bench = *state;
    static char body[100000];
    for (size_t i = 0; i < sizeof body; i++) /* no period fits a buffer's */
        body[i] = "..\r\n.\r\nab.\r\n\r\n.x"[i % 17];
    bench->job.body = slice_of(body, sizeof body);
    say_body(bench, OUT_MAX, OUT_MAX);
    struct buf whole;
    buf_init(&whole, WIRE_MAX);
    assert_true(buf_add(&whole, buf_slice(&bench->wire)));
    static const size_t targets[] = { 1, 2, 100, 16384, 16385, 131072 };
    static const size_t drains[] = { 7, 1000, 16384, 20000 };
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        for (size_t j = 0; j < ARRAY_LEN(drains); j++) {
            say_body(bench, targets[i], drains[j]);
            assert_true(
                slice_equal(buf_slice(&whole), buf_slice(&bench->wire)));
        }
    }
    buf_release(&whole);
}

/* A full output buffer takes the body in its own time. */
static void a_small_buffer_is_enough(void **state)
{
    struct bench *bench = *state;
    static char body[200000];
    memset(body, '.', sizeof body);
    bench->job.body = slice_of(body, sizeof body);
    buf_release(&bench->out);
    buf_init(&bench->out, 40000);
    say_body(bench, 40000, 100);
    assert_int_equal(bench->wire.len, sizeof body + 1 + 5);
}

/* Ten thousand recipients: never more than the output buffer holds, DATA last,
 * and each has its own answer. */
static void a_flight_of_thousands_is_said_in_parts(void **state)
{
    struct bench *bench = *state;
    char reply[32];
    size_t said = 0;
    bench->envelope.recipient_count = RECIPIENTS;
    for (size_t i = 0; i < RECIPIENTS; i++)
        bench->recipients[i].address =
            SLICE("a-recipient-with-quite-a-long-name@example.test");
    bench->job.body = SLICE("x\r\n");
    begin(bench);
    for (size_t i = 0; i < RECIPIENTS + 1; i++) {
        assert_false(bench->out.full);
        said += bench->out.len;
        buf_clear(&bench->out);
        (void)snprintf(reply, sizeof reply, "%s\r\n",
                       i % 3 == 1 ? "550 no" : "250 ok");
        hear(bench, reply);
    }
    said += bench->out.len;
    assert_true(said > RECIPIENTS * 50u);
    buf_clear(&bench->out);
    hear(bench, "354 go\r\n");
    dialog_say(&bench->dialog, &bench->out, OUT_MAX);
    hear(bench, "250 kept\r\n");
    for (size_t i = 0; i < RECIPIENTS; i++)
        assert_int_equal(bench->outcomes[i].class,
                         (i + 1) % 3 == 1 ? VERDICT_FAILED : VERDICT_DELIVERED);
}

static void assert_said(struct bench *bench, const char *wanted)
{
    struct slice said = buf_slice(&bench->out);
    if (!slice_equal(said, slice_text(wanted)))
        fail_msg("said \"%.*s\"", SLICE_ARG(slice_head(said, 200)));
    buf_clear(&bench->out);
}

#define ENVELOPE "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"

/* What DATA would deliver is what BDAT counts. */
static void a_chunk_ends_with_a_line_end(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *body;
        const char *said;
    } cases[] = {
        { "", ENVELOPE "BDAT 0 LAST\r\n" },
        { "a\r\n", ENVELOPE "BDAT 3 LAST\r\na\r\n" },
        { "a", ENVELOPE "BDAT 3 LAST\r\na\r\n" },
        { "a\r", ENVELOPE "BDAT 3 LAST\r\na\r\n" },
        { "a\n", ENVELOPE "BDAT 4 LAST\r\na\n\r\n" },
        { "\n", ENVELOPE "BDAT 3 LAST\r\n\n\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bench->job.body = slice_text(cases[i].body);
        begin_chunks(bench);
        assert_said(bench, cases[i].said);
    }
}

static void set_body(struct bench *bench, size_t len)
{
    static char body[TRANSACTION_BLIND_BYTES + 1];
    memset(body, '.', len);
    memcpy(body + len - 2, "\r\n", 2);
    bench->job.body = slice_of(body, len);
}

static void set_large(struct bench *bench)
{
    set_body(bench, TRANSACTION_BLIND_BYTES + 1);
}

/* Also when that byte fills the flight. */
static void the_last_byte_is_known_to_be_said(void **state)
{
    struct bench *bench = *state;
    set_body(bench, TRANSACTION_BLIND_BYTES);
    begin_chunks(bench);
    assert_int_equal(bench->out.len,
                     strlen(ENVELOPE "BDAT 65536 LAST\r\n") + 65536);
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 4, 2 }, "lost");
    (void)dialog_lose(&bench->dialog, &why);
    assert_true(bench->job.in_doubt);
}

/* Nobody is made to swallow megabytes for a recipient that is not there. */
static void a_large_text_waits_for_its_recipients(void **state)
{
    struct bench *bench = *state;
    set_large(bench);
    begin_chunks(bench);
    assert_said(bench, ENVELOPE);
    hear(bench, "250 a\r\n550 5.1.1 b\r\n");
    assert_said(bench, "RSET\r\n");
    assert_int_equal(bench->dialog.state, DIALOG_RSET);
    assert_int_equal(bench->outcomes[0].code, 550);
}

static void a_large_text_is_said_in_parts(void **state)
{
    struct bench *bench = *state;
    size_t said = 0;
    set_large(bench);
    buf_release(&bench->out);
    buf_init(&bench->out, 40000);
    begin_chunks(bench);
    buf_clear(&bench->out);
    hear(bench, "250 a\r\n250 b\r\n");
    assert_false(dialog_can_follow(&bench->dialog));
    while (bench->out.len > 0) {
        said += bench->out.len;
        buf_clear(&bench->out);
        dialog_say(&bench->dialog, &bench->out, 20000);
    }
    assert_int_equal(said, strlen("BDAT 65537 LAST\r\n") + 65537);
    assert_true(dialog_can_follow(&bench->dialog));
    hear(bench, "250 kept\r\n");
    assert_int_equal(bench->outcomes[0].class, VERDICT_DELIVERED);
}

/* The bytes that were promised do not come any more. */
static void a_refusal_before_the_last_byte_is_the_answer(void **state)
{
    struct bench *bench = *state;
    set_large(bench);
    buf_release(&bench->out);
    buf_init(&bench->out, 40000);
    begin_chunks(bench);
    hear(bench, "250 a\r\n250 b\r\n");
    assert_false(bench->job.end_is_said);
    hear(bench, "552 5.3.4 too large\r\n");
    assert_int_equal(bench->dialog.state, DIALOG_GONE);
    assert_int_equal(bench->outcomes[0].class, VERDICT_FAILED);
    assert_true(bench->job.is_over && bench->job.is_started);
    assert_false(bench->job.in_doubt);
}

static void a_250_before_the_last_byte_delivers_nothing(void **state)
{
    struct bench *bench = *state;
    set_large(bench);
    buf_release(&bench->out);
    buf_init(&bench->out, 40000);
    begin_chunks(bench);
    hear(bench, "250 a\r\n250 b\r\n250 kept\r\n");
    assert_int_equal(bench->dialog.state, DIALOG_GONE);
    assert_int_equal(bench->outcomes[0].class, VERDICT_DEFERRED);
    assert_false(bench->job.in_doubt);
}

#define dialog_test(name)                                                      \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dialog_test(the_wire_does_not_depend_on_buffers),
        dialog_test(a_small_buffer_is_enough),
        dialog_test(a_flight_of_thousands_is_said_in_parts),
        dialog_test(a_chunk_ends_with_a_line_end),
        dialog_test(the_last_byte_is_known_to_be_said),
        dialog_test(a_large_text_waits_for_its_recipients),
        dialog_test(a_large_text_is_said_in_parts),
        dialog_test(a_refusal_before_the_last_byte_is_the_answer),
        dialog_test(a_250_before_the_last_byte_delivers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
