/* The agents' processes: their life, and what they do with the master's messages. */
#include "core.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 50 /* until the API answers anything but 503 */

static bool checkpoints(const framework_info_t *framework)
{
    return framework->has_checkpoint && framework->checkpoint;
}

/* ---- set up ---- */

static void add_attributes(Mesos__V1__AgentInfo *info, const struct sim_agent_config *config)
{
    Mesos__V1__Attribute fresh = MESOS__V1__ATTRIBUTE__INIT;

    info->attributes = sim_zalloc(config->n_attributes * sizeof *info->attributes);
    for (size_t i = 0; i < config->n_attributes; i++) {
        info->attributes[i] = sim_zalloc(sizeof fresh);
        *info->attributes[i] = fresh;
        core_attribute_parse(info->attributes[i], config->attributes[i].name,
                             config->attributes[i].value);
    }
    info->n_attributes = config->n_attributes;
}

static Mesos__V1__DomainInfo *domain_make(const struct sim_agent_config *config)
{
    Mesos__V1__DomainInfo domain = MESOS__V1__DOMAIN_INFO__INIT;
    Mesos__V1__DomainInfo__FaultDomain fault = MESOS__V1__DOMAIN_INFO__FAULT_DOMAIN__INIT;
    Mesos__V1__DomainInfo__FaultDomain__RegionInfo region =
        MESOS__V1__DOMAIN_INFO__FAULT_DOMAIN__REGION_INFO__INIT;
    Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone =
        MESOS__V1__DOMAIN_INFO__FAULT_DOMAIN__ZONE_INFO__INIT;

    if (!config->zone && !config->region)
        return NULL;
    region.name = (char *)(config->region ? config->region : "region");
    zone.name = (char *)(config->zone ? config->zone : "zone");
    fault.region = &region;
    fault.zone = &zone;
    domain.fault_domain = &fault;
    return sim_copy(&domain);
}

bool core_host_init(struct host *host, struct sim *sim, size_t index,
                    const struct sim_agent_config *config, char **error)
{
    static const char usual[] = "cpus:8;mem:16384;disk:100000;ports:[1000-65535]";
    Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;

    host->sim = sim;
    host->index = index;
    host->hostname = sim_dup(config->hostname);
    host->ip = sim_dup(config->ip ? config->ip : "127.0.0.1");
    host->port = config->port ? config->port : (uint16_t)(5051 + index);
    host->pid = sim_text("slave(1)@%s:%u", host->ip, host->port);
    host->maintenance_start_ms = config->maintenance_start_ms;
    host->maintenance_ms = config->maintenance_ms;
    TAILQ_INIT(&host->executors);
    TAILQ_INIT(&host->streams);
    if (!core_res_parse(&host->resources, config->resources ? config->resources : usual, error))
        return false;
    core_res_read(&host->resources, (resource_t *const *)config->more_resources,
                  config->n_more_resources);
    info.hostname = host->hostname;
    info.has_port = 1;
    info.port = host->port;
    host->info = sim_copy(&info);
    host->info->domain = domain_make(config);
    host->info->n_resources = host->resources.n;
    host->info->resources = sim_zalloc(host->resources.n * sizeof *host->info->resources);
    for (size_t i = 0; i < host->resources.n; i++)
        host->info->resources[i] = sim_copy(host->resources.v[i]);
    add_attributes(host->info, config);
    return true;
}

void core_host_deinit(struct host *host)
{
    core_timer_stop(host->sim, &host->step);
    core_timer_stop(host->sim, &host->register_);
    core_streams_drop(host, NULL);
    while (!TAILQ_EMPTY(&host->executors))
        core_executor_free(TAILQ_FIRST(&host->executors));
    core_res_clear(&host->resources);
    sim_drop(host->info);
    free(host->hostname);
    free(host->ip);
    free(host->pid);
    free(host->id);
}

/* ---- registration ---- */

bool core_host_is_linked(const struct host *host)
{
    return host->state == HOST_UP && !host->partitioned && host->sim->master == MASTER_UP;
}

static void register_fire(struct sim *sim, void *owner)
{
    struct host *host = owner;

    if (host->state != HOST_UP || host->registered)
        return;
    if (core_host_is_linked(host))
        core_master_register(sim, host);
    else
        core_host_register_in(host, 1000);
}

void core_host_register_in(struct host *host, int64_t delay)
{
    core_timer_set(host->sim, &host->register_, host->sim->now + delay, register_fire, host);
}

void core_host_registered(struct host *host, const char *id)
{
    char *copy = sim_dup(id);

    free(host->id);
    host->id = copy;
    host->registered = true;
    core_timer_stop(host->sim, &host->register_);
}

void core_host_master_lost(struct host *host)
{
    host->registered = false;
    if (host->state == HOST_UP)
        core_host_register_in(host, 1000 + (int64_t)(sim_random(host->sim) % 1000));
}

/* ---- life ---- */

void core_host_check_executor(struct executor *executor)
{
    struct update_stream *stream;

    if (executor->state != EXECUTOR_TERMINATED)
        return;
    EACH (stream, &executor->host->streams, next)
        if (stream->executor == executor && !TAILQ_EMPTY(&stream->updates))
            return;
    core_executor_free(executor);
}

void core_host_abandon_executors(struct host *host)
{
    core_streams_drop(host, NULL);
    while (!TAILQ_EMPTY(&host->executors))
        core_executor_free(TAILQ_FIRST(&host->executors));
}

void core_host_kill(struct host *host)
{
    struct executor *executor;

    if (host->state == HOST_DOWN)
        return;
    core_timer_stop(host->sim, &host->step);
    core_timer_stop(host->sim, &host->register_);
    host->state = HOST_DOWN;
    host->registered = false;
    core_output_hang_up_all(host->sim, (int)host->index);
    EACH (executor, &host->executors, next) {
        executor->stream = 0;
        executor->returned = false;
        core_timer_stop(host->sim, &executor->registration);
        /* The agent's own executors of such a framework end with it; custom ones see their
         * connection break. */
        if (!checkpoints(executor->framework) && executor->kind != EXECUTOR_CUSTOM &&
            executor->process)
            core_output_signal(host->sim, executor->container, SIGKILL);
    }
    if (!host->partitioned)
        core_master_socket_closed(host->sim, host);
}

void core_host_dismissed(struct host *host)
{
    host->lost = true;
    core_host_abandon_executors(host);
    core_host_kill(host);
}

static void recovered_fire(struct sim *sim, void *owner)
{
    struct host *host = owner;
    struct executor *executor, *next;

    host->state = HOST_UP;
    EACH_SAFE (executor, next, &host->executors, next) {
        bool aware = core_framework_has(
            executor->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);

        if (executor->died)
            core_executor_ended(executor, executor->died_status);
        else if (executor->kind == EXECUTOR_CUSTOM && executor->state != EXECUTOR_TERMINATED &&
                 !executor->returned)
            core_executor_destroy(
                executor,
                aware ? MESOS__V1__TASK_STATE__TASK_GONE : MESOS__V1__TASK_STATE__TASK_LOST,
                MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
                "Executor did not reregister within 2secs");
    }
    core_host_register_in(host, (int64_t)(sim_random(sim) % 1000));
}

static void starting_fire(struct sim *sim, void *owner)
{
    struct host *host = owner;
    struct executor *executor;
    bool wait = false;

    host->state = HOST_RECOVERING;
    EACH (executor, &host->executors, next)
        wait |= executor->state != EXECUTOR_TERMINATED;
    core_timer_set(sim, &host->step, sim->now + (wait ? EXECUTOR_RETURN_MS : 0), recovered_fire,
                   host);
}

void core_host_start(struct host *host, int64_t delay, bool new_id)
{
    struct executor *executor, *next;

    core_streams_drop_volatile(host);
    EACH_SAFE (executor, next, &host->executors, next)
        if (!checkpoints(executor->framework))
            core_executor_free(executor);
    if (new_id || host->lost) {
        core_host_abandon_executors(host);
        free(host->id);
        host->id = NULL;
        host->lost = false;
    }
    host->state = HOST_STARTING;
    core_timer_set(host->sim, &host->step, host->sim->now + delay + START_MS, starting_fire, host);
}

/* ---- messages from the master ---- */

static executor_info_t *executor_for(const task_info_t *task, const framework_info_t *framework)
{
    executor_info_t info = MESOS__V1__EXECUTOR_INFO__INIT;
    Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

    id.value = task->task_id->value;
    info.executor_id = &id;
    info.framework_id = framework->id;
    info.command = task->command;
    info.container = task->container;
    return sim_copy(&info);
}

static void launch_played(struct host *host, struct sim_framework *framework,
                          const task_info_t *task)
{
    const Mesos__V1__ContainerInfo *container = task->container;
    bool image = container && (container->docker || (container->mesos && container->mesos->image &&
                                                     container->mesos->image->docker));
    executor_info_t *info;
    struct executor *executor;

    /* The former executor of that id still lingers: a real agent fails an assertion here. */
    if (core_executor_find(host, framework->id, task->task_id->value)) {
        core_host_kill(host);
        return;
    }
    info = executor_for(task, framework->info);
    executor =
        core_executor_new(host, framework->info, image ? EXECUTOR_DOCKER : EXECUTOR_COMMAND, info);
    sim_drop(info);
    core_executor_give(executor, task);
}

static void refuse(struct host *host, struct sim_framework *framework, struct executor *executor,
                   const task_info_t *task, const char *message)
{
    struct agent_status status = {
        .task_id = task->task_id->value,
        .state = core_state_for(framework, MESOS__V1__TASK_STATE__TASK_DROPPED),
        .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
        .message = message,
        .healthy = -1,
    };

    core_host_update(host, framework->info, executor, &status);
}

void core_host_launch(struct host *host, struct sim_framework *framework, const task_info_t *task)
{
    struct executor *executor;

    if (!task->executor) {
        launch_played(host, framework, task);
        return;
    }
    executor = core_executor_find(host, framework->id, task->executor->executor_id->value);
    if (executor && executor->state == EXECUTOR_TERMINATING) {
        refuse(host, framework, executor, task, "Executor terminating");
    } else if (executor && executor->state == EXECUTOR_TERMINATED) {
        core_master_executor_exited(host->sim, host, framework->id,
                                    task->executor->executor_id->value, -1);
        refuse(host, framework, executor, task,
               "Master wants to launch executor, but one already exists");
    } else {
        bool fresh = !executor;

        if (fresh)
            executor = core_executor_new(host, framework->info, EXECUTOR_CUSTOM, task->executor);
        core_executor_give(executor, task);
        if (fresh && core_executor_image_missing(executor))
            core_executor_destroy(
                executor, MESOS__V1__TASK_STATE__TASK_FAILED,
                MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED,
                "Failed to launch container: Failed to run 'docker pull': exited with status 1");
        else if (fresh)
            core_executor_start(executor);
    }
}

/* A kill of a task that never came here. An agent without an executor of the framework is silent. */
static void cannot_find_executor(struct host *host, const char *framework_id, const char *task_id)
{
    struct sim_framework *framework = core_framework_find(host->sim, framework_id);
    struct executor *executor;
    struct agent_status status = {
        .task_id = task_id,
        .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
        .message = "Cannot find executor",
        .healthy = -1,
    };

    if (!framework || core_stream_find(host, framework_id, task_id))
        return;
    status.state = core_state_for(framework, MESOS__V1__TASK_STATE__TASK_DROPPED);
    EACH (executor, &host->executors, next) {
        if (strcmp(executor->framework->id->value, framework_id) == 0) {
            core_host_update(host, framework->info, NULL, &status);
            return;
        }
    }
}

void core_host_kill_task(struct host *host, const char *framework_id, const char *task_id,
                         const Mesos__V1__KillPolicy *policy)
{
    struct agent_status killed = {
        .task_id = task_id,
        .state = MESOS__V1__TASK_STATE__TASK_KILLED,
        .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
        .message = "Killed before delivery to the executor",
        .healthy = -1,
    };
    struct executor *executor;

    EACH (executor, &host->executors, next) {
        struct work *work = core_executor_work(executor, task_id);

        if (!work || strcmp(executor->framework->id->value, framework_id))
            continue;
        if (work->ended)
            return;
        if (executor->kind != EXECUTOR_CUSTOM)
            core_play_kill(work, policy);
        else if (!work->delivered)
            core_host_update(host, executor->framework, executor, &killed);
        else
            core_executor_send_kill(executor, task_id, policy);
        return;
    }
    cannot_find_executor(host, framework_id, task_id);
}

void core_host_shutdown_executor(struct host *host, const char *framework_id,
                                 const char *executor_id)
{
    struct executor *executor = core_executor_find(host, framework_id, executor_id);

    if (executor)
        core_executor_shutdown(executor);
}

void core_host_shutdown_framework(struct host *host, const char *framework_id)
{
    struct executor *executor, *next;

    core_streams_drop(host, framework_id);
    EACH_SAFE (executor, next, &host->executors, next) {
        if (strcmp(executor->framework->id->value, framework_id))
            continue;
        executor->abandoned = true;
        if (executor->state == EXECUTOR_TERMINATED)
            core_executor_free(executor);
        else if (executor->kind == EXECUTOR_CUSTOM)
            core_executor_shutdown(executor);
        else
            core_executor_destroy(executor, MESOS__V1__TASK_STATE__TASK_KILLED,
                                  MESOS__V1__TASK_STATUS__REASON__REASON_FRAMEWORK_REMOVED,
                                  "Framework removed");
    }
}

void core_host_acknowledge(struct host *host, const char *framework_id, const char *task_id,
                           const ProtobufCBinaryData *uuid)
{
    core_stream_acknowledge(host, framework_id, task_id, uuid);
}

void core_host_message(struct host *host, const char *framework_id, const char *executor_id,
                       const ProtobufCBinaryData *data)
{
    struct executor *executor = core_executor_find(host, framework_id, executor_id);
    executor_event_t event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Message message = MESOS__V1__EXECUTOR__EVENT__MESSAGE__INIT;

    if (!executor || executor->state != EXECUTOR_RUNNING)
        return;
    message.data = *data;
    event.has_type = 1;
    event.type = MESOS__V1__EXECUTOR__EVENT__TYPE__MESSAGE;
    event.message = &message;
    core_executor_send(executor, &event);
}

void core_host_framework_changed(struct host *host, const framework_info_t *info)
{
    struct executor *executor;

    EACH (executor, &host->executors, next) {
        if (strcmp(executor->framework->id->value, info->id->value))
            continue;
        sim_drop(executor->framework);
        executor->framework = sim_copy(info);
    }
    core_streams_resend(host, info->id->value);
}

void core_host_drain(struct host *host, int64_t max_grace_ms)
{
    Mesos__V1__KillPolicy policy = MESOS__V1__KILL_POLICY__INIT;
    Mesos__V1__DurationInfo grace = MESOS__V1__DURATION_INFO__INIT;
    struct executor *executor, *next;
    struct work *work, *after;

    EACH_SAFE (executor, next, &host->executors, next) {
        EACH_SAFE (work, after, &executor->works, next) {
            const Mesos__V1__KillPolicy *own = work->info->kill_policy;
            int64_t own_ms =
                own && own->grace_period ? own->grace_period->nanoseconds / 1000000 : KILL_GRACE_MS;
            bool cut = max_grace_ms >= 0 && max_grace_ms < own_ms;

            grace.nanoseconds = max_grace_ms * 1000000;
            policy.grace_period = &grace;
            if (!work->ended)
                core_host_kill_task(host, executor->framework->id->value,
                                    work->info->task_id->value, cut ? &policy : own);
        }
    }
}
