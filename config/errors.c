/* errors.c - everything that is wrong with a config, each with its place. */
#include "config/errors.h"

#include <stdarg.h>

#include "common/base/chars.h"
#include "common/base/check.h"

#define TEXT_MAX  600
#define ARENA_MAX (1u << 20) /* CONF_ERRORS_MAX texts and paths fit */

void conf_errors_init(struct conf_errors *errors)
{
    *errors = (struct conf_errors){ 0 };
    arena_init(&errors->arena, ARENA_MAX);
}

void conf_errors_release(struct conf_errors *errors)
{
    arena_release(&errors->arena);
    errors->count = 0;
    errors->left_out = 0;
}

static const char *keep(struct conf_errors *errors, const char *text)
{
    struct slice bounded = slice_head(slice_text(text), TEXT_MAX);
    char *copy = arena_text(&errors->arena, bounded);
    CHECK(copy);
    for (char *at = copy; *at; at++)
        if (char_is(*at, CHAR_CTRL))
            *at = '?';
    return copy;
}

void conf_errors_add(struct conf_errors *errors, struct conf_place place,
                     const char *format, ...)
{
    if (errors->count == CONF_ERRORS_MAX) {
        errors->left_out++;
        return;
    }
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    struct conf_error *error = &errors->items[errors->count++];
    error->place.file = keep(errors, place.file ? place.file : "");
    error->place.line = place.line;
    error->text = keep(errors, text);
}

static bool comes_before(const struct conf_error *a, const struct conf_error *b)
{
    int files =
        slice_compare(slice_text(a->place.file), slice_text(b->place.file));
    return files != 0 ? files < 0 : a->place.line < b->place.line;
}

/* By insertion: stable, and the list is short. */
void conf_errors_sort(struct conf_errors *errors)
{
    for (size_t i = 1; i < errors->count; i++) {
        struct conf_error moved = errors->items[i];
        size_t at = i;
        for (; at > 0 && comes_before(&moved, &errors->items[at - 1]); at--)
            errors->items[at] = errors->items[at - 1];
        errors->items[at] = moved;
    }
}

void conf_errors_print(const struct conf_errors *errors, FILE *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *error = &errors->items[i];
        if (error->place.line > 0)
            (void)fprintf(out, "%s:%u: %s\n", error->place.file,
                          error->place.line, error->text);
        else
            (void)fprintf(out, "%s: %s\n", error->place.file, error->text);
    }
    if (errors->left_out > 0)
        (void)fprintf(out, "... and %zu more\n", errors->left_out);
}
