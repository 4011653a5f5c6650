/* Agents of the simulator: killed, silent, unreachable, back; drained and gone. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name)  MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define STATE(name)  MESOS__V1__TASK_STATE__TASK_##name
#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static struct world world;
static struct scheduler web;
static char agent[128];

static void fresh(const struct wishes *wishes)
{
    world_init(&world, 1);
    scheduler_subscribe(&web, &world, wishes);
    strcpy(agent, scheduler_run_task(&web, "t"));
}

static const status_t *expect(Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason,
                              const char *message, int64_t within_ms)
{
    const status_t *status = scheduler_status(&web, "t", within_ms);

    ck_assert_msg(status->state == state, "state %d (%s)", (int)status->state, status->message);
    ck_assert_int_eq(status->reason, reason);
    ck_assert_str_eq(status->message, message);
    return status;
}

START_TEST(unreachable_and_back)
{
    const status_t *status;
    int64_t killed, at;

    fresh(&(struct wishes){.checkpoint = true});
    scheduler_offer(&web, 7000);
    killed = world_now(&world);
    ck_assert_int_eq(sim_agent_kill(world.sim, 0), 0);
    ck_assert_int_eq(sim_agent_kill(world.sim, 0), -EALREADY);
    ck_assert(!sim_listens(world.sim, 0));
    scheduler_expect(&web, EVENT(RESCIND), 0, NULL);
    scheduler_reconcile(&web, "t", agent);
    ck_assert_int_eq(scheduler_status(&web, "t", 0)->state, STATE(RUNNING));
    status = expect(STATE(UNREACHABLE), REASON(AGENT_REMOVED), "health check timed out", 91000);
    at = world_now(&world) - killed;
    ck_assert_int_ge(at, 75000);
    ck_assert_int_le(at, 90000);
    ck_assert(!status->has_uuid);
    ck_assert_ptr_nonnull(status->unreachable_time);
    ck_assert_str_eq(scheduler_expect(&web, EVENT(FAILURE), 0, NULL)->failure->agent_id->value,
                     agent);
    scheduler_reconcile(&web, "t", agent);
    expect(STATE(UNREACHABLE), REASON(RECONCILIATION), "Reconciliation: Task is unreachable", 0);
    scheduler_reconcile(&web, "t", NULL);
    expect(STATE(UNKNOWN), REASON(RECONCILIATION), "Reconciliation: Task is unknown", 0);
    ck_assert_int_eq(sim_agent_restart(world.sim, 0, false), 0);
    expect(STATE(RUNNING), REASON(AGENT_REREGISTERED), "Unreachable agent re-reregistered", 4000);
    ck_assert_str_eq(scheduler_offer(&web, 1000)->agent_id->value, agent);
    world_deinit(&world);
}
END_TEST

START_TEST(back_soon)
{
    fresh(&(struct wishes){.checkpoint = true});
    sim_agent_kill(world.sim, 0);
    world_run(&world, 1000);
    scheduler_kill(&web, "t", agent); /* remembered */
    sim_agent_restart(world.sim, 0, false);
    ck_assert_int_eq(scheduler_status(&web, "t", 4000)->state, STATE(KILLED));
    world_deinit(&world);
}
END_TEST

START_TEST(killed_without_checkpoint)
{
    fresh(NULL);
    sim_agent_kill(world.sim, 0);
    expect(STATE(LOST), REASON(AGENT_DISCONNECTED), "Agent agent-1 disconnected", 0);
    sim_agent_restart(world.sim, 0, false);
    scheduler_expect_none(&web, EVENT(UPDATE), 10000);
    world_deinit(&world);
}
END_TEST

START_TEST(back_as_a_new_agent)
{
    const Mesos__V1__Offer *offer;

    fresh(&(struct wishes){.checkpoint = true});
    sim_agent_restart(world.sim, 0, true);
    expect(STATE(LOST), REASON(AGENT_REMOVED),
           "Agent agent-1 removed: a new agent registered at the same address", 2000);
    offer = scheduler_offer(&web, 2000);
    ck_assert_str_ne(offer->agent_id->value, agent);
    ck_assert_str_eq(offer->hostname, "agent-1");
    world_deinit(&world);
}
END_TEST

START_TEST(partition)
{
    fresh(&(struct wishes){.checkpoint = false});
    sim_agent_partition(world.sim, 0);
    /* No socket breaks, so even tasks without checkpoint survive. */
    expect(STATE(UNREACHABLE), REASON(AGENT_REMOVED), "health check timed out", 91000);
    sim_agent_heal(world.sim, 0);
    expect(STATE(RUNNING), REASON(AGENT_REREGISTERED), "Unreachable agent re-reregistered", 2000);
    world_deinit(&world);
}
END_TEST

START_TEST(short_partition)
{
    fresh(NULL);
    sim_agent_partition(world.sim, 0);
    world_run(&world, 40000);
    sim_agent_heal(world.sim, 0);
    scheduler_expect_none(&web, EVENT(UPDATE), 200000);
    world_deinit(&world);
}
END_TEST

START_TEST(lost_for_old_frameworks)
{
    fresh(&(struct wishes){.checkpoint = true, .not_partition_aware = true});
    sim_agent_kill(world.sim, 0);
    expect(STATE(LOST), REASON(AGENT_REMOVED), "health check timed out", 91000);
    sim_agent_restart(world.sim, 0, false);
    expect(STATE(RUNNING), REASON(AGENT_REREGISTERED), "Unreachable agent re-reregistered", 4000);
    world_deinit(&world);
}
END_TEST

START_TEST(reboot)
{
    const status_t *status;

    fresh(&(struct wishes){.checkpoint = true});
    sim_agent_reboot(world.sim, 0);
    status = expect(STATE(FAILED), REASON(EXECUTOR_TERMINATED), "Executor terminated", 6000);
    ck_assert(status->has_uuid);
    ck_assert_int_eq(status->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT);
    ck_assert_ptr_null(scheduler_next(&web, EVENT(FAILURE)));
    world_deinit(&world);
}
END_TEST

START_TEST(drain)
{
    fresh(NULL);
    web.keep_quiet = true;
    ck_assert_int_eq(sim_agent_drain(world.sim, 0, 2000, false), 0);
    const status_t *status = scheduler_status(&web, "t", 3000);
    struct sim_agent_view view;

    ck_assert_int_eq(status->state, STATE(KILLED));
    ck_assert_int_eq(status->reason, REASON(AGENT_DRAINING));
    scheduler_expect_none(&web, EVENT(OFFERS), 5000);
    sim_agent_look(world.sim, sim_agent_next(world.sim, SIM_AGENTS_REGISTERED, NULL), &view);
    ck_assert_str_eq(view.drain_state, "DRAINING");
    scheduler_acknowledge(&web, status);
    sim_agent_look(world.sim, sim_agent_next(world.sim, SIM_AGENTS_REGISTERED, NULL), &view);
    ck_assert_str_eq(view.drain_state, "DRAINED");
    ck_assert_int_eq(sim_agent_reactivate(world.sim, 0), 0);
    scheduler_offer(&web, 0);
    world_deinit(&world);
}
END_TEST

START_TEST(gone)
{
    fresh(&(struct wishes){.checkpoint = true});
    sim_agent_gone(world.sim, 0);
    expect(STATE(GONE_BY_OPERATOR), REASON(AGENT_REMOVED_BY_OPERATOR), "Agent has been marked gone",
           0);
    scheduler_reconcile(&web, "t", agent);
    expect(STATE(GONE_BY_OPERATOR), REASON(RECONCILIATION), "Reconciliation: Task is gone", 0);
    sim_agent_restart(world.sim, 0, false);
    ck_assert_str_ne(scheduler_offer(&web, 8000)->agent_id->value, agent);
    world_deinit(&world);
}
END_TEST

/* Books and views after a while of everything: nothing is leaked, nothing counted twice. */
START_TEST(resources_come_back)
{
    struct sim_agent_view view;

    fresh(&(struct wishes){.checkpoint = true});
    sim_agent_restart(world.sim, 0, false);
    world_run(&world, 5000);
    scheduler_kill(&web, "t", agent);
    ck_assert_int_eq(scheduler_status(&web, "t", 1000)->state, STATE(KILLED));
    world_run(&world, 10000);
    sim_agent_look(world.sim, sim_agent_next(world.sim, SIM_AGENTS_REGISTERED, NULL), &view);
    ck_assert_uint_eq(view.n_used_resources, 0);
    ck_assert_uint_eq(view.n_offered_resources, 4);
    world_deinit(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: agents");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, unreachable_and_back);
    tcase_add_test(cases, back_soon);
    tcase_add_test(cases, killed_without_checkpoint);
    tcase_add_test(cases, back_as_a_new_agent);
    tcase_add_test(cases, partition);
    tcase_add_test(cases, short_partition);
    tcase_add_test(cases, lost_for_old_frameworks);
    tcase_add_test(cases, reboot);
    tcase_add_test(cases, drain);
    tcase_add_test(cases, gone);
    tcase_add_test(cases, resources_come_back);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
