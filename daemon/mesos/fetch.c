/*
 * One GET over a short connection of its own.
 */
#include "mesos/fetch.h"

#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "mesos/session.h"
#include "mesos/transport.h"

#define SILENCE_S 20
#define BODY_MAX  (256 * 1024 * 1024) /* /state of a very big cluster */

struct fetch {
    struct link_network network;
    struct evhttp_connection *connection;
    fetch_done_fn done;
    void *userdata;
};

static void on_done(struct evhttp_request *request, void *userdata)
{
    struct fetch *f = userdata;
    struct fetch_answer answer = {.why = "", .data = ""};
    char line[320];
    if (request != NULL)
        answer.status = evhttp_request_get_response_code(request);
    if (answer.status != 0) {
        struct evbuffer *body = evhttp_request_get_input_buffer(request);
        const unsigned char *data = evbuffer_pullup(body, -1);
        if (data != NULL) {
            answer.data = (const char *)data;
            answer.length = evbuffer_get_length(body);
        }
        answer.location = evhttp_find_header(evhttp_request_get_input_headers(request), "Location");
    } else {
        const char *otherwise = request != NULL ? "cannot connect" : "connection broken";
        answer.why = link_trouble(&f->network, f->connection, otherwise, line, sizeof line);
    }
    f->done(f->userdata, &answer);
}

struct fetch *fetch_new(const struct link_network *network, const char *host, uint16_t port,
                        const char *path, const char *authorization, fetch_done_fn done,
                        void *userdata)
{
    struct timeval silence = {SILENCE_S, 0};
    char host_header[SESSION_HOST_MAX + 16];
    struct fetch *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->network = *network;
    f->done = done;
    f->userdata = userdata;
    f->connection = link_connection(network, host, port);
    struct evhttp_request *request = evhttp_request_new(on_done, f);
    if (f->connection == NULL || request == NULL) {
        if (request != NULL)
            evhttp_request_free(request);
        fetch_free(f);
        return NULL;
    }
    evhttp_connection_set_timeout_tv(f->connection, &silence);
    evhttp_connection_set_max_body_size(f->connection, BODY_MAX);
    transport_host_header(host, port, host_header, sizeof host_header);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", host_header);
    evhttp_add_header(headers, "Accept", "application/json");
    evhttp_add_header(headers, "User-Agent", "quobyte-mesos");
    evhttp_add_header(headers, "Connection", "close");
    if (authorization != NULL && *authorization != '\0')
        evhttp_add_header(headers, "Authorization", authorization);
    if (evhttp_make_request(f->connection, request, EVHTTP_REQ_GET, path) != 0) {
        fetch_free(f);
        return NULL;
    }
    return f;
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    if (f->connection != NULL)
        evhttp_connection_free(f->connection);
    free(f);
}
