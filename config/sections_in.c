/* sections_in.c - the tables of what takes mail in. */
#include "common/base/attr.h"
#include "config/schema.h"

static const char *const listener_tls[] = { "starttls", "implicit", "plain",
                                            NULL };
static const char *const bare_newlines[] = { "reject", "normalise", NULL };
static const char *const tls_versions[] = { "1.2", "1.3", NULL };
static const char *const trusts[] = { "verify", "always", "never", NULL };
static const char *const recipient_tags[] = { "ignore", "read", "strip", NULL };
static const char *const account_modes[] = { "as classifier", "observe",
                                             "enforce", "off", NULL };
static const char *const disagreements[] = { "move", "reject", "tag", NULL };
static const char *const modes[] = { "observe", "enforce", "off", NULL };

/* clang-format off */
static const struct schema_key listener_keys[] = {
    { "name", TYPE_NAME, AT(conf_listener, name), .is_required = true,
      .help = "Its name in the log." },
    { "address", TYPE_ENDPOINT, AT(conf_listener, address),
      .is_required = true, .min = 1,
      .help = "Where it listens: \"0.0.0.0:587\", \"[::]:587\"." },
    { "tls", TYPE_CHOICE, AT(conf_listener, tls), .initial = "starttls",
      .choices = listener_tls,
      .help = "STARTTLS (587), TLS from the first byte (465), or none." },
    { "require_auth", TYPE_FLAG, AT(conf_listener, require_auth),
      .initial = "true", .help = "Refuse mail before AUTH." },
    { "allow_auth_without_tls", TYPE_FLAG,
      AT(conf_listener, allow_auth_without_tls), .initial = "false",
      .foreign = "allow_unencrypted_plain_auth",
      .help = "Take passwords over connections that are not encrypted." },
    { "account", TYPE_NAMED, AT(conf_listener, account),
      .section = &schema_accounts, .otherwise = "refuse such mail",
      .help = "Account of mail without AUTH, where require_auth is false." },
    { "complaints", TYPE_TEXTS, AT(conf_listener, complaints),
      .otherwise = "none",
      .help = "Addresses, as \"fbl@example.com\", to which anybody may send "
              "without AUTH what is a report of abuse (RFC 5965) about mail of "
              "ours: it counts, and is not delivered. Needs require_auth and "
              "classifier.feedback.key_file." },
    { "stream", TYPE_REFERENCE, AT(conf_listener, stream),
      .section = &schema_streams, .otherwise = "the account's",
      .help = "Stream of the mail that arrives here and declares none; worth "
              "what the account's `declared` says." },
    { "bare_newline", TYPE_CHOICE, AT(conf_listener, bare_newline),
      .initial = "reject", .choices = bare_newlines,
      .help = "What to do with a message that holds a lone CR or LF." },
    { "max_connections", TYPE_COUNT, AT(conf_listener, max_connections),
      .initial = "1000", .min = 1, .max = 1000000,
      .foreign = "total_max_smtp_in",
      .help = "Connections at once; the next one gets 421." },
    { "max_connections_per_ip", TYPE_COUNT,
      AT(conf_listener, max_connections_per_ip), .initial = "100", .min = 1,
      .max = 1000000, .foreign = "max_smtp_in",
      .help = "The same from one client address." },
    { "max_message_size", TYPE_SIZE, AT(conf_listener, max_message_size),
      .initial = "25MB", .min = 1024, .max = UINT64_C(1) << 30,
      .help = "Announced as SIZE; bigger mail gets 552." },
    { "max_recipients", TYPE_COUNT, AT(conf_listener, max_recipients),
      .initial = "1000", .min = 100, .max = 100000,
      .foreign = "max_rcpt_per_message",
      .help = "Recipients of one message (RFC 5321 asks for 100 at least)." },
    { "max_messages_per_connection", TYPE_COUNT,
      AT(conf_listener, max_messages_per_connection), .initial = "0",
      .max = UINT32_MAX, .help = "0: no limit." },
    { "max_errors", TYPE_COUNT, AT(conf_listener, max_errors),
      .initial = "20", .min = 1, .max = 10000,
      .help = "Bad commands before the connection is closed with 421." },
    { "command_timeout", TYPE_DURATION, AT(conf_listener, command_timeout_ms),
      .initial = "5m", .min = 1, .max = 3600000,
      .foreign = "smtp_command_timeout",
      .help = "Wait for the next command (RFC 5321: 5 minutes)." },
    { "data_timeout", TYPE_DURATION, AT(conf_listener, data_timeout_ms),
      .initial = "5m", .min = 1, .max = 3600000,
      .foreign = "smtp_data_timeout",
      .help = "Wait for the next bytes of a message." },
    { "session_timeout", TYPE_DURATION, AT(conf_listener, session_timeout_ms),
      .initial = "1m", .min = 1, .max = 3600000,
      .help = "Time from connecting to a successful AUTH." },
};

static const struct schema_key tls_keys[] = {
    { "certificate", TYPE_PATH, AT(conf_tls, certificate_file),
      .needs = NEED_ROUTER, .otherwise = "no TLS is offered",
      .foreign = "tls_certificate",
      .help = "PEM file: the certificate, then its chain." },
    { "key", TYPE_PATH, AT(conf_tls, key_file), .needs = NEED_ROUTER,
      .foreign = "key_file",
      .help = "PEM file of the private key." },
    { "min_version", TYPE_CHOICE, AT(conf_tls, min_version),
      .initial = "1.2", .choices = tls_versions,
      .help = "Oldest TLS version that clients may speak." },
};

static const struct schema_key tenant_keys[] = {
    { "name", TYPE_NAME, AT(conf_tenant, name), .is_required = true,
      .help = "Its name." },
    { "weight", TYPE_COUNT, AT(conf_tenant, weight), .initial = "1", .min = 1,
      .max = 1000, .help = "Its share among the tenants of a lane." },
};

static const struct schema_key account_keys[] = {
    { "name", TYPE_NAME, AT(conf_account, name), .is_required = true,
      .foreign = "user", .help = "The AUTH user." },
    { "tenant", TYPE_REFERENCE, AT(conf_account, tenant),
      .section = &schema_tenants, .initial = "default",
      .help = "Whom it belongs to; \"default\" needs no entry in tenants." },
    { "password", TYPE_HASH, AT(conf_account, password_hash),
      .is_secret = true, .foreign = "password_hash",
      .otherwise = "password_file",
      .help = "Hash of the password, made by `sendyard password`." },
    { "password_file", TYPE_PATH, AT(conf_account, password_file),
      .needs = NEED_ROUTER,
      .help = "File whose first line is that hash." },
    { "from_domains", TYPE_DOMAINS, AT(conf_account, from_domains),
      .is_required = true, .foreign = "domains",
      .help = "Domains it may send from, in MAIL FROM and From; "
              "\".example.com\" means all below example.com." },
    { "stream", TYPE_REFERENCE, AT(conf_account, stream),
      .section = &schema_streams, .otherwise = "the classifier decides",
      .help = "Stream of its mail that declares none, at a listener that "
              "names none." },
    { "declared", TYPE_CHOICE, AT(conf_account, declared),
      .initial = "verify", .choices = trusts,
      .help = "What a stream is worth that its mail declares: verify it "
              "against the message, believe it always, or never." },
    { "recipient_tag", TYPE_CHOICE, AT(conf_account, recipient_tag),
      .initial = "ignore", .choices = recipient_tags,
      .help = "RCPT TO:<user+STREAM@domain>, where STREAM is a stream's name, "
              "declares it: \"read\" delivers to user+STREAM@domain, \"strip\" "
              "takes \"+STREAM\" out of the envelope's address and delivers to "
              "user@domain. With \"ignore\" it is a part of the address like "
              "any other." },
    { "feedback_id", TYPE_TEXT, AT(conf_account, feedback_id),
      .otherwise = "no Feedback-ID is added",
      .help = "Its mail that has no Feedback-ID gets one, "
              "ACCOUNT:STREAM:TEMPLATE:this, by which Gmail's Postmaster Tools "
              "tell complaints apart; 5 to 15 letters, digits, . _ or -. It tells "
              "the account's name to receivers, and is of use only where mail is "
              "signed behind us: the client's own DKIM signature cannot cover "
              "it, and breaks if it forbids the field." },
    { "mode", TYPE_CHOICE, AT(conf_account, mode), .initial = "as classifier",
      .choices = account_modes,
      .help = "The classifier's mode for its mail alone." },
    { "max_message_size", TYPE_SIZE, AT(conf_account, max_message_size),
      .initial = "0", .max = UINT64_C(1) << 30, .help = "0: the listener's." },
    { "max_recipients", TYPE_COUNT, AT(conf_account, max_recipients),
      .initial = "0", .max = 100000, .foreign = "max_rcpt_per_message",
      .help = "0: the listener's." },
};

static const struct schema_key rule_keys[] = {
    { "name", TYPE_NAME, AT(conf_rule, name), .is_required = true,
      .help = "Its name in `explain`." },
    { "account", TYPE_REFERENCE, AT(conf_rule, account),
      .section = &schema_accounts, .otherwise = "any",
      .help = "Only mail of this account." },
    { "header", TYPE_HEADER, AT(conf_rule, header), .otherwise = "any",
      .help = "Only mail with such a field: \"X-Kind: promo*\"." },
    { "sender", TYPE_TEXT, AT(conf_rule, sender), .otherwise = "any",
      .help = "Only mail from such a MAIL FROM: \"news@*\"." },
    { "stream", TYPE_REFERENCE, AT(conf_rule, stream),
      .section = &schema_streams, .is_required = true,
      .help = "The stream that it declares." },
};

static const struct schema_section schema_rules = {
    .name = "rules", .noun = "rule",
    .help = "Declared intent: the first rule that matches declares the "
            "message's stream. A rule needs one condition at least.",
    .size = sizeof(struct conf_rule), .has_place = true,
    .keys = rule_keys, .key_count = ARRAY_LEN(rule_keys),
};

static const struct schema_key probation_keys[] = {
    { "recipients", TYPE_COUNT, AT(conf_probation, recipients),
      .initial = "50", .min = 1, .max = 10000,
      .help = "So many different recipients of an unproven template are "
              "protected in the time `per`, over all routers; what is above "
              "goes to the neutral stream. Four times as many in its first "
              "day, twenty times in a later one." },
    { "per", TYPE_DURATION, AT(conf_probation, per_ms),
      .initial = "1h", .min = 60000, .max = UINT64_C(86400000),
      .help = "Any stretch of that length counts." },
    { "tenant", TYPE_COUNT, AT(conf_probation, tenant),
      .initial = "150", .min = 1, .max = 1000000,
      .help = "The same for all unproven templates of a tenant together." },
    { "trust_after", TYPE_DURATION, AT(conf_probation, trust_after_ms),
      .initial = "72h", .max = UINT64_C(90) * 86400000,
      .help = "A template is proven at that age, when it came on three days, "
              "to 200 recipients, with complaints at most 0.1% and hard "
              "bounces at most 5%." },
};

static const struct schema_section schema_probation = {
    .name = "probation", .noun = "probation",
    .help = "What a template of messages may do before it is proven.",
    .size = sizeof(struct conf_probation),
    .keys = probation_keys, .key_count = ARRAY_LEN(probation_keys),
};

static const struct schema_key trip_keys[] = {
    { "recipients", TYPE_COUNT, AT(conf_trip, recipients),
      .initial = "500", .min = 50, .max = 50000,
      .help = "A template that goes to so many different recipients within "
              "that time, ten times what it ever did, with one text and no "
              "code of their own, is not protected for a day." },
    { "within", TYPE_DURATION, AT(conf_trip, within_ms),
      .initial = "10m", .min = 60000, .max = UINT64_C(86400000),
      .help = "See `recipients`." },
};

static const struct schema_section schema_trip = {
    .name = "trip", .noun = "trip",
    .help = "When even a proven template stops being protected.",
    .size = sizeof(struct conf_trip),
    .keys = trip_keys, .key_count = ARRAY_LEN(trip_keys),
};

static const struct schema_key feedback_keys[] = {
    { "complaints", TYPE_SHARE, AT(conf_feedback, complaints),
      .initial = "0.3%",
      .help = "A template whose rate of complaints, or of refusals that speak "
              "of spam, is above that with a certainty of 9 in 10 is bulk for "
              "a day, and for as long as the rate stays above." },
    { "hard_bounces", TYPE_SHARE, AT(conf_feedback, hard_bounces),
      .initial = "8%",
      .help = "A proven template with more, of a hundred and more outcomes, "
              "has to prove itself again." },
    { "key_file", TYPE_PATH, AT(conf_feedback, key_file),
      .needs = NEED_ROUTER,
      .otherwise = "anybody could write X-Sendyard-Origin as we do",
      .help = "File whose first line, of 16 to 256 bytes, is the key of the seal "
              "in X-Sendyard-Origin, by which complaints find the message that "
              "they are about: `openssl rand -hex 16`. The same for all routers; "
              "with another one complaints about mail sent before are refused." },
};

static const struct schema_section schema_feedback = {
    .name = "feedback", .noun = "feedback",
    .help = "What receivers say of a template's mail.",
    .size = sizeof(struct conf_feedback),
    .keys = feedback_keys, .key_count = ARRAY_LEN(feedback_keys),
};

static const struct schema_key classifier_keys[] = {
    { "mode", TYPE_CHOICE, AT(conf_classifier, mode), .initial = "enforce",
      .choices = modes,
      .help = "\"observe\" only notes what it would have changed; with \"off\" "
              "no message is read: declarations are believed, and of the rest "
              "list fields make bulk." },
    { "disagree", TYPE_CHOICE, AT(conf_classifier, disagree),
      .initial = "move", .choices = disagreements,
      .help = "What becomes of mail that is declared higher than it is found: "
              "move it to the lower stream; reject it with 550 5.7.1; or move "
              "it and tag it with X-Sendyard-Found." },
    { "declare_in", TYPE_TEXTS, AT(conf_classifier, declare_in),
      .otherwise = "X-Sendyard-Stream alone",
      .help = "Further header fields whose value may name a stream, as "
              "\"X-PM-Message-Stream\"; they are taken out of the message. A "
              "value that is no stream says nothing." },
    { "model", TYPE_PATH, AT(conf_classifier, model), .needs = NEED_ROUTER,
      .otherwise = "the one that ships",
      .help = "Weights made by `sendyard classify train`; read again on "
              "reload." },
    { "samples", TYPE_PATH, AT(conf_classifier, samples),
      .otherwise = "corrections are not kept",
      .help = "Folder in which `sendyard classify --teach` keeps messages for "
              "the next `train`." },
    { "max_recipients", TYPE_COUNT, AT(conf_classifier, max_recipients),
      .initial = "10", .min = 1, .max = 100000,
      .help = "A message to more recipients is not protected; nor is one to "
              "undisclosed recipients, or to several without To and Cc." },
    { "bulk_recipients", TYPE_COUNT, AT(conf_classifier, bulk_recipients),
      .initial = "50", .min = 2, .max = 100000,
      .help = "A message to so many recipients is bulk." },
    { "transactional", TYPE_REFERENCE,
      AT(conf_classifier, streams[CLASS_TRANSACTIONAL]),
      .section = &schema_streams,
      .otherwise = "first stream of the class, or of the next lower one",
      .help = "Stream of mail found to be transactional." },
    { "neutral", TYPE_REFERENCE, AT(conf_classifier, streams[CLASS_NEUTRAL]),
      .section = &schema_streams,
      .otherwise = "first stream of the class, or of the next lower one",
      .help = "Stream of mail that is unsure." },
    { "bulk", TYPE_REFERENCE, AT(conf_classifier, streams[CLASS_BULK]),
      .section = &schema_streams,
      .otherwise = "first stream of the class, or the lowest there is",
      .help = "Stream of mail found to be bulk." },
    { "personal", TYPE_REFERENCE, AT(conf_classifier, personal),
      .section = &schema_streams, .otherwise = "the neutral stream",
      .help = "Stream of mail that people write to one another." },
    { "system", TYPE_REFERENCE, AT(conf_classifier, system),
      .section = &schema_streams, .otherwise = "the neutral stream",
      .help = "Stream of reports and of mail with the null sender." },
    { "rules", TYPE_LIST, .offset = offsetof(struct conf_classifier, rules),
      .count_offset = offsetof(struct conf_classifier, rule_count),
      .section = &schema_rules, .help = "Declared intent by pattern." },
    { "probation", TYPE_GROUP, .offset = offsetof(struct conf_classifier, probation),
      .section = &schema_probation, .help = "See below." },
    { "trip", TYPE_GROUP, .offset = offsetof(struct conf_classifier, trip),
      .section = &schema_trip, .help = "See below." },
    { "feedback", TYPE_GROUP, .offset = offsetof(struct conf_classifier, feedback),
      .section = &schema_feedback, .help = "See below." },
    { "max_templates", TYPE_COUNT, AT(conf_classifier, max_templates),
      .initial = "100000", .min = 100, .max = 10000000,
      .help = "Templates that a router remembers, about 100 bytes each; the "
              "unproven that was not seen for longest goes first." },
};

const struct schema_section schema_listeners = {
    .name = "listeners", .noun = "listener",
    .help = "Where mail is submitted. Without any: 587 with STARTTLS and 465 "
            "with implicit TLS, on all IPv4 addresses.",
    .size = sizeof(struct conf_listener), .has_place = true,
    .keys = listener_keys, .key_count = ARRAY_LEN(listener_keys),
};

const struct schema_section schema_tls = {
    .name = "tls", .noun = "tls",
    .help = "Certificate of the listeners; read again on reload.",
    .size = sizeof(struct conf_tls), .has_place = true,
    .keys = tls_keys, .key_count = ARRAY_LEN(tls_keys),
};

const struct schema_section schema_tenants = {
    .name = "tenants", .noun = "tenant",
    .help = "Customers. Tenants share each lane fairly, by weight.",
    .size = sizeof(struct conf_tenant), .has_place = true,
    .keys = tenant_keys, .key_count = ARRAY_LEN(tenant_keys),
};

const struct schema_section schema_accounts = {
    .name = "accounts", .noun = "account",
    .help = "Who may submit mail, and from which domains.",
    .size = sizeof(struct conf_account), .has_place = true,
    .keys = account_keys, .key_count = ARRAY_LEN(account_keys),
};

const struct schema_section schema_classifier = {
    .name = "classifier", .noun = "classifier",
    .help = "How mail without a declared stream finds one.",
    .size = sizeof(struct conf_classifier), .has_place = true,
    .keys = classifier_keys, .key_count = ARRAY_LEN(classifier_keys),
};
/* clang-format on */
