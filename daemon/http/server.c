/*
 * The libevhtp adapter. One connection is one exchange: after its request reading stops, and
 * libevhtp closes the connection when the answer is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/server_private.h"
#include "log.h"

#define CONNECTIONS_MAX 512
#define IDLE_S          15  /* a client that neither sends nor takes anything */
#define REQUEST_S       30  /* for a whole request, however it trickles in */
#define ANSWER_S        600 /* for a whole answer */
#define ACCEPT_PAUSE_S  1   /* when out of descriptors */

struct http_server {
    struct server_callbacks callbacks;
    struct event_base *base;
    evhtp_t *htp;
    struct event *accept_again;
    unsigned n_connections;
    uint16_t port;
    TAILQ_HEAD(, http_exchange) exchanges;
};

struct http_exchange *exchange_of(evhtp_connection_t *connection)
{
    return connection->hooks->on_connection_fini_arg;
}

/* Keeps the first bytes and drains all, so that libevhtp never sees a body to take for a query. */
static evhtp_res on_read(evhtp_request_t *request, struct evbuffer *buffer, void *userdata)
{
    struct http_exchange *exchange = userdata;
    size_t length = evbuffer_get_length(buffer);

    if (exchange->body_bytes < API_BODY_MAX)
        evbuffer_copyout(buffer, exchange->body + exchange->body_bytes,
                         API_BODY_MAX - (size_t)exchange->body_bytes);
    exchange->body_bytes += length;
    evbuffer_drain(buffer, length);
    return exchange->body_bytes > DRAIN_MAX ? EVHTP_RES_ERROR : EVHTP_RES_OK;
}

/* The request that its answer was owed to is freed, mostly because the client went away. */
static evhtp_res on_request_fini(evhtp_request_t *request, void *userdata)
{
    struct http_exchange *exchange = userdata;

    if (exchange->request == request) {
        exchange->request = NULL;
        if (exchange->parked && !exchange->answered)
            exchange->server->callbacks.gone(exchange->server->callbacks.userdata, exchange);
    }
    return EVHTP_RES_OK;
}

/*
 * libevhtp closes connections with malformed requests silently. One line is tried, straight into
 * the socket, since nothing is flushed any more.
 */
static void complain(struct http_exchange *exchange)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                 "Connection: close\r\nContent-Length: 26\r\n\r\n"
                                 "not a valid HTTP request.\n";
    evhtp_connection_t *connection = exchange->connection;

    if (exchange->answered || exchange->parked || !connection->parser || connection->ssl ||
        htparser_get_error(connection->parser) == htparse_error_none)
        return;
    if (send(connection->sock, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("http: a bad request got no answer: %s", strerror(errno));
}

static evhtp_res on_connection_fini(evhtp_connection_t *connection, void *userdata)
{
    struct http_exchange *exchange = userdata;
    struct http_server *server = exchange->server;

    complain(exchange);
    /* libevhtp frees the request after this hook; the exchange is gone by then. */
    if (connection->request) {
        on_request_fini(connection->request, exchange);
        evhtp_connection_unset_hook(connection, evhtp_hook_on_request_fini);
    }
    TAILQ_REMOVE(&server->exchanges, exchange, next);
    server->n_connections--;
    event_free(exchange->deadline);
    free(exchange);
    return EVHTP_RES_OK;
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
    struct http_exchange *exchange = userdata;

    evhtp_connection_free(exchange->connection);
}

static evhtp_res on_accept(evhtp_connection_t *connection, void *userdata)
{
    struct http_server *server = userdata;
    struct http_exchange *exchange;
    struct timeval limit = {.tv_sec = REQUEST_S};

    if (server->n_connections >= CONNECTIONS_MAX)
        return EVHTP_RES_ERROR;
    exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return EVHTP_RES_ERROR;
    exchange->server = server;
    exchange->connection = connection;
    exchange->deadline = evtimer_new(server->base, on_deadline, exchange);
    if (!exchange->deadline) {
        free(exchange);
        return EVHTP_RES_ERROR;
    }
    evtimer_add(exchange->deadline, &limit);
    TAILQ_INSERT_TAIL(&server->exchanges, exchange, next);
    server->n_connections++;
    evutil_make_socket_closeonexec(connection->sock);

    evhtp_connection_set_hook(connection, evhtp_hook_on_read, (evhtp_hook)on_read, exchange);
    evhtp_connection_set_hook(connection, evhtp_hook_on_request_fini, (evhtp_hook)on_request_fini,
                              exchange);
    evhtp_connection_set_hook(connection, evhtp_hook_on_connection_fini,
                              (evhtp_hook)on_connection_fini, exchange);
    intake_begin(exchange);
    return EVHTP_RES_OK;
}

static const char *method_name(htp_method method)
{
    switch (method) {
    case htp_method_GET:
        return "GET";
    case htp_method_HEAD:
        return "HEAD";
    case htp_method_POST:
        return "POST";
    default:
        return "";
    }
}

/* Who asks, for the history of orders. */
static const char *name_peer(const evhtp_connection_t *connection, char *buffer, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    buffer[0] = '\0';
    if (getpeername(connection->sock, (struct sockaddr *)&address, &length) != 0 ||
        getnameinfo((struct sockaddr *)&address, length, buffer, (socklen_t)size, NULL, 0,
                    NI_NUMERICHOST) != 0)
        buffer[0] = '\0';
    return buffer;
}

static void on_request(evhtp_request_t *request, void *userdata)
{
    evhtp_kvs_t *headers = request->headers_in;
    evhtp_connection_t *connection = request->conn;
    struct http_exchange *exchange = exchange_of(connection);
    struct http_server *server = exchange->server;
    const evhtp_uri_t *uri = request->uri;
    struct timeval limit = {.tv_sec = ANSWER_S};
    char peer[64];
    struct http_request plain = {
        .peer = name_peer(connection, peer, sizeof(peer)),
        .method = method_name(evhtp_request_get_method(request)),
        .path = uri && uri->path && uri->path->full ? uri->path->full : "",
        .query = uri && uri->query_raw ? (const char *)uri->query_raw : "",
        .host = evhtp_header_find(headers, "Host"),
        .origin = evhtp_header_find(headers, "Origin"),
        .fetch_site = evhtp_header_find(headers, "Sec-Fetch-Site"),
        .has_length = exchange->head.has_length,
        .body_too_long = exchange->body_bytes > API_BODY_MAX,
        .body = exchange->body,
        .body_length = exchange->body_bytes > API_BODY_MAX ? 0 : (size_t)exchange->body_bytes,
    };

    if (exchange->request || exchange->answered)
        return;
    /* One request a connection: nothing more is read, so a half-closed client gets its answer. */
    request->flags &= (uint16_t)~EVHTP_REQ_FLAG_KEEPALIVE;
    bufferevent_disable(connection->bev, EV_READ);
    evtimer_add(exchange->deadline, &limit);
    exchange->request = request;
    server->callbacks.handler(server->callbacks.userdata, exchange, &plain);
}

void exchange_park(struct http_exchange *exchange)
{
    exchange->parked = true;
}

static void add_header(evhtp_request_t *request, const char *name, const char *value)
{
    evhtp_header_t *header = evhtp_header_new(name, value, 1, 1);

    if (header)
        evhtp_headers_add_header(request->headers_out, header);
}

/* Opens a file to serve; -1 when it cannot be. */
static int open_file(const char *path, off_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        log_warning("http: cannot serve %s: %s", path, strerror(errno));
    else
        *length = st.st_size;
    return fd;
}

void server_answer(struct http_exchange *exchange, const struct http_response *response)
{
    static const char no_file[] = "the file is not there\n";
    evhtp_request_t *request = exchange->request;
    bool head = evhtp_request_get_method(request) == htp_method_HEAD;
    off_t length = (off_t)response->length;
    int status = response->status, fd = -1;
    const char *type = response->content_type, *body = response->body;
    char number[32];

    if (response->file && (fd = open_file(response->file, &length)) < 0) {
        status = 404;
        type = "text/plain; charset=utf-8";
        body = no_file;
        length = sizeof(no_file) - 1;
    }
    snprintf(number, sizeof(number), "%lld", (long long)length);
    add_header(request, "Content-Type", type);
    add_header(request, "Content-Length", number);
    add_header(request, "Cache-Control", "no-store");
    add_header(request, "X-Content-Type-Options", "nosniff");
    if (response->allow)
        add_header(request, "Allow", response->allow);
    if (response->policy) {
        add_header(request, "Content-Security-Policy", response->policy);
        add_header(request, "Referrer-Policy", "no-referrer");
    }
    if (fd >= 0 && !head && length > 0 &&
        evbuffer_add_file(request->buffer_out, fd, 0, length) == 0)
        fd = -1; /* the buffer closes it */
    else if (fd < 0 && !head && length > 0)
        evbuffer_add(request->buffer_out, body, (size_t)length);
    if (fd >= 0)
        close(fd);

    exchange->answered = true;
    exchange->request = NULL;
    evhtp_send_reply(request, (evhtp_res)status);
}

static void accept_again(evutil_socket_t fd, short what, void *userdata)
{
    struct http_server *server = userdata;

    evconnlistener_enable(server->htp->server);
}

/* Out of descriptors, mostly: the listener would spin until there are some again. */
static void on_accept_error(struct evconnlistener *listener, void *userdata)
{
    struct http_server *server = ((evhtp_t *)userdata)->arg;
    struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};

    log_warning("http: cannot accept a connection: %s",
                evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(listener);
    evtimer_add(server->accept_again, &pause);
}

/* A listening socket for libevhtp, whose own way of making one loses the reason of a failure. */
static int listen_on(struct http_server *server, const char *address, uint16_t port, char *error,
                     size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    struct addrinfo *info = NULL;
    struct sockaddr_storage bound;
    socklen_t bound_length = sizeof(bound);
    char service[8];
    int fd = -1, on = 1, r;

    if (strcmp(address, "localhost") == 0)
        address = "127.0.0.1";
    snprintf(service, sizeof(service), "%u", port);
    r = getaddrinfo(*address ? address : "0.0.0.0", service, &hints, &info);
    if (r != 0) {
        snprintf(error, size, "cannot listen on '%.100s': not a numeric address", address);
        return -EINVAL;
    }
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &bound_length) != 0 ||
        evhtp_accept_socket(server->htp, fd, 128) != 0) {
        r = errno ? -errno : -EIO;
        snprintf(error, size, "cannot listen on %s port %u: %s", *address ? address : "0.0.0.0",
                 port, strerror(-r));
        if (fd >= 0)
            close(fd);
        freeaddrinfo(info);
        return r;
    }
    freeaddrinfo(info);
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                     : ((struct sockaddr_in *)&bound)->sin_port);
    evconnlistener_set_error_cb(server->htp->server, on_accept_error);
    return 0;
}

int server_new(struct http_server **server, struct event_base *base, const char *address,
               uint16_t port, const struct server_callbacks *callbacks, char *error, size_t size)
{
    struct timeval idle = {.tv_sec = IDLE_S};
    struct http_server *self = calloc(1, sizeof(*self));
    int r = -ENOMEM;

    snprintf(error, size, "out of memory");
    if (!self)
        return r;
    TAILQ_INIT(&self->exchanges);
    self->callbacks = *callbacks;
    self->base = base;
    self->accept_again = evtimer_new(base, accept_again, self);
    self->htp = evhtp_new(base, self);
    if (self->accept_again && self->htp) {
        /* A client that closes while it is written to must not end the daemon. */
        signal(SIGPIPE, SIG_IGN);
        evhtp_set_gencb(self->htp, on_request, self);
        evhtp_set_post_accept_cb(self->htp, on_accept, self);
        /* Without deferred callbacks, which would hold connections beyond server_free(). */
        evhtp_set_bev_flags(self->htp, BEV_OPT_CLOSE_ON_FREE);
        evhtp_set_timeouts(self->htp, &idle, &idle);
        evhtp_set_parser_flags(self->htp, EVHTP_PARSE_QUERY_FLAG_LENIENT |
                                              EVHTP_PARSE_QUERY_FLAG_IGNORE_FRAGMENTS);
        r = listen_on(self, address, port, error, size);
    }
    if (r != 0) {
        server_free(self);
        return r;
    }
    *server = self;
    return 0;
}

uint16_t server_port(const struct http_server *server)
{
    return server->port;
}

struct http_server *server_free(struct http_server *server)
{
    struct http_exchange *exchange;

    if (!server)
        return NULL;
    while ((exchange = TAILQ_FIRST(&server->exchanges))) {
        exchange->answered = true; /* neither gone() nor a complaint */
        evhtp_connection_free(exchange->connection);
    }
    if (server->htp) {
        evhtp_unbind_socket(server->htp); /* evhtp_free() leaves the listener */
        evhtp_free(server->htp);
    }
    if (server->accept_again)
        event_free(server->accept_again);
    free(server);
    return NULL;
}
