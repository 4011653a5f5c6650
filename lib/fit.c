/*
 * Does a service fit into what a host offers, and which resources does it take? Offers of one agent
 * and one role may be used together; reserved resources first, then unreserved ones. Revocable,
 * shared and special disks are never used.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

static bool usable(const struct qm_resource *r)
{
    return !(r->flags & (QM_RESOURCE_REVOCABLE | QM_RESOURCE_SHARED | QM_RESOURCE_HAS_SOURCE));
}

static bool in_group(const struct qm_offer_left *offer, const struct qm_offer_left *group)
{
    return offer && strcmp(offer->role, group->role) == 0;
}

static bool takeable(const struct qm_offer_left *offer)
{
    return !offer->gone && !offer->foreign;
}

static uint64_t sum(const struct qm_offer_left *group, enum qm_resource_kind kind)
{
    uint64_t total = 0;

    for (const struct qm_offer_left *o = group; in_group(o, group); o = o->next)
        for (size_t i = 0; takeable(o) && i < o->n_resources; i++)
            if (o->resources[i].kind == kind && usable(&o->resources[i]) &&
                o->resources[i].amount <= UINT64_MAX - total)
                total += o->resources[i].amount;
    return total;
}

static bool offers_port(const struct qm_offer_left *group, uint64_t port)
{
    for (const struct qm_offer_left *o = group; in_group(o, group); o = o->next)
        for (size_t i = 0; takeable(o) && i < o->n_resources; i++) {
            const struct qm_resource *r = &o->resources[i];

            for (size_t k = 0; r->kind == QM_RESOURCE_PORTS && usable(r) && k < r->n_ranges; k++)
                if (r->ranges[k].begin <= port && port <= r->ranges[k].end)
                    return true;
        }
    return false;
}

static bool among(const uint32_t *ports, size_t n, uint64_t port)
{
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* The smallest offered port that is not chosen yet; 0 when there is none. */
static uint32_t any_port(const struct qm_offer_left *group, const uint32_t *chosen, size_t n)
{
    uint64_t best = UINT64_MAX;

    for (const struct qm_offer_left *o = group; in_group(o, group); o = o->next)
        for (size_t i = 0; takeable(o) && i < o->n_resources; i++) {
            const struct qm_resource *r = &o->resources[i];

            for (size_t k = 0; r->kind == QM_RESOURCE_PORTS && usable(r) && k < r->n_ranges; k++) {
                uint64_t port = r->ranges[k].begin ? r->ranges[k].begin : 1;

                while (port <= r->ranges[k].end && port <= 65535 && among(chosen, n, port))
                    port++;
                if (port <= r->ranges[k].end && port <= 65535 && port < best)
                    best = port;
            }
        }
    return best == UINT64_MAX ? 0 : (uint32_t)best;
}

static bool frees_port(const struct qm_task *freed, uint32_t port)
{
    for (size_t i = 0; freed && i < freed->n_ports; i++)
        if (freed->ports[i] == port)
            return true;
    return false;
}

static bool choose_ports(const struct qm_planner *p, const struct qm_offer_left *group,
                         const struct qm_service_policy *s, const struct qm_task *freed,
                         uint32_t *chosen, struct qm_reason *why)
{
    for (size_t i = 0; i < s->n_ports; i++) {
        uint32_t fixed = s->ports[i].number;

        chosen[i] = 0;
        if (fixed && (frees_port(freed, fixed) || offers_port(group, fixed)))
            chosen[i] = fixed;
        else if (!fixed || p->policy->dynamic_ports)
            chosen[i] = freed && freed->n_ports > i ? freed->ports[i] : any_port(group, chosen, i);
        if (chosen[i])
            continue;
        why->code = QM_WHY_PORTS;
        why->have = fixed;
        why->want = i + 1;
        snprintf(why->subject, sizeof(why->subject), "%s %u", s->ports[i].name, fixed);
        return false;
    }
    return true;
}

static bool enough(uint64_t have, uint64_t want, enum qm_reason_code code, struct qm_reason *why)
{
    if (have >= want)
        return true;
    why->code = code;
    why->have = have;
    why->want = want;
    return false;
}

static bool group_fits(const struct qm_planner *p, const struct qm_offer_left *group,
                       const struct qm_service_policy *s, const struct qm_task *freed,
                       struct qm_reason *why)
{
    struct qm_resources own = {0}; /* what the old task frees: it had the same needs */
    uint32_t ports[QM_PORTS_MAX];

    if (freed)
        own = s->resources;
    return enough(sum(group, QM_RESOURCE_CPUS) + own.cpu_milli, s->resources.cpu_milli, QM_WHY_CPUS,
                  why) &&
           enough(sum(group, QM_RESOURCE_MEM) + own.mem_mib, s->resources.mem_mib, QM_WHY_MEM,
                  why) &&
           enough(sum(group, QM_RESOURCE_DISK) + own.disk_mib, s->resources.disk_mib, QM_WHY_DISK,
                  why) &&
           choose_ports(p, group, s, freed, ports, why);
}

struct qm_offer_left *qm_fit(const struct qm_planner *p, const struct qm_host *host, size_t service,
                             const struct qm_task *freed, struct qm_reason *why)
{
    const struct qm_service_policy *s = &p->policy->services[service];
    struct qm_reason first = {.code = QM_WHY_NO_OFFER}, now;

    for (struct qm_offer_left *group = host->offers; group;) {
        struct qm_offer_left *next = group;
        bool any = false;

        for (; in_group(next, group); next = next->next)
            any |= takeable(next);
        now = (struct qm_reason){.code = QM_WHY_NOTHING};
        if (any && s->role[0] && strcmp(s->role, group->role) != 0) {
            now.code = QM_WHY_ROLE;
            snprintf(now.subject, sizeof(now.subject), "%.100s", s->role);
        }
        if (any && now.code == QM_WHY_NOTHING && group_fits(p, group, s, freed, &now))
            return group;
        if (any && (first.code == QM_WHY_NO_OFFER || first.code == QM_WHY_ROLE))
            first = now;
        group = next;
    }
    *why = first;
    return NULL;
}

struct taking {
    struct qm_planner *p;
    struct qm_arena *arena;
    struct qm_job_task *task;
    size_t capacity;
};

static struct qm_resource_use *add_use(struct taking *t, size_t offer, size_t resource,
                                       enum qm_resource_kind kind)
{
    struct qm_resource_use *use;

    if (t->task->n_uses == t->capacity) {
        size_t more = t->capacity ? t->capacity * 2 : 8;
        struct qm_resource_use *uses = qm_arena_calloc(t->arena, more, sizeof(*uses));

        if (!uses)
            return NULL;
        if (t->capacity)
            memcpy(uses, t->task->uses, t->capacity * sizeof(*uses));
        t->task->uses = uses;
        t->capacity = more;
    }
    use = &t->task->uses[t->task->n_uses++];
    *use = (struct qm_resource_use){.offer = offer, .resource = resource, .kind = kind};
    return use;
}

static bool take_amount(struct taking *t, struct qm_offer_left *group, enum qm_resource_kind kind,
                        uint64_t need)
{
    for (int reserved = 1; reserved >= 0; reserved--) {
        size_t place = 0;

        for (struct qm_offer_left *o = group; in_group(o, group); place += takeable(o), o = o->next)
            for (size_t i = 0; takeable(o) && i < o->n_resources && need > 0; i++) {
                struct qm_resource *r = &o->resources[i];
                uint64_t part = r->amount < need ? r->amount : need;
                struct qm_resource_use *use;

                if (r->kind != kind || !usable(r) || (r->role != NULL) != reserved || part == 0)
                    continue;
                use = add_use(t, place, i, kind);
                if (!use)
                    return false;
                use->amount = part;
                r->amount -= part;
                need -= part;
            }
    }
    return true;
}

/* Takes one port out of a range, which may split it. */
static bool cut_port(struct qm_planner *p, struct qm_resource *r, uint64_t port)
{
    struct qm_range *ranges = qm_arena_alloc(&p->instant, (r->n_ranges + 1) * sizeof(*ranges));
    size_t n = 0;

    if (!ranges)
        return false;
    for (size_t i = 0; i < r->n_ranges; i++) {
        struct qm_range range = r->ranges[i];

        if (port < range.begin || port > range.end) {
            ranges[n++] = range;
            continue;
        }
        if (range.begin < port)
            ranges[n++] = (struct qm_range){range.begin, port - 1};
        if (port < range.end)
            ranges[n++] = (struct qm_range){port + 1, range.end};
    }
    r->ranges = ranges;
    r->n_ranges = n;
    return true;
}

static bool holds_port(const struct qm_resource *r, uint64_t port)
{
    for (size_t i = 0; i < r->n_ranges; i++)
        if (r->ranges[i].begin <= port && port <= r->ranges[i].end)
            return true;
    return false;
}

/* All ports that one resource gives to the task are one use of it. */
static bool take_from(struct taking *t, size_t place, size_t index, struct qm_resource *r,
                      bool *taken)
{
    struct qm_range ranges[QM_PORTS_MAX], *copy;
    struct qm_resource_use *use;
    size_t n = 0;

    for (size_t i = 0; i < t->task->n_ports; i++) {
        uint64_t port = t->task->ports[i].number;

        if (taken[i] || !holds_port(r, port))
            continue;
        taken[i] = true;
        ranges[n++] = (struct qm_range){port, port};
        if (!cut_port(t->p, r, port))
            return false;
    }
    if (n == 0)
        return true;
    use = add_use(t, place, index, QM_RESOURCE_PORTS);
    copy = qm_arena_alloc(t->arena, n * sizeof(*copy));
    if (!use || !copy)
        return false;
    memcpy(copy, ranges, n * sizeof(*copy));
    use->ranges = copy;
    use->n_ranges = n;
    return true;
}

static bool take_ports(struct taking *t, struct qm_offer_left *group)
{
    bool taken[QM_PORTS_MAX] = {false};

    for (int reserved = 1; reserved >= 0; reserved--) {
        size_t place = 0;

        for (struct qm_offer_left *o = group; in_group(o, group); place += takeable(o), o = o->next)
            for (size_t i = 0; takeable(o) && i < o->n_resources; i++) {
                struct qm_resource *r = &o->resources[i];

                if (r->kind == QM_RESOURCE_PORTS && usable(r) && (r->role != NULL) == reserved &&
                    !take_from(t, place, i, r, taken))
                    return false;
            }
    }
    return true;
}

bool qm_fit_take(struct qm_planner *p, struct qm_offer_left *group, size_t service,
                 struct qm_arena *arena, struct qm_job_task *task)
{
    const struct qm_service_policy *s = &p->policy->services[service];
    struct taking t = {.p = p, .arena = arena, .task = task};
    uint32_t ports[QM_PORTS_MAX];
    struct qm_reason why;

    if (!choose_ports(p, group, s, NULL, ports, &why))
        return false;
    for (size_t i = 0; i < s->n_ports; i++)
        task->ports[i] = (struct qm_task_port){&s->ports[i], ports[i]};
    task->n_ports = s->n_ports;
    for (struct qm_offer_left *o = group; in_group(o, group); o = o->next)
        o->used |= takeable(o);
    return take_amount(&t, group, QM_RESOURCE_CPUS, s->resources.cpu_milli) &&
           take_amount(&t, group, QM_RESOURCE_MEM, s->resources.mem_mib) &&
           take_amount(&t, group, QM_RESOURCE_DISK, s->resources.disk_mib) && take_ports(&t, group);
}
