/* asking.c - a command's talk with a router. */
#include "router/control/asking.h"

#include <sysexits.h>

#include "router/control/client.h"

int asking_open(struct asking *asking, const struct options *options, FILE *err)
{
    *asking = (struct asking){ .err = err };
    buf_init(&asking->json, ASKING_JSON_MAX);
    asking->conf = options_load(options, err);
    if (!asking->conf)
        return EX_CONFIG;
    asking->router = options_router(options, asking->conf, err);
    if (!asking->router)
        return EX_USAGE;
    api_socket_path(asking->conf, asking->router, asking->socket);
    return EX_OK;
}

void asking_close(struct asking *asking)
{
    answer_free(&asking->answer);
    buf_release(&asking->json);
    conf_release(&asking->conf);
}

static int refuse(const struct asking *asking, unsigned status)
{
    const struct value *root = answer_root(asking->answer);
    (void)fprintf(asking->err, "%s: %s\n", value_text(root, "title"),
                  value_text(root, "detail"));
    return status >= 500 ? EX_TEMPFAIL : EX_DATAERR;
}

int asking_do(struct asking *asking, const char *method, const char *path,
              struct slice body)
{
    struct fault fault;
    unsigned status = 0;
    const struct client_request request = {
        .socket_path = asking->socket,
        .method = method,
        .path = path,
        .body = body,
    };
    answer_free(&asking->answer);
    buf_clear(&asking->json);
    if (client_ask(&request, &status, &asking->json, &fault) != RC_OK) {
        (void)fprintf(asking->err, "router %s does not answer: %s\n",
                      asking->router->name, fault.text);
        return EX_UNAVAILABLE;
    }
    asking->answer = answer_parse(buf_slice(&asking->json), &fault);
    if (!asking->answer) {
        (void)fprintf(asking->err, "%s\n", fault.text);
        return EX_PROTOCOL;
    }
    return status < 300 ? EX_OK : refuse(asking, status);
}
