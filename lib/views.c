/* The cluster as a snapshot: hosts with devices and tasks, services, recent offers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "views.h"

/* The view is its arena's first block. */
struct cluster_memory {
    struct qm_cluster_view view;
    struct qm_view_memory memory;
};

void qm_view_memory_init(struct qm_view_memory *memory, const struct qm_planner *p)
{
    memory->has_allocator = p->allocator != NULL;
    if (p->allocator)
        memory->allocator = *p->allocator;
    qm_arena_init(&memory->arena, memory->has_allocator ? &memory->allocator : NULL);
}

char *qm_view_text(struct qm_view_memory *memory, const char *text)
{
    return qm_arena_strdup(&memory->arena, text ? text : "");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct qm_host *const *)a)->name,
                  (*(const struct qm_host *const *)b)->name);
}

const struct qm_host **qm_hosts_sorted(const struct qm_planner *p,
                                       const struct qm_allocator *allocator)
{
    const struct qm_host **hosts = qm_alloc(allocator, (p->n_hosts + 1) * sizeof(struct qm_host *));

    if (!hosts)
        return NULL;
    for (size_t i = 0; i < p->n_hosts; i++)
        hosts[i] = p->hosts[i];
    if (!p->hosts_sorted)
        qsort(hosts, p->n_hosts, sizeof(struct qm_host *), by_name);
    return hosts;
}

static bool fill_task(const struct qm_planner *p, struct qm_view_memory *m,
                      const struct qm_task *task, struct qm_task_view *v)
{
    v->id = qm_view_text(m, task->id);
    v->service = qm_view_text(m, p->policy->services[task->service].name);
    v->host = qm_view_text(m, task->host->name);
    v->agent_id = qm_view_text(m, task->agent->id);
    v->version = qm_view_text(m, task->version);
    v->stage = task->stage;
    v->state = task->state;
    v->since = task->since;
    v->healthy = task->stage == QM_STAGE_HEALTHY;
    v->available = qm_task_available(p, task);
    v->outdated = qm_task_outdated(p, task);
    v->message = qm_view_text(m, task->extra ? task->extra->message : NULL);
    v->n_ports = task->n_ports;
    for (size_t i = 0; i < task->n_ports; i++)
        v->ports[i] = task->ports[i];
    return v->id && v->service && v->host && v->agent_id && v->version && v->message;
}

static bool fill_tasks(const struct qm_planner *p, struct qm_view_memory *m,
                       const struct qm_host *host, struct qm_host_view *v)
{
    size_t n = 0;

    for (const struct qm_task *t = host->tasks; t; t = t->next)
        n += t->stage != QM_STAGE_DEAD;
    v->tasks = qm_arena_calloc(&m->arena, n + 1, sizeof(*v->tasks));
    if (!v->tasks)
        return false;
    for (const struct qm_task *t = host->tasks; t; t = t->next)
        if (t->stage != QM_STAGE_DEAD && !fill_task(p, m, t, &v->tasks[v->n_tasks++]))
            return false;
    return true;
}

static bool fill_devices(struct qm_view_memory *m, const struct qm_host *host,
                         struct qm_host_view *v)
{
    size_t n = 0;

    for (const struct qm_known_device *d = host->devices; d; d = d->next)
        n++;
    v->devices = qm_arena_calloc(&m->arena, n + 1, sizeof(*v->devices));
    if (!v->devices)
        return false;
    for (const struct qm_known_device *d = host->devices; d; d = d->next) {
        struct qm_device_view *to = &v->devices[v->n_devices++];

        to->type = d->type;
        to->bootstrap = d->bootstrap;
        to->missing = d->missing;
        to->mount = qm_view_text(m, qm_device_text(d, QM_DEVICE_MOUNT));
        to->filesystem = qm_view_text(m, qm_device_text(d, QM_DEVICE_FILESYSTEM));
        to->serial = qm_view_text(m, qm_device_text(d, QM_DEVICE_SERIAL));
        to->model = qm_view_text(m, qm_device_text(d, QM_DEVICE_MODEL));
        to->id = qm_view_text(m, qm_device_text(d, QM_DEVICE_ID));
        to->warning = qm_view_text(m, qm_device_text(d, QM_DEVICE_WARNING));
        to->size_mib = d->size_mib;
        to->free_mib = d->free_mib;
        if (!to->mount || !to->filesystem || !to->serial || !to->model || !to->id || !to->warning)
            return false;
    }
    return true;
}

/* The first of its places that is empty and waits. */
static void fill_reason(const struct qm_planner *p, const struct qm_host *host,
                        struct qm_host_view *v)
{
    struct qm_reason why;

    for (size_t i = 0; i < host->n_places; i++) {
        const struct qm_place *place = &host->places[i];

        if (place->task && place->task->stage != QM_STAGE_DEAD)
            continue;
        if (!p->target.set && place->service != QM_SERVICE_PROBER)
            continue;
        if (!qm_why(p, place, &why))
            continue;
        v->reason = why;
        return;
    }
}

static bool fill_host(const struct qm_planner *p, struct qm_view_memory *m,
                      const struct qm_host *host, struct qm_host_view *v)
{
    bool connected = qm_host_connected(host);

    v->name = qm_view_text(m, host->name);
    v->agent_id = qm_view_text(m, connected ? host->agent->id : "");
    v->failure_domain = qm_view_text(m, qm_host_domain_name(host));
    v->warning = qm_view_text(m, host->extra ? host->extra->warning : NULL);
    v->connected = connected;
    v->allowed = host->allowed;
    v->drained = qm_host_drained(host);
    v->drained_since = v->drained ? host->extra->drained_since : QM_TIME_NEVER;
    v->drained_until = v->drained ? host->extra->drained_until : QM_TIME_NEVER;
    v->drained_why = qm_view_text(m, v->drained ? host->extra->drained_why : "");
    v->reported = host->reported;
    v->last_report = host->last_report;
    fill_reason(p, host, v);
    return v->name && v->agent_id && v->failure_domain && v->warning && v->drained_why && fill_devices(m, host, v) &&
           fill_tasks(p, m, host, v);
}

size_t qm_cluster_counts(const struct qm_planner *p, struct qm_service_view *services, size_t n)
{
    for (size_t i = 0; i < p->n_services && i < n; i++)
        services[i] = (struct qm_service_view){
            .name = (char *)p->policy->services[i].name,
            .binding = p->policy->services[i].binding,
            .wanted = qm_count(p, i, QM_COUNT_WANTED),
            .running = qm_count(p, i, QM_COUNT_RUNNING),
            .healthy = qm_count(p, i, QM_COUNT_HEALTHY),
            .available = qm_count(p, i, QM_COUNT_AVAILABLE),
            .outdated = qm_count(p, i, QM_COUNT_OUTDATED),
        };
    return p->n_services;
}

static bool fill_services(const struct qm_planner *p, struct qm_view_memory *m,
                          struct qm_cluster_view *v)
{
    v->services = qm_arena_calloc(&m->arena, p->n_services, sizeof(*v->services));
    if (!v->services)
        return false;
    v->n_services = qm_cluster_counts(p, v->services, p->n_services);
    for (size_t i = 0; i < v->n_services; i++) {
        v->services[i].name = qm_view_text(m, v->services[i].name);
        if (!v->services[i].name)
            return false;
    }
    return true;
}

/* Targets that were, and orders that were taken. */
static bool fill_history(const struct qm_planner *p, struct qm_view_memory *m,
                         struct qm_cluster_view *v)
{
    v->history = qm_arena_calloc(&m->arena, p->n_history + 1, sizeof(*v->history));
    v->events = qm_arena_calloc(&m->arena, p->n_events + 1, sizeof(*v->events));
    if (!v->history || !v->events)
        return false;
    for (size_t i = 0; i < p->n_history; i++) {
        v->history[i].version = qm_view_text(m, p->history[i].version);
        v->history[i].since = p->history[i].since;
        if (!v->history[v->n_history++].version)
            return false;
    }
    for (size_t i = 0; i < p->n_events; i++) {
        const struct qm_event *from = &p->events[i];
        struct qm_event_view *to = &v->events[v->n_events++];

        to->time = from->time;
        to->what = from->what;
        to->expired = from->expired;
        to->subject = qm_view_text(m, from->subject);
        to->why = qm_view_text(m, from->why);
        to->source = qm_view_text(m, from->source);
        if (!to->subject || !to->why || !to->source)
            return false;
    }
    return true;
}

static bool fill(const struct qm_planner *p, struct qm_view_memory *m, struct qm_cluster_view *v)
{
    const struct qm_host **hosts;
    bool ok = true;

    v->framework_id = qm_view_text(m, p->framework_id);
    v->target = qm_view_text(m, qm_planner_target(p));
    v->completed = qm_view_text(m, p->completed.set ? p->completed.version : "");
    v->connected = p->connected;
    v->reconciling = p->n_unanswered > 0;
    v->epoch = p->epoch;
    v->revision = qm_planner_revision(p);
    v->saved_revision = p->saved_revision;
    v->hosts = qm_arena_calloc(&m->arena, p->n_hosts + 1, sizeof(*v->hosts));
    if (!v->framework_id || !v->target || !v->completed || !v->hosts || !fill_services(p, m, v) ||
        !fill_history(p, m, v))
        return false;
    hosts = qm_hosts_sorted(p, p->allocator);
    for (size_t i = 0; hosts && ok && i < p->n_hosts; i++)
        ok = fill_host(p, m, hosts[i], &v->hosts[v->n_hosts++]);
    qm_free(p->allocator, hosts);
    return hosts && ok;
}

int qm_cluster_view_new(const struct qm_planner *p, struct qm_cluster_view **view)
{
    struct cluster_memory *v = qm_zalloc(p->allocator, sizeof(*v));

    *view = NULL;
    if (!v)
        return -ENOMEM;
    qm_view_memory_init(&v->memory, p);
    if (!fill(p, &v->memory, &v->view)) {
        qm_cluster_view_free(&v->view);
        return -ENOMEM;
    }
    *view = &v->view;
    return 0;
}

struct qm_cluster_view *qm_cluster_view_free(struct qm_cluster_view *view)
{
    struct cluster_memory *v = (struct cluster_memory *)view;
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

void qm_offer_outcomes_get(const struct qm_planner *p, struct qm_offer_outcomes *o)
{
    uint64_t n = p->n_recent < QM_RECENT_OFFERS ? p->n_recent : QM_RECENT_OFFERS;

    memset(o, 0, sizeof(*o));
    o->seen = p->offers_seen;
    o->accepted = p->offers_accepted;
    o->declined = p->offers_declined;
    o->rescinded = p->offers_rescinded;
    memcpy(o->by_reason, p->offers_by_reason, sizeof(o->by_reason));
    for (uint64_t i = 0; i < n; i++) {
        const struct qm_recent_offer *r = &p->recent[(p->n_recent - 1 - i) % QM_RECENT_OFFERS];

        o->recent[i].time = r->time;
        snprintf(o->recent[i].host, sizeof(o->recent[i].host), "%.127s",
                 r->host ? r->host->name : "");
        if (r->service < p->n_services)
            snprintf(o->recent[i].service, sizeof(o->recent[i].service), "%.63s",
                     p->policy->services[r->service].name);
        o->recent[i].reason =
            (struct qm_reason){.code = r->code, .since = r->time, .have = r->have, .want = r->want};
    }
    o->n_recent = n;
}
