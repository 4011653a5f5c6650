/*
 * Upgrade and configuration change: running tasks are replaced, one phase after the other, inside a
 * phase failure domain by failure domain and by name, as many at a time as rule 5 allows. The
 * same steps finish a deployment whose target changed on the way.
 */
#include <string.h>

#include "rooms.h"

/* Nothing in this phase is outdated, surging, or was healthy once and is not complete now. */
static bool is_over(const struct qm_planner *p, const struct qm_phase *phase)
{
    return qm_count(p, phase->service, QM_COUNT_OUTDATED) == 0 &&
           qm_count(p, phase->service, QM_COUNT_HOLDS) == 0;
}

static bool open_phase(struct qm_planner *p, struct qm_phase *phase)
{
    if (phase->may_stop)
        return false;
    phase->may_start = phase->may_stop = true;
    if (!phase->reached) {
        phase->reached = true;
        p->plan.reached = p->policy->services[phase->service].name;
        qm_order_changed(p);
    }
    qm_phase_open(p, phase);
    qm_revive_want(p);
    return true;
}

static void complete(struct qm_planner *p)
{
    p->plan.completed = p->now;
    p->completed = p->target;
    p->moved = "";
    qm_framework_changed(p);
    qm_plan_touch_all(
        p); /* those outside the plan's phases follow the new version when they start */
}

bool qm_upgrade_progress(struct qm_planner *p)
{
    bool opened = false;

    if (p->plan.config_waits || p->n_unanswered > 0 || !p->connected)
        return false;
    for (; p->plan.current < p->plan.n_phases; p->plan.current++) {
        struct qm_phase *phase = &p->plan.phases[p->plan.current];

        opened |= open_phase(p, phase);
        if (!is_over(p, phase))
            return opened;
        phase->over = true;
    }
    if (p->plan.completed == QM_TIME_NEVER) {
        complete(p);
        opened = true;
    }
    return opened;
}

static bool is_due(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    /* Where it stands must be known: what cannot be reached may be healthy when it is back. */
    return qm_place_outdated(p, place) && !qm_skipped_in_plan(place) && task->stop == QM_STOP_NONE &&
           (task->stage == QM_STAGE_SEEN || task->stage == QM_STAGE_RUNNING ||
            task->stage == QM_STAGE_HEALTHY);
}

/* Whose failing check holds every other place of the service, too. */
static bool holds_service(enum qm_reason_code code)
{
    switch (code) {
    case QM_WHY_DISCONNECTED:
    case QM_WHY_OLD_STATE:
    case QM_WHY_SAVING:
    case QM_WHY_RECONCILING:
    case QM_WHY_PAUSED:
    case QM_WHY_CONFIG_WAITS:
    case QM_WHY_PHASE:
    case QM_WHY_MAX_UNAVAILABLE:
    case QM_WHY_REGISTRY_MAJORITY:
        return true;
    default:
        return qm_rules_hold_service(code);
    }
}

/* Stops a place's outdated task when the rules allow. False: the whole service is held. */
static bool step(struct qm_planner *p, struct qm_place *place)
{
    struct qm_reason why = {.code = QM_WHY_NOTHING};

    if (!is_due(p, place))
        return true;
    if (!qm_may_stop(p, place, &why)) {
        qm_place_why(p, place, &why);
        if (place->host &&
            (why.code == QM_WHY_NO_OFFER || why.code == QM_WHY_CPUS || why.code == QM_WHY_MEM ||
             why.code == QM_WHY_DISK || why.code == QM_WHY_PORTS))
            place->host->wants = true;
        return !holds_service(why.code);
    }
    qm_rules_begun(p, place);
    qm_task_stop(p, place->task, QM_STOP_ROLLOUT);
    place->rolling = true;
    qm_backoff_reset(place);
    place->why = QM_WHY_NOTHING;
    qm_place_refresh(p, place);
    return true;
}

static void step_hosts(struct qm_planner *p, struct qm_phase *phase)
{
    if (!qm_phase_queue(p, phase))
        return;
    for (size_t i = phase->cursor; i < phase->n_queue; i++) {
        struct qm_place *place = qm_place_find(phase->queue[i], phase->service);

        if (i == phase->cursor && place && !qm_place_outdated(p, place))
            phase->cursor++;
        if (place && !step(p, place))
            break;
    }
}

/* What is down is replaced ahead of the order, when its host is looked at: it takes nothing away.
 */
void qm_upgrade_consider(struct qm_planner *p, struct qm_place *place)
{
    const struct qm_phase *phase = qm_phase_of(p, place->service);

    if (phase && (phase->may_stop || p->plan.kind == QM_PLAN_ROLLBACK) && is_due(p, place) &&
        place->task->stage != QM_STAGE_HEALTHY)
        step(p, place);
}

/* Another host may take the successor; how long offers of it are waited for is limited. */
static bool surge_may_come(const struct qm_planner *p, const struct qm_service_state *s,
                           const struct qm_place *place)
{
    if (p->n_hosts <= qm_count(p, place->service, QM_COUNT_LIVE) || s->policy->instances == 0)
        return false;
    return !place->surge_wanted || p->now < qm_later_by(place->retry_at, QM_SURGE_WAIT);
}

/* Floating: the successor first where another host has room; qm_floating_start() starts it. */
static void step_floating(struct qm_planner *p, struct qm_service_state *s)
{
    for (size_t i = 0; i < s->n_places; i++) {
        struct qm_place *place = &s->places[i];
        struct qm_reason why;

        if (place->surge)
            return; /* one at a time */
        if (!is_due(p, place))
            continue;
        if (place->task->stage != QM_STAGE_HEALTHY || !surge_may_come(p, s, place)) {
            place->surge_wanted = false;
            if (!step(p, place))
                return;
            continue;
        }
        if (place->surge_wanted)
            return;
        if (!qm_may_stop(p, place, &why)) {
            qm_place_why(p, place, &why);
            return;
        }
        qm_rules_begun(p, place);
        place->surge_wanted = true;
        place->retry_at = p->now;
        p->floating_wanted++; /* offers are looked at from now on */
        p->floating_look = true;
        qm_revive_want(p);
        return;
    }
}

/* The walk goes from the first step that is not done to the first that holds the others. */
void qm_upgrade_steps(struct qm_planner *p)
{
    if (p->plan.config_waits || !p->connected)
        return;
    for (size_t i = 0; i < p->plan.n_phases && !p->failed; i++) {
        struct qm_phase *phase = &p->plan.phases[i];
        struct qm_service_state *s = &p->services[phase->service];

        if (!phase->may_stop || qm_count(p, phase->service, QM_COUNT_OUTDATED) == 0)
            continue;
        if (s->policy->binding == QM_FLOATING) {
            step_floating(p, s);
        } else {
            step_hosts(p, phase);
        }
    }
}
