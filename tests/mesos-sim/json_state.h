/*
 * The master's knowledge as JSON, with the names that Mesos 1.11 gives to it ("slave" for agent):
 * what the JSON endpoints answer.
 */
#ifndef MESOS_SIM_JSON_STATE_H
#define MESOS_SIM_JSON_STATE_H

#include <jansson.h>

#include "sim.h"

/* All of it. */
json_t *json_state_master(const struct sim *sim);
/* `agent_id` NULL: all. */
json_t *json_state_agents(const struct sim *sim, const char *agent_id);
json_t *json_state_frameworks(const struct sim *sim, const char *framework_id);

struct json_state_task_query {
    const char *framework_id; /* NULL: all */
    const char *task_id;      /* NULL: all */
    size_t limit;
    size_t offset;
    bool ascending; /* oldest first */
};
json_t *json_state_tasks(const struct sim *sim, const struct json_state_task_query *query);

/* Flat names with numbers: the part of Mesos' metrics that follows from the views. */
json_t *json_state_metrics(const struct sim *sim);

#endif
