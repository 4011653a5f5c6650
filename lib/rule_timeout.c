/*
 * A step that is not ready in time is a failure of its plan, again after each further time-out. It
 * kills nobody that runs: replaying a journal after a power loss takes what it takes. A task that
 * never got to RUNNING is stopped once the plan has paused itself, so that its instance is put back.
 */
#include "rooms.h"

static bool is_timed(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_task *task = place->surge ? place->surge : place->task;

    return p->policy->rollout.step_timeout > 0 && qm_plan_rolls(p) && task && task->previous &&
           task->stop == QM_STOP_NONE && qm_stage_known(task->stage) &&
           !qm_task_outdated(p, task) && !qm_task_available(p, task);
}

static void put_back(struct qm_planner *p, const struct qm_place *place)
{
    struct qm_task *task = place->surge ? place->surge : place->task;

    if (task->stage == QM_STAGE_SEEN || task->stage == QM_STAGE_SENT)
        qm_task_stop(p, task, QM_STOP_PUT_BACK);
}

void qm_timeout_consider(struct qm_planner *p, struct qm_place *place)
{
    if (!is_timed(p, place)) {
        place->timed_since = 0;
        return;
    }
    if (place->timed_since == 0)
        place->timed_since = p->now;
    if (qm_held(p, NULL) || p->now < qm_timeout_deadline(p, place))
        return;
    place->timed_since = p->now;
    qm_budget_failed(p, place, "not ready in time");
    if (qm_held(p, NULL))
        put_back(p, place);
}

qm_time qm_timeout_deadline(const struct qm_planner *p, const struct qm_place *place)
{
    if (place->timed_since == 0 || qm_held(p, NULL))
        return QM_TIME_NEVER;
    return qm_later_by(place->timed_since, p->policy->rollout.step_timeout);
}
