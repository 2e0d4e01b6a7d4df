/* tls.c - the server's side of TLS, of several kinds. */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "text.h"

#define CERTIFICATE_DAYS 30
#define DAY_S            (24L * 60 * 60)

struct tls_context {
    SSL_CTX *ssl;
};

struct tls_channel {
    SSL *ssl;
};

static X509 *self_signed(const char *host_name, EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    if (certificate == NULL)
        return NULL;
    X509_NAME *name = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) != 1
        || ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1
        || X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) == NULL
        || X509_gmtime_adj(X509_getm_notAfter(certificate),
                           CERTIFICATE_DAYS * DAY_S)
               == NULL
        || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)host_name, -1, -1,
                                      0)
               != 1
        || X509_set_issuer_name(certificate, name) != 1
        || X509_set_pubkey(certificate, key) != 1
        || X509_sign(certificate, key, EVP_sha256()) == 0) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* RSA because TLS 1.0 clients need not know curves. */
static bool use_self_signed(SSL_CTX *ssl, const char *host_name)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = key == NULL ? NULL : self_signed(host_name, key);
    const bool done = certificate != NULL
                      && SSL_CTX_use_certificate(ssl, certificate) == 1
                      && SSL_CTX_use_PrivateKey(ssl, key) == 1;

    X509_free(certificate);
    EVP_PKEY_free(key);
    return done;
}

static bool use_files(SSL_CTX *ssl, const struct provider_config *config)
{
    return SSL_CTX_use_certificate_chain_file(ssl, config->tls_cert) == 1
           && SSL_CTX_use_PrivateKey_file(ssl, config->tls_key,
                                          SSL_FILETYPE_PEM)
                  == 1;
}

/* TLS 1.0 signs with SHA-1, which OpenSSL 3 allows at level 0 alone. */
static bool use_tls_1_0(SSL_CTX *ssl)
{
    return SSL_CTX_set_min_proto_version(ssl, TLS1_VERSION) == 1
           && SSL_CTX_set_max_proto_version(ssl, TLS1_VERSION) == 1
           && SSL_CTX_set_cipher_list(ssl, "DEFAULT:@SECLEVEL=0") == 1;
}

/* TLS 1.3: who offers a session says so in this extension. */
static int refuse_session(SSL *ssl, int *alert, void *context)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;

    (void)context;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &bytes, &len) != 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

static bool set_up(SSL_CTX *ssl, const struct provider_config *config)
{
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS);
    if (!config->tls_tickets) {
        (void)SSL_CTX_set_num_tickets(ssl, 0);
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    }
    switch (config->tls) {
    case TLS_FILES:
        return use_files(ssl, config);
    case TLS_SELF_SIGNED:
        return use_self_signed(ssl, config->host_name);
    case TLS_OLD:
        return use_tls_1_0(ssl) && use_self_signed(ssl, config->host_name);
    case TLS_FORGETFUL:
        SSL_CTX_set_client_hello_cb(ssl, refuse_session, NULL);
        return use_self_signed(ssl, config->host_name);
    case TLS_NONE:
    case TLS_BROKEN:
    case TLS_REFUSED:
    case TLS_KIND_COUNT:
        break;
    }
    return true;
}

struct tls_context *tls_context_new(const struct provider_config *config)
{
    struct tls_context *context = must_allocate(1, sizeof *context);

    context->ssl = SSL_CTX_new(TLS_server_method());
    if (context->ssl == NULL || !set_up(context->ssl, config)) {
        (void)fprintf(stderr, "sendyard-receiver: TLS of %s:\n", config->name);
        ERR_print_errors_fp(stderr);
        tls_context_free(&context);
    }
    return context;
}

void tls_context_free(struct tls_context **context)
{
    if (*context == NULL)
        return;
    SSL_CTX_free((*context)->ssl);
    free(*context);
    *context = NULL;
}

struct tls_channel *tls_channel_new(struct tls_context *context, int fd)
{
    struct tls_channel *channel = must_allocate(1, sizeof *channel);

    channel->ssl = SSL_new(context->ssl);
    if (channel->ssl == NULL || SSL_set_fd(channel->ssl, fd) != 1)
        tls_channel_free(&channel);
    else
        SSL_set_accept_state(channel->ssl);
    return channel;
}

void tls_channel_free(struct tls_channel **channel)
{
    if (*channel == NULL)
        return;
    SSL_free((*channel)->ssl);
    free(*channel);
    *channel = NULL;
}

static enum tls_result result_of(struct tls_channel *channel, int code)
{
    if (code > 0)
        return TLS_OK;
    switch (SSL_get_error(channel->ssl, code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        return TLS_FAILED;
    }
}

enum tls_result tls_handshake(struct tls_channel *channel)
{
    ERR_clear_error();
    return result_of(channel, SSL_do_handshake(channel->ssl));
}

enum tls_result tls_read(struct tls_channel *channel, char *bytes, size_t room,
                         size_t *len)
{
    ERR_clear_error();
    return result_of(channel, SSL_read_ex(channel->ssl, bytes, room, len));
}

enum tls_result tls_write(struct tls_channel *channel, const char *bytes,
                          size_t len, size_t *written)
{
    ERR_clear_error();
    return result_of(channel, SSL_write_ex(channel->ssl, bytes, len, written));
}

void tls_bye(struct tls_channel *channel)
{
    ERR_clear_error();
    if (SSL_is_init_finished(channel->ssl))
        (void)SSL_shutdown(channel->ssl);
}

bool tls_is_resumed(const struct tls_channel *channel)
{
    return SSL_session_reused(channel->ssl) == 1;
}

const char *tls_version(const struct tls_channel *channel)
{
    return SSL_get_version(channel->ssl);
}
