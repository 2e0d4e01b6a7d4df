/*
 * generator.c - sendyard-load: many messages over many SMTP connections.
 *
 * Reads the options, lets the fleet send, prints one JSON object with what
 * came of it. Exit status: 0 all sent (whatever the answers were), 1 no
 * progress any more or something broke, 2 wrong options.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fleet.h"

struct options {
    struct fleet_plan plan;
    struct letter letter;
    struct bytes auth; /* base64 and a NUL; empty: no AUTH */
    const char *ledger_path;
    uint64_t body_bytes;
    bool has_to;
};

enum option_id {
    OPTION_TO = 256,
    OPTION_CONNECTIONS,
    OPTION_MESSAGES,
    OPTION_SIZE,
    OPTION_PER_CONNECTION,
    OPTION_FROM,
    OPTION_RCPT,
    OPTION_DOMAINS,
    OPTION_AUTH,
    OPTION_PIPELINE,
    OPTION_NO_PIPELINE,
    OPTION_SOURCE_IP,
    OPTION_HEADER,
    OPTION_RATE,
    OPTION_SECONDS,
    OPTION_PATIENCE,
    OPTION_STARTTLS,
    OPTION_TLS,
    OPTION_LEDGER,
    OPTION_SUM,
    OPTION_HELP,
};

/* clang-format off */
static const struct option option_table[] = {
    { "to",             required_argument, NULL, OPTION_TO },
    { "connections",    required_argument, NULL, OPTION_CONNECTIONS },
    { "messages",       required_argument, NULL, OPTION_MESSAGES },
    { "size",           required_argument, NULL, OPTION_SIZE },
    { "per-connection", required_argument, NULL, OPTION_PER_CONNECTION },
    { "from",           required_argument, NULL, OPTION_FROM },
    { "rcpt",           required_argument, NULL, OPTION_RCPT },
    { "domains",        required_argument, NULL, OPTION_DOMAINS },
    { "auth",           required_argument, NULL, OPTION_AUTH },
    { "pipeline",       no_argument,       NULL, OPTION_PIPELINE },
    { "no-pipeline",    no_argument,       NULL, OPTION_NO_PIPELINE },
    { "source-ip",      required_argument, NULL, OPTION_SOURCE_IP },
    { "header",         required_argument, NULL, OPTION_HEADER },
    { "rate",           required_argument, NULL, OPTION_RATE },
    { "seconds",        required_argument, NULL, OPTION_SECONDS },
    { "patience",       required_argument, NULL, OPTION_PATIENCE },
    { "starttls",       no_argument,       NULL, OPTION_STARTTLS },
    { "tls",            no_argument,       NULL, OPTION_TLS },
    { "ledger",         required_argument, NULL, OPTION_LEDGER },
    { "sum",            no_argument,       NULL, OPTION_SUM },
    { "help",           no_argument,       NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static const char usage[] =
    "usage: sendyard-load --to HOST:PORT [options]\n"
    "  --connections N     at once (50)\n"
    "  --messages N        in all (1000; without end with --seconds)\n"
    "  --size BYTES        of the body (2048)\n"
    "  --per-connection N  messages before QUIT, 0: no end (0)\n"
    "  --from ADDRESS      (sender@bench.test)\n"
    "  --rcpt PATTERN      %d is the number of the message\n"
    "                      (user%d@bench.test)\n"
    "  --domains N         spread over d0. to dN-1. before the domain (0)\n"
    "  --auth USER:PASS    AUTH PLAIN\n"
    "  --no-pipeline       wait for every reply (default: --pipeline)\n"
    "  --source-ip IP      connect from there\n"
    "  --header 'Name: v'  one more header line; repeatable\n"
    "  --rate N            messages per second, open loop, 0: no limit (0)\n"
    "  --seconds N         start no message later, 0: no limit (0)\n"
    "  --patience N        give up after N seconds without progress (30)\n"
    "  --starttls, --tls   encrypt; certificates are not verified\n"
    "  --sum               a body of its own for each, with its checksum\n"
    "  --ledger FILE       append a line for each acknowledged message\n";

static void encode_auth(const char *user_pass, struct bytes *auth)
{
    struct bytes plain = { 0 };
    bytes_add(&plain, "", 1);
    bytes_add(&plain, user_pass, strlen(user_pass));
    char *colon = memchr(plain.ptr, ':', plain.len);
    if (colon != NULL)
        *colon = '\0';
    bytes_reserve(auth, plain.len * 2 + 4);
    EVP_EncodeBlock((unsigned char *)auth->ptr,
                    (const unsigned char *)plain.ptr, (int)plain.len);
    bytes_release(&plain);
}

/* The options that are numbers; false: not one of them, or no number. */
static bool take_number(struct options *options, int id, const char *text)
{
    struct fleet_plan *plan = &options->plan;
    switch (id) {
    case OPTION_CONNECTIONS:
        return number_parse(text, CONNECTIONS_MAX, &plan->connection_count)
               && plan->connection_count > 0;
    case OPTION_MESSAGES:
        return number_parse(text, UINT32_MAX, &plan->message_count);
    case OPTION_SIZE:
        return number_parse(text, 1 << 30, &options->body_bytes);
    case OPTION_PER_CONNECTION:
        return number_parse(text, UINT32_MAX, &plan->per_connection);
    case OPTION_DOMAINS:
        return number_parse(text, UINT32_MAX, &options->letter.domain_count);
    case OPTION_RATE:
        return number_parse(text, 1000000, &plan->rate_per_s);
    case OPTION_SECONDS:
        return number_parse(text, UINT32_MAX, &plan->seconds);
    case OPTION_PATIENCE:
        return number_parse(text, UINT32_MAX, &plan->patience_s);
    default:
        return false;
    }
}

static bool take_option(struct options *options, int id, const char *text)
{
    struct fleet_plan *plan = &options->plan;
    switch (id) {
    case OPTION_TO:
        options->has_to = endpoint_parse(text, &plan->to);
        return options->has_to;
    case OPTION_SOURCE_IP:
        plan->has_source = endpoint_parse_host(text, &plan->source);
        return plan->has_source;
    case OPTION_FROM:
        options->letter.from = text;
        return true;
    case OPTION_RCPT:
        options->letter.rcpt_pattern = text;
        return true;
    case OPTION_HEADER:
        bytes_addf(&options->letter.extra, "%s\r\n", text);
        return strchr(text, ':') != NULL;
    case OPTION_AUTH:
        encode_auth(text, &options->auth);
        plan->dialog.auth_base64 = options->auth.ptr;
        return strchr(text, ':') != NULL;
    case OPTION_PIPELINE:
    case OPTION_NO_PIPELINE:
        plan->dialog.pipeline = id == OPTION_PIPELINE;
        return true;
    case OPTION_STARTTLS:
        plan->dialog.starttls = true;
        return true;
    case OPTION_TLS:
        plan->dialog.tls = true;
        return true;
    case OPTION_LEDGER:
        options->ledger_path = text;
        return true;
    case OPTION_SUM:
        options->letter.is_summed = true;
        return true;
    default:
        return take_number(options, id, text);
    }
}

/* False: the reason, or the help asked for, was printed. */
static bool parse_options(int argc, char **argv, struct options *options)
{
    struct fleet_plan *plan = &options->plan;
    int id;
    int index = 0;
    while ((id = getopt_long(argc, argv, "", option_table, &index)) != -1) {
        if (id == '?' || id == OPTION_HELP) {
            fputs(usage, stderr);
            return false;
        }
        if (!take_option(options, id, optarg)) {
            fprintf(stderr, "sendyard-load: --%s %s: not understood\n",
                    option_table[index].name, optarg);
            return false;
        }
    }
    if (optind < argc || !options->has_to
        || (plan->dialog.tls && plan->dialog.starttls)) {
        fputs(usage, stderr);
        return false;
    }
    if (plan->message_count == 0)
        plan->message_count = plan->seconds > 0 ? UINT32_MAX : 1000;
    if (plan->connection_count > plan->message_count)
        plan->connection_count = plan->message_count;
    letter_write_body(&options->letter, options->body_bytes);
    return true;
}

static void print_codes(struct bytes *out, const char *name,
                        const uint64_t counts[REPLY_CODES])
{
    const char *comma = "";
    bytes_addf(out, ",\"%s\":{", name);
    for (uint32_t code = 0; code < REPLY_CODES; code++) {
        if (counts[code] == 0)
            continue;
        bytes_addf(out, "%s\"%" PRIu32 "\":%" PRIu64, comma, code,
                   counts[code]);
        comma = ",";
    }
    bytes_add_text(out, "}");
}

static void print_summary(const struct options *options,
                          const struct fleet_result *result)
{
    struct bytes out = { 0 };
    const double seconds =
        (double)(result->finished_utc_us - result->started_utc_us) / 1e6;
    const double accepted = (double)result->accepted;
    bytes_addf(&out, "{\"run\":\"%s\",\"accepted\":%" PRIu64,
               options->letter.run, result->accepted);
    print_codes(&out, "refused", result->refused);
    bytes_addf(&out, ",\"in_doubt\":%" PRIu64 ",\"broken_off\":%" PRIu64,
               result->in_doubt, result->broken_off);
    bytes_addf(&out,
               ",\"connections\":%" PRIu64 ",\"connections_failed\":%" PRIu64,
               result->connections, result->connections_failed);
    print_codes(&out, "connections_refused", result->connections_refused);
    bytes_addf(&out,
               ",\"first_utc_us\":%" PRIu64 ",\"last_utc_us\":%" PRIu64
               ",\"messages_per_s\":%.1f,\"content_to_reply_us\":",
               result->started_utc_us, result->finished_utc_us,
               seconds > 0 ? accepted / seconds : 0);
    histogram_print(&result->dot_us, &out);
    bytes_add_text(&out, ",\"message_to_reply_us\":");
    histogram_print(&result->message_us, &out);
    bytes_addf(&out, ",\"cpu_us_per_message\":%.1f}\n",
               accepted > 0 ? (double)clock_cpu_us() / accepted : 0);
    fwrite(out.ptr, 1, out.len, stdout);
    bytes_release(&out);
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int send_all(const struct options *options)
{
    static const char *const complaints[] = {
        [FLEET_DONE] = NULL,
        [FLEET_STOPPED] = NULL,
        [FLEET_IMPATIENT] = "no progress any more",
        [FLEET_BROKEN] = "broken off",
    };
    struct fleet_result result = { 0 };
    struct ledger ledger;
    const int stop_fd = open_signals();
    if (stop_fd < 0 || !ledger_open(&ledger, options->ledger_path)) {
        fprintf(stderr, "sendyard-load: ledger: %s\n", strerror(errno));
        return 1;
    }
    const enum fleet_end end =
        fleet_run(&options->plan, stop_fd, &ledger, &result);
    if (complaints[end] != NULL)
        fprintf(stderr, "sendyard-load: %s (%s)\n", complaints[end],
                strerror(errno));
    print_summary(options, &result);
    ledger_release(&ledger);
    close(stop_fd);
    return complaints[end] == NULL ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = {
        .plan = { .connection_count = 50,
                  .patience_s = 30,
                  .dialog.pipeline = true },
        .letter = { .from = "sender@bench.test",
                    .rcpt_pattern = "user%d@bench.test" },
        .body_bytes = 2048,
    };
    options.plan.dialog.letter = &options.letter;
    snprintf(options.letter.run, sizeof options.letter.run, "%" PRIx64 "%04x",
             clock_utc_us(), (unsigned)getpid() & 0xffff);

    int status = 2;
    if (parse_options(argc, argv, &options))
        status = send_all(&options);
    letter_release(&options.letter);
    bytes_release(&options.auth);
    return status;
}
