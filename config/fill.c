/* fill.c - from a tree of settings to the typed structs, by the tables. */
#include "config/fill.h"

#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "config/suggest.h"
#include "config/values.h"

#define PATH_TEXT_MAX 300

/* One object under way, in either walk. */
struct walk {
    struct fill *fill;
    const struct schema_section *section;
    const struct node *group;
    char *object;
    const char *path;
};

static const struct conf_place nowhere = { "default", 0 };

static const char *label_of(const struct node *group)
{
    static const char *const names[] = { "name", "domain", "provider",
                                         "source" };
    if (group->kind == NODE_TEXT)
        return group->text;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct node *node = tree_find(group, names[i]);
        if (node && node->kind == NODE_TEXT)
            return node->text;
    }
    return NULL;
}

/* "streams.bulk", or "routes.main.match[0]" where items have no label. */
static const char *item_path(const struct walk *walk, const char *key,
                             const struct node *item, size_t index)
{
    char text[PATH_TEXT_MAX];
    const char *label = item ? label_of(item) : NULL;
    const char *dot = walk->path[0] ? "." : "";
    int len = 0;
    if (!item)
        len = snprintf(text, sizeof text, "%s%s%s", walk->path, dot, key);
    else if (label)
        len = snprintf(text, sizeof text, "%s%s%s.%s", walk->path, dot, key,
                       label);
    else
        len = snprintf(text, sizeof text, "%s%s%s[%zu]", walk->path, dot, key,
                       index);
    return holder_text(walk->fill->holder,
                       slice_head(slice_text(text), (size_t)len));
}

static struct values_spot spot_of(const struct walk *walk,
                                  const struct schema_key *key,
                                  const struct node *node)
{
    return (struct values_spot){ .fill = walk->fill,
                                 .key = key,
                                 .node = node,
                                 .path = walk->path,
                                 .target = walk->object + key->offset };
}

static void check_known(const struct walk *walk)
{
    for (size_t i = 0; i < walk->group->count; i++) {
        const struct node *node = &walk->group->items[i];
        struct slice name = slice_text(node->name);
        if (schema_key(walk->section, name))
            continue;
        const struct schema_key *nearest = schema_nearest(walk->section, name);
        const char *where = walk->path[0] ? walk->path : walk->section->name;
        if (nearest)
            conf_errors_add(walk->fill->errors, node->place,
                            "unknown key '%.80s' in %s; did you mean '%s'?",
                            node->name, where, nearest->name);
        else
            conf_errors_add(walk->fill->errors, node->place,
                            "unknown key '%.80s' in %s", node->name, where);
    }
}

/* A default as if it had been written. */
static struct node default_node(const struct schema_key *key)
{
    struct node node = { .kind = NODE_TEXT,
                         .name = key->name,
                         .place = nowhere,
                         .text = key->initial };
    struct slice text = slice_text(key->initial);
    uint64_t number = 0;
    if (key->type == TYPE_FLAG) {
        node.kind = NODE_FLAG;
        node.number = slice_equal(text, SLICE("true"));
    } else if (key->type == TYPE_COUNT) {
        CHECK(slice_number(text, INT64_MAX, &number));
        node.kind = NODE_NUMBER;
        node.number = (int64_t)number;
    }
    return node;
}

/* How the value was written, for the dump. */
static const char *written(struct holder *holder, const struct node *node)
{
    char number[24];
    switch (node->kind) {
    case NODE_TEXT:
        return holder_text(holder, slice_text(node->text));
    case NODE_NUMBER:
        (void)snprintf(number, sizeof number, "%lld", (long long)node->number);
        return holder_text(holder, slice_text(number));
    case NODE_FLAG:
        return node->number ? "true" : "false";
    case NODE_LIST: {
        scoped(buf_release) struct buf text;
        buf_init(&text, READER_TEXT_MAX);
        (void)buf_add_text(&text, "( ");
        for (size_t i = 0; i < node->count; i++) {
            const char *item = node->items[i].text;
            (void)buf_add_text(&text, i > 0 ? ", " : "");
            (void)buf_add_text(&text, item ? item : "");
        }
        (void)buf_add_text(&text, " )");
        return holder_text(holder, buf_slice(&text));
    }
    case NODE_GROUP:
    case NODE_FLOAT:
        return NULL;
    }
    return NULL;
}

static void fill_single(const struct walk *walk, const struct schema_key *key,
                        const struct node *node);
static void fill_list(const struct walk *walk, const struct schema_key *key,
                      const struct node *node);

/* Only the entry for all receivers has defaults; it gives none of these. */
static bool takes_default(const struct walk *walk, const struct schema_key *key)
{
    return key->initial
           && (!key->is_limit
               || (!tree_find(walk->group, "domain")
                   && !tree_find(walk->group, "provider")));
}

static void fill_key(const struct walk *walk, const struct schema_key *key)
{
    const struct node *node = tree_find(walk->group, key->name);
    if (key->type == TYPE_GROUP) {
        fill_single(walk, key, node);
        return;
    }
    if (!node && key->is_required) {
        conf_errors_add(walk->fill->errors, walk->group->place,
                        "%s%s%s is missing: %s", walk->path,
                        walk->path[0] ? "." : "", key->name, key->help);
        return;
    }
    if (key->type == TYPE_LIST) {
        if (node)
            fill_list(walk, key, node);
        return;
    }
    struct node initial;
    if (!node && takes_default(walk, key)) {
        initial = default_node(key);
        node = &initial;
    }
    struct holder_note note = {
        .path = walk->path, .key = key, .object = walk->object, .place = nowhere
    };
    if (node) {
        note.place = node->place;
        note.text = written(walk->fill->holder, node);
        if (key->type != TYPE_REFERENCE && key->type != TYPE_NAMED) {
            struct values_spot spot = spot_of(walk, key, node);
            values_store(&spot);
        }
    }
    if (node || !key->is_limit)
        holder_note(walk->fill->holder, note);
}

static void fill_object(const struct walk *walk)
{
    if (walk->section->has_place)
        memcpy(walk->object, &walk->group->place, sizeof walk->group->place);
    check_known(walk);
    for (size_t i = 0; i < walk->section->key_count; i++)
        fill_key(walk, &walk->section->keys[i]);
}

static void fill_single(const struct walk *walk, const struct schema_key *key,
                        const struct node *node)
{
    struct node empty = { .kind = NODE_GROUP, .place = nowhere };
    if (node && node->kind != NODE_GROUP) {
        struct values_spot spot = spot_of(walk, key, node);
        values_error(&spot, "takes a group: %s = { ... };", key->name);
        node = NULL;
    }
    struct walk inner = { .fill = walk->fill,
                          .section = key->section,
                          .group = node ? node : &empty,
                          .object = walk->object + key->offset,
                          .path = item_path(walk, key->name, NULL, 0) };
    fill_object(&inner);
}

/* A name of a list, and where in the list. */
struct entry {
    const struct node *name;
    size_t index;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    int order = strcmp(left->name->text, right->name->text);
    return order != 0 ? order : (left->index > right->index) - 1;
}

/* Sorted, because lists of accounts are long. */
static void check_unique(const struct walk *walk,
                         const struct schema_section *section,
                         const struct node *list)
{
    if (!schema_key(section, SLICE("name")) || list->count == 0)
        return;
    struct entry *entries = mem_new(list->count, sizeof *entries);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = &list->items[i];
        const struct node *name =
            item->kind == NODE_GROUP ? tree_find(item, "name") : NULL;
        if (name && name->kind == NODE_TEXT)
            entries[count++] = (struct entry){ name, i };
    }
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 1, first = 0; i < count; i++) {
        const struct node *original = entries[first].name;
        const struct node *name = entries[i].name;
        if (strcmp(original->text, name->text) != 0)
            first = i;
        else
            conf_errors_add(walk->fill->errors, name->place,
                            "%s '%.80s' is there twice, first at %s:%u",
                            section->noun, name->text, original->place.file,
                            original->place.line);
    }
    mem_free(entries);
}

/* A bare text stands for a group with the first key. */
static struct node as_group(const struct schema_section *section,
                            struct node *item)
{
    if (item->kind != NODE_TEXT || !section->takes_text)
        return *item;
    item->name = section->keys[0].name;
    return (struct node){
        .kind = NODE_GROUP, .place = item->place, .items = item, .count = 1
    };
}

static void fill_list(const struct walk *walk, const struct schema_key *key,
                      const struct node *node)
{
    const struct schema_section *section = key->section;
    if (node->kind != NODE_LIST) {
        struct values_spot spot = spot_of(walk, key, node);
        values_error(&spot, "takes a list of groups: %s = ( { ... } );",
                     key->name);
        return;
    }
    check_unique(walk, section, node);
    char *objects =
        holder_new_items(walk->fill->holder, node->count, section->size);
    memcpy(walk->object + key->offset, &objects, sizeof objects);
    memcpy(walk->object + key->count_offset, &node->count, sizeof node->count);
    for (size_t i = 0; i < node->count; i++) {
        struct node group = as_group(section, &node->items[i]);
        if (group.kind != NODE_GROUP) {
            conf_errors_add(walk->fill->errors, group.place,
                            "%s takes groups { }, not %s", key->name,
                            tree_kind_name(group.kind));
            continue;
        }
        struct walk inner = { .fill = walk->fill,
                              .section = section,
                              .group = &group,
                              .object = objects + i * section->size,
                              .path = item_path(walk, key->name, &group, i) };
        if (section->index_offset)
            memcpy(inner.object + section->index_offset,
                   &(unsigned){ (unsigned)i }, sizeof(unsigned));
        fill_object(&inner);
    }
}

/* The name of the section that is nearest to a wrong reference, or NULL. */
static const char *nearest_name(const struct fill *fill,
                                const struct schema_section *section,
                                struct slice wrong)
{
    size_t count = 0;
    const char *object = schema_objects(section, &fill->holder->conf, &count);
    const char *best = NULL;
    size_t nearest = SUGGEST_FAR;
    for (size_t i = 0; i < count; i++, object += section->size) {
        const char *name = schema_name_of(section, object);
        if (name && suggest_is_nearer(wrong, slice_text(name), &nearest))
            best = name;
    }
    return best;
}

static void refer(const struct walk *walk, const struct schema_key *key,
                  const struct node *node)
{
    struct values_spot spot = spot_of(walk, key, node);
    if (node->kind != NODE_TEXT) {
        values_error(&spot, "takes the name of a %s in quotes",
                     key->section->noun);
        return;
    }
    struct slice name = slice_text(node->text);
    const void *object =
        schema_object(key->section, &walk->fill->holder->conf, name);
    if (object) {
        const void *value = object;
        if (key->type == TYPE_NAMED)
            value = schema_name_of(key->section, object);
        memcpy(spot.target, &value, sizeof value);
        return;
    }
    const char *nearest = nearest_name(walk->fill, key->section, name);
    struct node at = *node;
    if (node->place.line == 0 && walk->group->place.line > 0)
        at.place = walk->group->place;
    spot.node = &at;
    if (nearest)
        values_error(&spot, "there is no %s '%.80s'; did you mean '%s'?",
                     key->section->noun, node->text, nearest);
    else
        values_error(&spot, "there is no %s '%.80s'%s", key->section->noun,
                     node->text,
                     node->place.line == 0 ? ", which is the default" : "");
}

static void refer_object(const struct walk *walk);

static void refer_list(const struct walk *walk, const struct schema_key *key,
                       const struct node *node)
{
    if (node->kind != NODE_LIST)
        return;
    char *objects = NULL;
    memcpy(&objects, walk->object + key->offset, sizeof objects);
    for (size_t i = 0; i < node->count; i++) {
        struct node group = as_group(key->section, &node->items[i]);
        if (group.kind != NODE_GROUP)
            continue;
        struct walk inner = { .fill = walk->fill,
                              .section = key->section,
                              .group = &group,
                              .object = objects + i * key->section->size,
                              .path = item_path(walk, key->name, &group, i) };
        refer_object(&inner);
    }
}

static void refer_object(const struct walk *walk)
{
    for (size_t i = 0; i < walk->section->key_count; i++) {
        const struct schema_key *key = &walk->section->keys[i];
        const struct node *node = tree_find(walk->group, key->name);
        bool is_reference =
            key->type == TYPE_REFERENCE || key->type == TYPE_NAMED;
        if (is_reference && (node || key->initial)) {
            struct node initial = node ? *node : default_node(key);
            refer(walk, key, &initial);
        } else if (node && key->type == TYPE_LIST) {
            refer_list(walk, key, node);
        } else if (node && key->type == TYPE_GROUP
                   && node->kind == NODE_GROUP) {
            struct walk inner = { .fill = walk->fill,
                                  .section = key->section,
                                  .group = node,
                                  .object = walk->object + key->offset,
                                  .path = item_path(walk, key->name, NULL, 0) };
            refer_object(&inner);
        }
    }
}

void fill_values(struct fill *fill, const struct schema_section *section,
                 const struct node *group, void *object)
{
    struct walk walk = { fill, section, group, object, "" };
    fill_object(&walk);
}

void fill_references(struct fill *fill, const struct schema_section *section,
                     const struct node *group, void *object)
{
    struct walk walk = { fill, section, group, object, "" };
    refer_object(&walk);
}
