/* Hosts: durable identity by name; the list, the dirty list, failure domains. */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

struct qm_host *qm_host_find(const struct qm_planner *p, const char *name)
{
    return qm_hashmap_get(&p->host_map, name);
}

static bool enlist(struct qm_planner *p, struct qm_host *host)
{
    if (!qm_grow(p->allocator, &p->hosts, &p->hosts_capacity, p->n_hosts + 1, sizeof(*p->hosts)))
        return false;
    if (qm_hashmap_put(&p->host_map, host->name, host) < 0)
        return false;
    if (p->n_hosts > 0 && strcmp(p->hosts[p->n_hosts - 1]->name, host->name) > 0)
        p->hosts_sorted = false;
    p->hosts[p->n_hosts++] = host;
    return true;
}

struct qm_host *qm_host_get(struct qm_planner *p, const char *name)
{
    struct qm_host *host = qm_host_find(p, name);
    size_t length = strlen(name) + 1;

    if (host)
        return host;
    host = qm_zalloc(p->allocator, sizeof(*host) + length);
    if (!host || (memcpy(host->name, name, length), !enlist(p, host))) {
        qm_free(p->allocator, host);
        qm_out_of_memory(p);
        return NULL;
    }
    host->due = QM_TIME_NEVER;
    host->last_report = QM_TIME_NEVER;
    host->allowed = qm_policy_allows_host(p->policy, name);
    if (!qm_place_get(p, host, QM_SERVICE_PROBER))
        return NULL;
    qm_host_touch(p, host);
    return host;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct qm_host *const *)a)->name, (*(struct qm_host *const *)b)->name);
}

struct qm_host **qm_host_list(struct qm_planner *p)
{
    if (!p->hosts_sorted && p->n_hosts > 1)
        qsort(p->hosts, p->n_hosts, sizeof(*p->hosts), by_name);
    p->hosts_sorted = true;
    return p->hosts;
}

void qm_host_touch(struct qm_planner *p, struct qm_host *host)
{
    if (host->dirty)
        return;
    if (!qm_grow(p->allocator, &p->dirty, &p->dirty_capacity, p->n_dirty + 1, sizeof(*p->dirty))) {
        qm_out_of_memory(p);
        return;
    }
    host->dirty = true;
    p->dirty[p->n_dirty++] = host;
}

#define LAZY_SAVE QM_SECONDS(1)

static void enlist_unsaved(struct qm_planner *p, struct qm_host *host)
{
    if (host->record_dirty)
        return;
    if (!qm_grow(p->allocator, &p->unsaved, &p->unsaved_capacity, p->n_unsaved + 1,
                 sizeof(*p->unsaved))) {
        qm_out_of_memory(p);
        return;
    }
    host->record_dirty = true;
    p->unsaved[p->n_unsaved++] = host;
}

void qm_host_record_changed(struct qm_planner *p, struct qm_host *host)
{
    host->revision = UINT64_MAX;
    p->save_wanted_at = 0;
    enlist_unsaved(p, host);
}

/* Nothing waits for it: it goes with the next save, or after a moment, many hosts together. */
void qm_host_record_changed_lazily(struct qm_planner *p, struct qm_host *host)
{
    p->save_wanted_at = qm_earlier(p->save_wanted_at, qm_later_by(p->now, LAZY_SAVE));
    enlist_unsaved(p, host);
}

bool qm_host_saved(const struct qm_planner *p, const struct qm_host *host)
{
    return host->revision <= p->saved_revision;
}

bool qm_host_connected(const struct qm_host *host)
{
    return host->agent && host->agent->connected;
}

struct qm_host_extra *qm_host_extra(struct qm_planner *p, struct qm_host *host)
{
    if (!host->extra) {
        host->extra = qm_zalloc(p->allocator, sizeof(*host->extra));
        if (host->extra)
            host->extra->unavailable_from = QM_TIME_NEVER;
        else
            qm_out_of_memory(p);
    }
    return host->extra;
}

bool qm_host_in_maintenance(const struct qm_planner *p, const struct qm_host *host)
{
    const struct qm_host_extra *e = host->extra;

    if (!e || e->unavailable_from == QM_TIME_NEVER)
        return false;
    if (qm_later_by(p->now, p->policy->maintenance_margin) < e->unavailable_from)
        return false;
    return e->unavailable_for == 0 || p->now < qm_later_by(e->unavailable_from, e->unavailable_for);
}

const char *qm_host_domain_name(const struct qm_host *host)
{
    return host->domain ? host->domain->name : host->name;
}

/* Hosts whose devices a first phase waits for. */
void qm_host_count_unreported(struct qm_planner *p, struct qm_host *host)
{
    bool now = host->allowed && qm_host_connected(host) && !host->reported;

    if (now == host->counted_unreported)
        return;
    host->counted_unreported = now;
    if (now && p->n_unreported++ == 0)
        p->probing_since = p->now;
    else if (!now)
        p->n_unreported--;
    p->plan.dirty = true;
}

static const char *domain_of_offer(const struct qm_planner *p, const struct qm_offer *offer)
{
    const char *which = p->policy->failure_domain;

    if (strcmp(which, "@zone") == 0)
        return offer->zone ? offer->zone : "";
    if (strcmp(which, "@region") == 0)
        return offer->region ? offer->region : "";
    for (size_t i = 0; i < offer->n_attributes; i++)
        if (strcmp(offer->attributes[i].name, which) == 0)
            return offer->attributes[i].value ? offer->attributes[i].value : "";
    return "";
}

static struct qm_domain *domain_get(struct qm_planner *p, const char *name)
{
    struct qm_domain *domain = qm_hashmap_get(&p->domain_map, name);
    size_t length = strlen(name) + 1;

    if (domain)
        return domain;
    domain = qm_zalloc(p->allocator, sizeof(*domain) + length);
    if (!domain || !qm_grow(p->allocator, &p->domains, &p->domains_capacity, p->n_domains + 1,
                            sizeof(*p->domains))) {
        qm_free(p->allocator, domain);
        qm_out_of_memory(p);
        return NULL;
    }
    memcpy(domain->name, name, length);
    p->domains[p->n_domains++] = domain;
    if (qm_hashmap_put(&p->domain_map, domain->name, domain) < 0) {
        qm_out_of_memory(p);
        return NULL;
    }
    return domain;
}

void qm_host_set_domain(struct qm_planner *p, struct qm_host *host, const struct qm_offer *offer)
{
    const char *name = domain_of_offer(p, offer);
    struct qm_domain *domain = NULL;

    if (name[0])
        domain = domain_get(p, name);
    if (p->failed || domain == host->domain)
        return;
    if (host->domain)
        host->domain->unavailable -= host->unavailable;
    host->domain = domain;
    if (domain)
        domain->unavailable += host->unavailable;
}

static void free_extra(struct qm_planner *p, struct qm_host_extra *extra)
{
    if (!extra)
        return;
    qm_free(p->allocator, extra->warning);
    qm_free(p->allocator, extra->drained_why);
    qm_free(p->allocator, extra->unknown);
    qm_free(p->allocator, extra);
}

/* Frees what belongs to the host alone; tasks and agents are taken down by the caller. */
struct qm_host *qm_host_free(struct qm_planner *p, struct qm_host *host)
{
    qm_devices_free(p, host);
    free_extra(p, host->extra);
    qm_free(p->allocator, host->places);
    qm_free(p->allocator, host->boot_id);
    qm_bury(p, host);
    return NULL;
}

bool qm_host_retire(struct qm_planner *p, struct qm_host *host)
{
    struct qm_host **list;
    size_t low = 0, high = p->n_hosts;

    if (host->tasks || host->has_record || host->record_dirty || host->in_save || host->dirty ||
        host->offers || host->jobs)
        return false;
    for (const struct qm_agent *a = host->agents; a; a = a->next)
        if (a->connected || a->n_tasks > 0)
            return false;
    for (size_t i = 0; i < host->n_places; i++)
        qm_place_drop(p, &host->places[i]);
    host->wants = false;
    qm_orders_leave(p, host);
    qm_host_unschedule(p, host);
    host->agent = host->rival = NULL;
    while (host->agents)
        qm_agent_retire(p, host->agents);
    for (size_t i = 0; i < QM_RECENT_OFFERS; i++)
        if (p->recent[i].host == host)
            p->recent[i].host = NULL;
    list = qm_host_list(p);
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(list[middle]->name, host->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(&list[low], &list[low + 1], (p->n_hosts - low - 1) * sizeof(*list));
    p->n_hosts--;
    qm_hashmap_remove(&p->host_map, host->name);
    qm_trace(p, QM_TRACE_HOST, host->name, "lost", "forgotten", "nothing of ours was there");
    qm_plan_drop_queues(p);
    qm_host_free(p, host);
    return true;
}
