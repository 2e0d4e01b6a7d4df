/*
 * fuzz_ledger.c - any bytes are read as the file of actions, as an action, as
 * progress and as a filter; and what was read writes to the same again.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/check.h"
#include "router/actions/ledger.h"

static void write_again(void *context, const struct action *action,
                        const struct progress *progress)
{
    CHECK(ledger_add(context, action, progress));
}

static void try_filter(struct slice text)
{
    struct filter first;
    struct filter second;
    scoped(buf_release) struct buf once;
    scoped(buf_release) struct buf twice;
    buf_init(&once, 4 * (size_t)FILTER_TEXT_MAX);
    buf_init(&twice, 4 * (size_t)FILTER_TEXT_MAX);
    filter_init(&first);
    filter_init(&second);
    if (filter_parse(&first, text, NULL) == RC_OK
        && filter_format(&first, &once) && once.len <= FILTER_TEXT_MAX) {
        CHECK(filter_parse(&second, buf_slice(&once), NULL) == RC_OK);
        CHECK(filter_format(&second, &twice));
        CHECK(slice_equal(buf_slice(&once), buf_slice(&twice)));
    }
    filter_release(&first);
    filter_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice bytes = slice_of((const char *)data, size);
    struct action action;
    struct progress progress;
    scoped(buf_release) struct buf file;
    buf_init(&file, LEDGER_BYTES_MAX);
    ledger_begin(&file);
    (void)ledger_parse(bytes, write_again, &file);
    if (action_unpack(bytes, &action) == RC_OK) {
        buf_clear(&file);
        CHECK(action_pack(&action, &file));
        CHECK(action_unpack(buf_slice(&file), &action) == RC_OK);
    }
    if (progress_unpack(bytes, &progress) == RC_OK)
        CHECK(progress_pack(&progress, &file));
    try_filter(bytes);
    return 0;
}
