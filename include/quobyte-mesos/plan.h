/*
 * The plan as a snapshot: plan, phases, steps, each with one status word. Words
 * are those of dcos-commons; paused is a bit beside them, never a status.
 */
#ifndef QUOBYTE_MESOS_PLAN_H
#define QUOBYTE_MESOS_PLAN_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/explain.h>

enum qm_plan_kind {
    QM_PLAN_NONE,     /* no target yet, or shut down and done */
    QM_PLAN_DEPLOY,   /* nothing completed before */
    QM_PLAN_UPGRADE,  /* another version than the last completed one */
    QM_PLAN_CONFIG,   /* same version, other configuration */
    QM_PLAN_SHUTDOWN,
    QM_PLAN_ROLLBACK, /* an unfinished upgrade goes back to the last completed version */
};

enum qm_status {
    QM_STATUS_PENDING,     /* waits, or has not begun */
    QM_STATUS_PREPARED,    /* decided, being saved or sent */
    QM_STATUS_STARTING,    /* old task stopped or new one launched, not RUNNING yet */
    QM_STATUS_STARTED,     /* RUNNING, not yet healthy for long enough */
    QM_STATUS_DELAYED,     /* waits for a back-off after a failure */
    QM_STATUS_IN_PROGRESS, /* phases and plans: some steps done or under way */
    QM_STATUS_COMPLETE,
    QM_STATUS_WAITING,     /* phases and plans: paused or waiting for the operator */
};

struct qm_step_view {
    char *id;          /* "registry.HOST", "api.1" */
    char *service;
    char *host;        /* "" while a floating instance has none */
    char *version;     /* what it is brought to */
    char *running;     /* version that runs there now, "" when none */
    enum qm_status status;
    bool skipped;      /* left out by the operator; counts as complete below */
    struct qm_reason *reasons;
    size_t n_reasons;
};

struct qm_phase_view {
    char *name;
    char *service;
    enum qm_status status;
    char *warning;     /* "" or e.g. "no metadata device" */
    struct qm_step_view *steps;
    size_t n_steps;
    size_t n_complete;
};

struct qm_plan_view {
    uint64_t number;   /* grows with every plan of this deployment */
    enum qm_plan_kind kind;
    char *from;        /* version that was complete when it began, "" when none */
    char *target;      /* "" when none */
    enum qm_status status;
    bool paused;
    char *paused_why;         /* the operator's words, "" when none */
    qm_time paused_until;     /* QM_TIME_NEVER: until resume */
    struct qm_reason reason;  /* why the whole plan waits; QM_WHY_NOTHING when it does not */
    qm_time started;
    qm_time completed;        /* QM_TIME_NEVER while under way */
    size_t n_steps, n_complete;
    struct qm_phase_view *phases;
    size_t n_phases;
};

struct qm_planner;

/** qm_plan_view_new() - snapshot of the present plan. 0 or -ENOMEM. Since 0.1. */
QM_EXPORT int qm_plan_view_new(const struct qm_planner *planner, struct qm_plan_view **view);
/** qm_plan_view_free() - NULL is fine. Returns NULL. Since 0.1. */
QM_EXPORT struct qm_plan_view *qm_plan_view_free(struct qm_plan_view *view);

QM_EXPORT const char *qm_plan_kind_name(enum qm_plan_kind kind); /* "deploy"; "" for none */
QM_EXPORT const char *qm_status_name(enum qm_status status);     /* "PENDING", ... */

/**
 * qm_step_explain() - why a step waits, strongest reason first.
 * @step_id: as in the view, "registry.HOST" or "api.1"; @reasons, @n: room for so many
 * Returns how many were written (0: it does not wait), -ENOENT when the plan has no such step. Since 0.1.
 */
QM_EXPORT int qm_step_explain(const struct qm_planner *planner, const char *step_id,
                              struct qm_reason *reasons, size_t n);

#endif
