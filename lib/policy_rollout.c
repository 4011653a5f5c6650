/* What the configuration says about rollouts. */
#include <errno.h>

#include "policy_private.h"

static uint64_t budget(const struct qm_config *config, const char *key)
{
    int64_t n = qm_config_integer(config, key);

    return n == INT64_MAX ? UINT64_MAX : (uint64_t)n;
}

static int fill_windows(struct policy_store *store, const struct qm_config *config)
{
    struct qm_rollout_policy *to = &store->policy.rollout;
    const char *const *texts;
    struct qm_window *windows;
    int r = policy_fill_list(store, config, "rollout.window", &texts, &to->n_windows);

    if (r != 0)
        return r;
    windows = qm_arena_calloc(&store->arena, to->n_windows, sizeof(*windows));
    if (!windows)
        return -ENOMEM;
    for (size_t i = 0; i < to->n_windows; i++)
        qm_window_parse(texts[i], &windows[i]);
    to->windows = windows;
    return 0;
}

int policy_fill_rollout(struct policy_store *store, const struct qm_config *config)
{
    struct qm_rollout_policy *to = &store->policy.rollout;
    int r = fill_windows(store, config);

    to->failures_per_instance = budget(config, "rollout.failures_per_instance");
    to->failures_total = budget(config, "rollout.failures_total");
    to->step_timeout = qm_config_duration(config, "rollout.step_timeout_s");
    to->canary = qm_config_bool(config, "rollout.canary");
    to->canary_soak = qm_config_duration(config, "rollout.canary_soak_s");
    to->limit_instances = (uint64_t)qm_config_integer(config, "rollout.limit_instances");
    to->domain_pause = qm_config_duration(config, "rollout.pause_between_domains_s");
    if (r == 0)
        r = policy_fill_list(store, config, "rollout.limit_services", &to->limit_services,
                             &to->n_limit_services);
    if (r == 0)
        r = policy_fill_list(store, config, "rollout.limit_hosts", &to->limit_hosts,
                             &to->n_limit_hosts);
    return r;
}
