/* test_tlv - fields come back as they were added; nothing else is a field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/tlv.h"

static void fields_come_back(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0,     1,     127,        128,
                                        16383, 16384, UINT32_MAX, UINT64_MAX };
    struct buf buf;
    buf_init(&buf, 1000);
    for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_true(tlv_add_number(&buf, i * 100, numbers[i]));
    assert_true(tlv_add_bytes(&buf, TLV_TAG_MAX, SLICE("a\0b")));
    assert_true(tlv_add_bytes(&buf, 3, slice_of(NULL, 0)));

    struct cursor cursor = cursor_of(buf_slice(&buf));
    struct tlv_field field;
    for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(tlv_next(&cursor, &field), RC_OK);
        assert_false(field.is_bytes);
        assert_int_equal(field.tag, i * 100);
        assert_true(field.number == numbers[i]);
    }
    assert_int_equal(tlv_next(&cursor, &field), RC_OK);
    assert_int_equal(field.tag, TLV_TAG_MAX);
    assert_true(slice_equal(field.bytes, SLICE("a\0b")));
    assert_int_equal(tlv_next(&cursor, &field), RC_OK);
    assert_true(field.is_bytes && field.bytes.len == 0);
    assert_int_equal(tlv_next(&cursor, &field), RC_NONE);
    buf_release(&buf);
}

static void a_field_fits_whole_or_not_at_all(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 8);
    assert_true(tlv_add_number(&buf, 1, 5));
    assert_false(tlv_add_bytes(&buf, 2, SLICE("seven b")));
    assert_int_equal(buf.len, 2);
    assert_true(buf.full);
    assert_true(tlv_add_bytes(&buf, 2, SLICE("four")));
    buf_release(&buf);
}

static void what_is_no_field_is_refused(void **state)
{
    (void)state;
    const struct slice bad[] = {
        SLICE("\x02"),                  /* no number */
        SLICE("\x03"),                  /* no length */
        SLICE("\x03\x02z"),             /* one byte too few */
        SLICE("\x80"),                  /* half a key */
        SLICE("\x02\x80"),              /* half a number */
        SLICE("\x02\x80\x00"),          /* a zero too many */
        SLICE("\x80\x80\x80\x80\x10x"), /* tag over the maximum */
        SLICE("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* 65 bits */
        SLICE("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        SLICE("\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* length */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cursor cursor = cursor_of(bad[i]);
        struct tlv_field field = { .tag = 77 };
        assert_int_equal(tlv_next(&cursor, &field), RC_SYNTAX);
        assert_ptr_equal(cursor.at, bad[i].ptr);
        assert_int_equal(field.tag, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(a_field_fits_whole_or_not_at_all),
        cmocka_unit_test(what_is_no_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
