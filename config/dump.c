/* dump.c - every setting in force, one a line, and where it comes from. */
#include "config/dump.h"

#include "config/holder.h"

/* The member itself where it is a text, so that derived values show; else what
 * was written. NULL when there is none. */
static const char *value_of(const struct holder_note *note)
{
    const struct schema_key *key = note->key;
    const char *text = NULL;
    const void *object = NULL;
    switch (key->type) {
    case TYPE_TEXT:
    case TYPE_NAME:
    case TYPE_PATH:
    case TYPE_ADDRESS:
    case TYPE_DOMAIN:
    case TYPE_PATTERN:
    case TYPE_HASH:
    case TYPE_NAMED:
        memcpy(&text, (const char *)note->object + key->offset, sizeof text);
        return text;
    case TYPE_REFERENCE:
        memcpy(&object, (const char *)note->object + key->offset,
               sizeof object);
        return object ? schema_name_of(key->section, object) : NULL;
    case TYPE_FLAG:
    case TYPE_COUNT:
    case TYPE_DURATION:
    case TYPE_SIZE:
    case TYPE_RATE:
    case TYPE_SHARE:
    case TYPE_SCHEDULE:
    case TYPE_CHOICE:
    case TYPE_ENDPOINT:
    case TYPE_PROXY:
    case TYPE_DOMAINS:
    case TYPE_TEXTS:
    case TYPE_RANGES:
    case TYPE_HEADER:
    case TYPE_GROUP:
    case TYPE_LIST:
        return note->text;
    }
    return NULL;
}

void dump_conf(const struct conf *conf, FILE *out)
{
    const struct holder *holder = holder_of(conf);
    for (size_t i = 0; i < holder->note_count; i++) {
        const struct holder_note *note = &holder->notes[i];
        const char *value = value_of(note);
        if (value && note->key->is_secret)
            value = "(hidden)";
        (void)fprintf(out, "%s%s%s = %s    # ", note->path,
                      note->path[0] ? "." : "", note->key->name,
                      value ? value : "(none)");
        if (note->place.line > 0)
            (void)fprintf(out, "%s:%u\n", note->place.file, note->place.line);
        else
            (void)fprintf(out, "default\n");
    }
}
