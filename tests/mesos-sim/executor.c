/* Executors at their agent: starting, feeding, ending them. */
#include "core.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct executor *core_executor_find(struct host *host, const char *framework_id,
                                    const char *executor_id)
{
    struct executor *executor;

    EACH (executor, &host->executors, next)
        if (strcmp(executor->info->executor_id->value, executor_id) == 0 &&
            strcmp(executor->framework->id->value, framework_id) == 0)
            return executor;
    return NULL;
}

struct executor *core_executor_find_container(struct sim *sim, const char *container)
{
    struct executor *executor;

    for (size_t i = 0; i < sim->n_hosts; i++)
        EACH (executor, &sim->hosts[i].executors, next)
            if (strcmp(executor->container, container) == 0)
                return executor;
    return NULL;
}

struct work *core_executor_work(struct executor *executor, const char *task_id)
{
    struct work *work;

    EACH (work, &executor->works, next)
        if (strcmp(work->info->task_id->value, task_id) == 0)
            return work;
    return NULL;
}

void core_work_free(struct work *work)
{
    core_play_stop(work);
    TAILQ_REMOVE(&work->executor->works, work, next);
    sim_drop(work->info);
    free(work);
}

struct executor *core_executor_new(struct host *host, const framework_info_t *framework,
                                   enum executor_kind kind, const executor_info_t *info)
{
    struct executor *executor = sim_zalloc(sizeof *executor);

    executor->host = host;
    executor->kind = kind;
    executor->framework = sim_copy(framework);
    executor->info = sim_copy(info);
    sim_uuid_text(host->sim, executor->container);
    executor->sandbox = sim_text(
        "%s/%s/slaves/%s/frameworks/%s/executors/%s/runs/%s", host->sim->work_dir, host->hostname,
        host->id, framework->id->value, info->executor_id->value, executor->container);
    TAILQ_INIT(&executor->works);
    TAILQ_INSERT_TAIL(&host->executors, executor, next);
    return executor;
}

void core_executor_free(struct executor *executor)
{
    struct sim *sim = executor->host->sim;
    struct update_stream *stream;

    core_timer_stop(sim, &executor->registration);
    core_timer_stop(sim, &executor->grace);
    EACH (stream, &executor->host->streams, next)
        if (stream->executor == executor)
            stream->executor = NULL;
    while (!TAILQ_EMPTY(&executor->works))
        core_work_free(TAILQ_FIRST(&executor->works));
    TAILQ_REMOVE(&executor->host->executors, executor, next);
    if (executor->process)
        core_output_signal(sim, executor->container, SIGKILL);
    core_output_gone(sim, executor->container);
    sim_drop(executor->framework);
    sim_drop(executor->info);
    free(executor->sandbox);
    free(executor->end_message);
    free(executor);
}

/* ---- events ---- */

void core_executor_send(struct executor *executor, const executor_event_t *event)
{
    if (executor->stream)
        core_output_record(executor->host->sim, (int)executor->host->index, executor->stream,
                           executor->connection, executor->json, event);
}

static void send_launch(struct work *work)
{
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Launch launch = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH;
    event.launch = &launch;
    launch.task = work->info;
    core_executor_send(work->executor, &event);
    work->delivered = true;
    work->executor->ever_launched = true;
}

void core_executor_send_kill(struct executor *executor, const char *task_id,
                             const Mesos__V1__KillPolicy *policy)
{
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Kill kill = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;

    id.value = (char *)task_id;
    kill.task_id = &id;
    kill.kill_policy = (Mesos__V1__KillPolicy *)policy;
    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__KILL;
    event.kill = &kill;
    core_executor_send(executor, &event);
}

void core_executor_send_shutdown(struct executor *executor)
{
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN;
    core_executor_send(executor, &event);
}

/* Gives out all tasks that waited for the executor. */
void core_executor_deliver(struct executor *executor)
{
    struct work *work;

    EACH (work, &executor->works, next)
        if (!work->delivered && !work->ended)
            send_launch(work);
}

/* ---- start and end ---- */

static void registration_fire(struct sim *sim, void *owner)
{
    (void)sim;
    core_executor_destroy(owner, MESOS__V1__TASK_STATE__TASK_FAILED,
                          MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_REGISTRATION_TIMEOUT,
                          "Executor did not register within 1mins");
}

void core_executor_start(struct executor *executor)
{
    struct sim *sim = executor->host->sim;

    core_timer_set(sim, &executor->registration, sim->now + EXECUTOR_REGISTRATION_MS,
                   registration_fire, executor);
    core_executor_process_start(executor, executor->info->command, true);
}

void core_executor_give(struct executor *executor, const task_info_t *task)
{
    struct work *work = sim_zalloc(sizeof *work);

    work->executor = executor;
    work->info = sim_copy(task);
    work->state = MESOS__V1__TASK_STATE__TASK_STAGING;
    TAILQ_INSERT_TAIL(&executor->works, work, next);
    if (executor->kind != EXECUTOR_CUSTOM)
        core_play_start(work);
    else if (executor->state == EXECUTOR_RUNNING)
        send_launch(work);
}

static void set_end(struct executor *executor, Mesos__V1__TaskState state, int reason,
                    const char *message)
{
    free(executor->end_message);
    executor->end_message = sim_dup(message);
    executor->end_state = state;
    executor->end_reason = (Mesos__V1__TaskStatus__Reason)reason;
}

/* `status`: what its FAILURE says where there is no process. */
static void destroy(struct executor *executor, Mesos__V1__TaskState state, int reason,
                    const char *message, int status)
{
    struct sim *sim = executor->host->sim;

    if (executor->state == EXECUTOR_TERMINATED)
        return;
    core_timer_stop(sim, &executor->registration);
    core_timer_stop(sim, &executor->grace);
    executor->state = EXECUTOR_TERMINATING;
    set_end(executor, state, reason, message);
    if (executor->process)
        core_output_signal(sim, executor->container, SIGKILL);
    else
        core_executor_ended(executor, status);
}

void core_executor_destroy(struct executor *executor, Mesos__V1__TaskState state, int reason,
                           const char *message)
{
    destroy(executor, state, reason, message, SIGKILL);
}

void core_executor_launch_failed(struct executor *executor, const char *message)
{
    destroy(executor, MESOS__V1__TASK_STATE__TASK_FAILED,
            MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED, message, 1 << 8);
}

static void grace_fire(struct sim *sim, void *owner)
{
    (void)sim;
    core_executor_destroy(owner, MESOS__V1__TASK_STATE__TASK_FAILED,
                          MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
                          "Executor terminated");
}

void core_executor_shutdown(struct executor *executor)
{
    struct sim *sim = executor->host->sim;
    int64_t grace = EXECUTOR_GRACE_MS;

    if (executor->state == EXECUTOR_TERMINATING || executor->state == EXECUTOR_TERMINATED)
        return;
    if (executor->kind != EXECUTOR_CUSTOM) {
        struct work *work, *next;

        EACH_SAFE (work, next, &executor->works, next)
            core_play_kill(work, NULL);
        return;
    }
    if (executor->info->shutdown_grace_period)
        grace = executor->info->shutdown_grace_period->nanoseconds / 1000000;
    core_executor_send_shutdown(executor);
    core_timer_stop(sim, &executor->registration);
    executor->state = EXECUTOR_TERMINATING;
    core_timer_set(sim, &executor->grace, sim->now + grace, grace_fire, executor);
}

void core_executor_ended(struct executor *executor, int status)
{
    struct host *host = executor->host;
    struct sim *sim = host->sim;
    struct work *work;

    if (executor->state == EXECUTOR_TERMINATED)
        return;
    core_timer_stop(sim, &executor->registration);
    core_timer_stop(sim, &executor->grace);
    executor->state = EXECUTOR_TERMINATED;
    if (executor->stream)
        core_output_end(sim, (int)executor->host->index, executor->stream, executor->connection);
    executor->stream = 0;
    if (!executor->end_message)
        set_end(executor, MESOS__V1__TASK_STATE__TASK_FAILED,
                MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED, "Executor terminated");
    if (executor->kind == EXECUTOR_CUSTOM && !executor->abandoned && core_host_is_linked(host) &&
        host->registered)
        core_master_executor_exited(sim, host, executor->framework->id->value,
                                    executor->info->executor_id->value, status);
    EACH (work, &executor->works, next) {
        struct agent_status end = {
            .task_id = work->info->task_id->value,
            .state = executor->end_state,
            .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
            .reason = (int)executor->end_reason,
            .message = executor->end_message,
            .healthy = -1,
        };

        core_play_stop(work);
        if (!work->ended && !executor->abandoned)
            core_host_update(host, executor->framework, executor, &end);
    }
    core_host_check_executor(executor);
}

static void linger_fire(struct sim *sim, void *owner)
{
    struct executor *executor = owner;

    (void)sim;
    executor->state = EXECUTOR_TERMINATED;
    core_host_check_executor(executor);
}

void core_executor_task_over(struct executor *executor)
{
    struct sim *sim = executor->host->sim;

    if (executor->state == EXECUTOR_TERMINATED)
        core_host_check_executor(executor);
    else if (executor->kind != EXECUTOR_CUSTOM && TAILQ_EMPTY(&executor->works))
        core_timer_set(sim, &executor->grace, sim->now + LINGER_MS, linger_fire, executor);
}

/* ---- updates ---- */

void core_executor_fill_container(struct executor *executor, status_t *status)
{
    Mesos__V1__ContainerStatus fresh = MESOS__V1__CONTAINER_STATUS__INIT, *container;
    Mesos__V1__ContainerID id = MESOS__V1__CONTAINER_ID__INIT;
    Mesos__V1__NetworkInfo network = MESOS__V1__NETWORK_INFO__INIT, *networks[] = {&network};
    Mesos__V1__NetworkInfo__IPAddress address = MESOS__V1__NETWORK_INFO__IPADDRESS__INIT,
                                      *addresses[] = {&address};

    if (!status->container_status)
        status->container_status = sim_copy(&fresh);
    container = status->container_status;
    if (!container->container_id) {
        id.value = executor->container;
        container->container_id = sim_copy(&id);
    }
    if (executor->pid && !container->has_executor_pid) {
        container->has_executor_pid = 1;
        container->executor_pid = executor->pid;
    }
    if (!container->n_network_infos) {
        address.ip_address = executor->host->ip;
        network.n_ip_addresses = 1;
        network.ip_addresses = addresses;
        container->network_infos = sim_grow(NULL, 1, sizeof *container->network_infos);
        container->network_infos[0] = sim_copy(networks[0]);
        container->n_network_infos = 1;
    }
}

void core_executor_update_in(struct executor *executor, const status_t *from)
{
    struct host *host = executor->host;
    struct work *work = core_executor_work(executor, from->task_id->value);
    status_t *status;

    if (executor->abandoned || !from->has_uuid || from->uuid.len != 16)
        return;
    if (from->agent_id && (!host->id || strcmp(from->agent_id->value, host->id)))
        return;
    status = sim_copy(from);
    if (work)
        core_executor_fill_container(executor, status);
    if (!status->has_timestamp) {
        status->has_timestamp = 1;
        status->timestamp = (double)host->sim->now / 1000;
    }
    if (work && !work->ended) {
        work->updated = true;
        work->state = status->state;
        work->ended = core_is_terminal(status->state);
    }
    core_stream_add(host, executor->framework, work ? executor : NULL, status);
    if (work)
        core_executor_acknowledge(executor, status->task_id->value, &status->uuid);
    sim_drop(status);
}

void core_executor_acknowledge(struct executor *executor, const char *task_id,
                               const ProtobufCBinaryData *uuid)
{
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Acknowledged body = MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;

    id.value = (char *)task_id;
    body.task_id = &id;
    body.uuid = *uuid;
    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED;
    event.acknowledged = &body;
    core_executor_send(executor, &event);
}
