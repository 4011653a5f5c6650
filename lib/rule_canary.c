/*
 * Rule 4, canary: of each service one instance goes first; the others wait until it has been
 * complete for the soak time, or until the operator resumes.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

static bool is_canary_of(const struct qm_planner *p, size_t service)
{
    return strcmp(p->rules.canary, p->policy->services[service].name) == 0;
}

static size_t canary_service(const struct qm_planner *p)
{
    return p->rules.canary[0] ? qm_policy_find_service(p->policy, p->rules.canary) : SIZE_MAX;
}

static bool soaked(const struct qm_planner *p)
{
    qm_duration soak = p->policy->rollout.canary_soak;

    return soak > 0 && p->rules.canary_since != QM_TIME_NEVER &&
           p->now >= qm_later_by(p->rules.canary_since, soak);
}

bool qm_canary_allows(const struct qm_planner *p, const struct qm_place *place,
                      struct qm_reason *why)
{
    const struct qm_rules *r = &p->rules;

    if (!p->policy->rollout.canary || !is_canary_of(p, place->service) || r->canary_passed ||
        soaked(p))
        return true;
    if (r->canary_since == QM_TIME_NEVER && !qm_under_way(p, place->service) &&
        qm_count(p, place->service, QM_COUNT_COMPLETE) == 0)
        return true; /* it was put back: it, or another one, tries again */
    *why = (struct qm_reason){.code = QM_WHY_CANARY, .want = p->policy->rollout.canary_soak};
    if (r->canary_since != QM_TIME_NEVER) {
        why->since = r->canary_since;
        why->have = p->now - r->canary_since;
    }
    snprintf(why->subject, sizeof(why->subject), "%.120s", r->canary);
    return false;
}

void qm_canary_begun(struct qm_planner *p, const struct qm_place *place)
{
    if (!p->policy->rollout.canary || is_canary_of(p, place->service))
        return;
    p->rules.canary = p->policy->services[place->service].name;
    p->rules.canary_since = QM_TIME_NEVER;
    p->rules.canary_passed = false;
    qm_framework_changed(p);
}

void qm_canary_tick(struct qm_planner *p)
{
    size_t service = canary_service(p);

    if (service == SIZE_MAX || p->rules.canary_since != QM_TIME_NEVER || p->rules.canary_passed)
        return;
    if (qm_count(p, service, QM_COUNT_COMPLETE) == 0 || qm_under_way(p, service))
        return;
    p->rules.canary_since = p->now;
    qm_framework_changed(p);
}

bool qm_canary_resume(struct qm_planner *p)
{
    size_t service = canary_service(p);

    if (!p->policy->rollout.canary || !qm_plan_rolls(p) || p->rules.canary_passed ||
        service == SIZE_MAX || soaked(p) || qm_count(p, service, QM_COUNT_OUTDATED) == 0)
        return false;
    p->rules.canary_passed = true;
    qm_trace(p, QM_TRACE_COMMAND, "canary", p->rules.canary, "resumed", "%s", "");
    return true;
}

qm_time qm_canary_deadline(const struct qm_planner *p)
{
    qm_duration soak = p->policy->rollout.canary_soak;

    if (soak == 0 || p->rules.canary_since == QM_TIME_NEVER || p->rules.canary_passed || soaked(p))
        return QM_TIME_NEVER;
    return qm_later_by(p->rules.canary_since, soak);
}
