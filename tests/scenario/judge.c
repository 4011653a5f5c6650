/* The judge itself: each rule, broken on purpose, gets its complaint; the right way gets none. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "quobyte-mesos/state.pb-c.h"

static struct judge *judge;
static qm_time now;
static uint64_t revision;

static void set_up(void)
{
    judge = judge_new(&(struct judge_rules){
        .min_ready = 1000,
        .max_unavailable = 1,
        .registry_replicas = 3,
        .floating = 1,
        .shutdown_delay = 10000,
        .launch_patience = 900000,
        .offer_hold = 5000,
    });
    now = RIG_START;
    revision = 0;
}

static void tear_down(void)
{
    judge_free(judge);
}

static void tell(struct qm_fact fact)
{
    fact.time = now;
    judge_fact(judge, &fact, 0);
}

static void act(struct qm_action action)
{
    judge_action(judge, now, &action);
}

static void offer(const char *id, const char *host)
{
    tell((struct qm_fact){.type = QM_FACT_OFFER,
                          .offer = {.id = id, .agent_id = host, .hostname = host}});
}

/* Saves and confirms records: the target, and for each host one task. */
static void save(const char *host, const char *task_id, const char *target)
{
    QuobyteMesos__State__Framework framework = QUOBYTE_MESOS__STATE__FRAMEWORK__INIT;
    QuobyteMesos__State__Target of = QUOBYTE_MESOS__STATE__TARGET__INIT;
    QuobyteMesos__State__Host message = QUOBYTE_MESOS__STATE__HOST__INIT;
    QuobyteMesos__State__Task task = QUOBYTE_MESOS__STATE__TASK__INIT, *tasks[] = {&task};
    uint8_t packed[2][1024];
    char key[64];
    struct qm_record records[2] = {{.key = "framework", .data = packed[0]},
                                   {.key = key, .data = packed[1]}};

    framework.format = message.format = 1;
    of.version = (char *)target;
    framework.target = &of;
    task.service = task.agent_id = message.name = (char *)host;
    task.task_id = (char *)task_id;
    message.tasks = tasks;
    message.n_tasks = 1;
    snprintf(key, sizeof(key), "host/%s", host);
    records[0].length = quobyte_mesos__state__framework__pack(&framework, packed[0]);
    records[1].length = quobyte_mesos__state__host__pack(&message, packed[1]);
    act((struct qm_action){
        .type = QM_ACTION_SAVE,
        .save = {.revision = ++revision, .records = records, .n_records = 2},
    });
    tell((struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = revision});
}

static void launch(const char *service, const char *task_id, const char *host, const char *version)
{
    const struct qm_task_template template = {.service = service, .version = version};
    const struct qm_task_launch task = {
        .template_ = &template, .task_id = task_id, .hostname = host};
    char id[64];
    const char *ids[] = {id};

    snprintf(id, sizeof(id), "offer-of-%s", task_id);
    offer(id, host);
    act((struct qm_action){
        .type = QM_ACTION_LAUNCH,
        .launch =
            {.agent_id = host, .offer_ids = ids, .n_offer_ids = 1, .tasks = &task, .n_tasks = 1},
    });
}

static void status(const char *task_id, enum qm_task_state state)
{
    tell((struct qm_fact){.type = QM_FACT_TASK_STATUS,
                          .status = {.task_id = task_id, .state = state}});
}

static void kill_task(const char *task_id)
{
    act((struct qm_action){.type = QM_ACTION_KILL, .kill = {.task_id = task_id, .agent_id = "a"}});
}

static void order(enum qm_command_type type, const char *version)
{
    tell((struct qm_fact){.type = QM_FACT_COMMAND, .command = {.type = type, .version = version}});
}

/* Three registries at version 1, available. */
static void three_run(void)
{
    static const char *const ids[] = {"r1", "r2", "r3"}, *const hosts[] = {"h1", "h2", "h3"};

    order(QM_COMMAND_SET_TARGET, "1");
    for (int i = 0; i < 3; i++) {
        save(hosts[i], ids[i], "1");
        launch("registry", ids[i], hosts[i], "1");
        status(ids[i], QM_TASK_RUNNING);
    }
    now += 2000;
}

static void expect_none(void)
{
    ck_assert_str_eq(judge_complaints(judge), "");
}

static void expect_rule(const char *rule)
{
    ck_assert_msg(strncmp(judge_complaints(judge), rule, strlen(rule)) == 0, "wanted %s, got: %s",
                  rule, judge_complaints(judge));
}

START_TEST(right_way)
{
    three_run();
    order(QM_COMMAND_SET_TARGET, "2");
    save("h1", "r1", "2");
    kill_task("r1");
    status("r1", QM_TASK_KILLED);
    save("h1", "r4", "2");
    launch("registry", "r4", "h1", "2");
    status("r4", QM_TASK_RUNNING);
    now += 2000;
    kill_task("r2");
    expect_none();
}
END_TEST

START_TEST(two_tasks_in_one_place)
{
    three_run();
    save("h1", "r4", "1");
    launch("registry", "r4", "h1", "1");
    expect_rule("I1");
}
END_TEST

START_TEST(task_id_used_twice)
{
    three_run();
    status("r1", QM_TASK_FAILED);
    launch("registry", "r1", "h1", "1");
    expect_rule("I1");
}
END_TEST

START_TEST(place_of_an_unreachable_task)
{
    three_run();
    status("r1", QM_TASK_UNREACHABLE);
    save("h1", "r4", "1");
    launch("registry", "r4", "h1", "1");
    expect_rule("I1");
}
END_TEST

START_TEST(launch_before_save)
{
    launch("registry", "r1", "h1", "1");
    expect_rule("I2");
}
END_TEST

START_TEST(kill_before_target_is_saved)
{
    three_run();
    order(QM_COMMAND_SET_TARGET, "2");
    kill_task("r1");
    expect_rule("I2");
}
END_TEST

START_TEST(two_stops_at_once)
{
    three_run();
    order(QM_COMMAND_SET_TARGET, "2");
    save("h1", "r1", "2");
    kill_task("r1");
    status("r1", QM_TASK_KILLED);
    kill_task("r2");
    expect_rule("I4");
}
END_TEST

START_TEST(stop_before_min_ready)
{
    three_run();
    order(QM_COMMAND_SET_TARGET, "2");
    save("h1", "r4", "2");
    kill_task("r1");
    status("r1", QM_TASK_KILLED);
    launch("registry", "r4", "h1", "2");
    status("r4", QM_TASK_RUNNING);
    now += 500;
    kill_task("r2");
    expect_rule("I4");
}
END_TEST

START_TEST(offer_answered_twice)
{
    const char *ids[] = {"o"};

    offer("o", "h1");
    for (int i = 0; i < 2; i++)
        act((struct qm_action){.type = QM_ACTION_DECLINE,
                               .decline = {.offer_ids = ids, .n_offer_ids = 1}});
    expect_rule("I5");
}
END_TEST

START_TEST(offer_kept)
{
    offer("o", "h1");
    now += 6000;
    judge_drained(judge, NULL, now);
    expect_rule("I5");
}
END_TEST

START_TEST(status_not_acknowledged)
{
    tell((struct qm_fact){.type = QM_FACT_TASK_STATUS,
                          .status = {.task_id = "t", .has_uuid = true, .uuid = {1}}});
    judge_drained(judge, NULL, now);
    expect_rule("I5");
}
END_TEST

START_TEST(status_acknowledged_twice)
{
    tell((struct qm_fact){.type = QM_FACT_TASK_STATUS,
                          .status = {.task_id = "t", .has_uuid = true, .uuid = {1}}});
    for (int i = 0; i < 2; i++)
        act((struct qm_action){.type = QM_ACTION_ACKNOWLEDGE,
                               .acknowledge = {.task_id = "t", .agent_id = "a", .uuid = {1}}});
    expect_rule("I5");
}
END_TEST

START_TEST(kill_without_reason)
{
    three_run();
    kill_task("r1");
    expect_rule("I6");
}
END_TEST

START_TEST(kill_of_a_young_launch)
{
    three_run();
    status("r1", QM_TASK_FAILED);
    save("h1", "r4", "1");
    launch("registry", "r4", "h1", "1");
    status("r4", QM_TASK_STAGING);
    now += 899000;
    kill_task("r4");
    expect_rule("I6");
}
END_TEST

START_TEST(kill_of_what_began)
{
    three_run();
    now += 901000;
    kill_task("r1");
    expect_rule("I6");
}
END_TEST

START_TEST(kill_within_the_grace)
{
    three_run();
    order(QM_COMMAND_SHUT_DOWN, "");
    save("h1", "r1", "");
    now += 9000;
    kill_task("r1");
    expect_rule("I6");
}
END_TEST

START_TEST(kill_while_paused)
{
    three_run();
    order(QM_COMMAND_SET_TARGET, "2");
    save("h1", "r1", "2");
    order(QM_COMMAND_PAUSE, "");
    kill_task("r1");
    expect_rule("I7");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("judge");
    TCase *tcase = tcase_create("judge");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, right_way);
    tcase_add_test(tcase, two_tasks_in_one_place);
    tcase_add_test(tcase, task_id_used_twice);
    tcase_add_test(tcase, place_of_an_unreachable_task);
    tcase_add_test(tcase, launch_before_save);
    tcase_add_test(tcase, kill_before_target_is_saved);
    tcase_add_test(tcase, two_stops_at_once);
    tcase_add_test(tcase, stop_before_min_ready);
    tcase_add_test(tcase, offer_answered_twice);
    tcase_add_test(tcase, offer_kept);
    tcase_add_test(tcase, status_not_acknowledged);
    tcase_add_test(tcase, status_acknowledged_twice);
    tcase_add_test(tcase, kill_without_reason);
    tcase_add_test(tcase, kill_of_a_young_launch);
    tcase_add_test(tcase, kill_of_what_began);
    tcase_add_test(tcase, kill_within_the_grace);
    tcase_add_test(tcase, kill_while_paused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
