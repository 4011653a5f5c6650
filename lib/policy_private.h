/* Inside a policy: the constant part of each service's templates. */
#ifndef LIB_POLICY_PRIVATE_H
#define LIB_POLICY_PRIVATE_H

#include "arena.h"
#include "config_store.h"
#include "policy.h"

/* A template, made for one version. */
struct made_template {
    struct made_template *next;
    struct qm_task_template template_;
};

struct template_base {
    struct qm_task_template common; /* image without its tag, command with its placeholders */
    bool image_is_complete;         /* the prober's has its tag already */
    struct made_template *made;
};

struct policy_store {
    struct qm_policy policy; /* first, so that one pointer is both */
    const struct qm_allocator *allocator;
    struct qm_arena arena; /* everything constant */
    struct qm_service_policy services[QM_SERVICES_MAX + 1];
    struct template_base bases[QM_SERVICES_MAX + 1];
    size_t n_made;
};

/**
 * policy_fill_base() - the constant part of a service's templates.
 * @from: number of the service in the configuration; for the prober it is not used
 * Returns 0 or -ENOMEM.
 */
int policy_fill_base(struct policy_store *store, const struct qm_config *config, size_t service,
                     size_t from);

/** policy_fill_list() - the items of a list, in the store's arena. Returns 0 or -ENOMEM. */
int policy_fill_list(struct policy_store *store, const struct qm_config *config, const char *key,
                     const char *const **list, size_t *n);

/** policy_fill_image() - the service of image tasks, after all others. 0 or -ENOMEM. */
int policy_fill_image(struct policy_store *store, const struct qm_config *config);

/** policy_fill_rollout() - rollout.*, of a configuration that was checked. 0 or -ENOMEM. */
int policy_fill_rollout(struct policy_store *store, const struct qm_config *config);

/** policy_hash() - over a service's constant part, resources and ports. */
uint64_t policy_hash(const struct policy_store *store, size_t service);

#endif
