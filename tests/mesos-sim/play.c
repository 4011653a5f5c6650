/*
 * Command and docker executors, played by the agent itself. A container with an image needs no
 * process: it starts, runs till it is stopped and obeys. Commands without a container, and images
 * that stand for a command, are real processes.
 */
#include "core.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const framework_info_t *framework_of(const struct work *work)
{
    return work->executor->framework;
}

static struct sim *sim_of(const struct work *work)
{
    return work->executor->host->sim;
}

void core_play_stop(struct work *work)
{
    core_timer_stop(sim_of(work), &work->step);
    core_timer_stop(sim_of(work), &work->check);
    core_timer_stop(sim_of(work), &work->force);
    core_timer_stop(sim_of(work), &work->limit);
}

void core_play_update(struct work *work, Mesos__V1__TaskState state, int reason,
                      const char *message, const char *data)
{
    struct agent_status status = {
        .task_id = work->info->task_id->value,
        .state = state,
        .source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR,
        .reason = reason,
        .message = message,
        .healthy = -1,
        .data = data,
    };

    if (work->has_health && (!core_is_terminal(state) || !work->healthy))
        status.healthy = work->healthy;
    core_host_update(work->executor->host, framework_of(work), work->executor, &status);
}

static void play_end(struct work *work, Mesos__V1__TaskState state, const char *message)
{
    core_play_stop(work);
    work->running = false;
    core_play_update(work, state,
                     work->overdue
                         ? (int)MESOS__V1__TASK_STATUS__REASON__REASON_MAX_COMPLETION_TIME_REACHED
                         : -1,
                     message, NULL);
}

/* ---- containers without a process ---- */

/* A few commands whose end is known: true, false, exit N, sleep N. False: it runs till it is
 * stopped. */
static bool known_end(const task_info_t *task, int *code, int64_t *after_ms)
{
    const Mesos__V1__CommandInfo *command = task->command;
    char word[16] = "", *line;
    double number = 0;
    int words;

    if (!command || !command->value)
        return false;
    if (!command->shell && command->n_arguments > 1)
        line = sim_text("%s %s", command->value, command->arguments[1]);
    else
        line = sim_dup(command->value);
    words = sscanf(line, "%15s %lf", word, &number);
    free(line);
    *code = 0;
    *after_ms = 0;
    if (strcmp(word, "true") == 0 || strcmp(word, "/bin/true") == 0)
        return true;
    if (strcmp(word, "false") == 0 || strcmp(word, "/bin/false") == 0) {
        *code = 1;
        return true;
    }
    if (words < 2 || !(number >= 0 && number < 1e9))
        return false;
    if (strcmp(word, "exit") == 0)
        *code = (int)fmod(number, 256);
    else if (strcmp(word, "sleep") == 0)
        *after_ms = (int64_t)(number * 1000);
    else
        return false;
    return true;
}

static void container_ended_fire(struct sim *sim, void *owner)
{
    struct work *work = owner;
    char *message = sim_text("Container exited with status %d", work->exit_code);

    (void)sim;
    play_end(work,
             work->overdue          ? MESOS__V1__TASK_STATE__TASK_FAILED
             : work->killing        ? MESOS__V1__TASK_STATE__TASK_KILLED
             : work->exit_code == 0 ? MESOS__V1__TASK_STATE__TASK_FINISHED
                                    : MESOS__V1__TASK_STATE__TASK_FAILED,
             message);
    free(message);
}

static void overdue_fire(struct sim *sim, void *owner)
{
    struct work *work = owner;

    (void)sim;
    work->overdue = true;
    core_play_kill(work, NULL);
}

static void running(struct work *work)
{
    struct executor *executor = work->executor;
    struct sim *sim = sim_of(work);
    char *inspect = NULL;
    int64_t after;

    work->running = true;
    work->running_since = sim->now;
    if (executor->kind == EXECUTOR_DOCKER)
        inspect = sim_text("[{\"Id\":\"%s\",\"Name\":\"/mesos-%s\",\"State\":{\"Running\":true}}]",
                           executor->container, executor->container);
    core_play_update(work, MESOS__V1__TASK_STATE__TASK_RUNNING, -1, NULL, inspect);
    free(inspect);
    core_health_start(work);
    if (work->info->max_completion_time)
        core_timer_set(sim, &work->limit,
                       sim->now + work->info->max_completion_time->nanoseconds / 1000000,
                       overdue_fire, work);
    if (!executor->process && known_end(work->info, &work->exit_code, &after))
        core_timer_set(sim, &work->step, sim->now + after, container_ended_fire, work);
}

static void running_fire(struct sim *sim, void *owner)
{
    (void)sim;
    running(owner);
}

static void started(struct work *work)
{
    struct sim *sim = sim_of(work);

    work->delivered = true;
    work->executor->state = EXECUTOR_RUNNING;
    core_play_update(work, MESOS__V1__TASK_STATE__TASK_STARTING, -1, NULL, NULL);
    if (work->executor->kind == EXECUTOR_DOCKER && sim->image_start_s > 0)
        core_timer_set(sim, &work->step, sim->now + (int64_t)(sim->image_start_s * 1000),
                       running_fire, work);
    else
        running(work);
}

static void launch_fire(struct sim *sim, void *owner)
{
    struct work *work = owner;
    struct executor *executor = work->executor;

    (void)sim;
    if (core_executor_image_missing(executor)) {
        const char *image = core_executor_image(executor);
        char *message = sim_text(
            "Failed to launch container: Failed to run 'docker -H unix:///var/run/docker.sock "
            "pull %s': exited with status 1; stderr='Error response from daemon: manifest for "
            "%s not found: manifest unknown: manifest unknown\n'",
            image, image);

        core_executor_destroy(executor, MESOS__V1__TASK_STATE__TASK_FAILED,
                              MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED,
                              message);
        free(message);
    } else if (core_executor_has_image_command(executor) || !core_executor_image(executor)) {
        core_executor_process_start(executor, work->info->command, false);
    } else {
        started(work);
    }
}

void core_play_start(struct work *work)
{
    struct sim *sim = sim_of(work);

    core_timer_set(sim, &work->step, sim->now + LAUNCH_MS, launch_fire, work);
}

/* ---- real processes ---- */

void core_play_process_started(struct work *work)
{
    if (!work->delivered)
        started(work);
}

void core_play_process_exited(struct work *work, int status)
{
    bool docker = work->executor->kind == EXECUTOR_DOCKER;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    char *message;

    if (docker)
        message = sim_text("Container exited with status %d", code);
    else if (WIFEXITED(status))
        message = sim_text("Command exited with status %d", code);
    else
        message = sim_text("Command terminated with signal %s%s", strsignal(WTERMSIG(status)),
                           WCOREDUMP(status) ? " (core dumped)" : "");
    /* It may have ended before it was reported as running. */
    if (!work->delivered)
        started(work);
    if (!work->running && !work->killing) {
        core_timer_stop(sim_of(work), &work->step);
        running(work);
    }
    play_end(work,
             work->overdue                               ? MESOS__V1__TASK_STATE__TASK_FAILED
             : work->killing                             ? MESOS__V1__TASK_STATE__TASK_KILLED
             : WIFEXITED(status) && !WEXITSTATUS(status) ? MESOS__V1__TASK_STATE__TASK_FINISHED
                                                         : MESOS__V1__TASK_STATE__TASK_FAILED,
             message);
    free(message);
}

/* ---- killing ---- */

/* Only the task's own policy counts: that of a KILL does not get as far as Mesos' command and
 * docker executors. */
static int64_t grace_ms(const struct work *work)
{
    const Mesos__V1__KillPolicy *policy = work->info->kill_policy;

    if (!policy || !policy->grace_period || policy->grace_period->nanoseconds < 0)
        return KILL_GRACE_MS;
    return policy->grace_period->nanoseconds / 1000000;
}

static void force_fire(struct sim *sim, void *owner)
{
    struct work *work = owner;

    core_output_signal(sim, work->executor->container, SIGKILL);
}

void core_play_kill(struct work *work, const Mesos__V1__KillPolicy *policy)
{
    struct executor *executor = work->executor;
    struct sim *sim = sim_of(work);

    if (work->ended || work->killing)
        return;
    if (!work->delivered) {
        core_executor_destroy(executor, MESOS__V1__TASK_STATE__TASK_KILLED,
                              MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
                              "Killed before delivery to the executor");
        return;
    }
    work->killing = true;
    core_timer_stop(sim, &work->limit);
    core_timer_stop(sim, &work->step);
    core_timer_stop(sim, &work->check);
    if (!work->overdue &&
        core_framework_has(framework_of(work),
                           MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE))
        core_play_update(work, MESOS__V1__TASK_STATE__TASK_KILLING, -1, NULL, NULL);
    if (executor->process) {
        core_output_signal(sim, executor->container, SIGTERM);
        core_timer_set(sim, &work->force, sim->now + grace_ms(work), force_fire, work);
    } else {
        work->exit_code = 128 + SIGTERM;
        core_timer_set(sim, &work->step, sim->now + STOP_MS, container_ended_fire, work);
    }
}

/* ---- faults ---- */

int core_play_fail(struct work *work)
{
    struct sim *sim = sim_of(work);

    if (work->ended || !work->delivered)
        return -1;
    if (work->executor->process) {
        core_output_signal(sim, work->executor->container, SIGKILL);
    } else {
        work->exit_code = 1;
        work->killing = false;
        core_timer_set(sim, &work->step, sim->now, container_ended_fire, work);
    }
    return 0;
}
