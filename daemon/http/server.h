/*
 * HTTP over sockets: the adapter around libevhtp. It gives whole, bounded requests to one handler
 * and sends responses, at once or later.
 *
 * libevhtp 1.2.18 needs care, its callbacks match prefixes, so there is one
 * for everything; bodies and header fields have no limits; form bodies are taken for queries;
 * requests that follow on one connection can hang, so each connection serves one; its parser is
 * shown whole and strict heads only (head.h, intake.c).
 */
#ifndef DAEMON_HTTP_SERVER_H
#define DAEMON_HTTP_SERVER_H

#include "http/api.h"

struct event_base;
struct http_server;
struct http_exchange; /* a request that waits for its response */

/*
 * handler - called with each request. The exchange must be answered by server_answer(), now or
 * later, unless gone() says that it is over.
 */
struct server_callbacks {
    void (*handler)(void *userdata, struct http_exchange *exchange,
                    const struct http_request *request);
    /* The client went away before its answer. Called only when exchange_park() was called. */
    void (*gone)(void *userdata, struct http_exchange *exchange);
    void *userdata;
};

/**
 * server_new() - listens on a numeric address.
 * @address: "" is all of IPv4; "localhost" is fine, too
 * Returns 0 or negative errno with a line in @error.
 */
int server_new(struct http_server **server, struct event_base *base, const char *address,
               uint16_t port, const struct server_callbacks *callbacks, char *error, size_t size);

uint16_t server_port(const struct http_server *server);

/** exchange_park() - the answer comes later: tell gone() when the client goes first. */
void exchange_park(struct http_exchange *exchange);

/** server_answer() - sends the response; the exchange is over. The caller keeps the response. */
void server_answer(struct http_exchange *exchange, const struct http_response *response);

/** server_free() - closes everything; exchanges are over without gone(). Returns NULL. */
struct http_server *server_free(struct http_server *server);

#endif
