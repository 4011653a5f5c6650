/*
 * The outgoing batch. Actions are collected by rank while decisions are made; inside a rank they
 * are given out by their key, so that the order of one instant's facts does not show.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define INSTANT_KEPT ((size_t)1 << 20) /* bytes of actions and offers that stay reserved */

struct qm_action *qm_emit(struct qm_planner *p, enum qm_rank rank, enum qm_action_type type,
                          const char *order)
{
    struct qm_action_list *list = &p->out[rank];
    struct qm_queued_action *queued = qm_arena_calloc(&p->instant, 1, sizeof(*queued));

    if (!queued) {
        qm_out_of_memory(p);
        return NULL;
    }
    queued->action.type = type;
    queued->order = order;
    queued->sequence = p->out_sequence++;
    if (!list->first)
        list->last = &list->first;
    *list->last = queued;
    list->last = &queued->next;
    list->n++;
    list->sorted = false;
    return &queued->action;
}

static int by_order(const void *a, const void *b)
{
    const struct qm_queued_action *x = *(struct qm_queued_action *const *)a;
    const struct qm_queued_action *y = *(struct qm_queued_action *const *)b;
    int order = strcmp(x->order, y->order);

    if (order != 0)
        return order;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void sort_list(struct qm_planner *p, struct qm_action_list *list)
{
    struct qm_queued_action **items, *q;
    size_t n = 0;

    list->sorted = true;
    if (list->n < 2)
        return;
    items = qm_arena_alloc(&p->instant, list->n * sizeof(struct qm_queued_action *));
    if (!items) {
        qm_out_of_memory(p);
        return;
    }
    for (q = list->first; q; q = q->next)
        items[n++] = q;
    qsort(items, n, sizeof(struct qm_queued_action *), by_order);
    for (size_t i = 0; i + 1 < n; i++)
        items[i]->next = items[i + 1];
    items[n - 1]->next = NULL;
    list->first = items[0];
    list->last = &items[n - 1]->next;
}

const struct qm_action *qm_actions_next(struct qm_planner *p)
{
    for (int rank = 0; rank < QM_RANKS; rank++) {
        struct qm_action_list *list = &p->out[rank];
        struct qm_queued_action *q;

        if (!list->first)
            continue;
        if (!list->sorted)
            sort_list(p, list);
        if (p->failed)
            return NULL;
        q = list->first;
        list->first = q->next;
        list->n--;
        return &q->action;
    }
    p->drained = true;
    return NULL;
}

/* At the first fact after a complete drain: the memory of the last instant is used again. */
void qm_actions_reset(struct qm_planner *p)
{
    memset(p->out, 0, sizeof(p->out));
    p->out_sequence = 0;
    p->drained = false;
    qm_jobs_free_spent(p);
    while (p->n_graves > 0)
        qm_free(p->allocator, p->graves[--p->n_graves]);
    /* A great save or a great many offers at once are rare: their memory is given back. */
    if (p->instant.current != p->instant.first && qm_arena_reserved(&p->instant) > INSTANT_KEPT)
        qm_arena_deinit(&p->instant);
    else
        qm_arena_reset(&p->instant);
    qm_offers_reset(p);
    if (!p->jobs) /* nobody holds a template */
        qm_policy_trim(p->policy);
}
