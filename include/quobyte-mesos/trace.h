/*
 * Decisions as they are made, typed, for tests, journals and logs. The callback
 * runs inside the library and must not call back into the planner.
 */
#ifndef QUOBYTE_MESOS_TRACE_H
#define QUOBYTE_MESOS_TRACE_H

#include <quobyte-mesos/base.h>

enum qm_trace_type {
    QM_TRACE_TASK,   /* a task changed its stage: subject = task id */
    QM_TRACE_HOST,   /* a host came, went, or changed */
    QM_TRACE_DEVICE, /* a device appeared, changed or vanished: subject = host, detail = device */
    QM_TRACE_PLAN,   /* a plan or phase changed its status: subject = plan kind or phase */
    QM_TRACE_STEP,   /* a step changed its status */
    QM_TRACE_STATE,  /* saves, restore, adoption, old state */
    QM_TRACE_COMMAND /* an operator's order was taken */
};

/* Strings are never NULL; borrowed for the length of the call. */
struct qm_trace_event {
    qm_time time;
    enum qm_trace_type type;
    const char *subject;
    const char *from;
    const char *to;
    const char *detail; /* reason in words, "" when none */
};

typedef void (*qm_trace_fn)(void *userdata, const struct qm_trace_event *event);

/** qm_trace_format() - "task api.agent-2.1-4: sent -> running (detail)", without time. Since 0.1. */
QM_EXPORT size_t qm_trace_format(const struct qm_trace_event *event, char *buffer, size_t size);

#endif
