/* Looking from outside: what the JSON endpoints show. */
#include "core.h"

#include <string.h>

void sim_master_look(const struct sim *sim, struct sim_master_view *view)
{
    *view = (struct sim_master_view){
        .id = sim->master_id,
        .pid = sim->master_pid,
        .hostname = sim->master_hostname,
        .ip = sim->master_ip,
        .port = sim->master_port,
        .start_ms = sim->master_start,
        .elected_ms = sim->master_elected,
        .ready = sim->master == MASTER_UP,
    };
}

const struct sim_framework *sim_framework_next(const struct sim *sim, bool completed,
                                               const struct sim_framework *after)
{
    if (after)
        return TAILQ_NEXT(after, next);
    return TAILQ_FIRST(completed ? &sim->completed : &sim->frameworks);
}

void sim_framework_look(const struct sim *sim, const struct sim_framework *framework,
                        struct sim_framework_view *view)
{
    (void)sim;
    *view = (struct sim_framework_view){
        .id = framework->id,
        .info = framework->info,
        .constraints = core_constraints_message(framework->constraints),
        .active = framework->state == FRAMEWORK_CONNECTED,
        .connected = framework->state == FRAMEWORK_CONNECTED,
        .recovered = framework->state == FRAMEWORK_RECOVERED,
        .registered_ms = framework->registered_ms,
        .reregistered_ms = framework->reregistered_ms,
        .unregistered_ms = framework->unregistered_ms,
        .used_resources = (const resource_t *const *)framework->used.v,
        .n_used_resources = framework->used.n,
        .offered_resources = (const resource_t *const *)framework->offered.v,
        .n_offered_resources = framework->offered.n,
    };
}

const struct sim_task *sim_task_next(const struct sim_framework *framework, enum sim_task_list list,
                                     const struct sim_task *after)
{
    return after ? TAILQ_NEXT(after, next) : TAILQ_FIRST(&framework->tasks[list]);
}

void sim_task_look(const struct sim_task *task, struct sim_task_view *view)
{
    const task_info_t *info = task->info;
    /* Only what a command says: the framework's user is not repeated here. */
    const Mesos__V1__CommandInfo *command = info->command    ? info->command
                                            : info->executor ? info->executor->command
                                                             : NULL;

    *view = (struct sim_task_view){
        .info = info,
        .framework_id = task->framework->id,
        .executor_id = task->executor_id,
        .agent_id = info->agent_id->value,
        .role = task->role,
        .user = command ? command->user : NULL,
        .state = task->state,
        .statuses = (const status_t *const *)task->statuses,
        .n_statuses = task->n_statuses,
    };
}

bool sim_executor_look(const struct sim *sim, const struct sim_framework *framework, size_t index,
                       struct sim_executor_view *view)
{
    struct sim_agent *agent;
    struct known_executor *executor;

    EACH (agent, &sim->agents, next) {
        EACH (executor, &agent->executors, next) {
            if (strcmp(executor->framework_id, framework->id) || index--)
                continue;
            view->info = executor->info;
            view->agent_id = agent->id;
            return true;
        }
    }
    return false;
}

const struct sim_offer *sim_offer_next(const struct sim_framework *framework,
                                       const struct sim_offer *after)
{
    return after ? TAILQ_NEXT(after, next) : TAILQ_FIRST(&framework->offers);
}

const Mesos__V1__Offer *sim_offer_look(const struct sim_offer *offer)
{
    return offer->message;
}

static bool in_list(const struct sim_agent *agent, enum sim_agent_list list)
{
    switch (list) {
    case SIM_AGENTS_REGISTERED:
        return agent->state == AGENT_CONNECTED || agent->state == AGENT_DISCONNECTED;
    case SIM_AGENTS_RECOVERED:
        return agent->state == AGENT_RECOVERED;
    default:
        return agent->state == AGENT_UNREACHABLE;
    }
}

const struct sim_agent *sim_agent_next(const struct sim *sim, enum sim_agent_list list,
                                       const struct sim_agent *after)
{
    const struct sim_agent *agent = after ? TAILQ_NEXT(after, next) : TAILQ_FIRST(&sim->agents);

    while (agent && !in_list(agent, list))
        agent = TAILQ_NEXT(agent, next);
    return agent;
}

void sim_agent_look(const struct sim *sim, const struct sim_agent *agent,
                    struct sim_agent_view *view)
{
    const struct host *host = &sim->hosts[agent->index];

    *view = (struct sim_agent_view){
        .id = agent->id,
        .index = agent->index,
        .info = agent->info,
        .pid = host->pid,
        .connected = agent->state == AGENT_CONNECTED,
        .active = agent->state == AGENT_CONNECTED && !agent->deactivated,
        .deactivated = agent->deactivated,
        .registered_ms = agent->registered_ms,
        .reregistered_ms = agent->reregistered_ms,
        .used_resources = (const resource_t *const *)agent->used.v,
        .n_used_resources = agent->used.n,
        .offered_resources = (const resource_t *const *)agent->offered.v,
        .n_offered_resources = agent->offered.n,
        .drain_state = !agent->draining ? NULL
                       : agent->drained ? "DRAINED"
                                        : "DRAINING",
        .maintenance_start_ms = agent->maintenance_start_ms,
        .maintenance_ms = agent->maintenance_ms,
    };
}
