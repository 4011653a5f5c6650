/* The environment of a service's tasks, the same on every host. */
#ifndef LIB_POLICY_ENVIRONMENT_H
#define LIB_POLICY_ENVIRONMENT_H

#include "policy_private.h"

/**
 * policy_fill_environment() - variables of a service, in an order that never changes; those that
 * the configuration adds come last and win. Ports are not among them: they are known per task.
 * Returns 0 or -ENOMEM.
 */
int policy_fill_environment(struct policy_store *store, const struct qm_config *config,
                            size_t service, size_t from);

#endif
