/* The process of an executor or command: what is run, and with which environment. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct environment {
    struct sim_pair *v;
    size_t n;
};

static void add(struct environment *environment, const char *name, char *value)
{
    environment->v = sim_grow(environment->v, environment->n + 1, sizeof *environment->v);
    environment->v[environment->n].name = sim_dup(name);
    environment->v[environment->n++].value = value;
}

/* "5secs", "1500ms": the biggest unit that leaves it whole. */
static char *duration_text(int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{604800000, "weeks"}, {86400000, "days"}, {3600000, "hrs"},
                 {60000, "mins"},      {1000, "secs"},     {1, "ms"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ms >= units[i].ms && ms % units[i].ms == 0)
            return sim_text("%lld%s", (long long)(ms / units[i].ms), units[i].name);
    return sim_dup("0ns");
}

static void add_mesos(struct environment *environment, struct executor *executor)
{
    struct host *host = executor->host;
    bool checkpoint = executor->framework->has_checkpoint && executor->framework->checkpoint;
    int64_t grace = EXECUTOR_GRACE_MS;

    if (executor->info->shutdown_grace_period)
        grace = executor->info->shutdown_grace_period->nanoseconds / 1000000;
    add(environment, "LIBPROCESS_IP", sim_dup(host->ip));
    add(environment, "LIBPROCESS_PORT", sim_dup("0"));
    add(environment, "MESOS_AGENT_ENDPOINT", sim_text("%s:%u", host->ip, host->port));
    add(environment, "MESOS_CHECKPOINT", sim_dup(checkpoint ? "1" : "0"));
    if (checkpoint) {
        add(environment, "MESOS_RECOVERY_TIMEOUT", sim_dup("15mins"));
        add(environment, "MESOS_SUBSCRIPTION_BACKOFF_MAX", duration_text(EXECUTOR_RETURN_MS));
    }
    add(environment, "MESOS_DIRECTORY", sim_dup(executor->sandbox));
    add(environment, "MESOS_EXECUTOR_ID", sim_dup(executor->info->executor_id->value));
    add(environment, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration_text(grace));
    add(environment, "MESOS_FRAMEWORK_ID", sim_dup(executor->framework->id->value));
    add(environment, "MESOS_HTTP_COMMAND_EXECUTOR", sim_dup("0"));
    add(environment, "MESOS_SANDBOX", sim_dup(executor->sandbox));
    add(environment, "MESOS_SLAVE_ID", sim_dup(host->id));
    add(environment, "MESOS_SLAVE_PID", sim_dup(host->pid));
    add(environment, "PWD", sim_dup(executor->sandbox));
}

static void add_task(struct environment *environment, struct executor *executor)
{
    struct work *work = TAILQ_FIRST(&executor->works);

    for (size_t i = 0; work && i < work->info->n_resources; i++) {
        const Mesos__V1__Resource__AllocationInfo *allocation =
            work->info->resources[i]->allocation_info;

        if (allocation && allocation->role) {
            add(environment, "MESOS_ALLOCATION_ROLE", sim_dup(allocation->role));
            break;
        }
    }
}

static void add_configured(struct environment *environment, struct executor *executor)
{
    struct sim *sim = executor->host->sim;
    const struct sim_pair *pairs;
    size_t n = 0;

    if (!sim->agent_environment)
        return;
    pairs = sim->agent_environment(sim->agent_environment_arg, executor->host->index, &n);
    for (size_t i = 0; i < n; i++)
        add(environment, pairs[i].name, sim_dup(pairs[i].value));
}

static const char *image_command(struct executor *executor)
{
    struct sim *sim = executor->host->sim;
    const char *image = core_executor_image(executor);

    for (size_t i = 0; image && i < sim->n_image_commands; i++)
        if (strcmp(sim->image_commands[2 * i], image) == 0)
            return sim->image_commands[2 * i + 1];
    return NULL;
}

static const char *container_image(const Mesos__V1__ContainerInfo *container)
{
    if (!container)
        return NULL;
    if (container->type == MESOS__V1__CONTAINER_INFO__TYPE__DOCKER)
        return container->docker ? container->docker->image : NULL;
    if (container->mesos && container->mesos->image && container->mesos->image->docker)
        return container->mesos->image->docker->name;
    return NULL;
}

const char *core_executor_image(struct executor *executor)
{
    struct work *work = TAILQ_FIRST(&executor->works);

    if (executor->kind == EXECUTOR_CUSTOM)
        return container_image(executor->info->container);
    return work ? container_image(work->info->container) : NULL;
}

bool core_executor_image_missing(struct executor *executor)
{
    struct sim *sim = executor->host->sim;
    const char *image = core_executor_image(executor);

    for (size_t i = 0; image && i < sim->n_missing_images; i++)
        if (strcmp(sim->missing_images[i], image) == 0)
            return true;
    return false;
}

bool core_executor_has_image_command(struct executor *executor)
{
    return image_command(executor) != NULL;
}

void core_executor_process_start(struct executor *executor, const Mesos__V1__CommandInfo *command,
                                 bool custom)
{
    const char *in_place = image_command(executor);
    struct environment environment = {0};
    struct sim_process process = {
        .agent = executor->host->index,
        .executor = custom,
        .shell = in_place || !command || command->shell,
        .value = in_place                    ? in_place
                 : command && command->value ? command->value
                                             : "",
        .argv = in_place || !command ? NULL : (const char *const *)command->arguments,
        .n_argv = in_place || !command ? 0 : command->n_arguments,
        .user = command && command->user ? command->user : executor->framework->user,
        .sandbox = executor->sandbox,
        .command = command,
        .framework_id = executor->framework->id->value,
        .executor_id = executor->info->executor_id->value,
    };

    add_mesos(&environment, executor);
    if (!custom)
        add_task(&environment, executor);
    add_configured(&environment, executor);
    for (size_t i = 0; command && command->environment && i < command->environment->n_variables;
         i++)
        if (command->environment->variables[i]->value)
            add(&environment, command->environment->variables[i]->name,
                sim_dup(command->environment->variables[i]->value));
    if (in_place) /* no container around it: what its image would mount lies where the host has it
                   */
        add_configured(&environment, executor);
    process.environment = environment.v;
    process.n_environment = environment.n;
    executor->process = true;
    core_output_process(executor->host->sim, executor->container, &process);
    for (size_t i = 0; i < environment.n; i++) {
        free((char *)environment.v[i].name);
        free((char *)environment.v[i].value);
    }
    free(environment.v);
}

/* ---- what the face reports ---- */

void sim_process_started(struct sim *sim, const char *container, uint32_t pid)
{
    struct executor *executor = core_executor_find_container(sim, container);

    if (!executor || !executor->process)
        return;
    executor->pid = pid;
    if (executor->kind != EXECUTOR_CUSTOM && !TAILQ_EMPTY(&executor->works))
        core_play_process_started(TAILQ_FIRST(&executor->works));
}

void sim_process_exited(struct sim *sim, const char *container, int status)
{
    struct executor *executor = core_executor_find_container(sim, container);

    if (!executor || !executor->process)
        return;
    executor->process = false;
    if (executor->kind != EXECUTOR_CUSTOM && executor->state != EXECUTOR_TERMINATING) {
        if (!TAILQ_EMPTY(&executor->works))
            core_play_process_exited(TAILQ_FIRST(&executor->works), status);
    } else if (executor->host->state == HOST_UP) {
        core_executor_ended(executor, status);
    } else {
        executor->died = true;
        executor->died_status = status;
    }
}

void sim_process_failed(struct sim *sim, const char *container, const char *why)
{
    struct executor *executor = core_executor_find_container(sim, container);
    char *message;

    if (!executor || !executor->process)
        return;
    executor->process = false;
    message = sim_text("Failed to launch container: %s", why);
    core_executor_launch_failed(executor, message);
    free(message);
}
