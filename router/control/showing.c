/* showing.c - what the router says of actions and messages. */
#include "router/control/showing.h"

#include <inttypes.h>
#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/time.h"

#define DAY_S    (UINT64_C(24) * 3600)
#define AGE_SIZE 32

static void format_age(uint64_t ms, char text[AGE_SIZE])
{
    const uint64_t s = ms / 1000;
    if (s < 60)
        (void)snprintf(text, AGE_SIZE, "%" PRIu64 ".%" PRIu64 "s", s,
                       ms % 1000 / 100);
    else if (s < 3600)
        (void)snprintf(text, AGE_SIZE, "%" PRIu64 "m%02" PRIu64 "s", s / 60,
                       s % 60);
    else if (s < 2 * DAY_S)
        (void)snprintf(text, AGE_SIZE, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
                       s % 3600 / 60);
    else
        (void)snprintf(text, AGE_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / DAY_S,
                       s % DAY_S / 3600);
}

void showing_age(struct text_table *table, uint64_t ms)
{
    char text[AGE_SIZE];
    format_age(ms, text);
    text_table_add(table, text);
}

static void print_and_free(struct text_table *table, FILE *out)
{
    text_table_print(table, out);
    text_table_free(&table);
}

static void add_recipient(struct text_table *table, const struct value *message,
                          const struct value *recipient)
{
    const uint64_t code = value_number(recipient, "last_code");
    text_table_add(table, value_text(message, "id"));
    showing_age(table, value_number(message, "queued_ms"));
    text_table_add(table, value_text(message, "stream"));
    text_table_add(table, value_text(message, "sender"));
    text_table_add(table, value_text(recipient, "recipient"));
    text_table_add(table, value_text(recipient, "state"));
    text_table_addf(table, "%" PRIu64, value_number(recipient, "attempts"));
    if (code > 0)
        text_table_addf(table, "%" PRIu64 " %s", code,
                        value_text(recipient, "last_reply"));
    else
        text_table_add(table, value_text(recipient, "last_reply"));
}

void showing_list(const struct value *root, FILE *out)
{
    static const char *const heads[] = { "id",       "age",       "stream",
                                         "sender",   "recipient", "state",
                                         "attempts", "last reply" };
    const struct value *messages = value_member(root, "messages");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(messages); i++) {
        const struct value *message = value_item(messages, i);
        const struct value *recipients = value_member(message, "recipients");
        for (size_t j = 0; j < value_count(recipients); j++)
            add_recipient(table, message, value_item(recipients, j));
    }
    if (value_count(messages) > 0)
        print_and_free(table, out);
    else
        text_table_free(&table);
    (void)fprintf(out, "%" PRIu64 " messages, %" PRIu64 " recipients match",
                  value_number(root, "matched"),
                  value_number(root, "recipients"));
    const char *next = value_text(root, "next");
    if (next[0] != '\0')
        (void)fprintf(out, "; more: --after %s", next);
    (void)fprintf(out, "\n");
}

static const struct value *first_router(const struct value *action)
{
    return value_item(value_member(action, "routers"), 0);
}

void showing_progress(const struct value *action, FILE *out)
{
    const struct value *router = first_router(action);
    (void)fprintf(out,
                  "%s: looked at %" PRIu64 " of %" PRIu64 " messages, %" PRIu64
                  " match, done with %" PRIu64 " recipients",
                  value_text(router, "state"), value_number(router, "seen"),
                  value_number(router, "total"),
                  value_number(router, "matched"),
                  value_number(router, "done"));
    if (value_number(router, "busy") > 0)
        (void)fprintf(out, ", %" PRIu64 " wait for a worker",
                      value_number(router, "busy"));
    (void)fprintf(out, "\n");
}

static void add_cells(struct text_table *table, const struct value *action)
{
    const uint64_t utc_ms = time_utc_ms();
    const uint64_t created = value_number(action, "created_utc_ms");
    const struct value *router = first_router(action);
    text_table_add(table, value_text(action, "id"));
    text_table_add(table, value_text(action, "action"));
    text_table_add(table, value_text(action, "state"));
    showing_age(table, utc_ms > created ? utc_ms - created : 0);
    text_table_add(table, value_text(action, "actor"));
    if (router)
        text_table_addf(table, "%" PRIu64 "/%" PRIu64 ", %" PRIu64,
                        value_number(router, "seen"),
                        value_number(router, "total"),
                        value_number(router, "done"));
    else
        text_table_add(table, "");
    text_table_add(table, value_text(action, "filter"));
    text_table_add(table, value_text(action, "why"));
}

void showing_actions(const struct value *root, FILE *out)
{
    static const char *const heads[] = { "id",   "action", "state",
                                         "made", "by",     "seen/total, done",
                                         "what", "why" };
    const struct value *actions = value_member(root, "actions");
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(actions); i++)
        add_cells(table, value_item(actions, i));
    print_and_free(table, out);
}

static void say_time(FILE *out, const char *name, uint64_t utc_ms)
{
    char text[TIME_RFC3339_SIZE];
    if (utc_ms == 0)
        return;
    time_rfc3339(utc_ms, text);
    (void)fprintf(out, "%-9s  %s\n", name, text);
}

static void show_routers(const struct value *routers, FILE *out)
{
    static const char *const heads[] = { "router", "state", "total", "seen",
                                         "match",  "done",  "busy" };
    static const char *const names[] = { "total", "seen", "matched", "done",
                                         "busy" };
    struct text_table *table = text_table_new(heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < value_count(routers); i++) {
        const struct value *router = value_item(routers, i);
        text_table_add(table, value_text(router, "router"));
        text_table_add(table, value_text(router, "state"));
        for (size_t j = 0; j < ARRAY_LEN(names); j++)
            text_table_addf(table, "%" PRIu64, value_number(router, names[j]));
    }
    print_and_free(table, out);
}

void showing_action(const struct value *action, FILE *out)
{
    static const char *const names[] = {
        "id", "action", "state", "filter", "actor", "why", "route", "ended_by"
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *text = value_text(action, names[i]);
        if (text[0] != '\0')
            (void)fprintf(out, "%-9s  %s\n", names[i], text);
    }
    say_time(out, "created", value_number(action, "created_utc_ms"));
    say_time(out, "until", value_number(action, "until_utc_ms"));
    say_time(out, "ended", value_number(action, "ended_utc_ms"));
    const struct value *routers = value_member(action, "routers");
    if (value_count(routers) > 0)
        show_routers(routers, out);
}

static void say_moment(FILE *out, const char *name, uint64_t utc_ms)
{
    char text[TIME_RFC3339_SIZE];
    char age[AGE_SIZE];
    const uint64_t now_ms = time_utc_ms();
    const bool is_ahead = utc_ms > now_ms;
    time_rfc3339(utc_ms, text);
    format_age(is_ahead ? utc_ms - now_ms : now_ms - utc_ms, age);
    if (utc_ms == 0)
        (void)fprintf(out, "  %-8s  not known\n", name);
    else
        (void)fprintf(out, "  %-8s  %s, %s%s%s\n", name, text,
                      is_ahead ? "in " : "", age, is_ahead ? "" : " ago");
}

void showing_why(const struct value *root, FILE *out)
{
    const struct value *pending = value_member(root, "pending");
    (void)fprintf(out, "%s, stream %s\n", value_text(root, "id"),
                  value_text(root, "stream"));
    for (size_t i = 0; i < value_count(pending); i++) {
        const struct value *recipient = value_item(pending, i);
        (void)fprintf(out, "%s: %s\n", value_text(recipient, "recipient"),
                      value_text(recipient, "why"));
        say_moment(out, "since", value_number(recipient, "since_utc_ms"));
        say_moment(out, "earliest", value_number(recipient, "earliest_utc_ms"));
        say_moment(out, "expires", value_number(root, "expires_utc_ms"));
    }
}
