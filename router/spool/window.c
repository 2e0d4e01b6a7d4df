/* window.c - a run of a segment's bytes in memory. */
#include "router/spool/window.h"

#include "common/base/mem.h"

#include <errno.h>

void window_open(struct window *window, const struct window_source *source)
{
    window->source = *source;
    window->at = 0;
    window->len = 0;
}

void window_release(struct window *window)
{
    mem_free(steal(window->bytes));
    window->size = 0;
    window->len = 0;
}

static bool fill(struct window *window, uint64_t offset, size_t len)
{
    const struct window_source *source = &window->source;
    if (len > window->size) {
        window->bytes = mem_resize(window->bytes, len, 1);
        window->size = len;
    }
    window->len = 0;
    if (!source->read(source->context, offset, window->bytes, len))
        return false;
    window->at = offset;
    window->len = len;
    return true;
}

const char *window_see(struct window *window, uint64_t offset, size_t len,
                       size_t ahead)
{
    const uint64_t end = window->source.end;
    if (offset > end || len > end - offset) {
        errno = 0;
        return NULL;
    }
    const bool inside =
        offset >= window->at && offset + len <= window->at + window->len;
    if (!inside) {
        size_t want = len > ahead ? len : ahead;
        if (want > end - offset)
            want = (size_t)(end - offset);
        /* What lies ahead may be what cannot be read. */
        if (!fill(window, offset, want)
            && (want == len || !fill(window, offset, len)))
            return NULL;
    }
    return window->bytes + (offset - window->at);
}
