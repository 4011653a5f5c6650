/*
 * Services that run anywhere: which host takes a missing instance. One total order over candidate
 * hosts, numbered rules, decided by the first that tells two apart.
 *
 * Required: one instance of a service a host (they have fixed ports and one name).
 * Ours: spread over failure domains, then over hosts, then by name.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define PARKED_STAYS QM_SECONDS(30) /* a task without an offer is not moved at once */

struct candidate {
    struct qm_host *host;
    bool parked_here;      /* its last try came to nothing, the record stands */
    size_t same_in_domain; /* instances of the service in its failure domain */
    size_t floating_here;  /* our floating tasks on the host */
};

static bool live_of_service(const struct qm_host *host, size_t service)
{
    for (const struct qm_task *t = host->tasks; t; t = t->next)
        if (t->service == service && !qm_task_idle(t))
            return true;
    return false;
}

static size_t floating_tasks(const struct qm_planner *p, const struct qm_host *host)
{
    size_t n = 0;

    for (const struct qm_task *t = host->tasks; t; t = t->next)
        n += t->stage != QM_STAGE_DEAD && p->policy->services[t->service].binding == QM_FLOATING;
    return n;
}

static size_t in_domain(const struct qm_service_state *s, const struct qm_host *host)
{
    const char *domain = qm_host_domain_name(host);
    size_t n = 0;

    for (size_t i = 0; i < s->n_places; i++) {
        const struct qm_task *t = s->places[i].task;

        n += t && t->stage != QM_STAGE_DEAD && strcmp(qm_host_domain_name(t->host), domain) == 0;
    }
    return n;
}

static int candidate_cmp(const struct candidate *a, const struct candidate *b)
{
    /* 0. where its record stands already */
    if (a->parked_here != b->parked_here)
        return a->parked_here ? -1 : 1;
    /* 1. a failure domain without an instance of this service */
    if (a->same_in_domain != b->same_in_domain)
        return a->same_in_domain < b->same_in_domain ? -1 : 1;
    /* 2. a host with fewer floating tasks */
    if (a->floating_here != b->floating_here)
        return a->floating_here < b->floating_here ? -1 : 1;
    /* 3. by name; two hosts never have the same */
    return strcmp(a->host->name, b->host->name);
}

static int compare(const void *a, const void *b)
{
    return candidate_cmp(a, b);
}

static bool stays_elsewhere(const struct qm_planner *p, const struct qm_place *place,
                            const struct qm_host *host)
{
    const struct qm_task *task = place->task;

    return task && task->parked && task->host != host && qm_host_connected(task->host) &&
           p->now < qm_later_by(task->prodded, PARKED_STAYS);
}

/* Hosts with an offer in this instant that may take one, best first. */
static struct candidate *candidates(struct qm_planner *p, size_t service,
                                    const struct qm_place *place, size_t *n, struct qm_reason *why)
{
    struct candidate *list;
    size_t most = 0;
    bool taken = false;

    *n = 0;
    for (const struct qm_offer_left *o = p->offers; o; o = o->next_all)
        most++;
    list = qm_arena_alloc(&p->instant, (most + 1) * sizeof(*list));
    if (!list) {
        qm_out_of_memory(p);
        return NULL;
    }
    for (const struct qm_offer_left *o = p->offers; o; o = o->next_all) {
        struct qm_host *host = o->host;

        if (o->gone || o->foreign || host->offers != o)
            continue; /* once a host */
        if (live_of_service(host, service)) {
            taken = true;
            continue;
        }
        if (stays_elsewhere(p, place, host) || !qm_may_start(p, place, host, why))
            continue;
        list[*n] = (struct candidate){
            host, place->task && place->task->parked && place->task->host == host,
            in_domain(&p->services[service], host), floating_tasks(p, host)};
        (*n)++;
    }
    if (*n == 0 && why->code == QM_WHY_NOTHING)
        why->code = taken ? QM_WHY_NO_HOST : QM_WHY_NO_OFFER;
    qsort(list, *n, sizeof(*list), compare);
    return list;
}

/* @asked: the place as the rules are to see it; without its running task when a successor is due */
static bool try_hosts(struct qm_planner *p, struct qm_place *place, const struct qm_place *asked,
                      const char *version, struct qm_reason *why)
{
    bool surge = asked != place;
    struct qm_reason now;
    struct candidate *list;
    size_t n;

    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    list = candidates(p, place->service, asked, &n, why);
    for (size_t i = 0; list && i < n && !p->failed; i++) {
        now = (struct qm_reason){.code = QM_WHY_NOTHING};
        if (qm_launch(p, list[i].host, place, surge, version, &now))
            return true;
        if (why->code == QM_WHY_NOTHING)
            *why = now; /* of the best host */
    }
    return false;
}

/* A missing instance, where nothing but an offer could be missing. */
static bool consider(struct qm_planner *p, struct qm_place *place)
{
    struct qm_reason why = {.code = QM_WHY_NOTHING};

    if (!qm_task_idle(place->task) || place->surge)
        return false;
    if (!qm_place_wanted(p, place))
        return false;
    if (!qm_may_start(p, place, NULL, &why)) {
        qm_place_why(p, place, &why);
        return false;
    }
    if (try_hosts(p, place, place, qm_version_to_start(p, place), &why))
        return false;
    /* A look without any offer says nothing new about what the last offers lacked. */
    if (p->offers || place->why == QM_WHY_NOTHING)
        qm_place_why(p, place, &why);
    return true;
}

/* The next version runs beside the old one where another host has room. */
static bool surge(struct qm_planner *p, struct qm_place *place)
{
    struct qm_reason why = {.code = QM_WHY_NOTHING};
    struct qm_place empty = *place;

    if (!place->surge_wanted || place->surge || !place->task)
        return false;
    empty.task = NULL;
    empty.once_healthy = true;
    if (!qm_may_start(p, &empty, NULL, &why))
        return false;
    return !try_hosts(p, place, &empty, qm_version_to_start(p, place), &why);
}

/* Does a filter hold offers back that a floating service waits for? */
static void want_offers(struct qm_planner *p, size_t wanted)
{
    if (wanted > 0 && p->floating_wanted == 0)
        qm_revive_want(p);
    p->floating_wanted = wanted;
}

void qm_floating_start(struct qm_planner *p)
{
    size_t wanted = 0;

    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places && !p->failed; k++) {
            wanted += consider(p, &p->services[i].places[k]);
            wanted += surge(p, &p->services[i].places[k]);
        }
    want_offers(p, wanted);
}

/* The successor is healthy for long enough: it takes the place, the old one is stopped. */
static void succeed(struct qm_planner *p, struct qm_place *place)
{
    struct qm_task *old = place->task, *young = place->surge;

    if (!young || !qm_task_available(p, young))
        return;
    place->task = young;
    place->surge = NULL;
    place->surge_wanted = false;
    if (!old)
        return;
    old->surplus = true;
    p->n_surplus += old->stage != QM_STAGE_DEAD;
    qm_host_record_changed(p, old->host);
    if (old->stage == QM_STAGE_DEAD)
        qm_task_remove(p, old);
    else
        qm_task_stop(p, old, QM_STOP_SURGED);
}

/* The target went back while a successor was starting: the one that runs is right after all. */
static void give_up_successor(struct qm_planner *p, struct qm_place *place)
{
    struct qm_task *young = place->surge;

    if (!young || young->stage == QM_STAGE_DEAD || !qm_task_outdated(p, young) || !place->task ||
        place->task->stage != QM_STAGE_HEALTHY || qm_task_outdated(p, place->task))
        return;
    place->surge = NULL;
    place->surge_wanted = false;
    young->surplus = true;
    p->n_surplus++;
    qm_host_record_changed(p, young->host);
    qm_task_stop(p, young, QM_STOP_SURPLUS);
}

void qm_floating_refresh(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places && !p->failed; k++) {
            struct qm_place *place = &p->services[i].places[k];

            if (place->surge && place->surge->stage == QM_STAGE_DEAD) {
                qm_task_remove(p, place->surge);
                place->surge = NULL;
            }
            qm_timeout_consider(p, place);
            if (!qm_order_moves(place) && (!qm_place_outdated(p, place) || qm_held(p, NULL)))
                place->surge_wanted = false;
            give_up_successor(p, place);
            succeed(p, place);
            qm_place_refresh(p, place);
        }
}

/* Back-off of missing instances, min_ready of running ones is their host's; patience of a surge. */
qm_time qm_floating_deadline(const struct qm_planner *p)
{
    qm_time at = QM_TIME_NEVER;

    if (!p->connected)
        return at;
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places; k++) {
            const struct qm_place *place = &p->services[i].places[k];

            at = qm_earlier(at, qm_timeout_deadline(p, place));
            if (place->surge_wanted && !place->surge)
                at = qm_earlier(at, qm_later_by(place->retry_at, QM_SURGE_WAIT));
            else if (place->retry_at > p->now)
                at = qm_earlier(at, place->retry_at);
        }
    return at;
}

/* Has the time come to look at a missing instance again, or to give a surge up? */
bool qm_floating_is_due(const struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places; k++) {
            const struct qm_place *place = &p->services[i].places[k];
            bool missing = qm_task_idle(place->task);

            if (p->now >= qm_timeout_deadline(p, place))
                return true;

            if (place->surge_wanted && !place->surge &&
                p->now >= qm_later_by(place->retry_at, QM_SURGE_WAIT))
                return true;
            if (missing && place->why == QM_WHY_BACKOFF && place->retry_at <= p->now)
                return true;
        }
    return false;
}
