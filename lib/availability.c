/*
 * Rule 5: no stop of ours takes more away than the service can spare. Counters only; see
 * docs/rollout.md for the rule in words.
 */
#include <stdio.h>

#include "rooms.h"

/* Replicas that the registry is taken to have: never more than were once healthy. */
size_t qm_registry_replicas(const struct qm_planner *p)
{
    size_t once = qm_count(p, QM_SERVICE_REGISTRY, QM_COUNT_ONCE_HEALTHY);
    size_t want = p->policy->registry_replicas;

    return once < want ? once : want;
}

/* Unavailable instances of the service beside this place. */
static size_t others_unavailable(const struct qm_planner *p, const struct qm_place *place)
{
    size_t n = qm_count(p, place->service, QM_COUNT_UNAVAILABLE);

    return place->counted & QM_COUNT_UNAVAILABLE ? n - 1 : n;
}

static bool within_limit(const struct qm_planner *p, const struct qm_place *place,
                         struct qm_reason *why)
{
    size_t others = others_unavailable(p, place),
           limit = p->policy->services[place->service].max_unavailable;

    if (limit < 1)
        limit = 1; /* a limit of none would make every upgrade impossible */
    if (others + 1 <= limit)
        return true;
    *why = (struct qm_reason){.code = QM_WHY_MAX_UNAVAILABLE, .have = others, .want = limit};
    return false;
}

/* Which registries are replicas is not known: each one may be. One at a time with one or two. */
static bool majority_stays(const struct qm_planner *p, const struct qm_place *place,
                           struct qm_reason *why)
{
    size_t replicas, spare, away;

    if (place->service != QM_SERVICE_REGISTRY)
        return true;
    replicas = qm_registry_replicas(p);
    spare = replicas - (replicas < 1 ? 0 : replicas / 2 + 1);
    away = others_unavailable(p, place) + 1;
    if (away <= (spare < 1 ? 1 : spare))
        return true;
    *why = (struct qm_reason){.code = QM_WHY_REGISTRY_MAJORITY,
                              .have = away < replicas ? replicas - away : 0,
                              .want = replicas / 2 + 1};
    return false;
}

static bool one_domain(const struct qm_planner *p, const struct qm_place *place,
                       struct qm_reason *why)
{
    const struct qm_host *host = place->host;
    size_t here;

    if (!host || !p->services[place->service].storage)
        return true;
    here = host->domain ? host->domain->unavailable : host->unavailable;
    if (p->storage_unavailable == here)
        return true;
    *why = (struct qm_reason){.code = QM_WHY_FAILURE_DOMAIN, .have = p->storage_unavailable - here};
    return false;
}

/* An instance that is down already is no loss. One that is healthy for a short time would be. */
static bool takes_nothing_away(const struct qm_place *place)
{
    return !place->task || place->task->stage != QM_STAGE_HEALTHY;
}

bool qm_available_after_stop(const struct qm_planner *p, const struct qm_place *place,
                             struct qm_reason *why)
{
    return takes_nothing_away(place) ||
           (within_limit(p, place, why) && majority_stays(p, place, why) &&
            one_domain(p, place, why));
}
