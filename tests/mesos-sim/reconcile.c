/* Reconciliation: what the master says of a task when it is asked. */
#include "core.h"

#include <string.h>

static void send_latest(struct sim_framework *framework, struct sim_task *task)
{
    struct master_status status = {
        .task_id = task->info->task_id->value,
        .agent_id = task->info->agent_id->value,
        .state = task->state,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
        .message = "Reconciliation: Latest task state",
        .latest = task->last,
    };

    core_status_send(framework, &status, NULL);
}

static bool any_recovered(struct sim *sim)
{
    struct sim_agent *agent;

    EACH (agent, &sim->agents, next)
        if (agent->state == AGENT_RECOVERED)
            return true;
    return false;
}

void core_reconcile_one(struct sim_framework *framework, const char *task_id, const char *agent_id)
{
    struct sim_task *task = core_task_find(framework, task_id);
    struct sim_agent *agent = agent_id ? core_agent_find(framework->sim, agent_id) : NULL;
    struct master_status status = {
        .task_id = task_id,
        .agent_id = agent_id,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
        .message = "Reconciliation: Task is unknown",
        .state = MESOS__V1__TASK_STATE__TASK_UNKNOWN,
    };

    if (task) {
        send_latest(framework, task);
        return;
    }
    /* An agent that may still come back may bring the task. */
    if (agent_id ? agent && agent->state == AGENT_RECOVERED : any_recovered(framework->sim))
        return;
    if (agent && (agent->state == AGENT_CONNECTED || agent->state == AGENT_DISCONNECTED)) {
        status.state = MESOS__V1__TASK_STATE__TASK_GONE;
        status.message = "Reconciliation: Task is unknown to the agent";
    } else if (agent && agent->state == AGENT_UNREACHABLE) {
        status.state = MESOS__V1__TASK_STATE__TASK_UNREACHABLE;
        status.message = "Reconciliation: Task is unreachable";
        status.unreachable_ms = agent->unreachable_ms;
    } else if (agent && agent->state == AGENT_GONE) {
        status.state = MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR;
        status.message = "Reconciliation: Task is gone";
    }
    status.state = core_state_for(framework, status.state);
    core_status_send(framework, &status, NULL);
}

void core_reconcile(struct sim_framework *framework,
                    const Mesos__V1__Scheduler__Call__Reconcile *call)
{
    struct sim_task *task;

    if (!call->n_tasks) {
        EACH (task, &framework->tasks[SIM_TASKS], next)
            send_latest(framework, task);
        return;
    }
    for (size_t i = 0; i < call->n_tasks; i++)
        core_reconcile_one(framework, call->tasks[i]->task_id->value,
                           call->tasks[i]->agent_id ? call->tasks[i]->agent_id->value : NULL);
}
