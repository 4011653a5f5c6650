/*
 * Places: where tasks belong. What a place contributes to its service is kept as a set of bits, so
 * that a change costs a difference, never a walk.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

struct qm_place *qm_place_find(struct qm_host *host, size_t service)
{
    for (size_t i = 0; i < host->n_places; i++)
        if (host->places[i].service == service)
            return &host->places[i];
    return NULL;
}

/* The prober's place is a host's first. */
struct qm_place *qm_place_get(struct qm_planner *p, struct qm_host *host, size_t service)
{
    struct qm_place *place = qm_place_find(host, service), *places;

    if (place)
        return place;
    places = qm_realloc(p->allocator, host->places, (host->n_places + 1u) * sizeof(*places));
    if (!places) {
        qm_out_of_memory(p);
        return NULL;
    }
    host->places = places;
    place = &places[host->n_places++];
    memset(place, 0, sizeof(*place));
    place->host = host;
    place->service = (uint8_t)service;
    place->status = QM_STATUS_PENDING;
    return place;
}

static bool is_floating(const struct qm_planner *p, size_t service)
{
    return p->policy->services[service].binding == QM_FLOATING;
}

struct qm_place *qm_place_of(struct qm_planner *p, const struct qm_task *task)
{
    if (task->surplus)
        return NULL;
    if (!is_floating(p, task->service))
        return qm_place_find(task->host, task->service);
    if (task->instance == 0 || task->instance > p->services[task->service].n_places)
        return NULL;
    return &p->services[task->service].places[task->instance - 1];
}

/* Gives a task of the records, or a found one, its place. */
void qm_task_adopt(struct qm_planner *p, struct qm_task *task, struct qm_place *place)
{
    place->task = task;
    task->instance = place->instance;
    place->once_healthy |= task->was_healthy;
    qm_host_touch(p, task->host);
}

bool qm_place_wanted(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_service_policy *s = &p->policy->services[place->service];
    const struct qm_host *host = place->host;

    if (place->service == p->n_services)
        return qm_image_wanted(p, place);
    if (s->binding == QM_FLOATING)
        return s->enabled && place->instance <= s->instances;
    if (place->service == QM_SERVICE_PROBER)
        return host->allowed;
    if (place->task && place->task->stage != QM_STAGE_DEAD)
        return true;
    if (!s->enabled || !host->allowed)
        return false;
    if (s->binding == QM_BOUND_TO_DEVICE)
        return place->task || qm_host_has_device(host, s->device_type, false);
    return host->mount_point;
}

/* What was shut down is started in a deployment's order; the rest of what ran once is repaired. */
bool qm_place_repairs(const struct qm_place *place)
{
    if (place->task && place->task->shut_down)
        return false;
    return place->once_healthy || (place->task && place->task->stage == QM_STAGE_DEAD);
}

/* Places that this host's devices and mount point ask for. */
void qm_places_of_host(struct qm_planner *p, struct qm_host *host)
{
    for (size_t i = 0; i < p->n_services && !p->failed; i++) {
        const struct qm_service_policy *s = &p->policy->services[i];

        if (i == QM_SERVICE_PROBER || s->binding == QM_FLOATING)
            continue;
        if (s->binding == QM_BOUND_TO_DEVICE ? qm_host_has_device(host, s->device_type, true)
                                             : s->enabled && host->mount_point)
            qm_place_get(p, host, i);
    }
}

bool qm_task_available(const struct qm_planner *p, const struct qm_task *task)
{
    return task->stage == QM_STAGE_HEALTHY && task->stop == QM_STOP_NONE &&
           p->now >= qm_later_by(task->healthy_since, p->policy->services[task->service].min_ready);
}

bool qm_task_outdated(const struct qm_planner *p, const struct qm_task *task)
{
    if (task->service == QM_SERVICE_PROBER || task->service == p->n_services || !p->target.set ||
        !p->target.version[0])
        return false;
    return task->version != p->target.version ||
           task->config_hash != p->services[task->service].config_hash;
}

bool qm_place_outdated(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    return task && task->stage != QM_STAGE_DEAD && qm_task_outdated(p, task);
}

static enum qm_status status_in_shutdown(const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    if (!task || task->stage == QM_STAGE_DEAD)
        return QM_STATUS_COMPLETE;
    return task->stage == QM_STAGE_KILLING ? QM_STATUS_STARTING : QM_STATUS_PENDING;
}

static enum qm_status status_of_task(const struct qm_planner *p, const struct qm_task *task)
{
    switch ((enum qm_task_stage)task->stage) {
    case QM_STAGE_INTENT:
    case QM_STAGE_SAVED:
        return QM_STATUS_PREPARED;
    case QM_STAGE_SENT:
    case QM_STAGE_SEEN:
    case QM_STAGE_KILLING:
        return QM_STATUS_STARTING;
    case QM_STAGE_RUNNING:
        return QM_STATUS_STARTED;
    case QM_STAGE_HEALTHY:
        return qm_plan_rolls(p) && !qm_task_available(p, task) ? QM_STATUS_STARTED
                                                               : QM_STATUS_COMPLETE;
    case QM_STAGE_UNANSWERED:
    case QM_STAGE_UNREACHABLE:
    case QM_STAGE_DEAD:
        break;
    }
    return QM_STATUS_PENDING;
}

enum qm_status qm_place_status(const struct qm_planner *p, const struct qm_place *place)
{
    const struct qm_task *task = place->task;

    if (p->plan.kind == QM_PLAN_SHUTDOWN)
        return status_in_shutdown(place);
    if (place->surge)
        return status_of_task(p, place->surge) == QM_STATUS_COMPLETE
                   ? QM_STATUS_STARTED
                   : status_of_task(p, place->surge);
    if (qm_task_idle(task)) {
        if (place->retry_at > p->now)
            return QM_STATUS_DELAYED;
        return place->rolling ? QM_STATUS_STARTING : QM_STATUS_PENDING;
    }
    if (task->stop != QM_STOP_NONE && qm_stage_known(task->stage))
        return QM_STATUS_STARTING;
    if (qm_task_outdated(p, task))
        return QM_STATUS_PENDING;
    return status_of_task(p, task);
}

static unsigned count_task(const struct qm_planner *p, const struct qm_task *task)
{
    unsigned bits = 0;

    if (task->stage == QM_STAGE_DEAD)
        return 0;
    if (task->stage != QM_STAGE_UNREACHABLE)
        bits |= QM_COUNT_LIVE;
    if (task->stage == QM_STAGE_RUNNING || task->stage == QM_STAGE_HEALTHY ||
        (task->stage == QM_STAGE_KILLING && task->state == QM_TASK_RUNNING))
        bits |= QM_COUNT_RUNNING;
    if (task->stage == QM_STAGE_HEALTHY)
        bits |= QM_COUNT_HEALTHY;
    if (qm_task_available(p, task))
        bits |= QM_COUNT_AVAILABLE;
    return bits;
}

static unsigned count_place(const struct qm_planner *p, const struct qm_place *place)
{
    unsigned bits = 0;
    bool wanted = qm_place_wanted(p, place);

    if (wanted)
        bits |= QM_COUNT_WANTED;
    if (place->task)
        bits |= count_task(p, place->task);
    if (place->surge)
        bits |= count_task(p, place->surge);
    if (qm_place_outdated(p, place))
        bits |= QM_COUNT_OUTDATED;
    if (wanted && place->once_healthy) {
        bits |= QM_COUNT_ONCE_HEALTHY;
        if (!(bits & QM_COUNT_AVAILABLE))
            bits |= QM_COUNT_UNAVAILABLE;
    }
    if (wanted && place->status == QM_STATUS_COMPLETE)
        bits |= QM_COUNT_COMPLETE;
    if (place->status == QM_STATUS_PREPARED || place->status == QM_STATUS_STARTING)
        bits |= QM_COUNT_PREPARED;
    /* Left out by the operator: shown as what it is, counted for nothing. */
    if (place->skipped)
        return bits & (QM_COUNT_RUNNING | QM_COUNT_HEALTHY | QM_COUNT_LIVE);
    /* What never ran on a host that is kept free is not waited for. */
    if (place->host && !place->once_healthy && qm_host_drained(place->host))
        bits &= ~(unsigned)QM_COUNT_WANTED;
    if ((bits & QM_COUNT_OUTDATED) || place->surge ||
        ((bits & QM_COUNT_ONCE_HEALTHY) && !(bits & QM_COUNT_COMPLETE)))
        bits |= QM_COUNT_HOLDS;
    return bits;
}

static void count_unavailable(struct qm_planner *p, struct qm_place *place, int by)
{
    struct qm_host *host = place->host;

    if (!host || !p->services[place->service].storage)
        return;
    host->unavailable = (uint8_t)(host->unavailable + by);
    p->storage_unavailable += (size_t)by;
    if (host->domain)
        host->domain->unavailable += (uint32_t)by;
}

static void apply(struct qm_planner *p, struct qm_place *place, unsigned bits)
{
    struct qm_service_state *s = &p->services[place->service];
    unsigned changed = bits ^ place->counted;

    if (!changed)
        return;
    for (int i = 0; i < QM_COUNTS; i++)
        if (changed & (1u << i))
            s->counts[i] += bits & (1u << i) ? 1 : (size_t)-1;
    if (changed & bits & QM_COUNT_UNAVAILABLE)
        s->last_unavailable = place->host;
    else if ((changed & QM_COUNT_UNAVAILABLE) && s->last_unavailable == place->host)
        s->last_unavailable = NULL;
    if (changed & QM_COUNT_UNAVAILABLE)
        count_unavailable(p, place, bits & QM_COUNT_UNAVAILABLE ? 1 : -1);
    place->counted = (uint16_t)bits;
    p->plan.dirty = true;
}

void qm_place_refresh(struct qm_planner *p, struct qm_place *place)
{
    enum qm_status status = qm_place_status(p, place);
    bool planned = p->services[place->service].phase != QM_NO_PHASE;
    char id[320];

    if (status != place->status && planned && qm_place_wanted(p, place)) {
        if (p->trace) {
            qm_step_id(p, place, id, sizeof(id));
            qm_trace(p, QM_TRACE_STEP, id, qm_status_name(place->status), qm_status_name(status),
                     "%s", "");
        }
        if (place->failures && status == QM_STATUS_COMPLETE)
            place->why = QM_WHY_NOTHING;
    }
    if (status == QM_STATUS_COMPLETE)
        qm_step_complete(p, place);
    place->status = (uint8_t)status;
    apply(p, place, count_place(p, place));
}

void qm_place_drop(struct qm_planner *p, struct qm_place *place)
{
    apply(p, place, 0);
}

void qm_step_id(const struct qm_planner *p, const struct qm_place *place, char *buffer, size_t size)
{
    const char *service = p->policy->services[place->service].name;

    if (place->host)
        snprintf(buffer, size, "%s.%s", service, place->host->name);
    else
        snprintf(buffer, size, "%s.%u", service, place->instance);
}

/* Remembers why a place waits, and since when it does for this reason. */
void qm_place_why(struct qm_planner *p, struct qm_place *place, const struct qm_reason *why)
{
    if (place->why != why->code)
        place->why_since = p->now;
    place->why = (uint8_t)why->code;
    place->have = why->have > UINT32_MAX ? UINT32_MAX : (uint32_t)why->have;
    place->want = why->want > UINT32_MAX ? UINT32_MAX : (uint32_t)why->want;
}
