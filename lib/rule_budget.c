/*
 * Rule 3, failures: what counts, and when it is too much. A failure is a task of an upgrade or
 * configuration change that ended by itself, or a step that was not ready in time. Trouble of
 * agents, executors and offers, draining and our own kills are none. Over budget the plan pauses
 * itself with a named reason; deployment and repair have no budget, they back off.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

/* mesos.v1.TaskStatus.Reason: the agent's, executor's or master's trouble, not the task's. */
static bool is_trouble_of_mesos(int reason)
{
    static const uint8_t trouble[] = {
        1,  /* EXECUTOR_TERMINATED */
        2,  /* EXECUTOR_UNREGISTERED */
        3,  /* FRAMEWORK_REMOVED */
        6,  /* INVALID_OFFERS */
        7,  /* MASTER_DISCONNECTED */
        10, /* AGENT_DISCONNECTED */
        11, /* AGENT_REMOVED */
        12, /* AGENT_RESTARTED */
        13, /* AGENT_UNKNOWN */
        17, /* CONTAINER_PREEMPTED */
        23, /* EXECUTOR_REGISTRATION_TIMEOUT */
        24, /* EXECUTOR_REREGISTRATION_TIMEOUT */
        31, /* AGENT_REMOVED_BY_OPERATOR */
        32, /* AGENT_REREGISTERED */
        34, /* AGENT_DRAINING */
    };

    for (size_t i = 0; i < sizeof(trouble); i++)
        if (reason == trouble[i])
            return true;
    return false;
}

bool qm_ended_by_itself(const struct qm_task *task, const struct qm_task_status *status)
{
    if (task->stop != QM_STOP_NONE || is_trouble_of_mesos(status->reason))
        return false;
    switch (status->state) {
    case QM_TASK_FINISHED:
    case QM_TASK_FAILED:
    case QM_TASK_ERROR:
        return true;
    case QM_TASK_KILLED: /* by its health check; others kill on purpose */
        return task->stage != QM_STAGE_KILLING || (status->has_healthy && !status->healthy);
    default:
        return false;
    }
}

/* One of this plan: at its target, in a phase that was opened. */
static bool is_of_plan(const struct qm_planner *p, const struct qm_task *task)
{
    const struct qm_phase *phase = qm_phase_of(p, task->service);

    return qm_plan_rolls(p) && !p->plan.config_waits && task->service != QM_SERVICE_PROBER &&
           phase && phase->reached && !qm_task_outdated(p, task);
}

void qm_budget_ended(struct qm_planner *p, const struct qm_task *task,
                     const struct qm_task_status *status)
{
    const struct qm_place *place = qm_place_of(p, task);

    if (task->service == p->n_services && task->stage != QM_STAGE_DEAD) {
        qm_image_ended(p, task, status);
        return;
    }
    if (place && task->stage != QM_STAGE_DEAD && is_of_plan(p, task) &&
        qm_ended_by_itself(task, status))
        qm_budget_failed(p, place, qm_task_state_name(status->state));
}

void qm_budget_fresh(struct qm_planner *p)
{
    p->rules.failures = 0;
    p->rules.n_spent = 0;
}

static struct qm_spent *spent_of(struct qm_planner *p, const char *step)
{
    struct qm_rules *r = &p->rules;

    for (size_t i = 0; i < r->n_spent; i++)
        if (strcmp(r->spent[i].step, step) == 0)
            return &r->spent[i];
    if (r->n_spent == QM_SPENT_MAX)
        memmove(&r->spent[0], &r->spent[1], --r->n_spent * sizeof(r->spent[0]));
    if (!qm_grow(p->allocator, &r->spent, &r->spent_capacity, r->n_spent + 1, sizeof(*r->spent))) {
        qm_out_of_memory(p);
        return NULL;
    }
    memset(&r->spent[r->n_spent], 0, sizeof(*r->spent));
    snprintf(r->spent[r->n_spent].step, sizeof(r->spent->step), "%s", step);
    return &r->spent[r->n_spent++];
}

void qm_budget_failed(struct qm_planner *p, const struct qm_place *place, const char *what)
{
    const struct qm_rollout_policy *policy = &p->policy->rollout;
    struct qm_spent *spent;
    char step[sizeof(spent->step)];

    qm_step_id(p, place, step, sizeof(step));
    spent = spent_of(p, step);
    if (!spent)
        return;
    spent->n++;
    p->rules.failures++;
    qm_trace(p, QM_TRACE_PLAN, step, "", "failure", "%s", what);
    qm_framework_changed(p);
    if (p->rules.hold.code != QM_WHY_NOTHING)
        return;
    if (place->service == p->n_services) {
        if (spent->n > policy->failures_per_instance || p->rules.failures > policy->failures_total)
            qm_hold_set(p, QM_WHY_IMAGE_FAILED, place->host->name, p->rules.failures, 0);
    } else if (spent->n > policy->failures_per_instance)
        qm_hold_set(p, QM_WHY_FAILURES, step, spent->n, policy->failures_per_instance);
    else if (p->rules.failures > policy->failures_total)
        qm_hold_set(p, QM_WHY_FAILURES_TOTAL, step, p->rules.failures, policy->failures_total);
}

void qm_hold_set(struct qm_planner *p, enum qm_reason_code code, const char *subject, uint64_t have,
                 uint64_t want)
{
    struct qm_reason *hold = &p->rules.hold;

    *hold = (struct qm_reason){.code = code, .since = p->now, .have = have, .want = want};
    snprintf(hold->subject, sizeof(hold->subject), "%.127s", subject);
    qm_trace(p, QM_TRACE_PLAN, "pause", "", qm_reason_name(code), "%s", subject);
    qm_framework_changed(p);
    qm_plan_touch_all(p);
}

bool qm_held(const struct qm_planner *p, struct qm_reason *why)
{
    if (p->rules.hold.code == QM_WHY_NOTHING || !qm_plan_rolls(p))
        return false;
    if (why)
        *why = p->rules.hold;
    return true;
}

bool qm_puts_back(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    return qm_held(p, NULL) && task && task->stage == QM_STAGE_DEAD && task->previous && !task->ran;
}

/* What it replaced is nothing to go back to any more. */
void qm_step_complete(struct qm_planner *p, struct qm_place *place)
{
    place->rolling = false;
    place->begun = 0;
    if (place->task && place->task->previous && place->task->stage == QM_STAGE_HEALTHY) {
        place->task->previous = NULL;
        qm_host_record_changed_lazily(p, place->task->host);
    }
}

/* A task that never got to RUNNING is put back: nothing of its version has touched the device. */
const char *qm_version_before(const struct qm_task *task)
{
    return task->previous && !task->ran ? task->previous : task->version;
}
