/* test_table.c - the hash table. */
#include "common/base/table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/attr.h"

#define MANY 5000u

static void numbers_come_back(void **state)
{
    (void)state;
    static char values[MANY];
    struct table table;
    table_init(&table);
    assert_null(table_get(&table, 1));
    assert_null(table_take(&table, 1));
    for (uint64_t i = 0; i < MANY; i++)
        table_put(&table, i * 4096, &values[i]);
    assert_int_equal(table.count, MANY);
    for (uint64_t i = 0; i < MANY; i += 2)
        assert_ptr_equal(table_take(&table, i * 4096), &values[i]);
    for (uint64_t i = 0; i < MANY; i++)
        assert_ptr_equal(table_get(&table, i * 4096),
                         i % 2 ? &values[i] : NULL);

    size_t at = 0;
    size_t seen = 0;
    while (table_next(&table, &at))
        seen++;
    assert_int_equal(seen, MANY / 2);
    table_release(&table);
}

static bool is_text(const void *value, struct slice text)
{
    return slice_equal(slice_text(value), text);
}

static void texts_come_back(void **state)
{
    (void)state;
    static char texts[][8] = { "", "a", "b", "ab", "ba" };
    struct table table;
    table_init(&table);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        table_put_text(&table, slice_text(texts[i]), texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_ptr_equal(table_get_text(&table, slice_text(texts[i]), is_text),
                         texts[i]);
    assert_null(table_get_text(&table, SLICE("c"), is_text));
    assert_ptr_equal(table_take_text(&table, SLICE("ab"), is_text), texts[3]);
    assert_null(table_get_text(&table, SLICE("ab"), is_text));
    assert_ptr_equal(table_get_text(&table, SLICE("ba"), is_text), texts[4]);
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
