/*
 * file.h - the file that keeps templates: its form, and its one way of writing.
 *
 *     file   = magic *record
 *     magic  = "SYDTPL" 0 version
 *     record = length (u32)  sum (u64, record_sum() of the payload)  payload
 *     payload: template_record_pack(); numbers are little endian
 *
 * Reading is total: a record whose sum is wrong is stepped over, one whose
 * length leads out of the file ends it. Writing makes the whole file anew
 * beside the old one, syncs it, renames it over, syncs the folder: after a crash
 * there is the old file or the new one.
 */
#ifndef ROUTER_TEMPLATES_FILE_H
#define ROUTER_TEMPLATES_FILE_H

#include "router/templates/packed.h"

#define TEMPLATES_FILE_MAX (256u << 20)

/* The tenant lives until it returns. */
typedef void templates_file_fn(void *context,
                               const struct template_record *record);

void templates_file_begin(struct buf *out);
bool templates_file_add(struct buf *out, const struct template_record *record);

/* Calls `fn` for each record that can be read. False when there was anything
 * else in the bytes. No bytes at all are a good file. */
bool templates_file_parse(struct slice bytes, templates_file_fn *fn,
                          void *context);

/* The whole file in the folder; RC_NONE: there is none. */
enum rc templates_file_read(int folder_fd, struct buf *bytes,
                            struct fault *fault) must_check;
enum rc templates_file_write(int folder_fd, struct slice bytes,
                             struct fault *fault) must_check;

/* Keeps what is there under the name templates.damaged, for people. */
void templates_file_set_aside(int folder_fd);

#endif
