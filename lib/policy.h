/*
 * Policy: a configuration compiled once into what planning reads. Plain data,
 * constant after qm_policy_new(); strings live as long as the policy.
 */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include <quobyte-mesos/allocator.h>
#include <quobyte-mesos/config.h>
#include <quobyte-mesos/service.h>

#include "rule_window.h"

enum qm_barrier {
    QM_BARRIER_NONE,              /* its phase holds nobody */
    QM_BARRIER_REGISTRY_MAJORITY, /* later phases wait for the majority of registries */
    QM_BARRIER_ONE,               /* later phases wait for one healthy instance */
};

struct qm_service_policy {
    const char *name;
    enum qm_service_binding binding;
    enum qm_device_type device_type;  /* QM_BOUND_TO_DEVICE only */
    unsigned instances;               /* QM_FLOATING only; 0 = not wanted */
    bool enabled;                     /* s3 without a host name, client without a mount point: not */
    struct qm_resources resources;
    struct qm_port_spec ports[QM_PORTS_MAX];
    size_t n_ports;
    const char *role;                 /* only offers of this role; "" = any of ours */
    unsigned max_unavailable;
    qm_duration min_ready;
    qm_duration backoff_initial, backoff_max, backoff_reset; /* doubling between tries */
    enum qm_barrier barrier;          /* in deployments */
};

#define QM_IMAGE_SERVICE "image" /* tasks that pull; number n_services, seen by nobody */

/* rollout.*: what upgrades and configuration changes keep to. */
struct qm_rollout_policy {
    uint64_t failures_per_instance, failures_total; /* UINT64_MAX: unlimited */
    qm_duration step_timeout;         /* 0 = none */
    const struct qm_window *windows;  /* none = always */
    size_t n_windows;
    bool canary;
    qm_duration canary_soak;          /* 0 = until resume */
    const char *const *limit_services; /* globs; none = all */
    size_t n_limit_services;
    const char *const *limit_hosts;
    size_t n_limit_hosts;
    uint64_t limit_instances;         /* 0 = all */
    qm_duration domain_pause;
    bool image_first;
    unsigned image_parallel;          /* hosts that pull at one time */
};

struct qm_policy {
    const char *deployment;           /* framework.deployment */
    const struct qm_service_policy *services; /* one more than n_services: image tasks */
    size_t n_services;
    size_t deploy_order[QM_SERVICES_MAX], n_deploy_order;   /* service indices; never the prober */
    size_t upgrade_order[QM_SERVICES_MAX], n_upgrade_order; /* with client only when clients: auto */
    const char *const *allow_hosts;   /* globs; none = every host */
    size_t n_allow_hosts;
    const char *const *deny_hosts;
    size_t n_deny_hosts;
    const char *failure_domain;       /* agent attribute, or "@zone", "@region" */
    bool dynamic_ports;               /* ports.dynamic: any offered port where the fixed one is not offered */
    unsigned registry_replicas;       /* registry.replicas */
    struct qm_rollout_policy rollout;
    bool config_change_waits;         /* rollout.on_config_change: wait */
    qm_duration shutdown_delay;
    qm_duration decline, decline_busy; /* offers.* */
    qm_duration offer_hold;           /* for a save */
    unsigned revive_burst;
    qm_duration revive_interval;
    bool suppress_when_idle;
    qm_duration reconcile_first, reconcile_max; /* explicit, doubling */
    qm_duration reconcile_patience;   /* then a silent task is taken as unreachable */
    qm_duration reconcile_implicit;
    qm_duration probe_interval;       /* ask a silent prober again */
    qm_duration probe_wait;           /* first phase waits so long for all hosts to report */
    qm_duration kill_retry;
    qm_duration launch_timeout;       /* a launch without any answer is asked after */
    qm_duration save_retry_first, save_retry_max;
    qm_duration maintenance_margin;   /* placement.draining_s */
    uint64_t seed;                    /* of jitter */
};

/**
 * qm_policy_new() - compiles a configuration.
 * Returns 0, QM_E_INVALID (as qm_config_check() says), -ENOMEM.
 */
int qm_policy_new(struct qm_policy **policy, const struct qm_config *config,
                  const struct qm_allocator *allocator, struct qm_error *error);
struct qm_policy *qm_policy_free(struct qm_policy *policy);

/** qm_policy_find_service() - index of a service's name, or SIZE_MAX. */
size_t qm_policy_find_service(const struct qm_policy *policy, const char *name);

/** qm_policy_allows_host() - by allow and deny lists: whole-name globs, never substrings. */
bool qm_policy_allows_host(const struct qm_policy *policy, const char *hostname);

/**
 * qm_policy_config_hash() - of everything that a task of this service gets from the configuration,
 * its version aside. Equal hash, equal task.
 */
uint64_t qm_policy_config_hash(const struct qm_policy *policy, size_t service);

/**
 * qm_policy_template() - the template of a service at a version: made at the first call, then
 * shared; belongs to the policy. NULL when out of memory.
 * @version: a valid one; "" for the prober
 */
const struct qm_task_template *qm_policy_template(struct qm_policy *policy, size_t service,
                                                  const char *version);

/**
 * qm_policy_trim() - bounds the memory of templates: to be called when none is borrowed, at the
 * beginning of a step. Costs nothing until many versions have been seen.
 */
void qm_policy_trim(struct qm_policy *policy);

#endif
