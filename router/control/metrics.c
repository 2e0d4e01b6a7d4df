/* metrics.c - `sendyard metrics`: the router's totals, as Prometheus reads
 * them. */
#include "router/control/metrics.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "router/control/asking.h"

struct metric {
    const char *member; /* of the status; in `group`, when there is one */
    const char *group;
    const char *name;
    const char *type;
    const char *help;
};

/* clang-format off */
static const struct metric metrics[] = {
    { "accepted", "submission", "sendyard_accepted_total", "counter",
      "Messages that got a 250." },
    { "refused_4yz", "submission", "sendyard_refused_4yz_total", "counter",
      "Replies that put a client off." },
    { "refused_5yz", "submission", "sendyard_refused_5yz_total", "counter",
      "Replies that refused something." },
    { "connections", "submission", "sendyard_connections", "gauge",
      "Connections of clients that are open." },
    { "messages", NULL, "sendyard_queued_messages", "gauge",
      "Messages in the queue." },
    { "recipients", NULL, "sendyard_queued_recipients", "gauge",
      "Recipients in the queue." },
    { "leases", NULL, "sendyard_leases", "gauge",
      "Jobs that workers have." },
    { "delivered", NULL, "sendyard_delivered_total", "counter",
      "Recipients whose receiver took the message." },
    { "deferred", NULL, "sendyard_deferred_total", "counter",
      "Attempts that will be made again, by recipient." },
    { "bounced", NULL, "sendyard_bounced_total", "counter",
      "Recipients that were given up." },
    { "expired", NULL, "sendyard_expired_total", "counter",
      "Recipients whose time was over." },
    { "in_doubt", NULL, "sendyard_in_doubt_total", "counter",
      "Jobs that may have arrived twice." },
};
/* clang-format on */

/* A label's value: a backslash before what would end it. */
static void print_label(const char *name, const char *value, const char *behind,
                        FILE *out)
{
    (void)fprintf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            (void)fputc('\\', out);
        (void)fputc(*value == '\n' ? ' ' : *value, out);
    }
    (void)fprintf(out, "\"%s", behind);
}

static void print_head(const char *name, const char *type, const char *help,
                       FILE *out)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_status(const struct value *status, FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        const struct metric *metric = &metrics[i];
        const struct value *group =
            metric->group ? value_member(status, metric->group) : status;
        print_head(metric->name, metric->type, metric->help, out);
        (void)fprintf(out, "%s %" PRIu64 "\n", metric->name,
                      value_number(group, metric->member));
    }
}

static void print_verdicts(const struct value *root, FILE *out)
{
    const struct value *verdicts = value_member(root, "verdicts");
    print_head("sendyard_judged_total", "counter",
               "Messages by what was declared, where they went, and what they "
               "were found to be.",
               out);
    for (size_t i = 0; i < value_count(verdicts); i++) {
        const struct value *row = value_item(verdicts, i);
        (void)fputs("sendyard_judged_total{", out);
        print_label("account", value_text(row, "account"), ",", out);
        print_label("declared", value_text(row, "declared"), ",", out);
        print_label("stream", value_text(row, "stream"), ",", out);
        print_label("kind", value_text(row, "kind"), "} ", out);
        (void)fprintf(out, "%" PRIu64 "\n", value_number(row, "count"));
    }
    const struct value *reasons = value_member(root, "reasons");
    print_head("sendyard_reason_total", "counter",
               "How often each reason was given for a verdict.", out);
    for (size_t i = 0; i < value_count(reasons); i++) {
        const struct value *row = value_item(reasons, i);
        (void)fputs("sendyard_reason_total{", out);
        print_label("reason", value_text(row, "reason"), "} ", out);
        (void)fprintf(out, "%" PRIu64 "\n", value_number(row, "count"));
    }
}

static void print_complaints(const struct value *root, FILE *out)
{
    const struct value *complaints = value_member(root, "complaints");
    print_head("sendyard_complaints_total", "counter",
               "Complaints of recipients, by account and type.", out);
    for (size_t i = 0; i < value_count(complaints); i++) {
        const struct value *row = value_item(complaints, i);
        (void)fputs("sendyard_complaints_total{", out);
        print_label("account", value_text(row, "account"), ",", out);
        print_label("type", value_text(row, "type"), "} ", out);
        (void)fprintf(out, "%" PRIu64 "\n", value_number(row, "count"));
    }
}

int command_metrics(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct options options;
    if (!options_read(argc, argv, &options, err))
        return EX_USAGE;
    if (options.word_count != 0) {
        (void)fprintf(err, "usage: sendyard metrics [--config FILE] "
                           "[--router NAME]\n");
        return EX_USAGE;
    }
    struct asking asking;
    int code = asking_open(&asking, &options, err);
    if (code == EX_OK)
        code = asking_do(&asking, "GET", "/v1/status", SLICE(""));
    if (code == EX_OK) {
        print_status(answer_root(asking.answer), out);
        code = asking_do(&asking, "GET", "/v1/verdicts", SLICE(""));
    }
    if (code == EX_OK) {
        print_verdicts(answer_root(asking.answer), out);
        print_complaints(answer_root(asking.answer), out);
    }
    asking_close(&asking);
    return code;
}
