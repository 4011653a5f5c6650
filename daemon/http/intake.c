/*
 * Everything that comes in passes here before libevhtp sees it: one whole, strict head (head.h),
 * then exactly the body that it announces. What is refused here never reaches libevhtp.
 */
#include <sys/socket.h>

#include "http/server_private.h"

/* A refused client reads its answer before it meets a reset: what it still sends is thrown away. */
static void linger_input(struct bufferevent *bev, void *userdata)
{
    struct http_exchange *exchange = exchange_of(userdata);
    struct evbuffer *input = bufferevent_get_input(bev);

    exchange->drained += evbuffer_get_length(input);
    evbuffer_drain(input, evbuffer_get_length(input));
    if (exchange->drained > DRAIN_MAX)
        evhtp_connection_free(exchange->connection);
}

static void linger_written(struct bufferevent *bev, void *userdata)
{
    evhtp_connection_t *connection = userdata;

    if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        shutdown(connection->sock, SHUT_WR);
}

static void linger_event(struct bufferevent *bev, short what, void *userdata)
{
    evhtp_connection_free(userdata);
}

/* Answers without libevhtp, which never saw the request. */
static void refuse(struct http_exchange *exchange, int status, const char *problem)
{
    struct bufferevent *bev = exchange->connection->bev;
    struct timeval limit = {.tv_sec = LINGER_S};
    const char *words = status == 413   ? "Content Too Large"
                        : status == 414 ? "URI Too Long"
                        : status == 431 ? "Request Header Fields Too Large"
                                        : "Bad Request";

    exchange->answered = true;
    evtimer_add(exchange->deadline, &limit);
    evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
    bufferevent_setcb(bev, linger_input, linger_written, linger_event, exchange->connection);
    evbuffer_add_printf(bufferevent_get_output(bev),
                        "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\nCache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s\n",
                        status, words, strlen(problem) + 1, problem);
}

/* Waits for a whole head. True when there is one that libevhtp may see. */
static bool take_head(struct http_exchange *exchange, struct evbuffer *input)
{
    size_t length = evbuffer_get_length(input);
    const char *bytes = (const char *)evbuffer_pullup(input, -1);
    int status;

    if (!bytes)
        return false; /* out of memory: the deadline ends it */
    status = http_head_check(bytes, length, &exchange->head);
    if (status == 0 && exchange->head.body_length > DRAIN_MAX) {
        status = 413;
        exchange->head.problem = "the body is far too long";
    }
    if (status > 0)
        refuse(exchange, status, exchange->head.problem);
    if (status != 0)
        return false;
    exchange->has_head = true;
    exchange->expected = exchange->head.length + exchange->head.body_length;
    return true;
}

/* In place of libevhtp's own callback, whose argument it shares. */
static void take_input(struct bufferevent *bev, void *userdata)
{
    struct http_exchange *exchange = exchange_of(userdata);
    struct evbuffer *input = bufferevent_get_input(bev), *surplus;

    if (!exchange->has_head && !take_head(exchange, input))
        return;
    /* A further request on this connection is not served; libevhtp need not stumble over it. */
    if (evbuffer_get_length(input) > exchange->expected) {
        surplus = evbuffer_new();
        if (!surplus) {
            evhtp_connection_free(exchange->connection);
            return;
        }
        evbuffer_add_buffer(surplus, input);
        evbuffer_unfreeze(input, 0); /* libevent keeps it shut but for its own reads */
        evbuffer_remove_buffer(surplus, input, (size_t)exchange->expected);
        if (!exchange->connection->ssl)
            evbuffer_freeze(input, 0);
        evbuffer_free(surplus);
    }
    exchange->expected -= evbuffer_get_length(input);
    if (evbuffer_get_length(input))
        exchange->library_input(bev, exchange->connection);
}

void intake_begin(struct http_exchange *exchange)
{
    struct bufferevent *bev = exchange->connection->bev;
    bufferevent_data_cb output;
    bufferevent_event_cb event;
    void *argument;

    bufferevent_getcb(bev, &exchange->library_input, &output, &event, &argument);
    bufferevent_setcb(bev, take_input, output, event, argument);
}
