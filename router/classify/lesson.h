/*
 * lesson.h - the labelled messages that a model is to learn from.
 *
 * Read from CLASS=PATH (bag.h), corpus=FOLDER (corpus.h) and samples=FOLDER
 * (shelf.h). The sender of a
 * message is the domain of its From field; of what a corpus made up, its source.
 * Mail of systems is known by its form and teaches nothing.
 */
#ifndef ROUTER_CLASSIFY_LESSON_H
#define ROUTER_CLASSIFY_LESSON_H

#include <stdio.h>

#include "classifier/training/samples.h"
#include "classifier/training/wordlist.h"
#include "common/base/attr.h"
#include "common/base/table.h"

#define LESSON_SOURCES_MAX 256u
#define LESSON_NAME_SIZE   64u

/* Where samples came from, for the model's file. */
struct lesson_source {
    char name[LESSON_NAME_SIZE];
    uint32_t counts[MODEL_CLASSES];
};

struct lesson {
    struct samples samples;
    struct wordlist *words;
    uint32_t sender_count;
    uint32_t counts[MODEL_CLASSES];
    uint32_t left_out;                                /* with another label */
    struct lesson_source sources[LESSON_SOURCES_MAX]; /* the last: all others */
    size_t source_count;
    /* While it is read. */
    struct table senders;
    struct sketcher *sketcher;
    struct sketch sketch;
};

struct lesson *lesson_new(void) must_check;
void lesson_free(struct lesson **lesson);

/* Reads "bulk=PATH", "corpus=FOLDER" or "samples=FOLDER". False with `err` told. */
bool lesson_read(struct lesson *lesson, const char *word, FILE *err) must_check;

#endif
