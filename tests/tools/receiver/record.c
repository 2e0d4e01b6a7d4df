/* record.c - the append-only account of everything that happened. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define HEADER_PREFIX "X-Sendyard-"

bool record_open(struct record *record, const char *path,
                 const char *eml_folder)
{
    *record = (struct record){ .eml_folder = eml_folder };
    record->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    return record->fd >= 0;
}

static uint64_t utc_ms(void)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void add_member(struct text *line, const char *key, const char *value)
{
    if (value == NULL)
        return;
    text_addf(line, ",\"%s\":", key);
    text_add_json(line, value, strlen(value));
}

static void add_rcpts(struct text *line, const struct text *rcpts)
{
    if (rcpts == NULL)
        return;
    text_add_string(line, ",\"rcpts\":[");
    for (size_t at = 0; at < rcpts->len;) {
        const size_t len = strlen(rcpts->bytes + at);

        if (at > 0)
            text_add(line, ",", 1);
        text_add_json(line, rcpts->bytes + at, len);
        at += len + 1;
    }
    text_add(line, "]", 1);
}

static bool is_field(const struct field *field, const char *name)
{
    return field->name_len == strlen(name)
           && strncasecmp(field->name, name, field->name_len) == 0;
}

static void add_field(struct text *line, const char *key,
                      const struct field *field)
{
    text_addf(line, ",\"%s\":", key);
    text_add_json(line, field->value, field->value_len);
}

/* Of a field that occurs twice, which RFC 5322 forbids, the first counts:
 * JSON should not have a member twice either. */
static void add_known_fields(struct text *line, const struct message *message)
{
    struct field field;
    bool has_id = false;
    bool has_subject = false;

    for (size_t at = 0; message_next_field(message, &at, &field);) {
        if (!has_id && is_field(&field, "Message-ID")) {
            add_field(line, "message_id", &field);
            has_id = true;
        } else if (!has_subject && is_field(&field, "Subject")) {
            add_field(line, "subject", &field);
            has_subject = true;
        }
    }
}

static void add_own_fields(struct text *line, const struct message *message)
{
    const size_t prefix_len = strlen(HEADER_PREFIX);
    struct field field;
    bool any = false;

    for (size_t at = 0; message_next_field(message, &at, &field);) {
        if (field.name_len < prefix_len
            || strncasecmp(field.name, HEADER_PREFIX, prefix_len) != 0)
            continue;
        text_add_string(line, any ? "," : ",\"headers\":{");
        text_add_json(line, field.name, field.name_len);
        text_add(line, ":", 1);
        text_add_json(line, field.value, field.value_len);
        any = true;
    }
    if (any)
        text_add(line, "}", 1);
}

static void add_message(struct text *line, const struct message *message)
{
    char digest[SHA256_HEX_BYTES];

    if (message == NULL)
        return;
    text_addf(line, ",\"size\":%" PRIu64, message->bytes);
    add_known_fields(line, message);
    add_own_fields(line, message);
    message_body_digest(message, digest);
    add_member(line, "body_sha256", digest);
}

static bool write_all(int fd, const struct text *text, size_t *written)
{
    for (*written = 0; *written < text->len;) {
        const ssize_t count =
            write(fd, text->bytes + *written, text->len - *written);

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            *written += (size_t)count;
    }
    return true;
}

static void keep_eml(const struct record *record,
                     const struct happening *happening)
{
    struct text path = { 0 };
    size_t written = 0;

    text_addf(&path, "%s/%s.eml", record->eml_folder, happening->id);
    const int fd =
        open(text_string(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, &happening->message->content, &written))
        perror(text_string(&path));
    if (fd >= 0)
        (void)close(fd);
    text_release(&path);
}

void record_add(struct record *record, const struct happening *happening)
{
    struct text *line = &record->lines;

    text_addf(line, "{\"time\":%" PRIu64, utc_ms());
    add_member(line, "provider", happening->provider);
    add_member(line, "event", happening->event);
    add_member(line, "source", happening->source);
    add_member(line, "target", happening->target);
    text_addf(line, ",\"connection\":%" PRIu64, happening->connection);
    add_member(line, "step", happening->step);
    add_member(line, "class", happening->class);
    add_member(line, "kind", happening->kind);
    add_member(line, "ehlo", happening->ehlo);
    add_member(line, "tls", happening->tls);
    if (happening->tls_resumed)
        text_add_string(line, ",\"tls_resumed\":true");
    add_member(line, "from", happening->mail_from);
    add_rcpts(line, happening->rcpts);
    add_message(line, happening->message);
    add_member(line, "id", happening->id);
    add_member(line, "reply", happening->reply);
    text_add_string(line, "}\n");

    if (record->eml_folder != NULL && happening->id != NULL
        && happening->message != NULL)
        keep_eml(record, happening);
}

bool record_flush(struct record *record)
{
    size_t written = 0;
    const bool all = write_all(record->fd, &record->lines, &written);

    text_drop_front(&record->lines, written);
    return all;
}

void record_close(struct record *record)
{
    if (record->fd >= 0)
        (void)close(record->fd);
    text_release(&record->lines);
}
