/* letters.c - messages whose every byte follows from a few numbers. */
#include "tests/crash/letters.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "common/base/check.h"

#define NOISE_BYTES (512u << 10)
#define STRIDE      4099u

static char noise[NOISE_BYTES];
static pthread_once_t noise_made = PTHREAD_ONCE_INIT;

/* splitmix64 */
static uint64_t next_number(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t dice_roll(struct dice *dice, uint64_t below)
{
    return next_number(&dice->state) % below;
}

static void make_noise(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < NOISE_BYTES; i++)
        noise[i] = (char)(unsigned char)(next_number(&state) & 0xff);
}

struct slice letter_body(uint64_t id, uint64_t len)
{
    CHECK(len <= LETTER_BODY_MAX);
    (void)pthread_once(&noise_made, make_noise);
    const uint64_t at = id * STRIDE % (NOISE_BYTES - LETTER_BODY_MAX);
    return slice_of(noise + at, (size_t)len);
}

/* Numbers, and noise behind them up to a length that follows from them. */
static void make_text(const char *kind, uint64_t id, uint64_t number,
                      struct letter_text *text)
{
    const int head = snprintf(text->bytes, sizeof text->bytes,
                              "%s %" PRIu64 " %" PRIu64 " ", kind, id, number);
    const size_t more = (id * 31 + number * 17) % 700;
    CHECK(head > 0 && (size_t)head + more < sizeof text->bytes);
    memcpy(text->bytes + head, letter_body(id + number, more).ptr, more);
    text->len = (size_t)head + more;
}

void letter_envelope(uint64_t id, uint64_t len, struct letter_text *text)
{
    make_text("envelope", id, len, text);
}

void letter_state(uint64_t id, uint64_t number, struct letter_text *text)
{
    make_text("state", id, number, text);
}

static bool read_text(const char *kind, struct slice bytes, uint64_t id,
                      uint64_t *number)
{
    struct letter_text text;
    struct cursor cursor = cursor_of(bytes);
    uint64_t said_id = 0;
    uint64_t said = 0;
    if (!cursor_word(&cursor, slice_text(kind)) || !cursor_byte(&cursor, ' ')
        || !cursor_number(&cursor, UINT64_MAX, &said_id)
        || !cursor_byte(&cursor, ' ')
        || !cursor_number(&cursor, UINT64_MAX, &said) || said_id != id)
        return false;
    make_text(kind, id, said, &text);
    *number = said;
    return bytes.len == text.len
           && memcmp(bytes.ptr, text.bytes, text.len) == 0;
}

bool letter_read_envelope(struct slice bytes, uint64_t id, uint64_t *len)
{
    return read_text("envelope", bytes, id, len) && *len <= LETTER_BODY_MAX;
}

bool letter_read_state(struct slice bytes, uint64_t id, uint64_t *number)
{
    return read_text("state", bytes, id, number);
}
