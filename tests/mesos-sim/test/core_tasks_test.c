/* Tasks of the simulator: updates and their acknowledgement, ends, killing, health, reconciliation.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name)  MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define STATE(name)  MESOS__V1__TASK_STATE__TASK_##name
#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static struct world world;
static struct scheduler web;

static void launch(Mesos__V1__TaskInfo *task, const Mesos__V1__Offer *offer)
{
    scheduler_launch(&web, offer, &task, 1);
    task_free(task);
}

static const Mesos__V1__Offer *fresh(const struct wishes *wishes)
{
    world_init(&world, 1);
    scheduler_subscribe(&web, &world, wishes);
    return scheduler_offer(&web, 0);
}

START_TEST(unacknowledged_update_is_repeated)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const status_t *status;
    status_t wrong;
    uint8_t uuid[16];
    int64_t first, at;

    web.keep_quiet = true;
    launch(task_make("r", offer), offer);
    status = scheduler_expect(&web, EVENT(UPDATE), 1000, &first)->update->status;
    ck_assert_int_eq(status->state, STATE(STARTING));
    memcpy(uuid, status->uuid.data, 16);
    /* Wrong acknowledgements do nothing. */
    world_run(&world, 3000);
    uuid[0] ^= 1;
    wrong = *status;
    wrong.uuid.data = uuid;
    scheduler_acknowledge(&web, &wrong);
    /* Copies at 10, 30 and 70 s, as recorded. */
    for (int i = 0; i < 3; i++) {
        static const int64_t after[] = {10000, 30000, 70000};
        const status_t *copy = scheduler_expect(&web, EVENT(UPDATE), 41000, &at)->update->status;

        ck_assert_int_eq(at - first, after[i]);
        ck_assert_int_eq(memcmp(copy->uuid.data, status->uuid.data, 16), 0);
    }
    scheduler_acknowledge(&web, status);
    status = scheduler_status(&web, "r", 0);
    ck_assert_int_eq(status->state, STATE(RUNNING));
    scheduler_acknowledge(&web, status);
    scheduler_acknowledge(&web, status);
    scheduler_expect_none(&web, EVENT(UPDATE), 700000);
    world_deinit(&world);
}
END_TEST

/* The same update is sent again when the framework comes back. */
START_TEST(pending_update_after_resubscribe)
{
    const struct wishes wishes = {.failover_timeout = 60, .checkpoint = true};
    const Mesos__V1__Offer *offer = fresh(&wishes);
    struct scheduler again;
    struct wishes same = wishes;

    web.keep_quiet = true;
    launch(task_make("t", offer), offer);
    ck_assert_int_eq(scheduler_status(&web, "t", 100)->state, STATE(STARTING));
    scheduler_disconnect(&web);
    world_run(&world, 500);
    same.id = web.id;
    scheduler_subscribe(&again, &world, &same);
    ck_assert_int_eq(scheduler_status(&again, "t", 0)->state, STATE(STARTING));
    ck_assert_int_eq(scheduler_status(&again, "t", 0)->state, STATE(RUNNING));
    world_deinit(&world);
}
END_TEST

START_TEST(docker_task)
{
    const Mesos__V1__Offer *offer = fresh(&(struct wishes){.killing_state = true});
    const status_t *status;
    char agent[128];

    strcpy(agent, offer->agent_id->value);
    launch(task_make("d", offer), offer);
    status = scheduler_status(&web, "d", 100);
    ck_assert_int_eq(status->state, STATE(STARTING));
    ck_assert_int_eq(status->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
    ck_assert(!status->has_reason);
    ck_assert_str_eq(status->container_status->network_infos[0]->ip_addresses[0]->ip_address,
                     "127.0.0.1");
    status = scheduler_status(&web, "d", 100);
    ck_assert_int_eq(status->state, STATE(RUNNING));
    ck_assert(status->has_data);
    scheduler_expect_none(&web, EVENT(UPDATE), 60000);
    scheduler_kill(&web, "d", agent);
    ck_assert_int_eq(scheduler_status(&web, "d", 0)->state, STATE(KILLING));
    status = scheduler_status(&web, "d", 1000);
    ck_assert_int_eq(status->state, STATE(KILLED));
    ck_assert_str_eq(status->message, "Container exited with status 143");
    world_deinit(&world);
}
END_TEST

START_TEST(missing_image)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const status_t *status;

    ck_assert_int_eq(sim_image_missing(world.sim, "registry/image:1", true), 0);
    launch(task_make("d", offer), offer);
    status = scheduler_status(&web, "d", 100);
    ck_assert_int_eq(status->state, STATE(FAILED));
    ck_assert_int_eq(status->reason, REASON(CONTAINER_LAUNCH_FAILED));
    ck_assert_int_eq(status->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT);
    ck_assert(status->has_uuid);
    ck_assert_ptr_nonnull(strstr(status->message, "docker"));
    ck_assert_ptr_nonnull(strstr(status->message, "pull registry/image:1"));
    world_deinit(&world);
}
END_TEST

START_TEST(command_task_is_a_process)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const struct seen *start;
    const status_t *status;
    size_t from = 0;

    launch(task_make_command("c", offer, "exit 7"), offer);
    world_run(&world, 100);
    start = world_next(&world, &from, SIM_OUT_START_PROCESS);
    ck_assert_ptr_nonnull(start);
    ck_assert_str_eq(start->value, "exit 7");
    ck_assert_ptr_null(scheduler_next(&web, EVENT(UPDATE)));
    sim_process_started(world.sim, start->container, 4711);
    status = scheduler_status(&web, "c", 0);
    ck_assert_int_eq(status->state, STATE(STARTING));
    ck_assert_uint_eq(status->container_status->executor_pid, 4711);
    ck_assert_int_eq(scheduler_status(&web, "c", 0)->state, STATE(RUNNING));
    start = &world.seen[from - 1]; /* the list may have moved */
    sim_process_exited(world.sim, start->container, 7 << 8);
    status = scheduler_status(&web, "c", 0);
    ck_assert_int_eq(status->state, STATE(FAILED));
    ck_assert_str_eq(status->message, "Command exited with status 7");
    ck_assert_ptr_null(scheduler_next(&web, EVENT(FAILURE)));
    world_deinit(&world);
}
END_TEST

/* SIGTERM, and SIGKILL when the grace is over; it is KILLED whatever its status. */
START_TEST(killed_command)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    char agent[128], container[64];
    const struct seen *seen;
    const status_t *status;
    size_t from = 0;
    int64_t killed;

    strcpy(agent, offer->agent_id->value);
    launch(task_make_command("c", offer, "sleep 100"), offer);
    world_run(&world, 100);
    strcpy(container, world_next(&world, &from, SIM_OUT_START_PROCESS)->container);
    sim_process_started(world.sim, container, 1);
    scheduler_status(&web, "c", 0);
    scheduler_status(&web, "c", 0);
    killed = world_now(&world);
    scheduler_kill(&web, "c", agent);
    ck_assert_int_eq(world_next(&world, &from, SIM_OUT_SIGNAL_PROCESS)->signal, SIGTERM);
    world_run(&world, 4000);
    seen = world_next(&world, &from, SIM_OUT_SIGNAL_PROCESS);
    ck_assert_int_eq(seen->signal, SIGKILL);
    ck_assert_int_eq(seen->at - killed, 3000);
    sim_process_exited(world.sim, container, SIGKILL);
    status = scheduler_status(&web, "c", 0);
    ck_assert_int_eq(status->state, STATE(KILLED));
    ck_assert_str_eq(status->message, "Command terminated with signal Killed");
    world_deinit(&world);
}
END_TEST

START_TEST(overdue)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    Mesos__V1__TaskInfo *task = task_make("t", offer);
    const status_t *status;

    task->max_completion_time = malloc(sizeof *task->max_completion_time);
    mesos__v1__duration_info__init(task->max_completion_time);
    task->max_completion_time->nanoseconds = 4000000000;
    launch(task, offer);
    scheduler_status(&web, "t", 100);
    scheduler_status(&web, "t", 100);
    scheduler_expect_none(&web, EVENT(UPDATE), 3900);
    status = scheduler_status(&web, "t", 500);
    ck_assert_int_eq(status->state, STATE(FAILED));
    ck_assert_int_eq(status->reason, REASON(MAX_COMPLETION_TIME_REACHED));
    world_deinit(&world);
}
END_TEST

START_TEST(killed_before_delivery)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const status_t *status;
    char agent[128];

    strcpy(agent, offer->agent_id->value);
    launch(task_make("t", offer), offer);
    scheduler_kill(&web, "t", agent);
    status = scheduler_status(&web, "t", 0);
    ck_assert_int_eq(status->state, STATE(KILLED));
    ck_assert_int_eq(status->reason, REASON(TASK_KILLED_DURING_LAUNCH));
    ck_assert_str_eq(status->message, "Killed before delivery to the executor");
    world_deinit(&world);
}
END_TEST

static Mesos__V1__TaskInfo *with_check(Mesos__V1__TaskInfo *task)
{
    Mesos__V1__HealthCheck *check = malloc(sizeof *check);

    mesos__v1__health_check__init(check);
    check->has_type = 1;
    check->type = MESOS__V1__HEALTH_CHECK__TYPE__TCP;
    check->tcp = malloc(sizeof *check->tcp);
    mesos__v1__health_check__tcpcheck_info__init(check->tcp);
    check->has_delay_seconds = 1;
    check->delay_seconds = 2;
    check->has_interval_seconds = 1;
    check->interval_seconds = 5;
    task->health_check = check;
    return task;
}

START_TEST(health)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const status_t *status;
    int64_t running, at;

    launch(with_check(task_make("h", offer)), offer);
    scheduler_status(&web, "h", 100);
    status = scheduler_status(&web, "h", 100);
    ck_assert(!status->has_healthy);
    running = world_now(&world);
    status = scheduler_expect(&web, EVENT(UPDATE), 3000, &at)->update->status;
    ck_assert_int_eq(at - running, 2000);
    ck_assert_int_eq(status->state, STATE(RUNNING));
    ck_assert(status->has_healthy && status->healthy);
    ck_assert_int_eq(status->reason, REASON(TASK_HEALTH_CHECK_STATUS_UPDATED));
    scheduler_acknowledge(&web, status);
    scheduler_expect_none(&web, EVENT(UPDATE), 30000);
    ck_assert_int_eq(sim_task_unhealthy(world.sim, "h"), 0);
    for (int i = 0; i < 3; i++) {
        status = scheduler_status(&web, "h", 6000);
        ck_assert_int_eq(status->state, STATE(RUNNING));
        ck_assert(status->has_healthy && !status->healthy);
    }
    status = scheduler_status(&web, "h", 1000);
    ck_assert_int_eq(status->state, STATE(KILLED));
    ck_assert(status->has_healthy && !status->healthy);
    ck_assert(!status->has_reason);
    world_deinit(&world);
}
END_TEST

static void reconciles(const char *task, const char *agent, Mesos__V1__TaskState state,
                       const char *message)
{
    const status_t *status;

    scheduler_reconcile(&web, task, agent);
    status = scheduler_status(&web, task, 0);
    ck_assert_int_eq(status->state, state);
    ck_assert_int_eq(status->reason, REASON(RECONCILIATION));
    ck_assert_str_eq(status->message, message);
    ck_assert(!status->has_uuid);
}

START_TEST(reconciliation)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    char agent[128];
    const status_t *status;

    strcpy(agent, offer->agent_id->value);
    launch(task_make("t", offer), offer);
    reconciles("t", agent, STATE(STAGING), "Reconciliation: Latest task state");
    scheduler_status(&web, "t", 100);
    scheduler_status(&web, "t", 100);
    reconciles("t", agent, STATE(RUNNING), "Reconciliation: Latest task state");
    reconciles("t", "another", STATE(RUNNING), "Reconciliation: Latest task state");
    reconciles("x", NULL, STATE(UNKNOWN), "Reconciliation: Task is unknown");
    reconciles("x", "another", STATE(UNKNOWN), "Reconciliation: Task is unknown");
    reconciles("x", agent, STATE(GONE), "Reconciliation: Task is unknown to the agent");
    reconciles("a/b", NULL, STATE(UNKNOWN), "Reconciliation: Task is unknown");
    /* A KILL of an unknown task is answered alike. */
    scheduler_kill(&web, "x", agent);
    ck_assert_int_eq(scheduler_status(&web, "x", 0)->state, STATE(GONE));
    web.keep_quiet = true;
    sim_task_fail(world.sim, "t");
    status = scheduler_status(&web, "t", 100);
    ck_assert_int_eq(status->state, STATE(FAILED));
    reconciles("t", agent, STATE(FAILED), "Reconciliation: Latest task state");
    scheduler_acknowledge(&web, status);
    reconciles("t", agent, STATE(GONE), "Reconciliation: Task is unknown to the agent");
    scheduler_reconcile(&web, NULL, NULL);
    ck_assert_ptr_null(scheduler_next(&web, EVENT(UPDATE)));
    world_deinit(&world);
}
END_TEST

START_TEST(reconciliation_for_old_frameworks)
{
    fresh(&(struct wishes){.not_partition_aware = true});
    reconciles("x", NULL, STATE(LOST), "Reconciliation: Task is unknown");
    world_deinit(&world);
}
END_TEST

/* Re-using the id of a task whose executor lingers aborts a real agent. */
START_TEST(id_used_again_at_once)
{
    const Mesos__V1__Offer *offer;
    char agent[128];

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    strcpy(agent, scheduler_run_task(&web, "t"));
    offer = scheduler_offer(&web, 7000);
    scheduler_kill(&web, "t", agent);
    ck_assert_int_eq(scheduler_status(&web, "t", 1000)->state, STATE(KILLED));
    launch(task_make("t", offer), offer);
    ck_assert(!sim_listens(world.sim, 0));
    world_deinit(&world);
}
END_TEST

START_TEST(held_and_doubled_updates)
{
    const Mesos__V1__Offer *offer = fresh(NULL);
    const status_t *first, *second;

    sim_updates_hold(world.sim);
    web.keep_quiet = true;
    launch(task_make("t", offer), offer);
    scheduler_expect_none(&web, EVENT(UPDATE), 5000);
    sim_updates_duplicate(world.sim, true);
    sim_updates_release(world.sim);
    first = scheduler_status(&web, "t", 0);
    scheduler_acknowledge(&web, first);
    first = scheduler_status(&web, "t", 0);
    second = scheduler_status(&web, "t", 0);
    ck_assert_int_eq(first->state, STATE(RUNNING));
    ck_assert_int_eq(memcmp(first->uuid.data, second->uuid.data, 16), 0);
    world_deinit(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: tasks");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, unacknowledged_update_is_repeated);
    tcase_add_test(cases, pending_update_after_resubscribe);
    tcase_add_test(cases, docker_task);
    tcase_add_test(cases, missing_image);
    tcase_add_test(cases, command_task_is_a_process);
    tcase_add_test(cases, killed_command);
    tcase_add_test(cases, overdue);
    tcase_add_test(cases, killed_before_delivery);
    tcase_add_test(cases, health);
    tcase_add_test(cases, reconciliation);
    tcase_add_test(cases, reconciliation_for_old_frameworks);
    tcase_add_test(cases, id_used_again_at_once);
    tcase_add_test(cases, held_and_doubled_updates);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
