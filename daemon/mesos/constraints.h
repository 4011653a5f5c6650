/*
 * Offer constraints: asks the master not to offer agents whose host names the configuration rules
 * out. An optimisation only, the planner checks every offer: what cannot be said exactly is said
 * wider. Masters before 1.11 ignore them.
 */
#ifndef DAEMON_MESOS_CONSTRAINTS_H
#define DAEMON_MESOS_CONSTRAINTS_H

#include <quobyte-mesos/config.h>

#include "mesos/arena.h"
#include "mesos/v1/scheduler.pb-c.h"

/**
 * constraints_make() - from placement.hosts and placement.deny_hosts, for all of these roles.
 * NULL: nothing is ruled out, or it is more than a master should be given.
 */
Mesos__V1__Scheduler__OfferConstraints *constraints_make(struct arena *arena,
                                                         const struct qm_config *config,
                                                         char *const *roles, size_t n_roles);

/**
 * constraints_regex() - a host name with * and ? as RE2, without regard to case, within the limits
 * that masters have by default (--offer_constraints_re2_max_mem 4 KiB, 100 instructions).
 * @wider: of long names only the beginning may be asked for; else NULL is returned for them
 */
char *constraints_regex(struct arena *arena, const char *glob, bool wider);

#endif
