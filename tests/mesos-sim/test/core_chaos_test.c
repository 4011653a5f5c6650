/*
 * Everything at once, at random but repeatable: two schedulers, four agents, faults of all kinds.
 * The books must stay in order whatever happens, and the master must give everything back when all
 * has ended. (What a sanitizer says counts too.)
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name) MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define CALL(name)  MESOS__V1__SCHEDULER__CALL__TYPE__##name
#define AGENTS      4
#define ACTIONS     250

static struct world world;
static struct scheduler schedulers[2];
static unsigned task_number;
static unsigned dice;
static size_t looked_at;

/* The test's own dice, so that a failing seed can be played again. */
static unsigned roll(unsigned sides)
{
    dice = dice * 1103515245u + 12345u;
    return (dice >> 16) % sides;
}

static const struct wishes wishes[2] = {
    {.failover_timeout = 40, .checkpoint = true, .killing_state = true},
    {.failover_timeout = 0, .not_partition_aware = true, .old_format = true},
};

static void subscribe(size_t i, bool fresh)
{
    struct wishes mine = wishes[i];
    char id[128];

    strcpy(id, schedulers[i].id);
    if (!fresh && *id)
        mine.id = id;
    scheduler_subscribe(&schedulers[i], &world, &mine);
    if (schedulers[i].status == 200 && scheduler_next(&schedulers[i], EVENT(ERROR))) {
        mine.id = NULL;
        scheduler_subscribe(&schedulers[i], &world, &mine);
    }
}

static double sum(const Mesos__V1__Resource *const *v, size_t n, const char *name)
{
    double all = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i]->name, name) == 0)
            all += v[i]->scalar->value;
        if (v[i]->scalar)
            ck_assert(v[i]->scalar->value > 0);
    }
    return all;
}

/* No agent gives away more than it has. */
static void check_books(void)
{
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(world.sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;
        double cpus;

        sim_agent_look(world.sim, agent, &view);
        cpus = sum(view.used_resources, view.n_used_resources, "cpus") +
               sum(view.offered_resources, view.n_offered_resources, "cpus");
        ck_assert_msg(cpus < 4.0005, "%g of 4 cpus used and offered on %s", cpus, view.id);
    }
}

static void launch_some(struct scheduler *scheduler, const Mesos__V1__Offer *offer)
{
    Mesos__V1__TaskInfo *tasks[3];
    char id[32], executor[32];
    size_t n = 1 + roll(3);

    for (size_t i = 0; i < n; i++) {
        snprintf(id, sizeof id, "task-%u", ++task_number);
        snprintf(executor, sizeof executor, "executor-%u", roll(20));
        tasks[i] = roll(3) == 0   ? task_make_command(id, offer, "sleep 5")
                   : roll(3) == 0 ? task_make_executor(id, offer, executor)
                                  : task_make(id, offer);
        tasks[i]->resources[0]->scalar->value = 0.1 + roll(15) / 10.0;
    }
    scheduler_launch(scheduler, offer, tasks, n);
    for (size_t i = 0; i < n; i++)
        task_free(tasks[i]);
}

/* Answers what came in: offers, updates, and starts and signals of processes. */
static void react(void)
{
    world_pump(&world);
    for (; looked_at < world.n_seen; looked_at++) {
        const struct seen seen = world.seen[looked_at];

        if (seen.kind == SIM_OUT_START_PROCESS && roll(8) == 0)
            sim_process_failed(world.sim, seen.container, "no luck");
        else if (seen.kind == SIM_OUT_START_PROCESS)
            sim_process_started(world.sim, seen.container, 1);
        else if (seen.kind == SIM_OUT_SIGNAL_PROCESS)
            sim_process_exited(world.sim, seen.container, seen.signal);
        for (int i = 0; seen.event && i < 2; i++) {
            struct scheduler *scheduler = &schedulers[i];

            if (!seen.stream || seen.stream != scheduler->stream)
                continue;
            if (seen.event->update && seen.event->update->status->has_uuid && roll(4)) {
                call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
                Mesos__V1__Scheduler__Call__Acknowledge acknowledge =
                    MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

                acknowledge.agent_id = seen.event->update->status->agent_id;
                acknowledge.task_id = seen.event->update->status->task_id;
                acknowledge.uuid = seen.event->update->status->uuid;
                call.type = CALL(ACKNOWLEDGE);
                call.acknowledge = &acknowledge;
                scheduler_call(scheduler, &call);
            }
            for (size_t j = 0; seen.event->offers && j < seen.event->offers->n_offers; j++) {
                if (roll(2))
                    scheduler_decline(scheduler, seen.event->offers->offers[j], roll(8));
                else if (scheduler->status != 0)
                    launch_some(scheduler, seen.event->offers->offers[j]);
            }
        }
    }
}

static void fault(void)
{
    size_t agent = roll(AGENTS);
    char id[32];

    snprintf(id, sizeof id, "task-%u", task_number ? 1 + roll(task_number) : 0);
    switch (roll(16)) {
    case 0:
        sim_agent_kill(world.sim, agent);
        break;
    case 1:
    case 2:
        sim_agent_restart(world.sim, agent, roll(3) == 0);
        break;
    case 3:
        sim_agent_partition(world.sim, agent);
        break;
    case 4:
        sim_agent_heal(world.sim, agent);
        break;
    case 5:
        sim_agent_reboot(world.sim, agent);
        break;
    case 6:
        sim_agent_drain(world.sim, agent, 1000, roll(4) == 0);
        break;
    case 7:
        sim_agent_reactivate(world.sim, agent);
        break;
    case 8:
        sim_task_fail(world.sim, id);
        break;
    case 9:
        sim_connections_drop(world.sim);
        break;
    case 10:
        sim_agent_maintenance(world.sim, agent, roll(2) ? START_MS + 1000000 : 0, 1000);
        break;
    case 11:
        if (roll(8) == 0)
            sim_agent_gone(world.sim, agent);
        break;
    case 12:
        if (roll(6) == 0)
            sim_master_restart(world.sim);
        break;
    case 13:
        if (roll(2))
            sim_updates_hold(world.sim);
        else
            sim_updates_release(world.sim);
        break;
    case 14:
        sim_updates_duplicate(world.sim, roll(2));
        break;
    default:
        sim_image_missing(world.sim, "registry/image:1", roll(4) == 0);
    }
}

static void call(void)
{
    struct scheduler *scheduler = &schedulers[roll(2)];
    size_t which = (size_t)(scheduler - schedulers);
    char id[32];

    snprintf(id, sizeof id, "task-%u", task_number ? 1 + roll(task_number) : 0);
    switch (roll(8)) {
    case 0:
        subscribe(which, false);
        break;
    case 1:
        scheduler_disconnect(scheduler);
        break;
    case 2:
        if (roll(6) == 0)
            scheduler_simple(scheduler, CALL(TEARDOWN));
        break;
    case 3:
        scheduler_simple(scheduler, CALL(REVIVE));
        break;
    case 4:
    case 5:
        scheduler_kill(scheduler, id, NULL);
        break;
    case 6:
        scheduler_simple(scheduler, CALL(SUPPRESS));
        break;
    default:
        scheduler_simple(scheduler, CALL(RECONCILE)); /* without its part: 400 */
    }
}

/* All agents healthy, no framework left: nothing may be in use. */
static void check_all_given_back(void)
{
    const struct sim_agent *agent = NULL;
    size_t n = 0;

    for (size_t i = 0; i < AGENTS; i++) {
        sim_agent_heal(world.sim, i);
        sim_agent_restart(world.sim, i, false);
        sim_agent_reactivate(world.sim, i);
    }
    sim_updates_release(world.sim);
    for (int i = 0; i < 40; i++) {
        world_run(&world, 500);
        react();
    }
    /* A drained one may have been marked gone by then. */
    for (size_t i = 0; i < AGENTS; i++)
        if (!sim_listens(world.sim, (int)i))
            sim_agent_restart(world.sim, i, false);
    for (size_t i = 0; i < 2; i++) {
        subscribe(i, false);
        scheduler_simple(&schedulers[i], CALL(TEARDOWN));
    }
    for (int i = 0; i < 40; i++) {
        world_run(&world, 500);
        react();
    }
    while (sim_framework_next(world.sim, false,
                              NULL)) { /* left over by lost ids: known through agents only */
        struct sim_framework_view view;

        sim_framework_look(world.sim, sim_framework_next(world.sim, false, NULL), &view);
        snprintf(schedulers[0].id, sizeof schedulers[0].id, "%s", view.id);
        subscribe(0, false);
        scheduler_simple(&schedulers[0], CALL(TEARDOWN));
        ck_assert_int_eq(schedulers[0].status, 202);
        world_run(&world, 6000);
        react();
    }
    while ((agent = sim_agent_next(world.sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(world.sim, agent, &view);
        ck_assert_uint_eq(view.n_used_resources, 0);
        ck_assert_uint_eq(view.n_offered_resources, 0);
        n += view.connected;
    }
    ck_assert_uint_eq(n, AGENTS);
}

START_TEST(seeds)
{
    struct sim_agent_config config[AGENTS] = {
        {.hostname = "a"}, {.hostname = "b"}, {.hostname = "c"}, {.hostname = "d"}};
    struct sim_cluster cluster = {.agents = config,
                                  .n_agents = AGENTS,
                                  .registry = _i % 2 ? SIM_REGISTRY_IN_MEMORY
                                                     : SIM_REGISTRY_REPLICATED_LOG};

    for (int i = 0; i < AGENTS; i++)
        config[i].resources = "cpus:4;mem:4096";
    dice = 1000u + (unsigned)_i;
    task_number = 0;
    looked_at = 0;
    memset(schedulers, 0, sizeof schedulers);
    world_init_cluster(&world, &cluster);
    subscribe(0, true);
    subscribe(1, true);
    for (int i = 0; i < ACTIONS; i++) {
        react();
        if (roll(3) == 0)
            fault();
        if (roll(3) == 0)
            call();
        world_run(&world, roll(5) == 0 ? roll(30000) : roll(700));
        check_books();
    }
    check_all_given_back();
    world_deinit(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: chaos");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, seeds, 0, 20);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
