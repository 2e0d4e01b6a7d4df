/* session.c - the provider's half of one SMTP connection. */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 5321, 4.5.3.1.4, with CRLF; extensions may add to MAIL and RCPT. */
#define COMMAND_BYTES_MAX   512u
#define EXTENSION_BYTES_MAX 1024u

void session_init(struct session *session, struct provider *provider,
                  struct record *record, const char *source_ip,
                  const char *target_ip, uint64_t number)
{
    *session = (struct session){
        .provider = provider,
        .source = provider_source(provider, source_ip),
        .record = record,
        .source_ip = source_ip,
        .target_ip = target_ip,
        .number = number,
    };
}

void session_release(struct session *session)
{
    text_release(&session->host_name);
    text_release(&session->mail_from);
    text_release(&session->rcpts);
    message_release(&session->message);
}

/* The parts of an event that are the same for all of a session's. */
static struct happening happening_of(const struct session *session,
                                     const char *event)
{
    return (struct happening){
        .event = event,
        .provider = session->provider->config->name,
        .source = session->source_ip,
        .target = session->target_ip,
        .connection = session->number,
        .ehlo = session->host_name.len > 0 ? text_string(&session->host_name)
                                           : NULL,
        .tls = session->secure ? session->tls_version : NULL,
        .tls_resumed = session->tls_resumed,
        .mail_from = session->state >= SESSION_MAIL
                         ? text_string(&session->mail_from)
                         : NULL,
        .rcpts = session->rcpt_count > 0 ? &session->rcpts : NULL,
    };
}

static void note_violation(struct session *session, const char *class,
                           const char *kind)
{
    struct happening happening = happening_of(session, "violation");

    happening.class = class;
    happening.kind = kind;
    record_add(session->record, &happening);
}

void session_wire_violation(struct session *session, const char *kind)
{
    provider_count_wire(session->provider, kind);
    note_violation(session, "wire", kind);
}

static void limit_violation(struct session *session, const char *kind)
{
    provider_count_violation(session->provider, kind);
    note_violation(session, "limit", kind);
}

/* The reply as one line of text, for the record. */
static void reply_line(const struct answer *answer, struct text *line)
{
    for (size_t i = 0; i < answer->reply.len; i++) {
        const char byte = answer->reply.bytes[i];

        if (byte == '\n' && i + 1 < answer->reply.len)
            text_add(line, "\n", 1);
        else if (byte != '\r' && byte != '\n')
            text_add(line, &byte, 1);
    }
}

/* Notes that the step failed; `rcpt`, if any, is whom it was about. */
static void note_refused(struct session *session, const char *step,
                         const char *rcpt, const struct answer *answer)
{
    struct happening happening = happening_of(session, "refused");
    struct text line = { 0 };
    struct text one = { 0 };

    reply_line(answer, &line);
    if (line.len >= 3 && (line.bytes[0] == '4' || line.bytes[0] == '5'))
        provider_count_refused(session->provider, line.bytes);
    if (rcpt != NULL) {
        text_add(&one, rcpt, strlen(rcpt) + 1);
        happening.rcpts = &one;
    }
    happening.step = step;
    happening.reply = text_string(&line);
    record_add(session->record, &happening);
    text_release(&line);
    text_release(&one);
}

static struct topic topic_of(const struct session *session,
                             const char *argument)
{
    return (struct topic){
        .ip = session->source_ip,
        .rcpt = "",
        .id = "",
        .argument = argument,
    };
}

static void reset_transaction(struct session *session)
{
    if (session->state != SESSION_COLD)
        session->state = SESSION_IDLE;
    text_clear(&session->mail_from);
    text_clear(&session->rcpts);
    session->rcpt_count = 0;
    session->eight_bit = false;
    session->utf8 = false;
    session->chunked = false;
}

static bool offers(const struct session *session, uint32_t capability)
{
    return session->esmtp
           && (session->provider->config->capabilities & capability) != 0;
}

static void refuse(struct session *session, struct answer *answer,
                   const char *step, unsigned code, const char *enhanced,
                   const char *words)
{
    answer_say_usual(answer, session->provider, code, enhanced, words);
    note_refused(session, step, NULL, answer);
}

/* Refuses with the provider's text for one of its own limits. */
static void refuse_by_limit(struct session *session, struct answer *answer,
                            const char *step, enum limit limit,
                            const char *rcpt)
{
    struct topic topic = topic_of(session, "");

    topic.rcpt = rcpt == NULL ? "" : rcpt;
    answer_say(answer, session->provider->config->limit_replies[limit], &topic);
    note_refused(session, step, rcpt, answer);
}

static void refuse_sequence(struct session *session, struct answer *answer,
                            const char *step)
{
    session_wire_violation(session, "sequence");
    refuse(session, answer, step, 503, "5.5.1", "Bad sequence of commands");
}

static void refuse_syntax(struct session *session, struct answer *answer,
                          const char *step)
{
    session_wire_violation(session, "syntax");
    refuse(session, answer, step, 501, "5.5.4", "Syntax error");
}

/* A pipelining client says RCPT and DATA before it hears that MAIL failed:
 * that is no fault of its. */
static void refuse_orphan(struct session *session, struct answer *answer,
                          const char *step)
{
    if (offers(session, CAP_PIPELINING) && session->state != SESSION_COLD)
        refuse(session, answer, step, 503, "5.5.1", "No transaction");
    else
        refuse_sequence(session, answer, step);
}

bool session_greet(struct session *session, uint32_t open_now,
                   struct answer *answer)
{
    struct provider *provider = session->provider;
    const uint32_t open_max = provider->config->connections_per_source;
    const struct happening happening = happening_of(session, "connect");
    const struct topic topic = topic_of(session, "");
    struct text words = { 0 };

    provider->connections++;
    session->source->connections++;
    record_add(session->record, &happening);
    const bool over = open_max > 0 && open_now >= open_max;
    if (over) {
        *answer = (struct answer){ .reply = answer->reply };
        limit_violation(session, "connections");
        refuse_by_limit(session, answer, "connect", LIMIT_CONNECTIONS, NULL);
        answer->hang_up = true;
        return false;
    }
    switch (answer_begin(answer, provider, STEP_CONNECT, &topic)) {
    case COURSE_USUAL:
        text_addf(&words, "%s ESMTP", provider->config->host_name);
        answer_say_usual(answer, provider, 220, "", text_string(&words));
        text_release(&words);
        break;
    case COURSE_REFUSED:
        note_refused(session, "connect", NULL, answer);
        answer->hang_up |= !answer->silent;
        break;
    case COURSE_OTHER_WORDS:
        break;
    }
    return true;
}

void session_idle(struct session *session, struct answer *answer)
{
    *answer = (struct answer){ .reply = answer->reply };
    refuse(session, answer, "idle", 421, "4.4.2", "Timeout, closing");
}

void session_secured(struct session *session, const char *version,
                     bool is_resumed)
{
    session->secure = true;
    session->tls_resumed = is_resumed;
    session->provider->tls_connections++;
    (void)snprintf(session->tls_version, sizeof session->tls_version, "%s",
                   version);
}

void session_end(struct session *session)
{
    const struct happening happening = happening_of(session, "disconnect");

    record_add(session->record, &happening);
}

static void add_capabilities(const struct session *session, struct text *reply)
{
    static const struct {
        uint32_t bit;
        const char *words;
    } plain[] = {
        { CAP_PIPELINING, "PIPELINING" },
        { CAP_8BITMIME, "8BITMIME" },
        { CAP_SMTPUTF8, "SMTPUTF8" },
        { CAP_CHUNKING, "CHUNKING" },
        { CAP_DSN, "DSN" },
        { CAP_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES" },
    };
    const struct provider_config *config = session->provider->config;

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (config->capabilities & plain[i].bit)
            text_addf(reply, "250-%s\r\n", plain[i].words);
    if ((config->capabilities & CAP_STARTTLS) && !session->secure)
        text_add_string(reply, "250-STARTTLS\r\n");
    if (config->capabilities & CAP_SIZE)
        text_addf(reply, "250-SIZE %" PRIu64 "\r\n", config->size_max_bytes);
}

static void hear_hello(struct session *session, const struct command *command,
                       struct answer *answer)
{
    const struct topic topic = topic_of(session, command->argument);
    const bool esmtp = command->verb == VERB_EHLO;
    const char *host_name = session->provider->config->host_name;

    const enum course course =
        answer_begin(answer, session->provider, STEP_EHLO, &topic);
    if (course == COURSE_REFUSED) {
        note_refused(session, "ehlo", NULL, answer);
        return;
    }
    if (esmtp && !session->provider->config->ehlo) {
        refuse(session, answer, "ehlo", 502, "5.5.1", "What is EHLO?");
        return;
    }
    if (!command_is_host_name(command->argument)) {
        refuse_syntax(session, answer, "ehlo");
        return;
    }
    text_set(&session->host_name, command->argument, strlen(command->argument));
    session->state = SESSION_IDLE;
    reset_transaction(session);
    session->esmtp = esmtp;
    if (course == COURSE_OTHER_WORDS)
        return;
    if (esmtp) {
        text_addf(&answer->reply, "250-%s\r\n", host_name);
        add_capabilities(session, &answer->reply);
    }
    text_addf(&answer->reply, "250 %s\r\n", esmtp ? "HELP" : host_name);
}

static void hear_starttls(struct session *session,
                          const struct command *command, struct answer *answer)
{
    const struct topic topic = topic_of(session, "");
    const enum course course =
        answer_begin(answer, session->provider, STEP_STARTTLS, &topic);

    if (course == COURSE_REFUSED) {
        note_refused(session, "starttls", NULL, answer);
    } else if (!offers(session, CAP_STARTTLS) || session->secure) {
        session_wire_violation(session, "not_offered");
        refuse(session, answer, "starttls", 502, "5.5.1", "Not offered");
    } else if (command->argument[0] != '\0') {
        refuse_syntax(session, answer, "starttls");
    } else if (session->provider->config->tls == TLS_REFUSED) {
        refuse(session, answer, "starttls", 454, "4.7.0",
               "TLS not available due to temporary reason");
    } else {
        if (course == COURSE_USUAL)
            answer_say_usual(answer, session->provider, 220, "2.0.0",
                             "Ready to start TLS");
        answer->start_tls = true;
        /* RFC 3207, 4.2: what was said in the clear is forgotten. */
        session->state = SESSION_COLD;
        reset_transaction(session);
        session->esmtp = false;
        text_clear(&session->host_name);
    }
}

/* Which capability a parameter of MAIL or RCPT needs; 0: nobody knows it. */
static uint32_t capability_of(enum verb verb, const char *name)
{
    static const struct {
        enum verb verb;
        const char *name;
        uint32_t capability;
    } known[] = {
        { VERB_MAIL, "SIZE", CAP_SIZE },
        { VERB_MAIL, "BODY", CAP_8BITMIME },
        { VERB_MAIL, "SMTPUTF8", CAP_SMTPUTF8 },
        { VERB_MAIL, "RET", CAP_DSN },
        { VERB_MAIL, "ENVID", CAP_DSN },
        { VERB_RCPT, "NOTIFY", CAP_DSN },
        { VERB_RCPT, "ORCPT", CAP_DSN },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].verb == verb && strcmp(known[i].name, name) == 0)
            return known[i].capability;
    return 0;
}

/* Whether the value is right; takes BODY and SMTPUTF8 down. */
static bool take_param(struct session *session, const struct param *param,
                       uint64_t *size_bytes)
{
    const char *end = "";

    if (strcmp(param->name, "SIZE") == 0)
        return command_parse_number(param->value, size_bytes, &end)
               && *end == '\0';
    if (strcmp(param->name, "BODY") == 0) {
        session->eight_bit = strcasecmp(param->value, "8BITMIME") == 0;
        return session->eight_bit || strcasecmp(param->value, "7BIT") == 0;
    }
    if (strcmp(param->name, "SMTPUTF8") == 0) {
        session->utf8 = true;
        return param->value[0] == '\0';
    }
    return param->value[0] != '\0';
}

/* Reads all parameters of MAIL or RCPT. False if one is wrong, not offered or
 * too big: the answer is then set. */
static bool take_params(struct session *session, enum verb verb,
                        const char *params, struct answer *answer)
{
    const char *step = verb == VERB_MAIL ? "mail" : "rcpt";
    uint64_t size_bytes = 0;
    struct param param;

    while (command_next_param(&params, &param)) {
        const uint32_t capability = capability_of(verb, param.name);

        if (capability == 0 || !offers(session, capability)) {
            session_wire_violation(session, "not_offered");
            refuse(session, answer, step, 555, "5.5.4",
                   "Parameter not recognized");
            return false;
        }
        if (!take_param(session, &param, &size_bytes)) {
            refuse_syntax(session, answer, step);
            return false;
        }
    }
    if (*params != '\0') {
        refuse_syntax(session, answer, step);
        return false;
    }
    if (size_bytes > session->provider->config->size_max_bytes) {
        limit_violation(session, "size");
        refuse_by_limit(session, answer, step, LIMIT_SIZE, NULL);
        return false;
    }
    return true;
}

/* The limits on messages; false if the answer was set. */
static bool message_is_welcome(struct session *session, uint64_t now_ms,
                               struct answer *answer)
{
    const uint32_t messages_max =
        session->provider->config->messages_per_connection;

    if (messages_max > 0 && session->messages >= messages_max) {
        limit_violation(session, "messages");
        refuse_by_limit(session, answer, "mail", LIMIT_MESSAGES, NULL);
        return false;
    }
    if (!provider_take_rate(session->provider, session->source, now_ms)) {
        limit_violation(session, "rate");
        refuse_by_limit(session, answer, "mail", LIMIT_RATE, NULL);
        return false;
    }
    return true;
}

static void hear_mail(struct session *session, const struct command *command,
                      uint64_t now_ms, struct answer *answer)
{
    struct topic topic = topic_of(session, command->argument);
    struct path_argument path;
    const enum course course =
        answer_begin(answer, session->provider, STEP_MAIL, &topic);

    if (session->state != SESSION_IDLE) {
        refuse_sequence(session, answer, "mail");
        return;
    }
    if (!command_parse_path(command->argument, "FROM:", true, &path)) {
        refuse_syntax(session, answer, "mail");
        return;
    }
    text_set(&session->mail_from, path.address, strlen(path.address));
    if (!take_params(session, VERB_MAIL, path.params, answer)) {
        reset_transaction(session);
        return;
    }
    if (path.not_ascii && !session->utf8) {
        session_wire_violation(session, "smtputf8");
        refuse(session, answer, "mail", 553, "5.6.7", "Non-ASCII address");
        reset_transaction(session);
        return;
    }
    if (course == COURSE_REFUSED) {
        note_refused(session, "mail", NULL, answer);
        reset_transaction(session);
        return;
    }
    if (!message_is_welcome(session, now_ms, answer)) {
        reset_transaction(session);
        return;
    }
    session->state = SESSION_MAIL;
    if (course == COURSE_USUAL)
        answer_say_usual(answer, session->provider, 250, "2.1.0", "OK");
}

/* What the provider thinks of a recipient; false if the answer was set. */
static bool rcpt_is_welcome(struct session *session, const char *address,
                            enum course course, uint64_t now_ms,
                            struct answer *answer)
{
    struct provider *provider = session->provider;
    const uint32_t rcpts_max = provider->config->rcpts_per_message;

    if (!provider_has_domain(provider, address)) {
        refuse_by_limit(session, answer, "rcpt", LIMIT_RELAY, address);
        return false;
    }
    if (rcpts_max > 0 && session->rcpt_count >= rcpts_max) {
        limit_violation(session, "rcpts");
        refuse_by_limit(session, answer, "rcpt", LIMIT_RCPTS, address);
        return false;
    }
    if (course == COURSE_REFUSED) {
        note_refused(session, "rcpt", address, answer);
        return false;
    }
    if (!provider_greylist_passed(provider, session->source_ip,
                                  text_string(&session->mail_from), address,
                                  now_ms)) {
        refuse_by_limit(session, answer, "rcpt", LIMIT_GREYLIST, address);
        return false;
    }
    return true;
}

static void hear_rcpt(struct session *session, const struct command *command,
                      uint64_t now_ms, struct answer *answer)
{
    struct topic topic = topic_of(session, command->argument);
    struct path_argument path = { .address = "" };
    const bool well_formed =
        command_parse_path(command->argument, "TO:", false, &path);

    topic.rcpt = path.address;
    const enum course course =
        answer_begin(answer, session->provider, STEP_RCPT, &topic);
    if ((session->state != SESSION_MAIL && session->state != SESSION_RCPT)
        || session->chunked) {
        refuse_orphan(session, answer, "rcpt");
        return;
    }
    if (!well_formed) {
        refuse_syntax(session, answer, "rcpt");
        return;
    }
    if (!take_params(session, VERB_RCPT, path.params, answer))
        return;
    if (path.not_ascii && !session->utf8) {
        session_wire_violation(session, "smtputf8");
        refuse(session, answer, "rcpt", 553, "5.6.7", "Non-ASCII address");
        return;
    }
    if (!rcpt_is_welcome(session, path.address, course, now_ms, answer))
        return;
    text_add(&session->rcpts, path.address, strlen(path.address) + 1);
    session->rcpt_count++;
    session->state = SESSION_RCPT;
    if (course == COURSE_USUAL)
        answer_say_usual(answer, session->provider, 250, "2.1.5", "OK");
}

static void hear_data(struct session *session, const struct command *command,
                      struct answer *answer)
{
    const struct topic topic =
        topic_of(session, text_string(&session->mail_from));
    const enum course course =
        answer_begin(answer, session->provider, STEP_DATA, &topic);

    if (session->state != SESSION_RCPT || session->chunked) {
        refuse_orphan(session, answer, "data");
    } else if (command->argument[0] != '\0') {
        refuse_syntax(session, answer, "data");
    } else if (course == COURSE_REFUSED) {
        note_refused(session, "data", NULL, answer);
    } else {
        message_begin(&session->message,
                      session->provider->config->size_max_bytes);
        session->state = SESSION_DATA;
        if (course == COURSE_USUAL)
            answer_say_usual(answer, session->provider, 354, "",
                             "End data with <CR><LF>.<CR><LF>");
    }
}

/* Counts each kind of flaw once a message. */
static void note_flaws(struct session *session)
{
    uint32_t flaws = message_flaws(&session->message);

    if (session->utf8)
        flaws &= ~(uint32_t)FLAW_EIGHT_BIT_HEADER;
    if (session->eight_bit)
        flaws &= ~(uint32_t)FLAW_EIGHT_BIT_BODY;
    for (unsigned i = 0; i < FLAW_COUNT; i++)
        if (flaws & (1u << i))
            session_wire_violation(session, flaw_name(i));
}

static void find_subject(const struct message *message, struct text *subject)
{
    struct field field;

    for (size_t at = 0; message_next_field(message, &at, &field);)
        if (field.name_len == 7 && strncasecmp(field.name, "Subject", 7) == 0)
            text_set(subject, field.value, field.value_len);
}

static void keep_message(struct session *session, const struct answer *answer,
                         const char *id)
{
    struct happening happening = happening_of(session, "message");
    struct text line = { 0 };

    session->messages++;
    session->source->messages++;
    session->provider->messages++;
    session->provider->recipients += session->rcpt_count;
    reply_line(answer, &line);
    happening.id = id;
    happening.message = &session->message;
    happening.reply = text_string(&line);
    record_add(session->record, &happening);
    text_release(&line);
}

/* The whole content is here: keep it or refuse it, and end the transaction. */
static void finish_message(struct session *session, struct answer *answer)
{
    struct text subject = { 0 };
    struct text words = { 0 };
    char id[128];

    (void)snprintf(id, sizeof id, "%s-%" PRIu64 "-%u",
                   session->provider->config->name, session->number,
                   session->messages + 1);
    note_flaws(session);
    find_subject(&session->message, &subject);
    struct topic topic = topic_of(session, text_string(&subject));
    topic.id = id;
    const enum course course =
        answer_begin(answer, session->provider, STEP_DOT, &topic);

    if (course == COURSE_REFUSED) {
        note_refused(session, "dot", NULL, answer);
    } else if (session->message.bytes > session->message.bytes_max) {
        if (offers(session, CAP_SIZE))
            limit_violation(session, "size");
        refuse_by_limit(session, answer, "dot", LIMIT_SIZE, NULL);
    } else {
        text_addf(&words, "OK %s", id);
        if (course == COURSE_USUAL)
            answer_say_usual(answer, session->provider, 250, "2.0.0",
                             text_string(&words));
        keep_message(session, answer, id);
    }
    reset_transaction(session);
    text_release(&subject);
    text_release(&words);
}

static bool hear_content(struct session *session, struct text *in,
                         struct answer *answer)
{
    bool ended = false;
    const size_t taken =
        message_take_dotted(&session->message, in->bytes, in->len, &ended);

    text_drop_front(in, taken);
    if (!ended)
        return false;
    if (in->len > 0 && !offers(session, CAP_PIPELINING))
        session_wire_violation(session, "pipelining");
    finish_message(session, answer);
    return true;
}

/* Sets `last` and `bytes`; false if it is not "n" or "n LAST". */
static bool parse_chunk(const char *argument, uint64_t *bytes, bool *last)
{
    const char *end = "";

    if (!command_parse_number(argument, bytes, &end))
        return false;
    *last = strcasecmp(end, " LAST") == 0;
    return *last || *end == '\0';
}

/* The chunk follows at once, so it is read even when it is not wanted. */
static void hear_chunk_size(struct session *session,
                            const struct command *command,
                            struct answer *answer, bool *chunk_follows)
{
    *chunk_follows = parse_chunk(command->argument, &session->chunk_left,
                                 &session->chunk_last);
    if (!*chunk_follows) {
        const struct topic topic = topic_of(session, "");

        (void)answer_begin(answer, session->provider, STEP_DATA, &topic);
        refuse_syntax(session, answer, "bdat");
        return;
    }
    if (!offers(session, CAP_CHUNKING))
        session_wire_violation(session, "not_offered");
    session->chunk_void =
        !offers(session, CAP_CHUNKING) || session->state != SESSION_RCPT;
    if (!session->chunk_void && !session->chunked)
        message_begin(&session->message,
                      session->provider->config->size_max_bytes);
    if (!session->chunk_void) {
        session->chunked = true;
        session->state = SESSION_CHUNK;
    }
}

static bool hear_chunk(struct session *session, struct text *in,
                       struct answer *answer)
{
    const size_t take =
        session->chunk_left < in->len ? (size_t)session->chunk_left : in->len;

    if (!session->chunk_void)
        message_take_plain(&session->message, in->bytes, take);
    text_drop_front(in, take);
    session->chunk_left -= take;
    if (session->chunk_left > 0)
        return false;
    if (session->chunk_void) {
        const struct topic topic = topic_of(session, "");

        session->chunk_void = false;
        (void)answer_begin(answer, session->provider, STEP_DATA, &topic);
        refuse_orphan(session, answer, "bdat");
        return true;
    }
    session->state = SESSION_RCPT;
    if (session->chunk_last) {
        finish_message(session, answer);
        return true;
    }
    const struct topic topic = topic_of(session, "");
    const enum course course =
        answer_begin(answer, session->provider, STEP_DATA, &topic);
    if (course == COURSE_REFUSED)
        note_refused(session, "bdat", NULL, answer);
    else if (course == COURSE_USUAL)
        answer_say_usual(answer, session->provider, 250, "2.0.0", "Go on");
    return true;
}

/* The commands that are the same in every state. */
static void hear_simple(struct session *session, const struct command *command,
                        struct answer *answer)
{
    const struct topic topic = topic_of(session, "");

    if (command->verb != VERB_QUIT) {
        *answer = (struct answer){
            .reply = answer->reply,
            .drip_ms = session->provider->config->drip_ms,
        };
        text_clear(&answer->reply);
    } else if (answer_begin(answer, session->provider, STEP_QUIT, &topic)
               != COURSE_USUAL) {
        answer->hang_up |= !answer->silent;
        return;
    }
    if (command->verb == VERB_QUIT) {
        answer_say_usual(answer, session->provider, 221, "2.0.0", "Bye");
        answer->hang_up = true;
    } else if (command->verb == VERB_VRFY) {
        answer_say_usual(answer, session->provider, 252, "2.0.0", "Try it");
    } else if (command->verb == VERB_UNKNOWN) {
        session_wire_violation(session, "unknown_command");
        refuse(session, answer, "command", 500, "5.5.2", "Unknown command");
    } else {
        if (command->verb == VERB_RSET)
            reset_transaction(session);
        answer_say_usual(answer, session->provider, 250, "2.0.0", "OK");
    }
}

static void dispatch(struct session *session, const struct command *command,
                     uint64_t now_ms, struct answer *answer)
{
    switch (command->verb) {
    case VERB_HELO:
    case VERB_EHLO:
        hear_hello(session, command, answer);
        break;
    case VERB_STARTTLS:
        hear_starttls(session, command, answer);
        break;
    case VERB_MAIL:
        hear_mail(session, command, now_ms, answer);
        break;
    case VERB_RCPT:
        hear_rcpt(session, command, now_ms, answer);
        break;
    case VERB_DATA:
        hear_data(session, command, answer);
        break;
    case VERB_BDAT: /* hear_command() sees to it */
    case VERB_RSET:
    case VERB_NOOP:
    case VERB_QUIT:
    case VERB_VRFY:
    case VERB_UNKNOWN:
    case VERB_COUNT:
        hear_simple(session, command, answer);
        break;
    }
}

/* RFC 2920, 3.1: what may be followed by more before its reply came. */
static bool may_be_followed(enum verb verb)
{
    return verb == VERB_MAIL || verb == VERB_RCPT || verb == VERB_RSET;
}

static void check_pipelining(struct session *session, enum verb verb)
{
    if (verb == VERB_BDAT)
        return;
    if (verb == VERB_STARTTLS)
        session_wire_violation(session, "starttls_injection");
    else if (!offers(session, CAP_PIPELINING))
        session_wire_violation(session, "pipelining");
    else if (!may_be_followed(verb))
        session_wire_violation(session, "pipelining_past_last");
}

/* Takes one line off `in` and makes it a string; notes what is wrong in it. */
static void take_line(struct session *session, struct text *in, size_t len,
                      struct text *line)
{
    size_t content = len - 1;

    if (content > 0 && in->bytes[content - 1] == '\r')
        content--;
    else
        session_wire_violation(session, "bare_lf");
    text_set(line, in->bytes, content);
    text_drop_front(in, len);
    if (memchr(line->bytes, '\r', line->len) != NULL)
        session_wire_violation(session, "bare_cr");
    if (memchr(line->bytes, '\0', line->len) != NULL)
        session_wire_violation(session, "nul");
}

static void check_length(struct session *session, enum verb verb, size_t len)
{
    const size_t extra =
        verb == VERB_MAIL || verb == VERB_RCPT ? EXTENSION_BYTES_MAX : 0;

    if (len > COMMAND_BYTES_MAX + extra)
        session_wire_violation(session, "long_command");
}

static bool hear_command(struct session *session, struct text *in,
                         uint64_t now_ms, struct answer *answer)
{
    const char *newline =
        in->len == 0 ? NULL : memchr(in->bytes, '\n', in->len);
    struct text line = { 0 };
    bool answered = true;

    if (newline == NULL) {
        if (in->len <= COMMAND_BYTES_MAX + EXTENSION_BYTES_MAX)
            return false;
        session_wire_violation(session, "long_command");
        *answer = (struct answer){ .reply = answer->reply };
        refuse(session, answer, "command", 421, "4.7.0", "Line too long");
        return true;
    }
    const size_t len = (size_t)(newline - in->bytes) + 1;
    take_line(session, in, len, &line);
    const struct command command = command_parse(text_string(&line));
    check_length(session, command.verb, len);
    if (in->len > 0)
        check_pipelining(session, command.verb);
    if (command.verb == VERB_BDAT) {
        bool chunk_follows = false;

        hear_chunk_size(session, &command, answer, &chunk_follows);
        if (chunk_follows)
            answered = hear_chunk(session, in, answer);
    } else {
        dispatch(session, &command, now_ms, answer);
    }
    text_release(&line);
    return answered;
}

bool session_hear(struct session *session, struct text *in, uint64_t now_ms,
                  struct answer *answer)
{
    if (session->chunk_void && session->chunk_left > 0)
        return hear_chunk(session, in, answer);
    switch (session->state) {
    case SESSION_DATA:
        return hear_content(session, in, answer);
    case SESSION_CHUNK:
        return hear_chunk(session, in, answer);
    case SESSION_COLD:
    case SESSION_IDLE:
    case SESSION_MAIL:
    case SESSION_RCPT:
        break;
    }
    return hear_command(session, in, now_ms, answer);
}
