/* Agents that register: new ones, ones that come back, and what each side learns of the other's
 * tasks then. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static void replay_kills(struct sim_agent *agent, struct host *host)
{
    struct pending_kill *kill, *next;

    EACH_SAFE (kill, next, &agent->kills, next)
        core_host_kill_task(host, kill->framework_id, kill->task_id, kill->policy);
}

static struct work *host_work(struct host *host, const char *framework_id, const char *task_id)
{
    struct executor *executor;
    struct work *work;

    EACH (executor, &host->executors, next)
        if (strcmp(executor->framework->id->value, framework_id) == 0 &&
            (work = core_executor_work(executor, task_id)))
            return work;
    return NULL;
}

/* The agent brings each task with its own latest status: its health is not lost with the master's.
 */
static void take_health(struct sim_task *task, struct work *work)
{
    status_t status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;

    if (!work->has_health)
        return;
    if (!task->last || task->last->state != work->state) {
        task_id.value = work->info->task_id->value;
        status.task_id = &task_id;
        status.state = work->state;
        sim_drop(task->last);
        task->last = sim_copy(&status);
    }
    task->last->has_healthy = 1;
    task->last->healthy = work->healthy;
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
    take_health(task, work);
    if (!task->last) {
        status_t fresh = MESOS__V1__TASK_STATUS__INIT;

        fresh.task_id = work->info->task_id;
        fresh.state = work->state;
        task->last = sim_copy(&fresh);
        core_executor_fill_container(executor, task->last);
    }
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

    EACH (executor, &host->executors, next) {
        struct sim_framework *framework = core_framework_find(sim, executor->framework->id->value);

        if (!framework) {
            struct sim_framework *done;
            bool completed = false;

            EACH (done, &sim->completed, next)
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
        EACH (work, &executor->works, next)
            if (!core_task_find(framework, work->info->task_id->value))
                adopt(agent, framework, executor, work, why);
    }
}

/* Tasks that the master has and the returned agent doesn't: the agent says so. */
static void drop_unknown(struct sim_agent *agent, struct host *host)
{
    struct sim_framework *framework;
    struct sim_task *task;

    EACH (framework, &agent->sim->frameworks, next) {
        EACH (task, &framework->tasks[SIM_TASKS], next) {
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

    EACH_SAFE (known, next, &agent->executors, next) {
        struct executor *executor =
            core_executor_find(host, known->framework_id, known->info->executor_id->value);

        if (!executor || executor->state == EXECUTOR_TERMINATED)
            core_known_executor_drop(agent, known);
    }
}

static bool knows_of(const struct sim_framework *framework, const struct sim_agent *agent)
{
    const struct known_executor *executor;
    const struct sim_task *task;

    EACH (task, &framework->tasks[SIM_TASKS], next)
        if (task->agent == agent)
            return true;
    EACH (executor, &agent->executors, next)
        if (strcmp(executor->framework_id, framework->id) == 0)
            return true;
    return false;
}

/* Pending updates go out when the agent learns that it is registered, and again with the newest
 * FrameworkInfo of each framework that the master knows there: several copies at once. */
static void resend_pending(struct sim_agent *agent, struct host *host)
{
    struct sim_framework *framework;

    core_streams_resend(host, NULL);
    EACH (framework, &agent->sim->frameworks, next)
        if (knows_of(framework, agent))
            core_streams_resend(host, NULL);
}

static void reregister(struct sim_agent *agent, struct host *host)
{
    enum agent_state was = agent->state;

    agent->state = AGENT_CONNECTED;
    agent->reregistered_ms = agent->sim->now;
    agent->unreachable_ms = 0;
    core_agent_watch(agent);
    core_host_registered(host, agent->id);
    if (was == AGENT_UNREACHABLE)
        adopt_all(agent, host, "Unreachable agent re-reregistered");
    else if (was == AGENT_RECOVERED)
        adopt_all(agent, host, NULL);
    executors_check(agent, host);
    drop_unknown(agent, host);
    replay_kills(agent, host);
    resend_pending(agent, host);
    if (agent->draining)
        core_host_drain(host, agent->max_grace_ms);
}

static void register_new(struct sim *sim, struct host *host, const char *id)
{
    struct sim_agent *agent, *next;
    char *fresh = NULL;

    /* An agent of the same address that is away is taken for the same machine without its state. */
    EACH_SAFE (agent, next, &sim->agents, next) {
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
    agent = core_agent_new(sim, host, id);
    agent->state = AGENT_CONNECTED;
    agent->registered_ms = sim->now;
    core_host_registered(host, id);
    free(fresh);
    core_agent_watch(agent);
    adopt_all(agent, host, "Unknown agent reregistered");
    resend_pending(agent, host);
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
        agent = core_agent_new(sim, host, host->id);
        agent->state = AGENT_RECOVERED;
        agent->registered_ms = sim->now;
        core_agent_expect_return(agent);
    }
}
