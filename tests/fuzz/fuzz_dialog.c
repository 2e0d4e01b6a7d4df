/*
 * fuzz_dialog - any words of a server, cut anywhere: the connection ends or
 * goes on, every job that ends has an answer for each recipient, and what we
 * say is made of whole lines.
 *
 * The first byte chooses the options, the second how many bytes come at a time.
 */
#include <stdint.h>

#include "common/base/check.h"
#include "common/base/time.h"
#include "workers/smtp/dialog.h"

#define RECIPIENTS 3
#define JOBS_MAX   8
#define OUT_MAX    (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_recipient recipients[RECIPIENTS] = {
    { .address = { "b@y", 3 } },
    { .address = { "c@y", 3 }, .notify = 4 },
    { .address = { "d@y", 3 } },
};

static const char body[] = "Subject: s\r\n\r\n.\r\n..a\r\nb\r\n";

struct bench {
    struct dialog_options options;
    struct dialog dialog;
    struct dialog_job job;
    struct wire_job envelope;
    struct verdict outcomes[RECIPIENTS];
    struct buf in;
    struct buf out;
    unsigned jobs;
};

/* Whether the job under way has ended; then it has all its answers. */
static void check_job(const struct bench *bench)
{
    if (bench->jobs == 0 || bench->dialog.job)
        return;
    for (size_t i = 0; i < RECIPIENTS; i++) {
        CHECK(bench->outcomes[i].code > 0
              || bench->outcomes[i].enhanced.class > 0);
        /* Only a reply of the server delivers. */
        CHECK(bench->outcomes[i].class != VERDICT_DELIVERED
              || bench->outcomes[i].code >= 200);
    }
    CHECK(!bench->job.in_doubt || bench->outcomes[0].code == 0
          || bench->outcomes[1].code == 0 || bench->outcomes[2].code == 0);
}

static void check_said(struct bench *bench)
{
    struct slice said = buf_slice(&bench->out);
    CHECK(said.len == 0 || said.ptr[said.len - 1] == '\n');
    CHECK(!bench->out.full);
    buf_clear(&bench->out);
}

static void follow(struct bench *bench)
{
    struct dialog *dialog = &bench->dialog;
    check_job(bench);
    if (dialog->state == DIALOG_HANDSHAKE) {
        buf_clear(&bench->in);
        (void)dialog_tls_done(dialog, &bench->out);
    }
    if (dialog->state == DIALOG_READY && bench->jobs < JOBS_MAX) {
        bench->jobs++;
        (void)dialog_begin(dialog, &bench->job, &bench->out);
        check_job(bench);
    } else if (dialog->state == DIALOG_READY) {
        (void)dialog_quit(dialog, &bench->out);
    }
    if (dialog->state == DIALOG_BODY)
        dialog_say_body(dialog, &bench->out, OUT_MAX);
    CHECK(dialog_state_name(dialog->state) != NULL);
    (void)dialog_wait_ms(dialog);
    check_said(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct bench bench = {
        .options = {
            .ehlo_name = SLICE("client.test"),
            .tls = (enum dialog_tls)(data[0] % 3),
            .waits = { .greeting = 1, .hello = 2, .mail = 3, .rcpt = 4,
                       .data = 5, .data_send = 6, .data_end = 7 },
        },
        .envelope = {
            .mail_from = SLICE("a@x"),
            .recipients = recipients,
            .recipient_count = RECIPIENTS,
            .size = sizeof body - 1,
            .body_8bit = data[0] & 0x10,
            .smtputf8 = data[0] & 0x20,
        },
    };
    bench.job = (struct dialog_job){
        .envelope = &bench.envelope,
        .body = slice_of(body, sizeof body - 1),
        .outcomes = bench.outcomes,
    };
    buf_init(&bench.in, 64u << 10);
    buf_init(&bench.out, OUT_MAX);
    dialog_init(&bench.dialog, &bench.options);
    struct slice rest = slice_of((const char *)data + 2, size - 2);
    size_t step = data[1] > 0 ? data[1] : rest.len;
    while (rest.len > 0 && bench.dialog.state != DIALOG_GONE) {
        struct slice part = slice_head(rest, step);
        if (!buf_add(&bench.in, part))
            break;
        rest = slice_from(rest, part.len);
        (void)dialog_hear(&bench.dialog, &bench.in, &bench.out);
        follow(&bench);
    }
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 4, 2 }, "lost");
    CHECK(dialog_lose(&bench.dialog, &why) == DIALOG_GONE);
    check_job(&bench);
    buf_release(&bench.in);
    buf_release(&bench.out);
    return 0;
}
