/*
 * Offers come, go away, and the master asks hosts back. An offer of a host that wants nothing costs
 * a look-up and a place in a list; others are copied into the memory of the instant.
 */
#include <string.h>

#include "rooms.h"

static void learn_unavailability(struct qm_planner *p, struct qm_host *host, qm_time from,
                                 qm_duration duration)
{
    struct qm_host_extra *extra = host->extra;

    if (from == QM_TIME_NEVER && (!extra || extra->unavailable_from == QM_TIME_NEVER))
        return;
    extra = qm_host_extra(p, host);
    if (!extra || (extra->unavailable_from == from && extra->unavailable_for == duration))
        return;
    extra->unavailable_from = from;
    extra->unavailable_for = duration;
    qm_trace(p, QM_TRACE_HOST, host->name, "",
             from == QM_TIME_NEVER ? "no maintenance" : "maintenance", "%s", "");
    qm_host_touch(p, host);
}

static bool copy_resource(struct qm_planner *p, struct qm_resource *to,
                          const struct qm_resource *from)
{
    struct qm_range *ranges;

    *to = *from;
    to->ranges = NULL;
    to->n_ranges = 0;
    if (from->role) {
        to->role = qm_arena_strdup(&p->instant, from->role);
        if (!to->role)
            return false;
    }
    if (from->kind != QM_RESOURCE_PORTS || from->n_ranges == 0)
        return true;
    ranges = qm_arena_alloc(&p->instant, from->n_ranges * sizeof(*ranges));
    if (!ranges)
        return false;
    memcpy(ranges, from->ranges, from->n_ranges * sizeof(*ranges));
    to->ranges = ranges;
    to->n_ranges = from->n_ranges;
    return true;
}

static struct qm_offer_left *copy_offer(struct qm_planner *p, const struct qm_offer *offer)
{
    struct qm_offer_left *left = qm_arena_calloc(&p->instant, 1, sizeof(*left));

    if (!left)
        return NULL;
    left->id = qm_arena_strdup(&p->instant, offer->id);
    left->role = qm_arena_strdup(&p->instant, offer->role ? offer->role : "");
    left->resources =
        qm_arena_calloc(&p->instant, offer->n_resources + 1, sizeof(*left->resources));
    if (!left->id || !left->role || !left->resources)
        return NULL;
    for (size_t i = 0; i < offer->n_resources; i++)
        if (!copy_resource(p, &left->resources[i], &offer->resources[i]))
            return NULL;
    left->n_resources = offer->n_resources;
    return left;
}

static bool goes_before(const struct qm_offer_left *a, const struct qm_offer_left *b)
{
    int order = strcmp(a->role, b->role);

    return order != 0 ? order < 0 : strcmp(a->id, b->id) < 0;
}

static void keep(struct qm_planner *p, struct qm_host *host, const struct qm_offer *offer,
                 bool foreign)
{
    struct qm_offer_left *left = copy_offer(p, offer), **at = &host->offers;

    if (!left) {
        qm_out_of_memory(p);
        return;
    }
    left->host = host;
    left->foreign = foreign;
    while (*at && goes_before(*at, left))
        at = &(*at)->next;
    left->next = *at;
    *at = left;
    left->next_all = p->offers;
    p->offers = left;
    qm_host_touch(p, host);
}

/* Looked up without making anything: what is refused leaves no trace. */
static bool is_known(const struct qm_planner *p, const struct qm_offer *offer)
{
    const struct qm_agent *agent = qm_agent_find(p, offer->agent_id);
    const struct qm_host *host = agent ? agent->host : qm_host_find(p, offer->hostname);

    for (const struct qm_offer_left *o = host ? host->offers : NULL; o; o = o->next)
        if (strcmp(o->id, offer->id) == 0)
            return true;
    return p->jobs && qm_hashmap_get(&p->job_offers, offer->id);
}

static struct qm_agent *agent_of(struct qm_planner *p, const struct qm_offer *offer)
{
    struct qm_agent *agent = qm_agent_find(p, offer->agent_id);
    struct qm_host *host;

    if (agent)
        return agent;
    host = qm_host_get(p, offer->hostname);
    return host ? qm_agent_get(p, offer->agent_id, host) : NULL;
}

/* Nothing is to start there, and no floating service looks for a host. */
static void decline_idle(struct qm_planner *p, struct qm_host *host, const struct qm_offer *offer)
{
    const char *id = qm_arena_strdup(&p->instant, offer->id);
    enum qm_decline how = host->waits ? QM_DECLINE_BUSY : QM_DECLINE_LONG;

    if (!id) {
        qm_out_of_memory(p);
        return;
    }
    if (how == QM_DECLINE_LONG) {
        host->filter_until = qm_later_by(p->now, p->policy->decline);
        host->filter_round = p->revive_round;
    }
    qm_decline(p, how, id);
    qm_outcome(p, host, QM_SERVICES_MAX, QM_WHY_NOT_NEEDED, 0, 0);
}

static bool is_sane(const struct qm_offer *offer)
{
    if (!offer->id || !offer->id[0] || !offer->agent_id || !offer->agent_id[0] ||
        !offer->hostname || !offer->hostname[0] || (offer->n_resources > 0 && !offer->resources))
        return false;
    return true;
}

int qm_fact_offer(struct qm_planner *p, const struct qm_offer *offer)
{
    struct qm_agent *agent;
    struct qm_host *host;

    if (!is_sane(offer))
        return QM_E_INVALID;
    if (!p->connected)
        return QM_E_CONFLICT;
    if (is_known(p, offer))
        return QM_E_DUPLICATE;
    agent = agent_of(p, offer);
    if (!agent)
        return 0;
    host = agent->host;
    p->offers_seen++;
    if (!agent->connected || host->agent != agent)
        qm_agent_heard(p, agent);
    if (host->agent == agent)
        learn_unavailability(p, host, offer->unavailable_from, offer->unavailable_for);
    if (!host->wants && !host->dirty && !p->plan.dirty && p->floating_wanted == 0) {
        decline_idle(p, host, offer);
        return 0;
    }
    if (host->agent == agent)
        qm_host_set_domain(p, host, offer);
    keep(p, host, offer, host->agent != agent);
    return 0;
}

int qm_fact_rescinded(struct qm_planner *p, const char *offer_id)
{
    if (!offer_id || !offer_id[0])
        return QM_E_INVALID;
    for (struct qm_offer_left *o = p->offers; o; o = o->next_all)
        if (!o->gone && strcmp(o->id, offer_id) == 0) {
            o->gone = true;
            p->offers_rescinded++;
            return 0;
        }
    for (int how = 0; how < QM_DECLINES; how++)
        for (size_t i = 0; i < p->declines[how].n; i++)
            if (strcmp(p->declines[how].ids[i], offer_id) == 0) {
                p->declines[how].ids[i] = p->declines[how].ids[--p->declines[how].n];
                p->offers_rescinded++;
                return 0;
            }
    if (qm_job_rescind(p, offer_id)) {
        p->offers_rescinded++;
        return 0;
    }
    return QM_E_UNKNOWN;
}

int qm_fact_inverse_offer(struct qm_planner *p, const struct qm_inverse_offer *offer)
{
    struct qm_inverse *inverse;
    struct qm_agent *agent;

    if (!offer->id || !offer->id[0])
        return QM_E_INVALID;
    agent = offer->agent_id ? qm_agent_find(p, offer->agent_id) : NULL;
    inverse = qm_arena_calloc(&p->instant, 1, sizeof(*inverse));
    if (!inverse || !(inverse->id = qm_arena_strdup(&p->instant, offer->id))) {
        qm_out_of_memory(p);
        return 0;
    }
    inverse->host = agent ? agent->host : NULL;
    inverse->next = p->inverse;
    p->inverse = inverse;
    if (agent && agent->host->agent == agent)
        learn_unavailability(p, agent->host, offer->unavailable_from, offer->unavailable_for);
    return 0;
}
