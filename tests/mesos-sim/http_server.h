/*
 * A small HTTP/1.1 server on loopback that answers byte for byte as Mesos' own does (libprocess):
 * the same request parser (http-parser), no Server and no Connection header, one record a chunk on
 * streams, answers to further requests of a stream's connection in the middle of that stream. Every
 * request is answered from within its handler, so answers to pipelined requests keep their order by
 * themselves.
 */
#ifndef MESOS_SIM_HTTP_SERVER_H
#define MESOS_SIM_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct ssl_ctx_st;
struct sim_pair;
struct sim_http_server;
struct sim_http_stream;
struct sim_http_exchange; /* one request and the connection that waits for its answer */

/* The request, borrowed by the handler until it returns. */
/* The number of its connection: never given twice, not even by two servers of one process. Its low
 * 16 bits are the server's `number`. */
uint64_t sim_http_connection_number(const struct sim_http_exchange *exchange);
const char *sim_http_method(const struct sim_http_exchange *exchange);
const char *
sim_http_path(const struct sim_http_exchange *exchange); /* without query, percent-decoded */
const char *sim_http_query(const struct sim_http_exchange *exchange); /* "" without one */
const char *sim_http_header(const struct sim_http_exchange *exchange,
                            const char *name); /* or NULL */
/* All headers, at most `max` of them; returns how many. */
size_t sim_http_headers(const struct sim_http_exchange *exchange, struct sim_pair *headers,
                        size_t max);
const void *sim_http_body(const struct sim_http_exchange *exchange, size_t *ret_size);
/* The value of a query parameter, percent-decoded, or NULL; the caller frees it. */
char *sim_http_query_value(const struct sim_http_exchange *exchange, const char *name);

struct sim_http_extra_header {
    const char *name;
    const char *value;
};

/* Answers with a complete body. `content_type` NULL: no such header (empty bodies). `extra` ends
 * with a NULL name and may itself be NULL. */
void sim_http_respond(struct sim_http_exchange *exchange, int status,
                      const struct sim_http_extra_header *extra, const char *content_type,
                      const void *body, size_t size);
/* Answers with text/plain; an empty or NULL text leaves the body and its type away. */
void sim_http_respond_text(struct sim_http_exchange *exchange, int status, const char *text);
/* Answers nothing and closes the connection, as a server that dies does. */
void sim_http_abort(struct sim_http_exchange *exchange);

/* Answers 200 with a chunked body that stays open. NULL when memory ends (the exchange is then
 * aborted). A stream lives until sim_http_stream_end() or until its connection ends; so keep the
 * number, not the stream. */
struct sim_http_stream *sim_http_stream_begin(struct sim_http_exchange *exchange, uint64_t number,
                                              const struct sim_http_extra_header *extra);
struct sim_http_hooks {
    uint16_t
        number; /* of the server: what sim_http_server_number() finds in a connection's number */
    /* Must answer the exchange before it returns; one left unanswered is closed. */
    void (*request)(void *userdata, struct sim_http_exchange *exchange);
    /* The peer closed or half-closed, or the connection broke. Not called for those that we close.
     * May be NULL. */
    void (*closed)(void *userdata, uint64_t connection);
    struct ssl_ctx_st *tls; /* borrowed; NULL: plain HTTP */
};

/* A server on 127.0.0.1:`port` (0: the system chooses one), listening. 0 or a negative errno. */
int sim_http_server_new(struct sim_http_server **ret, struct event_base *base, uint16_t port,
                        const struct sim_http_hooks *hooks, void *userdata);
uint16_t sim_http_server_number(uint64_t connection);
struct sim_http_server *sim_http_server_free(struct sim_http_server *server);
uint16_t sim_http_server_port(const struct sim_http_server *server);

/* Writes `data` as one chunk of a stream, or its zero chunk; the connection stays open. Unknown
 * numbers are ignored. */
void sim_http_stream_write(struct sim_http_server *server, uint64_t stream, const void *data,
                           size_t size);
void sim_http_stream_end(struct sim_http_server *server, uint64_t stream);

/* Closes a connection, or all of them, once what was written is sent; streams get no zero chunk. */
void sim_http_hang_up(struct sim_http_server *server, uint64_t connection);
void sim_http_hang_up_all(struct sim_http_server *server);

/* Listens or not (then connects are refused), on the same port each time; connections that are open
 * stay. 0 or a negative errno. */
int sim_http_server_listen(struct sim_http_server *server, bool on);

/* The reason phrase of a status ("Accepted"), "" for one that Mesos never answers. */
const char *sim_http_reason(int status);

#endif
