/*
 * Operators' orders beside a target: which room takes which, what is remembered of them, and why
 * one is refused. Every order that is taken stands in the framework's record with who gave it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rooms.h"

int qm_refuse(struct qm_planner *p, int result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->refusal, sizeof(p->refusal), format, args);
    va_end(args);
    return result;
}

const char *qm_planner_refusal(const struct qm_planner *p)
{
    return p->refusal;
}

void qm_copy_text(char *to, size_t size, const char *from)
{
    size_t n = from ? qm_clip(from, size - 1) : 0;

    if (n > 0)
        memcpy(to, from, n);
    to[n] = '\0';
}

void qm_event_note(struct qm_planner *p, const struct qm_command *command, const char *subject,
                   bool expired)
{
    struct qm_event *event;

    if (p->n_events == QM_EVENTS_MAX)
        memmove(&p->events[0], &p->events[1], --p->n_events * sizeof(p->events[0]));
    event = &p->events[p->n_events++];
    *event = (struct qm_event){.time = p->now, .what = (uint8_t)command->type, .expired = expired};
    qm_copy_text(event->subject, sizeof(event->subject), subject);
    qm_copy_text(event->why, sizeof(event->why), command->reason);
    qm_copy_text(event->source, sizeof(event->source), command->source);
    qm_framework_changed(p);
}

int qm_verb(struct qm_planner *p, const struct qm_command *command)
{
    switch (command->type) {
    case QM_COMMAND_PAUSE:
        return qm_pause(p, command);
    case QM_COMMAND_STEP_RETRY:
    case QM_COMMAND_STEP_SKIP:
    case QM_COMMAND_STEP_RESTART:
    case QM_COMMAND_STEP_REPLACE:
        return qm_step_verb(p, command);
    case QM_COMMAND_HOST_DRAIN:
    case QM_COMMAND_HOST_READMIT:
    case QM_COMMAND_HOST_FORGET:
        return qm_host_verb(p, command);
    default:
        return QM_E_INVALID;
    }
}
