/*
 * The planner: facts in by one door, actions out by another, a deadline.
 *
 *     take a fact -> qm_planner_step() -> drain qm_planner_next_action()
 *     -> arm one timer at qm_planner_deadline() -> wait
 *
 * A step only absorbs. Decisions are made when actions are drained, so all facts of one instant
 * are seen together and their order does not matter. Same facts in the same order, same actions,
 * byte for byte. Not re-entrant; different planners are independent.
 */
#ifndef QUOBYTE_MESOS_PLANNER_H
#define QUOBYTE_MESOS_PLANNER_H

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/allocator.h>
#include <quobyte-mesos/base.h>
#include <quobyte-mesos/config.h>
#include <quobyte-mesos/error.h>
#include <quobyte-mesos/explain.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/trace.h>

struct qm_planner;

/**
 * qm_planner_new() - a planner from saved state.
 * @config: read completely, may be freed afterwards
 * @records: what the store holds, in any order; n_records 0 for a fresh deployment
 * @now: present time; the planner's first actions raise and save the start epoch
 * Returns 0; QM_E_INVALID: the configuration does not pass qm_config_check(); QM_E_FORMAT: a
 * record is damaged or of a newer format (error.key names it); -ENOMEM. Since 0.1.
 */
QM_EXPORT int qm_planner_new(struct qm_planner **planner, const struct qm_config *config,
                             const struct qm_record *records, size_t n_records,
                             const struct qm_allocator *allocator, qm_time now,
                             struct qm_error *error);

/** qm_planner_free() - NULL is fine. Returns NULL. Since 0.1. */
QM_EXPORT struct qm_planner *qm_planner_free(struct qm_planner *planner);

/**
 * qm_planner_step() - takes one fact. Actions of before become invalid.
 * Returns 0; QM_E_INVALID: malformed (an empty id, a version that cannot be one); QM_E_UNKNOWN: about
 * an offer, agent or host nobody told of; QM_E_DUPLICATE: an offer told before; QM_E_STALE: a
 * revision that was never asked for; QM_E_CONFLICT: a command that does not fit (resume with
 * nothing to resume); QM_E_LIMIT. Nothing changed then (time apart). -ENOMEM: only free it. Since 0.1.
 */
QM_EXPORT int qm_planner_step(struct qm_planner *planner, const struct qm_fact *fact);

/**
 * qm_planner_refusal() - why the latest command was refused, one sentence; "" when it was not.
 * Borrowed until the next step. Since 0.1.
 */
QM_EXPORT const char *qm_planner_refusal(const struct qm_planner *planner);

/**
 * qm_command_held() - is what this command ordered, a moment ago, held by a rule now? Ask after
 * actions were drained. @why: the reason, when it is. Since 0.1.
 */
QM_EXPORT bool qm_command_held(const struct qm_planner *planner, const struct qm_command *command,
                               struct qm_reason *why);

/**
 * qm_host_safe_to_stop() - would rule 5 allow all services of this host to stop now? A glance, not
 * a promise: the planner itself may stop something else right after; drain the host to be sure.
 * Returns 0: yes; QM_E_CONFLICT: no, why is filled; QM_E_UNKNOWN: no such host. Since 0.1.
 */
QM_EXPORT int qm_host_safe_to_stop(const struct qm_planner *planner, const char *host,
                                   struct qm_reason *why);

/**
 * qm_planner_next_action() - decides what is to be decided, then gives the oldest action that may
 * be performed; NULL when there is none, or out of memory (see qm_planner_failed()). Borrowed until
 * the next qm_planner_step(). Since 0.1.
 */
QM_EXPORT const struct qm_action *qm_planner_next_action(struct qm_planner *planner);

/** qm_planner_failed() - 0, or the negative errno that ended this planner. Since 0.1. */
QM_EXPORT int qm_planner_failed(const struct qm_planner *planner);

/** qm_planner_deadline() - when QM_FACT_TIME is due at the latest; QM_TIME_NEVER. Since 0.1. */
QM_EXPORT qm_time qm_planner_deadline(const struct qm_planner *planner);

/** qm_planner_now() - the latest time that a fact told. Since 0.1. */
QM_EXPORT qm_time qm_planner_now(const struct qm_planner *planner);

/**
 * qm_planner_revision() - the revision under which everything absorbed so far is, or will be,
 * saved. Valid after actions were drained. A command is safe once STATE_SAVED of at least this
 * revision was reported. Since 0.1.
 */
QM_EXPORT uint64_t qm_planner_revision(const struct qm_planner *planner);

/** qm_planner_saved_revision() - the newest revision known to be durable. Since 0.1. */
QM_EXPORT uint64_t qm_planner_saved_revision(const struct qm_planner *planner);

/** qm_planner_target() - target version, "" before the first and after a shut down. Since 0.1. */
QM_EXPORT const char *qm_planner_target(const struct qm_planner *planner);

/** qm_planner_framework_id() - as saved or subscribed, "" when none. Since 0.1. */
QM_EXPORT const char *qm_planner_framework_id(const struct qm_planner *planner);

/** qm_planner_set_trace() - decision trace; fn NULL ends it. Since 0.1. */
QM_EXPORT void qm_planner_set_trace(struct qm_planner *planner, qm_trace_fn fn, void *userdata);

#endif
