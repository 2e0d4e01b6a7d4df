/*
 * judge.h - which stream a message belongs to, and why.
 *
 * A pure function: (policy, account, message) -> judgement. No I/O, no clock,
 * nothing remembered. Layers, from the strongest to the weakest:
 *
 *     declared   the header X-Sendyard-Stream, else a rule of the operator, else
 *                the account's default stream
 *     evident    what the protocol itself shows: unsubscribe and list fields,
 *                Precedence, Auto-Submitted, Feedback-ID, the null sender, the
 *                number of recipients. Each is worth points; BULK_POINTS and
 *                more are bulk. Fields can be forged and left out, so they only
 *                ever move a message down.
 *
 * Streams carry a class, and classes have an order: transactional over neutral
 * over bulk. Where the layers disagree the lower one wins and the reasons say
 * so; nothing is moved up by a guess. Mail that nobody declared is bulk when
 * it looks like it and neutral otherwise. Declaring bulk is always believed.
 *
 * The caller owns all memory; a judgement borrows slices of the message and the
 * policy.
 */
#ifndef CLASSIFIER_JUDGE_H
#define CLASSIFIER_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"

/* In order: a smaller value is a higher class. */
enum judge_class { JUDGE_TRANSACTIONAL, JUDGE_NEUTRAL, JUDGE_BULK };
#define JUDGE_CLASS_COUNT 3

struct judge_stream {
    struct slice name;
    enum judge_class class;
};

/* What a declaration of an account is worth. */
enum judge_trust {
    JUDGE_TRUST_VERIFY, /* believed unless the evidence is lower */
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
    unsigned class_streams[JUDGE_CLASS_COUNT]; /* where each class goes */
    const struct judge_rule *rules;            /* the first match counts */
    size_t rule_count;
    uint32_t bulk_recipients; /* so many in one message are bulk; 0: never */
    bool enforce; /* false: judge and tell, but leave what was declared */
};

struct judge_account {
    struct slice name;
    int default_stream; /* index, or JUDGE_STREAM_NONE */
    enum judge_trust trust;
};

struct judge_message {
    struct slice mail_from; /* without <>; empty: the null sender */
    size_t recipient_count;
    struct slice header; /* the block, as the client sent it */
    struct slice text;   /* what follows the empty line */
};

enum judge_reason_code {
    REASON_DECLARED_HEADER,  /* detail: stream */
    REASON_DECLARED_RULE,    /* detail: rule */
    REASON_DECLARED_ACCOUNT, /* detail: stream */
    REASON_UNDECLARED,
    REASON_LIST_UNSUBSCRIBE,
    REASON_ONE_CLICK, /* List-Unsubscribe-Post */
    REASON_LIST_ID,
    REASON_PRECEDENCE, /* detail: its value */
    REASON_FEEDBACK_ID,
    REASON_RECIPIENTS,     /* more than bulk_recipients */
    REASON_AUTO_GENERATED, /* Auto-Submitted, points against bulk */
    REASON_NULL_SENDER,
    REASON_MOVED_DOWN,  /* declared higher than evident: the lower won */
    REASON_TRUSTED,     /* ... but the account is always believed */
    REASON_NOT_TRUSTED, /* declared higher than an account may */
    REASON_OBSERVED,    /* ... but nothing is moved in observe mode */
};

struct judge_reason {
    enum judge_reason_code code;
    int points; /* for bulk, in hundredths; 0 when it carries none */
    struct slice detail;
};

#define JUDGE_REASONS_MAX 20
#define JUDGE_BULK_POINTS 100 /* in hundredths */

struct judgement {
    unsigned stream; /* index into the policy's streams */
    int declared;    /* index, or JUDGE_STREAM_NONE */
    enum judge_class evident;
    bool is_moved;       /* the stream is lower than declared */
    bool would_move;     /* it would be, were the policy enforced */
    unsigned confidence; /* per mille */
    /* A stream was named in the header that the policy does not have; then the
     * rest says what would be without it. Empty otherwise. */
    struct slice unknown_stream;
    struct judge_reason reasons[JUDGE_REASONS_MAX];
    size_t reason_count;
};

/* Fills *judgement; total over any bytes of header and text. */
void judge(const struct judge_policy *policy,
           const struct judge_account *account,
           const struct judge_message *message, struct judgement *judgement);

/* "list-unsubscribe": a constant word. */
const char *judge_reason_name(enum judge_reason_code code);
const char *judge_class_name(enum judge_class class);

/* The reasons as one line, "declared-header=transactional
 * list-unsubscribe(+75) ...", with what came from outside escaped. */
void judge_reasons_text(const struct judgement *judgement, struct buf *out);

#endif
