/*
 * fuzz_wire.c - any bytes give a frame or an error, and a frame that came in
 * goes out and comes in again as the same.
 */
#include "common/base/check.h"
#include "common/proto/wire.h"

#define FRAME_MAX (1u << 22)
#define ARENA_MAX (1u << 23)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct wire_frame frame;
    struct slice bytes = slice_of((const char *)data, size);
    if (wire_decode(bytes, &arena, &frame) == RC_OK) {
        scoped(buf_release) struct buf once = { .max = FRAME_MAX };
        scoped(buf_release) struct buf again = { .max = FRAME_MAX };
        CHECK(wire_encode(&frame, &once) == RC_OK);
        arena_clear(&arena);
        CHECK(wire_decode(buf_slice(&once), &arena, &frame) == RC_OK);
        CHECK(wire_encode(&frame, &again) == RC_OK);
        CHECK(slice_equal(buf_slice(&once), buf_slice(&again)));
    }
    arena_release(&arena);
    return 0;
}
