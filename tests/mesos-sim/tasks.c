/* The master's book of tasks, and the status updates that it makes or passes on. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

bool core_is_terminal(Mesos__V1__TaskState state)
{
    switch (state) {
    case MESOS__V1__TASK_STATE__TASK_FINISHED:
    case MESOS__V1__TASK_STATE__TASK_FAILED:
    case MESOS__V1__TASK_STATE__TASK_KILLED:
    case MESOS__V1__TASK_STATE__TASK_ERROR:
    case MESOS__V1__TASK_STATE__TASK_LOST:
    case MESOS__V1__TASK_STATE__TASK_DROPPED:
    case MESOS__V1__TASK_STATE__TASK_GONE:
    case MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR:
        return true;
    default:
        return false;
    }
}

Mesos__V1__TaskState core_state_for(const struct sim_framework *framework,
                                    Mesos__V1__TaskState state)
{
    return framework->partition_aware ? state : MESOS__V1__TASK_STATE__TASK_LOST;
}

struct sim_task *core_task_find_in(struct sim_framework *framework, enum sim_task_list list,
                                   const char *id)
{
    struct sim_task *task;

    EACH (task, &framework->tasks[list], next)
        if (strcmp(task->info->task_id->value, id) == 0)
            return task;
    return NULL;
}

struct sim_task *core_task_find(struct sim_framework *framework, const char *id)
{
    return core_task_find_in(framework, SIM_TASKS, id);
}

struct sim_task *core_task_new(struct sim_framework *framework, struct sim_agent *agent,
                               const task_info_t *info, const char *executor_id)
{
    struct sim_task *task = sim_zalloc(sizeof *task);

    task->framework = framework;
    task->agent = agent;
    task->info = sim_copy(info);
    task->executor_id = sim_dup(executor_id);
    task->state = MESOS__V1__TASK_STATE__TASK_STAGING;
    task->list = SIM_TASKS;
    core_res_read(&task->resources, info->resources, info->n_resources);
    if (task->resources.n && task->resources.v[0]->allocation_info)
        task->role = sim_dup(task->resources.v[0]->allocation_info->role);
    else
        task->role = sim_dup("*");
    core_res_add_all(&agent->used, &task->resources);
    core_res_add_all(&framework->used, &task->resources);
    core_account(framework, task->role, &task->resources, 1);
    TAILQ_INSERT_TAIL(&framework->tasks[SIM_TASKS], task, next);
    return task;
}

void core_task_release(struct sim_task *task)
{
    if (task->freed)
        return;
    task->freed = true;
    if (task->agent)
        core_res_subtract(&task->agent->used, &task->resources);
    core_res_subtract(&task->framework->used, &task->resources);
    core_account(task->framework, task->role, &task->resources, -1);
}

static void forget_kills(struct sim_task *task)
{
    struct pending_kill *kill, *next;

    if (!task->agent)
        return;
    EACH_SAFE (kill, next, &task->agent->kills, next) {
        if (strcmp(kill->task_id, task->info->task_id->value) ||
            strcmp(kill->framework_id, task->framework->id))
            continue;
        TAILQ_REMOVE(&task->agent->kills, kill, next);
        sim_drop(kill->policy);
        free(kill->framework_id);
        free(kill->task_id);
        free(kill);
    }
}

void core_task_free(struct sim_task *task)
{
    core_task_release(task);
    forget_kills(task);
    if (task->list == SIM_TASKS_COMPLETED)
        task->framework->n_completed_tasks--;
    TAILQ_REMOVE(&task->framework->tasks[task->list], task, next);
    for (size_t i = 0; i < task->n_statuses; i++)
        sim_drop(task->statuses[i]);
    free(task->statuses);
    sim_drop(task->last);
    sim_drop(task->info);
    core_res_clear(&task->resources);
    free(task->executor_id);
    free(task->role);
    free(task);
}

void core_task_move(struct sim_task *task, enum sim_task_list list)
{
    struct sim_framework *framework = task->framework;

    core_task_release(task);
    forget_kills(task);
    TAILQ_REMOVE(&framework->tasks[task->list], task, next);
    TAILQ_INSERT_TAIL(&framework->tasks[list], task, next);
    task->list = list;
    if (list == SIM_TASKS_COMPLETED && ++framework->n_completed_tasks > MAX_COMPLETED_TASKS)
        core_task_free(TAILQ_FIRST(&framework->tasks[SIM_TASKS_COMPLETED]));
}

void core_task_record(struct sim_task *task, const status_t *status)
{
    status_t *copy = sim_copy(status);

    if (task->n_statuses && task->statuses[task->n_statuses - 1]->state == status->state) {
        sim_drop(task->statuses[task->n_statuses - 1]);
        task->statuses[task->n_statuses - 1] = copy;
    } else {
        task->statuses = sim_grow(task->statuses, task->n_statuses + 1, sizeof *task->statuses);
        task->statuses[task->n_statuses++] = copy;
    }
    task->state = status->state;
}

/* ---- sending ---- */

void core_update_send(struct sim_framework *framework, const status_t *status)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE;
    event.update = &update;
    update.status = (status_t *)status;
    if (framework->sim->updates_held && status->has_uuid) {
        struct held_event *held = sim_zalloc(sizeof *held);

        held->framework_id = sim_dup(framework->id);
        held->event = sim_copy(&event);
        TAILQ_INSERT_TAIL(&framework->sim->held, held, next);
        return;
    }
    core_framework_send(framework, &event);
    if (framework->sim->updates_doubled && status->has_uuid)
        core_framework_send(framework, &event);
}

static void held_drop(struct sim *sim, bool send)
{
    struct held_event *held, *next;

    EACH_SAFE (held, next, &sim->held, next) {
        struct sim_framework *framework = core_framework_find(sim, held->framework_id);

        if (send && framework)
            core_framework_send(framework, held->event);
        TAILQ_REMOVE(&sim->held, held, next);
        sim_drop(held->event);
        free(held->framework_id);
        free(held);
    }
}

void core_held_release(struct sim *sim)
{
    held_drop(sim, true);
}

void core_held_clear(struct sim *sim)
{
    held_drop(sim, false);
}

void core_status_send(struct sim_framework *framework, const struct master_status *from,
                      struct sim_task *task)
{
    status_t status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__TimeInfo unreachable = MESOS__V1__TIME_INFO__INIT;

    task_id.value = (char *)from->task_id;
    status.task_id = &task_id;
    status.state = from->state;
    status.message = (char *)from->message;
    status.has_source = 1;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
    status.has_timestamp = 1;
    status.timestamp = (double)framework->sim->now / 1000;
    if (from->reason >= 0) {
        status.has_reason = 1;
        status.reason = (Mesos__V1__TaskStatus__Reason)from->reason;
    }
    if (from->agent_id) {
        agent_id.value = (char *)from->agent_id;
        status.agent_id = &agent_id;
    }
    executor_id.value = (char *)from->executor_id;
    if (!executor_id.value && task)
        executor_id.value = task->executor_id;
    if (executor_id.value && *executor_id.value)
        status.executor_id = &executor_id;
    if (from->unreachable_ms) {
        unreachable.nanoseconds = from->unreachable_ms * 1000000;
        status.unreachable_time = &unreachable;
    }
    if (from->latest) {
        status.has_healthy = from->latest->has_healthy;
        status.healthy = from->latest->healthy;
        status.check_status = from->latest->check_status;
        status.container_status = from->latest->container_status;
    }
    if (task)
        core_task_record(task, &status);
    core_update_send(framework, &status);
}

/* ---- updates from agents ---- */

/* While an agent is drained its tasks end for that reason. */
static void rewrite_for_draining(const struct sim_agent *agent,
                                 const struct sim_framework *framework, status_t *status)
{
    if (!agent->draining || (status->state != MESOS__V1__TASK_STATE__TASK_KILLING &&
                             status->state != MESOS__V1__TASK_STATE__TASK_KILLED))
        return;
    status->has_reason = 1;
    status->reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING;
    if (agent->mark_gone && framework->partition_aware)
        status->state = MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR;
}

void core_master_update(struct sim *sim, struct host *host, const char *framework_id,
                        const status_t *from, Mesos__V1__TaskState latest)
{
    struct sim_framework *framework = core_framework_find(sim, framework_id);
    struct sim_agent *agent = host->id ? core_agent_find(sim, host->id) : NULL;
    struct sim_task *task;
    status_t *status;

    if (!framework || !agent || agent->state != AGENT_CONNECTED)
        return;
    status = sim_copy(from);
    rewrite_for_draining(agent, framework, status);
    core_update_send(framework, status);
    task = core_task_find(framework, status->task_id->value);
    if (task && task->agent == agent) {
        core_task_record(task, status);
        sim_drop(task->last);
        task->last = sim_copy(status);
        if (core_is_terminal(latest) || core_is_terminal(status->state))
            core_task_release(task);
    }
    sim_drop(status);
}

void core_master_message(struct sim *sim, struct host *host, const char *framework_id,
                         const char *executor_id, const ProtobufCBinaryData *data)
{
    struct sim_framework *framework = core_framework_find(sim, framework_id);
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
    Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;

    if (!framework)
        return;
    agent.value = host->id;
    executor.value = (char *)executor_id;
    message.agent_id = &agent;
    message.executor_id = &executor;
    message.data = *data;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE;
    event.message = &message;
    core_framework_send(framework, &event);
}
