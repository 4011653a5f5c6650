/*
 * Orders about one host. Drain: its services are stopped under rule 5 and nothing but the prober
 * starts there until it is readmitted, by order or in time. Forget: the host is gone for good; what
 * was recorded there counts as dead, and nothing waits for it any more.
 */
#include <string.h>

#include "rooms.h"

bool qm_host_drained(const struct qm_host *host)
{
    return host->extra && host->extra->drained;
}

bool qm_host_to_record(const struct qm_host *host)
{
    if (host->tasks || qm_host_drained(host))
        return true;
    for (size_t i = 0; i < host->n_places; i++)
        if (host->places[i].skipped)
            return true;
    return false;
}

void qm_drained_why(const struct qm_planner *p, const struct qm_host *host, struct qm_reason *why)
{
    const struct qm_host_extra *extra = host->extra;

    *why = (struct qm_reason){.code = QM_WHY_DRAINED, .since = extra->drained_since};
    if (extra->drained_until != QM_TIME_NEVER && extra->drained_until > p->now)
        why->want = extra->drained_until - p->now;
    qm_copy_text(why->subject, sizeof(why->subject), host->name);
}

qm_time qm_drain_deadline(const struct qm_planner *p, const struct qm_host *host)
{
    (void)p;
    return qm_host_drained(host) ? host->extra->drained_until : QM_TIME_NEVER;
}

static void changed(struct qm_planner *p, struct qm_host *host)
{
    qm_host_record_changed(p, host);
    qm_host_touch(p, host);
    p->floating_look = true;
    p->plan.dirty = true;
}

static int drain(struct qm_planner *p, struct qm_host *host, const struct qm_command *command)
{
    qm_time until = command->expires ? command->expires : QM_TIME_NEVER;
    struct qm_host_extra *extra = qm_host_extra(p, host);
    const char *why = command->reason ? command->reason : "";

    if (!extra)
        return 0;
    if (until <= p->now)
        return qm_refuse(p, QM_E_INVALID, "the drain would be over already");
    if (!extra->drained)
        extra->drained_since = p->now;
    extra->drained = true;
    extra->drained_until = until;
    qm_free(p->allocator, extra->drained_why);
    extra->drained_why = qm_memdup0(p->allocator, why, qm_clip(why, QM_COMMAND_TEXT_MAX));
    if (!extra->drained_why)
        qm_out_of_memory(p);
    changed(p, host);
    return 0;
}

static void end_drain(struct qm_planner *p, struct qm_host *host)
{
    struct qm_host_extra *extra = host->extra;

    extra->drained = false;
    qm_free(p->allocator, extra->drained_why);
    extra->drained_why = NULL;
    changed(p, host);
    qm_revive_want(p);
}

static int readmit(struct qm_planner *p, struct qm_host *host)
{
    if (!qm_host_drained(host))
        return qm_refuse(p, QM_E_CONFLICT, "%.200s is not drained", host->name);
    end_drain(p, host);
    return 0;
}

void qm_drain_tick(struct qm_planner *p, struct qm_host *host)
{
    const struct qm_command over = {.type = QM_COMMAND_HOST_DRAIN};

    if (!qm_host_drained(host) || p->now < host->extra->drained_until)
        return;
    end_drain(p, host);
    qm_trace(p, QM_TRACE_COMMAND, host->name, "drain", "", "its time is over");
    qm_event_note(p, &over, host->name, true);
}

/* What was recorded there is dead by the operator's word. */
static int forget(struct qm_planner *p, struct qm_host *host)
{
    for (const struct qm_agent *a = host->agents; a; a = a->next)
        if (a->connected)
            return qm_refuse(p, QM_E_CONFLICT,
                             "the agent of %.200s is connected: stop it first, or drain the host",
                             host->name);
    qm_jobs_drop_host(p, host, "forgotten by the operator");
    while (host->tasks && !p->failed) {
        qm_task_ended(p, host->tasks, false, "forgotten by the operator");
        qm_task_remove(p, host->tasks);
    }
    if (qm_host_drained(host))
        end_drain(p, host);
    qm_devices_free(p, host);
    host->mount_point = false;
    for (size_t i = 0; i < host->n_places; i++) {
        host->places[i].once_healthy = host->places[i].rolling = false;
        host->places[i].skipped = host->places[i].skipped_down = false;
        qm_backoff_reset(&host->places[i]);
        qm_place_refresh(p, &host->places[i]);
    }
    changed(p, host);
    qm_plan_touch_all(p);
    qm_revive_want(p);
    return 0;
}

int qm_host_verb(struct qm_planner *p, const struct qm_command *command)
{
    const char *name = command->subject ? command->subject : "";
    struct qm_host *host = qm_host_find(p, name);
    int result;

    if (!host)
        return qm_refuse(p, QM_E_UNKNOWN, "no such host: %.200s", name);
    if (command->type == QM_COMMAND_HOST_DRAIN)
        result = drain(p, host, command);
    else if (command->type == QM_COMMAND_HOST_READMIT)
        result = readmit(p, host);
    else
        result = forget(p, host);
    if (result != 0 || p->failed)
        return result;
    qm_trace(p, QM_TRACE_COMMAND, name, "", qm_command_name(command->type), "%s", "");
    qm_event_note(p, command, name, false);
    return 0;
}
