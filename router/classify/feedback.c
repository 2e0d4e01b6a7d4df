/* feedback.c - `sendyard feedback`: complaints that came in by mail. */
#include "router/classify/feedback.h"

#include <string.h>
#include <sysexits.h>

#include "common/proto/arf.h"
#include "router/classify/arguments.h"
#include "router/classify/bag.h"
#include "router/classify/mailbox.h"
#include "router/control/asking.h"

struct feedback {
    struct asking asking;
    bool json;
    int code; /* of what went wrong; EX_OK */
    FILE *out;
};

static void show(const struct feedback *feedback, struct slice name)
{
    const struct value *root = answer_root(feedback->asking.answer);
    if (feedback->json) {
        (void)fprintf(feedback->out, "%.*s\n",
                      SLICE_ARG(buf_slice(&feedback->asking.json)));
        return;
    }
    (void)fprintf(feedback->out, "%.*s: %s about %s of %s, template %s%s\n",
                  SLICE_ARG(name), value_text(root, "type"),
                  value_text(root, "id"), value_text(root, "account"),
                  value_text(root, "template"),
                  value_flag(root, "counted") ? "" : ", not counted");
    if (value_flag(root, "relayed"))
        (void)fprintf(feedback->out,
                      "  handed on to %s, which took the message\n",
                      value_text(root, "router"));
    else if (!value_flag(root, "known")
             && value_text(root, "router")[0] != '\0')
        (void)fprintf(feedback->out,
                      "  its template is not known here: %s took the message\n",
                      value_text(root, "router"));
}

/* False: the router cannot be asked, and will not for the next one. */
static bool tell_router(void *context, const struct bag_message *message)
{
    struct feedback *feedback = context;
    const int code = asking_do(&feedback->asking, "POST", "/v1/complaints",
                               slice_head(message->bytes, ARF_FRONT_BYTES));
    if (code == EX_OK) {
        show(feedback, message->name);
        return true;
    }
    if (code == EX_DATAERR) {
        (void)fprintf(feedback->asking.err, "%.*s: passed over\n",
                      SLICE_ARG(message->name));
        feedback->code = EX_DATAERR;
        return true;
    }
    feedback->code = EX_TEMPFAIL;
    return false;
}

/* A pipe brings one message, and a stranger wrote it: none of its lines begins
 * another one or names a file. Only a line "From ", by the MTA, may be in front. */
static int tell_piped(struct feedback *feedback, FILE *err)
{
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, BAG_FILE_MAX);
    if (!bag_read("-", &bytes, err))
        return EX_TEMPFAIL;
    struct slice text = buf_slice(&bytes);
    if (mailbox_is(text))
        text = slice_from(text, slice_find(text, '\n') + 1);
    const struct bag_message message = { .name = SLICE("-"), .bytes = text };
    return tell_router(feedback, &message) ? EX_OK : EX_TEMPFAIL;
}

static int tell_all(struct feedback *feedback,
                    const struct arguments *arguments, FILE *err)
{
    for (int i = 0; i < arguments->word_count; i++) {
        const bool is_read =
            bag_each(arguments->words[i], tell_router, feedback, err);
        if (feedback->code == EX_TEMPFAIL)
            break;
        if (!is_read)
            feedback->code = EX_NOINPUT;
    }
    return feedback->code;
}

static int run(const struct arguments *arguments, FILE *out, FILE *err)
{
    const struct options options = {
        .config =
            arguments->config ? arguments->config : OPTIONS_CONFIG_DEFAULT,
        .router = arguments->router,
    };
    struct feedback feedback = { .json = arguments->json,
                                 .code = EX_OK,
                                 .out = out };
    const bool is_piped =
        arguments->word_count == 1 && strcmp(arguments->words[0], "-") == 0;
    int code = asking_open(&feedback.asking, &options, err);
    if (code == EX_OK)
        code = is_piped ? tell_piped(&feedback, err)
                        : tell_all(&feedback, arguments, err);
    else if (is_piped)
        code = EX_TEMPFAIL; /* a config that is being mended bounces nothing */
    asking_close(&feedback.asking);
    return code;
}

int command_feedback(int argc, char *const *argv, FILE *out, FILE *err)
{
    struct arguments arguments;
    int code = EX_USAGE;
    const bool is_read = arguments_read(argc, argv, &arguments, err);
    if (is_read && arguments.word_count > 0)
        code = run(&arguments, out, err);
    else if (is_read)
        (void)fprintf(err, "usage: sendyard feedback [--config FILE] [--router "
                           "NAME] [--json] FILE...|FOLDER|-\n");
    arguments_release(&arguments);
    return code;
}
