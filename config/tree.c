/* tree.c - the settings of a config text, as libconfig reads them. */
#include "config/tree.h"

#include <libconfig.h>

#include "common/base/check.h"

static const char *copy(struct arena *arena, const char *text)
{
    const char *kept = arena_text(arena, slice_text(text));
    CHECK(kept);
    return kept;
}

static void convert(struct reader *reader, const config_setting_t *setting,
                    struct node *node);

static void convert_items(struct reader *reader,
                          const config_setting_t *setting, struct node *node)
{
    int count = config_setting_length(setting);
    node->count = (size_t)count;
    node->items = arena_new(reader->arena, node->count, sizeof *node->items);
    CHECK(node->items);
    for (int i = 0; i < count; i++)
        convert(reader, config_setting_get_elem(setting, (unsigned)i),
                &node->items[i]);
}

/* Recursion is bounded by the reader's READER_NEST_MAX. */
static void convert(struct reader *reader, const config_setting_t *setting,
                    struct node *node)
{
    const char *name = config_setting_name(setting);
    node->name = name ? copy(reader->arena, name) : NULL;
    node->place = reader_place(reader, config_setting_source_line(setting));
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        node->kind = NODE_GROUP;
        convert_items(reader, setting, node);
        break;
    case CONFIG_TYPE_LIST:
    case CONFIG_TYPE_ARRAY:
        node->kind = NODE_LIST;
        convert_items(reader, setting, node);
        break;
    case CONFIG_TYPE_STRING:
        node->kind = NODE_TEXT;
        node->text = copy(reader->arena, config_setting_get_string(setting));
        break;
    case CONFIG_TYPE_BOOL:
        node->kind = NODE_FLAG;
        node->number = config_setting_get_bool(setting);
        break;
    case CONFIG_TYPE_INT:
        node->kind = NODE_NUMBER;
        node->number = config_setting_get_int(setting);
        break;
    case CONFIG_TYPE_INT64:
        node->kind = NODE_NUMBER;
        node->number = config_setting_get_int64(setting);
        break;
    default:
        node->kind = NODE_FLOAT;
        break;
    }
}

/* "syntax error" alone helps nobody: show the line as well. */
static void report(struct reader *reader, const config_t *config)
{
    int line = config_error_line(config);
    struct slice text = buf_slice(&reader->text);
    for (int i = 1; i < line; i++)
        text = slice_from(text, slice_find(text, '\n') + 1);
    struct slice shown = slice_trim(slice_head(text, slice_find(text, '\n')));
    conf_errors_add(reader->errors,
                    reader_place(reader, line > 0 ? (unsigned)line : 1),
                    "%s, at or before: %.*s", config_error_text(config),
                    (int)slice_head(shown, 80).len, shown.ptr);
}

bool tree_parse(struct reader *reader, struct node *root)
{
    if (!buf_add_byte(&reader->text, '\0'))
        return false;
    buf_cut(&reader->text, reader->text.len - 1);

    scoped(config_destroy) config_t config;
    config_init(&config);
    if (!config_read_string(&config, buf_slice(&reader->text).ptr)) {
        report(reader, &config);
        return false;
    }
    convert(reader, config_root_setting(&config), root);
    return true;
}

struct node *tree_find(const struct node *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->items[i].name && strcmp(group->items[i].name, name) == 0)
            return &group->items[i];
    return NULL;
}

const char *tree_kind_name(enum node_kind kind)
{
    switch (kind) {
    case NODE_GROUP:
        return "a group { }";
    case NODE_LIST:
        return "a list ( )";
    case NODE_TEXT:
        return "a text";
    case NODE_NUMBER:
        return "a number";
    case NODE_FLAG:
        return "true or false";
    case NODE_FLOAT:
        return "a number with a fraction";
    }
    return "?";
}
