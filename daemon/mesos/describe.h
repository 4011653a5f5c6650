/*
 * What a task is that the planner does not know: asked of the leading master's GET /tasks (and
 * GET /state, where that is not to be had), one task at a time.
 */
#ifndef DAEMON_MESOS_DESCRIBE_H
#define DAEMON_MESOS_DESCRIBE_H

#include <jansson.h>

#include "mesos/convert.h"
#include "mesos/link.h"

struct describe;

/** describe_new() - @network: copied. @authorization: header value, NULL: none. @tell: gets
 * QM_FACT_TASK_FOUND. */
struct describe *describe_new(const struct link_network *network, const char *authorization,
                              convert_fact_fn tell, void *userdata);
void describe_free(struct describe *d);

/** describe_begin() - a subscription is there: this is the leader to ask. */
void describe_begin(struct describe *d, const char *host, uint16_t port, const char *framework_id);

/** describe_end() - it is over; open questions are forgotten (they come again if they matter). */
void describe_end(struct describe *d);

/** describe_ask() - answered by a fact as soon as the master has answered; asked again with
 * back-off while it does not. */
void describe_ask(struct describe *d, const char *task_id, const char *agent_id);

/* ---- pure parts ---- */

/**
 * describe_find_task() - a task's object in the answer to /tasks or /state, NULL when it is not
 * there. Borrowed.
 */
json_t *describe_find_task(json_t *answer, const char *framework_id, const char *task_id);

/** describe_read_task() - what the object says. Strings are borrowed from it, or in the arena. */
struct qm_task_found describe_read_task(struct arena *arena, json_t *task);

/** describe_find_host() - host name of an agent in the answer to /slaves or /state; "" unknown. */
const char *describe_find_host(json_t *answer, const char *agent_id);

#endif
