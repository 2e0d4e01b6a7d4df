/* builtin.c - what holds where a config says nothing. */
#include "config/builtin.h"

#include "common/base/attr.h"
#include "common/base/check.h"

static const char text[] =
    "listeners = (\n"
    "    { name = \"submission\"; address = \"0.0.0.0:587\"; },\n"
    "    { name = \"submissions\"; address = \"0.0.0.0:465\";\n"
    "      tls = \"implicit\"; }\n"
    ");\n"
    "streams = (\n"
    "    { name = \"transactional\"; class = \"transactional\";\n"
    "      priority = \"urgent\"; expires = \"1d\"; latency = \"5s\"; },\n"
    "    { name = \"neutral\"; class = \"neutral\"; weight = 4; },\n"
    "    { name = \"bulk\"; class = \"bulk\"; weight = 1; }\n"
    ");\n"
    "routes = ( { name = \"default\"; pool = \"default\"; } );\n"
    "pools = ( { name = \"default\"; sources = ( \"*\" ); } );\n"
    "routers = ( { name = \"router-1\"; number = 1; } );\n";

static const struct conf_place nowhere = { "default", 0 };

const char *builtin_text(void)
{
    return text;
}

/* Room for one more item, which is zeroed, at `index`. */
static struct node *insert(struct arena *arena, struct node *parent,
                           size_t index)
{
    struct node *items = arena_new(arena, parent->count + 1, sizeof *items);
    CHECK(items);
    for (size_t i = 0; i < parent->count; i++)
        items[i < index ? i : i + 1] = parent->items[i];
    parent->items = items;
    parent->count++;
    return &items[index];
}

static void forget_places(struct node *node)
{
    node->place = nowhere;
    for (size_t i = 0; i < node->count; i++)
        forget_places(&node->items[i]);
}

static void add_sections(struct arena *arena, struct conf_errors *errors,
                         struct node *root)
{
    struct reader reader;
    struct node all = { 0 };
    reader_init(&reader, arena, errors);
    reader_add_text(&reader, nowhere.file, SLICE(text));
    bool is_parsed = tree_parse(&reader, &all);
    CHECK(is_parsed);
    reader_release(&reader);
    for (size_t i = 0; i < all.count; i++) {
        forget_places(&all.items[i]);
        if (!tree_find(root, all.items[i].name))
            *insert(arena, root, root->count) = all.items[i];
    }
}

/* The list of that name, made when it is missing; NULL when it is no list. */
static struct node *list_of(struct arena *arena, struct node *root,
                            const char *name)
{
    struct node *list = tree_find(root, name);
    if (!list) {
        list = insert(arena, root, root->count);
        *list =
            (struct node){ .kind = NODE_LIST, .name = name, .place = nowhere };
    }
    return list->kind == NODE_LIST ? list : NULL;
}

static bool is_named(const struct node *group, const char *name)
{
    const struct node *node =
        group->kind == NODE_GROUP ? tree_find(group, "name") : NULL;
    return node && node->kind == NODE_TEXT && strcmp(node->text, name) == 0;
}

static bool needs_tenant(const struct node *root)
{
    const struct node *accounts = tree_find(root, "accounts");
    for (size_t i = 0; accounts && i < accounts->count; i++)
        if (accounts->items[i].kind == NODE_GROUP
            && !tree_find(&accounts->items[i], "tenant"))
            return true;
    return false;
}

static void add_tenant(struct arena *arena, struct node *root)
{
    struct node *tenants =
        needs_tenant(root) ? list_of(arena, root, "tenants") : NULL;
    for (size_t i = 0; tenants && i < tenants->count; i++)
        if (is_named(&tenants->items[i], "default"))
            return;
    if (!tenants)
        return;
    struct node *tenant = insert(arena, tenants, tenants->count);
    *tenant = (struct node){ .kind = NODE_GROUP, .place = nowhere };
    struct node *name = insert(arena, tenant, 0);
    *name = (struct node){
        .kind = NODE_TEXT, .name = "name", .place = nowhere, .text = "default"
    };
}

static bool is_for_all(const struct node *entry)
{
    return entry->kind == NODE_GROUP && !tree_find(entry, "domain")
           && !tree_find(entry, "provider");
}

/* The entry for all receivers comes first; a second one is told later. */
static void order_limits(struct arena *arena, struct node *root)
{
    struct node *limits = list_of(arena, root, "limits");
    if (!limits)
        return;
    for (size_t i = 0; i < limits->count; i++) {
        if (!is_for_all(&limits->items[i]))
            continue;
        struct node entry = limits->items[i];
        for (size_t at = i; at > 0; at--)
            limits->items[at] = limits->items[at - 1];
        limits->items[0] = entry;
        return;
    }
    *insert(arena, limits, 0) =
        (struct node){ .kind = NODE_GROUP, .place = nowhere };
}

/* The names of all sources, as texts in place of the "*". `sources` may be
 * NULL: that they are missing is told elsewhere. */
static void write_out(struct arena *arena, const struct node *sources,
                      struct node *members, size_t star)
{
    struct conf_place place = members->items[star].place;
    for (size_t at = star; at + 1 < members->count; at++)
        members->items[at] = members->items[at + 1];
    members->count--;
    for (size_t i = 0; sources && i < sources->count; i++) {
        const struct node *source = &sources->items[i];
        const struct node *name =
            source->kind == NODE_GROUP ? tree_find(source, "name") : NULL;
        if (!name || name->kind != NODE_TEXT)
            continue;
        struct node *member = insert(arena, members, members->count);
        *member = *name;
        member->name = NULL;
        member->place = place;
    }
}

static void write_members_out(struct arena *arena, struct node *root)
{
    const struct node *sources = tree_find(root, "sources");
    struct node *pools = tree_find(root, "pools");
    if (pools->kind != NODE_LIST)
        return;
    for (size_t i = 0; i < pools->count; i++) {
        struct node *members = pools->items[i].kind == NODE_GROUP
                                   ? tree_find(&pools->items[i], "sources")
                                   : NULL;
        for (size_t at = 0;
             members && members->kind == NODE_LIST && at < members->count;
             at++) {
            const struct node *member = &members->items[at];
            if (member->kind == NODE_TEXT && strcmp(member->text, "*") == 0) {
                write_out(arena, sources, members, at);
                break;
            }
        }
    }
}

void builtin_complete(struct arena *arena, struct conf_errors *errors,
                      struct node *root)
{
    add_sections(arena, errors, root);
    add_tenant(arena, root);
    order_limits(arena, root);
    write_members_out(arena, root);
}
