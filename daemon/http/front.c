/* Joins server and API: parks answers that wait for a save, until it is saved or too late. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "http/front.h"
#include "http/server.h"

#define SAVE_WAIT_S 10

struct waiting {
    struct front *front;
    struct http_exchange *exchange;
    struct http_response response;
    struct event *late;
    TAILQ_ENTRY(waiting) next;
};

struct front {
    struct event_base *base;
    struct front_options options;
    struct front_callbacks callbacks;
    struct http_server *server;
    TAILQ_HEAD(, waiting) waiting;
};

static void waiting_free(struct waiting *waiting)
{
    TAILQ_REMOVE(&waiting->front->waiting, waiting, next);
    event_free(waiting->late);
    http_response_deinit(&waiting->response);
    free(waiting);
}

static void on_late(evutil_socket_t fd, short what, void *userdata)
{
    struct waiting *waiting = userdata;

    api_late(&waiting->response);
    server_answer(waiting->exchange, &waiting->response);
    waiting_free(waiting);
}

static bool park(struct front *front, struct http_exchange *exchange,
                 struct http_response *response)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    struct timeval limit = {.tv_sec = SAVE_WAIT_S};

    if (!waiting)
        return false;
    waiting->front = front;
    waiting->exchange = exchange;
    waiting->response = *response;
    waiting->late = evtimer_new(front->base, on_late, waiting);
    if (!waiting->late) {
        free(waiting);
        return false;
    }
    evtimer_add(waiting->late, &limit);
    TAILQ_INSERT_TAIL(&front->waiting, waiting, next);
    exchange_park(exchange);
    return true;
}

static void on_request(void *userdata, struct http_exchange *exchange,
                       const struct http_request *request)
{
    struct front *front = userdata;
    struct api_context context = {.options = &front->options, .callbacks = &front->callbacks};
    const struct qm_planner *planner;
    struct http_response response;

    api_handle(&context, request, &response);
    if (response.wait_revision) {
        planner = front->callbacks.planner(front->callbacks.userdata);
        if (qm_planner_saved_revision(planner) < response.wait_revision) {
            if (park(front, exchange, &response))
                return;
            api_late(&response);
        }
    }
    server_answer(exchange, &response);
    http_response_deinit(&response);
}

static void on_gone(void *userdata, struct http_exchange *exchange)
{
    struct front *front = userdata;
    struct waiting *waiting;

    TAILQ_FOREACH (waiting, &front->waiting, next) {
        if (waiting->exchange == exchange) {
            waiting_free(waiting);
            return;
        }
    }
}

void front_saved(struct front *front, uint64_t revision)
{
    struct waiting *waiting = TAILQ_FIRST(&front->waiting), *next;

    for (; waiting; waiting = next) {
        next = TAILQ_NEXT(waiting, next);
        if (waiting->response.wait_revision > revision)
            continue;
        server_answer(waiting->exchange, &waiting->response);
        waiting_free(waiting);
    }
}

uint16_t front_port(const struct front *front)
{
    return server_port(front->server);
}

int front_new(struct front **front, struct event_base *base, const struct front_options *options,
              const struct front_callbacks *callbacks, char *error, size_t size)
{
    struct front *self = calloc(1, sizeof(*self));
    struct server_callbacks server_callbacks = {
        .handler = on_request, .gone = on_gone, .userdata = self};
    const char *prober = options->prober_path ? options->prober_path : "";
    const char *address = options->bind ? options->bind : "";
    int r = -ENOMEM;

    snprintf(error, size, "out of memory");
    if (!self)
        return r;
    TAILQ_INIT(&self->waiting);
    self->base = base;
    self->callbacks = *callbacks;
    self->options = (struct front_options){
        .bind = strdup(address),
        .port = options->port,
        .prober_path = strdup(prober),
        .deployment = strdup(options->deployment ? options->deployment : ""),
    };
    if (self->options.bind && self->options.prober_path && self->options.deployment)
        r = server_new(&self->server, base, address, options->port, &server_callbacks, error, size);
    if (r != 0) {
        front_free(self);
        return r;
    }
    *front = self;
    return 0;
}

struct front *front_free(struct front *front)
{
    if (!front)
        return NULL;
    while (!TAILQ_EMPTY(&front->waiting))
        waiting_free(TAILQ_FIRST(&front->waiting));
    server_free(front->server);
    free((char *)front->options.bind);
    free((char *)front->options.prober_path);
    free((char *)front->options.deployment);
    free(front);
    return NULL;
}
