/* judging.c - messages from files judged as live mail is. */
#include "router/classify/judging.h"

#include <string.h>
#include <sysexits.h>

#include "classifier/shipped.h"
#include "common/base/time.h"
#include "common/proto/addresses.h"
#include "common/proto/header.h"
#include "router/classify/bag.h"
#include "router/control/answer.h"
#include "router/control/asker.h"
#include "router/control/options.h"
#include "router/submission/subaddress.h"
#include "router/templates/trial.h"

#define HEADER_MAX     (1u << 20)
#define RECIPIENTS_MAX 10u

/* The streams that stand for those of a config when there is none. */
static const struct judge_stream streams_usual[] = {
    { .name = { "transactional", 13 },
      .class = JUDGE_TRANSACTIONAL,
      .floor = JUDGE_FLOOR_USUAL },
    { .name = { "general", 7 }, .class = JUDGE_NEUTRAL },
    { .name = { "bulk", 4 }, .class = JUDGE_BULK },
};

static const struct judge_policy policy_usual = {
    .streams = streams_usual,
    .stream_count = ARRAY_LEN(streams_usual),
    .kind_streams = { [KIND_TRANSACTIONAL] = 0,
                      [KIND_BULK] = 2,
                      [KIND_PERSONAL] = 1,
                      [KIND_SYSTEM] = 1 },
    .unsure_stream = 1,
    .max_recipients = RECIPIENTS_MAX,
};

static void write_id(const struct model *model, char id[JUDGING_ID_SIZE])
{
    struct fault fault;
    struct answer *meta = answer_parse(model->meta, &fault);
    const char *date = meta ? value_text(answer_root(meta), "date") : "";
    (void)snprintf(id, JUDGING_ID_SIZE, "%.32s%s#%02x%02x", date,
                   date[0] ? " " : "", model->digest[0], model->digest[1]);
    answer_free(&meta);
}

bool judging_model_read(const char *path, struct judging_model *held, FILE *err)
{
    buf_init(&held->file, MODEL_FILE_MAX);
    if (path && strcmp(path, "shipped") == 0)
        path = NULL;
    if (path && !bag_read(path, &held->file, err))
        return false;
    const enum rc rc = model_open(
        path ? buf_slice(&held->file) : shipped_model(), &held->model);
    if (rc == RC_OK)
        write_id(&held->model, held->id);
    else
        (void)fprintf(err, "%s: %s\n", path ? path : "the model that ships",
                      rc == RC_NONE ? "made for another version of Sendyard"
                                    : "no model, or a damaged one");
    return rc == RC_OK;
}

void judging_model_release(struct judging_model *held)
{
    buf_release(&held->file);
}

/* The policy of a config, with the account that is named or the first. */
static int open_conf(struct judging *judging, const struct arguments *arguments,
                     FILE *err)
{
    const struct options options = { .config = arguments->config };
    const struct conf_account *account = NULL;
    judging->conf = options_load(&options, err);
    if (!judging->conf)
        return EX_CONFIG;
    if (arguments->account)
        account = conf_account(judging->conf, slice_text(arguments->account));
    else if (judging->conf->account_count > 0)
        account = &judging->conf->accounts[0];
    if (!account) {
        (void)fprintf(err, "the config has no account \"%s\"\n",
                      arguments->account ? arguments->account : "");
        return EX_DATAERR;
    }
    judging->conf_account = account;
    const struct conf_router *router =
        options_router(&options, judging->conf, err);
    if (!router)
        return EX_CONFIG;
    judging->asker = asker_new(judging->conf, router);
    judging->tenant = slice_text(account->tenant->name);
    judging->conf_policy = policy_new(judging->conf);
    judging->policy = judging->conf_policy->judge;
    policy_account(judging->conf, account, &judging->account);
    if (!judging->policy.model && !arguments->model)
        (void)fprintf(err, "%s\n", judging->conf_policy->fault.text);
    return EX_OK;
}

#define CLOCK_TRIES 16

/* What it costs to ask the clock, which is no small part of a short message. */
static uint64_t clock_cost_ns(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CLOCK_TRIES; i++) {
        const uint64_t began_ns = time_worked_ns();
        const uint64_t took_ns = time_worked_ns() - began_ns;
        least = took_ns < least ? took_ns : least;
    }
    return least;
}

int judging_open(struct judging *judging, const struct arguments *arguments,
                 FILE *err)
{
    *judging = (struct judging){
        .policy = policy_usual,
        .account = { .name = SLICE("verified"),
                     .default_stream = JUDGE_STREAM_NONE,
                     .trust = JUDGE_TRUST_VERIFY,
                     .enforce = true },
        .declared = slice_text(arguments->declared),
        .model_id = "none",
        .sketcher = sketcher_new(),
        .clock_ns = clock_cost_ns(),
    };
    buf_init(&judging->header, HEADER_MAX);
    int code = arguments->config ? open_conf(judging, arguments, err) : EX_OK;
    if (code == EX_OK && (arguments->model || !arguments->config)) {
        if (!judging_model_read(arguments->model, &judging->held, err))
            return EX_DATAERR;
        judging->policy.model = &judging->held.model;
    }
    if (judging->policy.model)
        write_id(judging->policy.model, judging->model_id);
    return code;
}

void judging_close(struct judging *judging)
{
    sketcher_free(&judging->sketcher);
    judging_model_release(&judging->held);
    buf_release(&judging->header);
    policy_free(&judging->conf_policy);
    asker_free(&judging->asker);
    conf_release(&judging->conf);
}

/* The first address of a field; empty when there is none. */
static struct slice first_address(struct slice header, struct slice name)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    struct addresses addresses;
    struct address address;
    if (!header_find(&cursor, name, &field))
        return slice_text(NULL);
    addresses_init(&addresses, field.value);
    if (addresses_next(&addresses, &address) != RC_OK)
        return slice_text(NULL);
    return slice_of(address.local.ptr,
                    address.local.len + 1 + address.domain.len);
}

/* What MAIL FROM was: "<>" in Return-Path is the null sender; a message that
 * names nobody at all is not taken for one. */
static struct slice sender_of(struct slice header)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    if (header_find(&cursor, SLICE("Return-Path"), &field)
        && slice_equal(slice_trim(field.value), SLICE("<>")))
        return slice_text(NULL);
    struct slice from = first_address(header, SLICE("Return-Path"));
    if (slice_is_empty(from))
        from = first_address(header, SLICE("From"));
    return slice_is_empty(from) ? SLICE("unknown@localhost") : from;
}

/* The header as it would be with --declared: the first field counts. */
static struct slice declare(struct judging *judging, struct slice header)
{
    if (slice_is_empty(judging->declared))
        return header;
    buf_clear(&judging->header);
    (void)buf_addf(&judging->header, "X-Sendyard-Stream: %.*s\r\n",
                   SLICE_ARG(judging->declared));
    (void)buf_add(&judging->header, header);
    return buf_slice(&judging->header);
}

/* The stream that the recipient's tag names. */
static struct slice tag_of(const struct judging *judging, struct slice rcpt)
{
    struct subaddress tag = { .stream = NULL };
    if (judging->conf_account)
        subaddress_read(judging->conf, judging->conf_account, rcpt, &tag);
    return slice_text(tag.stream ? tag.stream->name : NULL);
}

void judging_judge(struct judging *judging, struct slice header,
                   struct slice body, struct slice rcpt, struct judged *judged)
{
    judged->rcpt =
        slice_is_empty(rcpt) ? first_address(header, SLICE("To")) : rcpt;
    judged->message = (struct sketch_message){
        .header = declare(judging, header),
        .body = body,
        .recipients = &judged->rcpt,
        .recipient_count = slice_is_empty(judged->rcpt) ? 0 : 1,
    };
    const struct judge_message message = {
        .mail_from = sender_of(header),
        .recipient_count = 1,
        .header = judged->message.header,
        .tag = tag_of(judging, judged->rcpt),
    };
    const struct trial trial = {
        .policy = &judging->policy,
        .account = &judging->account,
        .message = &message,
        .sketch = &judged->sketch,
        .asker = judging->account.is_off ? NULL : asker_trial(judging->asker),
        .tenant = judging->tenant,
        .recipients = &judged->rcpt,
        .recipient_count = 1,
    };
    const uint64_t began_ns = time_worked_ns();
    sketch_take(judging->sketcher, &judged->message, &judged->sketch);
    judged->template = trial_judge(&trial, &judged->judgement);
    const uint64_t took_ns = time_worked_ns() - began_ns;
    judged->cost_ns =
        took_ns > judging->clock_ns ? took_ns - judging->clock_ns : 0;
}
