/* run.c - letters and digits in a row, of any script. */
#include "classifier/sketch/run.h"

#include "classifier/sketch/letters.h"
#include "classifier/sketch/spelling.h"
#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"

static void add_letter(struct run *run, const struct letter *letter)
{
    if (letter->class == LETTER_DIGIT) {
        run->digits++;
        return;
    }
    run->letters++;
    run->has_small |= letter->lower == letter->character;
    bool is_other = letter->lower >= 0x370 && letter->lower < 0x530;
    run->has_other |= is_other;
    run->has_latin |= letter->lower < 0x250;
}

/* The next character of a run; false when it is over. Apostrophes
 * between letters are left out. */
static bool take_letter(struct cursor *cursor, struct run *run,
                        struct spelling *spelling)
{
    struct letter letter;
    if (!letter_read(cursor, &letter))
        return false;
    if (letter.class == LETTER_WIDTHLESS && run->letters > 0) {
        run->widthless++;
    } else if (letter.class == LETTER_APOSTROPHE && run->letters > 0) {
        struct cursor ahead = *cursor;
        struct letter next;
        ahead.at += letter.len;
        if (!letter_read(&ahead, &next) || next.class != LETTER_WORD)
            return false;
    } else if (letter.class == LETTER_WORD || letter.class == LETTER_DIGIT) {
        spelling_add(spelling, letter.lower);
        add_letter(run, &letter);
    } else {
        return false;
    }
    cursor->at += letter.len;
    return true;
}

/* Of any script, letter by letter. */
static not_inlined void take_letters(struct cursor *cursor, struct run *run)
{
    struct spelling spelling;
    spelling.len = 0;
    *run = (struct run){ .letters = 0 };
    while (take_letter(cursor, run, &spelling))
        ;
    run->hash = spelling_hash(&spelling);
}

/* May a run of ASCII go on with what stands behind it? */
static bool may_go_on(struct slice behind)
{
    return behind.len > 0
           && (behind.ptr[0] == '\'' || (unsigned char)behind.ptr[0] >= 0x80);
}

/* "'t" of "don't": how many letters are behind the apostrophe, if they are ASCII
 * and the last of the run; else 0. */
static size_t joined_len(struct slice behind)
{
    if (behind.ptr[0] != '\'')
        return 0;
    const struct slice rest = slice_from(behind, 1);
    const size_t len = chunk_first(~chunk_letters(chunk_of(rest)));
    const struct slice last = slice_from(rest, len);
    const bool is_over =
        !may_go_on(last)
        && (last.len == 0 || !char_is(last.ptr[0], CHAR_DIGIT));
    return is_over ? len : 0;
}

/* The first `len` bytes of one, then those of the other, zeros behind them. */
static chunk join(chunk first, size_t len, chunk second, size_t second_len)
{
    char room[2 * CHUNK_BYTES];
    chunk_write(first, room);
    chunk_write(second & chunk_heads(second_len), room + len);
    return chunk_read(room);
}

/* Mostly none, and to count is a call where no instruction does it. */
static uint32_t count_of(chunk mask)
{
    const uint32_t bits = chunk_bits(mask);
    return bits == 0 ? 0 : (uint32_t)__builtin_popcount(bits);
}

/* A few in ASCII, with nothing behind them that could go on: a code, a number,
 * a word before a mark, "don't". take_letters() would say the same of it. */
static bool take_short(struct cursor *cursor, struct run *run)
{
    const struct slice rest = cursor_rest(cursor);
    chunk bytes = chunk_of(rest);
    const chunk digits = chunk_digits(bytes);
    size_t len = chunk_first(~(chunk_letters(bytes) | digits));
    if (len == 0 || len == CHUNK_BYTES)
        return false;
    const struct slice behind = slice_from(rest, len);
    run->digits = count_of(digits & chunk_heads(len));
    if (may_go_on(behind)) {
        const size_t joined = joined_len(behind);
        if (joined == 0 || run->digits > 0 || len + joined >= CHUNK_BYTES)
            return false;
        bytes = join(bytes, len, chunk_of(slice_from(behind, 1)), joined);
        len += joined;
        cursor->at++;
    }
    const chunk heads = chunk_heads(len);
    run->letters = (uint32_t)len - run->digits;
    run->has_small =
        chunk_any(chunk_letters(bytes) & heads & bytes & LETTER_SMALL);
    run->has_latin = run->letters > 0;
    run->has_other = false;
    run->widthless = 0;
    run->hash = spelling_hash_chunk((bytes | LETTER_SMALL) & heads);
    cursor->at += len;
    return true;
}

void run_take(struct cursor *cursor, struct run *run)
{
    if (!take_short(cursor, run))
        take_letters(cursor, run);
}
