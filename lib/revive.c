/* Reviving offers: asked for by commands and opened phases, limited by a token bucket. */
#include "rooms.h"

void qm_revive_want(struct qm_planner *p)
{
    p->revive_wanted = true;
}

static void refill(struct qm_planner *p)
{
    const struct qm_policy *policy = p->policy;
    qm_duration interval = policy->revive_interval ? policy->revive_interval : 1;
    uint64_t more = (p->now - p->revive_filled) / interval;

    if (more == 0)
        return;
    p->revive_filled += more * interval;
    if (more > policy->revive_burst - p->revive_tokens)
        p->revive_tokens = policy->revive_burst;
    else
        p->revive_tokens += (unsigned)more;
}

static bool idle(const struct qm_planner *p)
{
    struct qm_reason why;

    return p->n_wanting == 0 && p->floating_wanted == 0 && p->n_unanswered == 0 &&
           p->n_unreported == 0 && qm_plan_status(p, &why) == QM_STATUS_COMPLETE;
}

void qm_revive_emit(struct qm_planner *p)
{
    if (!p->connected)
        return;
    refill(p);
    if (p->revive_wanted && p->revive_tokens > 0) {
        p->revive_tokens--;
        p->revive_wanted = false;
        p->revive_round++; /* all filters are gone */
        p->suppressed = false;
        qm_emit(p, QM_RANK_REVIVE, QM_ACTION_REVIVE, "");
    } else if (p->policy->suppress_when_idle && !p->suppressed && !p->revive_wanted && idle(p)) {
        p->suppressed = true;
        qm_emit(p, QM_RANK_REVIVE, QM_ACTION_SUPPRESS, "");
    }
}

qm_time qm_revive_deadline(const struct qm_planner *p)
{
    if (!p->connected || !p->revive_wanted)
        return QM_TIME_NEVER;
    return qm_later_by(p->revive_filled, p->policy->revive_interval ? p->policy->revive_interval : 1);
}
