/*
 * answer.h - JSON that came in: what the router answered, or was asked for. The
 * only file (with answer.c) that knows jansson.
 *
 * Values are borrowed from the answer. Asking a value for what it does not have
 * gives NULL, "" or 0, so that a newer or older router is shown as far as both
 * understand each other. What people write is checked first: answer_check().
 */
#ifndef ROUTER_CONTROL_ANSWER_H
#define ROUTER_CONTROL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

struct answer;
struct value;

/* NULL with *fault when it is no JSON. */
struct answer *answer_parse(struct slice text, struct fault *fault) must_check;
void answer_free(struct answer **answer);
const struct value *answer_root(const struct answer *answer);

/* Of an object; accepts NULL. */
const struct value *value_member(const struct value *value, const char *name);

/* Of an array; accepts NULL. */
size_t value_count(const struct value *value);
const struct value *value_item(const struct value *value, size_t at);

/* Members of the object `value`, by name. */
const char *value_text(const struct value *value, const char *name);
uint64_t value_number(const struct value *value, const char *name);
bool value_flag(const struct value *value, const char *name);

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_FLAG };

struct value_field {
    const char *name;
    enum value_kind kind;
};

/* RC_SYNTAX with *fault unless it is an object, and each member is one of the
 * fields and of its kind; numbers are whole and not below 0. */
enum rc answer_check(const struct answer *answer,
                     const struct value_field *fields, size_t count,
                     struct fault *fault) must_check;

#endif
