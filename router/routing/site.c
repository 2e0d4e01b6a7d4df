/* site.c - which receiver serves a domain. */
#include "router/routing/site.h"

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/check.h"

/* The part behind the first dot; empty when there is none. */
static struct slice parent(struct slice name)
{
    return slice_from(name, slice_find(name, '.') + 1);
}

static bool have_one_parent(const struct slice *names, size_t count)
{
    struct slice shared = parent(names[0]);
    for (size_t i = 1; i < count; i++)
        if (!slice_equal(parent(names[i]), shared))
            return false;
    return slice_find(shared, '.') < shared.len;
}

/* By name, so that the order of equal preferences does not matter. */
static void sort_names(struct slice *names, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct slice name = names[i];
        size_t at = i;
        for (; at > 0 && slice_compare(name, names[at - 1]) < 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
}

/* (mx1|mx2).example.net, or the names joined by '+'. */
static void roll_up(const struct slice *names, size_t count, struct buf *out)
{
    if (count == 1) {
        (void)buf_add(out, names[0]);
        return;
    }
    bool short_form = have_one_parent(names, count);
    if (short_form)
        (void)buf_add_byte(out, '(');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)buf_add_byte(out, short_form ? '|' : '+');
        size_t len = short_form ? slice_find(names[i], '.') : names[i].len;
        (void)buf_add(out, slice_head(names[i], len));
    }
    if (short_form) {
        (void)buf_add_text(out, ").");
        (void)buf_add(out, parent(names[0]));
    }
}

static uint32_t fnv1a(struct slice bytes)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * 16777619u;
    return hash;
}

static void copy_name(struct slice from, char name[SITE_NAME_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t len = from.len < SITE_NAME_MAX ? from.len : SITE_NAME_MAX;
    if (len > 0)
        memcpy(name, from.ptr, len);
    name[len] = '\0';
    if (from.len <= SITE_NAME_MAX)
        return;
    /* Two long names that begin alike must not become one site. */
    uint32_t hash = fnv1a(from);
    for (size_t i = 0; i < 8; i++)
        name[SITE_NAME_MAX - 8 + i] = digits[(hash >> (28 - 4 * i)) & 15];
}

void site_of(const struct conf *conf, struct slice domain,
             const struct site_host *hosts, size_t host_count,
             char name[SITE_NAME_MAX + 1],
             const struct conf_provider **provider)
{
    CHECK(host_count > 0 && host_count <= SITE_HOSTS_MAX);
    struct slice names[SITE_HOSTS_MAX];
    for (size_t i = 0; i < host_count; i++)
        names[i] = hosts[i].name;

    *provider = conf_provider_of(conf, domain, names, host_count);
    if (*provider) {
        copy_name(slice_text((*provider)->name), name);
        return;
    }
    sort_names(names, host_count);
    struct buf text;
    buf_init(&text, (size_t)SITE_HOSTS_MAX * (SITE_NAME_MAX + 2));
    roll_up(names, host_count, &text);
    copy_name(buf_slice(&text), name);
    buf_release(&text);
}
