/* lines.c - the messages and complaints that the event log tells of. */
#include "router/classify/lines.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 65537 /* the event log's longest, and a NUL */

/* To read a line as JSON costs much more than to see that it need not be. */
static bool is_wanted(struct slice line)
{
    return slice_find_slice(line, SLICE("\"event\":\"accepted\"")) < line.len
           || slice_find_slice(line, SLICE("\"event\":\"complaint\""))
                  < line.len;
}

static void hear(struct slice line, lines_fn *fn, void *context)
{
    struct fault fault;
    if (!is_wanted(line))
        return;
    struct answer *answer = answer_parse(line, &fault);
    if (answer)
        fn(context, answer_root(answer));
    answer_free(&answer);
}

bool lines_each(const char *path, lines_fn *fn, void *context)
{
    char line[LINE_SIZE];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file))
        hear(slice_text(line), fn, context);
    bool is_read = ferror(file) == 0;
    (void)fclose(file);
    return is_read;
}

bool lines_each_of(const struct conf *conf, lines_fn *fn, void *context)
{
    char before[PATH_MAX];
    const char *path = conf->log.events;
    if (strcmp(path, "-") == 0) {
        errno = EINVAL;
        return false;
    }
    (void)snprintf(before, sizeof before, "%s.1", path);
    (void)lines_each(before, fn, context); /* there may be none */
    return lines_each(path, fn, context);
}
