/*
 * OpenSSL through libevent's bufferevents.
 */
#include "tls.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

static int explain(char **ret_error, const char *what, const char *path)
{
    char reason[256] = "unknown error";
    unsigned long code = ERR_peek_last_error();

    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    if (asprintf(ret_error, "%s '%s': %s", what, path, reason) < 0)
        *ret_error = NULL;
    return -EINVAL;
}

static int load(SSL_CTX *context, const char *cert, const char *key, const char *ca,
                char **ret_error)
{
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return explain(ret_error, "--tls-cert", cert);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return explain(ret_error, "--tls-key", key);
    if (!ca)
        return 0;
    if (SSL_CTX_load_verify_locations(context, ca, NULL) != 1)
        return explain(ret_error, "--tls-ca", ca);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

int tls_context_new(struct ssl_ctx_st **ret, const char *cert, const char *key, const char *ca,
                    char **ret_error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    static const unsigned char name[] = "mesos-sim";
    int r;

    if (!context)
        return explain(ret_error, "TLS", "context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
    r = load(context, cert, key, ca, ret_error);
    if (r < 0)
        SSL_CTX_free(context);
    else
        *ret = context;
    return r;
}

struct ssl_ctx_st *tls_context_free(struct ssl_ctx_st *context)
{
    SSL_CTX_free(context);
    return NULL;
}

struct bufferevent *tls_accept(struct ssl_ctx_st *context, struct event_base *base, int fd)
{
    SSL *ssl = SSL_new(context);
    struct bufferevent *bev = NULL;

    if (ssl)
        bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE);
    if (bev)
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    else
        SSL_free(ssl);
    return bev;
}

void tls_say_end(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);

    if (ssl && SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
}
