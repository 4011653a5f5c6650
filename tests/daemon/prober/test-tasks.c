/* The executor's book of tasks, its environment, and the messages between it and the scheduler. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prober/environment.h"
#include "prober/report.h"
#include "prober/tasks.h"
#include "quobyte-mesos/probe.pb-c.h"

static struct tasks *tasks;

static void setup(void)
{
    tasks = tasks_new("framework-1", "executor-1");
    ck_assert_ptr_nonnull(tasks);
}

static void teardown(void)
{
    tasks_free(tasks);
}

static int launch(const char *id)
{
    Mesos__V1__TaskInfo info = MESOS__V1__TASK_INFO__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

    task_id.value = (char *)id;
    agent_id.value = (char *)"agent-1";
    info.name = (char *)"prober";
    info.task_id = &task_id;
    info.agent_id = &agent_id;
    return tasks_launch(tasks, &info, 1500);
}

static Mesos__V1__Executor__Call *unpack(uint8_t *bytes, size_t length)
{
    ck_assert_ptr_nonnull(bytes);
    Mesos__V1__Executor__Call *call = mesos__v1__executor__call__unpack(NULL, length, bytes);
    free(bytes);
    ck_assert_ptr_nonnull(call);
    ck_assert_str_eq(call->executor_id->value, "executor-1");
    ck_assert_str_eq(call->framework_id->value, "framework-1");
    return call;
}

static Mesos__V1__Executor__Call *next_update(void)
{
    size_t length = 0;
    uint8_t *bytes = tasks_next_update_call(tasks, &length);
    Mesos__V1__Executor__Call *call = unpack(bytes, length);

    ck_assert_int_eq(call->type, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE);
    return call;
}

static Mesos__V1__Executor__Call *subscribe(void)
{
    size_t length = 0;
    uint8_t *bytes = tasks_subscribe_call(tasks, &length);
    Mesos__V1__Executor__Call *call = unpack(bytes, length);

    ck_assert_int_eq(call->type, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE);
    ck_assert_ptr_nonnull(call->subscribe);
    return call;
}

static void expect_no_update(void)
{
    size_t length = 1;

    ck_assert_ptr_null(tasks_next_update_call(tasks, &length));
    ck_assert_uint_eq(length, 0);
}

static void release(Mesos__V1__Executor__Call *call)
{
    mesos__v1__executor__call__free_unpacked(call, NULL);
}

START_TEST(updates_are_what_the_agent_demands)
{
    ck_assert_int_eq(launch("t1"), 0);

    Mesos__V1__Executor__Call *call = next_update();
    const Mesos__V1__TaskStatus *status = call->update->status;
    ck_assert_str_eq(status->task_id->value, "t1");
    ck_assert_int_eq(status->state, MESOS__V1__TASK_STATE__TASK_RUNNING);
    ck_assert(status->has_source);
    ck_assert_int_eq(status->source, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
    ck_assert_str_eq(status->executor_id->value, "executor-1");
    ck_assert_ptr_null(status->agent_id);
    ck_assert(status->has_timestamp && status->timestamp == 1.5);
    ck_assert_uint_eq(status->uuid.len, 16);
    ck_assert_msg(status->uuid.data[6] >> 4 == 4, "version of the uuid");
    ck_assert_msg(status->uuid.data[8] >> 6 == 2, "variant of the uuid");
    expect_no_update();
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 1);
    ck_assert(tasks_acknowledged(tasks, "t1", status->uuid.data, 16));
    ck_assert(!tasks_acknowledged(tasks, "t1", status->uuid.data, 16));
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 0);
    ck_assert_uint_eq(tasks_running(tasks), 1);
    release(call);
}
END_TEST

START_TEST(foreign_acknowledgements_change_nothing)
{
    uint8_t uuid[16] = {1};

    launch("t1");
    ck_assert(!tasks_acknowledged(tasks, "t1", uuid, 16));
    ck_assert(!tasks_acknowledged(tasks, "t1", uuid, 15));
    ck_assert(!tasks_acknowledged(tasks, "t1", NULL, 0));
    ck_assert(!tasks_acknowledged(tasks, "t2", uuid, 16));
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 1);
}
END_TEST

START_TEST(same_task_twice)
{
    ck_assert_int_eq(launch("t1"), 0);
    ck_assert_int_eq(launch("t1"), -EEXIST);
    ck_assert_uint_eq(tasks_running(tasks), 1);
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 1);
}
END_TEST

START_TEST(kill_once)
{
    launch("t1");
    launch("t2");
    ck_assert_int_eq(tasks_kill(tasks, "t3", "why", 2000), -ENOENT);
    ck_assert_int_eq(tasks_kill(tasks, "t1", "why", 2000), 0);
    ck_assert_int_eq(tasks_kill(tasks, "t1", "why", 2000), -ENOENT);
    ck_assert_uint_eq(tasks_running(tasks), 1);
    ck_assert_int_eq(tasks_kill_all(tasks, "end", 3000), 0);
    ck_assert_uint_eq(tasks_running(tasks), 0);
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 4);

    /* In order within a task; a task is forgotten with its last acknowledgement. */
    static const Mesos__V1__TaskState states[] = {
        MESOS__V1__TASK_STATE__TASK_RUNNING, MESOS__V1__TASK_STATE__TASK_KILLED,
        MESOS__V1__TASK_STATE__TASK_RUNNING, MESOS__V1__TASK_STATE__TASK_KILLED};
    for (int i = 0; i < 4; i++) {
        Mesos__V1__Executor__Call *call = next_update();
        const Mesos__V1__TaskStatus *status = call->update->status;
        ck_assert_int_eq(status->state, states[i]);
        ck_assert(tasks_acknowledged(tasks, i < 2 ? "t1" : "t2", status->uuid.data, 16));
        release(call);
    }
    ck_assert_uint_eq(tasks_unacknowledged(tasks), 0);
    ck_assert_int_eq(launch("t1"), 0);
}
END_TEST

START_TEST(subscribing_again_lists_the_unacknowledged)
{
    Mesos__V1__Executor__Call *call = subscribe();
    ck_assert_uint_eq(call->subscribe->n_unacknowledged_tasks, 0);
    ck_assert_uint_eq(call->subscribe->n_unacknowledged_updates, 0);
    release(call);

    launch("t1");
    launch("t2");
    call = next_update();
    ck_assert(tasks_acknowledged(tasks, "t1", call->update->status->uuid.data, 16));
    release(call);

    call = next_update();
    uint8_t uuid[16];
    memcpy(uuid, call->update->status->uuid.data, 16);
    release(call);
    tasks_kill(tasks, "t1", "why", 2000);

    call = subscribe();
    ck_assert_uint_eq(call->subscribe->n_unacknowledged_tasks, 1);
    ck_assert_str_eq(call->subscribe->unacknowledged_tasks[0]->task_id->value, "t2");
    ck_assert_str_eq(call->subscribe->unacknowledged_tasks[0]->agent_id->value, "agent-1");
    ck_assert_uint_eq(call->subscribe->n_unacknowledged_updates, 2);
    const Mesos__V1__TaskStatus *first = call->subscribe->unacknowledged_updates[0]->status;
    const Mesos__V1__TaskStatus *second = call->subscribe->unacknowledged_updates[1]->status;
    ck_assert_int_eq(first->state, MESOS__V1__TASK_STATE__TASK_KILLED);
    ck_assert_str_eq(first->message, "why");
    ck_assert_msg(memcmp(second->uuid.data, uuid, 16) == 0, "a repeated update keeps its uuid");
    release(call);

    /* All of it was told by that; told again only on demand. */
    expect_no_update();
    tasks_tell_again(tasks);
    release(next_update());
    call = next_update();
    ck_assert(memcmp(call->update->status->uuid.data, uuid, 16) == 0);
    release(call);
    expect_no_update();
}
END_TEST

/* ---- environment ---- */

static const char *variables[16][2];

static char *lookup(const char *name)
{
    for (int i = 0; i < 16 && variables[i][0]; i++)
        if (strcmp(variables[i][0], name) == 0)
            return (char *)variables[i][1];
    return NULL;
}

static void set_variables(const char *endpoint, const char *backoff)
{
    memset(variables, 0, sizeof(variables));
    memcpy(variables,
           (const char *[][2]){{"MESOS_FRAMEWORK_ID", "f"},
                               {"MESOS_EXECUTOR_ID", "e"},
                               {"MESOS_CHECKPOINT", "1"},
                               {"MESOS_RECOVERY_TIMEOUT", "15mins"},
                               {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "1.5secs"},
                               {"MESOS_AGENT_ENDPOINT", endpoint},
                               {"MESOS_SUBSCRIPTION_BACKOFF_MAX", backoff}},
           7 * sizeof(variables[0]));
}

START_TEST(environment_is_understood)
{
    struct environment environment;
    char error[160];

    set_variables("10.0.0.7:5051", "2secs");
    ck_assert_msg(environment_read(&environment, lookup, error, sizeof(error)), "%s", error);
    ck_assert_str_eq(environment.host, "10.0.0.7");
    ck_assert_uint_eq(environment.port, 5051);
    ck_assert_str_eq(environment.framework_id, "f");
    ck_assert_str_eq(environment.executor_id, "e");
    ck_assert_str_eq(environment.token, "");
    ck_assert(environment.checkpoint);
    ck_assert_uint_eq(environment.recovery_ms, 900000);
    ck_assert_uint_eq(environment.backoff_ms, 2000);
    ck_assert_uint_eq(environment.grace_ms, 1500);

    set_variables("[::1]:5051", NULL);
    variables[2][1] = "0";
    ck_assert(environment_read(&environment, lookup, error, sizeof(error)));
    ck_assert_str_eq(environment.host, "::1");
    ck_assert(!environment.checkpoint);
    ck_assert_uint_eq(environment.backoff_ms, 2000);
}
END_TEST

START_TEST(bad_environment_is_named)
{
    static const char *const endpoints[] = {
        NULL, "", "agent", "agent:", "agent:0", "agent:65536", ":5051", "agent:5051x"};
    struct environment environment;
    char error[160];

    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        set_variables(endpoints[i], NULL);
        ck_assert_msg(!environment_read(&environment, lookup, error, sizeof(error)), "%s",
                      endpoints[i]);
        ck_assert_msg(strstr(error, "MESOS_AGENT_ENDPOINT") != NULL, "%s", error);
    }
    set_variables("agent:5051", "2 secs");
    ck_assert(!environment_read(&environment, lookup, error, sizeof(error)));
    ck_assert_str_eq(error, "MESOS_SUBSCRIPTION_BACKOFF_MAX is not a duration: 2 secs");
}
END_TEST

/* ---- messages ---- */

START_TEST(questions_last)
{
    QuobyteMesos__Probe__Request request = QUOBYTE_MESOS__PROBE__REQUEST__INIT;
    static struct question question;
    uint32_t ports[REPORT_MOST_PORTS + 10];
    uint8_t bytes[4096];
    uint64_t sequence;

    for (uint32_t i = 0; i < REPORT_MOST_PORTS + 10; i++)
        ports[i] = 1000 + i;
    request.has_sequence = true;
    request.sequence = 5;
    request.n_ports = 2;
    request.ports = ports;
    request.mount_point = (char *)"/quobyte";
    size_t length = quobyte_mesos__probe__request__pack(&request, bytes);
    ck_assert(question_read(&question, bytes, length, &sequence));
    ck_assert_uint_eq(sequence, 5);
    ck_assert_uint_eq(question.n_ports, 2);
    ck_assert_uint_eq(question.ports[1], 1001);
    ck_assert_str_eq(question.mount_point, "/quobyte");

    /* Just "look again", and nonsense, leave it. */
    ck_assert(question_read(&question, bytes, 0, &sequence));
    ck_assert_uint_eq(sequence, 0);
    ck_assert(!question_read(&question, (const uint8_t *)"\xff\xff\xff", 3, &sequence));
    ck_assert_uint_eq(question.n_ports, 2);
    ck_assert_str_eq(question.mount_point, "/quobyte");

    request.n_ports = REPORT_MOST_PORTS + 10;
    request.mount_point = NULL;
    length = quobyte_mesos__probe__request__pack(&request, bytes);
    ck_assert(question_read(&question, bytes, length, &sequence));
    ck_assert_uint_eq(question.n_ports, REPORT_MOST_PORTS);
    ck_assert_str_eq(question.mount_point, "");
}
END_TEST

START_TEST(reports_say_all)
{
    struct qm_device device = {
        .type = QM_DEVICE_METADATA,
        .bootstrap = true,
        .mount = "/mnt/a",
        .filesystem = "xfs",
        .serial = "S",
        .model = "M",
        .id = "4",
        .warning = "odd",
        .size_mib = 1000,
        .free_mib = 10,
    };
    uint32_t listening[] = {7861, 7871};
    struct scan scan = {
        .devices = &device,
        .n_devices = 1,
        .listening = listening,
        .n_listening = 2,
        .has_mount_point = true,
        .boot_id = "boot",
        .warning = "w",
    };
    size_t length;
    uint8_t *bytes = report_pack(&scan, 9, &length);
    QuobyteMesos__Probe__Report *report = quobyte_mesos__probe__report__unpack(NULL, length, bytes);

    ck_assert_ptr_nonnull(report);
    ck_assert(report->has_sequence && report->sequence == 9);
    ck_assert_str_eq(report->boot_id, "boot");
    ck_assert_str_eq(report->warning, "w");
    ck_assert(report->has_mount_point);
    ck_assert_uint_eq(report->n_listening, 2);
    ck_assert_uint_eq(report->listening[1], 7871);
    ck_assert_uint_eq(report->n_devices, 1);
    const QuobyteMesos__Probe__Device *d = report->devices[0];
    ck_assert_int_eq(d->type, QUOBYTE_MESOS__PROBE__DEVICE__TYPE__METADATA);
    ck_assert(d->bootstrap);
    ck_assert_str_eq(d->mount, "/mnt/a");
    ck_assert_str_eq(d->filesystem, "xfs");
    ck_assert_str_eq(d->serial, "S");
    ck_assert_str_eq(d->model, "M");
    ck_assert_str_eq(d->id, "4");
    ck_assert_str_eq(d->warning, "odd");
    ck_assert_uint_eq(d->size_mib, 1000);
    ck_assert_uint_eq(d->free_mib, 10);
    quobyte_mesos__probe__report__free_unpacked(report, NULL);
    free(bytes);

    bytes = report_pack(&scan, 0, &length);
    report = quobyte_mesos__probe__report__unpack(NULL, length, bytes);
    ck_assert(!report->has_sequence);
    quobyte_mesos__probe__report__free_unpacked(report, NULL);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tasks");
    TCase *tcase = tcase_create("tasks");
    SRunner *runner;
    int failures;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, updates_are_what_the_agent_demands);
    tcase_add_test(tcase, foreign_acknowledgements_change_nothing);
    tcase_add_test(tcase, same_task_twice);
    tcase_add_test(tcase, kill_once);
    tcase_add_test(tcase, subscribing_again_lists_the_unacknowledged);
    tcase_add_test(tcase, environment_is_understood);
    tcase_add_test(tcase, bad_environment_is_named);
    tcase_add_test(tcase, questions_last);
    tcase_add_test(tcase, reports_say_all);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
