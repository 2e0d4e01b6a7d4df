/* log.c - the diagnostic log on stderr. */
#include "common/edge/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/time.h"

#define LINE_MAX_BYTES 2048

/* The log sink: set once at start, the level also later, by any thread. */
static struct {
    _Atomic(const char *) who;
    atomic_int level;
} sink = { "sendyard", LOG_WARNING };

static const char *const level_words[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

void log_open(const char *who, enum log_level level)
{
    atomic_store(&sink.who, who);
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store(&sink.level, (int)level);
}

bool log_level_of(const char *word, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_LEN(level_words); i++) {
        if (strcmp(word, level_words[i]) != 0)
            continue;
        *level = (enum log_level)i;
        return true;
    }
    return false;
}

/* Whatever a caller forgot to quote cannot start a line of its own. */
static void clean(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            text[i] = '?';
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level < atomic_load(&sink.level))
        return;
    char date[TIME_RFC3339_SIZE];
    time_rfc3339(time_utc_ms(), date);

    char line[LINE_MAX_BYTES];
    int head = snprintf(line, sizeof line, "%s %s %s event=%s ", date,
                        level_words[level], atomic_load(&sink.who), event);
    if (head < 0 || (size_t)head >= sizeof line)
        return;
    size_t len = (size_t)head;

    va_list args;
    va_start(args, format);
    int rest = vsnprintf(line + len, sizeof line - len, format, args);
    va_end(args);
    if (rest < 0)
        return;
    len += (size_t)rest;
    if (rest == 0)
        len--; /* the blank before the first key */
    if (len > sizeof line - 1)
        len = sizeof line - 1;
    clean(line, len);
    line[len++] = '\n';
    /* There is nobody to tell that the log itself is gone. */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

void log_fault(enum log_level level, const char *event,
               const struct fault *fault)
{
    struct log_quoted reason = log_quote(fault->text, strlen(fault->text));
    log_line(level, event, "reason=%s", reason.text);
}

/* The form of one byte, into at most 5 bytes with the NUL. */
static size_t escape(unsigned char byte, char form[5])
{
    if (byte == '"' || byte == '\\')
        return (size_t)snprintf(form, 5, "\\%c", byte);
    if (byte < ' ' || byte > '~')
        return (size_t)snprintf(form, 5, "\\x%02x", byte);
    return (size_t)snprintf(form, 5, "%c", byte);
}

struct log_quoted log_quote(const char *ptr, size_t len)
{
    static const char cut[] = "...\"";
    struct log_quoted quoted = { "\"" };
    size_t used = 1;
    for (size_t i = 0; i < len; i++) {
        char form[5];
        size_t need = escape((unsigned char)ptr[i], form);
        if (used + need + sizeof cut > sizeof quoted.text) {
            memcpy(quoted.text + used, cut, sizeof cut);
            return quoted;
        }
        memcpy(quoted.text + used, form, need);
        used += need;
    }
    quoted.text[used] = '"';
    return quoted;
}
