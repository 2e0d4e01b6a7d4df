/* policy.c - the classifier's policy, made of the config. */
#include "router/routing/policy.h"

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

struct policy *policy_new(const struct conf *conf)
{
    const struct conf_classifier *classifier = &conf->classifier;
    struct policy *policy = NEW(struct policy);
    struct judge_stream *streams = mem_new(conf->stream_count, sizeof *streams);
    for (size_t i = 0; i < conf->stream_count; i++)
        streams[i] = (struct judge_stream){
            .name = slice_text(conf->streams[i].name),
            .class = (enum judge_class)conf->streams[i].class,
        };
    struct judge_rule *rules = mem_new(classifier->rule_count, sizeof *rules);
    for (size_t i = 0; i < classifier->rule_count; i++)
        rules[i] = rule_of(&classifier->rules[i]);

    policy->judge = (struct judge_policy){
        .streams = streams,
        .stream_count = conf->stream_count,
        .rules = rules,
        .rule_count = classifier->rule_count,
        .bulk_recipients = classifier->bulk_recipients,
        .enforce = classifier->mode == MODE_ENFORCE,
    };
    for (size_t i = 0; i < JUDGE_CLASS_COUNT; i++)
        policy->judge.class_streams[i] = classifier->streams[i]->index;
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
    mem_free(held);
}

void policy_account(const struct conf_account *account,
                    struct judge_account *judged)
{
    static const enum judge_trust trust[] = {
        [TRUST_VERIFY] = JUDGE_TRUST_VERIFY,
        [TRUST_ALWAYS] = JUDGE_TRUST_ALWAYS,
        [TRUST_NEVER] = JUDGE_TRUST_NEVER,
    };
    *judged = (struct judge_account){ .default_stream = JUDGE_STREAM_NONE };
    if (!account)
        return;
    judged->name = slice_text(account->name);
    judged->trust = trust[account->declared];
    if (account->stream)
        judged->default_stream = (int)account->stream->index;
}
