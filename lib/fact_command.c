/* An operator's orders. All are saved; the decision follows when actions are drained. */
#include <string.h>

#include "rooms.h"

static void remember(struct qm_planner *p)
{
    if (p->n_history == QM_HISTORY_MAX)
        memmove(&p->history[0], &p->history[1], --p->n_history * sizeof(p->history[0]));
    p->history[p->n_history++] = p->target;
}

static int set_target(struct qm_planner *p, const struct qm_command *command)
{
    const char *version = command->version, *interned;
    enum qm_plan_kind kind;

    if (!version || !qm_version_is_valid(version))
        return QM_E_INVALID;
    if (p->target.set && strcmp(p->target.version, version) == 0)
        return 0;
    if (qm_target_refused(p, command) != 0)
        return QM_E_CONFLICT;
    interned = qm_intern(p, version);
    if (p->failed)
        return 0;
    kind = qm_target_kind(p, interned);
    qm_event_note(p, command, version, false);
    qm_trace(p, QM_TRACE_COMMAND, "target", p->target.set ? p->target.version : "", version, "%s",
             "");
    p->target = (struct qm_target){interned, qm_overall_hash(p), p->now, true};
    remember(p);
    p->shutdown_at = QM_TIME_NEVER;
    p->shutting_down = false;
    p->plan.config_waits = false;
    qm_order_changed(p);
    qm_jobs_drop_services(p, "the target changed");
    qm_plan_begin(p, kind);
    qm_revive_want(p);
    return 0;
}

/* Posting the last completed version does the same. */
static int roll_back(struct qm_planner *p, const struct qm_command *command)
{
    struct qm_command order = *command;

    if (!p->completed.set || !p->completed.version[0])
        return qm_refuse(p, QM_E_CONFLICT,
                         "no version was completed before: nothing to go back to");
    if (!p->target.version[0])
        return qm_refuse(p, QM_E_CONFLICT, "everything is being shut down: post a version instead");
    if (p->target.version == p->completed.version)
        return qm_refuse(p, QM_E_CONFLICT,
                         "no upgrade is under way: %.128s is complete, or already "
                         "being gone back to",
                         p->completed.version);
    order.version = p->completed.version;
    return set_target(p, &order);
}

static int shut_down(struct qm_planner *p, const struct qm_command *command)
{
    if (p->target.set && !p->target.version[0])
        return 0;
    qm_event_note(p, command, "", false);
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

static void end_pause(struct qm_planner *p)
{
    p->paused = false;
    p->paused_since = p->now;
    p->paused_until = QM_TIME_NEVER;
    p->paused_why[0] = '\0';
    qm_trace(p, QM_TRACE_COMMAND, "pause", "paused", "resumed", "%s", "");
    qm_framework_changed(p);
    qm_plan_touch_all(p);
    qm_revive_want(p);
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

int qm_resume(struct qm_planner *p)
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
    if (p->paused) {
        end_pause(p);
        return 0;
    }
    if (qm_rules_resume(p))
        return 0;
    if (p->plan.config_waits)
        return start_config_plan(p);
    return QM_E_CONFLICT;
}

int qm_fact_command(struct qm_planner *p, const struct qm_command *command)
{
    int result;

    p->refusal[0] = '\0';
    switch (command->type) {
    case QM_COMMAND_SET_TARGET:
        return set_target(p, command);
    case QM_COMMAND_ROLLBACK:
        return roll_back(p, command);
    case QM_COMMAND_SHUT_DOWN:
        return shut_down(p, command);
    case QM_COMMAND_RESUME:
        result = qm_resume(p);
        if (result != 0)
            return qm_refuse(p, result, "nothing is paused, and nothing waits for a resume");
        qm_event_note(p, command, "", false);
        return 0;
    default:
        return qm_verb(p, command);
    }
}
