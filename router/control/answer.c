/* answer.c - what the router answered, to read from. */
#include "router/control/answer.h"

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
        (void)fault_set(fault, RC_SYNTAX, 0, "the answer is no JSON: %s",
                        error.text);
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
