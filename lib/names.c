/* Stable words for stages, plan kinds and statuses. */
#include <quobyte-mesos/cluster.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/plan.h>

const char *qm_task_stage_name(enum qm_task_stage stage)
{
    static const char *const names[] = {
        [QM_STAGE_INTENT] = "intent",
        [QM_STAGE_SAVED] = "saved",
        [QM_STAGE_SENT] = "sent",
        [QM_STAGE_SEEN] = "seen",
        [QM_STAGE_RUNNING] = "running",
        [QM_STAGE_HEALTHY] = "healthy",
        [QM_STAGE_KILLING] = "killing",
        [QM_STAGE_UNANSWERED] = "unanswered",
        [QM_STAGE_UNREACHABLE] = "unreachable",
        [QM_STAGE_DEAD] = "dead",
    };

    return (unsigned)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "?";
}

const char *qm_plan_kind_name(enum qm_plan_kind kind)
{
    static const char *const names[] = {
        [QM_PLAN_NONE] = "",         [QM_PLAN_DEPLOY] = "deploy",     [QM_PLAN_UPGRADE] = "upgrade",
        [QM_PLAN_CONFIG] = "config", [QM_PLAN_SHUTDOWN] = "shutdown",
        [QM_PLAN_ROLLBACK] = "rollback",
    };

    return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

const char *qm_status_name(enum qm_status status)
{
    static const char *const names[] = {
        [QM_STATUS_PENDING] = "PENDING",   [QM_STATUS_PREPARED] = "PREPARED",
        [QM_STATUS_STARTING] = "STARTING", [QM_STATUS_STARTED] = "STARTED",
        [QM_STATUS_DELAYED] = "DELAYED",   [QM_STATUS_IN_PROGRESS] = "IN_PROGRESS",
        [QM_STATUS_COMPLETE] = "COMPLETE", [QM_STATUS_WAITING] = "WAITING",
    };

    return (unsigned)status < sizeof(names) / sizeof(names[0]) ? names[status] : "?";
}

const char *qm_command_name(enum qm_command_type type)
{
    static const char *const names[QM_COMMAND_TYPES] = {
        [QM_COMMAND_SET_TARGET] = "version",   [QM_COMMAND_SHUT_DOWN] = "shutdown",
        [QM_COMMAND_PAUSE] = "pause",          [QM_COMMAND_RESUME] = "resume",
        [QM_COMMAND_ROLLBACK] = "rollback",    [QM_COMMAND_STEP_RETRY] = "retry",
        [QM_COMMAND_STEP_SKIP] = "skip",       [QM_COMMAND_STEP_RESTART] = "restart",
        [QM_COMMAND_STEP_REPLACE] = "replace", [QM_COMMAND_HOST_DRAIN] = "drain",
        [QM_COMMAND_HOST_READMIT] = "readmit", [QM_COMMAND_HOST_FORGET] = "forget",
    };

    return (unsigned)type < QM_COMMAND_TYPES ? names[type] : "?";
}
