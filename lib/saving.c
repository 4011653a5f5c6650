/*
 * Saving. One save is under way at a time; what changes meanwhile goes into the next. A failed
 * save's content is said again, with whatever is new, under the next revision after a back-off. So
 * "saved(revision)" needs no bookkeeping of gaps, and a record is durable once its own revision is.
 */
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "rooms.h"

#define RETRY_MIN 100 /* ms; a store that fails at once must not be asked in a loop */

void qm_framework_changed(struct qm_planner *p)
{
    p->framework_dirty = true;
    p->framework_revision = UINT64_MAX;
    p->save_wanted_at = 0;
}

/* A change that launches and kills wait for. */
void qm_order_changed(struct qm_planner *p)
{
    qm_framework_changed(p);
    p->order_revision = UINT64_MAX;
}

bool qm_order_saved(const struct qm_planner *p)
{
    return p->order_revision <= p->saved_revision;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct qm_host *const *)a)->name, (*(struct qm_host *const *)b)->name);
}

static bool room(struct qm_planner *p, struct qm_save *save)
{
    size_t n = p->n_unsaved + 1;

    save->records = qm_arena_calloc(&p->instant, n, sizeof(*save->records));
    if (!save->records ||
        !qm_grow(p->allocator, &p->saving, &p->saving_capacity, n, sizeof(*p->saving))) {
        qm_out_of_memory(p);
        return false;
    }
    return true;
}

static void take_hosts(struct qm_planner *p, struct qm_record *records, size_t *n)
{
    if (p->n_unsaved > 1)
        qsort(p->unsaved, p->n_unsaved, sizeof(*p->unsaved), by_name);
    p->n_saving = 0;
    for (size_t i = 0; i < p->n_unsaved; i++) {
        struct qm_host *host = p->unsaved[i];

        host->record_dirty = false;
        if (!qm_host_to_record(host) && !host->has_record) {
            host->revision = 0; /* nothing was ever written, nothing is to be */
            qm_host_touch(p, host);
            continue;
        }
        if (!qm_record_write_host(p, host, &records[(*n)++]))
            return;
        host->has_record = qm_host_to_record(host);
        host->in_save = true;
        host->revision = p->revision;
        p->saving[p->n_saving++] = host;
    }
    p->n_unsaved = 0;
    p->save_wanted_at = QM_TIME_NEVER;
}

void qm_save_emit(struct qm_planner *p)
{
    struct qm_save save = {0};
    struct qm_record *records;
    struct qm_action *action;

    if (p->save_under_way || p->now < p->save_wanted_at)
        return;
    if (p->save_retry_at != QM_TIME_NEVER && p->now < p->save_retry_at)
        return;
    if (!room(p, &save))
        return;
    records = (struct qm_record *)save.records;
    p->revision++;
    if (p->framework_dirty) {
        if (!qm_record_write_framework(p, &records[save.n_records++]))
            return;
        p->framework_dirty = false;
        p->framework_in_save = true;
        p->framework_revision = p->revision;
        if (p->order_revision == UINT64_MAX)
            p->order_revision = p->revision;
    }
    take_hosts(p, records, &save.n_records);
    if (p->failed)
        return;
    if (save.n_records == 0) {
        p->revision--;
        p->save_retry_at = QM_TIME_NEVER;
        return;
    }
    save.revision = p->revision;
    p->save_under_way = true;
    p->save_retry_at = QM_TIME_NEVER;
    action = qm_emit(p, QM_RANK_SAVE, QM_ACTION_SAVE, "");
    if (action)
        action->save = save;
}

/* Starts and stops everywhere rested on the order: once an order, all are looked at. */
static void order_is_saved(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        qm_host_touch(p, p->hosts[i]);
    p->floating_look = true;
}

int qm_fact_saved(struct qm_planner *p, uint64_t revision)
{
    bool order_waited = !qm_order_saved(p);

    if (revision > p->revision)
        return QM_E_STALE;
    if (revision <= p->saved_revision || !p->save_under_way || revision != p->revision)
        return 0;
    p->saved_revision = revision;
    p->save_under_way = false;
    p->framework_in_save = false;
    p->save_retry_delay = 0;
    for (size_t i = 0; i < p->n_saving; i++) {
        p->saving[i]->in_save = false;
        qm_host_touch(p, p->saving[i]);
    }
    p->n_saving = 0;
    p->jobs_dirty = true;
    p->plan.dirty = true;
    if (order_waited && qm_order_saved(p))
        order_is_saved(p);
    return 0;
}

int qm_fact_save_failed(struct qm_planner *p, uint64_t revision)
{
    const struct qm_policy *policy = p->policy;

    if (revision > p->revision)
        return QM_E_STALE;
    if (!p->save_under_way || revision != p->revision)
        return 0;
    p->save_under_way = false;
    if (p->framework_in_save)
        qm_framework_changed(p);
    if (p->order_revision > p->saved_revision)
        p->order_revision = UINT64_MAX;
    p->framework_in_save = false;
    for (size_t i = 0; i < p->n_saving; i++) {
        p->saving[i]->in_save = false;
        p->saving[i]->has_record = true; /* may have been written */
        qm_host_record_changed(p, p->saving[i]);
    }
    p->n_saving = 0;
    p->save_retry_delay = p->save_retry_delay ? p->save_retry_delay * 2 : policy->save_retry_first;
    if (p->save_retry_delay > policy->save_retry_max)
        p->save_retry_delay = policy->save_retry_max;
    if (p->save_retry_delay < RETRY_MIN)
        p->save_retry_delay = RETRY_MIN;
    p->save_retry_at = qm_later_by(p->now, p->save_retry_delay);
    qm_trace(p, QM_TRACE_STATE, "save", "under way", "failed", "revision %llu",
             (unsigned long long)revision);
    return 0;
}

qm_time qm_save_deadline(const struct qm_planner *p)
{
    if (p->save_under_way)
        return QM_TIME_NEVER;
    if (p->save_retry_at != QM_TIME_NEVER)
        return p->save_retry_at;
    return p->save_wanted_at;
}
