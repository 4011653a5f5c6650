/*
 * The cluster as the planner understands it now, as snapshots: hosts with
 * their devices and tasks, services, recent offers. In name order.
 */
#ifndef QUOBYTE_MESOS_CLUSTER_H
#define QUOBYTE_MESOS_CLUSTER_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/device.h>
#include <quobyte-mesos/explain.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/service.h>

/* Where a task stands between our intent and its proven end (docs/tasks.md). */
enum qm_task_stage {
    QM_STAGE_INTENT,      /* decided, its record not saved yet */
    QM_STAGE_SAVED,       /* record saved, launch not sent */
    QM_STAGE_SENT,        /* launch sent, nothing heard */
    QM_STAGE_SEEN,        /* STAGING or STARTING */
    QM_STAGE_RUNNING,     /* RUNNING, health not proven */
    QM_STAGE_HEALTHY,     /* RUNNING, healthy or without a check */
    QM_STAGE_KILLING,     /* kill sent or TASK_KILLING seen */
    QM_STAGE_UNANSWERED,  /* recorded, has not answered since we (re)subscribed */
    QM_STAGE_UNREACHABLE, /* its agent cannot be reached: may live, counts as unavailable */
    QM_STAGE_DEAD,        /* proven end; never seen in a view */
};

QM_EXPORT const char *qm_task_stage_name(enum qm_task_stage stage); /* "running" */

struct qm_task_view {
    char *id;
    char *service;
    char *host;
    char *agent_id;
    char *version;
    enum qm_task_stage stage;
    enum qm_task_state state;  /* last one heard from Mesos */
    qm_time since;             /* when the stage was entered */
    bool healthy;
    bool available;            /* RUNNING, healthy and so for min_ready */
    bool outdated;             /* version or configuration is not the target's */
    char *message;             /* last message of Mesos, "" when none */
    uint32_t ports[QM_PORTS_MAX];
    size_t n_ports;
};

struct qm_device_view {
    enum qm_device_type type;
    bool bootstrap;
    bool missing;              /* was reported before, not any more */
    char *mount, *filesystem, *serial, *model, *id, *warning;
    uint64_t size_mib, free_mib;
};

struct qm_host_view {
    char *name;
    char *agent_id;            /* "" when none is connected */
    char *failure_domain;      /* attribute or zone; the host's own name when it has none */
    bool connected;            /* an agent of this name has been seen and not been lost */
    bool allowed;              /* by placement.hosts */
    bool drained;              /* the operator keeps it free of services */
    qm_time drained_since, drained_until; /* until QM_TIME_NEVER: until readmit */
    char *drained_why;         /* the operator's words */
    bool reported;             /* its prober reported since the agent came */
    qm_time last_report;       /* QM_TIME_NEVER when never */
    char *warning;             /* of its prober; "" when none */
    struct qm_device_view *devices;
    size_t n_devices;
    struct qm_task_view *tasks; /* probers included */
    size_t n_tasks;
    struct qm_reason reason;   /* why something wanted does not start there; NOTHING when fine */
};

struct qm_service_view {
    char *name;
    enum qm_service_binding binding;
    size_t wanted, running, healthy, available, outdated;
};

/* Recent offers by the first check that they failed. */
struct qm_offer_outcomes {
    uint64_t seen, accepted, declined, rescinded;
    uint64_t by_reason[QM_WHY_CODES];  /* declined ones */
    size_t n_recent;
    struct {
        qm_time time;
        char host[128];
        char service[64];          /* the service that was looked for, "" when none */
        struct qm_reason reason;   /* NOTHING when it was accepted */
    } recent[100];                 /* newest first */
};

/* An order that was taken, and from whom. */
struct qm_event_view {
    qm_time time;
    enum qm_command_type what;
    bool expired;              /* the order ended by itself: nobody gave it */
    char *subject;             /* version, step or host */
    char *why, *source;
};

/* A version that was the target once; "" stands for a shut down. */
struct qm_target_view {
    char *version;
    qm_time since;
};

struct qm_cluster_view {
    char *framework_id;        /* "" before the first subscription */
    bool connected, reconciling;
    char *target, *completed;  /* versions, "" when none */
    uint64_t epoch, revision, saved_revision;
    struct qm_host_view *hosts;
    size_t n_hosts;
    struct qm_service_view *services;
    size_t n_services;
    struct qm_target_view *history; /* oldest first, bounded */
    size_t n_history;
    struct qm_event_view *events;   /* oldest first, bounded */
    size_t n_events;
};

struct qm_planner;

/** qm_cluster_view_new() - snapshot of everything. 0 or -ENOMEM. Since 0.1. */
QM_EXPORT int qm_cluster_view_new(const struct qm_planner *planner, struct qm_cluster_view **view);
/** qm_cluster_view_free() - NULL is fine. Returns NULL. Since 0.1. */
QM_EXPORT struct qm_cluster_view *qm_cluster_view_free(struct qm_cluster_view *view);

/** qm_cluster_counts() - the services' counts without hosts and tasks; as many as @n. Names are
 * borrowed until the next step. Returns how many there are. No allocation. Since 0.1. */
QM_EXPORT size_t qm_cluster_counts(const struct qm_planner *planner, struct qm_service_view *services,
                                   size_t n);

/** qm_offer_outcomes_get() - recent offers and why they were declined. Since 0.1. */
QM_EXPORT void qm_offer_outcomes_get(const struct qm_planner *planner,
                                     struct qm_offer_outcomes *outcomes);

#endif
