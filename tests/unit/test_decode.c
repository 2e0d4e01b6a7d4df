/* test_decode - encodings and charsets become the text that a reader sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/reading/base64.h"
#include "classifier/reading/decode.h"
#include "common/base/attr.h"
#include "common/base/mem.h"
#include "common/proto/codec.h"

struct decoding {
    enum part_encoding encoding;
    const char *charset;
    const char *body;
    const char *text;
};

static const struct decoding decodings[] = {
    { PART_IDENTITY, "", "plain", "plain" },
    { PART_IDENTITY, "utf-8", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
    { PART_IDENTITY, "iso-8859-1", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f" },
    { PART_IDENTITY, "koi8-r", "\xcb\xcf\xc4", "\xd0\xba\xd0\xbe\xd0\xb4" },
    { PART_IDENTITY, "shift_jis", "\x83\x52", "\xe3\x82\xb3" },
    /* Unknown, and a lie: windows-1252 or what can be read. */
    { PART_IDENTITY, "x-nonsense", "\x80", "\xe2\x82\xac" },
    { PART_BASE64, "utf-8", "aGVsbG8=", "hello" },
    { PART_BASE64, "utf-8", "aG\r\nVs bG!8", "hello" },
    { PART_BASE64, "utf-8", "aGVsbG8=d29ybGQ=", NULL },
    { PART_BASE64, "utf-8", "", "" },
    { PART_QUOTED, "utf-8", "a=3Db=\r\nc", "a=bc" },
    { PART_QUOTED, "utf-8", "a=ZZb=4", "a=ZZb=4" },
    { PART_QUOTED, "utf-8", "a  \r\nb", NULL },
    { PART_QUOTED, "iso-8859-1", "gr=FC=DF", "gr\xc3\xbc\xc3\x9f" },
};

static void parts_become_text(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(decodings); i++) {
        const struct decoding *decoding = &decodings[i];
        const struct part part = {
            .encoding = decoding->encoding,
            .charset = slice_text(decoding->charset),
            .body = slice_text(decoding->body),
        };
        struct buf out;
        buf_init(&out, 4096);
        assert_true(decode_part(decoder, &part, &out));
        if (decoding->text
            && !slice_equal(buf_slice(&out), slice_text(decoding->text)))
            fail_msg("%zu: \"%.*s\"", i, SLICE_ARG(buf_slice(&out)));
        buf_release(&out);
    }
    decoder_free(&decoder);
}

/* Whatever its length and wherever its lines end, to the last byte and no
 * further. */
static void base64_is_read_at_any_place(void **state)
{
    (void)state;
    char bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 151 + 7);
    for (size_t len = 0; len <= sizeof bytes; len++)
        for (size_t line = 1; line <= 77; line += 4) {
            struct buf encoded;
            struct buf broken;
            buf_init(&encoded, 512);
            buf_init(&broken, 1024);
            assert_true(base64_encode(slice_of(bytes, len), &encoded));
            struct slice rest = buf_slice(&encoded);
            for (; rest.len > 0; rest = slice_from(rest, line)) {
                (void)buf_add(&broken, slice_head(rest, line));
                (void)buf_add(&broken, SLICE("\r\n"));
            }
            char *text = mem_resize(NULL, broken.len + 1, 1);
            char *to = mem_resize(NULL, len + 1, 1);
            size_t done = 0;
            text[0] = '=';
            to[len] = '#';
            if (broken.len > 0)
                memcpy(text + 1, broken.ptr, broken.len);
            const struct slice read = slice_of(text, broken.len + 1);
            assert_true(base64_read(read, to, len, &done));
            assert_int_equal(done, len);
            assert_memory_equal(to, bytes, len);
            assert_int_equal(to[len], '#');
            if (len > 0)
                assert_false(base64_read(read, to, len - 1, &done));
            mem_free(text);
            mem_free(to);
            buf_release(&encoded);
            buf_release(&broken);
        }
}

/* Where nothing fits, nothing is written, and it is said. */
static void no_room_is_no_harm(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    for (unsigned encoding = PART_IDENTITY; encoding <= PART_QUOTED;
         encoding++) {
        const struct part part = { .encoding = (enum part_encoding)encoding,
                                   .body = SLICE("QUJDREVGR0hJSktMTU5PUFFS") };
        struct buf out;
        buf_init(&out, 0);
        assert_false(decode_part(decoder, &part, &out));
        assert_int_equal(out.len, 0);
        buf_release(&out);
    }
    decoder_free(&decoder);
}

static const struct {
    const char *coded;
    const char *text;
} quoted[] = {
    { "=41", "A" },
    { "=e4", "\xe4" },
    { "=E4", "\xe4" },
    { "=\r\n", "" },
    { "=\n", "" },
    { "= \t\r\n", "" },
    { "=", "=" },
    { "=4", "=4" },
    { "=4g", "=4g" },
    { "= x", "= x" },
    { "=\r", "=\r" },
    { "==41", "=A" },
    { "=\r\n=\r\n=41=", "A=" },
};

/* Wherever it stands in a text, of which all is read and nothing else, and all
 * the room that there is. */
static void quoted_is_read_at_any_place(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        for (size_t before = 0; before <= 40; before++) {
            const size_t len = before + strlen(quoted[i].coded);
            const size_t decoded = before + strlen(quoted[i].text);
            char *body = mem_resize(NULL, len, 1);
            char expected[64];
            memset(body, 'x', before);
            memcpy(body + before, quoted[i].coded, len - before);
            memset(expected, 'x', before);
            memcpy(expected + before, quoted[i].text, decoded - before);
            const struct part part = { .encoding = PART_QUOTED,
                                       .body = slice_of(body, len) };
            for (size_t room = 1; room <= len + 1; room++) {
                struct buf out;
                const size_t fits = room < decoded ? room : decoded;
                buf_init(&out, room);
                const bool is_whole = decode_part(decoder, &part, &out);
                assert_true(is_whole || room <= decoded);
                assert_true(!is_whole || room >= decoded);
                assert_int_equal(out.len, fits);
                if (fits > 0)
                    assert_memory_equal(out.ptr, expected, fits);
                buf_release(&out);
            }
            mem_free(body);
        }
    decoder_free(&decoder);
}

/* Pieces that say the same whatever stands beside them. */
static const struct {
    const char *coded;
    const char *text;
} pieces[] = {
    { "=3D", "=" },
    { "=c3=BC", "\xc3\xbc" },
    { "=\r\n", "" },
    { "=\n", "" },
    { "= \t\r\n", "" },
    { "=x", "=x" },
    { "==41", "=A" },
    { "=4.", "=4." },
    { "a", "a" },
    { "some words", "some words" },
    { "\r\n", "\r\n" },
    { "a line of forty bytes, and not one less. ",
      "a line of forty bytes, and not one less. " },
};

/* Long texts are read by stretches: whatever they are made of, and cut at any
 * place by their room. */
static void long_quoted_texts_are_their_pieces(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    uint64_t random = 88172645463325252u;
    struct buf body;
    struct buf expected;
    buf_init(&body, 4096);
    buf_init(&expected, 4096);
    for (size_t i = 0; i < 20000; i++) {
        buf_clear(&body);
        buf_clear(&expected);
        for (size_t count = i % 60; count > 0; count--) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const size_t which = (random >> 33) % ARRAY_LEN(pieces);
            (void)buf_add_text(&body, pieces[which].coded);
            (void)buf_add_text(&expected, pieces[which].text);
        }
        /* Nothing is behind it that may be read. */
        char *exact = mem_resize(NULL, body.len + 1, 1);
        if (body.len > 0)
            memcpy(exact + 1, body.ptr, body.len);
        const struct part part = { .encoding = PART_QUOTED,
                                   .body = slice_of(exact + 1, body.len) };
        const size_t room = i % 3 == 0 ? 1 + expected.len / 2 : body.len + 1;
        const struct slice fits = slice_head(buf_slice(&expected), room);
        struct buf out;
        buf_init(&out, room);
        const bool is_whole = decode_part(decoder, &part, &out);
        assert_true(is_whole || room <= expected.len);
        assert_true(!is_whole || room >= expected.len);
        if (!slice_equal(buf_slice(&out), fits))
            fail_msg("\"%.*s\"", (int)body.len, body.ptr);
        buf_release(&out);
        mem_free(exact);
    }
    buf_release(&body);
    buf_release(&expected);
    decoder_free(&decoder);
}

/* One letter that is not ASCII, wherever it stands. */
static void letters_are_converted_at_any_place(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    for (size_t before = 0; before <= 130; before++) {
        char body[200];
        char expected[201];
        struct buf out;
        memset(body, 'x', sizeof body);
        memset(expected, 'x', sizeof expected);
        body[before] = '\xfc';
        memcpy(expected + before, "\xc3\xbc", 2);
        const struct part part = { .encoding = PART_IDENTITY,
                                   .charset = SLICE("iso-8859-1"),
                                   .body = slice_of(body, sizeof body) };
        buf_init(&out, 400);
        assert_true(decode_part(decoder, &part, &out));
        assert_int_equal(out.len, sizeof expected);
        assert_memory_equal(out.ptr, expected, sizeof expected);
        buf_release(&out);
    }
    decoder_free(&decoder);
}

/* What needs no decoding is not copied. */
static void plain_text_is_read_where_it_stands(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    struct buf room;
    bool is_whole;
    struct part part = { .body = SLICE("plain text of some length"),
                         .charset = SLICE("iso-8859-1") };
    buf_init(&room, 64);
    struct slice text = decode_text(decoder, &part, &room, &is_whole);
    assert_true(is_whole && text.ptr == part.body.ptr
                && text.len == part.body.len);
    part.body = SLICE("one letter is not: \xfc, of all of these");
    text = decode_text(decoder, &part, &room, &is_whole);
    assert_true(is_whole);
    assert_true(slice_equal(
        text, SLICE("one letter is not: \xc3\xbc, of all of these")));
    room.max = 8;
    part.charset = slice_text("");
    text = decode_text(decoder, &part, &room, &is_whole);
    assert_false(is_whole);
    assert_int_equal(text.len, 8);
    buf_release(&room);
    decoder_free(&decoder);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    char body[4000];
    memset(body, 'A', sizeof body);
    for (unsigned encoding = PART_IDENTITY; encoding <= PART_QUOTED;
         encoding++) {
        const struct part part = { .encoding = (enum part_encoding)encoding,
                                   .body = slice_of(body, sizeof body) };
        struct buf out;
        buf_init(&out, 512);
        assert_false(decode_part(decoder, &part, &out));
        assert_true(out.len > 256 && out.len <= 512);
        buf_release(&out);
    }
    decoder_free(&decoder);
}

static void encoded_words_become_text(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *text;
    } words[] = {
        { "plain subject", "plain subject" },
        { "=?utf-8?Q?caf=C3=A9_au_lait?=", "caf\xc3\xa9 au lait" },
        { "=?utf-8?B?aGVsbG8=?= =?utf-8?B?d29ybGQ=?=", "helloworld" },
        { "=?iso-8859-1?q?=FC?= x", "\xc3\xbc x" },
        { "=?utf-8?Q?unclosed", "=?utf-8?Q?unclosed" },
        { "folded\r\n subject", "folded subject" },
        { "=?utf-8*en?Q?=C3=A9?=", "\xc3\xa9" },
    };
    struct decoder *decoder = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct buf out;
        buf_init(&out, 512);
        decode_words(decoder, slice_text(words[i].value), &out);
        if (!slice_equal(buf_slice(&out), slice_text(words[i].text)))
            fail_msg("%s: \"%.*s\"", words[i].value,
                     SLICE_ARG(buf_slice(&out)));
        buf_release(&out);
    }
    decoder_free(&decoder);
}

/* More charsets than converters are kept open: odd, never a crash. */
static void charsets_do_not_pile_up(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    for (unsigned i = 1; i < 60; i++) {
        char name[32];
        struct buf out;
        (void)snprintf(name, sizeof name, "cp%u", 1000 + i * 5);
        const struct part part = { .charset = slice_text(name),
                                   .body = SLICE("\xe9t\xe9") };
        buf_init(&out, 512);
        (void)decode_part(decoder, &part, &out);
        assert_true(out.len > 0);
        buf_release(&out);
    }
    decoder_free(&decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_become_text),
        cmocka_unit_test(base64_is_read_at_any_place),
        cmocka_unit_test(no_room_is_no_harm),
        cmocka_unit_test(quoted_is_read_at_any_place),
        cmocka_unit_test(long_quoted_texts_are_their_pieces),
        cmocka_unit_test(letters_are_converted_at_any_place),
        cmocka_unit_test(plain_text_is_read_where_it_stands),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(encoded_words_become_text),
        cmocka_unit_test(charsets_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
