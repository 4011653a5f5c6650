/*
 * What the rooms of the HTTP server share: the connection with its parser, and the request that it
 * has read so far.
 */
#ifndef MESOS_SIM_HTTP_PRIVATE_H
#define MESOS_SIM_HTTP_PRIVATE_H

#include "http_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <http_parser.h>

#define SIM_HTTP_HEADERS_MAX 100
#define SIM_HTTP_BODY_MAX    ((size_t)256 << 20)

struct sim_http_header {
    char *name;
    char *value;
};

struct sim_http_exchange {
    struct sim_http_connection *connection;
    char *url; /* as received */
    char *path;
    char *query;
    struct sim_http_header headers[SIM_HTTP_HEADERS_MAX];
    unsigned int n_headers;
    bool in_value;
    bool trailer; /* headers after a chunked body: Mesos cannot read those */
    struct evbuffer *body;
    const char *method;
    bool answered;
};

struct sim_http_stream {
    uint64_t number;
    struct sim_http_stream *next;
};

struct sim_http_connection {
    uint64_t number;
    struct sim_http_server *server;
    struct sim_http_connection *next;
    struct bufferevent *bev;
    http_parser parser;
    struct sim_http_exchange exchange;
    struct sim_http_stream *streams;
    bool close_when_sent;
    bool orderly; /* the client asked for the close */
    bool aborted; /* close at once, whatever still waits to be sent */
};

struct sim_http_server {
    struct event_base *base;
    struct evconnlistener *listener;
    struct sim_http_connection *connections;
    struct sim_http_hooks hooks;
    void *userdata;
    uint16_t port;
};

/* http_request.c: fills and empties the exchange. All return 0, or -1 to fail the parser. */
int sim_http_request_begin(struct sim_http_exchange *exchange);
int sim_http_request_url(struct sim_http_exchange *exchange, const char *at, size_t length);
int sim_http_request_field(struct sim_http_exchange *exchange, const char *at, size_t length);
int sim_http_request_value(struct sim_http_exchange *exchange, const char *at, size_t length);
int sim_http_request_split_url(struct sim_http_exchange *exchange);
void sim_http_request_clear(struct sim_http_exchange *exchange);

#endif
