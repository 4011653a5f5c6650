/*
 * The operator API: orders and questions of an operator, in JSON, at the paths where a real master
 * has them.
 */
#ifndef MESOS_SIM_OPERATOR_ROUTES_H
#define MESOS_SIM_OPERATOR_ROUTES_H

#include <stdbool.h>

struct face;
struct sim_http_exchange;

/* False: the path is none of the operator's. Every path below /api/v1 that nothing else answers is.
 */
bool operator_routes_answer(struct face *face, struct sim_http_exchange *exchange);

#endif
