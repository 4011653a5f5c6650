/* The server's inside: shared by server.c (connections, answers) and intake.c (what comes in). */
#ifndef DAEMON_HTTP_SERVER_PRIVATE_H
#define DAEMON_HTTP_SERVER_PRIVATE_H

#include <sys/queue.h>

#include <evhtp/evhtp.h>

#include "http/head.h"
#include "http/server.h"

#define DRAIN_MAX (64 * 1024 * 1024) /* bodies are read and refused up to here, then cut off */
#define LINGER_S  10                 /* for a refused client to notice */

struct http_exchange {
    struct http_server *server;
    evhtp_connection_t *connection;
    evhtp_request_t *request; /* set while its answer is owed */
    struct event *deadline;
    bufferevent_data_cb library_input;
    struct http_head head;
    bool has_head;
    uint64_t expected; /* bytes of the request that are still to come, head included */
    uint64_t body_bytes, drained;
    char body[API_BODY_MAX];
    bool parked, answered;
    TAILQ_ENTRY(http_exchange) next;
};

/** exchange_of() - the exchange that a connection of ours is. */
struct http_exchange *exchange_of(evhtp_connection_t *connection);

/** intake_begin() - puts our own look at all input in front of libevhtp. */
void intake_begin(struct http_exchange *exchange);

#endif
