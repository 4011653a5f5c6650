/* The scheduler endpoint: Mesos' checks in Mesos' order, and what both endpoints have in common. */
#include "core.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_header(struct sim_response *response, const char *name, const char *value)
{
    if (response->n_headers == SIM_MAX_HEADERS)
        return;
    snprintf(response->headers[response->n_headers].name, 32, "%s", name);
    snprintf(response->headers[response->n_headers].value, 128, "%s", value);
    response->n_headers++;
}

void core_answer(struct sim_response *response, int status, const char *format, ...)
{
    va_list args;

    response->kind = SIM_ANSWER;
    response->status = status;
    if (!format)
        return;
    va_start(args, format);
    if (vasprintf(&response->body, format, args) < 0)
        response->body = NULL;
    va_end(args);
    add_header(response, "Content-Type", "text/plain; charset=utf-8");
}

void core_answer_stream(struct sim *sim, struct sim_response *response, bool json,
                        const char *stream_id)
{
    response->kind = SIM_STREAM;
    response->status = 200;
    response->stream = ++sim->last_stream;
    if (stream_id)
        add_header(response, "Mesos-Stream-Id", stream_id);
    add_header(response, "Content-Type", json ? "application/json" : "application/x-protobuf");
}

void sim_response_deinit(struct sim_response *response)
{
    free(response->body);
    response->body = NULL;
}

const char *core_request_header(const struct sim_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

/* Does an Accept header admit this type? Quality values only matter when they are 0. */
static bool accept_admits(const char *accept, const char *type)
{
    size_t family = (size_t)(strchr(type, '/') - type);
    char *copy = sim_zalloc(strlen(accept) + 1), *rest = copy, *item;
    size_t len = 0;
    int rank = 0;
    bool admits = false;

    for (; *accept; accept++)
        if (*accept != ' ' && *accept != '\t')
            copy[len++] = (char)tolower((unsigned char)*accept);
    while ((item = strsep(&rest, ","))) {
        char *quality = strchr(item, ';');
        int match = 0;
        bool zero = false;

        if (quality) {
            *quality++ = '\0';
            zero = strncmp(quality, "q=", 2) == 0 && strtod(quality + 2, NULL) == 0;
        }
        if (strcmp(item, type) == 0)
            match = 3;
        else if (strncmp(item, type, family + 1) == 0 && strcmp(item + family + 1, "*") == 0)
            match = 2;
        else if (strcmp(item, "*/*") == 0)
            match = 1;
        if (match > rank) {
            rank = match;
            admits = !zero;
        }
    }
    free(copy);
    return admits;
}

int core_request_accepts(const struct sim_request *request)
{
    const char *accept = core_request_header(request, "Accept");

    if (!accept || accept_admits(accept, "application/json"))
        return 1;
    return accept_admits(accept, "application/x-protobuf") ? 0 : -1;
}

void *core_request_message(struct sim *sim, const struct sim_request *request,
                           struct sim_response *response, const ProtobufCMessageDescriptor *type)
{
    const char *content = core_request_header(request, "Content-Type");
    char *error = NULL;
    void *message = NULL;

    if (strcmp(request->method, "POST")) {
        core_answer(response, 405,
                    "405 Method Not Allowed. Expecting one of { 'POST' }, but received '%s'.",
                    request->method);
        add_header(response, "Allow", "POST");
    } else if (!content) {
        core_answer(response, 400, "Expecting 'Content-Type' to be present");
    } else if (strcmp(content, "application/x-protobuf") == 0) {
        message = protobuf_c_message_unpack(type, NULL, request->body_len, request->body);
        if (!message)
            core_answer(response, 400, "Failed to parse body into Call protobuf");
    } else if (strcmp(content, "application/json") == 0 && sim->json) {
        message = sim->json->decode(type, request->body, request->body_len, &error);
        if (!message)
            core_answer(response, 400, "%s", error ? error : "Failed to parse body into JSON: ");
        free(error);
    } else {
        core_answer(response, 415,
                    "Expecting 'Content-Type' of application/json or application/x-protobuf");
    }
    return message;
}

bool core_uuid_is_valid(const ProtobufCBinaryData *uuid)
{
    return uuid->len == 16 && (uuid->data[6] >> 4) >= 1 && (uuid->data[6] >> 4) <= 5;
}

/* ---- validation of a scheduler's call ---- */

static const char *missing_part(const call_t *call)
{
    switch (call->type) {
#define PART(TYPE, field)                                                                          \
    case MESOS__V1__SCHEDULER__CALL__TYPE__##TYPE:                                                 \
        return call->field ? NULL : #field;
        PART(ACCEPT, accept)
        PART(DECLINE, decline)
        PART(ACCEPT_INVERSE_OFFERS, accept_inverse_offers)
        PART(DECLINE_INVERSE_OFFERS, decline_inverse_offers)
        PART(KILL, kill)
        PART(SHUTDOWN, shutdown)
        PART(ACKNOWLEDGE, acknowledge)
        PART(ACKNOWLEDGE_OPERATION_STATUS, acknowledge_operation_status)
        PART(RECONCILE, reconcile)
        PART(RECONCILE_OPERATIONS, reconcile_operations)
        PART(MESSAGE, message)
        PART(REQUEST, request)
        PART(UPDATE_FRAMEWORK, update_framework)
#undef PART
    default:
        return NULL;
    }
}

static const char *id_text(const Mesos__V1__FrameworkID *id)
{
    return id ? id->value : "";
}

/* Not authenticated, or a framework without principal: fine. */
static char *principal_invalid(const char *authenticated, const framework_info_t *info)
{
    if (!authenticated || !info->principal || strcmp(authenticated, info->principal) == 0)
        return NULL;
    return sim_text(
        "Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`",
        authenticated, info->principal);
}

static char *call_invalid(const call_t *call, const char *principal)
{
    const char *part;

    if (!call->has_type ||
        (unsigned)call->type > MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK)
        return sim_dup("Expecting 'type' to be present");
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE) {
        if (!call->subscribe)
            return sim_dup("Expecting 'subscribe' to be present");
        if (strcmp(id_text(call->framework_id), id_text(call->subscribe->framework_info->id)))
            return sim_dup("'framework_id' differs from 'subscribe.framework_info.id'");
        return principal_invalid(principal, call->subscribe->framework_info);
    }
    if (!call->framework_id)
        return sim_dup("Expecting 'framework_id' to be present");
    part = missing_part(call);
    if (part)
        return sim_text("Expecting '%s' to be present", part);
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE &&
        !core_uuid_is_valid(&call->acknowledge->uuid))
        return sim_dup("Not a valid UUID");
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE_OPERATION_STATUS) {
        if (!core_uuid_is_valid(&call->acknowledge_operation_status->uuid))
            return sim_dup("Not a valid UUID");
        if (!call->acknowledge_operation_status->agent_id)
            return sim_dup("Expecting 'agent_id' to be present");
    }
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK &&
        strcmp(call->framework_id->value, id_text(call->update_framework->framework_info->id)))
        return sim_dup("'framework_id' differs from 'update_framework.framework_info.id'");
    return NULL;
}

/* ---- the endpoint ---- */

static void other_call(struct sim *sim, const struct sim_request *request, const call_t *call,
                       const char *principal, struct sim_response *response)
{
    struct sim_framework *framework = core_framework_find(sim, call->framework_id->value);
    const char *stream_id = core_request_header(request, "Mesos-Stream-Id");
    char *foreign = framework ? principal_invalid(principal, framework->info) : NULL;

    if (!framework) {
        core_answer(response, 400, "Framework cannot be found");
    } else if (foreign) {
        core_answer(response, 400, "%s", foreign);
    } else if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__UNKNOWN) {
        /* A real master aborts here; its supervisor starts a new one. */
        response->kind = SIM_HANG_UP;
        sim_master_restart(sim);
    } else if (framework->state != FRAMEWORK_CONNECTED) {
        core_answer(response, 403, "Framework is not subscribed");
    } else if (!stream_id) {
        core_answer(response, 400,
                    "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    } else if (strcmp(stream_id, framework->stream_id)) {
        core_answer(
            response, 400,
            "The stream ID '%s' included in this request didn't match the stream ID currently "
            "associated "
            "with framework ID %s",
            stream_id, framework->id);
    } else {
        core_answer(response, 202, NULL);
        core_call_do(framework, call, response);
    }
    free(foreign);
}

static void call_request(struct sim *sim, const struct sim_request *request, call_t *call,
                         const char *principal, struct sim_response *response)
{
    char *invalid = call_invalid(call, principal);
    bool subscribe = call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    int json = core_request_accepts(request);

    if (invalid) {
        core_answer(response, 400, "Failed to validate scheduler::Call: %s", invalid);
        free(invalid);
        return;
    }
    if (json == 1 && !sim->json)
        json = 0;
    if (json < 0 &&
        (subscribe || call->type == MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE_OPERATIONS))
        core_answer(response, 406,
                    "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
    else if (!subscribe)
        other_call(sim, request, call, principal, response);
    else if (core_request_header(request, "Mesos-Stream-Id"))
        core_answer(response, 400,
                    "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    else {
        if (principal && !call->subscribe->framework_info->principal)
            call->subscribe->framework_info->principal = sim_dup(principal);
        core_framework_subscribe(sim, call, request->connection, json, response);
    }
}

/* True: goes on, with the principal in *principal (NULL: nobody asked). */
static bool authenticate(struct sim *sim, const struct sim_request *request, const char **principal,
                         struct sim_response *response)
{
    const char *given = core_request_header(request, "Authorization");

    *principal = NULL;
    if (!sim->n_credentials)
        return true;
    for (size_t i = 0; given && i < sim->n_credentials && !*principal; i++)
        if (strcmp(sim->credentials[i].value, given) == 0)
            *principal = sim->credentials[i].name;
    if (*principal)
        return true;
    core_answer(response, 401, "401 Unauthorized.");
    add_header(response, "WWW-Authenticate", "Basic realm=\"mesos-master-scheduler\"");
    return false;
}

void core_scheduler_request(struct sim *sim, const struct sim_request *request,
                            struct sim_response *response)
{
    const char *principal;
    call_t *call;

    if (request->follower)
        authenticate(sim, request, &principal, response);
    else if (sim->master == MASTER_DOWN) {
        response->kind = SIM_HANG_UP;
    } else if (sim->master == MASTER_ROUTES_MISSING) {
        core_answer(response, 404, "404 Not Found.");
    } else if (!authenticate(sim, request, &principal, response)) {
        /* answered */
    } else if (sim->master == MASTER_RECOVERING) {
        core_answer(response, 503, "Master has not finished recovery");
    } else {
        call =
            core_request_message(sim, request, response, &mesos__v1__scheduler__call__descriptor);
        if (call)
            call_request(sim, request, call, principal, response);
        sim_drop(call);
    }
}

static bool path_is(const char *path, const char *wanted)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len == strlen(wanted) && memcmp(path, wanted, len) == 0;
}

void sim_request(struct sim *sim, const struct sim_request *request, struct sim_response *response)
{
    const char *path = request->path;

    memset(response, 0, sizeof *response);
    if (request->target == SIM_MASTER &&
        (path_is(path, "/api/v1/scheduler") || path_is(path, "/master/api/v1/scheduler")))
        core_scheduler_request(sim, request, response);
    else if (request->target >= 0 && (size_t)request->target < sim->n_hosts &&
             (path_is(path, "/api/v1/executor") || path_is(path, "/slave(1)/api/v1/executor")))
        core_executor_request(sim, request, response);
}

bool sim_listens(const struct sim *sim, int target)
{
    if (target == SIM_MASTER)
        return sim->master != MASTER_DOWN;
    return target >= 0 && (size_t)target < sim->n_hosts && sim->hosts[target].state != HOST_DOWN;
}
