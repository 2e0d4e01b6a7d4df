/*
 * judge.h - which stream a message belongs to, and why.
 *
 * A pure function: (policy, account, message, sketch, standing) -> judgement.
 * No I/O, no clock, nothing remembered. Layers, in order:
 *
 *     must       the null sender and delivery reports are mail of systems; so
 *                many recipients in one transaction, a header that names none
 *                (undisclosed.h), and what was too large or nested to be read
 *                whole, cannot be protected by any word
 *     declared   what the header says (X-Sendyard-Stream, or a field of
 *                declare_in), what the recipients' tag says, what a rule of the
 *                operator says: the lowest of these, of equals the first. Where
 *                they are silent, the listener's stream; else the account's.
 *                Whoever says it, declaring a lower stream is always believed,
 *                and declaring a protected one is a prior of JUDGE_PRIOR, all,
 *                or nothing: as the account is trusted
 *     evident    what the header shows and what the text says, weighed by the
 *                model; the header's part is capped (model.h)
 *     template   what the operator taught of the template, and how it stands:
 *                a template that has tripped is not protected, and bulk where
 *                recipients complained; one that is not proven is protected
 *                only within its budget (guard.h)
 *
 * Three outcomes. Protected: the model is sure enough (the stream's floor) and
 * the template may. Bulk: it is more likely than not. Neutral: all else. So
 * what is unsure never rides the protected track, and nothing is moved up
 * against what was declared.
 *
 * Without a model (policy->model NULL) only list and campaign fields speak:
 * they make bulk, and nothing is protected but what is always trusted or was
 * taught.
 *
 * The caller owns all memory; a judgement borrows slices of the message and the
 * policy.
 */
#ifndef CLASSIFIER_JUDGE_H
#define CLASSIFIER_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/model.h"
#include "classifier/sketch/sketch.h"
#include "common/base/buf.h"
#include "common/base/slice.h"

/* In order: a smaller value is a higher class. Transactional is protected. */
enum judge_class { JUDGE_TRANSACTIONAL, JUDGE_NEUTRAL, JUDGE_BULK };
#define JUDGE_CLASS_COUNT 3

/* What a message is, whatever its stream: the model's classes, and system. */
enum judge_kind {
    KIND_TRANSACTIONAL = MODEL_TRANSACTIONAL,
    KIND_BULK = MODEL_BULK,
    KIND_PERSONAL = MODEL_PERSONAL,
    KIND_SYSTEM,
};
#define JUDGE_KIND_COUNT 4

/* Per mille; the floor of a stream unless the config has another. What it lets
 * in and keeps out on senders not seen is what `sendyard classify train` prints;
 * the guard bounds what a campaign can do that gets in. */
#define JUDGE_FLOOR_USUAL 880u

struct judge_stream {
    struct slice name;
    enum judge_class class;
    uint32_t floor; /* per mille: how sure a message must be to be in it, where
                       it is transactional */
};

/* What a declaration of an account is worth. */
enum judge_trust {
    JUDGE_TRUST_VERIFY, /* a prior; the evidence may overrule it */
    JUDGE_TRUST_ALWAYS, /* believed whatever the evidence */
    JUDGE_TRUST_NEVER,  /* believed only where it lowers the class */
};

/* Mail of this form is declared `stream` by the operator. An empty pattern
 * matches everything; '*' matches any run of bytes. */
struct judge_rule {
    struct slice name;
    struct slice account;
    struct slice sender;       /* pattern over MAIL FROM */
    struct slice header;       /* field that must be there */
    struct slice header_value; /* pattern over its value */
    unsigned stream;
};

#define JUDGE_STREAM_NONE (-1)

struct judge_policy {
    const struct judge_stream *streams;
    size_t stream_count;
    unsigned kind_streams[JUDGE_KIND_COUNT]; /* where each kind goes */
    unsigned unsure_stream;
    const struct slice *declare_in; /* fields that may name a stream, besides
                                       X-Sendyard-Stream */
    size_t declare_in_count;
    const struct judge_rule *rules; /* the first match counts */
    size_t rule_count;
    const struct model *model; /* NULL: fields only */
    uint32_t max_recipients;   /* more are not protected */
    uint32_t bulk_recipients;  /* so many are bulk; 0: never */
};

struct judge_account {
    struct slice name;
    int default_stream; /* index, or JUDGE_STREAM_NONE */
    enum judge_trust trust;
    bool enforce; /* false: judge and tell, but leave what was declared */
    bool is_off;  /* the text is not read: what is declared is believed */
};

struct judge_message {
    struct slice mail_from; /* without <>; empty: the null sender */
    size_t recipient_count;
    struct slice header;   /* the block, as the client sent it */
    struct slice tag;      /* stream that its recipients' tag names; or empty */
    struct slice listener; /* stream of where it arrived; or empty */
};

/* How the template of a message stands with its tenant (guard.h). */
enum judge_state {
    TEMPLATE_UNKNOWN, /* nobody keeps templates: judged by itself alone */
    TEMPLATE_NEW,
    TEMPLATE_PROBATION,
    TEMPLATE_TRUSTED,
    TEMPLATE_TRIPPED,
};

struct judge_standing {
    uint64_t id; /* of the template; 0: unknown */
    enum judge_state state;
    bool is_spent;  /* the budget is: of the template, or of its tenant */
    bool is_blamed; /* it tripped by complaints: it is bulk */
    bool is_taught; /* the operator said what it is */
    enum judge_kind taught;
    uint32_t recipients; /* it has had, of `budget` */
    uint32_t budget;
};

enum judge_reason_code {
    REASON_NULL_SENDER,
    REASON_REPORT,            /* multipart/report */
    REASON_UNDISCLOSED,       /* neither To nor Cc names anybody */
    REASON_RECIPIENTS,        /* more than max_recipients */
    REASON_DECLARED_HEADER,   /* detail: stream */
    REASON_DECLARED_TAG,      /* detail: stream */
    REASON_DECLARED_RULE,     /* detail: rule */
    REASON_DECLARED_LISTENER, /* detail: stream */
    REASON_DECLARED_ACCOUNT,  /* detail: stream */
    REASON_UNDECLARED,
    REASON_PRIOR,   /* what the declaration adds to the evidence */
    REASON_MARK,    /* index: enum mark */
    REASON_MEASURE, /* index: enum measure; value: what was measured */
    REASON_WORD,    /* index: bucket of a word or pair; detail: what the
                       model calls it, if it does */
    REASON_TEXT,    /* all words together */
    REASON_TRUNCATED,
    REASON_HIDDEN_TEXT, /* value: words that no reader sees */
    REASON_NO_MODEL,
    REASON_OFF,             /* the account's mail is not read */
    REASON_TAUGHT,          /* detail: kind */
    REASON_PROBATION,       /* within its budget */
    REASON_PROBATION_SPENT, /* value: recipients so far */
    REASON_TRIPPED,
    REASON_COMPLAINTS,  /* tripped by them */
    REASON_BELOW_FLOOR, /* value: the floor, per mille */
    REASON_MOVED_DOWN,  /* detail: to which class */
    REASON_TRUSTED,     /* lower by evidence, but always believed */
    REASON_OBSERVED,    /* nothing is moved in observe mode; detail: where
                           undeclared mail would be */
};
#define JUDGE_REASON_COUNT 28

struct judge_reason {
    enum judge_reason_code code;
    enum judge_kind toward;
    int32_t points; /* log-odds toward it, in hundredths; 0: none */
    uint32_t index;
    uint32_t value;
    struct slice detail;
};

#define JUDGE_REASONS_MAX (8u + EVIDENCE_MAX)
#define JUDGE_PRIOR       (MODEL_POINT * 3 / 4)

struct judgement {
    unsigned stream; /* index into the policy's streams */
    int declared;    /* index, or JUDGE_STREAM_NONE */
    enum judge_kind kind;
    uint32_t per_mille[JUDGE_KIND_COUNT]; /* how likely each kind is */
    enum judge_class evident; /* what the evidence and template allow */
    bool is_barred;    /* no declaration can protect it: the must layer */
    bool is_protected; /* the stream is transactional */
    bool is_moved;     /* the stream is lower than declared */
    bool would_move;   /* it would be, were the policy enforced */
    bool needs_budget; /* protected only within the template's budget: the
                          caller takes its recipients from it, and judges
                          again with is_spent when they are not to be had */
    /* A stream was named in the header that the policy does not have; then the
     * rest says what would be without it. Empty otherwise. */
    struct slice unknown_stream;
    struct judge_reason reasons[JUDGE_REASONS_MAX];
    size_t reason_count;
};

/* Fills *judgement; total over any bytes of header and text. The sketch is of this
 * message, with this header. */
void judge(const struct judge_policy *policy,
           const struct judge_account *account,
           const struct judge_message *message, const struct sketch *sketch,
           const struct judge_standing *standing, struct judgement *judgement);

/* "list-unsubscribe": a constant word. */
const char *judge_reason_name(enum judge_reason_code code);
const char *judge_class_name(enum judge_class class);
/* False: `name` is no kind's. */
bool judge_kind_of(struct slice name, enum judge_kind *kind);
const char *judge_kind_name(enum judge_kind kind);

/* The reasons as one line, "declared-header=transactional
 * list-unsubscribe(+75:bulk) ...", with what came from outside escaped. */
void judge_reasons_text(const struct judgement *judgement, struct buf *out);

#endif
