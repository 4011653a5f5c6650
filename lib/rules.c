/*
 * The rollout's own rules, joined: what holds a plan beside the state of the cluster. They concern
 * upgrades and configuration changes only. A step on an instance that is down takes nothing away:
 * windows, canaries, limits and pauses do not hold it; a plan that has paused itself does.
 */
#include <string.h>

#include "rooms.h"

void qm_rules_init(struct qm_planner *p)
{
    p->rules.canary = p->rules.domain = "";
    p->rules.canary_since = p->rules.domain_quiet = QM_TIME_NEVER;
}

void qm_rules_free(struct qm_planner *p)
{
    qm_free(p->allocator, p->rules.spent);
    p->rules.spent = NULL;
    p->rules.n_spent = p->rules.spent_capacity = 0;
}

void qm_rules_begin(struct qm_planner *p)
{
    p->rules.hold = (struct qm_reason){.code = QM_WHY_NOTHING};
    qm_budget_fresh(p);
    p->rules.n_begun = 0;
    p->rules.canary_passed = false;
    qm_image_begin(p);
    qm_rules_init(p);
}

/* One resume ends one hold: the pause, then the canary's soak, then the limit. */
bool qm_rules_resume(struct qm_planner *p)
{
    if (p->rules.hold.code != QM_WHY_NOTHING) {
        qm_trace(p, QM_TRACE_COMMAND, "pause", qm_reason_name(p->rules.hold.code), "resumed", "%s",
                 "fresh budget");
        p->rules.hold = (struct qm_reason){.code = QM_WHY_NOTHING};
        qm_budget_fresh(p);
        qm_plan_drop_queues(p); /* what was put back has its turn again */
    } else if (!qm_canary_resume(p) && !qm_limit_resume(p)) {
        return false;
    }
    qm_framework_changed(p);
    qm_plan_touch_all(p);
    qm_revive_want(p);
    return true;
}

void qm_rules_tick(struct qm_planner *p)
{
    if (p->now < p->rules.due)
        return;
    p->rules.due = QM_TIME_NEVER;
    p->plan.dirty = true;
    p->floating_look = true;
}

void qm_rules_schedule(struct qm_planner *p)
{
    p->rules.due = QM_TIME_NEVER;
    if (!qm_plan_rolls(p) || p->plan.config_waits)
        return;
    qm_canary_tick(p);
    qm_spacing_tick(p);
    p->rules.due = qm_earlier(qm_window_deadline(p),
                              qm_earlier(qm_canary_deadline(p), qm_spacing_deadline(p)));
    p->rules.due = qm_earlier(p->rules.due, qm_image_deadline(p));
}

/* Nothing that made a rollback needed holds it back. */
static bool is_chosen(const struct qm_planner *p)
{
    return qm_plan_rolls(p) && p->plan.kind != QM_PLAN_ROLLBACK;
}

static bool takes_away(const struct qm_place *place)
{
    return place->task && place->task->stage == QM_STAGE_HEALTHY;
}

static bool is_begun(const struct qm_planner *p, const struct qm_place *place)
{
    return place->begun == (uint32_t)p->plan.number;
}

bool qm_rules_stop(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    if (!qm_plan_rolls(p))
        return true;
    if (qm_held(p, why))
        return false;
    return !is_chosen(p) || !takes_away(place) || qm_window_open(p, why);
}

bool qm_rules_turn(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why)
{
    if (qm_plan_rolls(p) && !qm_image_allows(p, why))
        return false;
    if (!is_chosen(p) || !takes_away(place) || is_begun(p, place))
        return true;
    return qm_canary_allows(p, place, why) && qm_limit_allows(p, place, why) &&
           qm_spacing_allows(p, place, why);
}

void qm_rules_begun(struct qm_planner *p, struct qm_place *place)
{
    if (!qm_plan_rolls(p) || !takes_away(place) || is_begun(p, place))
        return;
    place->begun = (uint32_t)p->plan.number;
    p->rules.n_begun++;
    qm_canary_begun(p, place);
    qm_spacing_begun(p, place);
    if (p->policy->rollout.limit_instances > 0)
        qm_framework_changed(p);
}

bool qm_rules_hold_service(enum qm_reason_code code)
{
    return code == QM_WHY_FAILURES || code == QM_WHY_FAILURES_TOTAL || code == QM_WHY_WINDOW ||
           code == QM_WHY_IMAGE || code == QM_WHY_IMAGE_FAILED ||
           code == QM_WHY_CANARY || code == QM_WHY_LIMIT_SERVICES || code == QM_WHY_LIMIT_INSTANCES;
}

bool qm_rules_hold_plan(const struct qm_planner *p, struct qm_reason *why)
{
    if (!qm_plan_rolls(p))
        return false;
    return qm_held(p, why) || (is_chosen(p) && !qm_window_open(p, why));
}

bool qm_under_way(const struct qm_planner *p, size_t service)
{
    return qm_count(p, service, QM_COUNT_PREPARED) > 0 ||
           qm_count(p, service, QM_COUNT_HOLDS) > qm_count(p, service, QM_COUNT_OUTDATED);
}
