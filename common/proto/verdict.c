/* verdict.c - what the far side decided about one recipient, as data. */
#include "common/proto/verdict.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/escape.h"
#include "common/proto/reply.h"

static enum verdict_class class_of(unsigned digit)
{
    if (digit == 2)
        return VERDICT_DELIVERED;
    return digit == 5 ? VERDICT_FAILED : VERDICT_DEFERRED;
}

void verdict_from_reply(const struct reply *reply, struct verdict *verdict)
{
    *verdict = (struct verdict){
        .class = class_of(reply_class(reply)),
        .code = reply->code,
        .enhanced = reply->enhanced,
    };
    _Static_assert(sizeof verdict->text == sizeof reply->text,
                   "a reply's text is a verdict's text");
    memcpy(verdict->text, reply->text, sizeof verdict->text);
}

void verdict_local(struct verdict *verdict, struct enhanced enhanced,
                   const char *format, ...)
{
    CHECK(enhanced.class == 2 || enhanced.class == 4 || enhanced.class == 5);
    *verdict = (struct verdict){
        .class = class_of(enhanced.class),
        .enhanced = enhanced,
    };
    char raw[VERDICT_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    CHECK(len >= 0);

    struct escape escape;
    escape_init(&escape, verdict->text, sizeof verdict->text);
    escape_add(&escape, slice_text(raw));
}

static const struct slice class_names[] = {
    [VERDICT_DELIVERED] = { "delivered", 9 },
    [VERDICT_DEFERRED] = { "deferred", 8 },
    [VERDICT_FAILED] = { "failed", 6 },
};

const char *verdict_class_name(enum verdict_class class)
{
    CHECK((size_t) class < ARRAY_LEN(class_names));
    return class_names[class].ptr;
}

bool verdict_class_parse(struct slice name, enum verdict_class *class)
{
    for (size_t i = 0; i < ARRAY_LEN(class_names); i++) {
        if (slice_equal(name, class_names[i])) {
            *class = (enum verdict_class)i;
            return true;
        }
    }
    return false;
}

static bool take_part(struct cursor *cursor, uint16_t *part)
{
    struct cursor ahead = *cursor;
    struct slice digits;
    uint64_t number = 0;
    if (!cursor_run(&ahead, CHAR_DIGIT, &digits) || digits.len > 3
        || !slice_number(digits, 999, &number))
        return false;
    *cursor = ahead;
    *part = (uint16_t)number;
    return true;
}

bool enhanced_take(struct cursor *cursor, struct enhanced *enhanced)
{
    struct cursor ahead = *cursor;
    struct enhanced found = { 0 };
    uint16_t class = 0;
    if (!take_part(&ahead, &class) || (class != 2 && class != 4 && class != 5))
        return false;
    found.class = (uint8_t) class;
    if (!cursor_byte(&ahead, '.') || !take_part(&ahead, &found.subject)
        || !cursor_byte(&ahead, '.') || !take_part(&ahead, &found.detail))
        return false;
    if (!cursor_done(&ahead) && !char_is(*ahead.at, CHAR_BLANK))
        return false;
    cursor_blanks(&ahead);
    *cursor = ahead;
    *enhanced = found;
    return true;
}

const char *enhanced_format(struct enhanced enhanced,
                            char text[ENHANCED_TEXT_SIZE])
{
    text[0] = '\0';
    if (enhanced.class > 0)
        (void)snprintf(text, ENHANCED_TEXT_SIZE, "%u.%u.%u",
                       (unsigned)enhanced.class, (unsigned)enhanced.subject,
                       (unsigned)enhanced.detail);
    return text;
}
