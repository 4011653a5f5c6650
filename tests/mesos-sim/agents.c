/* Agents as the master knows them: registered, silent, unreachable, back, removed. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

struct sim_agent *core_agent_find(struct sim *sim, const char *id)
{
    struct sim_agent *agent;

    EACH(agent, &sim->agents, next)
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

    EACH(executor, &agent->executors, next)
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

    EACH_SAFE(kill, next, &agent->kills, next)
    {
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

static struct sim_agent *agent_new(struct sim *sim, struct host *host, const char *id)
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

    EACH(framework, &agent->sim->frameworks, next)
    core_framework_send_failure(framework, agent->id, NULL, NULL);
}

static void executors_forget(struct sim_agent *agent, struct sim_framework *framework)
{
    struct known_executor *executor, *next;

    EACH_SAFE(executor, next, &agent->executors, next)
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
    bool recovered = agent->state == AGENT_RECOVERED;

    stop_watching(agent);
    agent->state = AGENT_UNREACHABLE;
    agent->unreachable_ms = sim->now;
    EACH(framework, &sim->frameworks, next)
    {
        EACH_SAFE(task, next, &framework->tasks[SIM_TASKS], next)
        {
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
    EACH(framework, &sim->frameworks, next)
    core_inverse_offers_drop(framework, agent, true);
    core_filters_drop_agent(sim, agent);
    executors_forget(agent, NULL);
    if (!recovered || message)
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
    EACH(framework, &sim->frameworks, next)
    {
        bool precise = framework->partition_aware && end == AGENT_GONE;

        for (int list = SIM_TASKS; list <= SIM_TASKS_UNREACHABLE; list++) {
            EACH_SAFE(task, next, &framework->tasks[list], next)
            {
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
    EACH(framework, &sim->frameworks, next)
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
    EACH(framework, &agent->sim->frameworks, next)
    EACH(task, &framework->tasks[SIM_TASKS], next)
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
    core_timer_set(sim, &agent->reregister, sim->now + REREGISTER_TIMEOUT_MS, reregister_fire,
                   agent);
    message = sim_text("Agent %s disconnected", host->hostname);
    EACH(framework, &sim->frameworks, next)
    {
        if (framework->info->has_checkpoint && framework->info->checkpoint)
            continue;
        EACH_SAFE(task, next, &framework->tasks[SIM_TASKS], next)
        {
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

/* ---- registration ---- */

static void replay_kills(struct sim_agent *agent, struct host *host)
{
    struct pending_kill *kill, *next;

    EACH_SAFE(kill, next, &agent->kills, next)
    core_host_kill_task(host, kill->framework_id, kill->task_id, kill->policy);
}

static struct work *host_work(struct host *host, const char *framework_id, const char *task_id)
{
    struct executor *executor;
    struct work *work;

    EACH(executor, &host->executors, next)
    if (strcmp(executor->framework->id->value, framework_id) == 0 &&
        (work = core_executor_work(executor, task_id)))
        return work;
    return NULL;
}

/* A task that the agent brings and the master doesn't have. */
static void adopt(struct sim_agent *agent, struct sim_framework *framework,
                  struct executor *executor, struct work *work, const char *why)
{
    struct sim_task *task =
        core_task_find_in(framework, SIM_TASKS_UNREACHABLE, work->info->task_id->value);
    struct update_stream *stream = core_stream_find(&agent->sim->hosts[agent->index], framework->id,
                                                    work->info->task_id->value);
    struct master_status status = {
        .task_id = work->info->task_id->value,
        .agent_id = agent->id,
        .state = work->state,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REREGISTERED,
        .message = why,
    };
    status_t *last = NULL;

    if (task) {
        last = task->last;
        task->last = NULL;
        core_task_free(task);
    }
    task =
        core_task_new(framework, agent, work->info,
                      executor->kind == EXECUTOR_CUSTOM ? executor->info->executor_id->value : "");
    task->last = last;
    if (stream && !TAILQ_EMPTY(&stream->updates) && !last)
        task->last = sim_copy(TAILQ_FIRST(&stream->updates)->status);
    status.latest = task->last;
    task->state = work->state;
    if (why)
        core_status_send(framework, &status, task);
    if (core_is_terminal(work->state))
        core_task_release(task);
}

static void adopt_all(struct sim_agent *agent, struct host *host, const char *why)
{
    struct sim *sim = agent->sim;
    struct executor *executor;
    struct work *work;

    EACH(executor, &host->executors, next)
    {
        struct sim_framework *framework = core_framework_find(sim, executor->framework->id->value);

        if (!framework) {
            struct sim_framework *done;
            bool completed = false;

            EACH(done, &sim->completed, next)
            completed |= strcmp(done->id, executor->framework->id->value) == 0;
            if (completed) {
                core_executor_shutdown(executor);
                continue;
            }
            framework =
                core_framework_new(sim, executor->framework, executor->framework->id->value);
        }
        if (executor->kind == EXECUTOR_CUSTOM && executor->state != EXECUTOR_TERMINATED &&
            !core_agent_executor(agent, framework->id, executor->info->executor_id->value)) {
            struct res resources = {0};

            core_res_read(&resources, executor->info->resources, executor->info->n_resources);
            core_known_executor_add(agent, framework, executor->info, &resources);
            core_res_clear(&resources);
        }
        EACH(work, &executor->works, next)
        if (!core_task_find(framework, work->info->task_id->value))
            adopt(agent, framework, executor, work, why);
    }
}

/* Tasks that the master has and the returned agent doesn't: the agent says so. */
static void drop_unknown(struct sim_agent *agent, struct host *host)
{
    struct sim_framework *framework;
    struct sim_task *task;

    EACH(framework, &agent->sim->frameworks, next)
    {
        EACH(task, &framework->tasks[SIM_TASKS], next)
        {
            struct agent_status status = {
                .task_id = task->info->task_id->value,
                .state = core_state_for(framework, MESOS__V1__TASK_STATE__TASK_DROPPED),
                .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
                .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
                .message = "Reconciliation: task unknown to the agent",
                .healthy = -1,
            };

            if (task->agent == agent && !host_work(host, framework->id, status.task_id) &&
                !core_stream_find(host, framework->id, status.task_id))
                core_host_update(host, framework->info, NULL, &status);
        }
    }
}

static void executors_check(struct sim_agent *agent, struct host *host)
{
    struct known_executor *known, *next;

    EACH_SAFE(known, next, &agent->executors, next)
    {
        struct executor *executor =
            core_executor_find(host, known->framework_id, known->info->executor_id->value);

        if (!executor || executor->state == EXECUTOR_TERMINATED)
            core_known_executor_drop(agent, known);
    }
}

static void watch(struct sim_agent *agent)
{
    struct sim *sim = agent->sim;

    agent->missed = 0;
    core_timer_stop(sim, &agent->reregister);
    if (!agent->ping.place)
        core_timer_set(sim, &agent->ping, sim->now + PING_MS, ping_fire, agent);
}

static void reregister(struct sim_agent *agent, struct host *host)
{
    enum agent_state was = agent->state;

    agent->state = AGENT_CONNECTED;
    agent->reregistered_ms = agent->sim->now;
    agent->unreachable_ms = 0;
    watch(agent);
    core_host_registered(host, agent->id);
    if (was == AGENT_UNREACHABLE)
        adopt_all(agent, host, "Unreachable agent re-reregistered");
    else if (was == AGENT_RECOVERED)
        adopt_all(agent, host, NULL);
    executors_check(agent, host);
    drop_unknown(agent, host);
    replay_kills(agent, host);
    core_streams_resend(host, NULL);
    if (agent->draining)
        core_host_drain(host, agent->max_grace_ms);
}

static void register_new(struct sim *sim, struct host *host, const char *id)
{
    struct sim_agent *agent, *next;
    char *fresh = NULL;

    /* An agent of the same address that is away is taken for the same machine without its state. */
    EACH_SAFE(agent, next, &sim->agents, next)
    {
        char *message;

        if (agent->index != host->index || agent->state != AGENT_DISCONNECTED)
            continue;
        message = sim_text("Agent %s removed: a new agent registered at the same address",
                           host->hostname);
        core_agent_remove(agent, MESOS__V1__TASK_STATE__TASK_LOST, -1, AGENT_REMOVED, message);
        free(message);
    }
    if (!id)
        id = fresh = sim_text("%s-S%llu", sim->master_id, (unsigned long long)sim->next_agent++);
    agent = agent_new(sim, host, id);
    agent->state = AGENT_CONNECTED;
    agent->registered_ms = sim->now;
    core_host_registered(host, id);
    free(fresh);
    watch(agent);
    adopt_all(agent, host, "Unknown agent reregistered");
    core_streams_resend(host, NULL);
}

void core_master_register(struct sim *sim, struct host *host)
{
    struct sim_agent *agent = host->id ? core_agent_find(sim, host->id) : NULL;

    if (agent && (agent->state == AGENT_GONE || agent->state == AGENT_REMOVED)) {
        core_host_dismissed(host);
        return;
    }
    if (agent)
        reregister(agent, host);
    else
        register_new(sim, host, host->id);
    core_allocate(sim);
}

void core_registry_recovered(struct sim *sim)
{
    for (size_t i = 0; i < sim->n_hosts && sim->registry == SIM_REGISTRY_REPLICATED_LOG; i++) {
        struct host *host = &sim->hosts[i];
        struct sim_agent *agent;

        if (!host->id || host->lost)
            continue;
        agent = agent_new(sim, host, host->id);
        agent->state = AGENT_RECOVERED;
        agent->registered_ms = sim->now;
        core_timer_set(sim, &agent->reregister, sim->now + REREGISTER_TIMEOUT_MS, reregister_fire,
                       agent);
    }
}
