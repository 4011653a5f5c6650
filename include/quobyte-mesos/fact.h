/*
 * Facts: everything the planner is told. A fact carries its time and a type;
 * build it with designated initialisers. The library copies what it keeps: all
 * pointers need to live only until qm_planner_step() returns.
 */
#ifndef QUOBYTE_MESOS_FACT_H
#define QUOBYTE_MESOS_FACT_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/device.h>
#include <quobyte-mesos/resources.h>

enum qm_fact_type {
    QM_FACT_TIME,             /* nothing but time passed: the deadline, or a courtesy */
    QM_FACT_SUBSCRIBED,       /* the master knows us: reconciliation starts */
    QM_FACT_DISCONNECTED,     /* the master is gone: all offers are void */
    QM_FACT_OFFER,
    QM_FACT_OFFER_RESCINDED,
    QM_FACT_INVERSE_OFFER,    /* the master asks for a host, for maintenance */
    QM_FACT_TASK_STATUS,
    QM_FACT_TASK_FOUND,       /* what an unknown task is: the answer to QM_ACTION_DESCRIBE_TASK */
    QM_FACT_AGENT_LOST,       /* Mesos' FAILURE of an agent: a hint, never a proof */
    QM_FACT_EXECUTOR_LOST,
    QM_FACT_PROBE_REPORT,
    QM_FACT_COMMAND,          /* an operator's order */
    QM_FACT_STATE_SAVED,      /* everything up to this revision is durable */
    QM_FACT_SAVE_FAILED,      /* outcome unknown; the planner says the content again later */
};

/* Mesos' task states, numbers as on the wire (mesos.v1.TaskState). */
enum qm_task_state {
    QM_TASK_STARTING = 0,
    QM_TASK_RUNNING = 1,
    QM_TASK_FINISHED = 2,
    QM_TASK_FAILED = 3,
    QM_TASK_KILLED = 4,
    QM_TASK_LOST = 5,
    QM_TASK_STAGING = 6,
    QM_TASK_ERROR = 7,
    QM_TASK_KILLING = 8,
    QM_TASK_DROPPED = 9,
    QM_TASK_UNREACHABLE = 10,
    QM_TASK_GONE = 11,
    QM_TASK_GONE_BY_OPERATOR = 12,
    QM_TASK_UNKNOWN = 13,
};

/** qm_task_state_name() - "TASK_RUNNING"; "TASK_?" for a number without a name. Since 0.1. */
QM_EXPORT const char *qm_task_state_name(enum qm_task_state state);

struct qm_attribute {
    const char *name;
    const char *value; /* as text, whatever its Mesos type */
};

struct qm_offer {
    const char *id;
    const char *agent_id;
    const char *hostname;
    const char *role;     /* allocation role, "" when the framework has a single one */
    const char *region;   /* fault domain, "" when none */
    const char *zone;
    const struct qm_attribute *attributes;
    size_t n_attributes;
    const struct qm_resource *resources; /* in the offer's order: a launch names their places */
    size_t n_resources;
    qm_time unavailable_from;      /* maintenance; QM_TIME_NEVER when none */
    qm_duration unavailable_for;   /* 0 = without end */
};

struct qm_inverse_offer {
    const char *id;
    const char *agent_id;
    qm_time unavailable_from;
    qm_duration unavailable_for;
};

enum qm_status_source { QM_SOURCE_MASTER, QM_SOURCE_AGENT, QM_SOURCE_EXECUTOR };

struct qm_task_status {
    const char *task_id;
    const char *agent_id;    /* "" when not said */
    const char *executor_id; /* "" when not said */
    enum qm_task_state state;
    enum qm_status_source source;
    int reason;              /* mesos.v1.TaskStatus.Reason, -1 when unset */
    const char *message;     /* "" when unset */
    bool has_healthy;
    bool healthy;
    bool has_uuid;           /* only these are acknowledged */
    uint8_t uuid[16];
};

#define QM_REASON_INVALID_OFFERS 6   /* mesos.v1.TaskStatus.Reason numbers that mean something to us */
#define QM_REASON_RECONCILIATION 9
#define QM_REASON_AGENT_DRAINING 34

/* A task of our framework as the master describes it. Fields that it does not tell are "". */
struct qm_task_found {
    const char *task_id;
    const char *agent_id;
    const char *executor_id;
    const char *hostname;    /* of its agent */
    const char *deployment;  /* label quobyte.deployment */
    const char *service;     /* label quobyte.service, else the task's name */
    const char *version;     /* label quobyte.version, else the image's tag */
    enum qm_task_state state;
    bool exists;             /* false: the master does not know it */
};

struct qm_probe_report {
    const char *agent_id;
    const char *executor_id;
    const char *boot_id;                /* of the host's kernel; "" when unknown */
    const struct qm_device *devices;
    size_t n_devices;
    const uint32_t *listening;          /* those of our ports that something listens on */
    size_t n_listening;
    bool has_mount_point;               /* the client's mount point exists there */
    const char *warning;                /* what it could not read; "" when nothing */
};

enum qm_command_type {
    QM_COMMAND_SET_TARGET, /* deploy or upgrade to `version` */
    QM_COMMAND_SHUT_DOWN,  /* stop all services (probers stay), after the configured grace */
    QM_COMMAND_PAUSE,      /* the plan rests; repair goes on */
    QM_COMMAND_RESUME,     /* ends a pause, starts a waiting configuration plan, accepts an old state */
    QM_COMMAND_ROLLBACK,   /* an unfinished upgrade goes back to the last completed version */
    /* Of one step; `subject` is its id, "registry.HOST" or "api.1". */
    QM_COMMAND_STEP_RETRY,   /* its back-off is over: the next try is now */
    QM_COMMAND_STEP_SKIP,    /* left out of the plan, and of rule 5 until it is healthy */
    QM_COMMAND_STEP_RESTART, /* stopped under rule 5 and started again in the same place */
    QM_COMMAND_STEP_REPLACE, /* floating services: moved to another host */
    /* Of one host; `subject` is its name. */
    QM_COMMAND_HOST_DRAIN,   /* its services are stopped under rule 5 and kept stopped */
    QM_COMMAND_HOST_READMIT, /* ends that */
    QM_COMMAND_HOST_FORGET,  /* it is gone for good: refused while its agent is connected */
    QM_COMMAND_TYPES,
};

/* Texts may be NULL and are cut where they are longer than what is kept (QM_COMMAND_TEXT_MAX). */
struct qm_command {
    enum qm_command_type type;
    const char *version; /* SET_TARGET: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
    const char *subject; /* STEP_* and HOST_*: step id or host name */
    uint64_t plan;       /* STEP_*: refused as stale in another plan than this one; 0 = any */
    const char *reason;  /* why, in the operator's words */
    const char *source;  /* who gives the order, as far as the program knows */
    qm_time expires;     /* PAUSE, HOST_DRAIN: ends by itself then; 0 or QM_TIME_NEVER = never */
    bool force;          /* SET_TARGET: also a third version, also a lower major one */
};

#define QM_COMMAND_TEXT_MAX 200 /* bytes kept of reason and source */

struct qm_subscription {
    const char *framework_id;
    const char *master_id;
    bool adopted; /* registered before, though the records do not say so: tasks may turn up */
};

struct qm_fact {
    qm_time time;
    enum qm_fact_type type;
    __extension__ union { /* no name: C99 calls it an extension */
        struct qm_subscription subscribed;
        struct qm_offer offer;
        const char *offer_id;            /* OFFER_RESCINDED */
        struct qm_inverse_offer inverse_offer;
        struct qm_task_status status;
        struct qm_task_found found;
        struct {
            const char *agent_id;
            const char *executor_id;     /* EXECUTOR_LOST */
        } lost;
        struct qm_probe_report probe;
        struct qm_command command;
        uint64_t revision;               /* STATE_SAVED, SAVE_FAILED */
    };
};

/** qm_command_name() - "pause", "drain", ...; "?" for a number without a name. Since 0.1. */
QM_EXPORT const char *qm_command_name(enum qm_command_type type);

/** qm_version_is_valid() - may this text be a target version (and so an image tag)? Since 0.1. */
QM_EXPORT bool qm_version_is_valid(const char *text);

#endif
