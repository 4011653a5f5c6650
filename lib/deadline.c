/*
 * When the planner must be told the time: the minimum over small named functions. What belongs to
 * a host is kept in a heap by host, so that many waiting hosts cost nothing.
 */
#include <string.h>

#include "rooms.h"

static qm_time retry_deadline(const struct qm_planner *p, const struct qm_place *place)
{
    return place->retry_at > p->now ? place->retry_at : QM_TIME_NEVER;
}

static qm_time min_ready_deadline(const struct qm_planner *p, const struct qm_task *task)
{
    qm_time at;

    if (task->stage != QM_STAGE_HEALTHY)
        return QM_TIME_NEVER;
    at = qm_later_by(task->healthy_since, p->policy->services[task->service].min_ready);
    return at > p->now ? at : QM_TIME_NEVER;
}

static qm_time kill_deadline(const struct qm_planner *p, const struct qm_task *task)
{
    if (task->stop == QM_STOP_NONE || task->prodded == 0 || !qm_stage_known(task->stage))
        return QM_TIME_NEVER;
    return qm_later_by(task->prodded, p->policy->kill_retry);
}

static qm_time staging_deadline(const struct qm_task *task)
{
    return qm_task_may_be_stuck(task) ? qm_later_by(task->since, QM_STAGING_MAX) : QM_TIME_NEVER;
}

static qm_time launch_deadline(const struct qm_planner *p, const struct qm_task *task)
{
    qm_time from = task->prodded > task->since ? task->prodded : task->since;

    if (task->stage != QM_STAGE_SENT)
        return QM_TIME_NEVER;
    return qm_later_by(from, p->policy->launch_timeout);
}

static qm_time maintenance_deadline(const struct qm_planner *p, const struct qm_host *host)
{
    const struct qm_host_extra *e = host->extra;
    qm_time end;

    if (!(host->wants || host->waits) || !e || e->unavailable_from == QM_TIME_NEVER ||
        e->unavailable_for == 0)
        return QM_TIME_NEVER;
    end = qm_later_by(e->unavailable_from, e->unavailable_for);
    return end > p->now ? end : QM_TIME_NEVER;
}

qm_time qm_host_deadline(const struct qm_planner *p, const struct qm_host *host)
{
    qm_time at = qm_earlier(qm_probe_deadline(p, host), maintenance_deadline(p, host));

    at = qm_earlier(at, qm_drain_deadline(p, host));
    for (size_t i = 0; i < host->n_places; i++)
        at = qm_earlier(at, qm_earlier(retry_deadline(p, &host->places[i]),
                                       qm_timeout_deadline(p, &host->places[i])));
    for (const struct qm_task *task = host->tasks; task; task = task->next) {
        at = qm_earlier(at, min_ready_deadline(p, task));
        at = qm_earlier(at, kill_deadline(p, task));
        at = qm_earlier(at, staging_deadline(task));
        at = qm_earlier(at, launch_deadline(p, task));
    }
    return at;
}

static void put(struct qm_planner *p, size_t i, struct qm_host *host)
{
    p->heap[i] = host;
    host->heap_index = (uint32_t)i;
}

static void up(struct qm_planner *p, size_t i, struct qm_host *host)
{
    while (i > 0 && p->heap[(i - 1) / 2]->due > host->due) {
        put(p, i, p->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(p, i, host);
}

static void down(struct qm_planner *p, size_t i, struct qm_host *host)
{
    size_t child;

    while ((child = 2 * i + 1) < p->n_heap) {
        if (child + 1 < p->n_heap && p->heap[child + 1]->due < p->heap[child]->due)
            child++;
        if (p->heap[child]->due >= host->due)
            break;
        put(p, i, p->heap[child]);
        i = child;
    }
    put(p, i, host);
}

/* Keeps a host's place in the heap not later than its deadline: earlier costs only a look. */
void qm_host_schedule(struct qm_planner *p, struct qm_host *host)
{
    qm_time due = qm_host_deadline(p, host);

    if (host->in_heap && host->due <= due && host->due > p->now)
        return;
    if (!host->in_heap && due == QM_TIME_NEVER)
        return;
    if (!host->in_heap) {
        if (!qm_grow(p->allocator, &p->heap, &p->heap_capacity, p->n_heap + 1, sizeof(*p->heap))) {
            qm_out_of_memory(p);
            return;
        }
        host->in_heap = true;
        host->due = due;
        up(p, p->n_heap++, host);
    } else if (due == QM_TIME_NEVER) {
        qm_host_unschedule(p, host);
    } else {
        bool earlier = due < host->due;

        host->due = due;
        if (earlier)
            up(p, host->heap_index, host);
        else
            down(p, host->heap_index, host);
    }
}

void qm_host_unschedule(struct qm_planner *p, struct qm_host *host)
{
    struct qm_host *last;
    size_t i = host->heap_index;

    if (!host->in_heap)
        return;
    host->in_heap = false;
    host->due = QM_TIME_NEVER;
    last = p->heap[--p->n_heap];
    if (last == host)
        return;
    if (i > 0 && p->heap[(i - 1) / 2]->due > last->due)
        up(p, i, last);
    else
        down(p, i, last);
}

void qm_hosts_due(struct qm_planner *p)
{
    while (p->n_heap > 0 && p->heap[0]->due <= p->now && !p->failed) {
        struct qm_host *host = p->heap[0];

        qm_host_unschedule(p, host);
        qm_host_touch(p, host);
    }
}

static qm_time hosts_deadline(const struct qm_planner *p)
{
    return p->n_heap > 0 ? p->heap[0]->due : QM_TIME_NEVER;
}

static qm_time shutdown_deadline(const struct qm_planner *p)
{
    return p->shutting_down ? QM_TIME_NEVER : p->shutdown_at;
}

qm_time qm_planner_deadline(const struct qm_planner *p)
{
    qm_time at = hosts_deadline(p);

    if (p->failed)
        return QM_TIME_NEVER;
    at = qm_earlier(at, qm_save_deadline(p));
    at = qm_earlier(at, qm_reconcile_deadline(p));
    at = qm_earlier(at, qm_strangers_deadline(p));
    at = qm_earlier(at, qm_revive_deadline(p));
    at = qm_earlier(at, qm_jobs_deadline(p));
    at = qm_earlier(at, qm_deploy_deadline(p));
    at = qm_earlier(at, qm_floating_deadline(p));
    at = qm_earlier(at, qm_pause_deadline(p));
    at = qm_earlier(at, shutdown_deadline(p));
    at = qm_earlier(at, p->rules.due);
    return at;
}
