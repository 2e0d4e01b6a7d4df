/* report.c - what accounts declared, and what was found. */
#include "router/classify/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/time.h"
#include "common/proto/escape.h"
#include "common/proto/json.h"
#include "config/units.h"
#include "router/classify/findings.h"
#include "router/classify/lines.h"
#include "router/classify/trouble.h"
#include "router/control/options.h"

#define JSON_MAX    (4u << 20)
#define SINCE_USUAL "24h"

struct report {
    struct findings findings;
    char since[TIME_RFC3339_SIZE]; /* lines with an earlier `ts` are passed */
};

/* Times in UTC of one form: their order is that of their text. */
static void hear(void *context, const struct value *event)
{
    struct report *report = context;
    if (strcmp(value_text(event, "ts"), report->since) < 0)
        return;
    if (strcmp(value_text(event, "event"), "complaint") == 0) {
        if (value_flag(event, "counted"))
            findings_add_complaint(&report->findings,
                                   value_text(event, "account"));
        return;
    }
    const struct finding found = {
        .id = value_text(event, "id"),
        .account = value_text(event, "account"),
        .stream = value_text(event, "stream"),
        .declared = value_text(event, "declared"),
        .kind = value_text(event, "kind"),
        .reasons = value_text(event, "reasons"),
    };
    findings_add(&report->findings, &found);
}

static const char *or_none(const char *text)
{
    return text[0] ? text : "-";
}

static void print_safe(const char *text, int width, FILE *out)
{
    char safe[256];
    struct escape escape;
    escape_init(&escape, safe, sizeof safe);
    escape_add(&escape, slice_text(text));
    (void)fprintf(out, "%-*s", width, safe);
}

static void print_row(const struct finding_row *row, FILE *out)
{
    (void)fprintf(out, "  ");
    print_safe(row->declared[0] ? row->declared : "(undeclared)", 20, out);
    (void)fprintf(out, " ");
    print_safe(or_none(row->kind), 14, out);
    (void)fprintf(out, " ");
    print_safe(row->stream, 16, out);
    (void)fprintf(out, " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " ",
                  row->count, row->moved, row->would_move);
    for (size_t i = 0; i < FINDINGS_EXAMPLES_MAX && row->examples[i][0]; i++) {
        (void)fprintf(out, " ");
        print_safe(row->examples[i], 0, out);
    }
    (void)fprintf(out, "\n");
}

static void print_text(const struct report *report, FILE *out)
{
    (void)fprintf(out, "since %s\n", report->since);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct finding_account *account = &report->findings.accounts[i];
        (void)fprintf(out, "account ");
        print_safe(or_none(account->name), 0, out);
        (void)fprintf(out,
                      ": %" PRIu64 " messages, %" PRIu64
                      " disagreements, %" PRIu64 " complaints\n"
                      "  %-20s %-14s %-16s %10s %10s %10s  %s\n",
                      account->count, account->disagreed, account->complaints,
                      "declared", "found", "stream", "messages", "moved",
                      "would move", "examples");
        for (size_t k = 0; k < account->row_count; k++)
            print_row(&account->rows[k], out);
    }
}

static void add_row(const struct finding_row *row, struct json *json)
{
    json_begin_object(json);
    json_add_text(json, "declared", slice_text(row->declared));
    json_add_text(json, "found", slice_text(row->kind));
    json_add_text(json, "stream", slice_text(row->stream));
    json_add_number(json, "messages", row->count);
    json_add_number(json, "moved", row->moved);
    json_add_number(json, "would_move", row->would_move);
    json_key(json, "examples");
    json_begin_array(json);
    for (size_t i = 0; i < FINDINGS_EXAMPLES_MAX && row->examples[i][0]; i++)
        json_text(json, slice_text(row->examples[i]));
    json_end(json);
    json_end(json);
}

/* One object a line: an account. */
static void print_lines(const struct report *report, FILE *out)
{
    struct buf line;
    buf_init(&line, JSON_MAX);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct finding_account *account = &report->findings.accounts[i];
        struct json json;
        buf_clear(&line);
        json_init(&json, &line);
        json_begin_object(&json);
        json_add_text(&json, "account", slice_text(account->name));
        json_add_text(&json, "since", slice_text(report->since));
        json_add_number(&json, "messages", account->count);
        json_add_number(&json, "disagreements", account->disagreed);
        json_add_number(&json, "complaints", account->complaints);
        json_key(&json, "rows");
        json_begin_array(&json);
        for (size_t k = 0; k < account->row_count; k++)
            add_row(&account->rows[k], &json);
        json_end(&json);
        json_end(&json);
        (void)fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&line)));
    }
    buf_release(&line);
}

static int read_logs(struct report *report, const struct conf *conf, FILE *err)
{
    const char *path = conf->log.events;
    if (lines_each_of(conf, hear, report))
        return EX_OK;
    if (errno == EINVAL)
        (void)fprintf(err,
                      "log.events is \"%s\": name the file that it is "
                      "sent to\n",
                      path);
    else
        trouble_tell(path, err);
    return EX_NOINPUT;
}

static int read_named(struct report *report, const struct arguments *arguments,
                      FILE *err)
{
    for (int i = 0; i < arguments->word_count; i++)
        if (!lines_each(arguments->words[i], hear, report)) {
            trouble_tell(arguments->words[i], err);
            return EX_NOINPUT;
        }
    return EX_OK;
}

static int read_all(struct report *report, const struct arguments *arguments,
                    FILE *err)
{
    if (arguments->word_count > 0)
        return read_named(report, arguments, err);
    const struct options options = {
        .config =
            arguments->config ? arguments->config : OPTIONS_CONFIG_DEFAULT,
    };
    struct conf *conf = options_load(&options, err);
    if (!conf)
        return EX_CONFIG;
    int code = read_logs(report, conf, err);
    conf_release(&conf);
    return code;
}

int report_run(const struct arguments *arguments, FILE *out, FILE *err)
{
    struct report report = { .since = "" };
    uint64_t since_ms = 0;
    const char *since = arguments->since ? arguments->since : SINCE_USUAL;
    if (!units_duration(slice_text(since), &since_ms)) {
        (void)fprintf(err, "--since %s is no time, like 24h or 7d\n", since);
        return EX_USAGE;
    }
    findings_init(&report.findings);
    time_rfc3339(time_utc_ms() - since_ms, report.since);
    int code = read_all(&report, arguments, err);
    if (code == EX_OK) {
        findings_sort(&report.findings);
        if (arguments->json)
            print_lines(&report, out);
        else
            print_text(&report, out);
    }
    findings_release(&report.findings);
    return code;
}
