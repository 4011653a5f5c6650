/*
 * Carries out what operators ordered to be stopped: drained hosts, restarts, replacements. Every
 * such stop keeps to rule 5. A drained host is emptied service by service in reverse order of
 * deployment; floating instances run elsewhere first where there is room.
 */
#include <string.h>

#include "rooms.h"

static bool says(struct qm_reason *why, enum qm_reason_code code, const char *subject)
{
    *why = (struct qm_reason){.code = code};
    qm_copy_text(why->subject, sizeof(why->subject), subject);
    return false;
}

/* Rules 1, 3, 5 and 7, as far as they concern a stop that an operator ordered. */
static bool may_stop(const struct qm_planner *p, const struct qm_place *place,
                     struct qm_reason *why)
{
    const struct qm_host *host = place->task->host;

    if (!p->connected)
        return says(why, QM_WHY_DISCONNECTED, "");
    if (p->old_state)
        return says(why, QM_WHY_OLD_STATE, "");
    if (p->n_unanswered > 0) {
        says(why, QM_WHY_RECONCILING, "");
        why->have = p->n_asked - p->n_unanswered;
        why->want = p->n_asked;
        return false;
    }
    if (p->paused)
        return says(why, QM_WHY_PAUSED, "");
    if (host->rival)
        return says(why, QM_WHY_TWO_AGENTS, host->name);
    if (!qm_host_connected(host))
        return says(why, QM_WHY_UNREACHABLE, host->name);
    return qm_available_after_stop(p, place, why);
}

static bool durable(const struct qm_planner *p, const struct qm_host *host)
{
    return qm_order_saved(p) && qm_host_saved(p, host);
}

/* Sent, and not being stopped: a kill would reach it. */
static bool stoppable(const struct qm_task *task)
{
    return task->stop == QM_STOP_NONE && !task->surplus && qm_stage_known(task->stage) &&
           task->stage != QM_STAGE_INTENT && task->stage != QM_STAGE_SAVED &&
           task->stage != QM_STAGE_KILLING;
}

static bool is_drained(const struct qm_task *task)
{
    return task->service != QM_SERVICE_PROBER && qm_host_drained(task->host);
}

static bool is_ordered(const struct qm_task *task)
{
    return qm_stage_live(task->stage) && !task->surplus &&
           (task->restart || task->replace || is_drained(task));
}

bool qm_order_moves(const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    return task && !place->host && qm_stage_live(task->stage) &&
           (task->replace || is_drained(task));
}

static void stop(struct qm_planner *p, struct qm_place *place, enum qm_stop_reason reason)
{
    struct qm_reason why;

    if (!durable(p, place->task->host) || !may_stop(p, place, &why))
        return;
    place->surge_wanted = false;
    place->rolling |= reason == QM_STOP_RESTART;
    qm_backoff_reset(place);
    qm_task_stop(p, place->task, reason);
    qm_place_refresh(p, place);
}

/* The next instance runs on another host before this one stops. */
static void move(struct qm_planner *p, struct qm_place *place)
{
    struct qm_reason why;
    bool over = p->now >= qm_later_by(place->retry_at, QM_SURGE_WAIT);

    if (place->surge || (place->surge_wanted && !over))
        return;
    if (place->surge_wanted && !place->task->replace) {
        stop(p, place, QM_STOP_DRAIN); /* no other host has room: under rule 5 it just ends */
        return;
    }
    if (!durable(p, place->task->host) || !may_stop(p, place, &why))
        return;
    place->retry_at = p->now;
    if (place->surge_wanted)
        return;
    place->surge_wanted = true;
    p->floating_wanted++;
    p->floating_look = true;
    qm_revive_want(p);
}

static void carry_out_task(struct qm_planner *p, struct qm_task *task)
{
    struct qm_place *place = qm_place_of(p, task);

    if (!place || place->task != task || !stoppable(task))
        return;
    if (qm_order_moves(place))
        move(p, place);
    else if (task->restart || is_drained(task))
        stop(p, place, is_drained(task) ? QM_STOP_DRAIN : QM_STOP_RESTART);
}

static bool is_left(const struct qm_task *task)
{
    return is_ordered(task) && task->stage != QM_STAGE_UNREACHABLE;
}

/* Where a drain stands: the service of the last deployed phase that still runs there. */
static size_t last_service(const struct qm_planner *p, const struct qm_host *host)
{
    for (size_t i = p->policy->n_deploy_order; i > 0; i--)
        for (const struct qm_task *t = host->tasks; t; t = t->next)
            if (t->service == p->policy->deploy_order[i - 1] && is_left(t))
                return t->service;
    return SIZE_MAX;
}

static void carry_out(struct qm_planner *p, struct qm_host *host)
{
    size_t only = qm_host_drained(host) ? last_service(p, host) : SIZE_MAX;
    struct qm_task *next;

    for (struct qm_task *task = host->tasks; task && !p->failed; task = next) {
        next = task->next;
        if (is_ordered(task) && (only == SIZE_MAX || task->service == only))
            carry_out_task(p, task);
    }
}

static bool anything_left(const struct qm_host *host)
{
    for (const struct qm_task *t = host->tasks; t; t = t->next)
        if (is_ordered(t))
            return true;
    return false;
}

void qm_orders_notice(struct qm_planner *p, struct qm_host *host)
{
    size_t at = p->n_ordered;

    if (host->ordered || !anything_left(host))
        return;
    if (!qm_grow(p->allocator, &p->ordered, &p->ordered_capacity, p->n_ordered + 1,
                 sizeof(*p->ordered))) {
        qm_out_of_memory(p);
        return;
    }
    while (at > 0 && strcmp(p->ordered[at - 1]->name, host->name) > 0)
        at--;
    memmove(&p->ordered[at + 1], &p->ordered[at], (p->n_ordered - at) * sizeof(*p->ordered));
    p->ordered[at] = host;
    p->n_ordered++;
    host->ordered = true;
}

void qm_orders_leave(struct qm_planner *p, struct qm_host *host)
{
    if (!host->ordered)
        return;
    for (size_t i = 0; i < p->n_ordered; i++)
        if (p->ordered[i] == host) {
            memmove(&p->ordered[i], &p->ordered[i + 1],
                    (p->n_ordered - i - 1) * sizeof(*p->ordered));
            p->n_ordered--;
            break;
        }
    host->ordered = false;
}

void qm_orders_carry_out(struct qm_planner *p)
{
    if (p->plan.kind == QM_PLAN_SHUTDOWN)
        return;
    for (size_t i = 0; i < p->n_ordered && !p->failed;) {
        struct qm_host *host = p->ordered[i];

        if (!anything_left(host)) {
            qm_orders_leave(p, host);
            continue;
        }
        carry_out(p, host);
        i++;
    }
}

/* Storage in another failure domain. */
static void domain_blocker(const struct qm_planner *p, const struct qm_host *here,
                           struct qm_reason *why)
{
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct qm_host *host = p->hosts[i];

        if (host == here || host->unavailable == 0 ||
            (host->domain && host->domain == here->domain))
            continue;
        qm_copy_text(why->subject, sizeof(why->subject), qm_host_domain_name(host));
        for (size_t k = 0; k < host->n_places; k++)
            if ((host->places[k].counted & QM_COUNT_UNAVAILABLE) &&
                p->services[host->places[k].service].storage)
                qm_step_id(p, &host->places[k], why->blocker, sizeof(why->blocker));
        return;
    }
}

void qm_blocker(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    const struct qm_service_state *s = &p->services[place->service];
    const struct qm_place *found = NULL;

    if (why->code == QM_WHY_FAILURE_DOMAIN) {
        if (place->host)
            domain_blocker(p, place->host, why);
        return;
    }
    if (why->code != QM_WHY_MAX_UNAVAILABLE && why->code != QM_WHY_REGISTRY_MAJORITY)
        return;
    if (why->code == QM_WHY_MAX_UNAVAILABLE)
        qm_copy_text(why->subject, sizeof(why->subject), p->policy->services[place->service].name);
    for (size_t i = 0; i < s->n_places && !found; i++)
        if (&s->places[i] != place && (s->places[i].counted & QM_COUNT_UNAVAILABLE))
            found = &s->places[i];
    if (!found && s->last_unavailable)
        found = qm_place_find((struct qm_host *)s->last_unavailable, place->service);
    for (size_t i = 0; i < p->n_hosts && s->n_places == 0 && (!found || found == place); i++) {
        const struct qm_place *other = qm_place_find(p->hosts[i], place->service);

        if (other && other != place && (other->counted & QM_COUNT_UNAVAILABLE))
            found = other;
    }
    if (found && found != place)
        qm_step_id(p, found, why->blocker, sizeof(why->blocker));
}

bool qm_order_why(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (!place->task || !is_ordered(place->task) || place->task->stop != QM_STOP_NONE ||
        p->plan.kind == QM_PLAN_SHUTDOWN)
        return false;
    if (!may_stop(p, place, why)) {
        qm_blocker(p, place, why);
        return true;
    }
    if (qm_order_moves(place) && place->surge_wanted && !place->surge)
        why->code = place->why == QM_WHY_NOTHING ? QM_WHY_NO_HOST : place->why;
    else
        why->code = QM_WHY_LAST_STEP;
    why->since = p->now;
    return true;
}
