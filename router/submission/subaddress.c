/* subaddress.c - the stream that a recipient's address names. */
#include "router/submission/subaddress.h"

#include <string.h>

/* Where the last `byte` stands; text.len: nowhere. */
static size_t find_last(struct slice text, char byte)
{
    for (size_t at = text.len; at > 0; at--)
        if (text.ptr[at - 1] == byte)
            return at - 1;
    return text.len;
}

static const struct conf_stream *find_stream(const struct conf *conf,
                                             struct slice name)
{
    for (size_t i = 0; i < conf->stream_count; i++)
        if (slice_equal_nocase(slice_text(conf->streams[i].name), name))
            return &conf->streams[i];
    return NULL;
}

static void strip(struct slice user, struct slice domain,
                  struct subaddress *tag)
{
    memcpy(tag->bare, user.ptr, user.len);
    memcpy(tag->bare + user.len, domain.ptr, domain.len);
    tag->address = slice_of(tag->bare, user.len + domain.len);
}

void subaddress_read(const struct conf *conf,
                     const struct conf_account *account, struct slice address,
                     struct subaddress *tag)
{
    tag->stream = NULL;
    tag->address = address;
    const size_t at = find_last(address, '@');
    const struct slice local = slice_head(address, at);
    const size_t plus = find_last(local, '+');
    if (account->recipient_tag == RECIPIENT_TAG_IGNORE || plus == 0
        || plus == local.len || local.ptr[0] == '"')
        return;
    tag->stream = find_stream(conf, slice_from(local, plus + 1));
    if (tag->stream && account->recipient_tag == RECIPIENT_TAG_STRIP
        && address.len <= PATH_MAX_BYTES)
        strip(slice_head(local, plus), slice_from(address, at), tag);
}
