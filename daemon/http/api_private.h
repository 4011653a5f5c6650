/* What the rooms of the API share: making responses, text and JSON. */
#ifndef DAEMON_HTTP_API_PRIVATE_H
#define DAEMON_HTTP_API_PRIVATE_H

#include <stdio.h>

#include <jansson.h>

#include <quobyte-mesos.h>

#include "http/api.h"

/* One request with the present state of everything that answers are made from. */
struct api_call {
    const struct api_context *context;
    const struct http_request *request;
    const struct qm_planner *planner;
    struct front_status status;
    struct http_response *response;
};

/** answer_text() - a line of text/plain, as it is. */
void answer_text(struct http_response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** answer_error() - one line: text, or {"error","message"} where the route speaks JSON. */
void answer_error(struct api_call *call, bool json, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** answer_json() - takes @value over; NULL means that memory ran out. */
void answer_json(struct http_response *response, int status, json_t *value);

/** answer_page() - takes a body made with open_memstream() over. */
void answer_page(struct http_response *response, int status, const char *content_type, char *body,
                 size_t length);

/** query_has() - is this word a parameter of the query: "verbose", "verbose=", "verbose=1". */
bool query_has(const char *query, const char *name);

/* Routes. */
void api_version_get(struct api_call *call);
void api_version_post(struct api_call *call);
void api_health(struct api_call *call);
void api_dashboard(struct api_call *call);
void api_plan(struct api_call *call);
void api_hosts(struct api_call *call);
void api_services(struct api_call *call);
void api_tasks(struct api_call *call);
void api_offers(struct api_call *call);
void api_state(struct api_call *call);
void api_config(struct api_call *call);
/** api_is_order(), api_is_safe_to_stop() - does this path name one (orders.c)? */
bool api_is_order(const char *path);
void api_order_post(struct api_call *call);
bool api_is_safe_to_stop(const char *path);
void api_safe_to_stop(struct api_call *call);
void api_prober(struct api_call *call);

/** json_string_lossy() - a string of any bytes: what is not UTF-8 becomes "?". */
json_t *json_string_lossy(const char *text);

#endif
