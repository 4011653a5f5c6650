/* Words for how services are bound to hosts, and for Mesos' task states. */
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/service.h>

const char *qm_service_binding_name(enum qm_service_binding binding)
{
    switch (binding) {
    case QM_BOUND_TO_DEVICE:
        return "device";
    case QM_FLOATING:
        return "floating";
    case QM_PER_HOST:
        return "per_host";
    }
    return "?";
}

const char *qm_task_state_name(enum qm_task_state state)
{
    switch (state) {
    case QM_TASK_STARTING:
        return "TASK_STARTING";
    case QM_TASK_RUNNING:
        return "TASK_RUNNING";
    case QM_TASK_FINISHED:
        return "TASK_FINISHED";
    case QM_TASK_FAILED:
        return "TASK_FAILED";
    case QM_TASK_KILLED:
        return "TASK_KILLED";
    case QM_TASK_LOST:
        return "TASK_LOST";
    case QM_TASK_STAGING:
        return "TASK_STAGING";
    case QM_TASK_ERROR:
        return "TASK_ERROR";
    case QM_TASK_KILLING:
        return "TASK_KILLING";
    case QM_TASK_DROPPED:
        return "TASK_DROPPED";
    case QM_TASK_UNREACHABLE:
        return "TASK_UNREACHABLE";
    case QM_TASK_GONE:
        return "TASK_GONE";
    case QM_TASK_GONE_BY_OPERATOR:
        return "TASK_GONE_BY_OPERATOR";
    case QM_TASK_UNKNOWN:
        return "TASK_UNKNOWN";
    }
    return "TASK_?";
}
