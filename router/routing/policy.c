/* policy.c - the classifier's policy, made of the config. */
#include "router/routing/policy.h"

#include <errno.h>

#include "classifier/shipped.h"
#include "common/base/file.h"
#include "common/base/mem.h"

/* The two enums say the same in two rooms that must not know each other. */
_Static_assert((int)CLASS_TRANSACTIONAL == (int)JUDGE_TRANSACTIONAL
                   && (int)CLASS_NEUTRAL == (int)JUDGE_NEUTRAL
                   && (int)CLASS_BULK == (int)JUDGE_BULK
                   && CONF_CLASS_COUNT == JUDGE_CLASS_COUNT,
               "config and classifier agree on the classes");

static struct judge_rule rule_of(const struct conf_rule *rule)
{
    return (struct judge_rule){
        .name = slice_text(rule->name),
        .account = slice_text(rule->account ? rule->account->name : NULL),
        .sender = slice_text(rule->sender),
        .header = slice_text(rule->header),
        .header_value = slice_text(rule->header_value),
        .stream = rule->stream->index,
    };
}

static void open_model(const struct conf *conf, struct policy *policy)
{
    const char *path = conf->classifier.model;
    struct slice bytes = shipped_model();
    if (path) {
        if (!file_read(path, &policy->file)) {
            (void)fault_set(&policy->fault, RC_IO, errno, "model %s", path);
            return;
        }
        bytes = buf_slice(&policy->file);
    }
    enum rc rc = model_open(bytes, &policy->model);
    if (rc == RC_OK)
        policy->judge.model = &policy->model;
    else
        (void)fault_set(
            &policy->fault, rc, 0, "model %s: %s", path ? path : "that ships",
            rc == RC_NONE ? "of another version" : "damaged, or no model");
}

static void set_streams(const struct conf *conf, struct policy *policy)
{
    const struct conf_classifier *classifier = &conf->classifier;
    unsigned *streams = policy->judge.kind_streams;
    streams[KIND_TRANSACTIONAL] =
        classifier->streams[CLASS_TRANSACTIONAL]->index;
    streams[KIND_BULK] = classifier->streams[CLASS_BULK]->index;
    streams[KIND_PERSONAL] = classifier->personal->index;
    streams[KIND_SYSTEM] = classifier->system->index;
    policy->judge.unsure_stream = classifier->streams[CLASS_NEUTRAL]->index;
}

struct policy *policy_new(const struct conf *conf)
{
    const struct conf_classifier *classifier = &conf->classifier;
    struct policy *policy = NEW(struct policy);
    struct judge_stream *streams = mem_new(conf->stream_count, sizeof *streams);
    for (size_t i = 0; i < conf->stream_count; i++)
        streams[i] = (struct judge_stream){
            .name = slice_text(conf->streams[i].name),
            .class = (enum judge_class)conf->streams[i].class,
            .floor = conf->streams[i].floor / 10,
        };
    struct judge_rule *rules = mem_new(classifier->rule_count, sizeof *rules);
    for (size_t i = 0; i < classifier->rule_count; i++)
        rules[i] = rule_of(&classifier->rules[i]);

    const struct conf_texts *fields = &classifier->declare_in;
    struct slice *declare_in = mem_new(fields->count, sizeof *declare_in);
    for (size_t i = 0; i < fields->count; i++)
        declare_in[i] = slice_text(fields->items[i]);

    policy->judge = (struct judge_policy){
        .declare_in = declare_in,
        .declare_in_count = fields->count,
        .streams = streams,
        .stream_count = conf->stream_count,
        .rules = rules,
        .rule_count = classifier->rule_count,
        .max_recipients = classifier->max_recipients,
        .bulk_recipients = classifier->bulk_recipients,
    };
    set_streams(conf, policy);
    buf_init(&policy->file, MODEL_FILE_MAX);
    open_model(conf, policy);
    return policy;
}

/* The arrays are ours to free, and const to everybody else. */
static void free_array(const void *array)
{
    union {
        const void *in;
        void *out;
    } memory = { .in = array };
    mem_free(memory.out);
}

void policy_free(struct policy **policy)
{
    struct policy *held = steal(*policy);
    if (!held)
        return;
    free_array(held->judge.streams);
    free_array(held->judge.rules);
    free_array(held->judge.declare_in);
    buf_release(&held->file);
    mem_free(held);
}

void policy_account(const struct conf *conf, const struct conf_account *account,
                    struct judge_account *judged)
{
    static const enum judge_trust trust[] = {
        [TRUST_VERIFY] = JUDGE_TRUST_VERIFY,
        [TRUST_ALWAYS] = JUDGE_TRUST_ALWAYS,
        [TRUST_NEVER] = JUDGE_TRUST_NEVER,
    };
    *judged = (struct judge_account){
        .default_stream = JUDGE_STREAM_NONE,
        .enforce = conf->classifier.mode == MODE_ENFORCE,
        .is_off = conf->classifier.mode == MODE_OFF,
    };
    if (!account)
        return;
    judged->name = slice_text(account->name);
    judged->trust = trust[account->declared];
    if (account->mode != ACCOUNT_AS_ALL) {
        judged->enforce = account->mode == ACCOUNT_ENFORCE;
        judged->is_off = account->mode == ACCOUNT_OFF;
    }
    if (account->stream)
        judged->default_stream = (int)account->stream->index;
}
