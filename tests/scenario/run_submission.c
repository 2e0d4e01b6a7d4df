/*
 * run_submission.c - plays a script against the submission engine.
 *
 * The real session, with a real config in memory and a clock that stands still
 * unless the script moves it. Every script is played whole, then once more with
 * each byte fed alone: both must give the same replies.
 *
 *     # text                a comment
 *     config: key = value;  a line into the listener's group
 *     account: key = value; the same for the account "app"
 *     C: text               the client sends text and CRLF
 *     C- text               the same without CRLF; \r \n \0 \\ are escapes
 *     REPEAT n text         sends text n times, without CRLF; with escapes
 *     S: text               the next reply line; "*" at the end: what begins so
 *     S- (nothing)          no reply is left
 *     WAIT ms               the clock moves; what is due happens
 *     TLS                   the session wants TLS, and gets it
 *     CHECK user password yes|no|later   it wants credentials checked
 *     STORED ok|limit|io    it wants a message stored
 *     BODY text             the stored message has this; "!text": has not
 *     ROOM yes|no           whether the spool has room from now on
 *     MEMORY bytes          how much long texts may hold from now on
 *     DRAIN                 the server shuts down
 *     CLOSED                the session has ended
 *
 * What says "a report" is taken as a report of abuse; one that says "not ours" or
 * "not now" is not.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "config/loader.h"
#include "router/submission/limits.h"
#include "router/submission/session.h"

#define SCRIPT_MAX (256u * 1024u)
#define TEXT_MAX   (64u << 20)
#define FIRST_ID   UINT64_C(0x0123456789abcd)

struct play {
    struct conf *conf;
    struct policy *policy;
    struct sketcher *sketcher;
    struct session *session;
    struct buf in;
    struct buf out;
    struct buf body; /* of the message stored last */
    enum session_want want;
    uint64_t now_ms;
    bool has_room;
    uint64_t memory;
    bool by_bytes;
    unsigned line;
    bool failed;
};

static void fail(struct play *play, const char *what, struct slice got)
{
    (void)fprintf(stderr, "line %u%s: %s, got: %.*s\n", play->line,
                  play->by_bytes ? " (byte by byte)" : "", what,
                  SLICE_ARG(slice_head(got, 200)));
    play->failed = true;
}

static bool accepts(void *context, uint64_t size)
{
    const struct play *play = context;
    (void)size;
    return play->has_room;
}

static bool resizes(void *context, uint64_t from, uint64_t to)
{
    const struct play *play = context;
    return to <= from || to <= play->memory;
}

static struct slice take_line(struct slice *text)
{
    size_t end = slice_find(*text, '\n');
    struct slice line = slice_head(*text, end);
    *text = slice_from(*text, end + 1);
    return line;
}

static bool take_word(struct slice *line, const char *word)
{
    struct slice prefix = slice_text(word);
    if (line->len < prefix.len || memcmp(line->ptr, word, prefix.len) != 0)
        return false;
    *line = slice_from(*line, prefix.len);
    return true;
}

static struct slice next_word(struct slice *line)
{
    size_t end = slice_find(*line, ' ');
    struct slice word = slice_head(*line, end);
    *line = slice_from(*line, end + 1);
    return word;
}

static void add_escaped(struct buf *out, struct slice text)
{
    static const char names[] = "rn0\\";
    static const char bytes[] = { '\r', '\n', '\0', '\\' };
    for (size_t i = 0; i < text.len; i++) {
        const char *name = i + 1 < text.len && text.ptr[i] == '\\'
                               ? strchr(names, text.ptr[i + 1])
                               : NULL;
        (void)buf_add_byte(out, name ? bytes[name - names] : text.ptr[i]);
        i += name != NULL;
    }
}

static void collect(const struct slice script, const char *prefix,
                    struct buf *out)
{
    struct slice rest = script;
    while (rest.len > 0) {
        struct slice line = take_line(&rest);
        if (take_word(&line, prefix))
            (void)buf_add(out, line);
    }
}

static struct conf *make_conf(struct slice script)
{
    struct buf listener, account, text;
    buf_init(&listener, SCRIPT_MAX);
    buf_init(&account, SCRIPT_MAX);
    buf_init(&text, 2 * SCRIPT_MAX);
    collect(script, "config: ", &listener);
    collect(script, "account: ", &account);
    (void)buf_addf(
        &text,
        "host_name = \"mail.test\";\n"
        "tls = { certificate = \"/c.pem\"; key = \"/k.pem\"; };\n"
        "listeners = ( { name = \"in\"; address = \"127.0.0.1:587\"; %.*s } "
        ");\n"
        "accounts = ( { name = \"app\"; password = \"$y$j9T$F5Jx5fExrKuPp53xLKQ"
        "..1$p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1\";\n"
        "  from_domains = ( \"app.test\", \".sub.test\" ); %.*s } );\n"
        "sources = ( { name = \"s1\"; address = \"127.10.1.1\";\n"
        "  ehlo = \"s1.test\"; } );\n"
        "classifier = { feedback = { key_file = \"/key\"; }; };\n",
        SLICE_ARG(buf_slice(&listener)), SLICE_ARG(buf_slice(&account)));
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    if (conf_load_text("scenario", buf_slice(&text), &conf, &errors) != RC_OK)
        conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    buf_release(&listener);
    buf_release(&account);
    buf_release(&text);
    return conf;
}

/* What was said stays in the input until the session wants to read. */
static void feed(struct play *play)
{
    struct buf all = play->in;
    if (!play->by_bytes || play->want != SESSION_READ) {
        play->want =
            session_feed(play->session, &play->in, &play->out, play->now_ms);
        return;
    }
    struct buf part;
    buf_init(&part, TEXT_MAX);
    for (size_t i = 0; i < all.len; i++) {
        (void)buf_add_byte(&part, buf_slice(&all).ptr[i]);
        if (play->want == SESSION_READ)
            play->want =
                session_feed(play->session, &part, &play->out, play->now_ms);
    }
    play->want = session_feed(play->session, &part, &play->out, play->now_ms);
    buf_clear(&play->in);
    (void)buf_add(&play->in, buf_slice(&part));
    buf_release(&part);
}

static void expect(struct play *play, struct slice wanted)
{
    struct slice got = buf_slice(&play->out);
    size_t end = slice_find(got, '\n');
    struct slice line = slice_head(got, end > 0 ? end - 1 : 0);
    bool is_prefix = wanted.len > 0 && wanted.ptr[wanted.len - 1] == '*';
    if (end == got.len)
        fail(play, "a reply is missing", got);
    else if (is_prefix ? !slice_equal(slice_head(line, wanted.len - 1),
                                      slice_head(wanted, wanted.len - 1))
                       : !slice_equal(line, wanted))
        fail(play, "another reply was wanted", line);
    else
        buf_take(&play->out, end + 1);
}

static void check(struct play *play, struct slice line)
{
    const struct credentials *shown = session_credentials(play->session);
    struct slice user = next_word(&line);
    struct slice password = next_word(&line);
    if (play->want != SESSION_CHECK) {
        fail(play, "no check was wanted", slice_text(""));
        return;
    }
    if (!slice_equal(user, credentials_user(shown))
        || !slice_equal(password, credentials_password(shown)))
        fail(play, "other credentials", credentials_user(shown));
    session_checked(play->session,
                    slice_equal(line, SLICE("yes"))  ? SESSION_LET_IN
                    : slice_equal(line, SLICE("no")) ? SESSION_KEPT_OUT
                                                     : SESSION_NOT_NOW,
                    &play->out, play->now_ms);
    play->want = SESSION_READ;
    feed(play);
}

static void store(struct play *play, struct slice line)
{
    if (play->want != SESSION_PUT) {
        fail(play, "no message is there", buf_slice(&play->out));
        return;
    }
    struct message *message =
        session_message(play->session, FIRST_ID, UINT64_C(1767225600000));
    buf_clear(&play->body);
    (void)buf_add(&play->body, body_slice(message->body));
    message_free(&message);
    session_stored(play->session,
                   slice_equal(line, SLICE("ok"))      ? RC_OK
                   : slice_equal(line, SLICE("limit")) ? RC_LIMIT
                                                       : RC_IO,
                   FIRST_ID, &play->out, play->now_ms);
    play->want = SESSION_READ;
    feed(play);
}

static void look_at_body(struct play *play, struct slice line)
{
    struct buf wanted;
    bool is_there = !take_word(&line, "!");
    buf_init(&wanted, SCRIPT_MAX);
    add_escaped(&wanted, line);
    struct slice body = buf_slice(&play->body);
    bool found = slice_find_slice(body, buf_slice(&wanted)) < body.len;
    if (found != is_there)
        fail(play, is_there ? "the body lacks this" : "the body has this",
             line);
    buf_release(&wanted);
}

static void wait(struct play *play, struct slice line)
{
    uint64_t ms = 0;
    if (!slice_number(line, UINT64_MAX, &ms))
        fail(play, "no number", line);
    play->now_ms += ms;
    if (play->now_ms < session_deadline_ms(play->session))
        return;
    session_time_out(play->session, &play->out);
    feed(play);
}

static void start_tls(struct play *play)
{
    if (play->want != SESSION_START_TLS)
        fail(play, "no TLS was wanted", buf_slice(&play->out));
    buf_clear(&play->in); /* as conn_start_tls() does */
    session_secured(play->session, "TLSv1.3", "TLS_AES_256_GCM_SHA384",
                    play->now_ms);
    play->want = SESSION_READ;
}

static void repeat(struct play *play, struct slice line)
{
    uint64_t times = 0;
    if (!slice_number(next_word(&line), TEXT_MAX, &times))
        fail(play, "no number", line);
    for (uint64_t i = 0; i < times; i++) {
        add_escaped(&play->in, line);
        /* Like the buffer of a connection, which is never much fuller. */
        if (play->in.len > SUBMISSION_IN_MAX / 2)
            feed(play);
    }
    feed(play);
}

static void act(struct play *play, struct slice line)
{
    if (take_word(&line, "C: ") || take_word(&line, "C:")) {
        (void)buf_add(&play->in, line);
        (void)buf_add(&play->in, SLICE("\r\n"));
        feed(play);
    } else if (take_word(&line, "C- ")) {
        add_escaped(&play->in, line);
        feed(play);
    } else if (take_word(&line, "S: ")) {
        expect(play, line);
    } else if (take_word(&line, "S-")) {
        if (play->out.len > 0)
            fail(play, "no reply was wanted", buf_slice(&play->out));
    } else if (take_word(&line, "REPEAT ")) {
        repeat(play, line);
    } else if (take_word(&line, "CHECK ")) {
        check(play, line);
    } else if (take_word(&line, "STORED ")) {
        store(play, line);
    } else if (take_word(&line, "BODY ")) {
        look_at_body(play, line);
    } else if (take_word(&line, "WAIT ")) {
        wait(play, line);
    } else if (take_word(&line, "ROOM ")) {
        play->has_room = slice_equal(line, SLICE("yes"));
    } else if (take_word(&line, "MEMORY ")) {
        if (!slice_number(line, UINT64_MAX, &play->memory))
            fail(play, "no number", line);
    } else if (take_word(&line, "TLS")) {
        start_tls(play);
    } else if (take_word(&line, "DRAIN")) {
        session_drain(play->session, &play->out);
        feed(play);
    } else if (take_word(&line, "CLOSED")) {
        if (play->want != SESSION_CLOSE)
            fail(play, "it has not ended", buf_slice(&play->out));
    } else if (line.len > 0 && line.ptr[0] != '#'
               && !take_word(&line, "config: ")
               && !take_word(&line, "account: ")) {
        fail(play, "not a line of a script", line);
    }
}

/* A report says what is to be said of it. */
static enum rc reports(void *context, const struct conf *conf,
                       struct slice report)
{
    (void)context;
    (void)conf;
    if (slice_find_slice(report, SLICE("not ours")) < report.len)
        return RC_NONE;
    if (slice_find_slice(report, SLICE("not now")) < report.len)
        return RC_LIMIT;
    return slice_find_slice(report, SLICE("a report")) < report.len ? RC_OK
                                                                    : RC_SYNTAX;
}

static void run(struct play *play, struct slice script)
{
    const struct session_host host = { .accepts = accepts,
                                       .reports = reports,
                                       .resizes = resizes,
                                       .context = play };
    const struct session_client client = { .ip = "192.0.2.1" };
    const struct session_setting setting = {
        .conf = play->conf,
        .policy = play->policy,
        .sketcher = play->sketcher,
        .listener = &play->conf->listeners[0],
        .has_tls = play->conf->listeners[0].tls != LISTENER_PLAIN,
    };
    play->session = session_new(&setting, &host, &client, play->now_ms);
    session_greet(play->session, &play->out);
    struct slice rest = script;
    while (rest.len > 0 && !play->failed) {
        play->line++;
        act(play, take_line(&rest));
    }
    session_free(&play->session);
}

static bool play_script(struct slice script, bool by_bytes)
{
    struct play play = { .now_ms = 1000,
                         .has_room = true,
                         .memory = UINT64_MAX,
                         .by_bytes = by_bytes };
    play.conf = make_conf(script);
    if (!play.conf)
        return false;
    play.policy = policy_new(play.conf);
    play.sketcher = sketcher_new();
    buf_init(&play.in, TEXT_MAX);
    buf_init(&play.out, TEXT_MAX);
    buf_init(&play.body, TEXT_MAX);
    run(&play, script);
    buf_release(&play.in);
    buf_release(&play.out);
    buf_release(&play.body);
    policy_free(&play.policy);
    sketcher_free(&play.sketcher);
    conf_release(&play.conf);
    return !play.failed;
}

int main(int argc, char **argv)
{
    char *script = mem_new(SCRIPT_MAX, 1);
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        (void)fprintf(stderr, "usage: run_submission SCRIPT\n");
        mem_free(script);
        return 2;
    }
    size_t len = fread(script, 1, SCRIPT_MAX, file);
    (void)fclose(file);
    bool is_good = play_script(slice_of(script, len), false)
                   && play_script(slice_of(script, len), true);
    mem_free(script);
    return is_good ? 0 : 1;
}
