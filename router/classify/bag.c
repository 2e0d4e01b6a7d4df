/* bag.c - messages out of whatever holds them. */
#include "router/classify/bag.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "router/classify/mailbox.h"
#include "router/classify/trouble.h"
#include "router/control/answer.h"

#define FOLDERS_DEPTH 16u

struct bag {
    bag_fn *fn;
    void *context;
    FILE *err;
    bool is_whole; /* all could be read */
    bool is_over;  /* the user has enough */
    unsigned depth;
};

static void complain(struct bag *bag, const char *path, const char *what)
{
    bag->is_whole = false;
    (void)fprintf(bag->err, "%s: %s\n", path, what);
}

static void fail(struct bag *bag, const char *path)
{
    bag->is_whole = false;
    trouble_tell(path, bag->err);
}

/* Standard input is read as it is open: who made the pipe is somebody else where
 * an MTA did, and then its name cannot be opened. */
bool bag_read(const char *path, struct buf *bytes, FILE *err)
{
    bool is_input = strcmp(path, "-") == 0;
    if (is_input ? file_read_open(STDIN_FILENO, bytes) : file_read(path, bytes))
        return true;
    trouble_tell(path, err);
    return false;
}

static void give(struct bag *bag, const char *path, size_t number,
                 struct slice bytes, struct slice rcpt)
{
    char name[PATH_MAX + 24];
    int len = number > 0 ? snprintf(name, sizeof name, "%s:%zu", path, number)
                         : snprintf(name, sizeof name, "%s", path);
    const struct bag_message message = {
        .name = slice_of(name, len > 0 ? (size_t)len : 0),
        .bytes = bytes,
        .rcpt = rcpt,
    };
    bag->is_over = !bag->fn(bag->context, &message);
}

static void read_mailbox(struct bag *bag, const char *path, struct slice bytes)
{
    struct cursor cursor = cursor_of(bytes);
    struct slice message;
    for (size_t number = 1; !bag->is_over && mailbox_next(&cursor, &message);
         number++)
        give(bag, path, number, message, slice_text(NULL));
}

static void read_file(struct bag *bag, const char *path, struct slice rcpt);

/* A path that a line of the file `from` names. */
static void read_named(struct bag *bag, const char *from, const char *target,
                       struct slice rcpt)
{
    char whole[PATH_MAX];
    const char *slash = strrchr(from, '/');
    int folder = target[0] != '/' && slash ? (int)(slash - from) + 1 : 0;
    if (snprintf(whole, sizeof whole, "%.*s%s", folder, from, target)
        >= (int)sizeof whole)
        complain(bag, target, "the path is too long");
    else
        read_file(bag, whole, rcpt);
}

static void read_line(struct bag *bag, const char *path, size_t number,
                      struct slice line)
{
    struct fault fault;
    struct answer *answer = answer_parse(line, &fault);
    if (!answer) {
        bag->is_whole = false;
        (void)fprintf(bag->err, "%s:%zu: %s\n", path, number, fault.text);
        return;
    }
    const struct value *root = answer_root(answer);
    struct slice rcpt = slice_text(value_text(root, "rcpt"));
    const char *file = value_text(root, "file");
    if (file[0] != '\0' && bag->depth < FOLDERS_DEPTH) {
        bag->depth++;
        read_named(bag, path, file, rcpt);
        bag->depth--;
    } else if (value_member(root, "message")) {
        give(bag, path, number, slice_text(value_text(root, "message")), rcpt);
    } else {
        bag->is_whole = false;
        (void)fprintf(bag->err, "%s:%zu: names neither message nor file\n",
                      path, number);
    }
    answer_free(&answer);
}

static void read_lines(struct bag *bag, const char *path, struct slice text)
{
    struct slice line;
    for (size_t number = 1; text.len > 0 && !bag->is_over; number++) {
        line = slice_head(text, slice_find(text, '\n'));
        text = slice_from(text, line.len + 1);
        if (!slice_is_empty(slice_trim(line)))
            read_line(bag, path, number, line);
    }
}

static void read_file(struct bag *bag, const char *path, struct slice rcpt)
{
    struct buf bytes;
    buf_init(&bytes, BAG_FILE_MAX);
    if (!bag_read(path, &bytes, bag->err))
        bag->is_whole = false;
    else if (slice_starts_nocase(buf_slice(&bytes), SLICE("{")))
        read_lines(bag, path, buf_slice(&bytes));
    else if (mailbox_is(buf_slice(&bytes)))
        read_mailbox(bag, path, buf_slice(&bytes));
    else
        give(bag, path, 0, buf_slice(&bytes), rcpt);
    buf_release(&bytes);
}

static int is_mail(const struct dirent *entry)
{
    struct slice name = slice_text(entry->d_name);
    return entry->d_name[0] != '.' && !slice_equal(name, SLICE("tmp"))
           && !slice_ends_nocase(name, SLICE(".new"))
           && !slice_ends_nocase(name, SLICE(".json"))
           && !slice_ends_nocase(name, SLICE(".jsonl"));
}

static void read_any(struct bag *bag, const char *path);

static void read_folder(struct bag *bag, const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_mail, alphasort);
    if (count < 0)
        fail(bag, path);
    for (int i = 0; i < count; i++) {
        char whole[PATH_MAX];
        if (bag->is_over) {
            /* Nothing more is asked for; the names are still ours to free. */
        } else if (snprintf(whole, sizeof whole, "%s/%s", path,
                            entries[i]->d_name)
                   >= (int)sizeof whole) {
            complain(bag, path, "the path is too long");
        } else {
            read_any(bag, whole);
        }
        mem_free(entries[i]);
    }
    mem_free(entries);
}

static void read_any(struct bag *bag, const char *path)
{
    struct stat info = { .st_mode = 0 };
    if (strcmp(path, "-") != 0 && stat(path, &info) != 0) {
        fail(bag, path);
    } else if (!S_ISDIR(info.st_mode)) {
        read_file(bag, path, slice_text(NULL));
    } else if (bag->depth == FOLDERS_DEPTH) {
        complain(bag, path, "too deep");
    } else {
        bag->depth++;
        read_folder(bag, path);
        bag->depth--;
    }
}

bool bag_each(const char *path, bag_fn *fn, void *context, FILE *err)
{
    struct bag bag = {
        .fn = fn, .context = context, .err = err, .is_whole = true
    };
    read_any(&bag, path);
    return bag.is_whole && !bag.is_over;
}

void bag_split(struct slice message, struct header_split *split)
{
    const enum rc rc = header_split(message, split);
    (void)rc; /* what stopped it is where the body begins */
}
