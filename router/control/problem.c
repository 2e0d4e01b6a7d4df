/* problem.c - what an HTTP answer says when it is not what was asked for. */
#include "router/control/problem.h"

#include "common/proto/json.h"

void problem_say(struct buf *out, const char *title, struct slice detail)
{
    struct json json;
    buf_clear(out);
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "title", slice_text(title));
    json_add_text(&json, "detail", detail);
    json_end(&json);
}

unsigned problem_of(struct buf *out, enum rc rc, struct slice detail)
{
    switch (rc) {
    case RC_NONE:
        problem_say(out, "not found", detail);
        return 404;
    case RC_SYNTAX:
        problem_say(out, "not understood", detail);
        return 422;
    case RC_LIMIT:
        problem_say(out, "refused", detail);
        return 409;
    case RC_IO:
        problem_say(out, "not written", detail);
        return 507;
    case RC_OK:
    case RC_MORE:
    case RC_TIMEOUT:
    case RC_CLOSED:
        break;
    }
    problem_say(out, "busy", SLICE("the router did not answer in time"));
    return 503;
}
