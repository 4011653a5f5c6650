/* The judge's verdicts on actions. */
#include "judge_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void judge_complain(struct judge *judge, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(judge->complaints, format, args);
    va_end(args);
    fputc('\n', judge->complaints);
}

struct judge *judge_new(const struct judge_rules *rules)
{
    struct judge *judge = calloc(1, sizeof(*judge));

    if (!judge)
        abort();
    judge->rules = *rules;
    judge->complaints = open_memstream(&judge->text, &judge->text_length);
    if (!judge->complaints)
        abort();
    return judge;
}

void judge_free(struct judge *judge)
{
    if (!judge)
        return;
    for (size_t i = 0; i < judge->n_pending; i++)
        judge_free_save(judge->pending[i]);
    for (size_t i = 0; i < judge->n_saved; i++)
        free(judge->saved[i].data);
    fclose(judge->complaints);
    free(judge->text);
    free(judge);
}

const char *judge_complaints(struct judge *judge)
{
    fflush(judge->complaints);
    return judge->text;
}

/* ---- actions ---- */

static void judge_place(struct judge *judge, const struct judged_task *task)
{
    unsigned floating = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];

        if (other == task || !other->live || strcmp(other->service, task->service) != 0)
            continue;
        /* Only a new agent's own prober can tell what became of the tasks of the one before. */
        if (task->prober && strcmp(other->agent, task->agent) != 0)
            continue;
        if (strcmp(other->host, task->host) == 0)
            judge_complain(judge, "I1: %s is launched on %s, where %s may live", task->id,
                           task->host, other->id);
        floating += !other->unreachable;
    }
    if (task->floating && floating + 1 > judge->rules.floating + 1)
        judge_complain(judge, "I1: %s is launched beside %u others", task->id, floating);
}

static void judge_launch(struct judge *judge, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_offer_ids; i++)
        if (!judge_drop_offer(judge, launch->offer_ids[i]))
            judge_complain(judge, "I5: launch on offer %s, which is not open",
                           launch->offer_ids[i]);
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *from = &launch->tasks[i];
        bool was_there = false;
        struct judged_task *task;

        if (judge_find_task(judge, from->task_id))
            judge_complain(judge, "I1: task id %s is used twice", from->task_id);
        task = judge_add_task(judge, from->task_id);
        task->launched_at = judge->now;
        judge_copy(task->service, sizeof(task->service), from->template_->service);
        judge_copy(task->host, sizeof(task->host), from->hostname);
        judge_copy(task->agent, sizeof(task->agent), launch->agent_id);
        judge_copy(task->version, sizeof(task->version), from->template_->version);
        task->checked = from->template_->health.enabled;
        task->prober = from->template_->is_executor;
        task->floating = judge_is_floating(task->service);
        for (size_t k = 0; k < from->n_ports && k < QM_PORTS_MAX; k++)
            task->ports[task->n_ports++] = from->ports[k].number;
        judge_place(judge, task);
        if (!judge_task_is_saved(judge, task->host, task->id))
            judge_complain(judge, "I2: %s is launched before its record is saved", task->id);
        for (size_t k = 0; k + 1 < judge->n_tasks; k++)
            was_there |= judge->tasks[k].was_healthy &&
                         (judge_same_place(&judge->tasks[k], task) ||
                          (task->floating && strcmp(judge->tasks[k].service, task->service) == 0));
        if (judge->paused && !task->prober && !was_there)
            judge_complain(judge, "I7: %s is launched while paused, and repairs nothing", task->id);
        if (judge->shut_down && !task->prober &&
            judge->now >= judge->shut_down_at + judge->rules.shutdown_delay)
            judge_complain(judge, "I6: %s is launched after the shut down", task->id);
    }
}

static bool is_surplus(const struct judge *judge, const struct judged_task *task)
{
    unsigned floating = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];

        if (other == task || !other->live)
            continue;
        if (judge_same_place(other, task))
            return true;
        floating += strcmp(other->service, task->service) == 0;
    }
    return task->floating && floating >= judge->rules.floating;
}

static void judge_stop(struct judge *judge, const struct judged_task *task)
{
    unsigned away = judge_count_unavailable(judge, task) + 1;
    unsigned once = judge_count_once_healthy(judge, "registry"), stay;

    if (away > judge->rules.max_unavailable)
        judge_complain(judge, "I4: stopping %s makes %u of %s unavailable, %u are allowed",
                       task->id, away, task->service, judge->rules.max_unavailable);
    if (strcmp(task->service, "registry") != 0)
        return;
    if (once > judge->rules.registry_replicas)
        once = judge->rules.registry_replicas;
    stay = judge_count_available(judge, "registry") - judge_is_available(judge, task);
    if (once >= 3 && stay < once / 2 + 1)
        judge_complain(judge, "I4: stopping %s leaves %u of %u registries", task->id, stay, once);
}

static void judge_kill(struct judge *judge, const struct qm_kill *kill)
{
    struct judged_task *task = judge_find_task(judge, kill->task_id);
    bool surplus, outdated, late;

    if (!task) {
        judge_complain(judge, "I6: %s is killed, which nobody told of", kill->task_id);
        return;
    }
    if (!kill->agent_id || !kill->agent_id[0])
        judge_complain(judge, "I6: %s is killed without its agent's id", kill->task_id);
    if (task->killed)
        return; /* repeated */
    task->killed = true;
    surplus = is_surplus(judge, task);
    outdated = judge->ordered && strcmp(task->version, judge->target) != 0 && !task->prober;
    late = !task->began && judge->now >= task->launched_at + judge->rules.launch_patience;
    if (!surplus && !outdated && !late)
        judge_complain(judge, "I6: %s of version %s is killed without a reason", task->id,
                       task->version);
    if (!surplus && !late && !judge_target_is_saved(judge))
        judge_complain(judge, "I2: %s is killed before target '%s' is saved", task->id,
                       judge->target);
    if (judge->shut_down) {
        if (!surplus && judge->now < judge->shut_down_at + judge->rules.shutdown_delay)
            judge_complain(judge, "I6: %s is killed within the grace of the shut down", task->id);
        return;
    }
    if (!task->running || !task->healthy)
        return; /* it is down: stopping it takes nothing away */
    if (judge->paused)
        judge_complain(judge, "I7: %s is killed while paused", task->id);
    if (!task->floating)
        judge_stop(judge, task);
}

static void judge_acknowledge(struct judge *judge, const struct qm_acknowledge *ack)
{
    for (size_t i = 0; i < judge->n_acks; i++) {
        if (strcmp(judge->acks[i].task, ack->task_id) == 0 &&
            memcmp(judge->acks[i].uuid, ack->uuid, 16) == 0) {
            memmove(&judge->acks[i], &judge->acks[i + 1],
                    (judge->n_acks - i - 1) * sizeof(judge->acks[0]));
            judge->n_acks--;
            return;
        }
    }
    judge_complain(judge, "I5: a status of %s is acknowledged that was not told", ack->task_id);
}

void judge_action(struct judge *judge, qm_time now, const struct qm_action *action)
{
    if (now > judge->now)
        judge->now = now;
    switch (action->type) {
    case QM_ACTION_SAVE:
        judge_note_save(judge, &action->save);
        break;
    case QM_ACTION_LAUNCH:
        judge_launch(judge, &action->launch);
        break;
    case QM_ACTION_KILL:
        judge_kill(judge, &action->kill);
        break;
    case QM_ACTION_DECLINE:
        for (size_t i = 0; i < action->decline.n_offer_ids; i++)
            if (!judge_drop_offer(judge, action->decline.offer_ids[i]))
                judge_complain(judge, "I5: offer %s is declined, which is not open",
                               action->decline.offer_ids[i]);
        break;
    case QM_ACTION_ACKNOWLEDGE:
        judge_acknowledge(judge, &action->acknowledge);
        break;
    default:
        break;
    }
}

void judge_drained(struct judge *judge, const struct qm_planner *planner, qm_time now)
{
    if (judge->order_open && judge->order_revision == 0)
        judge->order_revision = qm_planner_revision(planner);
    if (judge->order_open && qm_planner_saved_revision(planner) >= judge->order_revision) {
        judge_copy(judge->safe_target, sizeof(judge->safe_target), judge->target);
        judge->order_open = false;
    }
    for (size_t i = 0; i < judge->n_offers; i++)
        if (now > judge->offers[i].since + judge->rules.offer_hold)
            judge_complain(judge, "I5: offer %s is open for %ju ms", judge->offers[i].id,
                           (uintmax_t)(now - judge->offers[i].since));
    if (judge->n_acks > 0 && judge->n_pending == 0)
        judge_complain(judge, "I5: %zu statuses are not acknowledged, of %s first", judge->n_acks,
                       judge->acks[0].task);
}

void judge_crash(struct judge *judge, const struct qm_planner *planner)
{
    for (size_t i = 0; i < judge->n_pending; i++)
        judge_free_save(judge->pending[i]);
    judge->n_pending = judge->n_offers = judge->n_acks = 0;
    judge->asked_revision = judge->saved_revision = 0;
    if (judge->order_open) { /* not answered: either is right, and stays from now on */
        judge_copy(judge->target, sizeof(judge->target), qm_planner_target(planner));
        judge_copy(judge->safe_target, sizeof(judge->safe_target), judge->target);
        judge->shut_down = judge->target[0] == '\0';
    } else if (strcmp(qm_planner_target(planner), judge->safe_target) != 0) {
        judge_complain(judge, "I3: the target was '%s' and saved, now it is '%s'",
                       judge->safe_target, qm_planner_target(planner));
    }
    judge->order_open = false;
    judge->paused = false;
}
