/*
 * Deployment: what is missing is started, phase by phase, all of a phase at once. A phase opens
 * when the barriers of those before it are passed, and stays open; the first one waits until the
 * hosts have reported their devices. The first registry of a fresh installation goes first and
 * alone.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

static size_t majority(size_t n)
{
    return n / 2 + 1;
}

bool qm_deploy_barrier_passed(const struct qm_planner *p, size_t service)
{
    size_t wanted = qm_count(p, service, QM_COUNT_WANTED);
    size_t healthy = qm_count(p, service, QM_COUNT_HEALTHY);

    switch (p->policy->services[service].barrier) {
    case QM_BARRIER_NONE:
        return true;
    case QM_BARRIER_REGISTRY_MAJORITY:
        if (wanted > p->policy->registry_replicas)
            wanted = p->policy->registry_replicas;
        return wanted > 0 && healthy >= majority(wanted);
    case QM_BARRIER_ONE:
        return wanted == 0 || healthy > 0; /* a kind without devices is complete, with a warning */
    }
    return true;
}

/* Devices that nobody told of yet could be the ones to begin with. */
bool qm_deploy_probing(const struct qm_planner *p, struct qm_reason *why)
{
    if (p->plan.kind != QM_PLAN_DEPLOY || p->plan.completed != QM_TIME_NEVER)
        return false;
    if (p->n_unreported == 0 || p->now >= qm_later_by(p->probing_since, p->policy->probe_wait))
        return false;
    *why =
        (struct qm_reason){.code = QM_WHY_PROBING,
                           .since = p->probing_since,
                           .have = p->n_hosts > p->n_unreported ? p->n_hosts - p->n_unreported : 0,
                           .want = p->n_hosts};
    return true;
}

qm_time qm_deploy_deadline(const struct qm_planner *p)
{
    struct qm_reason why;

    if (!p->connected || !qm_deploy_probing(p, &why))
        return QM_TIME_NEVER;
    return qm_later_by(p->probing_since, p->policy->probe_wait);
}

static const struct qm_known_device *bootstrap_device(const struct qm_host *host)
{
    for (const struct qm_known_device *d = host->devices; d; d = d->next)
        if (d->type == QM_DEVICE_REGISTRY && d->bootstrap && !d->missing)
            return d;
    return NULL;
}

/* Whose registry begins: the first host by name with a bootstrap device. NULL: nobody's. */
void qm_deploy_choose_bootstrap(struct qm_planner *p)
{
    struct qm_host **hosts = qm_host_list(p);

    p->bootstrap = NULL;
    for (size_t i = 0; i < p->n_hosts && !p->bootstrapped; i++)
        if (bootstrap_device(hosts[i])) {
            p->bootstrap = hosts[i];
            return;
        }
}

/*
 * While no device of the deployment is registered, the bootstrap registry goes first and alone.
 * Once one is, or the first registry ran healthy, an unregistered bootstrap device that never ran
 * would found a second installation: it is not started.
 */
bool qm_deploy_bootstrap_holds(const struct qm_planner *p, const struct qm_place *place,
                               struct qm_reason *why)
{
    const struct qm_known_device *d = bootstrap_device(place->host);
    bool ran = place->once_healthy || place->task;

    if (!p->bootstrapped) {
        if (!p->bootstrap || p->bootstrap == place->host || ran)
            return false;
        *why = (struct qm_reason){.code = d ? QM_WHY_SECOND_BOOTSTRAP : QM_WHY_BOOTSTRAP_FIRST};
        snprintf(why->subject, sizeof(why->subject), "%.120s", p->bootstrap->name);
        return true;
    }
    if (ran || !d || qm_device_text(d, QM_DEVICE_ID)[0])
        return false;
    *why = (struct qm_reason){.code = QM_WHY_SECOND_BOOTSTRAP};
    snprintf(why->subject, sizeof(why->subject), "%.120s", qm_device_text(d, QM_DEVICE_MOUNT));
    return true;
}

static bool open_start(struct qm_planner *p, struct qm_phase *phase)
{
    if (phase->may_start)
        return false;
    phase->may_start = true;
    qm_phase_open(p, phase);
    qm_revive_want(p);
    return true;
}

static bool begins(struct qm_planner *p)
{
    struct qm_reason why;

    if (!p->connected || qm_deploy_probing(p, &why))
        return false;
    return qm_count(p, QM_SERVICE_REGISTRY, QM_COUNT_WANTED) > 0;
}

static bool open_by_barriers(struct qm_planner *p)
{
    bool done = p->plan.completed != QM_TIME_NEVER, opened = false;
    bool passed = p->plan.n_phases > 0 && (p->plan.phases[0].may_start || done || begins(p));

    for (size_t i = 0; i < p->plan.n_phases && passed; i++) {
        opened |= open_start(p, &p->plan.phases[i]);
        passed = done || qm_deploy_barrier_passed(p, p->plan.phases[i].service);
    }
    return opened;
}

/* Outdated tasks of an earlier try are replaced phase by phase, each after those before it. */
static bool open_stops(struct qm_planner *p)
{
    bool opened = false;

    for (size_t i = 0; i < p->plan.n_phases; i++) {
        struct qm_phase *phase = &p->plan.phases[i];

        if (!phase->may_start)
            break;
        if (!phase->may_stop)
            phase->may_stop = opened = true;
        phase->over = qm_count(p, phase->service, QM_COUNT_OUTDATED) == 0 &&
                      qm_count(p, phase->service, QM_COUNT_HOLDS) == 0;
        if (!phase->over)
            break;
    }
    return opened;
}

static bool all_complete(const struct qm_planner *p)
{
    for (size_t i = 0; i < p->plan.n_phases; i++)
        if (qm_phase_status(p, &p->plan.phases[i]) != QM_STATUS_COMPLETE)
            return false;
    return true;
}

bool qm_deploy_progress(struct qm_planner *p)
{
    const struct qm_host *before = p->bootstrap;
    bool opened;

    qm_deploy_choose_bootstrap(p);
    opened = open_by_barriers(p);
    if (before != p->bootstrap && p->services[QM_SERVICE_REGISTRY].phase != QM_NO_PHASE) {
        qm_phase_open(p, &p->plan.phases[p->services[QM_SERVICE_REGISTRY].phase]);
        qm_revive_want(p);
        opened = true;
    }
    opened |= open_stops(p);
    if (p->plan.completed == QM_TIME_NEVER && p->n_unanswered == 0 && all_complete(p) &&
        p->plan.n_phases > 0) {
        p->plan.completed = p->now;
        p->completed = p->target;
        qm_framework_changed(p);
        p->plan.dirty = true;
    }
    return opened;
}
