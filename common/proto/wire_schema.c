/* wire_schema.c - which member of a frame travels under which key. */
#include "common/proto/wire_schema.h"

#include "common/base/attr.h"

#define SIZE_OF(owner, member) sizeof(((struct owner *)0)->member)
#define MAX_OF(owner, member)  (UINT64_MAX >> (64 - 8 * SIZE_OF(owner, member)))

#define MEMBER(kind, owner, member, need)                                      \
    .type = (kind), .needed = (need), .offset = offsetof(struct owner, member)
#define NUMBER(owner, member, need)                                            \
    {                                                                          \
        MEMBER(FIELD_NUMBER, owner, member, need),                             \
            .size = SIZE_OF(owner, member), .max = MAX_OF(owner, member)       \
    }
#define ENUM(owner, member, last, need)                                        \
    {                                                                          \
        MEMBER(FIELD_NUMBER, owner, member, need),                             \
            .size = SIZE_OF(owner, member), .max = (last)                      \
    }
#define FLAG(owner, member)                                                    \
    {                                                                          \
        MEMBER(FIELD_FLAG, owner, member, false)                               \
    }
#define TEXT(owner, member, need)                                              \
    {                                                                          \
        MEMBER(FIELD_TEXT, owner, member, need)                                \
    }
#define CHARS(owner, member)                                                   \
    {                                                                          \
        MEMBER(FIELD_CHARS, owner, member, false),                             \
            .size = SIZE_OF(owner, member)                                     \
    }
#define LIST(owner, member, what, need)                                        \
    {                                                                          \
        MEMBER(FIELD_LIST, owner, member, need), .list = &(what)               \
    }
/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name, no expression */
#define IDS(owner, member)                                                     \
    {                                                                          \
        .item = { .type = FIELD_NUMBER,                                        \
                  .size = sizeof(uint64_t),                                    \
                  .max = UINT64_MAX },                                         \
        .item_size = sizeof(uint64_t),                                         \
        .count_offset = offsetof(struct owner, member.count),                  \
        .max = WIRE_LEASES_MAX                                                 \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
#define RECORD(table)                                                          \
    {                                                                          \
        .fields = (table), .keys = ARRAY_LEN(table)                            \
    }
#define NEEDED   true
#define OPTIONAL false

static const struct wire_list source_names = {
    .item = { .type = FIELD_TEXT },
    .item_size = sizeof(struct slice),
    .count_offset = offsetof(struct wire_hello, sources.count),
    .max = WIRE_SOURCES_MAX,
};

static const struct wire_list held_leases = IDS(wire_hello, held_leases);
static const struct wire_list held_messages = IDS(wire_hello, held_messages);
static const struct wire_list former_boots = IDS(wire_hello, former_boots);

static const struct wire_field hello_fields[] = {
    [1] = TEXT(wire_hello, worker, NEEDED),
    [2] = NUMBER(wire_hello, boot, NEEDED),
    [3] = TEXT(wire_hello, host, OPTIONAL),
    [4] = NUMBER(wire_hello, pid, OPTIONAL),
    [5] = NUMBER(wire_hello, config_digest, OPTIONAL),
    [6] = LIST(wire_hello, sources.items, source_names, OPTIONAL),
    [7] = LIST(wire_hello, held_leases.items, held_leases, OPTIONAL),
    [8] = LIST(wire_hello, held_messages.items, held_messages, OPTIONAL),
    [9] = LIST(wire_hello, former_boots.items, former_boots, OPTIONAL),
};

static const struct wire_field welcome_fields[] = {
    [1] = TEXT(wire_welcome, router, NEEDED),
    [2] = NUMBER(wire_welcome, boot, NEEDED),
    [3] = NUMBER(wire_welcome, config_digest, OPTIONAL),
    [4] = NUMBER(wire_welcome, beat_ms, NEEDED),
    [5] = NUMBER(wire_welcome, lease_ms, NEEDED),
    [6] = NUMBER(wire_welcome, rank, OPTIONAL),
    [7] = NUMBER(wire_welcome, workers, OPTIONAL),
};

static const struct wire_field offer_fields[] = {
    [1] = NUMBER(wire_offer, lane, NEEDED),
    [2] = TEXT(wire_offer, pool, OPTIONAL),
    [3] = TEXT(wire_offer, site, OPTIONAL),
    [4] = TEXT(wire_offer, domain, OPTIONAL),
    [5] = TEXT(wire_offer, provider, OPTIONAL),
    [6] = NUMBER(wire_offer, depth, OPTIONAL),
    [7] = NUMBER(wire_offer, urgent, OPTIONAL),
    [8] = FLAG(wire_offer, is_behind),
};

static const struct wire_field pull_fields[] = {
    [1] = NUMBER(wire_pull, lane, NEEDED),
    [2] = TEXT(wire_pull, source, NEEDED),
    [3] = NUMBER(wire_pull, total, NEEDED),
};

static const struct wire_field host_fields[] = {
    [1] = NUMBER(wire_host, preference, OPTIONAL),
    [2] = TEXT(wire_host, name, NEEDED),
};
static const struct wire_record host_record = RECORD(host_fields);
static const struct wire_list hosts = {
    .item = { .type = FIELD_RECORD, .record = &host_record },
    .item_size = sizeof(struct wire_host),
    .count_offset = offsetof(struct wire_job, host_count),
    .max = WIRE_HOSTS_MAX,
};

static const struct wire_field recipient_fields[] = {
    [1] = NUMBER(wire_recipient, index, NEEDED),
    [2] = TEXT(wire_recipient, address, NEEDED),
    [3] = TEXT(wire_recipient, orcpt, OPTIONAL),
    [4] = NUMBER(wire_recipient, notify, OPTIONAL),
};
static const struct wire_record recipient_record = RECORD(recipient_fields);
static const struct wire_list recipients = {
    .item = { .type = FIELD_RECORD, .record = &recipient_record },
    .item_size = sizeof(struct wire_recipient),
    .count_offset = offsetof(struct wire_job, recipient_count),
    .max = WIRE_RECIPIENTS_MAX,
};

static const struct wire_field job_fields[] = {
    [1] = NUMBER(wire_job, lease, NEEDED),
    [2] = NUMBER(wire_job, message, NEEDED),
    [3] = NUMBER(wire_job, lane, NEEDED),
    [4] = TEXT(wire_job, source, NEEDED),
    [5] = TEXT(wire_job, domain, NEEDED),
    [6] = TEXT(wire_job, tenant, OPTIONAL),
    [7] = TEXT(wire_job, stream, OPTIONAL),
    [8] = TEXT(wire_job, mail_from, OPTIONAL),
    [9] = TEXT(wire_job, envid, OPTIONAL),
    [10] = NUMBER(wire_job, ret, OPTIONAL),
    [11] = FLAG(wire_job, body_8bit),
    [12] = FLAG(wire_job, smtputf8),
    [13] = NUMBER(wire_job, size, OPTIONAL),
    [14] = NUMBER(wire_job, attempt, OPTIONAL),
    [15] = NUMBER(wire_job, accepted_utc_ms, OPTIONAL),
    [16] = LIST(wire_job, hosts, hosts, OPTIONAL),
    [17] = LIST(wire_job, recipients, recipients, NEEDED),
    [18] = ENUM(wire_job, rank, WIRE_RANK_URGENT, OPTIONAL),
};

static const struct wire_list handback_leases = IDS(wire_handback, leases);

static const struct wire_field handback_fields[] = {
    [1] = LIST(wire_handback, leases.items, handback_leases, NEEDED),
    [2] = TEXT(wire_handback, reason, OPTIONAL),
};

static const struct wire_field outcome_fields[] = {
    [1] = NUMBER(wire_outcome, index, NEEDED),
    [2] = ENUM(wire_outcome, verdict.class, VERDICT_FAILED, NEEDED),
    [3] = NUMBER(wire_outcome, verdict.code, OPTIONAL),
    [4] = NUMBER(wire_outcome, verdict.enhanced.class, OPTIONAL),
    [5] = NUMBER(wire_outcome, verdict.enhanced.subject, OPTIONAL),
    [6] = NUMBER(wire_outcome, verdict.enhanced.detail, OPTIONAL),
    [7] = CHARS(wire_outcome, verdict.text),
};
static const struct wire_record outcome_record = RECORD(outcome_fields);
static const struct wire_list outcomes = {
    .item = { .type = FIELD_RECORD, .record = &outcome_record },
    .item_size = sizeof(struct wire_outcome),
    .count_offset = offsetof(struct wire_result, outcome_count),
    .max = WIRE_RECIPIENTS_MAX,
};

static const struct wire_field result_fields[] = {
    [1] = NUMBER(wire_result, lease, NEEDED),
    [2] = NUMBER(wire_result, message, NEEDED),
    [3] = NUMBER(wire_result, lane, OPTIONAL),
    [4] = TEXT(wire_result, source, OPTIONAL),
    [5] = TEXT(wire_result, source_ip, OPTIONAL),
    [6] = TEXT(wire_result, host, OPTIONAL),
    [7] = TEXT(wire_result, host_ip, OPTIONAL),
    [8] = TEXT(wire_result, tls, OPTIONAL),
    [9] = NUMBER(wire_result, started_utc_ms, OPTIONAL),
    [10] = NUMBER(wire_result, ended_utc_ms, OPTIONAL),
    [11] = FLAG(wire_result, in_doubt),
    [12] = LIST(wire_result, outcomes, outcomes, NEEDED),
    [13] = FLAG(wire_result, ends_dsn),
    [14] = FLAG(wire_result, posthumous),
    [15] = FLAG(wire_result, converted),
};

static const struct wire_list ack_leases = IDS(wire_ack, leases);

static const struct wire_field ack_fields[] = {
    [1] = LIST(wire_ack, leases.items, ack_leases, NEEDED),
};

static const struct wire_field beat_fields[] = {
    [1] = NUMBER(wire_beat, rank, OPTIONAL),
    [2] = NUMBER(wire_beat, workers, OPTIONAL),
    [3] = NUMBER(wire_beat, boot, OPTIONAL),
};

static const struct wire_field drain_fields[] = {
    [1] = FLAG(wire_drain, is_over),
};

static const struct wire_field trace_fields[] = {
    [1] = NUMBER(wire_trace, trace, NEEDED),
    [2] = TEXT(wire_trace, site, OPTIONAL),
    [3] = TEXT(wire_trace, domain, OPTIONAL),
    [4] = NUMBER(wire_trace, message, OPTIONAL),
    [5] = NUMBER(wire_trace, for_ms, OPTIONAL),
};

static const struct wire_field line_fields[] = {
    [1] = NUMBER(wire_line, connection, NEEDED),
    [2] = NUMBER(wire_line, since_ms, OPTIONAL),
    [3] = NUMBER(wire_line, kind, OPTIONAL),
    [4] = TEXT(wire_line, site, OPTIONAL),
    [5] = TEXT(wire_line, source, OPTIONAL),
    [6] = TEXT(wire_line, host, OPTIONAL),
    [7] = TEXT(wire_line, host_ip, OPTIONAL),
    [8] = TEXT(wire_line, text, OPTIONAL),
};
static const struct wire_record line_record = RECORD(line_fields);
static const struct wire_list lines = {
    .item = { .type = FIELD_RECORD, .record = &line_record },
    .item_size = sizeof(struct wire_line),
    .count_offset = offsetof(struct wire_lines, line_count),
    .max = WIRE_LINES_MAX,
};

static const struct wire_field lines_fields[] = {
    [1] = NUMBER(wire_lines, trace, NEEDED),
    [2] = NUMBER(wire_lines, left_out, OPTIONAL),
    [3] = LIST(wire_lines, lines, lines, OPTIONAL),
};

_Static_assert(ARRAY_LEN(job_fields) <= WIRE_KEYS_MAX, "the longest");

const struct wire_record *wire_schema_of(size_t kind)
{
    static const struct wire_record records[] = {
        [WIRE_HELLO] = RECORD(hello_fields),
        [WIRE_WELCOME] = RECORD(welcome_fields),
        [WIRE_OFFER] = RECORD(offer_fields),
        [WIRE_PULL] = RECORD(pull_fields),
        [WIRE_JOB] = RECORD(job_fields),
        [WIRE_HANDBACK] = RECORD(handback_fields),
        [WIRE_RESULT] = RECORD(result_fields),
        [WIRE_ACK] = RECORD(ack_fields),
        [WIRE_BEAT] = RECORD(beat_fields),
        [WIRE_DRAIN] = RECORD(drain_fields),
        [WIRE_TRACE] = RECORD(trace_fields),
        [WIRE_LINES] = RECORD(lines_fields),
    };
    return kind > 0 && kind < ARRAY_LEN(records) ? &records[kind] : NULL;
}
