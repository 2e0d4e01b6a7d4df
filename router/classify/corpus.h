/*
 * corpus.h - labelled messages in a folder with a manifest.
 *
 * FOLDER/manifest.jsonl has one object a line; of its members count:
 *
 *     file      path of the message, relative to the folder
 *     label     transactional, bulk, personal, system; any other is kept apart
 *     kind      what it is more closely: reset, receipt, newsletter ...
 *     source    who sends such mail; models are tried on sources that they were
 *               not made of
 *     template  instances of one have the same
 *     real      true: nobody made it up; a source of real mail has many senders
 *     rcpt      whom this one was sent to
 */
#ifndef ROUTER_CLASSIFY_CORPUS_H
#define ROUTER_CLASSIFY_CORPUS_H

#include <stdbool.h>
#include <stdio.h>

#include "classifier/judge.h"
#include "common/base/attr.h"
#include "common/base/slice.h"

/* All borrowed, until the function returns. */
struct corpus_message {
    const char *file;
    const char *kind;
    const char *source;
    const char *template;
    struct slice rcpt;
    bool is_real;
    bool is_known; /* the label is one of ours */
    enum judge_kind label;
    struct slice header;
    struct slice body;
};

typedef void corpus_fn(void *context, const struct corpus_message *message);

/* Calls `fn` for each message. False when something could not be read; then
 * `err` was told, and what could be read was. */
bool corpus_each(const char *folder, corpus_fn *fn, void *context,
                 FILE *err) must_check;

#endif
