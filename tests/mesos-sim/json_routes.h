/*
 * The GET endpoints that people and tools look at: /state, /slaves, /tasks, /frameworks, /version,
 * /health, /redirect, /metrics/snapshot, as master and agents of Mesos 1.11 have them.
 */
#ifndef MESOS_SIM_JSON_ROUTES_H
#define MESOS_SIM_JSON_ROUTES_H

struct face;
struct sim_http_exchange;

/* Answers any request; 404 for paths that Mesos doesn't know. */
void json_routes_answer(struct face *face, int target, struct sim_http_exchange *exchange);

#endif
