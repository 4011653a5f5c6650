/*
 * The machine of docs/tasks.md: what moves a task from one stage to another. That page and this
 * file change together.
 */
#include <string.h>

#include "rooms.h"

bool qm_stage_live(enum qm_task_stage stage)
{
    return stage != QM_STAGE_DEAD;
}

bool qm_task_may_be_stuck(const struct qm_task *task)
{
    return (task->stage == QM_STAGE_SENT || task->stage == QM_STAGE_SEEN) &&
           task->state == QM_TASK_STAGING && task->stop == QM_STOP_NONE;
}

bool qm_task_idle(const struct qm_task *task)
{
    return !task || task->stage == QM_STAGE_DEAD || task->parked;
}

bool qm_stage_known(enum qm_task_stage stage)
{
    return stage != QM_STAGE_DEAD && stage != QM_STAGE_UNREACHABLE && stage != QM_STAGE_UNANSWERED;
}

const char *qm_stop_reason_name(enum qm_stop_reason reason)
{
    switch (reason) {
    case QM_STOP_NONE:
        return "";
    case QM_STOP_SHUTDOWN:
        return "shut down";
    case QM_STOP_ROLLOUT:
        return "outdated";
    case QM_STOP_SURGED:
        return "its successor runs";
    case QM_STOP_SURPLUS:
        return "its place is taken";
    case QM_STOP_STUCK:
        return "not started for long";
    case QM_STOP_RESTART:
        return "restarted by the operator";
    case QM_STOP_DRAIN:
        return "its host is drained";
    case QM_STOP_PUT_BACK:
        return "not ready in time";
    }
    return "";
}

void qm_task_enter(struct qm_planner *p, struct qm_task *task, enum qm_task_stage stage,
                   const char *cause)
{
    enum qm_task_stage before = task->stage;

    if (before == stage)
        return;
    if (before == QM_STAGE_UNANSWERED)
        p->n_unanswered--;
    if (stage == QM_STAGE_UNANSWERED)
        p->n_unanswered++;
    task->stage = (uint8_t)stage;
    task->parked = false;
    task->since = p->now;
    /* An unanswered task keeps its health's age: its answer decides. */
    if (stage != QM_STAGE_HEALTHY && stage != QM_STAGE_UNANSWERED)
        task->healthy_since = QM_TIME_NEVER;
    /* When it is back, its step is judged anew: others may be down by then. */
    if (!qm_stage_known(stage) && stage != QM_STAGE_DEAD && task->stop == QM_STOP_ROLLOUT)
        task->stop = QM_STOP_NONE;
    qm_trace(p, QM_TRACE_TASK, task->id, qm_task_stage_name(before), qm_task_stage_name(stage),
             "%s", cause);
    qm_host_touch(p, task->host);
}

static void becomes_healthy(struct qm_planner *p, struct qm_task *task)
{
    struct qm_place *place = qm_place_of(p, task);

    if (task->healthy_since == QM_TIME_NEVER)
        task->healthy_since = p->now;
    if (!task->was_healthy) {
        task->was_healthy = true;
        qm_host_record_changed_lazily(p, task->host);
    }
    if (place && !task->surplus) {
        place->once_healthy = true;
        qm_skip_healthy(p, place);
    }
    if (task->service == QM_SERVICE_REGISTRY && !p->bootstrapped && p->target.set) {
        p->bootstrapped = true;
        p->plan.dirty = true;
        qm_framework_changed(p);
    }
    qm_task_enter(p, task, QM_STAGE_HEALTHY, "");
}

/* The end of a task is proven. */
void qm_task_ended(struct qm_planner *p, struct qm_task *task, bool by_itself, const char *cause)
{
    struct qm_place *place = qm_place_of(p, task);
    bool stable, ordered = task->stop != QM_STOP_NONE || task->kill_sent;

    if (task->stage == QM_STAGE_DEAD)
        return;
    stable = task->healthy_since != QM_TIME_NEVER &&
             p->now - task->healthy_since >= p->policy->services[task->service].backoff_reset;
    qm_task_enter(p, task, QM_STAGE_DEAD, cause);
    qm_host_record_changed(p, task->host);
    if (place && (place->task == task || place->surge == task) && by_itself && !ordered)
        qm_backoff_failed(p, place, stable);
    if (task->surplus)
        p->n_surplus--;
    task->shut_down = task->stop == QM_STOP_SHUTDOWN || (p->shutting_down && !task->surplus);
    task->stop = QM_STOP_NONE;
}

static void note_message(struct qm_planner *p, struct qm_task *task, const char *message)
{
    struct qm_task_extra *extra;

    if (!message || !message[0]) {
        if (!task->extra || !task->extra->message)
            return;
        qm_free(p->allocator, task->extra->message);
        task->extra->message = NULL;
        return;
    }
    if (task->extra && task->extra->message && strcmp(task->extra->message, message) == 0)
        return;
    extra = qm_task_extra(p, task);
    if (!extra)
        return;
    qm_free(p->allocator, extra->message);
    extra->message = qm_memdup0(p->allocator, message, qm_clip(message, QM_MESSAGE_MAX));
    if (!extra->message)
        qm_out_of_memory(p);
}

static void running(struct qm_planner *p, struct qm_task *task, const struct qm_task_status *status)
{
    if (status->has_healthy)
        task->health_checked = true;
    qm_moved_note(p, task);
    if (!task->ran && task->previous)
        qm_host_record_changed_lazily(p, task->host);
    task->ran = true;
    if (task->stage == QM_STAGE_KILLING && task->stop != QM_STOP_NONE)
        return;
    if (status->has_healthy ? status->healthy : !task->health_checked)
        becomes_healthy(p, task);
    else
        qm_task_enter(p, task, QM_STAGE_RUNNING, status->has_healthy ? "unhealthy" : "");
}

static void cannot_be_reached(struct qm_planner *p, struct qm_task *task, const char *cause)
{
    qm_task_enter(p, task, QM_STAGE_UNREACHABLE, cause);
}

/* An end that delays the next try. Mesos' own kill of an unhealthy task says that it is unhealthy.
 */
static bool is_failure(const struct qm_task *task, const struct qm_task_status *status)
{
    if (status->state == QM_TASK_DROPPED && status->reason == QM_REASON_INVALID_OFFERS)
        return false;
    if (status->state == QM_TASK_KILLED && task->stage == QM_STAGE_KILLING)
        return status->has_healthy && !status->healthy;
    return true;
}

void qm_task_status(struct qm_planner *p, struct qm_task *task, const struct qm_task_status *status)
{
    task->state = (uint8_t)status->state;
    note_message(p, task, status->message);
    if (task->stage == QM_STAGE_DEAD)
        return;
    qm_budget_ended(p, task, status);
    switch (status->state) {
    case QM_TASK_STAGING:
    case QM_TASK_STARTING:
        if (task->stage != QM_STAGE_KILLING)
            qm_task_enter(p, task, QM_STAGE_SEEN, "");
        break;
    case QM_TASK_RUNNING:
        running(p, task, status);
        break;
    case QM_TASK_KILLING:
        qm_task_enter(p, task, QM_STAGE_KILLING, qm_stop_reason_name(task->stop));
        break;
    case QM_TASK_FINISHED:
    case QM_TASK_FAILED:
    case QM_TASK_KILLED:
    case QM_TASK_ERROR:
    case QM_TASK_DROPPED:
    case QM_TASK_GONE:
    case QM_TASK_GONE_BY_OPERATOR:
        qm_task_ended(p, task, is_failure(task, status), qm_task_state_name(status->state));
        break;
    case QM_TASK_LOST:
    case QM_TASK_UNREACHABLE:
    case QM_TASK_UNKNOWN:
        cannot_be_reached(p, task, qm_task_state_name(status->state));
        break;
    }
}

/* Orders a task's end. The kill itself is given out, and repeated, when its host is looked at. */
void qm_task_stop(struct qm_planner *p, struct qm_task *task, enum qm_stop_reason reason)
{
    if (task->stage == QM_STAGE_DEAD || task->stop == reason)
        return;
    task->stop = (uint8_t)reason;
    task->prodded = 0;
    qm_host_touch(p, task->host);
}
