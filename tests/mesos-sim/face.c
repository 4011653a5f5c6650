/*
 * Inputs to the core, its outputs, and the time between them.
 */
#include "face.h"
#include "fault_routes.h"
#include "json_map.h"
#include "json_routes.h"
#include "operator_routes.h"
#include "process.h"
#include "tls.h"
#include "trace.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_HEADERS_MAX 100

void face_log(const struct face *face, const char *format, ...)
{
    char text[1024];
    struct timespec now;
    struct tm tm;
    va_list args;

    if (!face->options.verbose)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "%02d:%02d:%02d.%03ld %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec,
            now.tv_nsec / 1000000, text);
}

/* ---- time ---- */

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t sim_time(const struct face *face)
{
    int64_t elapsed = clock_ms(CLOCK_MONOTONIC) - face->clock_start_ms;

    return face->wall_start_ms + (int64_t)((double)elapsed * face->options.speed);
}

static void set_timer(struct face *face)
{
    double wait = (double)(sim_deadline(face->sim) - sim_time(face)) / face->options.speed;
    struct timeval timeout;

    if (!(wait > 0))
        wait = 0;
    if (wait > 60000)
        wait = 60000;
    timeout.tv_sec = (time_t)(wait / 1000);
    timeout.tv_usec = (suseconds_t)((wait - (double)timeout.tv_sec * 1000) * 1000) + 500;
    if (timeout.tv_usec > 999999)
        timeout.tv_usec = 999999;
    event_add(face->timer, &timeout);
}

static void on_timer(evutil_socket_t fd, short events, void *userdata)
{
    face_pump(userdata);
}

/* ---- outputs ---- */

static const char *target_name(const struct face *face, int target)
{
    return target == SIM_MASTER ? "master" : face->cluster.agents[target].hostname;
}

static void log_record(const struct face *face, const struct sim_output *out)
{
    int target = face->targets[sim_http_server_number(out->connection)].number;
    char words[TRACE_MAX];

    if (!face->options.verbose)
        return;
    trace_record(words, target, out->data, out->len);
    face_log(face, "%s -> %s", target_name(face, target), words);
}

static void perform(struct face *face, const struct sim_output *out)
{
    struct sim_http_server *server = face->targets[sim_http_server_number(out->connection)].server;

    switch (out->kind) {
    case SIM_OUT_RECORD:
        log_record(face, out);
        sim_http_stream_write(server, out->stream, out->data, out->len);
        break;
    case SIM_OUT_END:
        sim_http_stream_end(server, out->stream);
        break;
    case SIM_OUT_HANG_UP:
        sim_http_hang_up(server, out->connection);
        break;
    case SIM_OUT_HANG_UP_ALL:
        sim_http_hang_up_all(face->targets[out->target == SIM_MASTER ? masters_leading_target(face)
                                                                     : (size_t)out->target + 1]
                                 .server);
        break;
    case SIM_OUT_START_PROCESS:
        face_log(face, "%s: start %s", face->cluster.agents[out->process->agent].hostname,
                 out->process->value ? out->process->value : "");
        processes_start(face->processes, out->container, out->process);
        break;
    case SIM_OUT_SIGNAL_PROCESS:
        face_log(face, "signal %d to container %s", out->signal, out->container);
        processes_signal(face->processes, out->container, out->signal);
        break;
    case SIM_OUT_CONTAINER_GONE:
        processes_forget(face->processes, out->container);
        break;
    }
}

/* A port is open when its master or agent is up. */
static void set_listeners(struct face *face)
{
    for (size_t i = 0; i < face->n_targets; i++) {
        struct face_target *target = &face->targets[i];
        const struct master *master = masters_at(face, i);
        bool on = master ? masters_listens(face, master) : sim_listens(face->sim, target->number);
        int r = sim_http_server_listen(target->server, on);

        if (r < 0)
            face_log(face, "port %u: %s", sim_http_server_port(target->server), strerror(-r));
    }
}

void face_perform(struct face *face)
{
    struct sim_output out;

    while (sim_next_output(face->sim, &out))
        perform(face, &out);
}

void face_pump(struct face *face)
{
    sim_advance(face->sim, sim_time(face));
    face_perform(face);
    masters_update(face);
    face_perform(face);
    set_listeners(face);
    set_timer(face);
}

/* ---- requests ---- */

/* The content type is the last header of a stream's head, as with Mesos; sim_http_respond() places
 * that of an answer. */
static void send_answer(struct sim_http_exchange *exchange, const struct sim_response *response)
{
    struct sim_http_extra_header headers[SIM_MAX_HEADERS + 1] = {{0}};
    const char *content_type = NULL;
    size_t n = 0;

    for (size_t i = 0; i < response->n_headers; i++) {
        if (!strcmp(response->headers[i].name, "Content-Type")) {
            content_type = response->headers[i].value;
            continue;
        }
        headers[n].name = response->headers[i].name;
        headers[n++].value = response->headers[i].value;
    }
    if (response->kind == SIM_ANSWER) {
        sim_http_respond(exchange, response->status, headers, content_type, response->body,
                         response->body ? strlen(response->body) : 0);
        return;
    }
    if (content_type)
        headers[n] = (struct sim_http_extra_header){"Content-Type", content_type};
    sim_http_stream_begin(exchange, response->stream, headers);
}

static void log_call(const struct face *face, const struct sim_request *request,
                     const struct sim_response *response)
{
    char words[TRACE_MAX];

    if (!face->options.verbose)
        return;
    trace_call(words, request->target, request->body, request->body_len);
    face_log(face, "%s <- %s %s: %d %s", target_name(face, request->target), request->method, words,
             response->status, response->body ? response->body : "");
}

static void on_request(void *userdata, struct sim_http_exchange *exchange)
{
    struct face_target *target = userdata;
    struct face *face = target->face;
    struct sim_pair headers[REQUEST_HEADERS_MAX];
    struct sim_request request = {
        .connection = sim_http_connection_number(exchange),
        .target = target->number,
        .method = sim_http_method(exchange),
        .path = sim_http_path(exchange),
        .headers = headers,
    };
    struct master *master = masters_at(face, (size_t)(target - face->targets));
    struct sim_response response;

    request.follower = master && face->masters.leader != (size_t)(master - face->masters.v);
    request.n_headers = sim_http_headers(exchange, headers, REQUEST_HEADERS_MAX);
    request.body = sim_http_body(exchange, &request.body_len);
    sim_advance(face->sim, sim_time(face));
    sim_request(face->sim, &request, &response);
    switch (response.kind) {
    case SIM_NOT_MINE:
        if (target->number != SIM_MASTER ||
            (!fault_routes_answer(face, exchange) && !masters_answer(master, exchange) &&
             !operator_routes_answer(face, exchange)))
            json_routes_answer(face, target->number, exchange);
        break;
    case SIM_ANSWER:
    case SIM_STREAM:
        log_call(face, &request, &response);
        send_answer(exchange, &response);
        break;
    case SIM_HANG_UP:
        sim_http_abort(exchange);
        break;
    }
    sim_response_deinit(&response);
    face_pump(face);
}

static void on_closed(void *userdata, uint64_t connection)
{
    struct face_target *target = userdata;

    sim_connection_closed(target->face->sim, connection);
    face_pump(target->face);
}

/* ---- JSON for the core ---- */

static char *encode(const ProtobufCMessage *message, size_t *len)
{
    json_t *json = json_map_from_message(message);
    char *text = json_map_text(json, len);

    json_decref(json);
    return text;
}

static ProtobufCMessage *decode(const ProtobufCMessageDescriptor *type, const uint8_t *body,
                                size_t len, char **error)
{
    char words[JSON_MAP_ERROR_MAX];
    json_t *json = json_map_parse((const char *)body, len, words);
    ProtobufCMessage *message = NULL;
    int n;

    if (!json) {
        n = asprintf(error, "Failed to parse body into JSON: %s", words);
    } else {
        message = json_map_to_message(type, json, words);
        n = message ? 0 : asprintf(error, "Failed to convert JSON into Call protobuf: %s", words);
    }
    if (n < 0)
        *error = NULL;
    json_decref(json);
    return message;
}

/* ---- processes ---- */

static void on_started(void *userdata, const char *container, uint32_t pid)
{
    struct face *face = userdata;

    face_log(face, "container %s runs as process %u", container, pid);
    sim_process_started(face->sim, container, pid);
    face_pump(face);
}

static void on_exited(void *userdata, const char *container, int status)
{
    struct face *face = userdata;

    face_log(face, "container %s ended with wait status %d", container, status);
    sim_process_exited(face->sim, container, status);
    face_pump(face);
}

static void on_failed(void *userdata, const char *container, const char *why)
{
    struct face *face = userdata;

    face_log(face, "container %s: %s", container, why);
    sim_process_failed(face->sim, container, why);
    face_pump(face);
}

/* Every process of a host is told where that host's root and mount table are. */
static const struct sim_pair *agent_environment(void *arg, size_t agent, size_t *n)
{
    struct face *face = arg;
    const char *hostname = face->cluster.agents[agent].hostname;

    for (int i = 0; i < 2; i++) {
        free(face->environment_text[i]);
        if (asprintf(&face->environment_text[i], "%s/%s%s", face->tree.dir, hostname,
                     i == 0 ? "" : "/mounts") < 0)
            face->environment_text[i] = NULL;
    }
    face->environment[0] = (struct sim_pair){"QUOBYTE_PROBER_ROOT", face->environment_text[0]};
    face->environment[1] = (struct sim_pair){"QUOBYTE_PROBER_MOUNTS", face->environment_text[1]};
    *n = face->environment_text[0] && face->environment_text[1] ? 2 : 0;
    return face->environment;
}

/* ---- start and end ---- */

static int explain(char **ret_error, int r, const char *what)
{
    if (asprintf(ret_error, "%s: %s", what, strerror(-r)) < 0)
        *ret_error = NULL;
    return r;
}

static int open_ports(struct face *face, char **ret_error)
{
    struct sim_http_hooks hooks = {.request = on_request, .closed = on_closed};
    size_t n;
    char what[64];

    n = face->cluster.cluster.n_agents + face->options.masters;
    face->targets = calloc(n, sizeof(*face->targets));
    if (!face->targets)
        return explain(ret_error, -ENOMEM, "ports");
    for (size_t i = 0; i < n; i++) {
        bool agent = i > 0 && i <= face->cluster.cluster.n_agents;
        struct face_target *target = &face->targets[i];
        size_t port = face->options.port > 0 ? face->options.port + i : 0;
        int r;

        target->face = face;
        target->number = agent ? (int)i - 1 : SIM_MASTER;
        hooks.number = (uint16_t)i;
        hooks.tls = agent ? NULL : face->tls;
        snprintf(what, sizeof(what), "127.0.0.1:%zu", port);
        r = port > UINT16_MAX
                ? -ERANGE
                : sim_http_server_new(&target->server, face->base, (uint16_t)port, &hooks, target);
        if (r < 0)
            return explain(ret_error, r, what);
        face->n_targets++;
        if (agent)
            face->cluster.agents[i - 1].port = sim_http_server_port(target->server);
    }
    return 0;
}

static int make_hosts(struct face *face, char **ret_error)
{
    int r = hosttree_init(&face->tree, face->options.dir);

    if (r < 0)
        return explain(ret_error, r, face->options.dir ? face->options.dir : "temporary directory");
    for (size_t i = 0; i < face->cluster.cluster.n_agents; i++) {
        r = hosttree_make_host(&face->tree, &face->cluster.agents[i]);
        if (r < 0)
            return explain(ret_error, r, face->cluster.agents[i].hostname);
    }
    return 0;
}

static int start_core(struct face *face, char **ret_error)
{
    static const struct sim_json json = {.encode = encode, .decode = decode};
    struct sim_cluster *cluster = &face->cluster.cluster;

    face->wall_start_ms = clock_ms(CLOCK_REALTIME);
    face->clock_start_ms = clock_ms(CLOCK_MONOTONIC);
    cluster->master_port = sim_http_server_port(face->targets[0].server);
    cluster->work_dir = face->tree.dir;
    cluster->credentials = face->credentials.pairs;
    cluster->n_credentials = face->credentials.n_pairs;
    cluster->agent_environment = agent_environment;
    cluster->agent_environment_arg = face;
    for (size_t i = 0; i < cluster->n_agents; i++)
        if (face->cluster.agents[i].maintenance_start_ms > 0)
            face->cluster.agents[i].maintenance_start_ms += face->wall_start_ms;
    face->sim = sim_new(cluster, face->options.seed, face->wall_start_ms, ret_error);
    if (!face->sim)
        return -EINVAL;
    sim_set_json(face->sim, &json);
    face->timer = evtimer_new(face->base, on_timer, face);
    return face->timer ? 0 : explain(ret_error, -ENOMEM, "timer");
}

/* What the options name is read before anything is opened. */
static int read_files(struct face *face, char **ret_error)
{
    const struct face_options *options = &face->options;
    int r;

    if (options->cluster_path)
        r = cluster_file_load(&face->cluster, options->cluster_path, options->agents, ret_error);
    else
        r = cluster_file_parse(&face->cluster, "", NULL, 0, options->agents, ret_error);
    if (r == 0 && options->credentials)
        r = credentials_load(&face->credentials, options->credentials, ret_error);
    if (r == 0 && options->tls_cert)
        r = tls_context_new(&face->tls, options->tls_cert, options->tls_key, options->tls_ca,
                            ret_error);
    return r;
}

int face_init(struct face *face, const struct face_options *options, char **ret_error)
{
    static const struct process_hooks hooks = {on_started, on_exited, on_failed};
    int r;

    *face = (struct face){.options = *options};
    *ret_error = NULL;
    r = read_files(face, ret_error);
    if (r < 0)
        return r;
    face->base = event_base_new();
    if (!face->base)
        return explain(ret_error, -ENOMEM, "event loop");
    r = processes_new(&face->processes, face->base, &hooks, face);
    if (r < 0)
        return explain(ret_error, r, "child processes");
    r = open_ports(face, ret_error);
    if (r == 0)
        r = make_hosts(face, ret_error);
    if (r == 0)
        r = start_core(face, ret_error);
    if (r == 0)
        r = masters_init(face, ret_error);
    if (r == 0)
        face_pump(face);
    return r;
}

void face_deinit(struct face *face)
{
    masters_deinit(face);
    face->processes = processes_free(face->processes);
    for (size_t i = 0; i < face->n_targets; i++)
        sim_http_server_free(face->targets[i].server);
    free(face->targets);
    if (face->timer)
        event_free(face->timer);
    if (face->sim)
        sim_free(face->sim);
    if (face->base)
        event_base_free(face->base);
    hosttree_deinit(&face->tree);
    cluster_file_deinit(&face->cluster);
    credentials_deinit(&face->credentials);
    tls_context_free(face->tls);
    free(face->environment_text[0]);
    free(face->environment_text[1]);
    *face = (struct face){0};
}
