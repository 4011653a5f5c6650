/*
 * The planner's rooms: which function lives where. Memory errors end in planner->failed
 * (qm_out_of_memory()); functions that return a pointer then return NULL, the others just stop.
 */
#ifndef LIB_ROOMS_H
#define LIB_ROOMS_H

#include "planner_private.h"

/* planner.c */
void qm_out_of_memory(struct qm_planner *p);
/** qm_bury() - frees a block once no action can point to it any more. */
void qm_bury(struct qm_planner *p, void *block);
const char *qm_intern(struct qm_planner *p, const char *version);
/** qm_host_list() - all hosts in name order; valid until a host comes or goes. */
struct qm_host **qm_host_list(struct qm_planner *p);
/** qm_clip() - length of @text, at most @max, never inside a UTF-8 character. */
size_t qm_clip(const char *text, size_t max);

/* trace.c */
__attribute__((format(printf, 6, 7))) void qm_trace(struct qm_planner *p, enum qm_trace_type type,
                                                    const char *subject, const char *from,
                                                    const char *to, const char *detail, ...);

/* host.c */
struct qm_host *qm_host_find(const struct qm_planner *p, const char *name);
struct qm_host *qm_host_get(struct qm_planner *p, const char *name);
void qm_host_touch(struct qm_planner *p, struct qm_host *host);
void qm_host_record_changed(struct qm_planner *p, struct qm_host *host);
void qm_host_record_changed_lazily(struct qm_planner *p, struct qm_host *host);
struct qm_host_extra *qm_host_extra(struct qm_planner *p, struct qm_host *host);
struct qm_host *qm_host_free(struct qm_planner *p, struct qm_host *host);
/** qm_host_retire() - forgets hosts of which nothing is left. True when it is gone. */
bool qm_host_retire(struct qm_planner *p, struct qm_host *host);
bool qm_host_connected(const struct qm_host *host);
bool qm_host_saved(const struct qm_planner *p, const struct qm_host *host);
bool qm_host_in_maintenance(const struct qm_planner *p, const struct qm_host *host);
const char *qm_host_domain_name(const struct qm_host *host);
void qm_host_count_unreported(struct qm_planner *p, struct qm_host *host);
void qm_host_set_domain(struct qm_planner *p, struct qm_host *host, const struct qm_offer *offer);

/* agent.c */
struct qm_agent *qm_agent_find(const struct qm_planner *p, const char *id);
struct qm_agent *qm_agent_get(struct qm_planner *p, const char *id, struct qm_host *host);
/** qm_agent_heard() - a sign of life: connects it, makes it its host's agent or rival. */
void qm_agent_heard(struct qm_planner *p, struct qm_agent *agent);
void qm_agent_lost(struct qm_planner *p, struct qm_agent *agent, const char *cause);
/** qm_agent_retire() - frees an agent that nothing refers to. */
void qm_agent_retire(struct qm_planner *p, struct qm_agent *agent);

/* known_device.c (device.c reads the markers of mounts: the name was taken twice) */
void qm_devices_report(struct qm_planner *p, struct qm_host *host, const struct qm_device *devices,
                       size_t n);
void qm_devices_free(struct qm_planner *p, struct qm_host *host);
const char *qm_device_text(const struct qm_known_device *device, enum qm_device_text which);
bool qm_host_has_device(const struct qm_host *host, enum qm_device_type type, bool missing_too);

/* place.c */
struct qm_place *qm_place_find(struct qm_host *host, size_t service);
struct qm_place *qm_place_get(struct qm_planner *p, struct qm_host *host, size_t service);
/** qm_place_of() - where a task belongs: its host's place or its floating instance. NULL: nowhere.
 */
struct qm_place *qm_place_of(struct qm_planner *p, const struct qm_task *task);
bool qm_place_wanted(const struct qm_planner *p, const struct qm_place *place);
/** qm_place_refresh() - recomputes counters and the step's status after a change. */
void qm_place_refresh(struct qm_planner *p, struct qm_place *place);
enum qm_status qm_place_status(const struct qm_planner *p, const struct qm_place *place);
bool qm_place_outdated(const struct qm_planner *p, const struct qm_place *place);
/** qm_place_drop() - takes all that it counts back. */
void qm_place_drop(struct qm_planner *p, struct qm_place *place);
void qm_places_of_host(struct qm_planner *p, struct qm_host *host);
bool qm_task_available(const struct qm_planner *p, const struct qm_task *task);
bool qm_task_outdated(const struct qm_planner *p, const struct qm_task *task);
/** qm_step_id() - "registry.HOST", "api.1". */
void qm_step_id(const struct qm_planner *p, const struct qm_place *place, char *buffer,
                size_t size);

/* task.c */
struct qm_task *qm_task_find(const struct qm_planner *p, const char *id);
/** qm_task_add() - a task on a host, in its record, in the table; in no place yet. */
struct qm_task *qm_task_add(struct qm_planner *p, struct qm_host *host, struct qm_agent *agent,
                            const char *id, size_t service);
void qm_task_remove(struct qm_planner *p, struct qm_task *task);
void qm_task_set_executor(struct qm_planner *p, struct qm_task *task, const char *executor_id);
const char *qm_task_executor_id(const struct qm_task *task);
struct qm_task_extra *qm_task_extra(struct qm_planner *p, struct qm_task *task);
/** qm_task_new_id() - a fresh id in @buffer. */
void qm_task_new_id(struct qm_planner *p, const struct qm_host *host, size_t service, char *buffer,
                    size_t size);
void qm_task_adopt(struct qm_planner *p, struct qm_task *task, struct qm_place *place);

/* task_machine.c */
bool qm_stage_live(enum qm_task_stage stage); /* may run somewhere */
/** qm_task_idle() - dead, or decided and without an offer: its place may be filled. NULL: yes. */
bool qm_task_idle(const struct qm_task *task);
/** qm_place_repairs() - is filling this empty place a repair, not a part of the plan? */
bool qm_place_repairs(const struct qm_place *place);
/** qm_task_may_be_stuck() - launched, and only the master has a word about it: STAGING. */
bool qm_task_may_be_stuck(const struct qm_task *task);
bool qm_stage_known(
    enum qm_task_stage stage); /* live, and on a reachable agent as far as we know */
void qm_task_enter(struct qm_planner *p, struct qm_task *task, enum qm_task_stage stage,
                   const char *cause);
void qm_task_status(struct qm_planner *p, struct qm_task *task,
                    const struct qm_task_status *status);
void qm_task_ended(struct qm_planner *p, struct qm_task *task, bool by_itself, const char *cause);
void qm_task_stop(struct qm_planner *p, struct qm_task *task, enum qm_stop_reason reason);
const char *qm_stop_reason_name(enum qm_stop_reason reason);

/* fact_*.c: absorb one fact; result as qm_planner_step() */
int qm_fact_subscribed(struct qm_planner *p, const struct qm_subscription *subscription);
int qm_fact_disconnected(struct qm_planner *p);
int qm_fact_offer(struct qm_planner *p, const struct qm_offer *offer);
int qm_fact_rescinded(struct qm_planner *p, const char *offer_id);
int qm_fact_inverse_offer(struct qm_planner *p, const struct qm_inverse_offer *offer);
int qm_fact_status(struct qm_planner *p, const struct qm_task_status *status);
int qm_fact_found(struct qm_planner *p, const struct qm_task_found *found);
int qm_fact_agent_lost(struct qm_planner *p, const char *agent_id);
int qm_fact_executor_lost(struct qm_planner *p, const char *agent_id, const char *executor_id);
int qm_fact_probe(struct qm_planner *p, const struct qm_probe_report *report);
int qm_fact_command(struct qm_planner *p, const struct qm_command *command);
int qm_fact_saved(struct qm_planner *p, uint64_t revision);
int qm_fact_save_failed(struct qm_planner *p, uint64_t revision);

/* adopt.c */
void qm_strangers_note(struct qm_planner *p, const struct qm_task_status *status);
void qm_strangers_settle(struct qm_planner *p);
void qm_strangers_free(struct qm_planner *p);
void qm_strangers_forget(struct qm_planner *p, const char *id);
/** qm_strangers_at() - may a task that no record names fill this place? host NULL: a floating one.
 */
bool qm_strangers_at(const struct qm_planner *p, const struct qm_host *host, size_t service);
qm_time qm_strangers_deadline(const struct qm_planner *p);

/* offer.c */
void qm_offers_void(struct qm_planner *p);
void qm_decline(struct qm_planner *p, enum qm_decline how, const char *offer_id);
/** qm_offers_finish() - launches from what was used, declines the rest. */
void qm_offers_finish(struct qm_planner *p);
void qm_offers_reset(struct qm_planner *p);
void qm_outcome(struct qm_planner *p, const struct qm_host *host, size_t service,
                enum qm_reason_code code, uint64_t have, uint64_t want);

/* launch.c */
/** qm_launch() - makes a task in a place from a fitting offer. False: it does not fit, why is set.
 */
bool qm_launch(struct qm_planner *p, struct qm_host *host, struct qm_place *place, bool surge,
               const char *version, struct qm_reason *why);
/** qm_jobs_queue() - a host's launches of this instant begin to wait for its record. */
void qm_jobs_queue(struct qm_planner *p, struct qm_host *host);
void qm_jobs_release(struct qm_planner *p);
void qm_jobs_drop_host(struct qm_planner *p, struct qm_host *host, const char *cause);
void qm_jobs_drop_services(struct qm_planner *p, const char *cause);
void qm_jobs_void(struct qm_planner *p, const char *cause);
bool qm_job_rescind(struct qm_planner *p, const char *offer_id);
void qm_jobs_free(struct qm_planner *p);
void qm_jobs_free_spent(struct qm_planner *p);
qm_time qm_jobs_deadline(const struct qm_planner *p);

/* fit.c */
/** qm_fit() - the first offer of the first role group that holds a service's needs; NULL: why is
 * set. */
struct qm_offer_left *qm_fit(const struct qm_planner *p, const struct qm_host *host, size_t service,
                             const struct qm_task *freed, struct qm_reason *why);
/** qm_fit_take() - takes them for @task from the group that qm_fit() found. False: no memory. */
bool qm_fit_take(struct qm_planner *p, struct qm_offer_left *group, size_t service,
                 struct qm_arena *arena, struct qm_job_task *task);

/* gates.c: the rules of a step, in order */
/** qm_may_start() - may an empty place be filled, offers aside? False: why is set. */
bool qm_may_start(const struct qm_planner *p, const struct qm_place *place,
                  const struct qm_host *host, struct qm_reason *why);
/** qm_may_stop() - may the running task of an outdated place be stopped now? False: why is set. */
bool qm_may_stop(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);
/** qm_may_stop_surplus() - a task without a place: rules 1, 5 and 7. */
bool qm_may_stop_surplus(const struct qm_planner *p, const struct qm_task *task,
                         struct qm_reason *why);
/** qm_host_gate() - rule 7's part that concerns the whole host. */
bool qm_host_gate(const struct qm_planner *p, const struct qm_host *host, bool start,
                  struct qm_reason *why);
/** qm_version_to_start() - what an empty place is filled with: its record's version or the target.
 */
const char *qm_version_to_start(const struct qm_planner *p, const struct qm_place *place);
void qm_place_why(struct qm_planner *p, struct qm_place *place, const struct qm_reason *why);

/* verbs.c: what operators order, beside a target */
/** qm_refuse() - remembers in words why a command is refused; returns @result. */
__attribute__((format(printf, 3, 4))) int qm_refuse(struct qm_planner *p, int result,
                                                    const char *format, ...);
/** qm_event_note() - an order was taken, or ended by itself. */
void qm_event_note(struct qm_planner *p, const struct qm_command *command, const char *subject,
                   bool expired);
int qm_verb(struct qm_planner *p, const struct qm_command *command);
/** qm_copy_text() - a text of others, cut to the room there is; NULL is "". */
void qm_copy_text(char *to, size_t size, const char *from);

/* verbs_plan.c */
/** qm_resume() - ends one hold, the gravest first (fact_command.c). QM_E_CONFLICT: none. */
int qm_resume(struct qm_planner *p);
int qm_pause(struct qm_planner *p, const struct qm_command *command);
void qm_pause_tick(struct qm_planner *p);
qm_time qm_pause_deadline(const struct qm_planner *p);
/** qm_target_refused() - may this version be posted now? 0 or QM_E_CONFLICT. */
int qm_target_refused(struct qm_planner *p, const struct qm_command *command);
/** qm_target_kind() - what plan a posted version begins. */
enum qm_plan_kind qm_target_kind(const struct qm_planner *p, const char *version);
/** qm_moved_note() - a task runs at the target: an unfinished upgrade has moved something. */
void qm_moved_note(struct qm_planner *p, const struct qm_task *task);
/** qm_moved_restore() - the same from the records. */
void qm_moved_restore(struct qm_planner *p);

/* verbs_step.c */
/** qm_place_by_step() - the place of a step id, "registry.HOST" or "api.1". NULL: no such one. */
struct qm_place *qm_place_by_step(const struct qm_planner *p, const char *id);
int qm_step_verb(struct qm_planner *p, const struct qm_command *command);
/** qm_skipped_in_plan() - is it left out of this plan, though it is not down? */
bool qm_skipped_in_plan(const struct qm_place *place);
void qm_skip_healthy(struct qm_planner *p, struct qm_place *place);
/** qm_skips_end() - a new plan: steps that were left out of the last one belong to it. */
void qm_skips_end(struct qm_planner *p);

/* verbs_host.c */
int qm_host_verb(struct qm_planner *p, const struct qm_command *command);
bool qm_host_drained(const struct qm_host *host);
void qm_drained_why(const struct qm_planner *p, const struct qm_host *host, struct qm_reason *why);
qm_time qm_drain_deadline(const struct qm_planner *p, const struct qm_host *host);
/** qm_drain_tick() - readmits a host whose drain is over; when it is looked at. */
void qm_drain_tick(struct qm_planner *p, struct qm_host *host);
/** qm_host_to_record() - is there anything about it to be saved? */
bool qm_host_to_record(const struct qm_host *host);

/* verbs_order.c: drain, restart and replace under rule 5 */
/** qm_orders_notice() - something of this host is still to be stopped by an order. */
void qm_orders_notice(struct qm_planner *p, struct qm_host *host);
void qm_orders_leave(struct qm_planner *p, struct qm_host *host);
void qm_orders_carry_out(struct qm_planner *p);
/** qm_order_moves() - is a floating instance to move to another host? */
bool qm_order_moves(const struct qm_place *place);
/** qm_order_why() - why an order about this place is not carried out yet; false: there is none. */
bool qm_order_why(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);
/** qm_blocker() - names an unavailable instance of the service beside this place. */
void qm_blocker(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);

/* availability.c: rule 5 */
bool qm_available_after_stop(const struct qm_planner *p, const struct qm_place *place,
                             struct qm_reason *why);
size_t qm_registry_replicas(const struct qm_planner *p);

/* rollout.c */
/** qm_plan_begin() - a new plan towards the present target. */
void qm_plan_begin(struct qm_planner *p, enum qm_plan_kind kind);
/** qm_plan_restore() - the plan that the records tell of, after a start. */
void qm_plan_restore(struct qm_planner *p, enum qm_plan_kind kind);
/** qm_plan_progress() - opens and completes phases; true when hosts are to be looked at again. */
bool qm_plan_progress(struct qm_planner *p);
/** qm_plan_steps() - stops what is to be stopped now. */
void qm_plan_steps(struct qm_planner *p);
void qm_plan_touch_all(struct qm_planner *p);
void qm_plan_free(struct qm_planner *p);
/** qm_plan_drop_queues() - they name hosts that may be gone: built again when needed. */
void qm_plan_drop_queues(struct qm_planner *p);
/** qm_plan_rolls() - is it a plan whose steps need min_ready? */
bool qm_plan_rolls(const struct qm_planner *p);
const struct qm_phase *qm_phase_of(const struct qm_planner *p, size_t service);
void qm_phase_open(struct qm_planner *p, struct qm_phase *phase);
/** qm_phase_queue() - hosts with places of this phase by failure domain and name. */
bool qm_phase_queue(struct qm_planner *p, struct qm_phase *phase);
enum qm_status qm_phase_status(const struct qm_planner *p, const struct qm_phase *phase);
/** qm_plan_status() - status word; why: the reason for which the whole plan waits. */
enum qm_status qm_plan_status(const struct qm_planner *p, struct qm_reason *why);
size_t qm_count(const struct qm_planner *p, size_t service, enum qm_counted what);
uint64_t qm_overall_hash(const struct qm_planner *p);

/* plan_deploy.c, plan_upgrade.c, plan_shutdown.c */
bool qm_deploy_progress(struct qm_planner *p);
/** qm_deploy_barrier_passed() - may phases after this service begin in a deployment? */
bool qm_deploy_barrier_passed(const struct qm_planner *p, size_t service);
bool qm_deploy_probing(const struct qm_planner *p, struct qm_reason *why);
bool qm_deploy_bootstrap_holds(const struct qm_planner *p, const struct qm_place *place,
                               struct qm_reason *why);
void qm_deploy_choose_bootstrap(struct qm_planner *p);
qm_time qm_deploy_deadline(const struct qm_planner *p);
bool qm_upgrade_progress(struct qm_planner *p);
void qm_upgrade_steps(struct qm_planner *p);
void qm_upgrade_consider(struct qm_planner *p, struct qm_place *place);
bool qm_shutdown_progress(struct qm_planner *p);
void qm_shutdown_catch_up(struct qm_planner *p);

/* floating.c */
void qm_floating_start(struct qm_planner *p);
void qm_floating_refresh(struct qm_planner *p);
bool qm_floating_is_due(const struct qm_planner *p);
qm_time qm_floating_deadline(const struct qm_planner *p);

/* decide.c */
void qm_decide(struct qm_planner *p);

/* reconcile.c */
void qm_reconcile_begin(struct qm_planner *p);
void qm_reconcile_tick(struct qm_planner *p);
void qm_reconcile_ask(struct qm_planner *p, struct qm_task *task);
void qm_reconcile_emit(struct qm_planner *p);
qm_time qm_reconcile_deadline(const struct qm_planner *p);

/* probe.c */
void qm_probe_consider(struct qm_planner *p, struct qm_host *host);
qm_time qm_probe_deadline(const struct qm_planner *p, const struct qm_host *host);

/* rules.c and rule_*.c: see rules.h */

/* backoff.c */
void qm_backoff_failed(struct qm_planner *p, struct qm_place *place, bool was_stable);
void qm_backoff_reset(struct qm_place *place);

/* revive.c */
void qm_revive_want(struct qm_planner *p);
void qm_revive_emit(struct qm_planner *p);
qm_time qm_revive_deadline(const struct qm_planner *p);

/* saving.c */
void qm_framework_changed(struct qm_planner *p);
void qm_order_changed(struct qm_planner *p);
bool qm_order_saved(const struct qm_planner *p);
void qm_save_emit(struct qm_planner *p);
qm_time qm_save_deadline(const struct qm_planner *p);

/* actions.c */
struct qm_action *qm_emit(struct qm_planner *p, enum qm_rank rank, enum qm_action_type type,
                          const char *order);
const struct qm_action *qm_actions_next(struct qm_planner *p);
void qm_actions_reset(struct qm_planner *p);

/* deadline.c */
qm_time qm_host_deadline(const struct qm_planner *p, const struct qm_host *host);
void qm_host_schedule(struct qm_planner *p, struct qm_host *host);
void qm_host_unschedule(struct qm_planner *p, struct qm_host *host);
/** qm_hosts_due() - touches every host whose time has come. */
void qm_hosts_due(struct qm_planner *p);
static inline qm_time qm_earlier(qm_time a, qm_time b)
{
    return a < b ? a : b;
}
static inline qm_time qm_later_by(qm_time t, qm_duration d)
{
    return t > QM_TIME_NEVER - 1 - d ? QM_TIME_NEVER : t + d;
}

#endif
