/*
 * Orders about the whole plan: pause with an end, and which version may be posted when.
 *
 * While an upgrade is not complete, its target may be posted again (nothing changes) and the last
 * completed version always (a rollback). Any other one simply takes the unfinished one's place as
 * long as that never ran anywhere; after that it would mix three versions and needs force.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

int qm_pause(struct qm_planner *p, const struct qm_command *command)
{
    qm_time until = command->expires ? command->expires : QM_TIME_NEVER;

    if (until <= p->now)
        return qm_refuse(p, QM_E_INVALID, "the pause would be over already");
    if (!p->paused) {
        p->paused = true;
        p->paused_since = p->now;
        qm_trace(p, QM_TRACE_COMMAND, "pause", "", "paused", "%s", "");
        qm_plan_touch_all(p);
    }
    p->paused_until = until;
    qm_copy_text(p->paused_why, sizeof(p->paused_why), command->reason);
    qm_event_note(p, command, "", false);
    return 0;
}

void qm_pause_tick(struct qm_planner *p)
{
    const struct qm_command over = {.type = QM_COMMAND_PAUSE};

    if (!p->paused || p->now < p->paused_until)
        return;
    if (p->old_state)
        p->paused_until = QM_TIME_NEVER; /* an old state is accepted by the operator alone */
    else if (qm_resume(p) == 0)
        qm_event_note(p, &over, "", true);
}

qm_time qm_pause_deadline(const struct qm_planner *p)
{
    return p->paused ? p->paused_until : QM_TIME_NEVER;
}

/* The first number in a version: "2" of "2.1.0" and of "v2.1". 0 when there is none. */
static unsigned long major_of(const char *version)
{
    while (*version && (*version < '0' || *version > '9'))
        version++;
    return strtoul(version, NULL, 10);
}

int qm_target_refused(struct qm_planner *p, const struct qm_command *command)
{
    const char *version = command->version,
               *complete = p->completed.set ? p->completed.version : "";

    if (command->force || strcmp(version, complete) == 0)
        return 0;
    if (p->moved[0] && strcmp(version, p->moved) != 0)
        return qm_refuse(p, QM_E_CONFLICT,
                         "the upgrade from %.60s to %.60s is not complete and has moved instances: "
                         "post %.60s to go back, %.60s to go on, or add ?force=true",
                         complete, p->moved, complete, p->moved);
    if (complete[0] && major_of(version) < major_of(complete))
        return qm_refuse(p, QM_E_CONFLICT,
                         "%.60s has a lower major version than %.60s, which is complete: "
                         "add ?force=true if the data allow it",
                         version, complete);
    return 0;
}

enum qm_plan_kind qm_target_kind(const struct qm_planner *p, const char *version)
{
    if (!p->completed.set || !p->completed.version[0])
        return QM_PLAN_DEPLOY;
    if (version == p->completed.version && p->target.version[0])
        return QM_PLAN_ROLLBACK;
    return QM_PLAN_UPGRADE;
}

void qm_moved_note(struct qm_planner *p, const struct qm_task *task)
{
    if (p->moved[0] || !qm_plan_rolls(p) || p->plan.kind != QM_PLAN_UPGRADE || !task->version[0])
        return;
    if (task->version == p->target.version && task->version != p->completed.version)
        p->moved = task->version;
}

/* Of a recorded task it is not known whether it ran: it is taken to have. */
void qm_moved_restore(struct qm_planner *p)
{
    if (!qm_plan_rolls(p) || !p->completed.set)
        return;
    for (size_t i = 0; i < p->n_hosts; i++)
        for (const struct qm_task *t = p->hosts[i]->tasks; t; t = t->next)
            if (t->version[0] && t->version != p->completed.version &&
                (p->plan.kind == QM_PLAN_ROLLBACK || t->version == p->target.version))
                p->moved = t->version;
}
