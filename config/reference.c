/* reference.c - the whole reference, printed from the tables as Markdown. */
#include "config/reference.h"

#include <inttypes.h>

#include "config/builtin.h"
#include "config/schema.h"

static const char intro[] =
    "# Sendyard configuration reference\n"
    "\n"
    "One file set for all hosts; each process reads what concerns it. The\n"
    "form is libconfig's: `name = value;`, groups `{ }`, lists `( )`. "
    "Comments\n"
    "are `#`, `//` and `/* */`. Relative paths begin at the folder of the\n"
    "main file. `@include \"conf.d/*.cfg\"` puts files in its place, sorted,\n"
    "relative to the including file; it may stand inside a list, whose last\n"
    "comma is ignored: `accounts = ( @include \"accounts/*.cfg\" );`\n"
    "\n"
    "| type | written as |\n"
    "|---|---|\n"
    "| text, name, domain, path | in quotes |\n"
    "| number, true or false | without quotes |\n"
    "| duration | `\"250ms\"`, `\"30s\"`, `\"5m\"`, `\"4h\"`, `\"1d12h\"` |\n"
    "| size | `\"64KB\"`, `\"10MB\"`, `\"1GB\"` (powers of 1024), or bytes |\n"
    "| rate | `\"10/s\"`, `\"100/min\"`, `\"83/5s\"`, `\"unlimited\"` |\n"
    "| schedule | `\"1m,5m,30m,2h\"`: the last one repeats; "
    "`\"1m*2..4h\"`: from 1m, doubled each time, up to 4h; `\"1m,5m*1.5..2h "
    "~20%\"`: a list that grows, each wait up to a fifth longer (an eighth "
    "where no `~` is given), never shorter |\n"
    "| list | `( \"a\", \"b\" )`, or `\"a\"` for one |\n"
    "| reference | the name of an object of that section |\n"
    "\n"
    "A small config is enough: `host_name`, `tls`, one account and one\n"
    "source. Where these sections are missing, this is in force:\n"
    "\n"
    "```\n";

static void print_default(const struct schema_key *key, FILE *out)
{
    if (key->is_required)
        (void)fprintf(out, "required");
    else if (key->initial)
        (void)fprintf(out, "`%s`", key->initial);
    else if (key->otherwise)
        (void)fprintf(out, "%s", key->otherwise);
    else
        (void)fprintf(out, "none");
}

static void print_range(const struct schema_key *key, FILE *out)
{
    const char *unit = key->type == TYPE_DURATION ? " ms"
                       : key->type == TYPE_SIZE   ? " bytes"
                                                  : "";
    bool is_bounded = (key->min > 0 || key->max > 0)
                      && key->type != TYPE_ENDPOINT && key->type != TYPE_PROXY;
    if (is_bounded && key->max > 0)
        (void)fprintf(out, "%" PRIu64 " to %" PRIu64 "%s", key->min, key->max,
                      unit);
    else if (is_bounded)
        (void)fprintf(out, "from %" PRIu64 "%s", key->min, unit);
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        (void)fprintf(out, "%s`\"%s\"`", i > 0 ? ", " : "", key->choices[i]);
    if (key->type == TYPE_REFERENCE || key->type == TYPE_NAMED)
        (void)fprintf(out, "to %s", key->section->name);
}

static void print_section(const struct schema_section *section,
                          const char *path, FILE *out)
{
    (void)fprintf(out, "\n## %s\n\n%s\n\n", path, section->help);
    (void)fprintf(out, "| key | type | default | range | meaning |\n"
                       "|---|---|---|---|---|\n");
    for (size_t i = 0; i < section->key_count; i++) {
        const struct schema_key *key = &section->keys[i];
        (void)fprintf(out, "| `%s` | %s | ", key->name,
                      schema_type_name(key->type));
        print_default(key, out);
        (void)fprintf(out, " | ");
        print_range(key, out);
        (void)fprintf(out, " | %s |\n", key->help);
    }
    for (size_t i = 0; i < section->key_count; i++) {
        const struct schema_key *key = &section->keys[i];
        char inner[120];
        if (key->type != TYPE_GROUP && key->type != TYPE_LIST)
            continue;
        (void)snprintf(inner, sizeof inner, "%s%s%s",
                       section == &schema_root ? "" : path,
                       section == &schema_root ? "" : ".", key->name);
        print_section(key->section, inner, out);
    }
}

void reference_print(FILE *out)
{
    (void)fprintf(out, "%s%s```\n", intro, builtin_text());
    print_section(&schema_root, schema_root.name, out);
}
