/*
 * Two questions that programs and operators ask: may this host be stopped now, and does an order
 * that was just taken wait for a rule.
 */
#include "rooms.h"

static bool may_go(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    if (qm_available_after_stop(p, place, why))
        return true;
    qm_blocker(p, place, why);
    if (!why->subject[0])
        qm_copy_text(why->subject, sizeof(why->subject), p->policy->services[place->service].name);
    why->since = p->now;
    return false;
}

int qm_host_safe_to_stop(const struct qm_planner *p, const char *name, struct qm_reason *why)
{
    struct qm_host *host = qm_host_find(p, name);

    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (!host)
        return QM_E_UNKNOWN;
    if (!p->connected) {
        *why = (struct qm_reason){.code = QM_WHY_DISCONNECTED, .since = p->connected_since};
        return QM_E_CONFLICT;
    }
    if (p->n_unanswered > 0) {
        *why = (struct qm_reason){.code = QM_WHY_RECONCILING,
                                  .since = p->reconcile_started,
                                  .have = p->n_asked - p->n_unanswered,
                                  .want = p->n_asked};
        return QM_E_CONFLICT;
    }
    for (const struct qm_task *task = host->tasks; task; task = task->next) {
        const struct qm_place *place = qm_place_of((struct qm_planner *)p, task);

        if (task->service == QM_SERVICE_PROBER || !place || place->task != task ||
            !qm_stage_live(task->stage))
            continue;
        if (!may_go(p, place, why))
            return QM_E_CONFLICT;
    }
    return 0;
}

static bool drain_held(const struct qm_planner *p, const struct qm_host *host,
                       struct qm_reason *why)
{
    for (const struct qm_task *task = host->tasks; task; task = task->next) {
        const struct qm_place *place = qm_place_of((struct qm_planner *)p, task);

        if (place && place->task == task && qm_order_why(p, place, why) &&
            why->code != QM_WHY_LAST_STEP)
            return true;
    }
    return false;
}

static bool step_held(const struct qm_planner *p, const struct qm_command *command,
                      struct qm_reason *why)
{
    const struct qm_place *place = command->subject ? qm_place_by_step(p, command->subject) : NULL;

    return place && qm_order_why(p, place, why) && why->code != QM_WHY_LAST_STEP;
}

bool qm_command_held(const struct qm_planner *p, const struct qm_command *command,
                     struct qm_reason *why)
{
    const struct qm_host *host;

    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    switch (command->type) {
    case QM_COMMAND_STEP_RESTART:
    case QM_COMMAND_STEP_REPLACE:
        return step_held(p, command, why);
    case QM_COMMAND_HOST_DRAIN:
        host = command->subject ? qm_host_find(p, command->subject) : NULL;
        return host && drain_held(p, host, why);
    case QM_COMMAND_ROLLBACK:
        qm_plan_status(p, why);
        return why->code != QM_WHY_NOTHING;
    default:
        return false;
    }
}
