/* waitword.c - the wait that a temporary refusal names itself. */
#include "common/proto/waitword.h"

#include "common/base/attr.h"
#include "common/base/chars.h"

/* A word is a run of letters and digits, with ":" and "." where those stand
 * between two of them. An empty one is the end of a sentence, a "/" or a sign. */
static bool next_word(struct cursor *cursor, struct slice *word)
{
    const char *from = NULL;
    for (; !cursor_done(cursor); cursor->at++) {
        const char byte = *cursor->at;
        const char *after = cursor->at + 1;
        const bool more =
            after < cursor->end && char_is(*after, CHAR_ALPHA | CHAR_DIGIT);
        const bool sign = byte == '-' && more && char_is(*after, CHAR_DIGIT);
        if (char_is(byte, CHAR_ALPHA | CHAR_DIGIT)) {
            from = from ? from : cursor->at;
            continue;
        }
        const bool inside = from && more && (byte == ':' || byte == '.');
        if (inside)
            continue;
        if (from)
            break;
        if (sign || slice_find(SLICE(".!?/"), byte) < 4) {
            *word = slice_of(cursor->at++, 0);
            return true;
        }
    }
    if (!from)
        return false;
    *word = slice_of(from, (size_t)(cursor->at - from));
    return true;
}

static bool is_one_of(struct slice word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_nocase(word, slice_text(words[i])))
            return true;
    return false;
}

#define IS(word, ...)                                                          \
    is_one_of((word), (const char *const[]){ __VA_ARGS__ },                    \
              sizeof((const char *const[]){ __VA_ARGS__ })                     \
                  / sizeof(const char *))

/* Where we are in the chain, behind the word read last. */
enum place {
    NOWHERE,
    GREY,   /* "grey": "listed" makes it LISTED */
    LISTED, /* "for" has to follow */
    AGAIN,  /* "in" or "after" has to follow, what is retried may come before */
    BEFORE, /* the delay has to follow, fillers may come before */
};

static enum place behind(enum place place, struct slice word)
{
    switch (place) {
    case GREY:
        return IS(word, "listed", "listing") ? LISTED : NOWHERE;
    case LISTED:
        return IS(word, "for") ? BEFORE : NOWHERE;
    case AGAIN:
        if (IS(word, "in", "after"))
            return BEFORE;
        return IS(word, "later", "delivery", "sending", "your", "the", "this",
                  "message", "mail", "it")
                   ? AGAIN
                   : NOWHERE;
    case BEFORE:
        return IS(word, "for", "about", "approximately", "approx", "another",
                  "at", "least", "the", "next", "further")
                   ? BEFORE
                   : NOWHERE;
    case NOWHERE:
        break;
    }
    return NOWHERE;
}

static enum place follow(enum place place, struct slice word)
{
    if (IS(word, "again", "back", "retry", "reconnect", "resend"))
        return AGAIN;
    if (IS(word, "greylisted", "graylisted", "greylisting", "graylisting",
           "deferred", "delayed"))
        return LISTED;
    if (IS(word, "grey", "gray"))
        return GREY;
    return IS(word, "wait") ? BEFORE : behind(place, word);
}

static uint64_t unit_ms(struct slice word)
{
    if (IS(word, "s", "sec", "secs", "second", "seconds"))
        return 1000;
    if (IS(word, "m", "min", "mins", "minute", "minutes"))
        return 60000;
    if (IS(word, "h", "hr", "hrs", "hour", "hours"))
        return 3600000;
    return IS(word, "d", "day", "days") ? 86400000 : 0;
}

/* "00:04:59" */
static bool read_clock(struct slice word, uint64_t *ms)
{
    struct cursor cursor = cursor_of(word);
    uint64_t hours = 0;
    uint64_t minutes = 0;
    uint64_t seconds = 0;
    if (word.len > sizeof "00:00:00" - 1 || !cursor_number(&cursor, 99, &hours)
        || !cursor_byte(&cursor, ':') || !cursor_number(&cursor, 59, &minutes)
        || !cursor_byte(&cursor, ':') || !cursor_number(&cursor, 59, &seconds)
        || !cursor_done(&cursor))
        return false;
    *ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    return true;
}

/* A delay being read: amounts follow one another, in one word or in many. */
struct delay {
    uint64_t ms;
    uint64_t number;
    bool has_number; /* its unit comes next */
    bool is_there;   /* an amount or more was read */
};

/* All of the word: "300", "seconds", "4m58s". */
static bool add_word(struct delay *delay, struct slice word)
{
    struct cursor cursor = cursor_of(word);
    if (cursor_done(&cursor))
        return false;
    while (!cursor_done(&cursor)) {
        struct slice letters;
        if (!delay->has_number) {
            if (!cursor_number(&cursor, WAITWORD_MAX_MS, &delay->number))
                return false;
            delay->has_number = true;
            continue;
        }
        if (!cursor_run(&cursor, CHAR_ALPHA, &letters))
            return false;
        const uint64_t unit = unit_ms(letters);
        if (unit == 0 || delay->number > (WAITWORD_MAX_MS - delay->ms) / unit)
            return false;
        delay->ms += delay->number * unit;
        delay->has_number = false;
        delay->is_there = true;
    }
    return true;
}

/* The delay that begins at the word; behind it is what may undo it. */
static bool read_delay(struct cursor cursor, struct slice word, uint64_t *ms)
{
    struct delay delay = { 0 };
    bool more = true;
    if (read_clock(word, &delay.ms)) {
        delay.is_there = true;
        more = next_word(&cursor, &word);
    } else {
        while (more && add_word(&delay, word)) {
            more = next_word(&cursor, &word);
            if (more && delay.is_there && IS(word, "and"))
                more = next_word(&cursor, &word);
        }
    }
    if (!delay.is_there || delay.ms == 0)
        return false;
    if (more
        && IS(word, "ago", "between", "per", "exceeded", "utc", "gmt", "am",
              "pm"))
        return false;
    *ms = delay.ms;
    return true;
}

bool waitword_find(struct slice text, uint64_t *wait_ms)
{
    struct cursor cursor = cursor_of(text);
    struct slice word;
    enum place place = NOWHERE;
    while (next_word(&cursor, &word)) {
        if (place == BEFORE && read_delay(cursor, word, wait_ms))
            return true;
        place = follow(place, word);
    }
    return false;
}

bool waitword_is_greylisting(struct slice text)
{
    static const char *const words[] = {
        "greylist",  "graylist",  "grey-list",
        "gray-list", "grey list", "gray list"
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_find_nocase(text, slice_text(words[i])) < text.len)
            return true;
    return false;
}
