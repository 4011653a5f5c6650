/*
 * One HTTP connection on libevent's client (2.1). What one has to know about that: its read
 * time-out is 50 s unless set otherwise; it adds no Host header; a connection that cannot be made
 * calls back with an answer of status 0, a broken one with none at all; chunks reach the caller
 * whole.
 */
#include "mesos/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>

#include "mesos/transport.h"

#define STREAM_SILENCE_S (365 * 24 * 3600) /* heartbeats are watched by the session, not here */
#define CALL_SILENCE_S   90                /* the session gives up before */
#define TEXT_MAX         1024
#define HEADERS_MAX      (80 * 1024)
#define CALL_BODY_MAX    (1024 * 1024)
#define KEEPALIVE_IDLE_S 60 /* executors' streams are silent for half an hour */

struct link {
    struct link_network network;
    struct evhttp_connection *connection;
    char host[SESSION_HOST_MAX];
    uint16_t port;
    char host_header[SESSION_HOST_MAX + 16];
    bool used; /* a request was posted */
    bool stream;
    bool streaming; /* the head said 200 */
    int error;      /* what libevent said went wrong, -1: nothing */
    size_t text_length;
    char text[TEXT_MAX];
    struct link_callbacks callbacks;
    void *userdata;
};

struct evhttp_connection *link_connection(const struct link_network *network, const char *host,
                                          uint16_t port)
{
    struct bufferevent *bev = NULL;
    if (network->channel != NULL) {
        bev = network->channel->open(network->channel->userdata, network->base, host);
        if (bev == NULL)
            return NULL;
    }
    return evhttp_connection_base_bufferevent_new(network->base, network->dns, bev, host, port);
}

static bool open_connection(struct link *l)
{
    struct timeval silence = {l->stream ? STREAM_SILENCE_S : CALL_SILENCE_S, 0};
    l->connection = link_connection(&l->network, l->host, l->port);
    if (l->connection == NULL)
        return false;
    evhttp_connection_set_timeout_tv(l->connection, &silence);
    evhttp_connection_set_max_headers_size(l->connection, HEADERS_MAX);
    if (!l->stream)
        evhttp_connection_set_max_body_size(l->connection, CALL_BODY_MAX);
    return true;
}

struct link *link_new(const struct link_network *network, const char *host, uint16_t port,
                      bool stream, const struct link_callbacks *callbacks, void *userdata)
{
    struct link *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->network = *network;
    l->port = port;
    l->stream = stream;
    l->callbacks = *callbacks;
    l->userdata = userdata;
    snprintf(l->host, sizeof l->host, "%s", host);
    transport_host_header(host, port, l->host_header, sizeof l->host_header);
    if (!open_connection(l)) {
        free(l);
        return NULL;
    }
    return l;
}

void link_free(struct link *l)
{
    if (l == NULL)
        return;
    if (l->connection != NULL)
        evhttp_connection_free(l->connection);
    free(l);
}

static void keep_alive(struct evhttp_connection *connection)
{
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    int on = 1, idle = KEEPALIVE_IDLE_S;
    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
}

static int on_head(struct evhttp_request *request, void *userdata)
{
    struct link *l = userdata;
    if (!l->stream || evhttp_request_get_response_code(request) != 200)
        return 0; /* the body tells more */
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    keep_alive(evhttp_request_get_connection(request));
    l->streaming = true;
    bool go_on = l->callbacks.head(l->userdata, evhttp_find_header(headers, "Content-Type"),
                                   evhttp_find_header(headers, "Mesos-Stream-Id"));
    return go_on ? 0 : -1;
}

/* Keeps the beginning of an answer for the log, as one line. */
static void keep_text(struct link *l, struct evbuffer *body)
{
    size_t room = sizeof l->text - 1 - l->text_length;
    ssize_t n = evbuffer_copyout(body, l->text + l->text_length, room);
    for (ssize_t i = 0; i < n; i++) {
        char *c = &l->text[l->text_length++];
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    l->text[l->text_length] = '\0';
}

static void on_piece(struct evhttp_request *request, void *userdata)
{
    struct link *l = userdata;
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t length = evbuffer_get_length(body);
    if (!l->streaming) {
        keep_text(l, body);
        return;
    }
    const uint8_t *data = evbuffer_pullup(body, -1);
    if (data != NULL)
        l->callbacks.piece(l->userdata, data, length);
    else if (length > 0)
        l->error = EVREQ_HTTP_BUFFER_ERROR;
}

static void on_error(enum evhttp_request_error error, void *userdata)
{
    struct link *l = userdata;
    l->error = (int)error;
}

static const char *error_text(const struct link *l)
{
    switch (l->error) {
    case EVREQ_HTTP_TIMEOUT:
        return "silence";
    case EVREQ_HTTP_EOF:
        return "connection closed";
    case EVREQ_HTTP_INVALID_HEADER:
        return "malformed answer";
    case EVREQ_HTTP_DATA_TOO_LONG:
        return "answer too long";
    default:
        return "connection broken";
    }
}

/* libevent keeps the reason why a connection was refused to itself, but for names. */
const char *link_trouble(const struct link_network *network, struct evhttp_connection *connection,
                         const char *otherwise, char *line, size_t size)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    int dns = bev != NULL ? bufferevent_socket_get_dns_error(bev) : 0;
    if (dns != 0) {
        snprintf(line, size, "name not found (%s)", evutil_gai_strerror(dns));
        return line;
    }
    if (bev != NULL && network->channel != NULL && network->channel->why(bev, line, size))
        return line;
    return otherwise;
}

static void fail(struct link *l, const char *why)
{
    char line[320];
    l->callbacks.failed(l->userdata,
                        link_trouble(&l->network, l->connection, why, line, sizeof line));
}

static void on_done(struct evhttp_request *request, void *userdata)
{
    struct link *l = userdata;
    if (request == NULL) {
        fail(l, error_text(l));
        return;
    }
    int status = evhttp_request_get_response_code(request);
    if (status == 0) {
        fail(l, l->error == EVREQ_HTTP_TIMEOUT ? "no connection in time" : "cannot connect");
        return;
    }
    if (!l->stream)
        keep_text(l, evhttp_request_get_input_buffer(request));
    l->callbacks.done(l->userdata, status,
                      evhttp_find_header(evhttp_request_get_input_headers(request), "Location"),
                      l->text);
}

static struct evhttp_request *make_request(struct link *l, const char *authorization,
                                           const char *stream_id)
{
    struct evhttp_request *request = evhttp_request_new(on_done, l);
    if (request == NULL)
        return NULL;
    evhttp_request_set_error_cb(request, on_error);
    evhttp_request_set_header_cb(request, on_head);
    if (l->stream)
        evhttp_request_set_chunked_cb(request, on_piece);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", l->host_header);
    evhttp_add_header(headers, "Content-Type", "application/x-protobuf");
    evhttp_add_header(headers, "Accept", "application/x-protobuf");
    evhttp_add_header(headers, "User-Agent", "quobyte-mesos");
    if (authorization != NULL && *authorization != '\0')
        evhttp_add_header(headers, "Authorization", authorization);
    if (stream_id != NULL && *stream_id != '\0')
        evhttp_add_header(headers, "Mesos-Stream-Id", stream_id);
    return request;
}

/* TLS has a state that does not survive its connection. */
static bool renew(struct link *l)
{
    struct bufferevent *bev =
        l->connection != NULL ? evhttp_connection_get_bufferevent(l->connection) : NULL;
    bool stale =
        l->network.channel != NULL && l->used && (bev == NULL || bufferevent_getfd(bev) < 0);
    if (!stale)
        return true;
    if (l->connection != NULL)
        evhttp_connection_free(l->connection);
    return open_connection(l);
}

void link_post(struct link *l, const char *path, const char *authorization, const char *stream_id,
               struct evbuffer *body)
{
    struct evhttp_request *request = renew(l) ? make_request(l, authorization, stream_id) : NULL;
    if (request == NULL) {
        l->callbacks.failed(l->userdata, "out of memory");
        return;
    }
    l->text_length = 0;
    l->text[0] = '\0';
    l->error = -1;
    l->streaming = false;
    l->used = true;
    evbuffer_add_buffer(evhttp_request_get_output_buffer(request), body);
    if (evhttp_make_request(l->connection, request, EVHTTP_REQ_POST, path) != 0)
        l->callbacks.failed(l->userdata, "cannot send");
}
