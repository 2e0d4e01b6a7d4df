/* names.c - small numbers for names that come again and again. */
#include "router/lanes/names.h"

#include "common/base/check.h"
#include "common/base/mem.h"

struct name {
    uint32_t number;
    uint32_t len;
    char text[];
};

void names_init(struct names *names)
{
    *names = (struct names){ 0 };
}

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->items[i]);
    mem_free(names->items);
    table_release(&names->by_text);
    names_init(names);
}

static struct slice text_of(const struct name *name)
{
    return slice_of(name->text, name->len);
}

static bool is_called(const void *value, struct slice text)
{
    return slice_equal(text_of(value), text);
}

bool names_find(const struct names *names, struct slice text, uint32_t *number)
{
    const struct name *known = table_get_text(&names->by_text, text, is_called);
    if (known)
        *number = known->number;
    return known != NULL;
}

uint32_t names_number(struct names *names, struct slice text)
{
    uint32_t known = 0;
    if (names_find(names, text, &known))
        return known;

    CHECK(names->count < UINT32_MAX && text.len < UINT32_MAX);
    if (names->count == names->size) {
        names->size = names->size ? 2 * names->size : 16;
        names->items =
            mem_resize(names->items, names->size, sizeof(struct name *));
    }
    struct name *name = mem_new(1, sizeof *name + text.len);
    name->number = (uint32_t)names->count;
    name->len = (uint32_t)text.len;
    if (text.len > 0)
        memcpy(name->text, text.ptr, text.len);
    names->items[names->count++] = name;
    table_put_text(&names->by_text, text_of(name), name);
    return name->number;
}

struct slice names_text(const struct names *names, uint32_t number)
{
    CHECK(number < names->count);
    return text_of(names->items[number]);
}
