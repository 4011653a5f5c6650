/*
 * TLS for the master's port.
 */
#ifndef MESOS_SIM_TLS_H
#define MESOS_SIM_TLS_H

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct bufferevent;
struct event_base;

/* `cert` (with its chain) and `key` are PEM files. `ca` (PEM, may be NULL): clients must show a
 * certificate that it signed. 0, or -EINVAL with one line in `*ret_error` (freed by the caller). */
int tls_context_new(struct ssl_ctx_st **ret, const char *cert, const char *key, const char *ca,
                    char **ret_error);
struct ssl_ctx_st *tls_context_free(struct ssl_ctx_st *context);

/* An accepted socket, whose handshake is done by the event loop; closed with the bufferevent. NULL
 * when memory ends. */
struct bufferevent *tls_accept(struct ssl_ctx_st *context, struct event_base *base, int fd);
/* Tells the peer that this is the end of the data, as an orderly close does. */
void tls_say_end(struct bufferevent *bev);

#endif
