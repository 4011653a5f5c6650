/* Agents and executors that are lost, as far as the master can tell: a hint, never a proof. */
#include <string.h>

#include "rooms.h"

int qm_fact_agent_lost(struct qm_planner *p, const char *agent_id)
{
    struct qm_agent *agent;

    if (!agent_id || !agent_id[0])
        return QM_E_INVALID;
    agent = qm_agent_find(p, agent_id);
    if (!agent)
        return QM_E_UNKNOWN;
    for (struct qm_offer_left *offer = agent->host->offers; offer; offer = offer->next)
        offer->gone = true;
    qm_jobs_drop_host(p, agent->host, "agent lost");
    qm_agent_lost(p, agent, "agent lost");
    return 0;
}

/* Its tasks' ends come as statuses; we only ask, in case they do not. */
int qm_fact_executor_lost(struct qm_planner *p, const char *agent_id, const char *executor_id)
{
    struct qm_agent *agent;

    if (!agent_id || !agent_id[0] || !executor_id || !executor_id[0])
        return QM_E_INVALID;
    agent = qm_agent_find(p, agent_id);
    if (!agent)
        return QM_E_UNKNOWN;
    for (struct qm_task *task = agent->host->tasks; task; task = task->next)
        if (task->agent == agent && strcmp(qm_task_executor_id(task), executor_id) == 0)
            qm_reconcile_ask(p, task);
    return 0;
}
