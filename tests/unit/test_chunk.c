/* test_chunk - sixteen bytes at once say what they say one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/chars.h"
#include "common/base/chunk.h"

/* Every byte, at every place. */
static void classes_are_those_of_single_bytes(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < CHUNK_BYTES; at++) {
            char bytes[CHUNK_BYTES] = { 0 };
            bytes[at] = (char)byte;
            const chunk read = chunk_read(bytes);
            const size_t none = CHUNK_BYTES;
            assert_int_equal(chunk_first(chunk_letters(read)),
                             char_is((char)byte, CHAR_ALPHA) ? at : none);
            assert_int_equal(chunk_first(chunk_digits(read)),
                             char_is((char)byte, CHAR_DIGIT) ? at : none);
            assert_int_equal(chunk_first(chunk_is(read, 'x')),
                             byte == 'x' ? at : none);
            assert_int_equal(chunk_first(~chunk_below(read, 0x80)),
                             byte >= 0x80 ? at : none);
        }
}

static void the_first_of_several_is_found(void **state)
{
    (void)state;
    for (size_t at = 0; at < CHUNK_BYTES; at++) {
        char bytes[CHUNK_BYTES];
        memset(bytes, '-', sizeof bytes);
        memset(bytes, ' ', at);
        assert_int_equal(chunk_first(chunk_is(chunk_read(bytes), '-')), at);
    }
}

static void a_mask_has_a_bit_for_each_byte(void **state)
{
    (void)state;
    for (size_t count = 0; count <= CHUNK_BYTES; count++) {
        const chunk heads = chunk_heads(count);
        assert_int_equal(chunk_bits(heads), (1u << count) - 1);
        assert_int_equal(chunk_any(heads), count > 0);
        assert_int_equal(chunk_first(~heads), count);
    }
    char bytes[CHUNK_BYTES];
    memset(bytes, 'x', sizeof bytes);
    for (size_t len = 0; len <= CHUNK_BYTES; len++)
        assert_int_equal(
            chunk_bits(chunk_is(chunk_of(slice_of(bytes, len)), 'x')),
            (1u << len) - 1);
}

static void near_or_far_is_found(void **state)
{
    (void)state;
    char bytes[64];
    for (size_t len = 0; len <= sizeof bytes; len++)
        for (size_t at = 0; at <= len; at++) {
            memset(bytes, ' ', sizeof bytes);
            if (at < sizeof bytes)
                bytes[at] = '"'; /* at `len` it is not ours */
            assert_int_equal(chunk_find(slice_of(bytes, len), '"'), at);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_single_bytes),
        cmocka_unit_test(the_first_of_several_is_found),
        cmocka_unit_test(a_mask_has_a_bit_for_each_byte),
        cmocka_unit_test(near_or_far_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
