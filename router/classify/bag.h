/*
 * bag.h - messages out of whatever holds them.
 *
 *     a file      one message; a mailbox when it begins with "From "; JSON lines
 *                 when it begins with "{"
 *     a folder    all files in it and below, in the order of their names; of a
 *                 maildir what is in cur and new; nothing that is hidden or
 *                 ends in .new, .json or .jsonl
 *     "-"         standard input, as a file
 *
 * A JSON line is {"message": TEXT} or {"file": PATH}, with "rcpt" if it is
 * known; a relative path is relative to the file that names it.
 */
#ifndef ROUTER_CLASSIFY_BAG_H
#define ROUTER_CLASSIFY_BAG_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/proto/header.h"

#define BAG_FILE_MAX (1u << 30)

/* All borrowed, until the function returns. */
struct bag_message {
    struct slice name; /* path, and ":3" behind it for the third in a file */
    struct slice bytes;
    struct slice rcpt; /* empty: not known */
};

/* False: enough. */
typedef bool bag_fn(void *context, const struct bag_message *message);

/* Calls `fn` for each message at `path`. False when something could not be
 * read, or `fn` had enough; of the former `err` was told, and what could be read
 * was. */
bool bag_each(const char *path, bag_fn *fn, void *context,
              FILE *err) must_check;

/* The whole of a file, added to `bytes`. False with `err` told. */
bool bag_read(const char *path, struct buf *bytes, FILE *err) must_check;

/* Cuts a message at the end of its header. One that ends badly is taken as far
 * as it goes. */
void bag_split(struct slice message, struct header_split *split);

#endif
