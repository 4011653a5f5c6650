/*
 * Calls of POST /api/v1 by their type; the maintenance schedule; /teardown. Texts are those of
 * Mesos 1.11. Protobuf bodies are refused: their message is not among those that we have.
 */
#include "operator_routes.h"
#include "face.h"
#include "json_map.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_S 15.0
/* Streams of the core count from 1. */
#define FIRST_STREAM (UINT64_C(1) << 62)

struct call {
    struct face *face;
    struct sim_http_exchange *exchange;
    const char *type;
    const json_t *body; /* the part that belongs to the type */
};

static void refuse(struct sim_http_exchange *exchange, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct sim_http_exchange *exchange, int status, const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sim_http_respond_text(exchange, status, text);
}

static void done(struct sim_http_exchange *exchange)
{
    sim_http_respond(exchange, 200, NULL, NULL, NULL, 0);
}

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

/* {"type": TYPE, NAME: part} */
static void answer_part(const struct call *call, const char *name, json_t *part)
{
    answer_json(call->exchange, json_pack("{s:s, s:o}", "type", call->type, name, part));
}

/* ---- questions ---- */

static json_t *time_info(int64_t ms)
{
    return json_pack("{s:I}", "nanoseconds", (json_int_t)ms * 1000000);
}

static json_t *agents_json(const struct sim *sim)
{
    json_t *agents = json_array();
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;
        json_t *json;

        sim_agent_look(sim, agent, &view);
        json = json_pack("{s:o, s:b, s:b, s:s, s:s, s:o}", "agent_info",
                         json_map_from_message(&view.info->base), "active", view.active,
                         "deactivated", view.deactivated, "version", "1.11.1", "pid", view.pid,
                         "registered_time", time_info(view.registered_ms));
        if (view.reregistered_ms > 0)
            json_object_set_new(json, "reregistered_time", time_info(view.reregistered_ms));
        if (view.drain_state)
            json_object_set_new(json, "drain_info", json_pack("{s:s}", "state", view.drain_state));
        json_array_append_new(agents, json);
    }
    return json_pack("{s:o}", "agents", agents);
}

static json_t *frameworks_json(const struct sim *sim)
{
    json_t *frameworks = json_array();
    const struct sim_framework *framework = NULL;

    while ((framework = sim_framework_next(sim, false, framework))) {
        struct sim_framework_view view;

        sim_framework_look(sim, framework, &view);
        json_array_append_new(
            frameworks, json_pack("{s:o, s:b, s:b, s:b, s:o}", "framework_info",
                                  json_map_from_message(&view.info->base), "active", view.active,
                                  "connected", view.connected, "recovered", view.recovered,
                                  "registered_time", time_info(view.registered_ms)));
    }
    return json_pack("{s:o}", "frameworks", frameworks);
}

static void get_health(const struct call *call)
{
    answer_part(call, "get_health", json_pack("{s:b}", "healthy", 1));
}

static void get_version(const struct call *call)
{
    answer_part(call, "get_version",
                json_pack("{s:{s:s, s:s, s:f, s:s}}", "version_info", "version", "1.11.1",
                          "build_date", "2026-11-22", "build_time", 0.0, "build_user", "root"));
}

static void get_agents(const struct call *call)
{
    answer_part(call, "get_agents", agents_json(call->face->sim));
}

static void get_frameworks(const struct call *call)
{
    answer_part(call, "get_frameworks", frameworks_json(call->face->sim));
}

/* One record, as RecordIO frames it; takes the reference. */
static void write_record(struct face *face, uint64_t connection, uint64_t stream, json_t *json)
{
    struct sim_http_server *server = face->targets[sim_http_server_number(connection)].server;
    size_t size = 0;
    char *text = json_map_text(json, &size);
    char *record = NULL;
    int n = text ? asprintf(&record, "%zu\n%s", size, text) : -1;

    if (n > 0)
        sim_http_stream_write(server, stream, record, (size_t)n);
    if (n >= 0)
        free(record);
    free(text);
    json_decref(json);
}

/* The stream begins as a real one does; then nothing more is said on it. */
static void subscribe(const struct call *call)
{
    static uint64_t last = FIRST_STREAM;
    static const struct sim_http_extra_header headers[] = {{"Content-Type", "application/json"},
                                                           {NULL, NULL}};
    const struct sim *sim = call->face->sim;
    uint64_t connection = sim_http_connection_number(call->exchange);
    uint64_t stream = ++last;

    if (!sim_http_stream_begin(call->exchange, stream, headers))
        return;
    write_record(call->face, connection, stream,
                 json_pack("{s:s, s:{s:{s:{}, s:{}, s:o, s:o}, s:f}}", "type", "SUBSCRIBED",
                           "subscribed", "get_state", "get_tasks", "get_executors",
                           "get_frameworks", frameworks_json(sim), "get_agents", agents_json(sim),
                           "heartbeat_interval_seconds", HEARTBEAT_S));
    write_record(call->face, connection, stream, json_pack("{s:s}", "type", "HEARTBEAT"));
}

/* ---- orders ---- */

/* The place in the cluster of the agent that a call names; -1: there is none. */
static int agent_of(const struct call *call, const char **ret_id)
{
    const struct sim *sim = call->face->sim;
    const struct sim_agent *agent;

    *ret_id = json_string_value(json_object_get(json_object_get(call->body, "agent_id"), "value"));
    for (int list = SIM_AGENTS_REGISTERED; *ret_id && list <= SIM_AGENTS_UNREACHABLE; list++) {
        for (agent = NULL; (agent = sim_agent_next(sim, (enum sim_agent_list)list, agent));) {
            struct sim_agent_view view;

            sim_agent_look(sim, agent, &view);
            if (!strcmp(view.id, *ret_id))
                return (int)view.index;
        }
    }
    return -1;
}

static void drain_agent(const struct call *call)
{
    const char *id;
    int agent = agent_of(call, &id);
    const json_t *period = json_object_get(call->body, "max_grace_period");
    double grace_ms = json_number_value(json_object_get(period, "seconds")) * 1000 +
                      (double)json_integer_value(json_object_get(period, "nanos")) / 1000000;

    if (agent < 0)
        refuse(call->exchange, 400, "Unknown agent");
    else if (!(grace_ms >= 0 && grace_ms < 1e15))
        refuse(call->exchange, 400,
               "Failed to validate master::Call: 'max_grace_period' is invalid");
    else if (sim_agent_drain(call->face->sim, (size_t)agent, period ? (int64_t)grace_ms : -1,
                             json_is_true(json_object_get(call->body, "mark_gone"))) < 0)
        refuse(call->exchange, 409, "Agent is currently being marked gone");
    else
        done(call->exchange);
}

static void deactivate_agent(const struct call *call)
{
    const char *id;
    int agent = agent_of(call, &id);

    if (agent < 0 || sim_agent_deactivate(call->face->sim, (size_t)agent) < 0)
        refuse(call->exchange, 400, "Unknown agent");
    else
        done(call->exchange);
}

static void reactivate_agent(const struct call *call)
{
    const char *id;
    int agent = agent_of(call, &id);
    int r = agent < 0 ? -ENOENT : sim_agent_reactivate(call->face->sim, (size_t)agent);

    if (r == -EINVAL)
        refuse(call->exchange, 409, "Agent is still in the DRAINING state");
    else if (r < 0)
        refuse(call->exchange, 400, "Unknown agent");
    else
        done(call->exchange);
}

static void mark_agent_gone(const struct call *call)
{
    const char *id;
    int agent = agent_of(call, &id);

    if (agent < 0)
        refuse(call->exchange, 404, "Agent '%.200s' not found", id ? id : "");
    else if (sim_agent_gone(call->face->sim, (size_t)agent) < 0)
        refuse(call->exchange, 500, "Failed to mark agent gone");
    else
        done(call->exchange);
}

static void teardown(const struct call *call)
{
    const char *id =
        json_string_value(json_object_get(json_object_get(call->body, "framework_id"), "value"));

    if (!id || sim_framework_teardown(call->face->sim, id) < 0)
        refuse(call->exchange, 400, "No framework found with specified ID");
    else
        done(call->exchange);
}

/* ---- calls ---- */

static const struct {
    const char *type;
    const char *part; /* the field that it needs, or NULL */
    void (*perform)(const struct call *call);
} calls[] = {
    {"GET_HEALTH", NULL, get_health},
    {"GET_VERSION", NULL, get_version},
    {"GET_AGENTS", NULL, get_agents},
    {"GET_FRAMEWORKS", NULL, get_frameworks},
    {"SUBSCRIBE", NULL, subscribe},
    {"TEARDOWN", "teardown", teardown},
    {"MARK_AGENT_GONE", "mark_agent_gone", mark_agent_gone},
    {"DRAIN_AGENT", "drain_agent", drain_agent},
    {"DEACTIVATE_AGENT", "deactivate_agent", deactivate_agent},
    {"REACTIVATE_AGENT", "reactivate_agent", reactivate_agent},
};

static void perform(struct face *face, struct sim_http_exchange *exchange, const json_t *json)
{
    const char *accept = sim_http_header(exchange, "Accept");
    struct call call = {
        .face = face,
        .exchange = exchange,
        .type = json_string_value(json_object_get(json, "type")),
    };

    for (size_t i = 0; call.type && i < sizeof(calls) / sizeof(*calls); i++) {
        if (strcmp(calls[i].type, call.type))
            continue;
        call.body = calls[i].part ? json_object_get(json, calls[i].part) : NULL;
        if (calls[i].part && !json_is_object(call.body))
            refuse(exchange, 400, "Failed to validate master::Call: Expecting '%s' to be present",
                   calls[i].part);
        else if (accept && !strstr(accept, "json") && !strstr(accept, "*/*"))
            refuse(exchange, 406,
                   "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
        else
            calls[i].perform(&call);
        return;
    }
    refuse(exchange, 400, "Failed to validate master::Call: Expecting 'type' to be present");
}

static bool is_post(struct sim_http_exchange *exchange)
{
    static const struct sim_http_extra_header allow[] = {{"Allow", "POST"}, {NULL, NULL}};
    char text[160];

    if (!strcmp(sim_http_method(exchange), "POST"))
        return true;
    snprintf(text, sizeof(text),
             "405 Method Not Allowed. Expecting one of { 'POST' }, but received '%.30s'.",
             sim_http_method(exchange));
    sim_http_respond(exchange, 405, allow, "text/plain; charset=utf-8", text, strlen(text));
    return false;
}

static void answer_api(struct face *face, struct sim_http_exchange *exchange)
{
    const char *content = sim_http_header(exchange, "Content-Type");
    char error[JSON_MAP_ERROR_MAX];
    size_t size;
    const char *body = sim_http_body(exchange, &size);
    struct sim_master_view view;
    json_t *json;

    sim_master_look(face->sim, &view);
    if (!view.ready) {
        refuse(exchange, 503, "Master has not finished recovery");
    } else if (!is_post(exchange)) {
        return;
    } else if (!content) {
        refuse(exchange, 400, "Expecting 'Content-Type' to be present");
    } else if (!strcmp(content, "application/x-protobuf")) {
        refuse(exchange, 400, "Failed to parse body into Call protobuf");
    } else if (strcmp(content, "application/json")) {
        refuse(exchange, 415,
               "Expecting 'Content-Type' of application/json or application/x-protobuf");
    } else {
        json = json_map_parse(body ? body : "", size, error);
        if (json)
            perform(face, exchange, json);
        else
            refuse(exchange, 400, "Failed to parse body into JSON: %s", error);
        json_decref(json);
    }
}

static void answer_teardown(struct face *face, struct sim_http_exchange *exchange)
{
    size_t size;
    const char *body = sim_http_body(exchange, &size);
    char id[300];

    if (!is_post(exchange))
        return;
    if (size < 12 || size >= sizeof(id) || memcmp(body, "frameworkId=", 12)) {
        refuse(exchange, 400, "Missing 'frameworkId' query parameter");
        return;
    }
    snprintf(id, sizeof(id), "%.*s", (int)(size - 12), body + 12);
    if (sim_framework_teardown(face->sim, id) < 0)
        refuse(exchange, 400, "No framework found with specified ID");
    else
        done(exchange);
}

/* ---- the maintenance schedule ---- */

static json_t *window_json(const struct sim_agent_view *view)
{
    json_t *when = json_object();

    if (view->maintenance_ms > 0)
        json_object_set_new(when, "duration", time_info(view->maintenance_ms));
    json_object_set_new(when, "start", time_info(view->maintenance_start_ms));
    return json_pack("{s:[{s:s}], s:o}", "machine_ids", "hostname", view->info->hostname,
                     "unavailability", when);
}

static json_t *schedule_json(const struct sim *sim)
{
    json_t *windows = json_array();
    json_t *schedule = json_object();
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(sim, agent, &view);
        if (view.maintenance_start_ms > 0)
            json_array_append_new(windows, window_json(&view));
    }
    if (json_array_size(windows) > 0)
        json_object_set(schedule, "windows", windows);
    json_decref(windows);
    return schedule;
}

static int64_t milliseconds(const json_t *time)
{
    return (int64_t)(json_number_value(json_object_get(time, "nanoseconds")) / 1000000);
}

/* The window that names this host, or NULL. */
static const json_t *window_of(const json_t *schedule, const char *hostname)
{
    size_t i, j;
    json_t *window, *machine;

    json_array_foreach(json_object_get(schedule, "windows"), i, window)
    {
        json_array_foreach(json_object_get(window, "machine_ids"), j, machine)
        {
            const char *name = json_string_value(json_object_get(machine, "hostname"));

            if (name && !strcmp(name, hostname))
                return window;
        }
    }
    return NULL;
}

/* A new schedule replaces the former one: hosts that it leaves out need no maintenance any more. */
static void set_schedule(struct face *face, const json_t *schedule)
{
    for (size_t i = 0; i < face->cluster.cluster.n_agents; i++) {
        const json_t *window = window_of(schedule, face->cluster.agents[i].hostname);
        const json_t *when = json_object_get(window, "unavailability");

        sim_agent_maintenance(face->sim, i, milliseconds(json_object_get(when, "start")),
                              milliseconds(json_object_get(when, "duration")));
    }
}

static void answer_schedule(struct face *face, struct sim_http_exchange *exchange)
{
    char error[JSON_MAP_ERROR_MAX];
    size_t size;
    const char *body = sim_http_body(exchange, &size);
    json_t *json;

    if (!strcmp(sim_http_method(exchange), "GET")) {
        answer_json(exchange, schedule_json(face->sim));
        return;
    }
    if (!is_post(exchange))
        return;
    json = json_map_parse(body ? body : "", size, error);
    if (json) {
        set_schedule(face, json);
        done(exchange);
    } else {
        refuse(exchange, 400, "%s", error);
    }
    json_decref(json);
}

/* ---- which path ---- */

static bool is_below(const char *path, const char *route)
{
    size_t length = strlen(route);

    return !strncmp(path, route, length) && (!path[length] || path[length] == '/');
}

bool operator_routes_answer(struct face *face, struct sim_http_exchange *exchange)
{
    const char *path = sim_http_path(exchange);

    if (!strncmp(path, "/master/", 8))
        path += 7;
    if (is_below(path, "/api/v1"))
        answer_api(face, exchange);
    else if (!strcmp(path, "/teardown"))
        answer_teardown(face, exchange);
    else if (!strcmp(path, "/maintenance/schedule"))
        answer_schedule(face, exchange);
    else
        return false;
    return true;
}
