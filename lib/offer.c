/*
 * Offers of one instant: used by launches or declined, each answered exactly once in the drain that
 * follows it. The last outcomes are remembered for explanations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

void qm_outcome(struct qm_planner *p, const struct qm_host *host, size_t service,
                enum qm_reason_code code, uint64_t have, uint64_t want)
{
    struct qm_recent_offer *r = &p->recent[p->n_recent++ % QM_RECENT_OFFERS];

    r->time = p->now;
    r->host = host;
    r->service = (uint8_t)service;
    r->code = (uint8_t)code;
    r->have = have;
    r->want = want;
    if (code == QM_WHY_NOTHING) {
        p->offers_accepted++;
    } else {
        p->offers_declined++;
        p->offers_by_reason[code]++;
    }
}

void qm_decline(struct qm_planner *p, enum qm_decline how, const char *offer_id)
{
    if (!qm_grow(p->allocator, &p->declines[how].ids, &p->declines[how].capacity,
                 p->declines[how].n + 1, sizeof(*p->declines[how].ids))) {
        qm_out_of_memory(p);
        return;
    }
    p->declines[how].ids[p->declines[how].n++] = offer_id;
}

/* The connection is gone, and with it everything that was offered. */
void qm_offers_void(struct qm_planner *p)
{
    for (struct qm_offer_left *o = p->offers; o; o = o->next_all)
        o->gone = true;
    for (int how = 0; how < QM_DECLINES; how++)
        p->declines[how].n = 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void emit_declines(struct qm_planner *p, enum qm_decline how, qm_duration refuse)
{
    size_t n = p->declines[how].n;
    struct qm_action *action;
    const char **ids;

    if (n == 0)
        return;
    ids = qm_arena_alloc(&p->instant, n * sizeof(*ids));
    action = ids ? qm_emit(p, QM_RANK_DECLINE, QM_ACTION_DECLINE, "") : NULL;
    if (!action) {
        qm_out_of_memory(p);
        return;
    }
    memcpy(ids, p->declines[how].ids, n * sizeof(*ids));
    if (n > 1)
        qsort(ids, n, sizeof(*ids), by_id);
    action->decline.offer_ids = ids;
    action->decline.n_offer_ids = n;
    action->decline.refuse = refuse;
    p->declines[how].n = 0;
}

/* The first reason for which something of this host does not start, for its declined offer. */
static const struct qm_place *waiting_place(const struct qm_host *host)
{
    for (size_t i = 0; i < host->n_places; i++)
        if (host->places[i].why != QM_WHY_NOTHING && qm_task_idle(host->places[i].task))
            return &host->places[i];
    return NULL;
}

static void decline_left(struct qm_planner *p, struct qm_offer_left *offer)
{
    struct qm_host *host = offer->host;
    const struct qm_place *place = waiting_place(host);
    enum qm_decline how =
        host->wants || host->waits || p->floating_wanted ? QM_DECLINE_BUSY : QM_DECLINE_LONG;

    if (how == QM_DECLINE_LONG) {
        host->filter_until = qm_later_by(p->now, p->policy->decline);
        host->filter_round = p->revive_round;
    }
    qm_decline(p, how, offer->id);
    if (offer->foreign)
        qm_outcome(p, host, QM_SERVICES_MAX, QM_WHY_TWO_AGENTS, 0, 0);
    else if (place)
        qm_outcome(p, host, place->service, place->why, place->have, place->want);
    else
        qm_outcome(p, host, QM_SERVICES_MAX, QM_WHY_NOT_NEEDED, 0, 0);
}

void qm_offers_finish(struct qm_planner *p)
{
    for (struct qm_offer_left *o = p->offers; o && !p->failed; o = o->next_all) {
        if (o->host->jobs)
            qm_jobs_queue(p, o->host);
        if (o->used)
            qm_outcome(p, o->host, QM_SERVICES_MAX, QM_WHY_NOTHING, 0, 0);
        else if (!o->gone)
            decline_left(p, o);
    }
    for (struct qm_offer_left *o = p->offers; o; o = o->next_all)
        o->host->offers = NULL;
    p->offers = NULL;
    emit_declines(p, QM_DECLINE_LONG, p->policy->decline);
    emit_declines(p, QM_DECLINE_BUSY, p->policy->decline_busy);
    emit_declines(p, QM_DECLINE_NOW, 0);
}

/* Nothing of the last instant is left; guards against offers of a drain that failed half-way. */
void qm_offers_reset(struct qm_planner *p)
{
    for (struct qm_offer_left *o = p->offers; o; o = o->next_all)
        o->host->offers = NULL;
    p->offers = NULL;
}
