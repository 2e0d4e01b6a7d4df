/* tls.c - contexts and connections of OpenSSL. */
#include "common/edge/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/edge/tickets.h"

/* Bytes of one tls_read() call: a fast peer must not hold the thread. */
#define READ_BYTES_MAX ((size_t)64 * 1024)

/* Bytes of room to ask for when the buffer has less. */
#define READ_ROOM_MIN ((size_t)4 * 1024)

/* The longest TLS record, RFC 8446 section 5.1. */
#define WRITE_BYTES_MAX ((size_t)16 * 1024)

/* A certificate that has been revoked or has expired is noticed after this time
 * at the latest, whatever the server's tickets say. */
#define SESSION_AGE_MAX_S 3600

struct tls_context {
    atomic_uint holders;
    SSL_CTX *ctx;
    bool server;
    bool verified;
    struct tickets *tickets; /* of a client: SSL_SESSIONs */
};

struct tls {
    SSL *ssl;
    struct tls_context *context;
    char *name; /* the peer's, as its tickets are filed */
    bool has_offered;
    bool broken; /* a fatal error came: OpenSSL wants no further call */
};

/* OpenSSL's own reason, that of the system where it has none. */
static enum rc set_fault(struct fault *fault, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (ERR_SYSTEM_ERROR(code))
        return fault_set(fault, RC_IO, ERR_GET_REASON(code), "%s", what);
    return fault_set(fault, RC_IO, 0, "%s: %s", what,
                     reason ? reason : "unknown TLS error");
}

/* An encrypted key file must not ask for its password on the terminal.
 * NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
static int refuse_password(char *text, int size, int writing, void *context)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static struct tls_context *new_context(const SSL_METHOD *method)
{
    ERR_clear_error();
    struct tls_context *context = NEW(struct tls_context);
    atomic_init(&context->holders, 1);
    context->ctx = SSL_CTX_new(method);
    CHECK(context->ctx);
    (void)SSL_CTX_set_mode(context->ctx,
                           SSL_MODE_ENABLE_PARTIAL_WRITE
                               | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                               | SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_options(context->ctx,
                              SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context->ctx, refuse_password);
    return context;
}

/* Each context has its own id and its own ticket keys, so a session of one
 * listener is never resumed at another with other demands. */
static void set_session_id(SSL_CTX *ctx)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    CHECK(RAND_bytes(id, sizeof id) == 1);
    CHECK(SSL_CTX_set_session_id_context(ctx, id, sizeof id) == 1);
}

static enum rc load_pair(SSL_CTX *ctx, const char *certificate_file,
                         const char *key_file, struct fault *fault)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate_file) != 1)
        return set_fault(fault, certificate_file);
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_check_private_key(ctx) != 1)
        return set_fault(fault, key_file);

    const X509 *certificate = SSL_CTX_get0_certificate(ctx);
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        return fault_set(fault, RC_IO, 0, "%s: certificate has expired",
                         certificate_file);
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0)
        return fault_set(fault, RC_IO, 0, "%s: certificate is not valid yet",
                         certificate_file);
    return RC_OK;
}

struct tls_context *tls_server_context(const char *certificate_file,
                                       const char *key_file,
                                       const char *min_version,
                                       struct fault *fault)
{
    int min = TLS1_2_VERSION;
    if (strcmp(min_version, "1.3") == 0) {
        min = TLS1_3_VERSION;
    } else if (strcmp(min_version, "1.2") != 0) {
        (void)fault_set(fault, RC_SYNTAX, 0, "TLS version \"%s\" is not known",
                        min_version);
        return NULL;
    }

    scoped(tls_context_release) struct tls_context *context =
        new_context(TLS_server_method());
    context->server = true;
    CHECK(SSL_CTX_set_min_proto_version(context->ctx, min) == 1);
    SSL_CTX_set_security_level(context->ctx, 2);
    (void)SSL_CTX_set_dh_auto(context->ctx, 1);
    set_session_id(context->ctx);
    if (load_pair(context->ctx, certificate_file, key_file, fault) != RC_OK)
        return NULL;
    return steal(context);
}

/* Receivers that still speak TLS 1.0, sign with SHA-1 or know no RFC 5746: all
 * that must not push mail back into clear text. */
static void demand_little(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 0);
    CHECK(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1);
    CHECK(SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") == 1);
    (void)SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
}

static enum rc demand_much(SSL_CTX *ctx, const char *ca_file,
                           struct fault *fault)
{
    SSL_CTX_set_security_level(ctx, 2);
    CHECK(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    ERR_clear_error();
    if (ca_file ? SSL_CTX_load_verify_file(ctx, ca_file) != 1
                : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return set_fault(fault, ca_file ? ca_file : "system certificates");
    return RC_OK;
}

static void destroy_ticket(void *ticket)
{
    SSL_SESSION_free(ticket);
}

/* TLS 1.3 sends tickets at any time behind the handshake. Returns 1 when it
 * keeps the session. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    if (!tls->name || !SSL_SESSION_is_resumable(session))
        return 0;
    if (SSL_SESSION_get_timeout(session) > SESSION_AGE_MAX_S)
        (void)SSL_SESSION_set_timeout(session, SESSION_AGE_MAX_S);
    tickets_put(tls->context->tickets, tls->name, session);
    return 1;
}

/* Peers that close without close_notify do nothing unusual, and their sessions
 * stay good. */
static void remember_sessions(struct tls_context *context)
{
    context->tickets = tickets_new(destroy_ticket);
    (void)SSL_CTX_set_options(context->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_session_cache_mode(
        context->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->ctx, keep_session);
}

struct tls_context *tls_client_context(bool verified, const char *ca_file,
                                       struct fault *fault)
{
    scoped(tls_context_release) struct tls_context *context =
        new_context(TLS_client_method());
    context->verified = verified;
    remember_sessions(context);
    if (!verified)
        demand_little(context->ctx);
    else if (demand_much(context->ctx, ca_file, fault) != RC_OK)
        return NULL;
    return steal(context);
}

struct tls_context *tls_context_hold(struct tls_context *context)
{
    (void)atomic_fetch_add(&context->holders, 1);
    return context;
}

void tls_context_release(struct tls_context **context)
{
    struct tls_context *c = steal(*context);
    if (!c || atomic_fetch_sub(&c->holders, 1) > 1)
        return;
    SSL_CTX_free(c->ctx);
    tickets_free(&c->tickets);
    mem_free(c);
}

/* RFC 6066 section 3: an IP address is no server name. */
static void set_peer_name(SSL *ssl, const char *name, bool verified)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    bool is_ip = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    if (is_ip)
        return;
    scoped(mem_free_at) char *host = mem_copy_text(name, strlen(name));
    CHECK(SSL_set_tlsext_host_name(ssl, host) == 1); /* copies it */
    if (verified) {
        X509_VERIFY_PARAM_set_hostflags(param,
                                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        CHECK(X509_VERIFY_PARAM_set1_host(param, name, 0) == 1);
    }
}

static bool is_fresh(const SSL_SESSION *session)
{
    const time_t now_s = time(NULL);
    const time_t begin_s = (time_t)SSL_SESSION_get_time(session);
    return SSL_SESSION_is_resumable(session) && now_s >= begin_s
           && now_s - begin_s < (time_t)SSL_SESSION_get_timeout(session);
}

/* Offers the newest session of the peer. That of TLS 1.2 may be used again. */
static void offer_session(struct tls *tls)
{
    struct tickets *tickets = tls->context->tickets;
    SSL_SESSION *session = tickets_take(tickets, tls->name);
    while (session && !is_fresh(session)) {
        SSL_SESSION_free(session);
        session = tickets_take(tickets, tls->name);
    }
    if (!session)
        return;
    tls->has_offered = SSL_set_session(tls->ssl, session) == 1;
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
        tickets_put(tickets, tls->name, session);
    else
        SSL_SESSION_free(session);
}

struct tls *tls_new(struct tls_context *context, int fd, const char *name)
{
    CHECK(name || !context->verified);
    ERR_clear_error();
    struct tls *tls = NEW(struct tls);
    tls->ssl = SSL_new(context->ctx);
    CHECK(tls->ssl && SSL_set_fd(tls->ssl, fd) == 1);
    CHECK(SSL_set_app_data(tls->ssl, tls) == 1);
    tls->context = tls_context_hold(context);
    if (context->server) {
        SSL_set_accept_state(tls->ssl);
        return tls;
    }
    SSL_set_connect_state(tls->ssl);
    if (name) {
        set_peer_name(tls->ssl, name, context->verified);
        tls->name = mem_copy_text(name, strlen(name));
        offer_session(tls);
    }
    return tls;
}

void tls_free(struct tls **tls)
{
    struct tls *t = steal(*tls);
    if (!t)
        return;
    /* Else OpenSSL takes the session for broken, and never resumes it. */
    if (!t->broken && SSL_is_init_finished(t->ssl))
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN);
    SSL_free(t->ssl);
    tls_context_release(&t->context);
    mem_free(t->name);
    mem_free(t);
}

static enum tls_want fail(struct tls *tls, struct fault *fault)
{
    tls->broken = true;
    long verdict = SSL_get_verify_result(tls->ssl);
    if (SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE
        && verdict != X509_V_OK)
        (void)fault_set(fault, RC_IO, 0, "TLS: certificate: %s",
                        X509_verify_cert_error_string(verdict));
    else
        (void)set_fault(fault, "TLS");
    return TLS_FAILED;
}

/* What the last call wants, which returned `result` and left `sys_errno`. A
 * stream that ends without close_notify counts as ended: SMTP says itself what
 * is complete, and many peers just close. */
static enum tls_want want_of(struct tls *tls, int result, int sys_errno,
                             struct fault *fault)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        tls->broken = true;
        (void)fault_set(fault, RC_IO, sys_errno, "TLS");
        return TLS_FAILED;
    default:
        if (ERR_GET_REASON(ERR_peek_error())
            != SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return fail(tls, fault);
        tls->broken = true;
        return TLS_CLOSED;
    }
}

enum tls_want tls_handshake(struct tls *tls, struct fault *fault)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1)
        return TLS_DONE;
    const enum tls_want want = want_of(tls, result, errno, fault);
    if (tls->has_offered && (want == TLS_CLOSED || want == TLS_FAILED))
        tickets_drop(tls->context->tickets, tls->name);
    return want;
}

bool tls_has_offered(const struct tls *tls)
{
    return tls->has_offered;
}

bool tls_is_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

enum tls_want tls_read(struct tls *tls, struct buf *in, struct fault *fault)
{
    size_t total = 0;
    while (in->len < in->max && total < READ_BYTES_MAX) {
        size_t room = in->size - in->len;
        if (room < READ_ROOM_MIN)
            room = READ_ROOM_MIN;
        if (room > in->max - in->len)
            room = in->max - in->len;
        char *where = buf_room(in, room);
        CHECK(where);

        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(tls->ssl, where, room, &got);
        if (result != 1)
            return want_of(tls, result, errno, fault);
        buf_added(in, got);
        total += got;
    }
    return TLS_DONE;
}

enum tls_want tls_write(struct tls *tls, struct buf *out, struct fault *fault)
{
    while (out->len > 0) {
        /* A call that is made again may offer more bytes, never fewer. */
        struct slice record = slice_head(buf_slice(out), WRITE_BYTES_MAX);
        size_t sent = 0;
        ERR_clear_error();
        int result = SSL_write_ex(tls->ssl, record.ptr, record.len, &sent);
        if (result != 1)
            return want_of(tls, result, errno, fault);
        buf_take(out, sent);
    }
    return TLS_DONE;
}

void tls_say_bye(struct tls *tls)
{
    if (tls->broken || !SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    if (SSL_shutdown(tls->ssl) < 0)
        tls->broken = true;
}

const char *tls_version(const struct tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *tls_cipher(const struct tls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}
