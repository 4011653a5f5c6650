/*
 * Actions: everything the planner wants done. Taken in order from
 * qm_planner_next_action(); borrowed until the next qm_planner_step(). Order is
 * promised among the actions of one host. The caller performs; it does not decide.
 */
#ifndef QUOBYTE_MESOS_ACTION_H
#define QUOBYTE_MESOS_ACTION_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/service.h>

enum qm_action_type {
    QM_ACTION_SAVE,          /* write or delete records; then report STATE_SAVED or SAVE_FAILED */
    QM_ACTION_LAUNCH,        /* accept offers of one agent and launch tasks on them */
    QM_ACTION_KILL,
    QM_ACTION_DECLINE,
    QM_ACTION_ACKNOWLEDGE,
    QM_ACTION_RECONCILE,
    QM_ACTION_SUPPRESS,
    QM_ACTION_REVIVE,
    QM_ACTION_PROBE,         /* tell a prober to look again */
    QM_ACTION_DESCRIBE_TASK, /* ask the master what a task is; report TASK_FOUND */
    QM_ACTION_ACCEPT_INVERSE_OFFER,
    QM_ACTION_DECLINE_INVERSE_OFFER,
};

/* A record of the durable state. data NULL: delete it. Keys are "framework" and "host/<name>". */
struct qm_record {
    const char *key;
    const uint8_t *data;
    size_t length;
};

struct qm_save {
    uint64_t revision;              /* grows; each save confirms itself and all before it */
    const struct qm_record *records;
    size_t n_records;
};

/* How much of which offered resource a task takes. */
struct qm_resource_use {
    size_t offer;                  /* place in qm_launch.offer_ids */
    size_t resource;               /* place in that offer's resources */
    enum qm_resource_kind kind;
    uint64_t amount;               /* CPUS, MEM, DISK in their unit */
    const struct qm_range *ranges; /* PORTS */
    size_t n_ranges;
};

struct qm_task_port {
    const struct qm_port_spec *spec; /* its number field is the configured one */
    uint32_t number;                 /* the port that this task has */
};

struct qm_task_launch {
    const struct qm_task_template *template_; /* shared by all tasks of a service and version */
    const char *task_id;
    const char *executor_id;        /* template_->is_executor only, else "" */
    const char *hostname;
    const struct qm_task_port *ports;
    size_t n_ports;
    const struct qm_resource_use *uses;
    size_t n_uses;
};

struct qm_launch {
    const char *agent_id;
    const char *const *offer_ids;   /* one agent, one role */
    size_t n_offer_ids;
    const struct qm_task_launch *tasks;
    size_t n_tasks;
    qm_duration refuse;             /* filter for the rest of the offers */
};

struct qm_kill {
    const char *task_id;
    const char *agent_id;           /* always set: without it Mesos may answer for the wrong agent */
    qm_duration grace;
};

struct qm_acknowledge {
    const char *task_id;
    const char *agent_id;
    uint8_t uuid[16];
};

struct qm_task_key {
    const char *task_id;
    const char *agent_id;
};

struct qm_action {
    enum qm_action_type type;
    __extension__ union { /* no name: C99 calls it an extension */
        struct qm_save save;
        struct qm_launch launch;
        struct qm_kill kill;
        struct {
            const char *const *offer_ids;
            size_t n_offer_ids;
            qm_duration refuse;     /* how long Mesos is not to offer this agent's resources again */
        } decline;
        struct qm_acknowledge acknowledge;
        struct {
            const struct qm_task_key *tasks; /* explicit; n_tasks 0 = implicit */
            size_t n_tasks;
        } reconcile;
        struct {
            const char *agent_id;
            const char *executor_id;
        } probe;
        struct qm_task_key describe;
        const char *inverse_offer_id;
    };
};

/** qm_action_format() - one line for logs and traces; returns as snprintf does. Since 0.1. */
QM_EXPORT size_t qm_action_format(const struct qm_action *action, char *buffer, size_t size);

#endif
