/* The whole: making and freeing it, its clock, and the master's own life. */
#include "core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

/* A master that was killed: connection refused, then 404, then 503, then it is there. */
#define MASTER_DOWN_MS       300
#define MASTER_ROUTES_MS     10
#define MASTER_RECOVERING_MS 60
/* One that has just been elected recovers for longer: it reads what the former leader wrote. */
#define MASTER_ELECTED_MS 1000

static void master_forget(struct sim *sim)
{
    struct sim_framework *framework;

    core_timer_stop(sim, &sim->allocation);
    core_held_clear(sim);
    while ((framework = TAILQ_FIRST(&sim->frameworks))) {
        TAILQ_REMOVE(&sim->frameworks, framework, next);
        core_framework_free(framework);
    }
    while ((framework = TAILQ_FIRST(&sim->completed))) {
        TAILQ_REMOVE(&sim->completed, framework, next);
        core_framework_free(framework);
    }
    sim->n_completed = 0;
    while (!TAILQ_EMPTY(&sim->agents))
        core_agent_free(TAILQ_FIRST(&sim->agents));
}

static void master_begin(struct sim *sim)
{
    sim_uuid_text(sim, sim->master_id);
    sim->next_framework = sim->next_offer = sim->next_agent = 0;
    sim->master_start = sim->now;
}

static void master_up(struct sim *sim)
{
    sim->master = MASTER_UP;
    sim->master_elected = sim->now;
    core_timer_set(sim, &sim->allocation, sim->now + ALLOCATION_INTERVAL_MS, core_allocation_fire,
                   NULL);
}

static void master_step(struct sim *sim, void *owner)
{
    if (sim->master == MASTER_DOWN) {
        master_begin(sim);
        sim->master = MASTER_ROUTES_MISSING;
        core_timer_set(sim, &sim->master_step, sim->now + MASTER_ROUTES_MS, master_step, owner);
    } else if (sim->master == MASTER_ROUTES_MISSING) {
        sim->master = MASTER_RECOVERING;
        core_timer_set(sim, &sim->master_step, sim->now + MASTER_RECOVERING_MS, master_step, owner);
    } else {
        master_up(sim);
        core_registry_recovered(sim);
    }
}

static void master_kill(struct sim *sim)
{
    master_forget(sim);
    sim->master = MASTER_DOWN;
    core_output_hang_up_all(sim, SIM_MASTER);
    for (size_t i = 0; i < sim->n_hosts; i++)
        core_host_master_lost(&sim->hosts[i]);
}

void sim_master_new_id(struct sim *sim, char id[37])
{
    sim_uuid_text(sim, id);
}

int sim_master_stop(struct sim *sim)
{
    master_kill(sim);
    core_timer_stop(sim, &sim->master_step);
    return 0;
}

int sim_master_elect(struct sim *sim, const char *id, uint16_t port)
{
    if (sim->master != MASTER_DOWN)
        return -EINVAL;
    master_begin(sim);
    snprintf(sim->master_id, sizeof sim->master_id, "%s", id);
    sim->master_port = port;
    free(sim->master_pid);
    sim->master_pid = sim_text("master@%s:%u", sim->master_ip, port);
    sim->master = MASTER_RECOVERING;
    core_timer_set(sim, &sim->master_step, sim->now + MASTER_ELECTED_MS, master_step, NULL);
    return 0;
}

int sim_master_restart(struct sim *sim)
{
    master_kill(sim);
    core_timer_set(sim, &sim->master_step, sim->now + MASTER_DOWN_MS, master_step, NULL);
    return 0;
}

/* ---- making ---- */

static void copy_images(struct sim *sim, const struct sim_cluster *cluster)
{
    sim->missing_images = sim_zalloc(cluster->n_missing_images * sizeof *sim->missing_images);
    sim->n_missing_images = cluster->n_missing_images;
    for (size_t i = 0; i < cluster->n_missing_images; i++)
        sim->missing_images[i] = sim_dup(cluster->missing_images[i]);
    sim->image_commands = sim_zalloc(2 * cluster->n_image_commands * sizeof *sim->image_commands);
    sim->n_image_commands = cluster->n_image_commands;
    for (size_t i = 0; i < cluster->n_image_commands; i++) {
        sim->image_commands[2 * i] = sim_dup(cluster->image_commands[i].name);
        sim->image_commands[2 * i + 1] = sim_dup(cluster->image_commands[i].value);
    }
    sim->image_start_s = cluster->image_start_s;
}

static void make_credentials(struct sim *sim, const struct sim_cluster *cluster)
{
    sim->credentials = sim_zalloc(cluster->n_credentials * sizeof *sim->credentials);
    sim->n_credentials = cluster->n_credentials;
    for (size_t i = 0; i < cluster->n_credentials; i++) {
        const struct sim_pair *from = &cluster->credentials[i];
        char *plain = sim_text("%s:%s", from->name, from->value);
        char *coded = base64_encode((const uint8_t *)plain, strlen(plain));

        sim->credentials[i].name = sim_dup(from->name);
        sim->credentials[i].value = sim_text("Basic %s", coded ? coded : "");
        free(coded);
        free(plain);
    }
}

static bool make_hosts(struct sim *sim, const struct sim_cluster *cluster, char **error)
{
    sim->hosts = sim_zalloc(cluster->n_agents * sizeof *sim->hosts);
    for (size_t i = 0; i < cluster->n_agents; i++) {
        char *why = NULL;
        bool ok;

        for (size_t j = 0; j < i; j++) {
            if (strcmp(cluster->agents[i].hostname, cluster->agents[j].hostname) == 0) {
                if (error)
                    *error = sim_text("host name '%s' given twice", cluster->agents[i].hostname);
                return false;
            }
        }
        ok = core_host_init(&sim->hosts[i], sim, i, &cluster->agents[i], &why);
        sim->n_hosts = i + 1;
        if (!ok) {
            if (error)
                *error = sim_text("agent '%s': %s", cluster->agents[i].hostname,
                                  why ? why : "bad resources");
            free(why);
            return false;
        }
    }
    return true;
}

struct sim *sim_new(const struct sim_cluster *cluster, uint64_t seed, int64_t now_ms, char **error)
{
    struct sim *sim = sim_zalloc(sizeof *sim);

    if (error)
        *error = NULL;
    sim->now = now_ms;
    sim->random = seed;
    TAILQ_INIT(&sim->outputs);
    TAILQ_INIT(&sim->frameworks);
    TAILQ_INIT(&sim->completed);
    TAILQ_INIT(&sim->agents);
    TAILQ_INIT(&sim->held);
    sim->registry = cluster->registry;
    sim->work_dir = sim_dup(cluster->work_dir ? cluster->work_dir : "/var/lib/mesos");
    sim->master_region = sim_dup(cluster->master_region);
    sim->master_zone = sim_dup(cluster->master_zone);
    sim->master_hostname =
        sim_dup(cluster->master_hostname ? cluster->master_hostname : "127.0.0.1");
    sim->master_ip = sim_dup(cluster->master_ip ? cluster->master_ip : "127.0.0.1");
    sim->master_port = cluster->master_port ? cluster->master_port : 5050;
    sim->master_pid = sim_text("master@%s:%u", sim->master_ip, sim->master_port);
    sim->agent_environment = cluster->agent_environment;
    sim->agent_environment_arg = cluster->agent_environment_arg;
    copy_images(sim, cluster);
    make_credentials(sim, cluster);
    if (!make_hosts(sim, cluster, error)) {
        sim_free(sim);
        return NULL;
    }
    master_begin(sim);
    master_up(sim);
    for (size_t i = 0; i < sim->n_hosts; i++) {
        sim->hosts[i].state = HOST_UP;
        core_master_register(sim, &sim->hosts[i]);
    }
    return sim;
}

void sim_free(struct sim *sim)
{
    if (!sim)
        return;
    master_forget(sim);
    for (size_t i = 0; i < sim->n_hosts; i++)
        core_host_deinit(&sim->hosts[i]);
    core_timer_stop(sim, &sim->master_step);
    core_output_clear(sim);
    for (size_t i = 0; i < sim->n_missing_images; i++)
        free(sim->missing_images[i]);
    for (size_t i = 0; i < 2 * sim->n_image_commands; i++)
        free(sim->image_commands[i]);
    for (size_t i = 0; i < sim->n_credentials; i++) {
        free((char *)sim->credentials[i].name);
        free((char *)sim->credentials[i].value);
    }
    free(sim->credentials);
    free(sim->missing_images);
    free(sim->image_commands);
    free(sim->hosts);
    free(sim->timers);
    free(sim->work_dir);
    free(sim->master_hostname);
    free(sim->master_region);
    free(sim->master_zone);
    free(sim->master_ip);
    free(sim->master_pid);
    free(sim);
}

/* ---- time ---- */

void sim_advance(struct sim *sim, int64_t now_ms)
{
    while (sim->n_timers && sim->timers[0]->due <= now_ms) {
        struct sim_timer *timer = sim->timers[0];

        if (timer->due > sim->now)
            sim->now = timer->due;
        core_timer_stop(sim, timer);
        timer->fire(sim, timer->owner);
    }
    if (now_ms > sim->now)
        sim->now = now_ms;
}

int64_t sim_deadline(const struct sim *sim)
{
    return sim->n_timers ? sim->timers[0]->due : INT64_MAX;
}

int64_t sim_now(const struct sim *sim)
{
    return sim->now;
}

void sim_set_json(struct sim *sim, const struct sim_json *json)
{
    sim->json = json;
}
