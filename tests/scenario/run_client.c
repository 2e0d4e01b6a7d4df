/*
 * run_client - plays a script of one connection against workers/smtp/dialog.
 *
 *     run_client FILE...
 *
 * The script is read line by line; time stands still but where it says so.
 *   C: TEXT             we have said this line next, CRLF behind it
 *   S: TEXT             the server says this line; all that we said before must
 *                       have been named by C: lines
 *   S! BYTES            the same without CRLF; \r \n \0 \\ stand for bytes
 *   S* COUNT TEXT       so many such lines at once
 *   tls off|offered|required      before the first S
 *   chunking off        likewise
 *   with WORD [VALUE]   about the next jobs: 8bit, utf8, size, envid, ret,
 *                       notify, orcpt; idle: the connection was so for long
 *   text LINE           one more line of its body; without one it is "hello"
 *   job SENDER RECIPIENT...       begins it; "<>" is the null sender. Behind one
 *                       that is under way where the dialog permits it
 *   about N             the lines below are about the Nth job, not the last
 *   handshake           TLS has come up
 *   quit                we want to leave
 *   passes MS           time goes by
 *   lost                the connection is cut
 *   state NAME          what the dialog is in
 *   outcome N CLASS CODE ENHANCED of recipient N of the job, from 1;
 *                       CODE 0: our own finding; ENHANCED "-": none
 *   why CLASS CODE ENHANCED       what ended the connection
 *   started yes|no, doubt yes|no, ends-dsn yes|no  of the job
 *   under-way           it is not over
 *   follows yes|no      whether a job may begin behind those under way
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/time.h"
#include "common/proto/command.h"
#include "workers/smtp/dialog.h"

#define LINE_SIZE      4096
#define RECIPIENTS_MAX 16
#define JOBS_MAX       16
#define IN_MAX         (64u << 10)
#define OUT_MAX        (1u << 20)

struct job {
    struct transaction transaction;
    struct wire_job envelope;
    struct wire_recipient recipients[RECIPIENTS_MAX];
    struct verdict outcomes[RECIPIENTS_MAX];
};

struct play {
    const char *path;
    unsigned line;
    unsigned failures;
    uint64_t now_ms;
    uint64_t due_ms; /* 0: nothing is waited for */
    struct dialog_options options;
    struct dialog dialog;
    struct buf in;
    struct buf out;

    struct job jobs[JOBS_MAX];
    size_t job_count;
    struct job *job;          /* the one that is asked about */
    struct wire_job envelope; /* of the next */
    struct buf body;
    struct buf words; /* what the envelope's slices point to; never moves */
    uint8_t notify;
    struct slice orcpt;
    bool is_probe;
};

/* The waits of RFC 5321 section 4.5.3.2, which are our defaults. */
static const struct dialog_options defaults = {
    .ehlo_name = { "client.test", 11 },
    .chunking = true,
    .transactions_max = 4,
    .waits = {
        .greeting = MINUTES_MS(5),
        .hello = MINUTES_MS(5),
        .mail = MINUTES_MS(5),
        .rcpt = MINUTES_MS(5),
        .data = MINUTES_MS(2),
        .data_send = MINUTES_MS(3),
        .data_end = MINUTES_MS(10),
    },
};

static void complain(struct play *play, const char *what, struct slice wanted,
                     struct slice got)
{
    play->failures++;
    (void)fprintf(stderr, "%s:%u: %s: wanted \"%.*s\", got \"%.*s\"\n",
                  play->path, play->line, what, SLICE_ARG(wanted),
                  SLICE_ARG(slice_head(got, 200)));
}

static void expect(struct play *play, const char *what, struct slice wanted,
                   const char *got)
{
    if (!slice_equal(wanted, slice_text(got)))
        complain(play, what, wanted, slice_text(got));
}

static struct slice next_word(struct cursor *line)
{
    struct slice word;
    cursor_blanks(line);
    if (!cursor_until(line, ' ', &word)) {
        word = cursor_rest(line);
        line->at = line->end;
    }
    return word;
}

static uint64_t next_number(struct play *play, struct cursor *line)
{
    struct slice word = next_word(line);
    uint64_t number = 0;
    if (!slice_number(word, UINT64_MAX, &number))
        complain(play, "script", SLICE("a number"), word);
    return number;
}

/* A copy that lasts as long as the script. */
static struct slice keep(struct play *play, struct slice text)
{
    struct slice before = buf_slice(&play->words);
    CHECK(buf_add(&play->words, text));
    return slice_from(buf_slice(&play->words), before.len);
}

/* What the driver does after each move of the dialog. */
static void follow(struct play *play)
{
    struct dialog *dialog = &play->dialog;
    size_t before;
    do {
        before = play->out.len;
        dialog_say(dialog, &play->out, play->out.len + 1);
    } while (play->out.len > before);
    uint64_t wait_ms = dialog_wait_ms(dialog);
    play->due_ms = wait_ms > 0 ? play->now_ms + wait_ms : 0;
}

static void expect_silence(struct play *play)
{
    if (play->out.len > 0)
        complain(play, "said too much", SLICE(""), buf_slice(&play->out));
    buf_clear(&play->out);
}

static void do_client(struct play *play, struct cursor *line)
{
    struct slice wanted = cursor_rest(line);
    struct cursor said = cursor_of(buf_slice(&play->out));
    struct slice got;
    if (!cursor_until(&said, '\n', &got)) {
        complain(play, "said nothing", wanted, SLICE(""));
        return;
    }
    size_t len = got.len + 1;
    if (got.len == 0 || got.ptr[got.len - 1] != '\r')
        complain(play, "said no CRLF", wanted, got);
    else if (!slice_equal(wanted, slice_head(got, got.len - 1)))
        complain(play, "said", wanted, slice_head(got, got.len - 1));
    buf_take(&play->out, len);
}

static void hear(struct play *play, size_t before)
{
    expect_silence(play);
    (void)dialog_hear(&play->dialog, &play->in, &play->out);
    CHECK(play->in.len <= before);
    follow(play);
}

static void do_server(struct play *play, struct cursor *line)
{
    CHECK(buf_add(&play->in, cursor_rest(line)));
    CHECK(buf_add(&play->in, SLICE("\r\n")));
    hear(play, play->in.len);
}

static void do_server_bytes(struct play *play, struct cursor *line)
{
    while (!cursor_done(line)) {
        char byte = *line->at++;
        if (byte == '\\' && !cursor_done(line)) {
            char code = *line->at++;
            byte = code == 'r' ? '\r' : code == 'n' ? '\n' : code;
            if (code == '0')
                byte = '\0';
        }
        CHECK(buf_add_byte(&play->in, byte));
    }
    hear(play, play->in.len);
}

/* As a connection would: never more than its buffer holds. */
static void do_server_many(struct play *play, struct cursor *line)
{
    uint64_t count = next_number(play, line);
    cursor_blanks(line);
    struct slice text = cursor_rest(line);
    for (uint64_t i = 0; i < count; i++) {
        if (!buf_add(&play->in, text) || !buf_add(&play->in, SLICE("\r\n")))
            break;
    }
    hear(play, play->in.len);
}

static void do_tls(struct play *play, struct cursor *line)
{
    struct slice word = next_word(line);
    play->options.tls =
        slice_equal(word, SLICE("required"))  ? DIALOG_TLS_REQUIRED
        : slice_equal(word, SLICE("offered")) ? DIALOG_TLS_IF_OFFERED
                                              : DIALOG_TLS_OFF;
}

static void do_with(struct play *play, struct cursor *line)
{
    struct slice word = next_word(line);
    struct slice value = keep(play, next_word(line));
    if (slice_equal(word, SLICE("8bit")))
        play->envelope.body_8bit = true;
    else if (slice_equal(word, SLICE("idle")))
        play->is_probe = true;
    else if (slice_equal(word, SLICE("utf8")))
        play->envelope.smtputf8 = true;
    else if (slice_equal(word, SLICE("size")))
        CHECK(slice_number(value, UINT64_MAX, &play->envelope.size));
    else if (slice_equal(word, SLICE("envid")))
        play->envelope.envid = value;
    else if (slice_equal(word, SLICE("ret")))
        play->envelope.ret =
            slice_equal(value, SLICE("full")) ? RET_FULL : RET_HDRS;
    else if (slice_equal(word, SLICE("orcpt")))
        play->orcpt = value;
    else if (slice_equal(word, SLICE("notify")))
        play->notify = slice_equal(value, SLICE("never"))
                           ? NOTIFY_NEVER
                           : NOTIFY_FAILURE | NOTIFY_DELAY;
    else
        complain(play, "script", SLICE("a word about the job"), word);
}

static void do_text(struct play *play, struct cursor *line)
{
    CHECK(buf_add(&play->body, cursor_rest(line)));
    CHECK(buf_add(&play->body, SLICE("\r\n")));
}

static void do_chunking(struct play *play, struct cursor *line)
{
    play->options.chunking = !slice_equal(next_word(line), SLICE("off"));
}

static void do_job(struct play *play, struct cursor *line)
{
    CHECK(play->job_count < JOBS_MAX);
    struct job *job = &play->jobs[play->job_count++];
    struct slice sender = next_word(line);
    if (play->body.len == 0)
        CHECK(buf_add(&play->body, SLICE("hello\r\n")));
    job->envelope = play->envelope;
    job->envelope.mail_from =
        slice_equal(sender, SLICE("<>")) ? SLICE("") : keep(play, sender);
    job->envelope.recipients = job->recipients;
    if (job->envelope.size == 0)
        job->envelope.size = play->body.len;
    size_t count = 0;
    while (!cursor_done(line) && count < RECIPIENTS_MAX)
        job->recipients[count++] = (struct wire_recipient){
            .address = keep(play, next_word(line)),
            .notify = play->notify,
            .orcpt = play->orcpt,
        };
    job->envelope.recipient_count = count;
    job->transaction = (struct transaction){
        .envelope = &job->envelope,
        .body = keep(play, buf_slice(&play->body)),
        .outcomes = job->outcomes,
        .is_probe = play->is_probe,
    };
    play->job = job;
    expect_silence(play);
    if (play->dialog.state != DIALOG_READY
        && !dialog_can_follow(&play->dialog)) {
        complain(play, "a job", SLICE("can begin"), SLICE("cannot"));
        return;
    }
    (void)dialog_begin(&play->dialog, &job->transaction, &play->out);
    follow(play);
}

static void do_about(struct play *play, struct cursor *line)
{
    uint64_t number = next_number(play, line);
    CHECK(number > 0 && number <= play->job_count);
    play->job = &play->jobs[number - 1];
}

static void do_under_way(struct play *play, struct cursor *line)
{
    (void)line;
    if (play->job->transaction.is_over)
        complain(play, "the job", SLICE("under way"), SLICE("over"));
}

static void do_handshake(struct play *play, struct cursor *line)
{
    (void)line;
    expect_silence(play);
    buf_clear(&play->in); /* as conn_start_tls() does */
    (void)dialog_tls_done(&play->dialog, &play->out);
    follow(play);
}

static void do_quit(struct play *play, struct cursor *line)
{
    (void)line;
    (void)dialog_quit(&play->dialog, &play->out);
    follow(play);
}

static void lose(struct play *play, const char *what)
{
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 4, 2 }, "%s", what);
    (void)dialog_lose(&play->dialog, &why);
    follow(play);
}

static void do_passes(struct play *play, struct cursor *line)
{
    play->now_ms += next_number(play, line);
    if (play->due_ms > 0 && play->now_ms >= play->due_ms)
        lose(play, "no answer in time");
}

static void do_lost(struct play *play, struct cursor *line)
{
    (void)line;
    buf_clear(&play->out);
    lose(play, "closed by the peer");
}

static void do_state(struct play *play, struct cursor *line)
{
    expect(play, "state", next_word(line),
           dialog_state_name(play->dialog.state));
}

static void expect_verdict(struct play *play, const struct verdict *verdict,
                           struct cursor *line)
{
    char code[8];
    char text[ENHANCED_TEXT_SIZE];
    (void)snprintf(code, sizeof code, "%u", verdict->code);
    expect(play, "class", next_word(line), verdict_class_name(verdict->class));
    expect(play, "code", next_word(line), code);
    struct slice wanted = next_word(line);
    expect(play, "enhanced code",
           slice_equal(wanted, SLICE("-")) ? SLICE("") : wanted,
           enhanced_format(verdict->enhanced, text));
}

static void do_outcome(struct play *play, struct cursor *line)
{
    uint64_t number = next_number(play, line);
    CHECK(number > 0 && number <= play->job->envelope.recipient_count);
    if (!play->job->transaction.is_over)
        complain(play, "the job", SLICE("over"), SLICE("under way"));
    expect_verdict(play, &play->job->outcomes[number - 1], line);
}

static void do_why(struct play *play, struct cursor *line)
{
    expect(play, "state", SLICE("gone"), dialog_state_name(play->dialog.state));
    expect_verdict(play, &play->dialog.why, line);
}

static void do_started(struct play *play, struct cursor *line)
{
    expect(play, "started", next_word(line),
           play->job->transaction.is_started ? "yes" : "no");
}

static void do_ends_dsn(struct play *play, struct cursor *line)
{
    expect(play, "ends dsn", next_word(line),
           play->job->transaction.ends_dsn ? "yes" : "no");
}

static void do_doubt(struct play *play, struct cursor *line)
{
    expect(play, "in doubt", next_word(line),
           play->job->transaction.in_doubt ? "yes" : "no");
}

static void do_follows(struct play *play, struct cursor *line)
{
    expect(play, "follows", next_word(line),
           dialog_can_follow(&play->dialog) ? "yes" : "no");
}

static const struct {
    const char *word;
    void (*act)(struct play *play, struct cursor *line);
} acts[] = {
    { "C:", do_client },
    { "S:", do_server },
    { "S!", do_server_bytes },
    { "S*", do_server_many },
    { "tls", do_tls },
    { "chunking", do_chunking },
    { "with", do_with },
    { "text", do_text },
    { "job", do_job },
    { "about", do_about },
    { "under-way", do_under_way },
    { "follows", do_follows },
    { "handshake", do_handshake },
    { "quit", do_quit },
    { "passes", do_passes },
    { "lost", do_lost },
    { "state", do_state },
    { "outcome", do_outcome },
    { "why", do_why },
    { "started", do_started },
    { "doubt", do_doubt },
    { "ends-dsn", do_ends_dsn },
};

static void act(struct play *play, struct slice text)
{
    if (slice_is_empty(text) || text.ptr[0] == '#')
        return;
    struct cursor line = cursor_of(text);
    struct slice word = next_word(&line);
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        if (!slice_equal(word, slice_text(acts[i].word)))
            continue;
        acts[i].act(play, &line);
        return;
    }
    complain(play, "script", SLICE("a known word"), word);
}

static unsigned run(const char *path)
{
    static struct play play;
    play = (struct play){ .path = path, .options = defaults };
    char line[LINE_SIZE];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 1;
    }
    buf_init(&play.in, IN_MAX);
    buf_init(&play.out, OUT_MAX);
    buf_init(&play.body, OUT_MAX);
    buf_init(&play.words, IN_MAX);
    CHECK(buf_room(&play.words, IN_MAX));
    dialog_init(&play.dialog, &play.options);
    follow(&play);
    while (fgets(line, sizeof line, file)) {
        play.line++;
        struct slice text = slice_text(line);
        act(&play, slice_head(text, slice_find(text, '\n')));
    }
    expect_silence(&play);
    buf_release(&play.in);
    buf_release(&play.out);
    buf_release(&play.body);
    buf_release(&play.words);
    (void)fclose(file);
    return play.failures;
}

int main(int argc, char **argv)
{
    unsigned failures = 0;
    for (int i = 1; i < argc; i++)
        failures += run(argv[i]);
    return failures > 0 || argc < 2;
}
