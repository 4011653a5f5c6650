/*
 * Answers: heads, complete bodies and chunked streams. The order of the headers is the one that a
 * Mesos 1.11 master was seen to send.
 */
#include "http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *sim_http_reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    case 307:
        return "Temporary Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 409:
        return "Conflict";
    case 415:
        return "Unsupported Media Type";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "";
    }
}

static void write_head(struct evbuffer *out, int status, const struct sim_http_extra_header *extra)
{
    time_t now = time(NULL);
    struct tm tm;
    char date[64];

    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, sim_http_reason(status),
                        date);
    for (; extra && extra->name; extra++)
        evbuffer_add_printf(out, "%s: %s\r\n", extra->name, extra->value);
}

void sim_http_respond(struct sim_http_exchange *exchange, int status,
                      const struct sim_http_extra_header *extra, const char *content_type,
                      const void *body, size_t size)
{
    struct evbuffer *out = bufferevent_get_output(exchange->connection->bev);
    bool json = content_type && !strcmp(content_type, "application/json");

    exchange->answered = true;
    write_head(out, status, extra);
    if (content_type && !json)
        evbuffer_add_printf(out, "Content-Type: %s\r\n", content_type);
    evbuffer_add_printf(out, "Content-Length: %zu\r\n", size);
    if (json)
        evbuffer_add_printf(out, "Content-Type: %s\r\n", content_type);
    evbuffer_add(out, "\r\n", 2);
    if (size > 0)
        evbuffer_add(out, body, size);
}

void sim_http_respond_text(struct sim_http_exchange *exchange, int status, const char *text)
{
    if (!text || !*text)
        sim_http_respond(exchange, status, NULL, NULL, NULL, 0);
    else
        sim_http_respond(exchange, status, NULL, "text/plain; charset=utf-8", text, strlen(text));
}

void sim_http_abort(struct sim_http_exchange *exchange)
{
    exchange->answered = true;
    exchange->connection->aborted = true;
}

/* ---- streams ---- */

struct sim_http_stream *sim_http_stream_begin(struct sim_http_exchange *exchange, uint64_t number,
                                              const struct sim_http_extra_header *extra)
{
    struct sim_http_connection *connection = exchange->connection;
    struct evbuffer *out = bufferevent_get_output(connection->bev);
    struct sim_http_stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        sim_http_abort(exchange);
        return NULL;
    }
    stream->number = number;
    stream->next = connection->streams;
    connection->streams = stream;
    exchange->answered = true;
    write_head(out, 200, NULL);
    evbuffer_add_printf(out, "Transfer-Encoding: chunked\r\n");
    for (; extra && extra->name; extra++)
        evbuffer_add_printf(out, "%s: %s\r\n", extra->name, extra->value);
    evbuffer_add(out, "\r\n", 2);
    return stream;
}

static struct sim_http_connection *find(struct sim_http_server *server, uint64_t number,
                                        struct sim_http_stream ***ret_link)
{
    struct sim_http_connection *connection = server->connections;

    for (; connection; connection = connection->next) {
        struct sim_http_stream **link = &connection->streams;

        for (; *link; link = &(*link)->next) {
            if ((*link)->number == number) {
                *ret_link = link;
                return connection;
            }
        }
    }
    return NULL;
}

void sim_http_stream_write(struct sim_http_server *server, uint64_t stream, const void *data,
                           size_t size)
{
    struct sim_http_stream **link;
    struct sim_http_connection *connection = find(server, stream, &link);
    struct evbuffer *out;

    if (!connection || size == 0) /* an empty chunk would end the body */
        return;
    out = bufferevent_get_output(connection->bev);
    evbuffer_add_printf(out, "%zx\r\n", size);
    evbuffer_add(out, data, size);
    evbuffer_add(out, "\r\n", 2);
}

void sim_http_stream_end(struct sim_http_server *server, uint64_t stream)
{
    struct sim_http_stream **link;
    struct sim_http_connection *connection = find(server, stream, &link);
    struct sim_http_stream *ended;

    if (!connection)
        return;
    ended = *link;
    *link = ended->next;
    free(ended);
    evbuffer_add(bufferevent_get_output(connection->bev), "0\r\n\r\n", 5);
}
