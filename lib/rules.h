/*
 * What the rollout's rules remember, beside what the model tells: one struct in the planner, saved
 * with the framework's record. The rules themselves: rule_*.c, in the order of docs/rollout.md.
 */
#ifndef LIB_RULES_H
#define LIB_RULES_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/explain.h>
#include <quobyte-mesos/fact.h>

#define QM_SPENT_MAX 64 /* instances whose failures are told apart; the oldest goes first */

struct qm_planner;
struct qm_place;
struct qm_task;
struct qm_host;

/* Failures of one instance in the present plan. */
struct qm_spent {
    char step[288];
    uint32_t n;
};

struct qm_rules {
    /* rule 3: the plan paused itself; QM_WHY_NOTHING: it did not */
    struct qm_reason hold;
    uint32_t failures; /* of this plan, since the last resume */
    struct qm_spent *spent;
    size_t n_spent, spent_capacity;
    /* rule 4 */
    const char *canary;     /* service whose first instance is, or was, tried; "" none */
    qm_time canary_since;   /* it is complete; QM_TIME_NEVER: not yet */
    bool canary_passed;
    uint32_t n_begun;       /* instances moved, for rollout.limit_instances */
    const char *domain;     /* failure domain of the last step; "" none */
    qm_time domain_quiet;   /* nothing is under way there since; QM_TIME_NEVER: something is */
    bool images_ready;      /* the image is on all hosts, as far as this plan asks */
    uint32_t images_have, images_want;
    qm_time images_next;    /* hosts are looked through then, or when one is done */
    qm_time due;            /* when one of these waits is over */
};

/* rules.c */
/** qm_rules_init(), qm_rules_free() - nothing is held, nothing is spent. */
void qm_rules_init(struct qm_planner *p);
void qm_rules_free(struct qm_planner *p);
/** qm_rules_begin() - a new plan: fresh budget, no hold, no canary. */
void qm_rules_begin(struct qm_planner *p);
/** qm_rules_resume() - the operator's resume. True: it ended something that these rules held. */
bool qm_rules_resume(struct qm_planner *p);
/** qm_rules_tick() - before each decision: steps are looked at when a wait is over. */
void qm_rules_tick(struct qm_planner *p);
/** qm_rules_schedule() - after each decision: notes what is complete, and when to look again. */
void qm_rules_schedule(struct qm_planner *p);
/** qm_rules_stop() - rule 3: may an outdated task be stopped, as far as the plan goes? */
bool qm_rules_stop(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);
/** qm_rules_turn() - rule 4: canary, limits, pause between failure domains. */
bool qm_rules_turn(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);
/** qm_rules_begun() - a step has begun: its task is stopped, or its successor may start. */
void qm_rules_begun(struct qm_planner *p, struct qm_place *place);
/** qm_rules_hold_service() - does a wait of this code hold all other steps of the service, too? */
bool qm_rules_hold_service(enum qm_reason_code code);
/** qm_rules_hold_plan() - why the whole plan rests; why->code is QM_WHY_NOTHING when it does not. */
bool qm_rules_hold_plan(const struct qm_planner *p, struct qm_reason *why);
/** qm_under_way() - is a step of this service begun and not complete? */
bool qm_under_way(const struct qm_planner *p, size_t service);

/* rule_budget.c */
/** qm_budget_ended() - a task is told to have ended, before that is absorbed. */
void qm_budget_ended(struct qm_planner *p, const struct qm_task *task,
                     const struct qm_task_status *status);
/** qm_budget_failed() - counts a failure of the plan; over budget the plan pauses. */
void qm_budget_failed(struct qm_planner *p, const struct qm_place *place, const char *what);
void qm_budget_fresh(struct qm_planner *p);
/** qm_hold_set() - the plan pauses itself, with this reason. */
void qm_hold_set(struct qm_planner *p, enum qm_reason_code code, const char *subject, uint64_t have,
                 uint64_t want);
/** qm_held() - has the plan paused itself? why may be NULL. */
bool qm_held(const struct qm_planner *p, struct qm_reason *why);
/** qm_step_complete() - a place's step is complete. */
void qm_step_complete(struct qm_planner *p, struct qm_place *place);
/** qm_puts_back() - is the next start of this place the return to the version before? */
bool qm_puts_back(const struct qm_planner *p, const struct qm_place *place);
/** qm_version_before() - what @task's place ran before the step that launched it; else its own. */
const char *qm_version_before(const struct qm_task *task);

/** qm_ended_by_itself() - did the task fail, or did Mesos have trouble? */
bool qm_ended_by_itself(const struct qm_task *task, const struct qm_task_status *status);

/* rule_image.c */
/** qm_image_due() - has this plan to wait for images? */
bool qm_image_due(const struct qm_planner *p);
/** qm_image_wanted() - is an image task wanted, or alive, in this place of the image service? */
bool qm_image_wanted(const struct qm_planner *p, const struct qm_place *place);
bool qm_image_allows(const struct qm_planner *p, struct qm_reason *why);
void qm_image_begin(struct qm_planner *p);
void qm_image_ended(struct qm_planner *p, const struct qm_task *task,
                    const struct qm_task_status *status);
/** qm_image_progress() - chooses the next hosts. True: hosts are to be looked at again. */
bool qm_image_progress(struct qm_planner *p);
qm_time qm_image_deadline(const struct qm_planner *p);

/* rule_timeout.c */
/** qm_timeout_consider() - counts a step that is not ready in time; when its host is looked at. */
void qm_timeout_consider(struct qm_planner *p, struct qm_place *place);
qm_time qm_timeout_deadline(const struct qm_planner *p, const struct qm_place *place);

/* rule_window.c */
bool qm_window_open(const struct qm_planner *p, struct qm_reason *why);
qm_time qm_window_deadline(const struct qm_planner *p);

/* rule_canary.c */
bool qm_canary_allows(const struct qm_planner *p, const struct qm_place *place,
                      struct qm_reason *why);
void qm_canary_tick(struct qm_planner *p);
void qm_canary_begun(struct qm_planner *p, const struct qm_place *place);
bool qm_canary_resume(struct qm_planner *p);
qm_time qm_canary_deadline(const struct qm_planner *p);

/* rule_limit.c */
bool qm_limit_allows(const struct qm_planner *p, const struct qm_place *place,
                     struct qm_reason *why);
bool qm_limit_resume(struct qm_planner *p);

/* rule_spacing.c */
bool qm_spacing_allows(const struct qm_planner *p, const struct qm_place *place,
                       struct qm_reason *why);
void qm_spacing_tick(struct qm_planner *p);
void qm_spacing_begun(struct qm_planner *p, const struct qm_place *place);
qm_time qm_spacing_deadline(const struct qm_planner *p);

#endif
