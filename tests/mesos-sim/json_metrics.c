/*
 * /metrics/snapshot: the numbers of the master that can be counted from its views.
 */
#include "json_state.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void add(json_t *metrics, const char *name, double value)
{
    double have = json_number_value(json_object_get(metrics, name));

    json_object_set_new(metrics, name, json_real(have + value));
}

/* "TASK_RUNNING" counts in "master/tasks_running". */
static void add_task(json_t *metrics, const struct sim_task *task)
{
    struct sim_task_view view;
    const ProtobufCEnumValue *state;
    char name[80];

    sim_task_look(task, &view);
    state =
        protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)view.state);
    if (!state)
        return;
    snprintf(name, sizeof(name), "master/tasks_%s", state->name + strlen("TASK_"));
    for (char *c = name + strlen("master/tasks_"); *c; c++)
        *c = (char)tolower((unsigned char)*c);
    add(metrics, name, 1);
}

static void add_tasks(json_t *metrics, const struct sim_framework *framework)
{
    static const enum sim_task_list lists[] = {SIM_TASKS, SIM_TASKS_UNREACHABLE,
                                               SIM_TASKS_COMPLETED};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const struct sim_task *task = NULL;

        while ((task = sim_task_next(framework, lists[i], task)))
            add_task(metrics, task);
    }
}

static void add_frameworks(json_t *metrics, const struct sim *sim)
{
    for (int completed = 0; completed < 2; completed++) {
        const struct sim_framework *framework = NULL;

        while ((framework = sim_framework_next(sim, completed, framework))) {
            struct sim_framework_view view;
            const struct sim_offer *offer = NULL;

            add_tasks(metrics, framework);
            if (completed)
                continue;
            sim_framework_look(sim, framework, &view);
            add(metrics,
                view.connected ? "master/frameworks_connected" : "master/frameworks_disconnected",
                1);
            add(metrics, view.active ? "master/frameworks_active" : "master/frameworks_inactive",
                1);
            while ((offer = sim_offer_next(framework, offer)))
                add(metrics, "master/outstanding_offers", 1);
        }
    }
}

static void add_agents(json_t *metrics, const struct sim *sim)
{
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(sim, agent, &view);
        add(metrics, view.connected ? "master/slaves_connected" : "master/slaves_disconnected", 1);
        add(metrics, view.active ? "master/slaves_active" : "master/slaves_inactive", 1);
    }
    while ((agent = sim_agent_next(sim, SIM_AGENTS_UNREACHABLE, agent)))
        add(metrics, "master/slaves_unreachable", 1);
}

json_t *json_state_metrics(const struct sim *sim)
{
    static const char *const zero[] = {
        "frameworks_active",   "frameworks_connected", "frameworks_disconnected",
        "frameworks_inactive", "outstanding_offers",   "slaves_active",
        "slaves_connected",    "slaves_disconnected",  "slaves_inactive",
        "slaves_unreachable",  "tasks_dropped",        "tasks_error",
        "tasks_failed",        "tasks_finished",       "tasks_gone",
        "tasks_killed",        "tasks_killing",        "tasks_lost",
        "tasks_running",       "tasks_staging",        "tasks_starting",
        "tasks_unreachable",
    };
    json_t *metrics = json_object();
    struct sim_master_view view;
    char name[80];

    sim_master_look(sim, &view);
    add(metrics, "master/elected", 1);
    add(metrics, "master/uptime_secs", (double)(sim_now(sim) - view.start_ms) / 1000);
    for (size_t i = 0; i < sizeof(zero) / sizeof(*zero); i++) {
        snprintf(name, sizeof(name), "master/%s", zero[i]);
        add(metrics, name, 0);
    }
    add_agents(metrics, sim);
    add_frameworks(metrics, sim);
    return metrics;
}
