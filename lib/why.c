/*
 * Why a step waits, computed when it is asked: the same rules that decide, read-only, and what the
 * last offers lacked. "Since" is the beginning of the state that holds now, or of the last look.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "views.h"

static struct qm_reason reason_of(const struct qm_planner *p, enum qm_reason_code code,
                                  qm_time since)
{
    (void)p;
    return (struct qm_reason){.code = code, .since = since};
}

/* A running, or starting, task on its way to complete. */
static bool why_task(const struct qm_planner *p, const struct qm_task *task, struct qm_reason *why)
{
    *why = reason_of(p, QM_WHY_NOTHING, task->since);
    switch ((enum qm_task_stage)task->stage) {
    case QM_STAGE_INTENT:
    case QM_STAGE_SAVED:
        why->code = QM_WHY_SAVING;
        break;
    case QM_STAGE_SENT:
    case QM_STAGE_SEEN:
        why->code = QM_WHY_STARTING;
        break;
    case QM_STAGE_RUNNING:
        why->code = QM_WHY_UNHEALTHY;
        break;
    case QM_STAGE_HEALTHY:
        if (!qm_plan_rolls(p) || qm_task_available(p, task))
            return false;
        why->code = QM_WHY_MIN_READY;
        why->since = task->healthy_since;
        why->have = p->now - task->healthy_since;
        why->want = p->policy->services[task->service].min_ready;
        break;
    case QM_STAGE_KILLING:
        why->code = QM_WHY_STOPPING;
        break;
    case QM_STAGE_UNANSWERED:
        why->code = QM_WHY_RECONCILING;
        why->want = 1;
        break;
    case QM_STAGE_UNREACHABLE:
        why->code = QM_WHY_UNREACHABLE;
        snprintf(why->subject, sizeof(why->subject), "%.120s", task->host->name);
        break;
    case QM_STAGE_DEAD:
        return false;
    }
    return true;
}

static bool about_offers(enum qm_reason_code code)
{
    return code >= QM_WHY_NO_OFFER && code <= QM_WHY_NO_HOST;
}

/* What the last look found missing in offers. */
static void why_offers(const struct qm_planner *p, const struct qm_place *place,
                       struct qm_reason *why)
{
    const struct qm_service_policy *s = &p->policy->services[place->service];

    *why = (struct qm_reason){.code = about_offers(place->why) ? place->why : QM_WHY_NO_OFFER,
                              .since = place->why_since,
                              .have = place->have,
                              .want = place->want};
    if (why->code == QM_WHY_PORTS) {
        size_t i = place->want ? place->want - 1 : 0;

        snprintf(why->subject, sizeof(why->subject), "%.60s %u",
                 i < s->n_ports ? s->ports[i].name : "", place->have);
        why->have = why->want = 0;
    } else if (why->code == QM_WHY_ROLE) {
        snprintf(why->subject, sizeof(why->subject), "%.120s", s->role);
    }
}

static void add_since(const struct qm_planner *p, const struct qm_place *place,
                      struct qm_reason *why)
{
    const struct qm_phase *phase = qm_phase_of(p, place->service);

    if (why->since != 0)
        return;
    if (why->code == QM_WHY_DISCONNECTED)
        why->since = p->connected_since;
    else if (why->code == QM_WHY_PAUSED)
        why->since = p->paused_since;
    else if (why->code == QM_WHY_RECONCILING)
        why->since = p->reconcile_started;
    else if (place->why == why->code)
        why->since = place->why_since;
    else
        why->since = phase ? phase->since : p->plan.started;
}

static bool why_stop(const struct qm_planner *p, const struct qm_place *place,
                     struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (place->surge && why_task(p, place->surge, why))
        return true;
    if (qm_may_stop(p, place, why))
        *why = (struct qm_reason){.code = QM_WHY_LAST_STEP};
    qm_blocker(p, place, why);
    if (about_offers(why->code) && about_offers(place->why))
        why_offers(p, place, why);
    add_since(p, place, why);
    return true;
}

static bool why_start(const struct qm_planner *p, const struct qm_place *place,
                      struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (!qm_place_wanted(p, place))
        return false;
    if (qm_may_start(p, place, place->host, why))
        why_offers(p, place, why);
    if (why->code == QM_WHY_NOT_NEEDED)
        return false;
    add_since(p, place, why);
    return true;
}

static bool why_shutdown(const struct qm_planner *p, const struct qm_place *place,
                         struct qm_reason *why)
{
    const struct qm_task *task = place->task;

    if (!task || task->stage == QM_STAGE_DEAD)
        return false;
    if (!p->shutting_down) {
        uint64_t left = p->shutdown_at > p->now ? p->shutdown_at - p->now : 0;

        *why = (struct qm_reason){
            .code = QM_WHY_SHUTDOWN_GRACE, .since = p->plan.started, .want = left};
        return true;
    }
    if (task->stage != QM_STAGE_HEALTHY && task->stage != QM_STAGE_RUNNING)
        return why_task(p, task, why);
    *why = (struct qm_reason){.code = QM_WHY_PHASE};
    add_since(p, place, why);
    return true;
}

bool qm_why(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    const struct qm_task *task = place->task;

    if (task && task->stage == QM_STAGE_HEALTHY && !qm_place_outdated(p, place) &&
        qm_order_why(p, place, why))
        return true;

    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (p->plan.kind == QM_PLAN_SHUTDOWN && place->service != QM_SERVICE_PROBER)
        return why_shutdown(p, place, why);
    if (qm_task_idle(task))
        return why_start(p, place, why);
    if (qm_place_outdated(p, place) && task->stop == QM_STOP_NONE && qm_stage_known(task->stage) &&
        task->stage != QM_STAGE_KILLING)
        return why_stop(p, place, why);
    return why_task(p, task, why);
}

static const struct qm_place *find_step(const struct qm_planner *p, const char *id)
{
    for (size_t i = 0; i < p->n_services; i++) {
        size_t length = strlen(p->policy->services[i].name);
        char text[320];

        if (strncmp(id, p->policy->services[i].name, length) != 0 || id[length] != '.' ||
            p->services[i].phase == QM_NO_PHASE)
            continue;
        if (p->policy->services[i].binding != QM_FLOATING) {
            struct qm_host *host = qm_host_find(p, id + length + 1);
            struct qm_place *place = host ? qm_place_find(host, i) : NULL;

            return place && qm_place_wanted(p, place) ? place : NULL;
        }
        for (size_t k = 0; k < p->services[i].n_places; k++) {
            qm_step_id(p, &p->services[i].places[k], text, sizeof(text));
            if (strcmp(text, id) == 0)
                return &p->services[i].places[k];
        }
    }
    return NULL;
}

int qm_step_explain(const struct qm_planner *p, const char *step_id, struct qm_reason *reasons,
                    size_t n)
{
    const struct qm_place *place = find_step(p, step_id);
    struct qm_reason why;

    if (!place)
        return -ENOENT;
    if (!qm_why(p, place, &why) || n == 0)
        return 0;
    reasons[0] = why;
    return 1;
}
