/* Faults and operators' actions. */
#include "core.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int sim_agent_find(const struct sim *sim, const char *hostname)
{
    for (size_t i = 0; i < sim->n_hosts; i++)
        if (strcmp(sim->hosts[i].hostname, hostname) == 0)
            return (int)i;
    return -1;
}

static struct host *host_at(struct sim *sim, size_t agent)
{
    return agent < sim->n_hosts ? &sim->hosts[agent] : NULL;
}

/* The master's record of the agent's present id. */
static struct sim_agent *record_of(struct sim *sim, size_t agent)
{
    struct host *host = host_at(sim, agent);

    return host && host->id ? core_agent_find(sim, host->id) : NULL;
}

int sim_agent_kill(struct sim *sim, size_t agent)
{
    struct host *host = host_at(sim, agent);

    if (!host)
        return -ENOENT;
    if (host->state == HOST_DOWN)
        return -EALREADY;
    core_host_kill(host);
    return 0;
}

int sim_agent_restart(struct sim *sim, size_t agent, bool new_id)
{
    struct host *host = host_at(sim, agent);

    if (!host)
        return -ENOENT;
    core_host_kill(host);
    core_host_start(host, 0, new_id);
    return 0;
}

int sim_agent_reboot(struct sim *sim, size_t agent)
{
    struct host *host = host_at(sim, agent);
    struct executor *executor;

    if (!host)
        return -ENOENT;
    core_host_kill(host);
    EACH (executor, &host->executors, next) {
        struct work *work;

        EACH (work, &executor->works, next)
            core_play_stop(work);
        if (executor->process)
            core_output_signal(sim, executor->container, SIGKILL);
        executor->process = false;
        executor->died = true;
        executor->died_status = SIGKILL;
    }
    core_host_start(host, 1000, false);
    return 0;
}

int sim_agent_partition(struct sim *sim, size_t agent)
{
    struct host *host = host_at(sim, agent);

    if (!host)
        return -ENOENT;
    if (host->partitioned)
        return -EALREADY;
    host->partitioned = true;
    return 0;
}

int sim_agent_heal(struct sim *sim, size_t agent)
{
    struct host *host = host_at(sim, agent);
    struct sim_agent *record = record_of(sim, agent);

    if (!host)
        return -ENOENT;
    if (!host->partitioned)
        return -EALREADY;
    host->partitioned = false;
    if (host->state == HOST_DOWN) {
        core_master_socket_closed(sim, host);
    } else if (record && record->state != AGENT_CONNECTED) {
        /* It has noticed the silence and tries to register again. */
        host->registered = false;
        core_host_register_in(host, (int64_t)(sim_random(sim) % 1000));
    }
    return 0;
}

int sim_agent_drain(struct sim *sim, size_t agent, int64_t max_grace_ms, bool mark_gone)
{
    struct sim_agent *record = record_of(sim, agent);
    struct host *host;

    if (!record)
        return -ENOENT;
    if (record->state == AGENT_GONE || record->state == AGENT_REMOVED)
        return -EINVAL;
    record->draining = true;
    record->drained = false;
    record->deactivated = true;
    record->mark_gone = mark_gone;
    record->max_grace_ms = max_grace_ms;
    core_offers_rescind_agent(record);
    host = core_agent_host(record);
    if (host)
        core_host_drain(host, max_grace_ms);
    core_agent_check_drained(record);
    return 0;
}

int sim_agent_deactivate(struct sim *sim, size_t agent)
{
    struct sim_agent *record = record_of(sim, agent);

    if (!record)
        return -ENOENT;
    record->deactivated = true;
    core_offers_rescind_agent(record);
    return 0;
}

int sim_agent_reactivate(struct sim *sim, size_t agent)
{
    struct sim_agent *record = record_of(sim, agent);

    if (!record)
        return -ENOENT;
    if (record->draining && !record->drained)
        return -EINVAL;
    record->deactivated = record->draining = record->drained = record->mark_gone = false;
    record->max_grace_ms = -1;
    core_allocate(sim);
    return 0;
}

int sim_agent_gone(struct sim *sim, size_t agent)
{
    struct sim_agent *record = record_of(sim, agent);

    if (!record)
        return -ENOENT;
    if (record->state == AGENT_GONE)
        return -EALREADY;
    core_agent_remove(record, MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR,
                      MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED_BY_OPERATOR, AGENT_GONE,
                      "Agent has been marked gone");
    return 0;
}

int sim_agent_maintenance(struct sim *sim, size_t agent, int64_t start_ms, int64_t length_ms)
{
    struct host *host = host_at(sim, agent);
    struct sim_agent *record = record_of(sim, agent);

    if (!host)
        return -ENOENT;
    if (!start_ms && !host->maintenance_start_ms)
        return -EALREADY;
    host->maintenance_start_ms = start_ms;
    host->maintenance_ms = start_ms ? length_ms : 0;
    if (record)
        core_maintenance_set(record, start_ms, length_ms);
    return 0;
}

/* ---- tasks ---- */

static struct work *work_find(struct sim *sim, const char *task_id)
{
    for (size_t i = 0; i < sim->n_hosts; i++) {
        struct executor *executor;
        struct work *work;

        EACH (executor, &sim->hosts[i].executors, next)
            if ((work = core_executor_work(executor, task_id)))
                return work;
    }
    return NULL;
}

int sim_task_fail(struct sim *sim, const char *task_id)
{
    struct work *work = work_find(sim, task_id);

    if (!work)
        return -ENOENT;
    if (work->executor->kind == EXECUTOR_CUSTOM || core_play_fail(work) < 0)
        return -EINVAL;
    return 0;
}

static int set_health(struct sim *sim, const char *task_id, bool healthy)
{
    struct work *work = work_find(sim, task_id);

    if (!work)
        return -ENOENT;
    if (work->executor->kind == EXECUTOR_CUSTOM || core_play_health(work, healthy) < 0)
        return -EINVAL;
    return 0;
}

int sim_task_unhealthy(struct sim *sim, const char *task_id)
{
    return set_health(sim, task_id, false);
}

int sim_task_healthy(struct sim *sim, const char *task_id)
{
    return set_health(sim, task_id, true);
}

int sim_framework_teardown(struct sim *sim, const char *id)
{
    struct sim_framework *framework = core_framework_find(sim, id);

    if (!framework)
        return -ENOENT;
    core_framework_remove(framework);
    return 0;
}

/* ---- connections and updates ---- */

int sim_connections_drop(struct sim *sim)
{
    struct sim_framework *framework;
    int n = 0;

    EACH (framework, &sim->frameworks, next) {
        if (framework->state != FRAMEWORK_CONNECTED)
            continue;
        core_output_hang_up(sim, framework->connection);
        core_framework_disconnect(framework);
        n++;
        /* With failover_timeout 0 the framework goes at the next advance, not here. */
    }
    return n ? 0 : -ENOENT;
}

void sim_connection_closed(struct sim *sim, uint64_t connection)
{
    struct sim_framework *framework;

    EACH (framework, &sim->frameworks, next) {
        if (framework->state == FRAMEWORK_CONNECTED && framework->connection == connection) {
            core_framework_disconnect(framework);
            return;
        }
    }
}

int sim_updates_hold(struct sim *sim)
{
    if (sim->updates_held)
        return -EALREADY;
    sim->updates_held = true;
    return 0;
}

int sim_updates_release(struct sim *sim)
{
    if (!sim->updates_held)
        return -EALREADY;
    sim->updates_held = false;
    core_held_release(sim);
    return 0;
}

int sim_updates_duplicate(struct sim *sim, bool on)
{
    if (sim->updates_doubled == on)
        return -EALREADY;
    sim->updates_doubled = on;
    return 0;
}

int sim_image_missing(struct sim *sim, const char *image, bool missing)
{
    for (size_t i = 0; i < sim->n_missing_images; i++) {
        if (strcmp(sim->missing_images[i], image))
            continue;
        if (missing)
            return -EALREADY;
        free(sim->missing_images[i]);
        sim->missing_images[i] = sim->missing_images[--sim->n_missing_images];
        return 0;
    }
    if (!missing)
        return -ENOENT;
    sim->missing_images =
        sim_grow(sim->missing_images, sim->n_missing_images + 1, sizeof *sim->missing_images);
    sim->missing_images[sim->n_missing_images++] = sim_dup(image);
    return 0;
}
