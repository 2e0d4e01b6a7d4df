/* naming.c - the words that a verdict was made of, found again. */
#include "classifier/naming.h"

#include <stdio.h>

static void hear(void *context, uint16_t bucket, bool in_subject,
                 struct slice word, struct slice before)
{
    struct naming *naming = context;
    for (size_t i = 0; i < naming->count; i++) {
        struct name *name = &naming->names[i];
        if (name->bucket != bucket || name->len > 0)
            continue;
        int len = snprintf(name->text, sizeof name->text, "%s%.*s%s%.*s",
                           in_subject ? "subject: " : "", SLICE_ARG(before),
                           before.len > 0 ? " " : "", SLICE_ARG(word));
        name->len =
            len < (int)sizeof name->text ? (size_t)len : sizeof name->text - 1;
        while (len >= (int)sizeof name->text && name->len > 0
               && ((unsigned char)name->text[name->len] & 0xC0) == 0x80)
            name->len--;
    }
}

void naming_find(struct sketcher *sketcher,
                 const struct sketch_message *message,
                 const struct judgement *judgement, struct sketch *sketch,
                 struct naming *naming)
{
    naming->count = 0;
    for (size_t i = 0; i < judgement->reason_count; i++)
        if (judgement->reasons[i].code == REASON_WORD)
            naming->names[naming->count++] = (struct name){
                .bucket = (uint16_t)judgement->reasons[i].index,
            };
    if (naming->count > 0)
        sketch_tell(sketcher, message, hear, naming, sketch);
}

struct slice naming_of(const struct naming *naming, uint32_t bucket)
{
    for (size_t i = 0; i < naming->count; i++)
        if (naming->names[i].bucket == bucket)
            return slice_of(naming->names[i].text, naming->names[i].len);
    return slice_text(NULL);
}
