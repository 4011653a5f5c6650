/* When a prober is told to look again: its report is not known, or it has been silent for long. */
#include "rooms.h"

#define ASK_AGAIN QM_SECONDS(5) /* after a question without an answer, while nothing is known */

static const struct qm_task *running_prober(const struct qm_host *host)
{
    const struct qm_task *task = host->n_places > 0 ? host->places[0].task : NULL;

    if (!task || task->agent != host->agent || !qm_host_connected(host))
        return NULL;
    return task->stage == QM_STAGE_RUNNING || task->stage == QM_STAGE_HEALTHY ? task : NULL;
}

static qm_time wanted_at(const struct qm_planner *p, const struct qm_host *host)
{
    qm_time last;

    if (!host->reported)
        return host->probed == 0 ? p->now : qm_later_by(host->probed, ASK_AGAIN);
    last = host->last_report > host->probed ? host->last_report : host->probed;
    return qm_later_by(last, p->policy->probe_interval);
}

void qm_probe_consider(struct qm_planner *p, struct qm_host *host)
{
    const struct qm_task *task = running_prober(host);
    struct qm_action *action;

    if (!p->connected || !task || p->now < wanted_at(p, host))
        return;
    host->probed = p->now;
    action = qm_emit(p, QM_RANK_PROBE, QM_ACTION_PROBE, host->name);
    if (!action)
        return;
    action->probe.agent_id = task->agent->id;
    action->probe.executor_id = qm_task_executor_id(task);
}

qm_time qm_probe_deadline(const struct qm_planner *p, const struct qm_host *host)
{
    if (!p->connected || !running_prober(host))
        return QM_TIME_NEVER;
    return wanted_at(p, host);
}
