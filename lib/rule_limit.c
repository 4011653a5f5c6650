/*
 * Rule 4, a staggered rollout: only these services, only these hosts, at most so many instances
 * until the next resume. The order of phases stays: a service left out holds those after it.
 */
#include <stdio.h>

#include "rooms.h"
#include "text.h"

static bool service_is_in(const struct qm_rollout_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_limit_services; i++)
        if (qm_glob_matches(policy->limit_services[i], name))
            return true;
    return policy->n_limit_services == 0;
}

static bool host_is_in(const struct qm_rollout_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_limit_hosts; i++)
        if (qm_glob_matches(policy->limit_hosts[i], name))
            return true;
    return policy->n_limit_hosts == 0;
}

bool qm_limit_allows(const struct qm_planner *p, const struct qm_place *place,
                     struct qm_reason *why)
{
    const struct qm_rollout_policy *policy = &p->policy->rollout;
    const char *service = p->policy->services[place->service].name;
    const char *host = place->task->host->name;

    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    if (!service_is_in(policy, service)) {
        why->code = QM_WHY_LIMIT_SERVICES;
        snprintf(why->subject, sizeof(why->subject), "%.120s", service);
    } else if (!host_is_in(policy, host)) {
        why->code = QM_WHY_LIMIT_HOSTS;
        snprintf(why->subject, sizeof(why->subject), "%.120s", host);
    } else if (policy->limit_instances > 0 && p->rules.n_begun >= policy->limit_instances) {
        why->code = QM_WHY_LIMIT_INSTANCES;
        why->have = p->rules.n_begun;
        why->want = policy->limit_instances;
    }
    return why->code == QM_WHY_NOTHING;
}

bool qm_limit_resume(struct qm_planner *p)
{
    uint64_t limit = p->policy->rollout.limit_instances;

    if (limit == 0 || !qm_plan_rolls(p) || p->rules.n_begun < limit)
        return false;
    p->rules.n_begun = 0;
    qm_trace(p, QM_TRACE_COMMAND, "limit", "reached", "resumed", "%s", "");
    return true;
}
