/*
 * Which path answers what. The master's routes are known with and without /master before them.
 */
#include "json_routes.h"
#include "face.h"
#include "json_map.h"
#include "json_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASKS_LIMIT 100

static void answer_json(struct sim_http_exchange *exchange, json_t *json)
{
    size_t size = 0;
    char *text = json_map_text(json, &size);

    json_decref(json);
    if (text)
        sim_http_respond(exchange, 200, NULL, "application/json", text, size);
    else
        sim_http_respond_text(exchange, 500, "out of memory");
    free(text);
}

static void answer_version(struct sim_http_exchange *exchange)
{
    answer_json(exchange, json_pack("{s:s, s:f, s:s, s:s}", "build_date", "2026-11-22",
                                    "build_time", 0.0, "build_user", "root", "version", "1.11.1"));
}

static size_t number_value(struct sim_http_exchange *exchange, const char *name, size_t otherwise)
{
    char *text = sim_http_query_value(exchange, name);
    char *end = NULL;
    unsigned long long number = text ? strtoull(text, &end, 10) : otherwise;

    if (text && (*text < '0' || *text > '9' || *end))
        number = otherwise;
    free(text);
    return (size_t)number;
}

static void answer_tasks(struct face *face, struct sim_http_exchange *exchange)
{
    char *framework_id = sim_http_query_value(exchange, "framework_id");
    char *task_id = sim_http_query_value(exchange, "task_id");
    char *order = sim_http_query_value(exchange, "order");
    struct json_state_task_query query = {
        .framework_id = framework_id,
        .task_id = task_id,
        .limit = number_value(exchange, "limit", TASKS_LIMIT),
        .offset = number_value(exchange, "offset", 0),
        .ascending = order && !strcmp(order, "asc"),
    };

    answer_json(exchange, json_state_tasks(face->sim, &query));
    free(framework_id);
    free(task_id);
    free(order);
}

static void answer_redirect(struct face *face, struct sim_http_exchange *exchange)
{
    struct sim_master_view view;
    char location[300];
    struct sim_http_extra_header headers[] = {{"Location", location}, {NULL, NULL}};

    sim_master_look(face->sim, &view);
    snprintf(location, sizeof(location), "//%s:%u", view.hostname, view.port);
    sim_http_respond(exchange, 307, headers, NULL, NULL, 0);
}

static void answer_filtered(struct face *face, struct sim_http_exchange *exchange,
                            json_t *(*make)(const struct sim *sim, const char *id),
                            const char *parameter)
{
    char *id = sim_http_query_value(exchange, parameter);

    answer_json(exchange, make(face->sim, id));
    free(id);
}

static bool answer_master(struct face *face, const char *route, struct sim_http_exchange *exchange)
{
    if (!strcmp(route, "/state") || !strcmp(route, "/state.json"))
        answer_json(exchange, json_state_master(face->sim));
    else if (!strcmp(route, "/slaves"))
        answer_filtered(face, exchange, json_state_agents, "slave_id");
    else if (!strcmp(route, "/frameworks"))
        answer_filtered(face, exchange, json_state_frameworks, "framework_id");
    else if (!strcmp(route, "/tasks"))
        answer_tasks(face, exchange);
    else if (!strcmp(route, "/redirect"))
        answer_redirect(face, exchange);
    else
        return false;
    return true;
}

/* Trailing slashes do not count in Mesos. */
static void copy_route(char *route, size_t size, const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    snprintf(route, size, "%.*s", (int)(length < size ? length : size - 1), path);
}

void json_routes_answer(struct face *face, int target, struct sim_http_exchange *exchange)
{
    const char *own = target == SIM_MASTER ? "/master/" : "/slave(1)/";
    char route[256];
    const char *short_route = route;

    copy_route(route, sizeof(route), sim_http_path(exchange));
    if (!strncmp(route, own, strlen(own)))
        short_route = route + strlen(own) - 1;
    if (!strcmp(short_route, "/health"))
        sim_http_respond(exchange, 200, NULL, NULL, NULL, 0);
    else if (!strcmp(route, "/version"))
        answer_version(exchange);
    else if (target == SIM_MASTER && !strcmp(route, "/metrics/snapshot"))
        answer_json(exchange, json_state_metrics(face->sim));
    else if (target != SIM_MASTER || !answer_master(face, short_route, exchange))
        sim_http_respond_text(exchange, 404, "404 Not Found.");
}
