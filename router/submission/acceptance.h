/*
 * acceptance.h - may this message leave here, in which stream, by which routes?
 *
 * A function of config, message and what is known of its template, asked by a
 * session at the end of DATA and by `explain`. It checks what the protocol engine cannot see before the
 * text is there: that every author (From) and the sender (Sender, RFC 5322
 * section 3.6.2) are within the account's domains, that the header makes sense,
 * and that the message is not in a loop. Then the classifier chooses the stream
 * and the routing one route per recipient. No I/O, no clock; nothing is kept but
 * what the templates count.
 *
 *     550 5.6.0  the header has a line that is no field; From or Sender is
 *                there twice, or cannot be read; there is no From and no MAIL
 *                FROM to make one of; X-Sendyard-Stream names no stream
 *     550 5.7.1  From or Sender is of a domain the account may not send from
 *     550 5.7.1  it is declared higher than it is found, and the config says
 *                disagree = "reject"
 *     554 5.4.6  more than SUBMISSION_RECEIVED_MAX Received fields
 */
#ifndef ROUTER_SUBMISSION_ACCEPTANCE_H
#define ROUTER_SUBMISSION_ACCEPTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/judge.h"
#include "common/base/slice.h"
#include "common/proto/verdict.h"
#include "config/conf.h"
#include "router/envelope.h"
#include "router/routing/policy.h"
#include "router/routing/route.h"
#include "router/submission/survey.h"

#define ACCEPTANCE_TEXT_SIZE 300

struct acceptance_question {
    const struct conf *conf;
    const struct policy *policy; /* made of the same conf */
    struct sketcher *sketcher;   /* of the calling thread */
    const struct conf_account *account;
    const struct conf_listener *listener; /* NULL: not known */
    const struct conf_stream
        *tagged;            /* by its recipients (subaddress.h); NULL: none */
    struct slice mail_from; /* without <>; empty: the null sender */
    const struct envelope_recipient *recipients; /* their addresses are read */
    size_t recipient_count;
    struct slice header; /* the block as the client sent it */
    struct slice text;   /* what follows its empty line */
    bool is_header_cut;  /* header_split() met a line that is no field */
    /* Counts the message as one of its template. NULL: it is judged by itself
     * alone, and nothing is kept of it. */
    struct templates *templates;
    const struct trial_asker *asker; /* NULL; or asked, and nothing is kept */
    uint64_t now_utc_ms;
};

/* Borrows from the question. */
struct acceptance {
    bool is_allowed;
    /* Why not; code 0 when allowed. The text is safe to print. */
    uint16_t code;
    struct enhanced enhanced;
    char text[ACCEPTANCE_TEXT_SIZE];
    /* Filled in any case: */
    struct survey survey;
    /* Filled when allowed: */
    struct judgement judgement;
    uint64_t template; /* id; 0: unknown */
    const struct conf_stream *stream;
};

/* `routes` has room for one answer per recipient; filled when allowed. */
void acceptance_decide(const struct acceptance_question *question,
                       struct acceptance *acceptance,
                       struct route_answer *routes);

/* Whether the account may send from this domain, case ignored. */
bool acceptance_allows_domain(const struct conf_account *account,
                              struct slice domain);

#endif
