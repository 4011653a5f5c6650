/*
 * What happens at the first drain after facts: hosts that changed are looked at in name order, then
 * floating services and the plan, until nothing opens any more; then offers are answered and
 * records are saved. Facts of one instant were all absorbed before, so their order does not show.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define ROUNDS_MAX 10000 /* a guard: phases are few, and each round makes progress */

/* A prober of an agent that is not there any more must not keep the next one from starting. */
static void settle_prober(struct qm_planner *p, struct qm_host *host)
{
    struct qm_place *place = &host->places[0];
    struct qm_task *task = place->task;

    if (!task || task->agent == host->agent || task->agent->connected || !qm_host_connected(host) ||
        task->stage == QM_STAGE_DEAD)
        return;
    place->task = NULL;
    task->surplus = true;
    p->n_surplus++;
    qm_host_record_changed(p, host);
    qm_task_stop(p, task, QM_STOP_SURPLUS);
}

/* A shut down leaves nothing behind but where storage services ran: replicas are counted there. */
static bool is_forgotten(const struct qm_planner *p, const struct qm_task *task)
{
    return task->service != QM_SERVICE_PROBER && !p->services[task->service].storage;
}

/* Ended tasks stay only while they say what their place is repaired with. */
static void settle_ended(struct qm_planner *p, struct qm_host *host)
{
    struct qm_task *next;

    for (struct qm_task *task = host->tasks; task; task = next) {
        struct qm_place *place = qm_place_of(p, task);

        next = task->next;
        if (task->stage != QM_STAGE_DEAD)
            continue;
        if (place && place->task == task && qm_place_wanted(p, place) &&
            !(p->shutting_down && is_forgotten(p, task)))
            continue;
        if (place && p->shutting_down)
            place->once_healthy = false;
        qm_task_remove(p, task);
    }
}

/* Tasks without an offer that will not be launched any more. */
static void settle_parked(struct qm_planner *p, struct qm_host *host)
{
    for (struct qm_task *task = host->tasks; task; task = task->next)
        if (task->parked &&
            (task->stop != QM_STOP_NONE || !qm_host_connected(host) || task->agent != host->agent))
            qm_task_ended(p, task, false, "never sent");
}

static void emit_kill(struct qm_planner *p, struct qm_task *task)
{
    struct qm_action *action = qm_emit(p, QM_RANK_KILL, QM_ACTION_KILL, task->host->name);
    const struct qm_task_template *t = qm_policy_template(p->policy, task->service, task->version);

    if (!action || !t) {
        qm_out_of_memory(p);
        return;
    }
    action->kill.task_id = task->id;
    action->kill.agent_id = task->agent->id;
    action->kill.grace = t->kill_grace;
    task->prodded = p->now;
    task->kill_sent = true;
    qm_task_enter(p, task, QM_STAGE_KILLING, qm_stop_reason_name(task->stop));
}

/* The order of then may not be the order of now: another target, a shut down taken back. */
static void settle_stop(struct qm_planner *p, struct qm_task *task)
{
    bool still = task->stop == QM_STOP_SHUTDOWN  ? p->shutting_down
                 : task->stop == QM_STOP_ROLLOUT ? qm_task_outdated(p, task)
                 : task->stop == QM_STOP_STUCK || task->stop == QM_STOP_PUT_BACK ? !task->ran
                                                 : true;

    if (still)
        return;
    task->stop = QM_STOP_NONE;
    /* Was it killed in time? If not, it goes on. */
    if (task->stage == QM_STAGE_KILLING)
        qm_reconcile_ask(p, task);
}

/* Orders to stop become kills: once what they rest on is durable, and again until the end is
 * proven. */
static void kills(struct qm_planner *p, struct qm_host *host)
{
    for (struct qm_task *task = host->tasks; task && !p->failed; task = task->next) {
        settle_stop(p, task);
        if (task->stop == QM_STOP_NONE || !qm_stage_known(task->stage) ||
            task->stage == QM_STAGE_INTENT || task->stage == QM_STAGE_SAVED)
            continue;
        if (!p->connected || p->old_state || !qm_order_saved(p))
            continue;
        if (task->surplus && !qm_host_saved(p, host))
            continue;
        if (task->prodded == 0 || p->now >= qm_later_by(task->prodded, p->policy->kill_retry))
            emit_kill(p, task);
    }
}

static void surplus(struct qm_planner *p, struct qm_host *host)
{
    struct qm_reason why;

    for (struct qm_task *task = host->tasks; task; task = task->next)
        if (task->surplus && task->stop == QM_STOP_NONE && qm_stage_known(task->stage) &&
            qm_may_stop_surplus(p, task, &why))
            qm_task_stop(p, task, QM_STOP_SURPLUS);
}

static void ask_after_launches(struct qm_planner *p, struct qm_host *host)
{
    for (struct qm_task *task = host->tasks; task; task = task->next) {
        qm_time from = task->prodded > task->since ? task->prodded : task->since;

        if (qm_task_may_be_stuck(task) && p->now >= qm_later_by(task->since, QM_STAGING_MAX))
            qm_task_stop(p, task, QM_STOP_STUCK);
        if (task->stage == QM_STAGE_SENT && p->now >= qm_later_by(from, p->policy->launch_timeout))
            qm_reconcile_ask(p, task);
    }
}

static bool is_about_offers(enum qm_reason_code code)
{
    return code >= QM_WHY_NO_OFFER && code <= QM_WHY_ROLE;
}

/* Tries to fill an empty place. What it waits for decides how its host's offers are treated. */
static void start(struct qm_planner *p, struct qm_host *host, struct qm_place *place)
{
    struct qm_reason why = {.code = QM_WHY_NOTHING};

    if (!qm_task_idle(place->task))
        return;
    if (!qm_place_wanted(p, place))
        return;
    if (!qm_may_start(p, place, host, &why)) {
        qm_place_why(p, place, &why);
        host->waits |= why.code != QM_WHY_NOT_NEEDED && why.code != QM_WHY_HOST_NOT_ALLOWED;
        return;
    }
    if (qm_launch(p, host, place, false, qm_version_to_start(p, place), &why))
        return;
    host->wants = true;
    if (why.code != QM_WHY_NO_OFFER || place->why == QM_WHY_NOTHING || !is_about_offers(place->why))
        qm_place_why(p, place, &why);
}

/* Offers of a host that was idle are filtered for long: what is wanted now must not wait for that.
 */
static void lift_filter(struct qm_planner *p, struct qm_host *host)
{
    if (!host->wants || host->filter_until <= p->now || host->filter_round != p->revive_round)
        return;
    host->filter_until = 0;
    /* What a step of ours frees is more than the filter holds: it is offered all the same. */
    for (size_t i = 0; i < host->n_places; i++)
        if (qm_task_idle(host->places[i].task) && !host->places[i].rolling) {
            qm_revive_want(p);
            return;
        }
}

static void set_wants(struct qm_planner *p, struct qm_host *host, bool before)
{
    if (host->wants && !before)
        p->n_wanting++;
    else if (!host->wants && before)
        p->n_wanting--;
}

static void refresh(struct qm_planner *p, struct qm_host *host)
{
    for (size_t i = 0; i < host->n_places; i++)
        qm_place_refresh(p, &host->places[i]);
}

static void notice_floating(struct qm_planner *p, const struct qm_host *host)
{
    for (const struct qm_task *task = host->tasks; task; task = task->next)
        p->floating_look |= p->services[task->service].n_places > 0;
}

static void look_at(struct qm_planner *p, struct qm_host *host)
{
    bool wanted = host->wants;

    host->wants = host->waits = false;
    qm_drain_tick(p, host);
    settle_prober(p, host);
    settle_parked(p, host);
    settle_ended(p, host);
    surplus(p, host);
    refresh(p, host);
    for (size_t i = 0; i < host->n_places && !p->failed; i++) {
        qm_upgrade_consider(p, &host->places[i]);
        qm_timeout_consider(p, &host->places[i]);
        start(p, host, &host->places[i]);
    }
    kills(p, host);
    ask_after_launches(p, host);
    notice_floating(p, host);
    qm_orders_notice(p, host);
    qm_probe_consider(p, host);
    refresh(p, host);
    set_wants(p, host, wanted);
    lift_filter(p, host);
    qm_host_schedule(p, host);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct qm_host *const *)a)->name, (*(struct qm_host *const *)b)->name);
}

/* The list is taken as it is; what looking at a host changes comes in the next round. */
static void look_at_dirty(struct qm_planner *p)
{
    size_t n = p->n_dirty;
    struct qm_host **hosts = qm_arena_alloc(&p->instant, (n + 1) * sizeof(struct qm_host *));

    if (!hosts) {
        qm_out_of_memory(p);
        return;
    }
    if (n > 0)
        if (n > 0)
            memcpy(hosts, p->dirty, n * sizeof(struct qm_host *));
    p->n_dirty = 0;
    if (n > 1)
        qsort(hosts, n, sizeof(struct qm_host *), by_name);
    for (size_t i = 0; i < n; i++)
        hosts[i]->dirty = false;
    for (size_t i = 0; i < n && !p->failed; i++)
        if (!qm_host_retire(p, hosts[i]))
            look_at(p, hosts[i]);
}

static void answer_inverse_offers(struct qm_planner *p)
{
    for (struct qm_inverse *i = p->inverse; i; i = i->next) {
        bool busy = false;
        struct qm_action *action;

        for (const struct qm_task *t = i->host ? i->host->tasks : NULL; t; t = t->next)
            busy |= t->service != QM_SERVICE_PROBER && qm_stage_live(t->stage);
        action =
            qm_emit(p, QM_RANK_INVERSE,
                    busy ? QM_ACTION_DECLINE_INVERSE_OFFER : QM_ACTION_ACCEPT_INVERSE_OFFER, i->id);
        if (action)
            action->inverse_offer_id = i->id;
    }
    p->inverse = NULL;
}

static void tick(struct qm_planner *p)
{
    struct qm_reason why;

    qm_pause_tick(p);
    qm_hosts_due(p);
    qm_rules_tick(p);
    qm_reconcile_tick(p);
    p->floating_look |= qm_floating_is_due(p);
    if (p->plan.kind == QM_PLAN_SHUTDOWN && !p->shutting_down && p->now >= p->shutdown_at)
        p->plan.dirty = true;
    if (p->plan.kind == QM_PLAN_DEPLOY && p->n_unreported > 0 && !qm_deploy_probing(p, &why))
        p->plan.dirty = true;
}

/* Only when one of their tasks, a phase or an offer gives a reason to. */
static void look_at_floating(struct qm_planner *p)
{
    if (!p->floating_look && !p->offers)
        return;
    p->floating_look = false;
    qm_floating_start(p);
    qm_floating_refresh(p);
}

/* Until nothing opens any more. Every round opens a phase or settles what the last one stopped. */
static void plan_rounds(struct qm_planner *p)
{
    unsigned rounds = 0;

    if (p->n_dirty == 0 && !p->plan.dirty && !p->offers && !p->floating_look)
        return;
    do {
        qm_shutdown_catch_up(p);
        look_at_dirty(p);
        look_at_floating(p);
        qm_plan_steps(p);
        qm_orders_carry_out(p);
    } while (!p->failed && (qm_plan_progress(p) || p->n_dirty > 0 || p->floating_look) &&
             ++rounds < ROUNDS_MAX);
}

/* A launch whose record is durable already goes out with the decision that made it. */
void qm_decide(struct qm_planner *p)
{
    unsigned rounds = 0;

    tick(p);
    do {
        qm_jobs_release(p);
        qm_strangers_settle(p);
        plan_rounds(p);
        qm_offers_finish(p);
    } while (!p->failed && (p->jobs_dirty || p->n_dirty > 0) && ++rounds < ROUNDS_MAX);
    qm_rules_schedule(p);
    answer_inverse_offers(p);
    qm_reconcile_emit(p);
    qm_save_emit(p);
    qm_revive_emit(p);
}
