/* What the configuration says about rollouts. */
#include <errno.h>
#include "config_check.h"
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

/* Little, so that it fits beside everything: it pulls and ends. */
int policy_fill_image(struct policy_store *store, const struct qm_config *config)
{
    size_t service = store->policy.n_services;
    struct qm_service_policy *to = &store->services[service];
    struct qm_task_template *t = &store->bases[service].common;

    *to = (struct qm_service_policy){.name = QM_IMAGE_SERVICE,
                                     .binding = QM_PER_HOST,
                                     .enabled = true,
                                     .resources = {.cpu_milli = 10, .mem_mib = 32},
                                     .role = "",
                                     .max_unavailable = UINT32_MAX,
                                     .backoff_initial = QM_SECONDS(5),
                                     .backoff_max = QM_SECONDS(60),
                                     .backoff_reset = QM_SECONDS(600)};
    *t = (struct qm_task_template){.service = QM_IMAGE_SERVICE,
                                   .version = "",
                                   .containerizer = QM_CONTAINERIZER_DOCKER,
                                   .command = "true",
                                   .uri = "",
                                   .user = "",
                                   .kill_grace = QM_SECONDS(5),
                                   .deployment = store->policy.deployment};
    t->health.path = "";
    t->image = qm_arena_strdup(&store->arena, qm_config_text(config, "images.server"));
    return t->image ? 0 : -ENOMEM;
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
    to->image_first =
        qm_config_is_docker(config) && qm_config_bool(config, "rollout.image_first");
    to->image_parallel = (unsigned)qm_config_integer(config, "rollout.image_parallel");
    if (r == 0)
        r = policy_fill_list(store, config, "rollout.limit_services", &to->limit_services,
                             &to->n_limit_services);
    if (r == 0)
        r = policy_fill_list(store, config, "rollout.limit_hosts", &to->limit_hosts,
                             &to->n_limit_hosts);
    return r;
}
