/* loader.c - a file set in, a checked conf out; or every error, and no conf. */
#include "config/loader.h"

#include <limits.h>

#include "common/base/check.h"
#include "config/builtin.h"
#include "config/derive.h"
#include "config/files.h"
#include "config/fill.h"
#include "config/verify.h"

/* FNV-1a over the text as read: without comments, includes in place. */
static uint64_t digest_of(struct slice text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Each step needs that the ones before it found nothing. */
static void build(struct fill *fill, struct reader *reader)
{
    struct conf_errors *errors = fill->errors;
    struct conf *conf = &fill->holder->conf;
    struct node root = { 0 };
    if (errors->count > 0 || !tree_parse(reader, &root))
        return;
    conf->digest = digest_of(buf_slice(&reader->text));
    root.place = reader_place(reader, 1);
    builtin_complete(&fill->holder->arena, errors, &root);
    fill_values(fill, &schema_root, &root, conf);
    fill_references(fill, &schema_root, &root, conf);
    if (errors->count > 0)
        return;
    derive_all(fill);
    verify_all(conf, errors);
    holder_index_accounts(fill->holder);
}

/* Takes the holder over. */
static enum rc finish(struct holder *holder, struct conf_errors *errors,
                      struct conf **conf)
{
    struct conf *built = &holder->conf;
    if (errors->count == 0) {
        *conf = built;
        return RC_OK;
    }
    conf_errors_sort(errors);
    conf_release(&built);
    return RC_SYNTAX;
}

enum rc conf_load_for(const char *path, enum conf_files files,
                      struct conf **conf, struct conf_errors *errors)
{
    struct holder *holder = holder_new();
    scoped(reader_release) struct reader reader;
    reader_init(&reader, &holder->arena, errors);
    scoped(buf_release) struct buf folder;
    buf_init(&folder, PATH_MAX);
    struct fault fault;
    if (files_folder(&folder, path, &fault) != RC_OK) {
        conf_errors_add(errors, (struct conf_place){ path, 0 }, "%s",
                        fault.text);
        return finish(holder, errors, conf);
    }
    struct fill fill = { .holder = holder,
                         .errors = errors,
                         .folder = buf_slice(&folder).ptr,
                         .files = files };
    reader_add_file(&reader, path);
    build(&fill, &reader);
    return finish(holder, errors, conf);
}

enum rc conf_load(const char *path, struct conf **conf,
                  struct conf_errors *errors)
{
    return conf_load_for(path, CONF_FILES_ALL, conf, errors);
}

enum rc conf_load_text(const char *name, struct slice text, struct conf **conf,
                       struct conf_errors *errors)
{
    struct holder *holder = holder_new();
    scoped(reader_release) struct reader reader;
    reader_init(&reader, &holder->arena, errors);
    struct fill fill = { .holder = holder,
                         .errors = errors,
                         .folder = "",
                         .files = CONF_FILES_NONE };
    reader_add_text(&reader, holder_text(holder, slice_text(name)), text);
    build(&fill, &reader);
    return finish(holder, errors, conf);
}
