/* The plan as a snapshot: phases in order, steps by host name or instance. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "views.h"

struct plan_memory {
    struct qm_plan_view view;
    struct qm_view_memory memory;
};

static bool fill_step(const struct qm_planner *p, struct qm_view_memory *m,
                      const struct qm_place *place, struct qm_step_view *v)
{
    const struct qm_task *task =
        place->task && place->task->stage != QM_STAGE_DEAD ? place->task : NULL;
    const char *host = place->host ? place->host->name : task ? task->host->name : "";
    char id[320];

    qm_step_id(p, place, id, sizeof(id));
    v->id = qm_view_text(m, id);
    v->service = qm_view_text(m, p->policy->services[place->service].name);
    v->host = qm_view_text(m, host);
    v->version = qm_view_text(m, qm_planner_target(p));
    v->running = qm_view_text(m, task ? task->version : "");
    v->status = qm_place_status(p, place);
    v->reasons = qm_arena_calloc(&m->arena, 2, sizeof(*v->reasons));
    v->skipped = place->skipped;
    if (!v->id || !v->service || !v->host || !v->version || !v->running || !v->reasons)
        return false;
    if (place->skipped)
        v->reasons[v->n_reasons++] = (struct qm_reason){.code = QM_WHY_SKIPPED, .since = p->now};
    if ((v->status != QM_STATUS_COMPLETE || qm_order_moves(place) || (task && task->restart) ||
         (place->host && qm_host_drained(place->host))) &&
        qm_why(p, place, &v->reasons[v->n_reasons]))
        v->n_reasons++;
    return true;
}

static const char *warning_of(const struct qm_planner *p, const struct qm_phase *phase)
{
    const struct qm_service_policy *s = &p->policy->services[phase->service];

    if (p->plan.kind == QM_PLAN_SHUTDOWN || s->binding != QM_BOUND_TO_DEVICE || !phase->may_start ||
        qm_count(p, phase->service, QM_COUNT_WANTED) > 0)
        return "";
    return qm_device_type_name(s->device_type);
}

static bool fill_steps(const struct qm_planner *p, struct qm_view_memory *m,
                       const struct qm_host *const *hosts, const struct qm_phase *phase,
                       struct qm_phase_view *v)
{
    const struct qm_service_state *s = &p->services[phase->service];
    size_t n = s->n_places + qm_count(p, phase->service, QM_COUNT_WANTED);

    for (size_t i = 0; i < p->n_hosts && s->policy->binding != QM_FLOATING; i++) {
        const struct qm_place *place = qm_place_find((struct qm_host *)hosts[i], phase->service);

        n += place && place->skipped;
    }
    v->steps = qm_arena_calloc(&m->arena, n + 1, sizeof(*v->steps));
    if (!v->steps)
        return false;
    for (size_t i = 0; i < s->n_places; i++)
        if (qm_place_wanted(p, &s->places[i]) &&
            !fill_step(p, m, &s->places[i], &v->steps[v->n_steps++]))
            return false;
    for (size_t i = 0; i < p->n_hosts && s->policy->binding != QM_FLOATING; i++) {
        struct qm_place *place = qm_place_find((struct qm_host *)hosts[i], phase->service);

        if (!place || !((place->counted & QM_COUNT_WANTED) || place->skipped) || v->n_steps == n)
            continue;
        if (!fill_step(p, m, place, &v->steps[v->n_steps++]))
            return false;
    }
    for (size_t i = 0; i < v->n_steps; i++)
        v->n_complete += v->steps[i].status == QM_STATUS_COMPLETE || v->steps[i].skipped;
    return true;
}

static bool fill_phase(const struct qm_planner *p, struct qm_view_memory *m,
                       const struct qm_host *const *hosts, const struct qm_phase *phase,
                       struct qm_phase_view *v)
{
    const char *type = warning_of(p, phase);

    v->name = qm_view_text(m, p->policy->services[phase->service].name);
    v->service = qm_view_text(m, p->policy->services[phase->service].name);
    v->status = qm_phase_status(p, phase);
    v->warning = type[0] ? qm_arena_format(&m->arena, "no %s device", type) : qm_view_text(m, "");
    return v->name && v->service && v->warning && fill_steps(p, m, hosts, phase, v);
}

static bool fill(const struct qm_planner *p, struct qm_view_memory *m, struct qm_plan_view *v)
{
    const struct qm_host **hosts;
    bool ok = true;

    v->number = p->plan.number;
    v->kind = p->plan.kind;
    v->from = qm_view_text(m, p->plan.from ? p->plan.from : "");
    v->target = qm_view_text(m, qm_planner_target(p));
    v->status = qm_plan_status(p, &v->reason);
    v->paused = p->paused || qm_held(p, NULL);
    v->paused_until = p->paused ? p->paused_until : QM_TIME_NEVER;
    v->paused_why = qm_view_text(m, p->paused ? p->paused_why : "");
    v->started = p->plan.started;
    v->completed = p->plan.completed;
    v->phases = qm_arena_calloc(&m->arena, p->plan.n_phases + 1, sizeof(*v->phases));
    hosts = qm_hosts_sorted(p, p->allocator);
    ok = v->from && v->target && v->paused_why && v->phases && hosts;
    for (size_t i = 0; ok && i < p->plan.n_phases; i++) {
        ok = fill_phase(p, m, hosts, &p->plan.phases[i], &v->phases[v->n_phases]);
        v->n_steps += v->phases[v->n_phases].n_steps;
        v->n_complete += v->phases[v->n_phases].n_complete;
        v->n_phases++;
    }
    qm_free(p->allocator, hosts);
    return ok;
}

int qm_plan_view_new(const struct qm_planner *p, struct qm_plan_view **view)
{
    struct plan_memory *v = qm_zalloc(p->allocator, sizeof(*v));

    *view = NULL;
    if (!v)
        return -ENOMEM;
    qm_view_memory_init(&v->memory, p);
    if (!fill(p, &v->memory, &v->view)) {
        qm_plan_view_free(&v->view);
        return -ENOMEM;
    }
    *view = &v->view;
    return 0;
}

struct qm_plan_view *qm_plan_view_free(struct qm_plan_view *view)
{
    struct plan_memory *v = (struct plan_memory *)view;
    struct qm_allocator allocator;
    bool has;

    if (!view)
        return NULL;
    has = v->memory.has_allocator;
    allocator = v->memory.allocator;
    qm_arena_deinit(&v->memory.arena);
    qm_free(has ? &allocator : NULL, v);
    return NULL;
}
