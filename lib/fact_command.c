/* An operator's orders. All are saved; the decision follows when actions are drained. */
#include <string.h>

#include "rooms.h"

static void remember(struct qm_planner *p)
{
    if (p->n_history == QM_HISTORY_MAX)
        memmove(&p->history[0], &p->history[1], --p->n_history * sizeof(p->history[0]));
    p->history[p->n_history++] = p->target;
}

static int set_target(struct qm_planner *p, const char *version)
{
    const char *interned;

    if (!version || !qm_version_is_valid(version))
        return QM_E_INVALID;
    if (p->target.set && strcmp(p->target.version, version) == 0)
        return 0;
    interned = qm_intern(p, version);
    if (!interned)
        return 0;
    qm_trace(p, QM_TRACE_COMMAND, "target", p->target.set ? p->target.version : "", version, "%s",
             "");
    p->target = (struct qm_target){interned, qm_overall_hash(p), p->now, true};
    remember(p);
    p->shutdown_at = QM_TIME_NEVER;
    p->shutting_down = false;
    p->plan.config_waits = false;
    qm_order_changed(p);
    qm_jobs_drop_services(p, "the target changed");
    qm_plan_begin(p,
                  p->completed.set && p->completed.version[0] ? QM_PLAN_UPGRADE : QM_PLAN_DEPLOY);
    qm_revive_want(p);
    return 0;
}

static int shut_down(struct qm_planner *p)
{
    if (p->target.set && !p->target.version[0])
        return 0;
    qm_trace(p, QM_TRACE_COMMAND, "target", p->target.set ? p->target.version : "", "",
             "shut down");
    p->target = (struct qm_target){"", 0, p->now, true};
    remember(p);
    p->shutdown_at = qm_later_by(p->now, p->policy->shutdown_delay);
    p->shutting_down = false;
    p->plan.config_waits = false;
    qm_order_changed(p);
    qm_jobs_drop_services(p, "shut down");
    qm_plan_begin(p, QM_PLAN_SHUTDOWN);
    return 0;
}

static int set_paused(struct qm_planner *p, bool paused)
{
    if (p->paused == paused)
        return paused ? 0 : QM_E_CONFLICT;
    p->paused = paused;
    p->paused_since = p->now;
    qm_trace(p, QM_TRACE_COMMAND, "pause", paused ? "" : "paused", paused ? "paused" : "resumed",
             "%s", "");
    qm_framework_changed(p);
    qm_plan_touch_all(p);
    if (!paused)
        qm_revive_want(p);
    return 0;
}

static int start_config_plan(struct qm_planner *p)
{
    p->plan.config_waits = false;
    p->target.config_hash = qm_overall_hash(p);
    qm_trace(p, QM_TRACE_COMMAND, "config", "waiting", "rolls", "%s", "");
    qm_framework_changed(p);
    qm_plan_touch_all(p);
    qm_revive_want(p);
    return 0;
}

/* One resume ends one hold, the gravest first. */
static int resume(struct qm_planner *p)
{
    if (p->old_state) {
        p->old_state = false;
        p->old_state_accepted = true;
        p->n_disagree = 0;
        qm_trace(p, QM_TRACE_COMMAND, "old state", "held", "accepted", "%s", "");
        qm_plan_touch_all(p);
        qm_revive_want(p);
        return 0;
    }
    if (p->paused)
        return set_paused(p, false);
    if (qm_rules_resume(p))
        return 0;
    if (p->plan.config_waits)
        return start_config_plan(p);
    return QM_E_CONFLICT;
}

int qm_fact_command(struct qm_planner *p, const struct qm_command *command)
{
    switch (command->type) {
    case QM_COMMAND_SET_TARGET:
        return set_target(p, command->version);
    case QM_COMMAND_SHUT_DOWN:
        return shut_down(p);
    case QM_COMMAND_PAUSE:
        return set_paused(p, true);
    case QM_COMMAND_RESUME:
        return resume(p);
    default:
        break;
    }
    return QM_E_INVALID;
}
