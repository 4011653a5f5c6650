/*
 * Reconciliation: after each (re)subscription every recorded task is asked after, by name and
 * agent, with a back-off until it has answered or was silent for the configured patience; one
 * implicit question beside it, and again from time to time.
 *
 * Mesos: an explicit question is not answered while the task's agent is recovered but not back; the
 * implicit one shows what we do not know of.
 */
#include "rooms.h"

#define SETTLE QM_SECONDS(2) /* for answers to the first implicit question after a start */

void qm_reconcile_begin(struct qm_planner *p)
{
    struct qm_host **hosts = qm_host_list(p);

    for (size_t i = 0; i < p->n_hosts; i++)
        for (struct qm_task *task = hosts[i]->tasks; task; task = task->next)
            if (qm_stage_live(task->stage) && task->stage != QM_STAGE_INTENT &&
                task->stage != QM_STAGE_SAVED)
                qm_task_enter(p, task, QM_STAGE_UNANSWERED, "subscribed");
    p->n_asked = p->n_unanswered;
    p->reconcile_started = p->now;
    p->reconcile_delay = p->policy->reconcile_first;
    p->reconcile_next = p->now;
    p->reconcile_implicit_at = p->now;
    p->synced = false;
    if (p->may_have_strangers)
        p->settle_until = qm_later_by(p->now, SETTLE);
    p->may_have_strangers = false;
}

/* Nothing that no record names turned up: empty places may be filled. */
static void settled(struct qm_planner *p)
{
    p->settle_until = 0;
    qm_plan_touch_all(p);
    qm_revive_want(p);
}

/* Patience is over: silent tasks are taken as unreachable. */
static void give_up(struct qm_planner *p)
{
    struct qm_host **hosts = qm_host_list(p);

    for (size_t i = 0; i < p->n_hosts; i++)
        for (struct qm_task *task = hosts[i]->tasks; task; task = task->next)
            if (task->stage == QM_STAGE_UNANSWERED)
                qm_task_enter(p, task, QM_STAGE_UNREACHABLE, "no answer");
}

void qm_reconcile_tick(struct qm_planner *p)
{
    if (!p->connected)
        return;
    if (p->n_unanswered > 0 &&
        p->now >= qm_later_by(p->reconcile_started, p->policy->reconcile_patience))
        give_up(p);
    if (p->settle_until != 0 && p->now >= p->settle_until)
        settled(p);
    if (p->n_unanswered == 0 && !p->synced) {
        p->synced = true;
        p->plan.dirty = true;
    }
}

/* Asks after one task now: its launch was not heard of, or its agent is in doubt. */
void qm_reconcile_ask(struct qm_planner *p, struct qm_task *task)
{
    struct qm_task_key *key;
    struct qm_action *action;

    if (!p->connected || !qm_stage_live(task->stage))
        return;
    key = qm_arena_alloc(&p->instant, sizeof(*key));
    action = key ? qm_emit(p, QM_RANK_RECONCILE, QM_ACTION_RECONCILE, "") : NULL;
    if (!action) {
        qm_out_of_memory(p);
        return;
    }
    key->task_id = task->id;
    key->agent_id = task->agent->id;
    action->reconcile.tasks = key;
    action->reconcile.n_tasks = 1;
    task->prodded = p->now;
}

static void emit_batch(struct qm_planner *p, const struct qm_task_key *keys, size_t n)
{
    struct qm_action *action = qm_emit(p, QM_RANK_RECONCILE, QM_ACTION_RECONCILE, "");

    if (!action)
        return;
    action->reconcile.tasks = keys;
    action->reconcile.n_tasks = n;
}

/* Asks explicitly after all tasks of this stage. */
static void ask_all(struct qm_planner *p, enum qm_task_stage stage, size_t most)
{
    struct qm_host **hosts = qm_host_list(p);
    struct qm_task_key *keys = qm_arena_alloc(&p->instant, (most + 1) * sizeof(*keys));
    size_t n = 0, done = 0;

    if (!keys) {
        qm_out_of_memory(p);
        return;
    }
    for (size_t i = 0; i < p->n_hosts; i++)
        for (struct qm_task *task = hosts[i]->tasks; task; task = task->next) {
            if (task->stage != stage || n == most)
                continue;
            keys[n].task_id = task->id;
            keys[n++].agent_id = task->agent->id;
            if (n - done == QM_RECONCILE_BATCH) {
                emit_batch(p, keys + done, n - done);
                done = n;
            }
        }
    if (n > done)
        emit_batch(p, keys + done, n - done);
}

static size_t count_unreachable(const struct qm_planner *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_hosts; i++)
        for (const struct qm_task *task = p->hosts[i]->tasks; task; task = task->next)
            n += task->stage == QM_STAGE_UNREACHABLE;
    return n;
}

void qm_reconcile_emit(struct qm_planner *p)
{
    if (!p->connected)
        return;
    if (p->n_unanswered > 0 && p->now >= p->reconcile_next) {
        ask_all(p, QM_STAGE_UNANSWERED, p->n_unanswered);
        p->reconcile_next = qm_later_by(p->now, p->reconcile_delay);
        p->reconcile_delay *= 2;
        if (p->reconcile_delay > p->policy->reconcile_max)
            p->reconcile_delay = p->policy->reconcile_max;
    }
    if (p->now >= p->reconcile_implicit_at) {
        emit_batch(p, NULL, 0);
        /* The implicit answer is silent on what cannot be reached. */
        ask_all(p, QM_STAGE_UNREACHABLE, count_unreachable(p));
        p->reconcile_implicit_at = qm_later_by(p->now, p->policy->reconcile_implicit);
    }
}

qm_time qm_reconcile_deadline(const struct qm_planner *p)
{
    qm_time at = p->reconcile_implicit_at;

    if (!p->connected)
        return QM_TIME_NEVER;
    if (p->settle_until > p->now)
        at = qm_earlier(at, p->settle_until);
    if (p->n_unanswered > 0) {
        at = qm_earlier(at, p->reconcile_next);
        at = qm_earlier(at, qm_later_by(p->reconcile_started, p->policy->reconcile_patience));
    }
    return at;
}
