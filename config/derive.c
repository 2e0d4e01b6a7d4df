/* derive.c - values that follow from others, and what is in other files. */
#include "config/derive.h"

#include "common/base/check.h"
#include "config/files.h"
#include "config/names.h"

#define LINE_FILE_MAX    4096
#define PROXY_WORD_MAX   255 /* RFC 1929 */
#define FEEDBACK_KEY_MIN 16
#define FEEDBACK_KEY_MAX 256

static const char *join(struct holder *holder, const char *a, const char *b)
{
    scoped(buf_release) struct buf text;
    buf_init(&text, 65536);
    (void)buf_add_text(&text, a);
    (void)buf_add_text(&text, b);
    return holder_text(holder, buf_slice(&text));
}

/* The first line of a file that is short, trimmed. */
static enum rc read_line(const char *path, struct buf *text, struct slice *line,
                         struct fault *fault)
{
    struct stat info;
    buf_init(text, LINE_FILE_MAX);
    const enum rc rc = files_read(path, text, &info, fault);
    const struct slice whole = buf_slice(text);
    *line = slice_trim(slice_head(whole, slice_find(whole, '\n')));
    return rc;
}

/* The first line of the account's file is its hash. */
static void read_hash(struct fill *fill, struct conf_account *account)
{
    scoped(buf_release) struct buf text;
    struct slice line;
    struct fault fault;
    if (read_line(account->password_file, &text, &line, &fault) != RC_OK) {
        conf_errors_add(fill->errors, account->place,
                        "account '%s': password_file: %s", account->name,
                        fault.text);
        return;
    }
    if (names_is_hash(line))
        account->password_hash = holder_text(fill->holder, line);
    else
        conf_errors_add(fill->errors, account->place,
                        "account '%s': the first line of '%s' is no crypt(5) "
                        "hash; make one with `sendyard password`",
                        account->name, account->password_file);
}

static void read_login(struct fill *fill, struct conf_source *source)
{
    scoped(buf_release) struct buf text;
    struct slice line;
    struct fault fault;
    if (read_line(source->proxy_login_file, &text, &line, &fault) != RC_OK)
        return; /* the path was told as one that cannot be read */
    const size_t colon = slice_find(line, ':');
    if (colon > 0 && colon <= PROXY_WORD_MAX && colon + 1 < line.len
        && line.len - colon - 1 <= PROXY_WORD_MAX)
        source->proxy_login = holder_text(fill->holder, line);
    else
        conf_errors_add(fill->errors, source->place,
                        "source '%s': the first line of '%s' is no "
                        "NAME:PASSWORD, each of at most %d bytes",
                        source->name, source->proxy_login_file, PROXY_WORD_MAX);
}

static void read_key(struct fill *fill, struct conf_classifier *classifier)
{
    struct conf_feedback *feedback = &classifier->feedback;
    scoped(buf_release) struct buf text;
    struct slice line;
    struct fault fault;
    if (read_line(feedback->key_file, &text, &line, &fault) != RC_OK)
        return; /* the path was told as one that cannot be read */
    if (line.len >= FEEDBACK_KEY_MIN && line.len <= FEEDBACK_KEY_MAX)
        feedback->key = holder_text(fill->holder, line);
    else
        conf_errors_add(fill->errors, classifier->place,
                        "feedback.key_file: the first line of '%s' is no key "
                        "of %d to %d bytes",
                        feedback->key_file, FEEDBACK_KEY_MIN, FEEDBACK_KEY_MAX);
}

static void derive_sources(struct fill *fill)
{
    struct conf *conf = &fill->holder->conf;
    for (size_t i = 0; i < conf->source_count; i++)
        if (conf->sources[i].proxy_login_file && fill->files != CONF_FILES_NONE)
            read_login(fill, &conf->sources[i]);
}

static void derive_key(struct fill *fill)
{
    struct conf_classifier *classifier = &fill->holder->conf.classifier;
    if (classifier->feedback.key_file && fill->files == CONF_FILES_ALL)
        read_key(fill, classifier);
}

static void derive_accounts(struct fill *fill)
{
    struct conf *conf = &fill->holder->conf;
    for (size_t i = 0; i < conf->account_count; i++) {
        struct conf_account *account = &conf->accounts[i];
        if (!account->password_hash == !account->password_file)
            conf_errors_add(fill->errors, account->place,
                            "account '%s': give password (a hash, made by "
                            "`sendyard password`) or password_file, one of "
                            "the two",
                            account->name);
        else if (account->password_file && fill->files == CONF_FILES_ALL)
            read_hash(fill, account);
    }
}

static void derive_limits(struct conf *conf)
{
    for (size_t i = 0; i < conf->limits_count; i++) {
        struct conf_limits *entry = &conf->limits[i];
        entry->scope = entry->domain     ? SCOPE_DOMAIN
                       : entry->provider ? SCOPE_PROVIDER
                                         : SCOPE_DEFAULT;
        entry->name = entry->domain     ? entry->domain
                      : entry->provider ? entry->provider->name
                                        : "default";
    }
    conf->limits[0].values[LIMIT_MX_DENY].is_set = true;
    struct conf_limit *retry = &conf->limits[0].values[LIMIT_RETRY_AFTER];
    if (!retry->is_set)
        *retry = (struct conf_limit){ .is_set = true,
                                      .place = { "default", 0 },
                                      .schedule = &conf->retry };
}

/* The first stream whose class is `least` or lower; classes fall as their
 * numbers rise. */
static const struct conf_stream *stream_of(const struct conf *conf,
                                           enum conf_class least)
{
    const struct conf_stream *best = NULL;
    for (size_t i = 0; i < conf->stream_count; i++) {
        const struct conf_stream *stream = &conf->streams[i];
        if (stream->class >= least && (!best || stream->class < best->class))
            best = stream;
    }
    return best;
}

static void derive_classes(struct conf *conf)
{
    CHECK(conf->streams);
    const struct conf_stream *lowest = NULL;
    for (size_t i = 0; i < conf->stream_count; i++)
        if (!lowest || conf->streams[i].class > lowest->class)
            lowest = &conf->streams[i];
    for (unsigned level = 0; level < CONF_CLASS_COUNT; level++) {
        if (conf->classifier.streams[level])
            continue;
        const struct conf_stream *stream =
            stream_of(conf, (enum conf_class)level);
        conf->classifier.streams[level] = stream ? stream : lowest;
    }
    const struct conf_stream *neutral = conf->classifier.streams[CLASS_NEUTRAL];
    if (!conf->classifier.personal)
        conf->classifier.personal = neutral;
    if (!conf->classifier.system)
        conf->classifier.system = neutral;
}

#define HARD_SHARE 4

static void derive_marks(struct conf_spool *spool)
{
    if (spool->hard_free == 0)
        spool->hard_free = spool->min_free / HARD_SHARE;
    if (spool->hard_free_inodes == 0)
        spool->hard_free_inodes = spool->min_free_inodes / HARD_SHARE;
}

void derive_all(struct fill *fill)
{
    struct holder *holder = fill->holder;
    struct conf *conf = &holder->conf;
    CHECK(conf->host_name);
    if (!conf->postmaster)
        conf->postmaster = join(holder, "postmaster@", conf->host_name);
    for (size_t i = 0; i < conf->source_count; i++)
        if (!conf->sources[i].ehlo)
            conf->sources[i].ehlo = conf->host_name;
    for (size_t i = 0; i < conf->router_count; i++)
        if (!conf->routers[i].bus)
            conf->routers[i].bus =
                join(holder, join(holder, "ipc://", conf->run_dir), "/bus");
    derive_marks(&conf->spool);
    derive_limits(conf);
    derive_classes(conf);
    derive_accounts(fill);
    derive_sources(fill);
    derive_key(fill);
}
