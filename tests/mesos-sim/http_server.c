/*
 * The listener and its connections: bytes in through http-parser, a handler call for each complete
 * request.
 */
#include "http_private.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* ---- the end of a connection ---- */

static void connection_free(struct sim_http_connection *connection)
{
    struct sim_http_connection **at = &connection->server->connections;
    struct sim_http_stream *stream;

    while (*at && *at != connection)
        at = &(*at)->next;
    if (*at)
        *at = connection->next;
    while ((stream = connection->streams)) {
        connection->streams = stream->next;
        free(stream);
    }
    if (connection->orderly && connection->server->hooks.tls)
        tls_say_end(connection->bev);
    bufferevent_free(connection->bev);
    sim_http_request_clear(&connection->exchange);
    free(connection);
}

/* All that was written has gone out (a stream that is still open keeps its connection, though). */
static void on_sent(struct bufferevent *bev, void *userdata)
{
    struct sim_http_connection *connection = userdata;

    if (connection->close_when_sent && !connection->streams)
        connection_free(connection);
}

static void on_event(struct bufferevent *bev, short events, void *userdata)
{
    struct sim_http_connection *connection = userdata;
    struct sim_http_server *server = connection->server;
    uint64_t number = connection->number;

    if (!(events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))) /* a half-closed client is gone, too */
        return;
    connection_free(connection);
    if (server->hooks.closed)
        server->hooks.closed(server->userdata, number);
}

/* The caller may be in the middle of this connection's request, so closing is left to the loop. */
static void hang_up(struct sim_http_connection *connection)
{
    struct sim_http_stream *stream;

    while ((stream = connection->streams)) {
        connection->streams = stream->next;
        free(stream);
    }
    connection->close_when_sent = true;
    if (evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0)
        bufferevent_trigger(connection->bev, EV_WRITE,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void sim_http_hang_up(struct sim_http_server *server, uint64_t number)
{
    struct sim_http_connection *connection = server->connections;

    while (connection && connection->number != number)
        connection = connection->next;
    if (connection)
        hang_up(connection);
}

void sim_http_hang_up_all(struct sim_http_server *server)
{
    struct sim_http_connection *connection;

    for (connection = server->connections; connection; connection = connection->next)
        hang_up(connection);
}

/* ---- requests ---- */

static bool is_libprocess(struct sim_http_exchange *exchange)
{
    const char *agent = sim_http_header(exchange, "User-Agent");

    return (agent && !strncmp(agent, "libprocess/", 11)) ||
           sim_http_header(exchange, "Libprocess-From");
}

static int on_message_begin(http_parser *parser)
{
    struct sim_http_connection *connection = parser->data;

    return sim_http_request_begin(&connection->exchange);
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct sim_http_connection *connection = parser->data;

    return sim_http_request_url(&connection->exchange, at, length);
}

static int on_field(http_parser *parser, const char *at, size_t length)
{
    struct sim_http_connection *connection = parser->data;

    if (parser->flags & F_TRAILING)
        connection->exchange.trailer = true;
    return sim_http_request_field(&connection->exchange, at, length);
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    struct sim_http_connection *connection = parser->data;

    return sim_http_request_value(&connection->exchange, at, length);
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct sim_http_connection *connection = parser->data;
    struct evbuffer *body = connection->exchange.body;

    if (evbuffer_get_length(body) + length > SIM_HTTP_BODY_MAX)
        return -1;
    return evbuffer_add(body, at, length);
}

static int on_message_complete(http_parser *parser)
{
    struct sim_http_connection *connection = parser->data;
    struct sim_http_exchange *exchange = &connection->exchange;
    bool keep_alive = http_should_keep_alive(parser);

    exchange->method = http_method_str(parser->method);
    if (sim_http_request_split_url(exchange) < 0)
        return -1;
    if (exchange->trailer)
        sim_http_respond_text(exchange, 500, "failed to decode body");
    else if (is_libprocess(exchange)) /* taken for a message between Mesos' own processes */
        sim_http_respond_text(exchange, 404, "404 Not Found.");
    else
        connection->server->hooks.request(connection->server->userdata, exchange);
    if (!exchange->answered)
        sim_http_abort(exchange);
    if (!keep_alive)
        connection->close_when_sent = connection->orderly = true;
    return connection->aborted ? -1 : 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Everything that has come is parsed at once; what cannot be parsed closes the connection without
 * an answer. After the last request of a connection nothing is read any more. */
static void on_readable(struct bufferevent *bev, void *userdata)
{
    struct sim_http_connection *connection = userdata;
    struct evbuffer *in = bufferevent_get_input(bev);
    bool broken = false;

    while (!broken && !connection->close_when_sent && evbuffer_get_length(in) > 0) {
        size_t size = evbuffer_get_contiguous_space(in);
        const char *data = (const char *)evbuffer_pullup(in, (ev_ssize_t)size);
        size_t parsed = http_parser_execute(&connection->parser, &parser_settings, data, size);

        broken = connection->aborted ||
                 (!connection->close_when_sent && (parsed != size || connection->parser.upgrade));
        evbuffer_drain(in, size);
    }
    evbuffer_drain(in, evbuffer_get_length(in));
    if (broken) {
        struct sim_http_server *server = connection->server;
        uint64_t number = connection->number;

        /* Answers to what came before the garbage still go out. */
        if (!connection->aborted &&
            evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0)
            hang_up(connection);
        else
            connection_free(connection);
        if (server->hooks.closed)
            server->hooks.closed(server->userdata, number);
    }
}

/* ---- the listener ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int length, void *userdata)
{
    struct sim_http_server *server = userdata;
    static uint64_t last_number;
    struct sim_http_connection *connection = calloc(1, sizeof(*connection));
    int on = 1;

    if (connection)
        connection->bev = server->hooks.tls
                              ? tls_accept(server->hooks.tls, server->base, fd)
                              : bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection || !connection->bev) {
        free(connection);
        evutil_closesocket(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->number = ++last_number << 16 | server->hooks.number;
    connection->server = server;
    connection->exchange.connection = connection;
    connection->parser.data = connection;
    http_parser_init(&connection->parser, HTTP_REQUEST);
    connection->next = server->connections;
    server->connections = connection;
    bufferevent_setcb(connection->bev, on_readable, on_sent, on_event, connection);
    bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
}

static int start(struct sim_http_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(server->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);

    errno = 0;
    server->listener =
        evconnlistener_new_bind(server->base, on_accept, server,
                                LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                128, (struct sockaddr *)&address, sizeof(address));
    if (!server->listener)
        return errno > 0 ? -errno : -EADDRINUSE;
    if (getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address, &length) <
        0)
        return -errno;
    server->port = ntohs(address.sin_port);
    return 0;
}

int sim_http_server_listen(struct sim_http_server *server, bool on)
{
    if (on)
        return server->listener ? 0 : start(server);
    if (server->listener)
        evconnlistener_free(server->listener);
    server->listener = NULL;
    return 0;
}

int sim_http_server_new(struct sim_http_server **ret, struct event_base *base, uint16_t port,
                        const struct sim_http_hooks *hooks, void *userdata)
{
    struct sim_http_server *server = calloc(1, sizeof(*server));
    int r;

    if (!server)
        return -ENOMEM;
    server->base = base;
    server->port = port;
    server->hooks = *hooks;
    server->userdata = userdata;
    r = start(server);
    if (r < 0) {
        sim_http_server_free(server);
        return r;
    }
    *ret = server;
    return 0;
}

struct sim_http_server *sim_http_server_free(struct sim_http_server *server)
{
    if (!server)
        return NULL;
    sim_http_server_listen(server, false);
    while (server->connections)
        connection_free(server->connections);
    free(server);
    return NULL;
}

uint16_t sim_http_server_number(uint64_t connection)
{
    return connection & UINT16_MAX;
}

uint16_t sim_http_server_port(const struct sim_http_server *server)
{
    return server->port;
}
