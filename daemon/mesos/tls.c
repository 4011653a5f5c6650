/*
 * TLS to the master, on OpenSSL and libevent's buffers for it. A refused certificate is noted while
 * it is looked at: afterwards OpenSSL knows a number only.
 */
#include "mesos/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define LINE_MAX_SIZE  256
#define NAMES_MAX_SIZE 128

struct tls {
    SSL_CTX *context;
    struct link_channel channel;
};

/* What went wrong on one connection, kept with it. */
struct note {
    char host[LINK_HOST_MAX];
    char line[LINE_MAX_SIZE];
};

static int note_index = -1;

static void free_note(void *parent, void *note, CRYPTO_EX_DATA *data, int index, long l, void *p)
{
    free(note);
}

static struct note *note_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, note_index);
}

/* ---- what the peer shows ---- */

static void append_name(char *names, size_t size, const ASN1_STRING *name)
{
    size_t used = strlen(names), length = (size_t)ASN1_STRING_length(name);
    const unsigned char *text = ASN1_STRING_get0_data(name);
    if (used + length + 3 > size)
        return;
    used += (size_t)sprintf(names + used, "%s", used > 0 ? ", " : "");
    for (size_t i = 0; i < length; i++)
        names[used++] = text[i] > ' ' && text[i] < 127 ? (char)text[i] : '?';
    names[used] = '\0';
}

/* The host names and addresses in a certificate; names of old times where there are none. */
static void names_of(X509 *certificate, char *names, size_t size)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    names[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        const ASN1_STRING *ip = name->type == GEN_IPADD ? name->d.iPAddress : NULL;
        char address[INET6_ADDRSTRLEN];
        size_t used = strlen(names);
        if (name->type == GEN_DNS)
            append_name(names, size, name->d.dNSName);
        else if (ip != NULL && inet_ntop(ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6,
                                         ASN1_STRING_get0_data(ip), address, sizeof address))
            snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", address);
    }
    if (sk_GENERAL_NAME_num(all) < 1)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, names,
                                  (int)size);
    GENERAL_NAMES_free(all);
}

/* Called for each certificate of the chain; says why one is not accepted, and never accepts it. */
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct note *note = ssl != NULL ? note_of(ssl) : NULL;
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    char names[NAMES_MAX_SIZE] = "";
    if (good || note == NULL)
        return good;
    if (certificate != NULL)
        names_of(certificate, names, sizeof names);
    if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(note->line, sizeof note->line, "its certificate is for %s, not for %.80s",
                 names[0] != '\0' ? names : "nobody", note->host);
    else
        snprintf(note->line, sizeof note->line, "its certificate (%s) is not accepted: %s",
                 names[0] != '\0' ? names : "without names", X509_verify_cert_error_string(error));
    return 0;
}

/* The peer says why it does not accept us. */
static void on_info(const SSL *ssl, int where, int value)
{
    struct note *note = note_of(ssl);
    if (note == NULL || (where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT ||
        (value & 0xff) == SSL_AD_CLOSE_NOTIFY || note->line[0] != '\0')
        return;
    if ((value & 0xff) == TLS13_AD_CERTIFICATE_REQUIRED) /* has no text in OpenSSL 3.0 */
        snprintf(note->line, sizeof note->line,
                 "it wants a certificate of us (mesos.tls.cert_file)");
    else
        snprintf(note->line, sizeof note->line, "it refuses TLS with us: %s",
                 SSL_alert_desc_string_long(value));
}

static bool why(struct bufferevent *bev, char *line, size_t size)
{
    const SSL *ssl = bufferevent_openssl_get_ssl(bev);
    const struct note *note = ssl != NULL ? note_of(ssl) : NULL;
    unsigned long code = bufferevent_get_openssl_error(bev);
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (note != NULL && note->line[0] != '\0')
        snprintf(line, size, "%s", note->line);
    else if (reason != NULL)
        snprintf(line, size, "TLS failed: %s", reason);
    else
        return false;
    return true;
}

/* ---- connections ---- */

static bool expect_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(expected, host, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

static struct bufferevent *open_connection(const void *userdata, struct event_base *base,
                                           const char *host)
{
    const struct tls *tls = userdata;
    SSL *ssl = SSL_new(tls->context);
    struct note *note = calloc(1, sizeof *note);
    if (ssl == NULL || note == NULL || SSL_set_ex_data(ssl, note_index, note) != 1) {
        free(note);
        SSL_free(ssl);
        return NULL;
    }
    snprintf(note->host, sizeof note->host, "%s", host);
    struct bufferevent *bev = NULL;
    if (expect_host(ssl, host))
        bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (bev == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    /* Mesos says no farewell; what is missing then is missed by the layers above. */
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

/* ---- life ---- */

static bool given(const char *path)
{
    return path != NULL && path[0] != '\0';
}

static int refuse(char *error, size_t size, const char *key, const char *path)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(error, size, "%s: cannot use %.300s: %s", key, path,
             reason != NULL ? reason : "unknown reason");
    ERR_clear_error();
    return -EINVAL;
}

static int load_files(SSL_CTX *context, const struct tls_options *o, char *error, size_t size)
{
    const char *key = given(o->key_file) ? o->key_file : o->cert_file;
    if (given(o->key_file) && !given(o->cert_file)) {
        snprintf(error, size, "mesos.tls.key_file is of no use without mesos.tls.cert_file");
        return -EINVAL;
    }
    if (!given(o->ca_file))
        SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_locations(context, o->ca_file, NULL) != 1)
        return refuse(error, size, "mesos.tls.ca_file", o->ca_file);
    if (!given(o->cert_file))
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, o->cert_file) != 1)
        return refuse(error, size, "mesos.tls.cert_file", o->cert_file);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(error, size, "mesos.tls.key_file", key);
    return 0;
}

int tls_new(struct tls **tls, const struct tls_options *options, char *error, size_t size)
{
    struct tls *t = calloc(1, sizeof *t);
    snprintf(error, size, "out of memory");
    if (note_index < 0)
        note_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_note);
    if (t != NULL)
        t->context = SSL_CTX_new(TLS_client_method());
    if (t == NULL || t->context == NULL || note_index < 0) {
        tls_free(t);
        return -ENOMEM;
    }
    t->channel = (struct link_channel){.open = open_connection, .why = why, .userdata = t};
    SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(t->context, on_info);
    int rc = load_files(t->context, options, error, size);
    if (rc != 0) {
        tls_free(t);
        return rc;
    }
    *tls = t;
    return 0;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

const struct link_channel *tls_channel(const struct tls *tls)
{
    return &tls->channel;
}
