/* answer.c - JSON that came in. */
#include "router/control/answer.h"

#include <string.h>

#include <jansson.h>

#include "common/base/mem.h"

struct answer {
    json_t *root;
};

/* A struct value is a json_t: the name keeps jansson out of the header. */
static const json_t *json_of(const struct value *value)
{
    return (const json_t *)(const void *)value;
}

static const struct value *value_of(const json_t *json)
{
    return (const struct value *)(const void *)json;
}

struct answer *answer_parse(struct slice text, struct fault *fault)
{
    json_error_t error;
    json_t *root =
        json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        (void)fault_set(fault, RC_SYNTAX, 0, "this is no JSON: %s", error.text);
        return NULL;
    }
    struct answer *answer = NEW(struct answer);
    answer->root = root;
    return answer;
}

void answer_free(struct answer **answer)
{
    struct answer *held = steal(*answer);
    if (!held)
        return;
    json_decref(held->root);
    mem_free(held);
}

const struct value *answer_root(const struct answer *answer)
{
    return value_of(answer->root);
}

const struct value *value_member(const struct value *value, const char *name)
{
    return value_of(json_object_get(json_of(value), name));
}

size_t value_count(const struct value *value)
{
    return json_array_size(json_of(value));
}

const struct value *value_item(const struct value *value, size_t at)
{
    return value_of(json_array_get(json_of(value), at));
}

const char *value_text(const struct value *value, const char *name)
{
    const char *text = json_string_value(json_of(value_member(value, name)));
    return text ? text : "";
}

uint64_t value_number(const struct value *value, const char *name)
{
    json_int_t number = json_integer_value(json_of(value_member(value, name)));
    return number > 0 ? (uint64_t)number : 0;
}

bool value_flag(const struct value *value, const char *name)
{
    return json_is_true(json_of(value_member(value, name)));
}

static bool is_of_kind(const json_t *json, enum value_kind kind)
{
    switch (kind) {
    case VALUE_TEXT:
        return json_is_string(json);
    case VALUE_NUMBER:
        return json_is_integer(json) && json_integer_value(json) >= 0;
    case VALUE_FLAG:
        return json_is_boolean(json);
    }
    return false;
}

static enum rc check_member(const char *name, const json_t *json,
                            const struct value_field *fields, size_t count,
                            struct fault *fault)
{
    static const char *const kinds[] = {
        [VALUE_TEXT] = "a text",
        [VALUE_NUMBER] = "a whole number",
        [VALUE_FLAG] = "true or false",
    };
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, fields[i].name) != 0)
            continue;
        if (is_of_kind(json, fields[i].kind))
            return RC_OK;
        return fault_set(fault, RC_SYNTAX, 0, "\"%s\" has to be %s", name,
                         kinds[fields[i].kind]);
    }
    return fault_set(fault, RC_SYNTAX, 0, "\"%.40s\" is not known here", name);
}

enum rc answer_check(const struct answer *answer,
                     const struct value_field *fields, size_t count,
                     struct fault *fault)
{
    const char *name = NULL;
    json_t *json = NULL;
    if (!json_is_object(answer->root))
        return fault_set(fault, RC_SYNTAX, 0, "this is no JSON object");
    json_object_foreach(answer->root, name, json)
    {
        const enum rc rc = check_member(name, json, fields, count, fault);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}
