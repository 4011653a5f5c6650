/*
 * The rules of a step, each a function, in the order of docs/rollout.md; the first that fails is
 * the step's reason to wait. Rule 9 (a fitting offer) is fit.c's, asked last. Rules that concern
 * only stops stand in `stop_rules` alone: a step on an instance that is down takes nothing away.
 */
#include <stdio.h>

#include "rooms.h"

struct look {
    const struct qm_planner *p;
    const struct qm_place *place;
    const struct qm_host *host; /* NULL: a floating instance without one yet */
};

typedef bool (*rule_fn)(const struct look *look, struct qm_reason *why);

static bool says(struct qm_reason *why, enum qm_reason_code code, uint64_t have, uint64_t want,
                 const char *subject)
{
    *why = (struct qm_reason){.code = code, .have = have, .want = want};
    if (subject)
        snprintf(why->subject, sizeof(why->subject), "%.*s", 120, subject);
    return false;
}

/* Rule 1: disconnected, nothing moves. */
static bool connected(const struct look *l, struct qm_reason *why)
{
    if (l->p->connected)
        return true;
    return says(why, QM_WHY_DISCONNECTED, 0, 0, NULL);
}

/* Rule 1: records that contradict what runs: the operator chooses. */
static bool trusted(const struct look *l, struct qm_reason *why)
{
    if (!l->p->old_state)
        return true;
    return says(why, QM_WHY_OLD_STATE, l->p->n_disagree, 0, NULL);
}

/* Rule 1: no healthy task is stopped until every recorded one has answered. */
static bool reconciled(const struct look *l, struct qm_reason *why)
{
    if (l->p->n_unanswered == 0)
        return true;
    return says(why, QM_WHY_RECONCILING, l->p->n_asked - l->p->n_unanswered, l->p->n_asked, NULL);
}

/* Rule 1: what the step rests on is not durable yet. */
static bool saved(const struct look *l, struct qm_reason *why)
{
    if (qm_order_saved(l->p))
        return true;
    return says(why, QM_WHY_SAVING, 0, 0, NULL);
}

/*
 * Rule 1: a place that the records leave empty may be filled all the same, by a task that no record
 * names; after a start the master is given a moment to tell.
 */
static bool nobody_else(const struct look *l, struct qm_reason *why)
{
    if (l->place->task)
        return true;
    if (l->p->now >= l->p->settle_until && !qm_strangers_at(l->p, l->host, l->place->service))
        return true;
    return says(why, QM_WHY_RECONCILING, l->p->n_asked - l->p->n_unanswered, l->p->n_asked, NULL);
}

/* Rule 3: paused by the operator. What ran before is repaired, and what we stopped is finished. */
static bool not_paused(const struct look *l, struct qm_reason *why)
{
    if (!l->p->paused || qm_place_repairs(l->place) || l->place->service == QM_SERVICE_PROBER)
        return true;
    return says(why, QM_WHY_PAUSED, 0, 0, NULL);
}

static bool stop_not_paused(const struct look *l, struct qm_reason *why)
{
    if (!l->p->paused)
        return true;
    return says(why, QM_WHY_PAUSED, 0, 0, NULL);
}

/* Rule 3: the plan has paused itself, or no window is open. */
static bool plan_rests(const struct look *l, struct qm_reason *why)
{
    return qm_rules_stop(l->p, l->place, why);
}

/* A plan that has paused itself starts nothing that never ran. */
static bool start_not_held(const struct look *l, struct qm_reason *why)
{
    return l->place->task || l->place->once_healthy || l->place->service == QM_SERVICE_PROBER ||
           !qm_held(l->p, why);
}

/* Rule 4: image, canary, limits, pause between failure domains. */
static bool turn(const struct look *l, struct qm_reason *why)
{
    return qm_rules_turn(l->p, l->place, why);
}

/* Rule 3, configuration: outdated tasks wait for the operator's word. */
static bool ordered(const struct look *l, struct qm_reason *why)
{
    if (!l->p->plan.config_waits)
        return true;
    return says(why, QM_WHY_CONFIG_WAITS, qm_count(l->p, l->place->service, QM_COUNT_OUTDATED), 0,
                NULL);
}

/* Is there anything that this place could be filled with? */
static bool has_target(const struct look *l, struct qm_reason *why)
{
    const struct qm_planner *p = l->p;

    if (l->place->service == QM_SERVICE_PROBER)
        return true;
    if (!p->target.set)
        return says(why, QM_WHY_NOT_NEEDED, 0, 0, NULL);
    if (p->target.version[0])
        return true;
    if (p->shutting_down)
        return says(why, QM_WHY_NOT_NEEDED, 0, 0, NULL);
    return says(why, QM_WHY_SHUTDOWN_GRACE, 0,
                p->shutdown_at > p->now ? p->shutdown_at - p->now : 0, NULL);
}

static const char *service_before(const struct qm_planner *p, const struct qm_phase *phase)
{
    for (const struct qm_phase *earlier = p->plan.phases; earlier < phase; earlier++)
        if (p->plan.kind == QM_PLAN_DEPLOY ? !qm_deploy_barrier_passed(p, earlier->service)
                                           : !earlier->over)
            return p->policy->services[earlier->service].name;
    return "";
}

/* Rule 4: an earlier phase is not complete. In an upgrade, what is down may start at its old
 * version. */
static bool phase_open(const struct look *l, struct qm_reason *why)
{
    const struct qm_phase *phase = qm_phase_of(l->p, l->place->service);

    if (l->place->service == QM_SERVICE_PROBER || !phase || phase->may_start)
        return true;
    if (qm_place_repairs(l->place))
        return true;
    if (qm_deploy_probing(l->p, why))
        return false;
    if (qm_count(l->p, QM_SERVICE_REGISTRY, QM_COUNT_WANTED) == 0)
        return says(why, QM_WHY_NO_REGISTRY_DEVICE, 0, 1, NULL);
    return says(why, QM_WHY_PHASE, 0, 0, service_before(l->p, phase));
}

static bool phase_stops(const struct look *l, struct qm_reason *why)
{
    const struct qm_phase *phase = qm_phase_of(l->p, l->place->service);

    if (phase && phase->may_stop)
        return true;
    if (phase && l->p->plan.kind == QM_PLAN_ROLLBACK && l->place->task &&
        l->place->task->stage != QM_STAGE_HEALTHY)
        return true; /* a rollback begins with what is down */
    return says(why, QM_WHY_PHASE, 0, 0, phase ? service_before(l->p, phase) : "");
}

/* Rule 4: the bootstrap registry goes first and alone. */
static bool bootstrap(const struct look *l, struct qm_reason *why)
{
    return l->place->service != QM_SERVICE_REGISTRY ||
           !qm_deploy_bootstrap_holds(l->p, l->place, why);
}

/* Rule 5. */
static bool available(const struct look *l, struct qm_reason *why)
{
    return qm_available_after_stop(l->p, l->place, why);
}

/* Rule 7: the host. */
bool qm_host_gate(const struct qm_planner *p, const struct qm_host *host, bool start,
                  struct qm_reason *why)
{
    if (start && !host->allowed)
        return says(why, QM_WHY_HOST_NOT_ALLOWED, 0, 0, host->name);
    if (host->rival)
        return says(why, QM_WHY_TWO_AGENTS, 0, 0, host->name);
    if (!qm_host_connected(host))
        return says(why, QM_WHY_UNREACHABLE, 0, 0, host->name);
    if (qm_host_in_maintenance(p, host))
        return says(why, QM_WHY_MAINTENANCE, 0, 0, host->name);
    return true;
}

static bool host_takes_starts(const struct look *l, struct qm_reason *why)
{
    if (l->host && l->place->service != QM_SERVICE_PROBER && qm_host_drained(l->host)) {
        qm_drained_why(l->p, l->host, why);
        return false;
    }
    return !l->host || qm_host_gate(l->p, l->host, true, why);
}

static bool host_takes_stops(const struct look *l, struct qm_reason *why)
{
    return !l->host || qm_host_gate(l->p, l->host, false, why);
}

/* Rule 7: the recorded task of this place must be known to be gone. */
static bool place_empty(const struct look *l, struct qm_reason *why)
{
    const struct qm_task *task = l->place->task;

    if (qm_task_idle(task))
        return true;
    if (task->stage == QM_STAGE_UNANSWERED)
        return says(why, QM_WHY_RECONCILING, 0, 1, task->id);
    return says(why, QM_WHY_UNREACHABLE, 0, 0, task->host->name);
}

/* Rule 7: device knowledge. A host that has not reported since it came may have been booted. */
static bool device_there(const struct look *l, struct qm_reason *why)
{
    const struct qm_service_policy *s = &l->p->policy->services[l->place->service];

    if (s->binding != QM_BOUND_TO_DEVICE)
        return true;
    if (!l->host->reported)
        return says(why, QM_WHY_DEVICE_STALE, 0, 0, l->host->name);
    for (const struct qm_known_device *d = l->host->devices; d; d = d->next)
        if (d->type == s->device_type && d->doubled)
            return says(why, QM_WHY_DEVICE_ON_TWO_HOSTS, 0, 0, qm_device_text(d, QM_DEVICE_MOUNT));
    if (qm_host_has_device(l->host, s->device_type, false))
        return true;
    return says(why, QM_WHY_DEVICE_MISSING, 0, 0, qm_device_type_name(s->device_type));
}

static bool device_single(const struct look *l, struct qm_reason *why)
{
    const struct qm_service_policy *s = &l->p->policy->services[l->place->service];

    for (const struct qm_known_device *d = l->host ? l->host->devices : NULL; d; d = d->next)
        if (s->binding == QM_BOUND_TO_DEVICE && d->type == s->device_type && d->doubled)
            return says(why, QM_WHY_DEVICE_ON_TWO_HOSTS, 0, 0, qm_device_text(d, QM_DEVICE_MOUNT));
    return true;
}

/* Rule 8. The version before is not the one that failed: it is put back at once. */
static bool backed_off(const struct look *l, struct qm_reason *why)
{
    if (l->place->retry_at <= l->p->now || qm_puts_back(l->p, l->place))
        return true;
    return says(why, QM_WHY_BACKOFF, l->place->failures, l->place->retry_at - l->p->now, NULL);
}

/* Rule 9, stops: what the new task needs beyond the old one's has been offered there. */
static bool room_shown(const struct look *l, struct qm_reason *why)
{
    const struct qm_place *place = l->place;

    if (!place->needs_room || !l->host || !place->task || place->task->stage != QM_STAGE_HEALTHY)
        return true;
    return qm_fit(l->p, l->host, place->service, place->task, why) != NULL;
}

/* The storage gate (rule 6) takes its place here. */
static const rule_fn start_rules[] = {
    connected,  trusted,   nobody_else,       has_target,  not_paused,   start_not_held,
    phase_open, bootstrap, host_takes_starts, place_empty, device_there, backed_off,
};

static const rule_fn stop_rules[] = {
    connected, trusted,     saved,     reconciled,       stop_not_paused, plan_rests, ordered,
    phase_stops, turn, available, host_takes_stops, device_single,   backed_off, room_shown,
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

bool qm_may_start(const struct qm_planner *p, const struct qm_place *place,
                  const struct qm_host *host, struct qm_reason *why)
{
    struct look look = {p, place, host};

    for (size_t i = 0; i < LENGTH(start_rules); i++)
        if (!start_rules[i](&look, why))
            return false;
    return true;
}

bool qm_may_stop(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    struct look look = {p, place,
                        place->host   ? place->host
                        : place->task ? place->task->host
                                      : NULL};

    for (size_t i = 0; i < LENGTH(stop_rules); i++)
        if (!stop_rules[i](&look, why))
            return false;
    return true;
}

bool qm_may_stop_surplus(const struct qm_planner *p, const struct qm_task *task,
                         struct qm_reason *why)
{
    struct qm_place place = {.service = task->service, .host = task->host};
    struct look look = {p, &place, task->host};

    if (!connected(&look, why) || !trusted(&look, why) || !saved(&look, why) ||
        !qm_host_saved(p, task->host))
        return false;
    if (task->service == QM_SERVICE_PROBER)
        return true;
    return reconciled(&look, why);
}

/*
 * An instance that is down is repaired at what its record names until its phase's turn has come;
 * one that never ran starts at the last completed version until then.
 */
const char *qm_version_to_start(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_phase *phase = qm_phase_of(p, place->service);
    const struct qm_task *task = place->task;

    if (place->service == QM_SERVICE_PROBER)
        return "";
    if (place->service == p->n_services)
        return p->target.version;
    if (!qm_plan_rolls(p) || p->plan.completed != QM_TIME_NEVER ||
        p->plan.kind == QM_PLAN_ROLLBACK ||
        (phase && phase->reached && !qm_held(p, NULL) && !qm_image_due(p)))
        return p->target.version;
    if (task && task->version[0])
        return qm_version_before(task);
    return p->completed.set && p->completed.version[0] ? p->completed.version : p->target.version;
}
