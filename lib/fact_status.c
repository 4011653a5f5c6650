/*
 * Task status: absorbed first, then every copy that has a uuid is acknowledged. A status from an
 * agent or executor is also a sign of life of the agent; some of the master's say that it is gone.
 */
#include <string.h>

#include "rooms.h"

static void acknowledge(struct qm_planner *p, const struct qm_task_status *status, const char *id,
                        const char *agent_id)
{
    struct qm_action *action;

    if (!status->has_uuid)
        return;
    action = qm_emit(p, QM_RANK_ACKNOWLEDGE, QM_ACTION_ACKNOWLEDGE, id);
    if (!action)
        return;
    action->acknowledge.task_id = id;
    action->acknowledge.agent_id = agent_id;
    memcpy(action->acknowledge.uuid, status->uuid, sizeof(status->uuid));
}

static bool tells_end(enum qm_task_state state)
{
    switch (state) {
    case QM_TASK_STARTING:
    case QM_TASK_RUNNING:
    case QM_TASK_STAGING:
    case QM_TASK_KILLING:
        return false;
    case QM_TASK_FINISHED:
    case QM_TASK_FAILED:
    case QM_TASK_KILLED:
    case QM_TASK_LOST:
    case QM_TASK_ERROR:
    case QM_TASK_DROPPED:
    case QM_TASK_UNREACHABLE:
    case QM_TASK_GONE:
    case QM_TASK_GONE_BY_OPERATOR:
    case QM_TASK_UNKNOWN:
        break;
    }
    return true;
}

static void agent_says(struct qm_planner *p, struct qm_agent *agent,
                       const struct qm_task_status *status)
{
    switch (status->state) {
    case QM_TASK_UNREACHABLE:
    case QM_TASK_LOST:
    case QM_TASK_GONE_BY_OPERATOR:
    case QM_TASK_UNKNOWN:
        qm_agent_lost(p, agent, qm_task_state_name(status->state));
        break;
    default:
        if (status->source != QM_SOURCE_MASTER || !tells_end(status->state))
            qm_agent_heard(p, agent);
        break;
    }
}

static int unknown_task(struct qm_planner *p, const struct qm_task_status *status)
{
    char *id = NULL, *agent_id = NULL;

    if (!tells_end(status->state))
        qm_strangers_note(p, status);
    else if (status->state != QM_TASK_UNREACHABLE)
        qm_strangers_forget(p, status->task_id);
    if (!status->has_uuid)
        return 0;
    id = qm_arena_strdup(&p->instant, status->task_id);
    agent_id = qm_arena_strdup(&p->instant, status->agent_id ? status->agent_id : "");
    if (!id || !agent_id)
        qm_out_of_memory(p);
    else
        acknowledge(p, status, id, agent_id);
    return 0;
}

int qm_fact_status(struct qm_planner *p, const struct qm_task_status *status)
{
    struct qm_task *task;

    if (!status->task_id || !status->task_id[0])
        return QM_E_INVALID;
    if (!tells_end(status->state) && (!status->agent_id || !status->agent_id[0]))
        return QM_E_INVALID;
    task = qm_task_find(p, status->task_id);
    if (!task)
        return unknown_task(p, status);
    /* An agent that is not the task's can say nothing about it. */
    if (status->agent_id && status->agent_id[0] && strcmp(status->agent_id, task->agent->id) != 0) {
        char *agent_id = qm_arena_strdup(&p->instant, status->agent_id);

        if (!agent_id)
            qm_out_of_memory(p);
        else
            acknowledge(p, status, task->id, agent_id);
        return 0;
    }
    acknowledge(p, status, task->id, task->agent->id);
    agent_says(p, task->agent, status);
    qm_task_status(p, task, status);
    return 0;
}
