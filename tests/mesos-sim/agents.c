/* Agents as the master knows them: registered, silent, unreachable, back, removed. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

struct sim_agent *core_agent_find(struct sim *sim, const char *id)
{
    struct sim_agent *agent;

    EACH (agent, &sim->agents, next)
        if (strcmp(agent->id, id) == 0)
            return agent;
    return NULL;
}

struct host *core_agent_host(struct sim_agent *agent)
{
    struct host *host = &agent->sim->hosts[agent->index];

    return host->id && strcmp(host->id, agent->id) == 0 && core_host_is_linked(host) ? host : NULL;
}

/* ---- executors ---- */

struct known_executor *core_agent_executor(struct sim_agent *agent, const char *framework_id,
                                           const char *executor_id)
{
    struct known_executor *executor;

    EACH (executor, &agent->executors, next)
        if (strcmp(executor->framework_id, framework_id) == 0 &&
            strcmp(executor->info->executor_id->value, executor_id) == 0)
            return executor;
    return NULL;
}

void core_known_executor_add(struct sim_agent *agent, struct sim_framework *framework,
                             const executor_info_t *info, const struct res *resources)
{
    struct known_executor *executor = sim_zalloc(sizeof *executor);

    executor->framework_id = sim_dup(framework->id);
    executor->info = sim_copy(info);
    core_res_add_all(&executor->resources, resources);
    core_res_add_all(&agent->used, resources);
    core_res_add_all(&framework->used, resources);
    if (resources->n && resources->v[0]->allocation_info)
        core_account(framework, resources->v[0]->allocation_info->role, resources, 1);
    TAILQ_INSERT_TAIL(&agent->executors, executor, next);
}

void core_known_executor_drop(struct sim_agent *agent, struct known_executor *executor)
{
    struct sim_framework *framework = core_framework_find(agent->sim, executor->framework_id);
    const struct res *resources = &executor->resources;

    core_res_subtract(&agent->used, resources);
    if (framework) {
        core_res_subtract(&framework->used, resources);
        if (resources->n && resources->v[0]->allocation_info)
            core_account(framework, resources->v[0]->allocation_info->role, resources, -1);
    }
    TAILQ_REMOVE(&agent->executors, executor, next);
    core_res_clear(&executor->resources);
    sim_drop(executor->info);
    free(executor->framework_id);
    free(executor);
}

void core_master_executor_exited(struct sim *sim, struct host *host, const char *framework_id,
                                 const char *executor_id, int status)
{
    struct sim_framework *framework = core_framework_find(sim, framework_id);
    struct sim_agent *agent = host->id ? core_agent_find(sim, host->id) : NULL;
    struct known_executor *executor =
        agent ? core_agent_executor(agent, framework_id, executor_id) : NULL;

    if (!agent || agent->state != AGENT_CONNECTED)
        return;
    if (executor)
        core_known_executor_drop(agent, executor);
    if (framework)
        core_framework_send_failure(framework, agent->id, executor_id, &status);
}

/* ---- life ---- */

static void kills_drop(struct sim_agent *agent)
{
    struct pending_kill *kill, *next;

    EACH_SAFE (kill, next, &agent->kills, next) {
        TAILQ_REMOVE(&agent->kills, kill, next);
        sim_drop(kill->policy);
        free(kill->framework_id);
        free(kill->task_id);
        free(kill);
    }
}

void core_agent_free(struct sim_agent *agent)
{
    struct known_executor *executor;

    core_timer_stop(agent->sim, &agent->ping);
    core_timer_stop(agent->sim, &agent->reregister);
    kills_drop(agent);
    while ((executor = TAILQ_FIRST(&agent->executors)))
        core_known_executor_drop(agent, executor);
    TAILQ_REMOVE(&agent->sim->agents, agent, next);
    core_res_clear(&agent->total);
    core_res_clear(&agent->used);
    core_res_clear(&agent->offered);
    sim_drop(agent->info);
    free(agent->id);
    free(agent);
}

struct sim_agent *core_agent_new(struct sim *sim, struct host *host, const char *id)
{
    struct sim_agent *agent = sim_zalloc(sizeof *agent);
    Mesos__V1__AgentID name = MESOS__V1__AGENT_ID__INIT;

    agent->sim = sim;
    agent->id = sim_dup(id);
    agent->index = host->index;
    agent->info = sim_copy(host->info);
    name.value = agent->id;
    agent->info->id = sim_copy(&name);
    agent->max_grace_ms = -1;
    agent->maintenance_start_ms = host->maintenance_start_ms;
    agent->maintenance_ms = host->maintenance_ms;
    core_res_add_all(&agent->total, &host->resources);
    TAILQ_INIT(&agent->kills);
    TAILQ_INIT(&agent->executors);
    TAILQ_INSERT_TAIL(&sim->agents, agent, next);
    return agent;
}

static void failure_to_all(struct sim_agent *agent)
{
    struct sim_framework *framework;

    EACH (framework, &agent->sim->frameworks, next)
        core_framework_send_failure(framework, agent->id, NULL, NULL);
}

static void executors_forget(struct sim_agent *agent, struct sim_framework *framework)
{
    struct known_executor *executor, *next;

    EACH_SAFE (executor, next, &agent->executors, next)
        if (!framework || strcmp(executor->framework_id, framework->id) == 0)
            core_known_executor_drop(agent, executor);
}

static void stop_watching(struct sim_agent *agent)
{
    core_timer_stop(agent->sim, &agent->ping);
    core_timer_stop(agent->sim, &agent->reregister);
}

void core_agent_mark_unreachable(struct sim_agent *agent, const char *message)
{
    struct sim *sim = agent->sim;
    struct sim_framework *framework;
    struct sim_task *task, *next;

    stop_watching(agent);
    agent->state = AGENT_UNREACHABLE;
    agent->unreachable_ms = sim->now;
    EACH (framework, &sim->frameworks, next) {
        EACH_SAFE (task, next, &framework->tasks[SIM_TASKS], next) {
            bool ended = core_is_terminal(task->state);

            if (task->agent != agent)
                continue;
            /* What has ended already only waits for its acknowledgement. */
            if (!ended) {
                struct master_status status = {
                    .task_id = task->info->task_id->value,
                    .agent_id = agent->id,
                    .state = core_state_for(framework, MESOS__V1__TASK_STATE__TASK_UNREACHABLE),
                    .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
                    .message = message,
                    .unreachable_ms = sim->now,
                };

                core_status_send(framework, &status, task);
            }
            core_task_move(task, ended ? SIM_TASKS_COMPLETED : SIM_TASKS_UNREACHABLE);
        }
    }
    core_offers_rescind_agent(agent);
    EACH (framework, &sim->frameworks, next)
        core_inverse_offers_drop(framework, agent, true);
    core_filters_drop_agent(sim, agent);
    executors_forget(agent, NULL);
    failure_to_all(agent);
}

void core_agent_remove(struct sim_agent *agent, Mesos__V1__TaskState state, int reason,
                       enum agent_state end, const char *message)
{
    struct sim *sim = agent->sim;
    struct sim_framework *framework;
    struct sim_task *task, *next;
    struct host *host = core_agent_host(agent);

    stop_watching(agent);
    EACH (framework, &sim->frameworks, next) {
        bool precise = framework->partition_aware && end == AGENT_GONE;

        for (int list = SIM_TASKS; list <= SIM_TASKS_UNREACHABLE; list++) {
            EACH_SAFE (task, next, &framework->tasks[list], next) {
                struct master_status status = {
                    .task_id = task->info->task_id->value,
                    .agent_id = agent->id,
                    .state = precise ? state : MESOS__V1__TASK_STATE__TASK_LOST,
                    .reason =
                        precise ? reason : MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
                    .message = message,
                };

                if (task->agent != agent)
                    continue;
                if (!core_is_terminal(task->state) || list == SIM_TASKS_UNREACHABLE)
                    core_status_send(framework, &status, task);
                core_task_move(task, SIM_TASKS_COMPLETED);
            }
        }
    }
    agent->state = end;
    core_offers_rescind_agent(agent);
    EACH (framework, &sim->frameworks, next)
        core_inverse_offers_drop(framework, agent, true);
    core_filters_drop_agent(sim, agent);
    executors_forget(agent, NULL);
    kills_drop(agent);
    failure_to_all(agent);
    if (host)
        core_host_dismissed(host);
}

void core_agent_check_drained(struct sim_agent *agent)
{
    struct sim_framework *framework;
    struct sim_task *task;

    if (!agent->draining || agent->drained || agent->state != AGENT_CONNECTED)
        return;
    EACH (framework, &agent->sim->frameworks, next)
        EACH (task, &framework->tasks[SIM_TASKS], next)
            if (task->agent == agent)
                return;
    agent->drained = true;
    if (agent->mark_gone)
        core_agent_remove(agent, MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR,
                          MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED_BY_OPERATOR,
                          AGENT_GONE, "Agent has been marked gone");
}

/* ---- pings ---- */

static void ping_fire(struct sim *sim, void *owner)
{
    struct sim_agent *agent = owner;
    struct host *host = &sim->hosts[agent->index];
    bool answers = host->state == HOST_UP && !host->partitioned && host->id &&
                   strcmp(host->id, agent->id) == 0;

    /* `missed` counts pings sent without an answer; a time-out is due one interval after the fifth.
     */
    if (agent->missed == MAX_MISSED_PINGS && !answers) {
        core_agent_mark_unreachable(agent, "health check timed out");
        return;
    }
    agent->missed = answers ? 0 : agent->missed + 1;
    core_timer_set(sim, &agent->ping, sim->now + PING_MS, ping_fire, agent);
}

static void reregister_fire(struct sim *sim, void *owner)
{
    struct sim_agent *agent = owner;

    (void)sim;
    core_agent_mark_unreachable(agent,
                                agent->state == AGENT_RECOVERED
                                    ? NULL
                                    : "agent did not reregister within 10mins after disconnecting");
}

void core_agent_expect_return(struct sim_agent *agent)
{
    struct sim *sim = agent->sim;

    core_timer_set(sim, &agent->reregister, sim->now + REREGISTER_TIMEOUT_MS, reregister_fire,
                   agent);
}

/* The agent's process is gone: its socket breaks. */
void core_master_socket_closed(struct sim *sim, struct host *host)
{
    struct sim_agent *agent = host->id ? core_agent_find(sim, host->id) : NULL;
    struct sim_framework *framework;
    struct sim_task *task, *next;
    char *message;

    if (!agent || agent->state != AGENT_CONNECTED)
        return;
    agent->state = AGENT_DISCONNECTED;
    core_agent_expect_return(agent);
    message = sim_text("Agent %s disconnected", host->hostname);
    EACH (framework, &sim->frameworks, next) {
        if (framework->info->has_checkpoint && framework->info->checkpoint)
            continue;
        EACH_SAFE (task, next, &framework->tasks[SIM_TASKS], next) {
            struct master_status status = {
                .task_id = task->info->task_id->value,
                .agent_id = agent->id,
                .state = MESOS__V1__TASK_STATE__TASK_LOST,
                .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DISCONNECTED,
                .message = message,
            };

            if (task->agent != agent)
                continue;
            if (!core_is_terminal(task->state))
                core_status_send(framework, &status, task);
            core_task_move(task, SIM_TASKS_COMPLETED);
        }
        executors_forget(agent, framework);
    }
    free(message);
    core_offers_rescind_agent(agent);
}

/* Starts to send pings, if that isn't done yet. */
void core_agent_watch(struct sim_agent *agent)
{
    struct sim *sim = agent->sim;

    agent->missed = 0;
    core_timer_stop(sim, &agent->reregister);
    if (!agent->ping.place)
        core_timer_set(sim, &agent->ping, sim->now + PING_MS, ping_fire, agent);
}
