/* The agents' executor endpoint: Mesos' checks in Mesos' order, then what the agent does with each
 * call. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Executor__Call__Subscribe subscribe_t;

static char *check_status_invalid(const Mesos__V1__CheckStatusInfo *status)
{
    if (!status->has_type)
        return sim_dup("CheckStatusInfo must specify 'type'");
    switch (status->type) {
    case MESOS__V1__CHECK_INFO__TYPE__COMMAND:
        return status->command
                   ? NULL
                   : sim_dup("Expecting 'command' to be set for COMMAND check's status");
    case MESOS__V1__CHECK_INFO__TYPE__HTTP:
        return status->http ? NULL : sim_dup("Expecting 'http' to be set for HTTP check's status");
    case MESOS__V1__CHECK_INFO__TYPE__TCP:
        return status->tcp ? NULL : sim_dup("Expecting 'tcp' to be set for TCP check's status");
    default:
        return sim_dup("'UNKNOWN' is not a valid check's status type");
    }
}

static char *update_invalid(const executor_call_t *call)
{
    const status_t *status;
    const char *executor = call->executor_id->value, *framework = call->framework_id->value;

    if (!call->update)
        return sim_dup("Expecting 'update' to be present");
    status = call->update->status;
    if (!status->has_uuid)
        return sim_dup("Expecting 'uuid' to be present");
    if (!core_uuid_is_valid(&status->uuid))
        return sim_dup("Not a valid UUID");
    if (status->executor_id && strcmp(status->executor_id->value, executor))
        return sim_text("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s",
                        executor, status->executor_id->value);
    if (!status->has_source || status->source != MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR)
        return sim_text(
            "Received Call from executor %s of framework %s with invalid source, expecting "
            "'SOURCE_EXECUTOR'",
            executor, framework);
    if (status->state == MESOS__V1__TASK_STATE__TASK_STAGING)
        return sim_text(
            "Received TASK_STAGING from executor %s of framework %s which is not allowed", executor,
            framework);
    return status->check_status ? check_status_invalid(status->check_status) : NULL;
}

static char *call_invalid(const executor_call_t *call)
{
    if (!call->has_type || (unsigned)call->type > MESOS__V1__EXECUTOR__CALL__TYPE__HEARTBEAT)
        return sim_dup("Expecting 'type' to be present");
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE && !call->subscribe)
        return sim_dup("Expecting 'subscribe' to be present");
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE)
        return update_invalid(call);
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE && !call->message)
        return sim_dup("Expecting 'message' to be present");
    return NULL;
}

/* ---- SUBSCRIBE ---- */

static void send_subscribed(struct executor *executor)
{
    struct host *host = executor->host;
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Subscribed subscribed =
        MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
    Mesos__V1__AgentInfo agent = *host->info;
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ContainerID container = MESOS__V1__CONTAINER_ID__INIT;

    id.value = host->id;
    agent.id = &id;
    container.value = executor->container;
    subscribed.executor_info = executor->info;
    subscribed.framework_info = executor->framework;
    subscribed.agent_info = &agent;
    subscribed.container_id = &container;
    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED;
    event.subscribed = &subscribed;
    core_executor_send(executor, &event);
}

static bool lists_task(const subscribe_t *subscribe, const char *task_id)
{
    for (size_t i = 0; i < subscribe->n_unacknowledged_tasks; i++)
        if (strcmp(subscribe->unacknowledged_tasks[i]->task_id->value, task_id) == 0)
            return true;
    return false;
}

/* Tasks that were sent to it and that it doesn't know were lost on the way. */
static void drop_lost(struct executor *executor, const subscribe_t *subscribe)
{
    bool aware = core_framework_has(executor->framework,
                                    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    struct work *work;

    EACH (work, &executor->works, next) {
        struct agent_status dropped = {
            .task_id = work->info->task_id->value,
            .state = aware ? MESOS__V1__TASK_STATE__TASK_DROPPED : MESOS__V1__TASK_STATE__TASK_LOST,
            .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
            .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_RESTARTED,
            .message = "Task launched during agent restart",
            .healthy = -1,
        };

        if (work->delivered && !work->updated && !work->ended &&
            !lists_task(subscribe, dropped.task_id))
            core_host_update(executor->host, executor->framework, executor, &dropped);
    }
}

static bool has_nothing_to_do(struct executor *executor)
{
    struct work *work;

    EACH (work, &executor->works, next)
        if (!work->ended)
            return false;
    return !executor->ever_launched;
}

static void subscribe(struct executor *executor, const executor_call_t *call, uint64_t connection,
                      bool json, struct sim_response *response)
{
    struct sim *sim = executor->host->sim;

    if (executor->stream)
        core_output_end(sim, (int)executor->host->index, executor->stream, executor->connection);
    core_answer_stream(sim, response, json, NULL);
    executor->stream = response->stream;
    executor->connection = connection;
    executor->json = json;
    if (executor->abandoned || executor->state == EXECUTOR_TERMINATING ||
        executor->state == EXECUTOR_TERMINATED) {
        core_executor_send_shutdown(executor);
        core_output_end(sim, (int)executor->host->index, executor->stream, connection);
        executor->stream = 0;
        return;
    }
    core_timer_stop(sim, &executor->registration);
    executor->returned = true;
    if (executor->state == EXECUTOR_REGISTERING && has_nothing_to_do(executor)) {
        executor->state = EXECUTOR_RUNNING;
        core_executor_shutdown(executor);
        return;
    }
    executor->state = EXECUTOR_RUNNING;
    send_subscribed(executor);
    for (size_t i = 0; i < call->subscribe->n_unacknowledged_updates; i++)
        core_executor_update_in(executor, call->subscribe->unacknowledged_updates[i]->status);
    drop_lost(executor, call->subscribe);
    core_executor_deliver(executor);
}

/* ---- the endpoint ---- */

static void known_executor_call(struct executor *executor, const executor_call_t *call,
                                uint64_t connection, int json, struct sim_response *response)
{
    struct host *host = executor->host;

    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE) {
        subscribe(executor, call, connection, json, response);
        return;
    }
    if (executor->state == EXECUTOR_REGISTERING) {
        core_answer(response, 403, "Executor is not subscribed");
        return;
    }
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__UNKNOWN) {
        core_answer(response, 501, "501 Not Implemented.");
        return;
    }
    core_answer(response, 202, NULL);
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE)
        core_executor_update_in(executor, call->update->status);
    else if (!executor->abandoned && core_host_is_linked(host) && host->registered)
        core_master_message(host->sim, host, executor->framework->id->value,
                            executor->info->executor_id->value, &call->message->data);
}

static bool knows_framework(struct host *host, const char *id)
{
    struct executor *executor;

    EACH (executor, &host->executors, next)
        if (strcmp(executor->framework->id->value, id) == 0)
            return true;
    return false;
}

static void call_request(struct host *host, const struct sim_request *request,
                         const executor_call_t *call, struct sim_response *response)
{
    bool is_subscribe = call->type == MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
    char *invalid = call_invalid(call);
    int json = core_request_accepts(request);
    struct executor *executor;

    if (invalid) {
        core_answer(response, 400, "Failed to validate Executor::Call: %s", invalid);
        free(invalid);
        return;
    }
    if (json == 1 && !host->sim->json)
        json = 0;
    executor = core_executor_find(host, call->framework_id->value, call->executor_id->value);
    if (is_subscribe && json < 0)
        core_answer(response, 406,
                    "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
    else if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__HEARTBEAT)
        core_answer(response, 202, NULL);
    else if (!is_subscribe && host->state == HOST_RECOVERING)
        core_answer(response, 503, "Agent has not finished recovery");
    else if (!knows_framework(host, call->framework_id->value))
        core_answer(response, 400, "Framework cannot be found");
    else if (!executor)
        core_answer(response, 400, "Executor cannot be found");
    else
        known_executor_call(executor, call, request->connection, json, response);
}

void core_executor_request(struct sim *sim, const struct sim_request *request,
                           struct sim_response *response)
{
    struct host *host = &sim->hosts[request->target];
    executor_call_t *call;

    if (host->state == HOST_DOWN) {
        response->kind = SIM_HANG_UP;
    } else if (host->state == HOST_STARTING) {
        core_answer(response, 503, "Agent has not finished recovery");
    } else {
        call = core_request_message(sim, request, response, &mesos__v1__executor__call__descriptor);
        if (call)
            call_request(host, request, call, response);
        sim_drop(call);
    }
}
