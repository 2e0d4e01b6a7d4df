/* test_style - a style that is read as it stands says what CSS sees in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/reading/style.h"
#include "common/base/attr.h"
#include "common/base/buf.h"

#define STYLE_MAX 256u

static const struct {
    const char *style;
    enum style_form form;
} forms[] = {
    { "", STYLE_PLAIN },
    { "color:red;font-size:12px", STYLE_PLAIN },
    { "font-family:'Helvetica Neue',Arial;color:rgb(1, 2, 3)", STYLE_PLAIN },
    { "font-family:'never closed", STYLE_NESTED },
    { "x:';display:none'", STYLE_NESTED },
    { "x:'a:b'", STYLE_NESTED },
    { "x:'!important'", STYLE_NESTED },
    { "x:'line\nend'", STYLE_NESTED },
    { "x:'line\rend'", STYLE_NESTED },
    { "background:url('a.png')", STYLE_NESTED },
    { "background:url(https://a.example/b)", STYLE_NESTED },
    { "x:(]", STYLE_NESTED },
    { "x:(')')", STYLE_NESTED },
    { "x:a/b", STYLE_PLAIN },
    { "x:/**/y", STYLE_CODED },
    { "x:&quot;a&quot;", STYLE_CODED },
    { "font-family:'Helvetica Neue';x:\\79", STYLE_CODED },
};

static void forms_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (style_form(slice_text(forms[i].style)) != forms[i].form)
            fail_msg("%s", forms[i].style);
}

/* The last of them have to be decoded. */
static const char *const pieces[] = {
    "'",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ";",
    "!",
    "\n",
    "\r",
    "\f",
    "color",
    "none",
    "url(",
    "a",
    " ",
    ",",
    "/",
    "#fff",
    "display:none",
    "'a'",
    "(1)",
    "&",
    "*",
    "\\",
    "/*",
    "*/",
};
#define CODED 5u

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 16;
}

/* Of every other one nothing has to be decoded. */
static void throw_together(uint64_t *random, struct buf *style)
{
    const size_t count =
        ARRAY_LEN(pieces) - (next_random(random) % 2 == 0 ? CODED : 0);
    const size_t len = next_random(random) % 12;
    buf_clear(style);
    for (size_t i = 0; i < len; i++)
        (void)buf_add_text(style, pieces[next_random(random) % count]);
}

static bool has_nested(struct slice style)
{
    return slice_find(style, '\'') < style.len
           || slice_find(style, '(') < style.len;
}

static void plain_ones_are_what_they_are_written_out_as(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    size_t nested = 0;
    struct buf style;
    buf_init(&style, STYLE_MAX);
    for (int i = 0; i < 200000; i++) {
        char room[STYLE_MAX];
        throw_together(&random, &style);
        const struct slice text = buf_slice(&style);
        if (style_form(text) != STYLE_PLAIN)
            continue;
        nested += has_nested(text);
        if (!slice_equal(style_plain(text, room), text))
            fail_msg("\"%.*s\"", SLICE_ARG(text));
    }
    assert_true(nested > 1000);
    buf_release(&style);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(plain_ones_are_what_they_are_written_out_as),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
