/*
 * Rule 4, pause between failure domains: after the last step in one, its hosts are watched for a
 * while before the first instance of another is stopped.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

static qm_time over_at(const struct qm_planner *p)
{
    return qm_later_by(p->rules.domain_quiet, p->policy->rollout.domain_pause);
}

static bool is_used(const struct qm_planner *p)
{
    return p->policy->rollout.domain_pause > 0 && p->rules.domain[0];
}

static bool any_under_way(const struct qm_planner *p)
{
    for (size_t i = 0; i < p->plan.n_phases; i++)
        if (p->plan.phases[i].may_stop && qm_under_way(p, p->plan.phases[i].service))
            return true;
    return false;
}

bool qm_spacing_allows(const struct qm_planner *p, const struct qm_place *place,
                       struct qm_reason *why)
{
    bool busy = p->rules.domain_quiet == QM_TIME_NEVER;

    if (!is_used(p) || !place->host ||
        strcmp(qm_host_domain_name(place->host), p->rules.domain) == 0)
        return true;
    if (!busy && p->now >= over_at(p))
        return true;
    *why = (struct qm_reason){.code = QM_WHY_DOMAIN_PAUSE,
                              .since = busy ? 0 : p->rules.domain_quiet,
                              .have = busy ? 0 : p->now - p->rules.domain_quiet,
                              .want = p->policy->rollout.domain_pause};
    snprintf(why->subject, sizeof(why->subject), "%.120s", p->rules.domain);
    return false;
}

void qm_spacing_begun(struct qm_planner *p, const struct qm_place *place)
{
    if (p->policy->rollout.domain_pause == 0 || !place->host)
        return;
    p->rules.domain = qm_intern(p, qm_host_domain_name(place->host));
    p->rules.domain_quiet = QM_TIME_NEVER;
    qm_framework_changed(p);
}

void qm_spacing_tick(struct qm_planner *p)
{
    if (!is_used(p) || p->rules.domain_quiet != QM_TIME_NEVER || any_under_way(p))
        return;
    p->rules.domain_quiet = p->now;
    qm_framework_changed(p);
}

qm_time qm_spacing_deadline(const struct qm_planner *p)
{
    if (!is_used(p) || p->rules.domain_quiet == QM_TIME_NEVER || p->now >= over_at(p))
        return QM_TIME_NEVER;
    return over_at(p);
}
