/* Trace events as text. */
#include <quobyte-mesos/trace.h>

#include <stdio.h>

static const char *type_name(enum qm_trace_type type)
{
    switch (type) {
    case QM_TRACE_TASK:
        return "task";
    case QM_TRACE_HOST:
        return "host";
    case QM_TRACE_DEVICE:
        return "device";
    case QM_TRACE_PLAN:
        return "plan";
    case QM_TRACE_STEP:
        return "step";
    case QM_TRACE_STATE:
        return "state";
    case QM_TRACE_COMMAND:
        return "command";
    }
    return "?";
}

size_t qm_trace_format(const struct qm_trace_event *event, char *buffer, size_t size)
{
    bool from = event->from[0] != '\0';
    bool to = event->to[0] != '\0';
    bool detail = event->detail[0] != '\0';

    return (size_t)snprintf(buffer, size, "%s %s%s%s%s%s%s%s%s", type_name(event->type),
                            event->subject, from || to ? ": " : "", event->from,
                            from && to ? " -> " : "", event->to, detail ? " (" : "", event->detail,
                            detail ? ")" : "");
}
