/*
 * Rule 4, image first: before a plan stops anything, the new image is pulled on every host where
 * something is to be replaced, a few hosts at a time, by small tasks that end at once. They are
 * places and records like all others, of a service that nobody sees: its number is that of the
 * first one beyond the catalogue. An image that cannot be pulled pauses the plan with its name,
 * and nothing was stopped. Repair never pulls: this is asked for upgrades alone.
 */
#include <string.h>

#include "rooms.h"

#define LOOK_AGAIN QM_SECONDS(1) /* for hosts that came or went meanwhile */

static bool is_on(const struct qm_planner *p)
{
    return p->policy->rollout.image_first && qm_plan_rolls(p) && !p->plan.config_waits &&
           p->target.version[0];
}

bool qm_image_due(const struct qm_planner *p)
{
    return is_on(p) && !p->rules.images_ready;
}

/* A live task there is to be replaced by one of the target's version. */
static bool needs_image(struct qm_planner *p, const struct qm_host *host)
{
    if (!qm_host_connected(host) || host->rival || !host->allowed ||
        host->image == p->target.version)
        return false;
    for (const struct qm_task *task = host->tasks; task; task = task->next)
        if (task->stage != QM_STAGE_DEAD && !task->surplus && task->version != p->target.version &&
            qm_phase_of(p, task->service) && qm_task_outdated(p, task))
            return true;
    return false;
}

static bool is_chosen(const struct qm_planner *p, const struct qm_host *host)
{
    return host->imaging == (uint32_t)p->plan.number;
}

bool qm_image_wanted(const struct qm_planner *p, const struct qm_place *place)
{
    if (place->task && place->task->stage != QM_STAGE_DEAD)
        return true;
    return qm_image_due(p) && !p->paused && !qm_held(p, NULL) && is_chosen(p, place->host) &&
           place->host->image != p->target.version;
}

bool qm_image_allows(const struct qm_planner *p, struct qm_reason *why)
{
    if (!qm_image_due(p))
        return true;
    *why = (struct qm_reason){.code = QM_WHY_IMAGE,
                              .have = p->rules.images_have,
                              .want = p->rules.images_want};
    return false;
}

void qm_image_begin(struct qm_planner *p)
{
    struct qm_rules *r = &p->rules;

    r->images_ready = false;
    r->images_have = r->images_want = 0;
    r->images_next = 0;
}

/* The pull was tried. What ended without a word of the executor may have pulled nothing. */
void qm_image_ended(struct qm_planner *p, const struct qm_task *task,
                    const struct qm_task_status *status)
{
    struct qm_host *host = task->host;
    const struct qm_place *place = qm_place_find(host, task->service);

    p->rules.images_next = 0;
    p->plan.dirty = true;
    if (status->state == QM_TASK_FINISHED) {
        host->image = task->version;
        if (task->version == p->target.version && qm_image_due(p) && is_chosen(p, host))
            p->rules.images_have++;
    } else if (place && place->task == task && qm_image_due(p) &&
               task->version == p->target.version && qm_ended_by_itself(task, status)) {
        qm_budget_failed(p, place, qm_task_state_name(status->state));
    }
}

/* Chosen ones that are gone, or have nothing to be replaced any more, are waited for no longer. */
static size_t count_busy(struct qm_planner *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_hosts; i++)
        n += is_chosen(p, p->hosts[i]) && needs_image(p, p->hosts[i]);
    return n;
}

static bool choose(struct qm_planner *p, struct qm_host *host)
{
    struct qm_place *place = qm_place_get(p, host, p->n_services);

    if (!place)
        return false;
    host->imaging = (uint32_t)p->plan.number;
    qm_backoff_reset(place);
    qm_host_touch(p, host);
    return true;
}

static void all_ready(struct qm_planner *p)
{
    p->rules.images_ready = true;
    qm_trace(p, QM_TRACE_PLAN, "image", "", "ready", "%s", p->target.version);
    qm_framework_changed(p);
    qm_plan_drop_queues(p); /* what was repaired meanwhile has its turn, too */
    qm_plan_touch_all(p);
}

static bool anything_outdated(const struct qm_planner *p)
{
    for (size_t i = 0; i < p->plan.n_phases; i++)
        if (qm_count(p, p->plan.phases[i].service, QM_COUNT_OUTDATED) > 0)
            return true;
    return false;
}

static bool may_pull(const struct qm_planner *p)
{
    return qm_image_due(p) && p->connected && p->n_unanswered == 0 && !p->paused &&
           !qm_held(p, NULL) && anything_outdated(p);
}

qm_time qm_image_deadline(const struct qm_planner *p)
{
    return may_pull(p) ? p->rules.images_next : QM_TIME_NEVER;
}

/* Hosts are walked when one is done, and now and then: not for every fact. */
bool qm_image_progress(struct qm_planner *p)
{
    struct qm_host **hosts;
    size_t busy, left = 0, chosen = 0;

    if (p->now < p->rules.images_next || !may_pull(p))
        return false;
    p->rules.images_next = qm_later_by(p->now, LOOK_AGAIN);
    busy = count_busy(p);
    hosts = qm_host_list(p);
    for (size_t i = 0; i < p->n_hosts && !p->failed; i++) {
        if (!needs_image(p, hosts[i]))
            continue;
        left++;
        if (busy < p->policy->rollout.image_parallel && !is_chosen(p, hosts[i]) &&
            choose(p, hosts[i])) {
            busy++;
            chosen++;
        }
    }
    p->rules.images_want = p->rules.images_have + (uint32_t)left;
    if (left == 0)
        all_ready(p);
    if (chosen > 0)
        qm_revive_want(p);
    return left == 0 || chosen > 0;
}
