/*
 * takings.h - what is taken of budgets, written down as it is taken.
 *
 *     templates.0  templates.1      form: file.h; appended to, never changed
 *
 * The file of all templates (file.h) is written now and then; here is what was
 * taken since. By turns, of two files: while all is written anew, the one before
 * still has what the last such file lacks, and the other hears the news.
 *
 * A record is appended in one write(), before its message is taken, and says what
 * was taken in all: so a process that is killed forgets nothing, and it is no
 * matter if one is read twice, or late. Only a machine that loses its power
 * forgets what came since the last takings_sync().
 *
 * Any thread may add; all else is for one.
 */
#ifndef ROUTER_TEMPLATES_TAKINGS_H
#define ROUTER_TEMPLATES_TAKINGS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "router/templates/file.h"

struct takings;

/* Without a file, until its first turn. The folder must stay open. */
struct takings *takings_new(int folder_fd) must_check;
void takings_free(struct takings **takings);

/* What both files have. False: one cannot be read to its end, as it may be after
 * a loss of power. */
bool takings_read(int folder_fd, templates_file_fn *fn, void *context);

/* Goes on in the other file, which is emptied. After a failure it goes on as
 * before. */
enum rc takings_turn(struct takings *takings, struct fault *fault) must_check;

/* Dropped when there is no file to write to. */
void takings_add(struct takings *takings, const struct template_record *record);

/* Is there a file, and did it take everything? */
bool takings_is_whole(struct takings *takings);

/* Bytes that were added since it turned. */
size_t takings_bytes(struct takings *takings);

/* What was added is on the disk. */
enum rc takings_sync(struct takings *takings, struct fault *fault) must_check;

#endif
