/* show.c - a verdict as people and programs read it. */
#include "router/classify/show.h"

#include <stdlib.h>

#include "common/proto/escape.h"
#include "common/proto/json.h"

#define SAFE_SIZE 256u

/* What a reason is about: a word, a mark, a measure, or what the policy knows
 * by name. */
static struct slice subject_of(const struct judge_reason *reason,
                               const struct naming *naming)
{
    struct slice name = naming_of(naming, reason->index);
    if (reason->code == REASON_WORD && !slice_is_empty(name))
        return name;
    if (reason->code == REASON_MARK)
        return slice_text(mark_name((enum mark)reason->index));
    if (reason->code == REASON_MEASURE)
        return slice_text(measure_name((enum measure)reason->index));
    return reason->detail;
}

static bool has_value(const struct judge_reason *reason)
{
    return reason->code == REASON_MEASURE || reason->value > 0;
}

static void add_safe(struct buf *out, struct slice text)
{
    char safe[SAFE_SIZE];
    struct escape escape;
    escape_init(&escape, safe, sizeof safe);
    escape_add(&escape, text);
    (void)buf_add_text(out, safe);
}

static void add_reason(const struct judge_reason *reason,
                       const struct naming *naming, struct buf *out)
{
    struct slice subject = subject_of(reason, naming);
    if (reason->points != 0)
        (void)buf_addf(out, "  %+d.%02d %-14s", reason->points / 100,
                       abs(reason->points % 100),
                       judge_kind_name(reason->toward));
    else
        (void)buf_addf(out, "  %-20s", "");
    (void)buf_addf(out, " %s", judge_reason_name(reason->code));
    if (!slice_is_empty(subject)) {
        (void)buf_add_text(out, reason->code == REASON_WORD ? " \"" : " ");
        add_safe(out, subject);
        (void)buf_add_text(out, reason->code == REASON_WORD ? "\"" : "");
    }
    if (has_value(reason))
        (void)buf_addf(out, " %u", reason->value);
    (void)buf_add_byte(out, '\n');
}

static const char *trust_name(enum judge_trust trust)
{
    static const char *const names[] = {
        [JUDGE_TRUST_VERIFY] = "verify",
        [JUDGE_TRUST_ALWAYS] = "always",
        [JUDGE_TRUST_NEVER] = "never",
    };
    return names[trust];
}

static void add_declared(const struct judging *judging,
                         const struct judgement *judgement, struct buf *out)
{
    if (judgement->declared == JUDGE_STREAM_NONE) {
        (void)buf_add_text(out, "undeclared");
        return;
    }
    (void)buf_add_text(out, "declared ");
    add_safe(out, judging->policy.streams[judgement->declared].name);
}

void show_text(const struct judging *judging, struct slice name,
               const struct judged *judged, const struct naming *naming,
               struct buf *out)
{
    const struct judgement *judgement = &judged->judgement;
    add_safe(out, name);
    (void)buf_addf(out, "\n  stream ");
    add_safe(out, judging->policy.streams[judgement->stream].name);
    (void)buf_add_text(out, " (");
    add_declared(judging, judgement, out);
    (void)buf_add_text(out, ", account ");
    add_safe(out, judging->account.name);
    (void)buf_addf(out, ", trust %s)", trust_name(judging->account.trust));
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++)
        if (judgement->per_mille[kind] > 0)
            (void)buf_addf(
                out, "  p(%s) 0.%03u", judge_kind_name((enum judge_kind)kind),
                judgement->per_mille[kind] < 1000 ? judgement->per_mille[kind]
                                                  : 999u);
    (void)buf_addf(out, "  model %s\n", judging->model_id);
    for (size_t i = 0; i < judgement->reason_count; i++)
        add_reason(&judgement->reasons[i], naming, out);
}

static void add_reasons(const struct judgement *judgement,
                        const struct naming *naming, struct json *json)
{
    json_key(json, "reasons");
    json_begin_array(json);
    for (size_t i = 0; i < judgement->reason_count; i++) {
        const struct judge_reason *reason = &judgement->reasons[i];
        struct slice subject = subject_of(reason, naming);
        json_begin_object(json);
        json_add_text(json, "code",
                      slice_text(judge_reason_name(reason->code)));
        if (!slice_is_empty(subject))
            json_add_text(json, "name", subject);
        if (has_value(reason))
            json_add_number(json, "value", reason->value);
        json_key(json, "weight");
        json_decimal(json, reason->points / 100.0);
        if (reason->points != 0)
            json_add_text(json, "toward",
                          slice_text(judge_kind_name(reason->toward)));
        json_end(json);
    }
    json_end(json);
}

void show_json(const struct judging *judging, struct slice name,
               const struct judged *judged, const struct naming *naming,
               struct buf *out)
{
    const struct judgement *judgement = &judged->judgement;
    const uint64_t tenths_us = judged->cost_ns / 100;
    struct json json;
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "file", name);
    json_add_text(&json, "class", slice_text(judge_kind_name(judgement->kind)));
    json_key(&json, "probabilities");
    json_begin_object(&json);
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++) {
        json_key(&json, judge_kind_name((enum judge_kind)kind));
        json_decimal(&json, judgement->per_mille[kind] / 1000.0);
    }
    json_end(&json);
    json_add_text(&json, "stream",
                  judging->policy.streams[judgement->stream].name);
    if (judgement->declared != JUDGE_STREAM_NONE)
        json_add_text(&json, "declared",
                      judging->policy.streams[judgement->declared].name);
    json_add_bool(&json, "protected", judgement->is_protected);
    add_reasons(judgement, naming, &json);
    json_key(&json, "us");
    json_decimal(&json, (double)tenths_us / 10);
    json_add_text(&json, "model", slice_text(judging->model_id));
    json_end(&json);
    (void)buf_add_byte(out, '\n');
}
