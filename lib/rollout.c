/*
 * The plan: phases in order, one a service, towards the present target. A deployment opens phases
 * by barriers, an upgrade one after the other, a shut down in reverse; each kind in its own file.
 * What is due is read from counters; hosts are walked once when a phase opens.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

size_t qm_count(const struct qm_planner *p, size_t service, enum qm_counted what)
{
    return p->services[service].counts[__builtin_ctz(what)];
}

uint64_t qm_overall_hash(const struct qm_planner *p)
{
    uint64_t hash = QM_HASH_SEED;

    for (size_t i = 0; i < p->n_services; i++)
        if (i != QM_SERVICE_PROBER)
            hash = qm_hash_bytes(hash, &p->services[i].config_hash, sizeof(hash));
    return hash;
}

const struct qm_phase *qm_phase_of(const struct qm_planner *p, size_t service)
{
    size_t phase = p->services[service].phase;

    return phase == QM_NO_PHASE ? NULL : &p->plan.phases[phase];
}

bool qm_plan_rolls(const struct qm_planner *p)
{
    return (p->plan.kind == QM_PLAN_UPGRADE || p->plan.kind == QM_PLAN_CONFIG ||
            p->plan.kind == QM_PLAN_ROLLBACK) &&
           p->plan.completed == QM_TIME_NEVER;
}

void qm_plan_drop_queues(struct qm_planner *p)
{
    for (size_t i = 0; i < p->plan.n_phases; i++) {
        struct qm_phase *phase = &p->plan.phases[i];

        qm_free(p->allocator, phase->queue);
        phase->queue = NULL;
        phase->n_queue = phase->cursor = 0;
    }
}

void qm_plan_free(struct qm_planner *p)
{
    qm_plan_drop_queues(p);
    p->plan.n_phases = 0;
}

void qm_plan_touch_all(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        qm_host_touch(p, p->hosts[i]);
    p->floating_look = true;
    p->plan.dirty = true;
}

static void set_phases(struct qm_planner *p, const size_t *order, size_t n, bool backwards)
{
    qm_plan_free(p);
    for (size_t i = 0; i < p->n_services; i++)
        p->services[i].phase = QM_NO_PHASE;
    for (size_t i = 0; i < n; i++) {
        size_t service = order[backwards ? n - 1 - i : i];

        if (!p->policy->services[service].enabled && p->plan.kind != QM_PLAN_SHUTDOWN)
            continue;
        p->services[service].phase = p->plan.n_phases;
        p->plan.phases[p->plan.n_phases++] =
            (struct qm_phase){.service = service, .since = p->now, .status = QM_STATUS_PENDING};
    }
}

static void build(struct qm_planner *p, enum qm_plan_kind kind)
{
    const struct qm_policy *policy = p->policy;

    p->plan.kind = kind;
    p->plan.current = 0;
    switch (kind) {
    case QM_PLAN_NONE:
        qm_plan_free(p);
        break;
    case QM_PLAN_DEPLOY:
        set_phases(p, policy->deploy_order, policy->n_deploy_order, false);
        break;
    case QM_PLAN_UPGRADE:
    case QM_PLAN_CONFIG:
        set_phases(p, policy->upgrade_order, policy->n_upgrade_order, false);
        break;
    case QM_PLAN_ROLLBACK:
        set_phases(p, policy->upgrade_order, policy->n_upgrade_order, true);
        break;
    case QM_PLAN_SHUTDOWN:
        set_phases(p, policy->deploy_order, policy->n_deploy_order, true);
        break;
    }
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places; k++)
            p->services[i].places[k].surge_wanted = false;
    qm_plan_touch_all(p);
}

void qm_plan_begin(struct qm_planner *p, enum qm_plan_kind kind)
{
    p->plan.number++;
    p->plan.started = p->now;
    p->plan.completed = QM_TIME_NEVER;
    p->plan.from = p->completed.set ? p->completed.version : "";
    p->plan.reached = "";
    qm_skips_end(p);
    qm_rules_begin(p);
    build(p, kind);
    p->plan.status = QM_STATUS_PENDING;
    qm_trace(p, QM_TRACE_PLAN, qm_plan_kind_name(kind), "", qm_status_name(p->plan.status), "%s",
             p->target.version);
}

/* Phases that were opened before the restart: what they stopped is started at the target. */
void qm_plan_restore(struct qm_planner *p, enum qm_plan_kind kind)
{
    size_t reached = 0;

    build(p, kind);
    for (size_t i = 0; i < p->plan.n_phases; i++)
        if (strcmp(p->policy->services[p->plan.phases[i].service].name, p->plan.reached) == 0)
            reached = i + 1;
    for (size_t i = 0; i < reached; i++)
        p->plan.phases[i].reached = true;
}

static int by_domain_and_name(const void *a, const void *b)
{
    const struct qm_host *x = *(struct qm_host *const *)a, *y = *(struct qm_host *const *)b;
    int order = strcmp(qm_host_domain_name(x), qm_host_domain_name(y));

    return order != 0 ? order : strcmp(x->name, y->name);
}

bool qm_phase_queue(struct qm_planner *p, struct qm_phase *phase)
{
    if (phase->queue)
        return true;
    phase->queue = qm_calloc(p->allocator, p->n_hosts + 1, sizeof(*phase->queue));
    if (!phase->queue) {
        qm_out_of_memory(p);
        return false;
    }
    phase->n_queue = phase->cursor = 0;
    for (size_t i = 0; i < p->n_hosts; i++)
        if (qm_place_find(p->hosts[i], phase->service))
            phase->queue[phase->n_queue++] = p->hosts[i];
    qsort(phase->queue, phase->n_queue, sizeof(*phase->queue), by_domain_and_name);
    return true;
}

/* Its hosts are looked at again: something may start, or be stopped, that could not before. */
void qm_phase_open(struct qm_planner *p, struct qm_phase *phase)
{
    phase->since = p->now;
    p->floating_look = true;
    for (size_t i = 0; i < p->n_hosts; i++)
        if (qm_place_find(p->hosts[i], phase->service))
            qm_host_touch(p, p->hosts[i]);
}

enum qm_status qm_phase_status(const struct qm_planner *p, const struct qm_phase *phase)
{
    size_t wanted = qm_count(p, phase->service, QM_COUNT_WANTED);
    size_t complete = qm_count(p, phase->service, QM_COUNT_COMPLETE);

    if (p->plan.kind == QM_PLAN_SHUTDOWN) {
        if (!p->shutting_down)
            return QM_STATUS_PENDING;
        if (qm_count(p, phase->service, QM_COUNT_LIVE) == 0)
            return QM_STATUS_COMPLETE;
        return phase->may_stop ? QM_STATUS_IN_PROGRESS : QM_STATUS_PENDING;
    }
    if (p->plan.config_waits && qm_count(p, phase->service, QM_COUNT_OUTDATED) > 0)
        return QM_STATUS_WAITING;
    if (complete >= wanted && (wanted > 0 || phase->may_start))
        return QM_STATUS_COMPLETE;
    if (p->paused || qm_held(p, NULL))
        return QM_STATUS_WAITING;
    if (complete > 0 || qm_count(p, phase->service, QM_COUNT_PREPARED) > 0 || phase->may_stop)
        return QM_STATUS_IN_PROGRESS;
    return QM_STATUS_PENDING;
}

static bool holds_all(const struct qm_planner *p, struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (p->plan.kind == QM_PLAN_NONE)
        return false;
    if (!p->connected)
        *why = (struct qm_reason){.code = QM_WHY_DISCONNECTED, .since = p->connected_since};
    else if (p->old_state)
        *why = (struct qm_reason){.code = QM_WHY_OLD_STATE, .have = p->n_disagree};
    else if (p->plan.kind == QM_PLAN_SHUTDOWN && !p->shutting_down)
        *why = (struct qm_reason){.code = QM_WHY_SHUTDOWN_GRACE,
                                  .since = p->plan.started,
                                  .want = p->shutdown_at > p->now ? p->shutdown_at - p->now : 0};
    else if (p->paused)
        *why = (struct qm_reason){.code = QM_WHY_PAUSED, .since = p->paused_since};
    else if (qm_rules_hold_plan(p, why))
        why->since = why->since ? why->since : p->plan.started;
    else if (p->plan.config_waits)
        *why = (struct qm_reason){.code = QM_WHY_CONFIG_WAITS, .since = p->plan.started};
    else if (p->plan.kind == QM_PLAN_DEPLOY && p->plan.completed == QM_TIME_NEVER &&
             p->plan.n_phases > 0 && !p->plan.phases[0].may_start) {
        if (!qm_deploy_probing(p, why) && qm_count(p, QM_SERVICE_REGISTRY, QM_COUNT_WANTED) == 0)
            *why = (struct qm_reason){
                .code = QM_WHY_NO_REGISTRY_DEVICE, .since = p->plan.started, .want = 1};
    }
    return why->code != QM_WHY_NOTHING;
}

enum qm_status qm_plan_status(const struct qm_planner *p, struct qm_reason *why)
{
    bool held = holds_all(p, why);
    size_t complete = 0, pending = 0;

    if (p->plan.kind == QM_PLAN_NONE)
        return QM_STATUS_COMPLETE;
    for (size_t i = 0; i < p->plan.n_phases; i++) {
        enum qm_status status = qm_phase_status(p, &p->plan.phases[i]);

        complete += status == QM_STATUS_COMPLETE;
        pending += status == QM_STATUS_PENDING;
    }
    if (complete == p->plan.n_phases && p->plan.completed != QM_TIME_NEVER) {
        *why = (struct qm_reason){.code = QM_WHY_NOTHING};
        return QM_STATUS_COMPLETE;
    }
    if (why->code == QM_WHY_PAUSED || why->code == QM_WHY_CONFIG_WAITS ||
        why->code == QM_WHY_OLD_STATE || qm_rules_hold_service(why->code))
        return QM_STATUS_WAITING;
    if (pending == p->plan.n_phases || (held && complete == 0))
        return QM_STATUS_PENDING;
    return QM_STATUS_IN_PROGRESS;
}

static void trace_statuses(struct qm_planner *p)
{
    struct qm_reason why;
    enum qm_status now;

    if (!p->trace || p->plan.kind == QM_PLAN_NONE)
        return;
    now = qm_plan_status(p, &why);
    for (size_t i = 0; i < p->plan.n_phases; i++) {
        struct qm_phase *phase = &p->plan.phases[i];
        enum qm_status status = qm_phase_status(p, phase);

        if (status == phase->status)
            continue;
        qm_trace(p, QM_TRACE_PLAN, p->policy->services[phase->service].name,
                 qm_status_name(phase->status), qm_status_name(status), "%s", "");
        phase->status = status;
    }
    if (now != p->plan.status)
        qm_trace(p, QM_TRACE_PLAN, qm_plan_kind_name(p->plan.kind), qm_status_name(p->plan.status),
                 qm_status_name(now), "%s", "");
    p->plan.status = now;
}

bool qm_plan_progress(struct qm_planner *p)
{
    bool again = false;

    if (!p->plan.dirty)
        return false;
    p->plan.dirty = false;
    switch (p->plan.kind) {
    case QM_PLAN_NONE:
        break;
    case QM_PLAN_DEPLOY:
        again = qm_deploy_progress(p);
        break;
    case QM_PLAN_UPGRADE:
    case QM_PLAN_CONFIG:
    case QM_PLAN_ROLLBACK:
        again = qm_upgrade_progress(p);
        again |= qm_image_progress(p);
        break;
    case QM_PLAN_SHUTDOWN:
        again = qm_shutdown_progress(p);
        break;
    }
    trace_statuses(p);
    return again;
}

void qm_plan_steps(struct qm_planner *p)
{
    if (p->plan.kind != QM_PLAN_NONE && p->plan.kind != QM_PLAN_SHUTDOWN)
        qm_upgrade_steps(p);
}
