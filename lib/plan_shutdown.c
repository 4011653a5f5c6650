/*
 * Shut down: after a grace that any posted version cancels, services are stopped in reverse order
 * of deployment, phase by phase; kills are repeated until every end is proven. Probers stay. A task
 * that cannot be reached does not hold the next phase; it is stopped when it comes back.
 */
#include <string.h>

#include "rooms.h"

static void stop_host(struct qm_planner *p, struct qm_host *host, size_t service)
{
    for (struct qm_task *task = host->tasks; task; task = task->next)
        if (task->service == service && qm_stage_live(task->stage))
            qm_task_stop(p, task, QM_STOP_SHUTDOWN);
}

static void stop_service(struct qm_planner *p, size_t service)
{
    struct qm_host **hosts = qm_host_list(p);

    for (size_t i = 0; i < p->n_hosts; i++)
        stop_host(p, hosts[i], service);
}

static void begin(struct qm_planner *p)
{
    p->shutting_down = true;
    p->shutdown_at = QM_TIME_NEVER;
    p->moved = "";
    p->completed = (struct qm_target){.version = ""};
    qm_order_changed(p);
    qm_plan_touch_all(p);
}

bool qm_shutdown_progress(struct qm_planner *p)
{
    bool opened = false;

    if (!p->shutting_down) {
        if (p->now < p->shutdown_at)
            return false;
        begin(p);
    }
    for (; p->plan.current < p->plan.n_phases; p->plan.current++) {
        struct qm_phase *phase = &p->plan.phases[p->plan.current];

        if (!phase->may_stop) {
            phase->may_stop = opened = true;
            qm_phase_open(p, phase);
            stop_service(p, phase->service);
        }
        if (qm_count(p, phase->service, QM_COUNT_LIVE) > 0)
            return opened;
        phase->over = true;
    }
    if (p->plan.completed == QM_TIME_NEVER && p->n_unanswered == 0) {
        p->plan.completed = p->now;
        qm_framework_changed(p);
    }
    return opened;
}

/* Tasks that turn up later, on hosts that were away: stopped as soon as they are seen. */
void qm_shutdown_catch_up(struct qm_planner *p)
{
    if (p->plan.kind != QM_PLAN_SHUTDOWN || !p->shutting_down)
        return;
    for (size_t i = 0; i < p->n_dirty; i++)
        for (size_t k = 0; k < p->plan.n_phases; k++)
            if (p->plan.phases[k].may_stop)
                stop_host(p, p->dirty[i], p->plan.phases[k].service);
}
