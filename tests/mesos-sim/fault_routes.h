/*
 * Faults on order: POST /sim/... on the master's port. Each answers with one line of text.
 */
#ifndef MESOS_SIM_FAULT_ROUTES_H
#define MESOS_SIM_FAULT_ROUTES_H

#include <stdbool.h>

struct face;
struct sim_http_exchange;

/* Answers requests under /sim. false: the path lies elsewhere. */
bool fault_routes_answer(struct face *face, struct sim_http_exchange *exchange);

#endif
