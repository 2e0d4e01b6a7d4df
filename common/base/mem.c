/* mem.c - the one place that asks the system for memory. */
#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"

void *mem_new(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    CHECK(memory || count == 0 || size == 0);
    return memory;
}

void *mem_resize(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count, size);
    CHECK(memory || count == 0 || size == 0);
    return memory;
}

char *mem_copy_text(const char *text, size_t len)
{
    char *copy = mem_new(len + 1, 1);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

void mem_free(void *memory)
{
    free(memory);
}

void mem_free_at(void *variable)
{
    void **pointer = variable;
    free(*pointer);
    *pointer = NULL;
}
