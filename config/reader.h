/*
 * reader.h - the text of all files, made safe for libconfig.
 *
 * libconfig 1.5 exits on an include that is a folder, accepts an open comment,
 * wraps big integers, refuses trailing commas and knows no globs. So it never
 * sees a file: the reader opens them, follows `@include "glob"` (relative to
 * the including file, in sorted order), takes comments out, drops the last
 * comma of lists, writes integers beyond 32 bits as 64-bit ones, and gives one
 * text together with the place that each of its lines came from.
 *
 * It checks the words only (texts, numbers, brackets, bytes); the grammar is
 * libconfig's. Places live in the arena given, which outlives the reader.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "config/errors.h"

#define READER_TEXT_MAX    (16u << 20) /* bytes, all files together */
#define READER_FILES_MAX   10000
#define READER_INCLUDE_MAX 16 /* files inside files */
#define READER_NEST_MAX    32 /* brackets inside brackets */

enum reader_token {
    TOKEN_OTHER,
    TOKEN_OPEN,
    TOKEN_ASSIGN,
    TOKEN_COMMA,
    TOKEN_TEXT,
};

struct reader_bracket {
    char byte;
    struct conf_place place;
};

struct reader {
    struct arena *arena;
    struct conf_errors *errors;
    struct buf text;
    struct conf_place *places; /* of line i + 1 of the text */
    size_t line_count;
    size_t line_room;
    size_t file_count;
    enum reader_token last; /* the token before, across files */
    size_t comma;           /* where in the text it is, for TOKEN_COMMA */
    bool comma_may_go;      /* something came before it in the list */
    struct reader_bracket brackets[READER_NEST_MAX];
    size_t depth;
};

void reader_init(struct reader *reader, struct arena *arena,
                 struct conf_errors *errors);
void reader_release(struct reader *reader);

/* Reads a file and all it includes. What is wrong goes to the errors; when
 * there is any the text must not be used. */
void reader_add_file(struct reader *reader, const char *path);

/* The same for text in memory, which may not include files. */
void reader_add_text(struct reader *reader, const char *name,
                     struct slice text);

/* Where line `line` (from 1) of the text was written. */
struct conf_place reader_place(const struct reader *reader, unsigned line);

#endif
