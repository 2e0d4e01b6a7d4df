/* reader.c - the text of all files, made safe for libconfig. */
#include "config/reader.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "config/files.h"

/* One file under way; they form the chain of includes. */
struct scan {
    struct reader *reader;
    const struct scan *outer;
    struct cursor cursor;
    struct conf_place at; /* file and current line */
    struct stat identity;
    size_t depth_at_start;
    unsigned level;
    bool may_include;
};

void reader_init(struct reader *reader, struct arena *arena,
                 struct conf_errors *errors)
{
    *reader = (struct reader){ .arena = arena, .errors = errors };
    buf_init(&reader->text, READER_TEXT_MAX);
}

void reader_release(struct reader *reader)
{
    buf_release(&reader->text);
    mem_free(reader->places);
    *reader = (struct reader){ 0 };
}

struct conf_place reader_place(const struct reader *reader, unsigned line)
{
    if (reader->line_count == 0)
        return (struct conf_place){ .file = "default", .line = 0 };
    size_t index = line > 0 ? line - 1 : 0;
    if (index >= reader->line_count)
        index = reader->line_count - 1;
    return reader->places[index];
}

static bool is_any(char byte, struct slice of)
{
    return slice_find(of, byte) < of.len;
}

static void begin_line(struct reader *reader, struct conf_place place)
{
    if (reader->line_count == reader->line_room) {
        reader->line_room = reader->line_room ? 2 * reader->line_room : 256;
        reader->places = mem_resize(reader->places, reader->line_room,
                                    sizeof *reader->places);
    }
    reader->places[reader->line_count++] = place;
}

static void emit(struct scan *scan, struct slice bytes)
{
    if (bytes.len > 0)
        (void)buf_add(&scan->reader->text, bytes);
}

static void end_line(struct scan *scan)
{
    emit(scan, SLICE("\n"));
    begin_line(scan->reader, scan->at);
}

static void token(struct scan *scan, enum reader_token kind)
{
    scan->reader->last = kind;
}

/* Takes the rest of a block comment; its line ends stay in the text. */
static void skip_block_comment(struct scan *scan)
{
    struct conf_place start = scan->at;
    struct cursor *cursor = &scan->cursor;
    while (!cursor_done(cursor)) {
        if (cursor_word(cursor, SLICE("*/")))
            return;
        if (*cursor->at++ == '\n') {
            scan->at.line++;
            end_line(scan);
        }
    }
    conf_errors_add(scan->reader->errors, start,
                    "the comment that begins here never ends");
}

static void skip_line_comment(struct scan *scan)
{
    struct slice rest = cursor_rest(&scan->cursor);
    scan->cursor.at += slice_find(rest, '\n');
}

/* One escape after its backslash. libconfig keeps unknown ones as they stand,
 * which no writer expects, and ends the text at a NUL. */
static void take_escape(struct scan *scan)
{
    struct cursor *cursor = &scan->cursor;
    struct slice rest = cursor_rest(cursor);
    if (rest.len > 0 && is_any(rest.ptr[0], SLICE("\\\"nrtf"))) {
        cursor->at++;
        return;
    }
    bool is_hex = rest.len >= 3 && rest.ptr[0] == 'x'
                  && char_is(rest.ptr[1], CHAR_HEX)
                  && char_is(rest.ptr[2], CHAR_HEX);
    if (is_hex && (rest.ptr[1] != '0' || rest.ptr[2] != '0')) {
        cursor->at += 3;
        return;
    }
    conf_errors_add(scan->reader->errors, scan->at,
                    "unknown escape in a text: '\\%.*s'; known are \\\\ \\\" "
                    "\\n \\r \\t \\f and \\x01 to \\xff",
                    rest.len > 0 ? 1 : 0, rest.ptr);
}

/* The opening quote is taken; gives what lies before the closing one. */
static bool take_text(struct scan *scan, struct slice *text)
{
    struct cursor *cursor = &scan->cursor;
    const char *start = cursor->at;
    while (!cursor_done(cursor) && *cursor->at != '\n') {
        char byte = *cursor->at++;
        if (byte == '\\') {
            take_escape(scan);
        } else if (byte == '"') {
            *text = slice_of(start, (size_t)(cursor->at - start) - 1);
            return true;
        }
    }
    conf_errors_add(scan->reader->errors, scan->at,
                    "the text that begins on this line has no closing quote");
    return false;
}

static void scan_text(struct scan *scan)
{
    struct slice text;
    if (!take_text(scan, &text))
        return;
    if (scan->reader->last == TOKEN_TEXT)
        conf_errors_add(scan->reader->errors, scan->at,
                        "two texts in a row: a comma is missing before "
                        "\"%.*s\"",
                        (int)slice_head(text, 80).len, text.ptr);
    emit(scan, SLICE("\""));
    emit(scan, text);
    emit(scan, SLICE("\""));
    token(scan, TOKEN_TEXT);
}

/* Digits of the number without sign, prefix and the suffix that says 64 bit. */
static struct slice digits_of(struct slice word, unsigned *base)
{
    while (word.len > 0 && char_lower(word.ptr[word.len - 1]) == 'l')
        word.len--;
    if (word.len > 0 && (word.ptr[0] == '-' || word.ptr[0] == '+'))
        word = slice_from(word, 1);
    bool is_hex = slice_starts_nocase(word, SLICE("0x"));
    *base = is_hex ? 16 : 10;
    return is_hex ? slice_from(word, 2) : word;
}

/* False when it does not fit; a word that is no integer is worth 0. */
static bool integer_value(struct slice word, uint64_t *value)
{
    unsigned base = 10;
    struct slice digits = digits_of(word, &base);
    *value = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = char_hex_value(digits.ptr[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return true;
        if (sum > (INT64_MAX - (uint64_t)digit) / base)
            return false;
        sum = sum * base + (uint64_t)digit;
    }
    *value = sum;
    return true;
}

static bool is_number_byte(struct slice rest, size_t i)
{
    char byte = rest.ptr[i];
    bool is_sign = byte == '+' || byte == '-';
    if (is_sign && i > 0)
        return char_lower(rest.ptr[i - 1]) == 'e';
    return is_sign || byte == '.' || byte == '_'
           || char_is(byte, CHAR_ALPHA | CHAR_DIGIT);
}

static void scan_number(struct scan *scan)
{
    struct slice rest = cursor_rest(&scan->cursor);
    size_t len = 0;
    while (len < rest.len && is_number_byte(rest, len))
        len++;
    struct slice word = slice_head(rest, len);
    scan->cursor.at += len;
    token(scan, TOKEN_OTHER);

    unsigned base = 10;
    struct slice digits = digits_of(word, &base);
    bool is_float = base == 10 && memchr(word.ptr, '.', word.len);
    for (size_t i = 0; i < digits.len && !is_float; i++) {
        int digit = char_hex_value(digits.ptr[i]);
        is_float = base == 10 && i > 0 && digit == 14;
        if (is_float || (digit >= 0 && (unsigned)digit < base))
            continue;
        conf_errors_add(scan->reader->errors, scan->at,
                        "'%.*s' is no number; write times, sizes and rates "
                        "in quotes: \"30s\", \"10MB\", \"100/min\"",
                        (int)slice_head(word, 40).len, word.ptr);
        return;
    }
    uint64_t value = 0;
    if (!integer_value(word, &value)) {
        conf_errors_add(scan->reader->errors, scan->at,
                        "the number %.*s is too big",
                        (int)slice_head(word, 60).len, word.ptr);
        return;
    }
    emit(scan, word);
    if (value > INT32_MAX && char_lower(word.ptr[word.len - 1]) != 'l')
        emit(scan, SLICE("L"));
}

static void open_bracket(struct scan *scan, char byte)
{
    struct reader *reader = scan->reader;
    if (reader->depth == READER_NEST_MAX) {
        conf_errors_add(reader->errors, scan->at,
                        "more than %d brackets inside one another",
                        READER_NEST_MAX);
        scan->cursor.at = scan->cursor.end;
        reader->depth = scan->depth_at_start;
        return;
    }
    reader->brackets[reader->depth++] =
        (struct reader_bracket){ byte, scan->at };
    token(scan, TOKEN_OPEN);
}

static void close_bracket(struct scan *scan, char byte)
{
    struct reader *reader = scan->reader;
    if (byte != '}' && reader->last == TOKEN_COMMA && reader->comma_may_go
        && !reader->text.full)
        reader->text.ptr[reader->text.start + reader->comma] = ' ';
    token(scan, TOKEN_OTHER);
    if (reader->depth == scan->depth_at_start) {
        conf_errors_add(reader->errors, scan->at,
                        "'%c' closes nothing in this file", byte);
        return;
    }
    struct reader_bracket open = reader->brackets[--reader->depth];
    if (slice_find(SLICE("({["), open.byte) != slice_find(SLICE(")}]"), byte))
        conf_errors_add(reader->errors, scan->at,
                        "'%c' closes the '%c' of line %u", byte, open.byte,
                        open.place.line);
}

static void comma(struct scan *scan)
{
    struct reader *reader = scan->reader;
    reader->comma_may_go =
        reader->last != TOKEN_OPEN && reader->last != TOKEN_COMMA;
    reader->comma = reader->text.len - 1;
    token(scan, TOKEN_COMMA);
}

static void scan_mark(struct scan *scan, char byte)
{
    emit(scan, slice_of(&byte, 1));
    if (is_any(byte, SLICE("({[")))
        open_bracket(scan, byte);
    else if (is_any(byte, SLICE(")}]")))
        close_bracket(scan, byte);
    else if (byte == ',')
        comma(scan);
    else
        token(scan, byte == ';' ? TOKEN_OTHER : TOKEN_ASSIGN);
}

static void scan_name(struct scan *scan)
{
    struct slice rest = cursor_rest(&scan->cursor);
    size_t len = 0;
    while (len < rest.len
           && (char_is(rest.ptr[len], CHAR_LDH) || rest.ptr[len] == '_'
               || rest.ptr[len] == '.'))
        len++;
    struct slice name = slice_head(rest, len);
    bool is_value = scan->reader->last == TOKEN_ASSIGN;
    scan->cursor.at += len;
    token(scan, TOKEN_OTHER);
    if (is_value && !slice_equal_nocase(name, SLICE("true"))
        && !slice_equal_nocase(name, SLICE("false"))) {
        conf_errors_add(scan->reader->errors, scan->at,
                        "texts are written in quotes: \"%.*s\"",
                        (int)slice_head(name, 80).len, name.ptr);
        return;
    }
    if (slice_find(name, '.') < name.len) {
        conf_errors_add(scan->reader->errors, scan->at,
                        "a name cannot hold a dot: '%.*s'; texts are written "
                        "in quotes, domains as { domain = \"...\"; }",
                        (int)slice_head(name, 80).len, name.ptr);
        return;
    }
    emit(scan, name);
}

static void scan_file(struct reader *reader, const char *path,
                      const struct scan *outer);

static int compare_paths(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static void include_all(struct scan *scan, const char *pattern)
{
    glob_t found = { 0 };
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): only with GLOB_TILDE */
    int failed = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    bool is_pattern = strpbrk(pattern, "*?[") != NULL;
    if (failed && !(failed == GLOB_NOMATCH && is_pattern)) {
        conf_errors_add(scan->reader->errors, scan->at,
                        "@include: cannot find or read '%s'", pattern);
    } else {
        /* Sorted here: glob's own order depends on the locale. */
        if (found.gl_pathc > 1)
            qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv,
                  compare_paths);
        for (size_t i = 0; i < found.gl_pathc; i++)
            scan_file(scan->reader, found.gl_pathv[i], scan);
    }
    globfree(&found);
}

/* The folder of the file under way, as its own path writes it. */
static const char *folder_of(const struct scan *scan)
{
    struct slice path = slice_text(scan->at.file);
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    if (len == 0)
        return ".";
    const char *folder = arena_text(scan->reader->arena,
                                    slice_head(path, len > 1 ? len - 1 : len));
    CHECK(folder);
    return folder;
}

static void scan_directive(struct scan *scan)
{
    struct reader *reader = scan->reader;
    struct slice pattern;
    if (!cursor_word(&scan->cursor, SLICE("@include"))) {
        conf_errors_add(reader->errors, scan->at,
                        "unknown directive; there is only @include \"file\"");
        skip_line_comment(scan);
        return;
    }
    cursor_blanks(&scan->cursor);
    if (!cursor_byte(&scan->cursor, '"')) {
        conf_errors_add(reader->errors, scan->at,
                        "@include takes a file name in quotes");
        skip_line_comment(scan);
        return;
    }
    if (!take_text(scan, &pattern))
        return;
    if (!scan->may_include) {
        conf_errors_add(reader->errors, scan->at,
                        "@include is not possible here");
        return;
    }
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_MAX);
    const char *text = arena_text(reader->arena, pattern);
    CHECK(text);
    files_join(&path, folder_of(scan), text);
    if (path.full || pattern.len == 0) {
        conf_errors_add(reader->errors, scan->at,
                        "@include: '%.80s' is no file name", text);
        return;
    }
    emit(scan, SLICE("\n"));
    include_all(scan, path.ptr + path.start);
    begin_line(reader, scan->at);
}

static void refuse_byte(struct scan *scan, char byte)
{
    if (char_is(byte, CHAR_CTRL | CHAR_UTF8))
        conf_errors_add(scan->reader->errors, scan->at,
                        "unexpected byte 0x%02x outside of a text",
                        (unsigned)(unsigned char)byte);
    else
        conf_errors_add(scan->reader->errors, scan->at,
                        "unexpected '%c' outside of a text", byte);
    skip_line_comment(scan);
}

static void scan_next(struct scan *scan)
{
    struct cursor *cursor = &scan->cursor;
    char byte = *cursor->at;
    if (byte == '#' || cursor_word(cursor, SLICE("//"))) {
        skip_line_comment(scan);
    } else if (cursor_word(cursor, SLICE("/*"))) {
        skip_block_comment(scan);
    } else if (byte == '@') {
        scan_directive(scan);
    } else if (char_is(byte, CHAR_ALPHA)) {
        scan_name(scan);
    } else if (char_is(byte, CHAR_DIGIT) || is_any(byte, SLICE("+-."))) {
        scan_number(scan);
    } else if (byte == '\n') {
        cursor->at++;
        scan->at.line++;
        end_line(scan);
    } else if (char_is(byte, CHAR_BLANK) || byte == '\r' || byte == '\f') {
        cursor->at++;
        emit(scan, SLICE(" "));
    } else if (byte == '"') {
        cursor->at++;
        scan_text(scan);
    } else if (is_any(byte, SLICE("(){}[],;:="))) {
        cursor->at++;
        scan_mark(scan, byte);
    } else {
        refuse_byte(scan, byte);
    }
}

static void scan_all(struct scan *scan)
{
    struct reader *reader = scan->reader;
    begin_line(reader, scan->at);
    (void)cursor_word(&scan->cursor, SLICE("\xef\xbb\xbf")); /* a BOM */
    while (!cursor_done(&scan->cursor) && !reader->text.full)
        scan_next(scan);
    while (reader->depth > scan->depth_at_start) {
        struct reader_bracket open = reader->brackets[--reader->depth];
        conf_errors_add(reader->errors, open.place,
                        "the '%c' that opens here is never closed", open.byte);
    }
    (void)buf_add_byte(&reader->text, '\n');
    if (reader->text.full && !scan->outer)
        conf_errors_add(reader->errors, scan->at,
                        "the config is bigger than %u bytes", READER_TEXT_MAX);
}

static bool is_under_way(const struct scan *scan, const struct stat *info)
{
    for (; scan; scan = scan->outer)
        if (scan->identity.st_ino == info->st_ino
            && scan->identity.st_dev == info->st_dev)
            return true;
    return false;
}

static void scan_file(struct reader *reader, const char *path,
                      const struct scan *outer)
{
    struct conf_place asked = { path, 0 };
    if (outer)
        asked = outer->at;
    struct scan scan = { .reader = reader,
                         .outer = outer,
                         .depth_at_start = reader->depth,
                         .level = outer ? outer->level + 1 : 0,
                         .may_include = true };
    scan.at =
        (struct conf_place){ arena_text(reader->arena, slice_text(path)), 1 };
    CHECK(scan.at.file);
    if (scan.level > READER_INCLUDE_MAX
        || reader->file_count++ >= READER_FILES_MAX) {
        conf_errors_add(reader->errors, asked,
                        "@include of '%s': too many files", path);
        return;
    }
    scoped(buf_release) struct buf text;
    buf_init(&text, READER_TEXT_MAX);
    struct fault fault;
    if (files_read(path, &text, &scan.identity, &fault) != RC_OK) {
        conf_errors_add(reader->errors, asked, "%s%s",
                        outer ? "@include: " : "", fault.text);
        return;
    }
    if (is_under_way(outer, &scan.identity)) {
        conf_errors_add(reader->errors, asked,
                        "@include of '%s', which includes this file", path);
        return;
    }
    scan.cursor = cursor_of(buf_slice(&text));
    scan_all(&scan);
}

void reader_add_file(struct reader *reader, const char *path)
{
    scan_file(reader, path, NULL);
}

void reader_add_text(struct reader *reader, const char *name, struct slice text)
{
    struct scan scan = { .reader = reader,
                         .cursor = cursor_of(text),
                         .depth_at_start = reader->depth,
                         .at = { name, 1 } };
    scan_all(&scan);
}
