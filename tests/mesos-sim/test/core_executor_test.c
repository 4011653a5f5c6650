/* The executor API of the simulator's agents: from the first SUBSCRIBE to the end, and over an
 * agent's restart. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name)  MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define TOLD(name)   MESOS__V1__EXECUTOR__EVENT__TYPE__##name
#define STATE(name)  MESOS__V1__TASK_STATE__TASK_##name
#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static struct world world;
static struct scheduler web;
static char container[64], agent[128];
static uint64_t stream;
static size_t place;
static char body[4096];

static int subscribe(void)
{
    executor_call_t call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Subscribe subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;

    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
    call.subscribe = &subscribe;
    place = world.n_seen;
    return executor_send(&world, 0, &call, web.id, "e", body, &stream);
}

static int say(const char *framework, const char *executor)
{
    executor_call_t call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Message message = MESOS__V1__EXECUTOR__CALL__MESSAGE__INIT;

    message.data.data = (uint8_t *)"hello";
    message.data.len = 5;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE;
    call.message = &message;
    return executor_send(&world, 0, &call, framework, executor, body, NULL);
}

/* A framework with an executor whose process was started and that has not subscribed. */
static void launched(const struct wishes *wishes)
{
    const Mesos__V1__Offer *offer;
    Mesos__V1__TaskInfo *task;
    size_t from = 0;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, wishes);
    offer = scheduler_offer(&web, 0);
    strcpy(agent, offer->agent_id->value);
    task = task_make_executor("t", offer, "e");
    scheduler_launch(&web, offer, &task, 1);
    task_free(task);
    strcpy(container, world_next(&world, &from, SIM_OUT_START_PROCESS)->container);
    sim_process_started(world.sim, container, 99);
}

static void running(const struct wishes *wishes)
{
    launched(wishes);
    ck_assert_int_eq(subscribe(), 200);
    ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(SUBSCRIBED));
    ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(LAUNCH));
    ck_assert_int_eq(executor_update(&world, 0, web.id, "e", "t", STATE(RUNNING), 1), 202);
    ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(ACKNOWLEDGED));
    ck_assert_int_eq(scheduler_status(&web, "t", 0)->state, STATE(RUNNING));
}

static bool has_variable(const struct seen *start, const char *variable)
{
    for (size_t i = 0; start->environment[i]; i++)
        if (strcmp(start->environment[i], variable) == 0)
            return true;
    return false;
}

START_TEST(environment)
{
    const struct seen *start;
    char text[512];
    size_t from = 0;

    launched(&(struct wishes){.checkpoint = true});
    start = world_next(&world, &from, SIM_OUT_START_PROCESS);
    snprintf(text, sizeof text, "MESOS_FRAMEWORK_ID=%s", web.id);
    ck_assert(has_variable(start, text));
    snprintf(text, sizeof text, "MESOS_SLAVE_ID=%s", agent);
    ck_assert(has_variable(start, text));
    ck_assert(has_variable(start, "MESOS_EXECUTOR_ID=e"));
    ck_assert(has_variable(start, "MESOS_AGENT_ENDPOINT=127.0.0.1:5051"));
    ck_assert(has_variable(start, "MESOS_SLAVE_PID=slave(1)@127.0.0.1:5051"));
    ck_assert(has_variable(start, "MESOS_CHECKPOINT=1"));
    ck_assert(has_variable(start, "MESOS_RECOVERY_TIMEOUT=15mins"));
    ck_assert(has_variable(start, "MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs"));
    ck_assert(has_variable(start, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=5secs"));
    snprintf(text, sizeof text,
             "MESOS_SANDBOX=/var/lib/mesos/agent-1/slaves/%s/frameworks/%s/executors/e/runs/%s",
             agent, web.id, container);
    ck_assert(has_variable(start, text));
    world_deinit(&world);
}
END_TEST

START_TEST(life)
{
    const executor_event_t *told;

    running(NULL);
    /* The same uuid twice: acknowledged twice, forwarded once. */
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(executor_update(&world, 0, web.id, "e", "t", STATE(RUNNING), 2), 202);
        ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(ACKNOWLEDGED));
    }
    ck_assert_int_eq(scheduler_status(&web, "t", 0)->state, STATE(RUNNING));
    scheduler_expect_none(&web, EVENT(UPDATE), 20000);
    ck_assert_int_eq(say(web.id, "e"), 202);
    ck_assert_uint_eq(scheduler_expect(&web, EVENT(MESSAGE), 0, NULL)->message->data.len, 5);
    scheduler_kill(&web, "t", agent);
    told = executor_next(&world, stream, &place);
    ck_assert_int_eq(told->type, TOLD(KILL));
    ck_assert_ptr_null(told->kill->kill_policy);
    executor_update(&world, 0, web.id, "e", "t", STATE(KILLED), 3);
    ck_assert_int_eq(scheduler_status(&web, "t", 0)->state, STATE(KILLED));
    sim_process_exited(world.sim, container, 0);
    ck_assert_int_eq(scheduler_expect(&web, EVENT(FAILURE), 0, NULL)->failure->status, 0);
    ck_assert_int_eq(say(web.id, "e"), 400);
    ck_assert_str_eq(body, "Framework cannot be found");
    world_deinit(&world);
}
END_TEST

START_TEST(checks_in_order)
{
    executor_call_t call = MESOS__V1__EXECUTOR__CALL__INIT;

    launched(NULL);
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
    ck_assert_int_eq(executor_send(&world, 0, &call, web.id, "e", body, NULL), 400);
    ck_assert_str_eq(body,
                     "Failed to validate Executor::Call: Expecting 'subscribe' to be present");
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__HEARTBEAT;
    ck_assert_int_eq(executor_send(&world, 0, &call, "unused", "unused", body, NULL), 202);
    ck_assert_int_eq(say("nosuch", "e"), 400);
    ck_assert_str_eq(body, "Framework cannot be found");
    ck_assert_int_eq(say(web.id, "nosuch"), 400);
    ck_assert_str_eq(body, "Executor cannot be found");
    ck_assert_int_eq(say(web.id, "e"), 403);
    ck_assert_str_eq(body, "Executor is not subscribed");
    subscribe();
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__UNKNOWN;
    ck_assert_int_eq(executor_send(&world, 0, &call, web.id, "e", body, NULL), 501);
    ck_assert_str_eq(body, "501 Not Implemented.");
    world_deinit(&world);
}
END_TEST

START_TEST(never_subscribes)
{
    const status_t *status;
    size_t from;

    launched(NULL);
    from = world.n_seen;
    world_run(&world, 61000);
    ck_assert_int_eq(world_next(&world, &from, SIM_OUT_SIGNAL_PROCESS)->signal, SIGKILL);
    sim_process_exited(world.sim, container, SIGKILL);
    scheduler_expect(&web, EVENT(FAILURE), 0, NULL);
    status = scheduler_status(&web, "t", 0);
    ck_assert_int_eq(status->state, STATE(FAILED));
    ck_assert_int_eq(status->reason, REASON(EXECUTOR_REGISTRATION_TIMEOUT));
    ck_assert_str_eq(status->message, "Executor did not register within 1mins");
    world_deinit(&world);
}
END_TEST

/* FAILURE first, then the tasks; a new launch before the acknowledgement is refused with a FAILURE
 * of its own. */
START_TEST(executor_dies)
{
    const Mesos__V1__Offer *offer;
    Mesos__V1__TaskInfo *task;
    const status_t *end, *status;

    running(NULL);
    web.keep_quiet = true;
    offer = scheduler_offer(&web, 7000);
    sim_process_exited(world.sim, container, 3 << 8);
    ck_assert_int_eq(scheduler_expect(&web, EVENT(FAILURE), 0, NULL)->failure->status, 768);
    end = scheduler_status(&web, "t", 0);
    ck_assert_int_eq(end->state, STATE(FAILED));
    ck_assert_int_eq(end->reason, REASON(EXECUTOR_TERMINATED));
    ck_assert_str_eq(end->message, "Executor terminated");
    ck_assert(end->has_uuid);
    task = task_make_executor("t2", offer, "e");
    scheduler_launch(&web, offer, &task, 1);
    task_free(task);
    ck_assert_int_eq(scheduler_expect(&web, EVENT(FAILURE), 0, NULL)->failure->status, -1);
    status = scheduler_status(&web, "t2", 0);
    ck_assert_int_eq(status->state, STATE(DROPPED));
    ck_assert_str_eq(status->message, "Master wants to launch executor, but one already exists");
    scheduler_acknowledge(&web, status);
    scheduler_acknowledge(&web, end);
    world_deinit(&world);
}
END_TEST

START_TEST(agent_restart)
{
    running(&(struct wishes){.checkpoint = true});
    sim_agent_restart(world.sim, 0, false);
    ck_assert_int_eq(say(web.id, "e"), 503);
    ck_assert_str_eq(body, "Agent has not finished recovery");
    ck_assert_int_eq(subscribe(), 503);
    world_run(&world, 100);
    ck_assert_int_eq(subscribe(), 200);
    ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(SUBSCRIBED));
    ck_assert_int_eq(say(web.id, "e"), 503);
    world_run(&world, 2000);
    ck_assert_int_eq(say(web.id, "e"), 202);
    scheduler_expect_none(&web, EVENT(UPDATE), 5000);
    world_deinit(&world);
}
END_TEST

START_TEST(executor_misses_the_window)
{
    const status_t *status;
    size_t from;

    running(&(struct wishes){.checkpoint = true});
    from = world.n_seen;
    sim_agent_restart(world.sim, 0, false);
    world_run(&world, 2200);
    ck_assert_int_eq(world_next(&world, &from, SIM_OUT_SIGNAL_PROCESS)->signal, SIGKILL);
    sim_process_exited(world.sim, container, SIGKILL);
    status = scheduler_status(&web, "t", 2000);
    ck_assert_int_eq(status->state, STATE(GONE));
    ck_assert_int_eq(status->reason, REASON(EXECUTOR_REREGISTRATION_TIMEOUT));
    ck_assert_str_eq(status->message, "Executor did not reregister within 2secs");
    world_deinit(&world);
}
END_TEST

START_TEST(framework_goes)
{
    size_t from;

    running(NULL);
    from = world.n_seen;
    scheduler_simple(&web, MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN);
    ck_assert_int_eq(executor_next(&world, stream, &place)->type, TOLD(SHUTDOWN));
    ck_assert_int_eq(executor_update(&world, 0, web.id, "e", "t", STATE(KILLED), 9), 202);
    ck_assert_ptr_null(executor_next(&world, stream, &place));
    world_run(&world, 6000);
    ck_assert_int_eq(world_next(&world, &from, SIM_OUT_SIGNAL_PROCESS)->signal, SIGKILL);
    sim_process_exited(world.sim, container, SIGKILL);
    ck_assert_ptr_nonnull(world_next(&world, &from, SIM_OUT_CONTAINER_GONE));
    world_deinit(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: executors");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, environment);
    tcase_add_test(cases, life);
    tcase_add_test(cases, checks_in_order);
    tcase_add_test(cases, never_subscribes);
    tcase_add_test(cases, executor_dies);
    tcase_add_test(cases, agent_restart);
    tcase_add_test(cases, executor_misses_the_window);
    tcase_add_test(cases, framework_goes);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
