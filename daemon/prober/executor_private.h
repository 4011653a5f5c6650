/* What the executor's rooms share: executor.c (life), executor_events.c (what the agent says). */
#ifndef PROBER_EXECUTOR_PRIVATE_H
#define PROBER_EXECUTOR_PRIVATE_H

#include <event2/event.h>

#include "mesos/arena.h"
#include "mesos/transport.h"
#include "prober/executor.h"
#include "prober/report.h"
#include "prober/tasks.h"
#include "prober/watch.h"

struct executor {
    const struct environment *environment;
    const struct scan_place *place;
    struct event_base *base;
    struct transport *transport;
    struct tasks *tasks;
    struct watch *watch;
    struct arena arena; /* of the event being handled */

    struct question question;
    struct scan *scan; /* the latest; NULL before the first */
    bool reported;     /* the latest scan, or one like it, under this subscription */
    qm_time reported_at;

    struct event *changed;   /* the watch has something */
    struct event *settle;    /* a moment later: look */
    struct event *rescan;    /* look from time to time */
    struct event *again;     /* unacknowledged updates are told again */
    struct event *deadline;  /* of leaving, or of ever getting subscribed */
    struct event *terminate; /* SIGTERM */
    struct event *interrupt; /* SIGINT */

    bool subscribed;
    bool leaving; /* ends as soon as all updates are acknowledged */
    int exit_code;
};

/* executor.c */
void executor_end(struct executor *e, int exit_code);
void executor_leave(struct executor *e, qm_duration within);
void executor_shut_down(struct executor *e, const char *why);
void executor_end_if_done(struct executor *e);
void executor_send_updates(struct executor *e);
void executor_look(struct executor *e);
void executor_report(struct executor *e, uint64_t sequence);

/* executor_events.c */
bool executor_event(void *userdata, const uint8_t *record, size_t length);

#endif
