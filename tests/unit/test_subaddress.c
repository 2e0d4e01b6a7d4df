/* test_subaddress - the stream that a recipient's address names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "router/submission/subaddress.h"

static const struct conf_stream streams[] = {
    { .name = "fast" },
    { .name = "news" },
};

struct row {
    const char *address;
    const char *stream;   /* NULL: none is named */
    const char *stripped; /* NULL: as it is */
};

static const struct row rows[] = {
    { "bob+news@example.net", "news", "bob@example.net" },
    { "bob+NeWs@example.net", "news", "bob@example.net" },
    { "bob+shop+fast@example.net", "fast", "bob+shop@example.net" },
    { "b++news@[192.0.2.1]", "news", "b+@[192.0.2.1]" },
    { "b\xC3\xB6+news@\xC3\xB6.test", "news", "b\xC3\xB6@\xC3\xB6.test" },
    { "bob+news+shop@example.net", NULL, NULL },
    { "bob+newsletter@example.net", NULL, NULL },
    { "bob+new@example.net", NULL, NULL },
    { "bob+@example.net", NULL, NULL },
    { "+news@example.net", NULL, NULL },
    { "bob-news@example.net", NULL, NULL },
    { "bob@example+news.net", NULL, NULL },
    { "\"bob+news\"@example.net", NULL, NULL },
    { "\"a@b+news\"@example.net", NULL, NULL },
    { "bob", NULL, NULL },
    { "", NULL, NULL },
};

static void expect(enum conf_recipient_tag means, const struct row *row,
                   const char *stream, const char *address)
{
    union {
        const struct conf_stream *in;
        struct conf_stream *out;
    } held = { .in = streams };
    const struct conf conf = { .streams = held.out,
                               .stream_count = ARRAY_LEN(streams) };
    const struct conf_account account = { .recipient_tag = means };
    struct subaddress tag;
    subaddress_read(&conf, &account, slice_text(row->address), &tag);
    if (stream)
        assert_string_equal(tag.stream ? tag.stream->name : "", stream);
    else
        assert_null(tag.stream);
    if (!slice_equal(tag.address, slice_text(address)))
        fail_msg("%s: %.*s", row->address, SLICE_ARG(tag.address));
}

static void a_tag_names_a_stream_where_the_account_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        expect(RECIPIENT_TAG_IGNORE, row, NULL, row->address);
        expect(RECIPIENT_TAG_READ, row, row->stream, row->address);
        expect(RECIPIENT_TAG_STRIP, row, row->stream,
               row->stripped ? row->stripped : row->address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_names_a_stream_where_the_account_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
