/* The master knows us, or is gone. */
#include <string.h>

#include "rooms.h"

static bool set_text(struct qm_planner *p, char **where, const char *text)
{
    char *copy = qm_strdup(p->allocator, text);

    if (!copy) {
        qm_out_of_memory(p);
        return false;
    }
    qm_free(p->allocator, *where);
    *where = copy;
    return true;
}

static void touch_all(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        qm_host_touch(p, p->hosts[i]);
}

int qm_fact_subscribed(struct qm_planner *p, const struct qm_subscription *subscription)
{
    const char *id = subscription->framework_id;

    if (!id || !id[0])
        return QM_E_INVALID;
    if (!p->framework_id || strcmp(p->framework_id, id) != 0) {
        if (!set_text(p, &p->framework_id, id))
            return 0;
        qm_framework_changed(p);
    }
    if (subscription->master_id && !set_text(p, &p->master_id, subscription->master_id))
        return 0;
    qm_offers_void(p);
    qm_jobs_void(p, "subscribed anew");
    p->connected = true;
    p->connected_since = p->now;
    p->suppressed = false;
    p->may_have_strangers |= subscription->adopted;
    p->revive_round++; /* a disconnection erased all filters */
    if (p->n_unreported > 0)
        p->probing_since = p->now;
    qm_reconcile_begin(p);
    touch_all(p);
    p->plan.dirty = true;
    return 0;
}

int qm_fact_disconnected(struct qm_planner *p)
{
    if (!p->connected)
        return 0;
    p->connected = false;
    p->connected_since = p->now;
    qm_offers_void(p);
    qm_jobs_void(p, "disconnected");
    p->inverse = NULL;
    touch_all(p);
    p->plan.dirty = true;
    return 0;
}
