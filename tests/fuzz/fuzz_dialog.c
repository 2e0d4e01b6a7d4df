/*
 * fuzz_dialog - any words of a server, cut anywhere: the connection ends or
 * goes on, transactions end in the order in which they began, each with an
 * answer for every recipient, and what we say is made of whole lines.
 *
 * The first byte chooses the options, the second how many bytes come at a time.
 */
#include <stdint.h>

#include "common/base/check.h"
#include "common/base/time.h"
#include "workers/smtp/dialog.h"

#define RECIPIENTS 3
#define TASKS_MAX  12
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
    struct task {
        struct transaction transaction;
        struct verdict outcomes[RECIPIENTS];
    } tasks[TASKS_MAX];
    struct wire_job envelope;
    struct buf in;
    struct buf out;
    unsigned begun; /* tasks */
    unsigned over;  /* of those, the first so many */
    bool is_probe;
};

static void check_over(const struct task *task)
{
    const struct transaction *transaction = &task->transaction;
    bool has_unheard = false;
    for (size_t i = 0; i < RECIPIENTS; i++) {
        const struct verdict *outcome = &task->outcomes[i];
        CHECK(outcome->code > 0 || outcome->enhanced.class > 0);
        /* Only a reply of the server delivers, and leaves no doubt. */
        CHECK(outcome->class != VERDICT_DELIVERED
              || (outcome->code >= 200 && !transaction->in_doubt));
        has_unheard |= outcome->class == VERDICT_DEFERRED;
    }
    CHECK(!transaction->in_doubt || (has_unheard && transaction->is_started));
    CHECK(!transaction->in_doubt || transaction->end_is_said);
}

static void check_tasks(struct bench *bench)
{
    while (bench->over < bench->begun
           && bench->tasks[bench->over].transaction.is_over)
        check_over(&bench->tasks[bench->over++]);
    for (unsigned i = bench->over; i < bench->begun; i++)
        CHECK(!bench->tasks[i].transaction.is_over);
    CHECK(bench->begun - bench->over == bench->dialog.transaction_count);
}

static void begin(struct bench *bench)
{
    struct task *task = &bench->tasks[bench->begun++];
    task->transaction = (struct transaction){
        .envelope = &bench->envelope,
        .body = slice_of(body, sizeof body - 1),
        .outcomes = task->outcomes,
        .is_probe = bench->is_probe,
    };
    (void)dialog_begin(&bench->dialog, &task->transaction, &bench->out);
}

static void check_said(struct bench *bench)
{
    struct slice said = buf_slice(&bench->out);
    CHECK(said.len == 0 || said.ptr[said.len - 1] == '\n');
    CHECK(!bench->out.full);
    buf_clear(&bench->out);
}

static bool may_begin(const struct bench *bench)
{
    return bench->begun < TASKS_MAX
           && (bench->dialog.state == DIALOG_READY
               || dialog_can_follow(&bench->dialog));
}

static void follow(struct bench *bench)
{
    struct dialog *dialog = &bench->dialog;
    check_tasks(bench);
    if (dialog->state == DIALOG_HANDSHAKE) {
        buf_clear(&bench->in);
        (void)dialog_tls_done(dialog, &bench->out);
    }
    while (may_begin(bench)) {
        begin(bench);
        dialog_say(dialog, &bench->out, OUT_MAX);
        if (dialog->transaction_count == 0)
            check_tasks(bench);
    }
    if (dialog->state == DIALOG_READY)
        (void)dialog_quit(dialog, &bench->out);
    dialog_say(dialog, &bench->out, OUT_MAX);
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
            .chunking = !(data[0] & 0x08),
            .transactions_max = data[0] >> 6,
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
        .is_probe = data[0] & 0x04,
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
    check_tasks(&bench);
    CHECK(bench.over == bench.begun);
    buf_release(&bench.in);
    buf_release(&bench.out);
    return 0;
}
