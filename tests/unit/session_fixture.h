/*
 * session_fixture.h - a real submission session without a socket, for tests.
 *
 * One listener without TLS or AUTH whose mail is of the account "app", which
 * may send from app.test.
 */
#ifndef TESTS_UNIT_SESSION_FIXTURE_H
#define TESTS_UNIT_SESSION_FIXTURE_H

#include "common/base/buf.h"
#include "router/submission/session.h"

struct fixture {
    struct conf *conf;
    struct policy *policy;
    struct sketcher *sketcher;
    struct session_host host;
    struct session *session;
    struct buf in;
    struct buf out;
};

void fixture_init(struct fixture *fixture);
void fixture_release(struct fixture *fixture);

/* A new session after its HELO; `out` is empty. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* Feeds these bytes; lets it check, store and go on until it wants to read
 * again or has ended. Credentials are always wrong. */
enum session_want fixture_say(struct fixture *fixture, struct slice bytes);

#endif
