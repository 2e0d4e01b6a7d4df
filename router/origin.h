/*
 * origin.h - the field by which a message of ours is known when it comes back.
 *
 *     X-Sendyard-Origin: ID TEMPLATE RECIPIENTS SEAL
 *
 * A complaint brings the header of the message that it is about, and comes days
 * later: the message has left the spool, its line the event log. So what it takes
 * to count the complaint travels with the message: its id, the template of its
 * text (0: none), and how many recipients it had, since no more than these can
 * complain. That number would show a reader that there was a Bcc, so it is
 * veiled by SipHash over what stands before it. The seal is SipHash over all
 * three and the name of the account, under the operator's key: it shows that we
 * wrote the field, and whose mail it is without naming him to the world, for the
 * account is the one whose seal it is.
 *
 * Without a key (classifier.feedback.key_file) the seal tells accounts apart,
 * and keeps nobody from making a field up, nor from lifting the veil. All routers
 * need the same key, and with a new one mail that was sent before is not known
 * any more.
 *
 * All four are in the text form of message_id.h.
 */
#ifndef ROUTER_ORIGIN_H
#define ROUTER_ORIGIN_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "config/conf.h"

#define ORIGIN_FIELD     "X-Sendyard-Origin"
#define ORIGIN_TEXT_SIZE 64

/* Fields of that name in one header that are looked at; whoever passes our mail
 * on by a platform of his own adds one. */
#define ORIGIN_FIELDS_MAX 4u

struct origin {
    uint64_t id;
    uint64_t template; /* 0: none */
    uint32_t recipients;
};

/* The field's value. Returns `text`. */
const char *origin_format(const struct conf *conf,
                          const struct conf_account *account,
                          const struct origin *origin,
                          char text[ORIGIN_TEXT_SIZE]);

/* The first field in a header that we wrote for an account that is there still.
 * RC_NONE: there is none. */
enum rc origin_find(const struct conf *conf, struct slice header,
                    struct origin *origin,
                    const struct conf_account **account) must_check;

#endif
