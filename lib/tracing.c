/* Telling the trace callback what was decided. Nothing is formatted when nobody listens. */
#include <stdarg.h>
#include <stdio.h>

#include "rooms.h"

void qm_trace(struct qm_planner *p, enum qm_trace_type type, const char *subject, const char *from,
              const char *to, const char *detail, ...)
{
    struct qm_trace_event event = {p->now, type, subject, from, to, ""};
    char text[256];
    va_list args;

    if (!p->trace)
        return;
    va_start(args, detail);
    vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    event.detail = text;
    p->trace(p->trace_data, &event);
}

void qm_planner_set_trace(struct qm_planner *p, qm_trace_fn fn, void *userdata)
{
    p->trace = fn;
    p->trace_data = userdata;
}
