/*
 * Scenarios that are told: each is compared byte for byte with tests/scenario/NAME.txt, and judged
 * by the invariants on the way.
 */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

START_TEST(first_deployment)
{
    struct rig *rig = new_rig(3);

    post_and_complete(rig, "1.1.5");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    end_story(rig, "first-deployment");
}
END_TEST

START_TEST(upgrade)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    post_and_complete(rig, "1.1.6");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    ck_assert_uint_eq(rig_running(rig, NULL, NULL), 11);
    end_story(rig, "upgrade");
}
END_TEST

START_TEST(shut_down_and_back)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    ck_assert_int_eq(rig_post(rig, ""), 0);
    ck_assert_str_eq(qm_planner_target(rig->planner), "");
    ck_assert(rig_run(rig, rig_quiet, MINUTES(10)));
    ck_assert_uint_eq(rig_running(rig, "prober", NULL), 3);
    rig_run(rig, NULL, MINUTES(1));
    post_and_complete(rig, "1.1.5");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    end_story(rig, "shut-down-and-back");
}
END_TEST

START_TEST(shut_down_taken_back)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    ck_assert_int_eq(rig_post(rig, ""), 0);
    rig_run(rig, NULL, QM_SECONDS(8));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    post_and_complete(rig, "1.1.5");
    rig_run(rig, NULL, MINUTES(1));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    ck_assert_uint_eq(judge_launches(rig->judge, "registry", NULL), 3);
    end_story(rig, "shut-down-taken-back");
}
END_TEST

static bool ten_run(struct rig *rig)
{
    return rig_running(rig, NULL, "1.1.5") == 10;
}

START_TEST(host_too_small)
{
    struct rig_agent agents[] = {rig_agent_with("agent-1", true), rig_agent_with("agent-2", false),
                                 rig_agent_with("agent-3", false)};
    struct rig *rig;
    struct qm_reason reason;

    agents[2].resources = "cpus:16;mem:7900;disk:200000;ports:[80-80,8888-8889,21000-21100]";
    rig = new_rig_with((struct rig_options){.agents = agents, .n_agents = 3}, 0);
    ck_assert_int_eq(rig_post(rig, "1.1.5"), 0);
    ck_assert(rig_run(rig, ten_run, MINUTES(5)));
    rig_run(rig, NULL, MINUTES(1));
    ck_assert_uint_eq(rig_running(rig, "metadata", NULL), 2);
    ck_assert(!rig_plan_complete(rig));
    ck_assert(rig_reason(rig, "metadata.agent-3", QM_WHY_MEM, &reason));
    ck_assert_uint_eq(reason.want, 8192);
    ck_assert_uint_lt(reason.have, 8192);
    end_story(rig, "host-too-small");
}
END_TEST

static bool eleven_run(struct rig *rig)
{
    return rig_running(rig, NULL, NULL) == 11;
}

static bool eight_run(struct rig *rig)
{
    return rig_running(rig, NULL, NULL) <= 8;
}

START_TEST(agent_lost_and_back)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    rig_say(rig, "-- agent-3 is cut off");
    ck_assert_int_eq(sim_agent_partition(rig->sim, 2), 0);
    ck_assert(rig_run(rig, eight_run, MINUTES(10)));
    rig_run(rig, NULL, MINUTES(5));
    ck_assert_uint_eq(judge_launches(rig->judge, "data", "agent-3"), 1);
    rig_say(rig, "-- agent-3 is back");
    ck_assert_int_eq(sim_agent_heal(rig->sim, 2), 0);
    ck_assert(rig_run(rig, eleven_run, MINUTES(10)));
    rig_run(rig, NULL, MINUTES(1));
    ck_assert_uint_eq(judge_launches(rig->judge, "registry", NULL), 3);
    ck_assert_uint_eq(judge_launches(rig->judge, "data", NULL), 3);
    ck_assert_uint_eq(rig_running(rig, NULL, NULL), 11);
    end_story(rig, "agent-lost-and-back");
}
END_TEST

START_TEST(agent_back_under_new_id)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    rig_say(rig, "-- agent-3 comes back under a new id, after a reboot");
    rig->agents[2].boots++;
    ck_assert_int_eq(sim_agent_restart(rig->sim, 2, true), 0);
    rig_run(rig, NULL, QM_SECONDS(1));
    ck_assert(rig_run(rig, eleven_run, MINUTES(20)));
    rig_run(rig, NULL, MINUTES(1));
    ck_assert_uint_eq(judge_launches(rig->judge, "data", "agent-3"), 2);
    ck_assert_uint_eq(judge_launches(rig->judge, "data", "agent-1"), 1);
    end_story(rig, "agent-under-new-id");
}
END_TEST

START_TEST(unknown_tasks_adopted)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    rig_say(rig, "-- the record of agent-2 is lost");
    for (size_t i = 0; i < rig->n_records; i++) {
        if (strcmp(rig->records[i].key, "host/agent-2") == 0) {
            free(rig->records[i].data);
            rig->records[i].data = NULL;
        }
    }
    rig_crash(rig);
    rig_run(rig, NULL, MINUTES(3));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    ck_assert_uint_eq(judge_launches(rig->judge, "registry", "agent-2"), 1);
    ck_assert_uint_eq(judge_launches(rig->judge, "data", "agent-2"), 1);
    post_and_complete(rig, "1.1.6"); /* what was adopted is upgraded as everything else */
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    end_story(rig, "unknown-tasks-adopted");
}
END_TEST

START_TEST(one_agent_upgraded)
{
    struct rig *rig = new_rig(1);

    deploy_quietly(rig);
    post_and_complete(rig, "1.1.6");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 5);
    end_story(rig, "one-agent-upgraded");
}
END_TEST

START_TEST(two_agents_upgraded)
{
    struct rig *rig = new_rig(2);

    deploy_quietly(rig);
    post_and_complete(rig, "1.1.6");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 8);
    end_story(rig, "two-agents-upgraded");
}
END_TEST

START_TEST(saves_fail)
{
    struct rig *rig = new_rig(3);

    rig_run(rig, NULL, QM_SECONDS(5));
    rig->failing_saves = 3;
    post_and_complete(rig, "1.1.5");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    ck_assert_uint_eq(rig->failing_saves, 0);
    end_story(rig, "saves-fail");
}
END_TEST

START_TEST(device_appears)
{
    struct rig_agent agents[] = {rig_agent_with("agent-1", true), rig_agent_with("agent-2", false),
                                 rig_agent_with("agent-3", false)};
    struct rig *rig;

    agents[2].n_devices = 2;
    rig = new_rig_with((struct rig_options){.agents = agents, .n_agents = 3}, 0);
    deploy_quietly(rig);
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 10);
    rig_say(rig, "-- a data device is tagged on agent-3");
    rig->agents[2].devices[2] = agents[2].devices[2];
    rig->agents[2].devices[2].serial = strdup("late");
    rig->agents[2].n_devices = 3;
    rig_prober_report(rig, "agent-3");
    ck_assert(rig_run(rig, eleven_run, MINUTES(5)));
    end_story(rig, "device-appears");
}
END_TEST

START_TEST(pause_and_resume)
{
    struct rig *rig = new_rig(3);
    unsigned upgraded;

    deploy_quietly(rig);
    ck_assert_int_eq(rig_post(rig, "1.1.6"), 0);
    rig_run(rig, NULL, QM_SECONDS(4));
    ck_assert_int_eq(rig_command(rig, QM_COMMAND_PAUSE), 0);
    rig_run(rig, NULL, MINUTES(1)); /* a step that has stopped its task is finished */
    upgraded = rig_running(rig, NULL, "1.1.6");
    rig_run(rig, NULL, MINUTES(5));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), upgraded);
    ck_assert_uint_eq(rig_running(rig, NULL, NULL), 11);
    ck_assert_int_eq(rig_command(rig, QM_COMMAND_RESUME), 0);
    ck_assert(rig_run(rig, rig_plan_complete, MINUTES(30)));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    end_story(rig, "pause-and-resume");
}
END_TEST

START_TEST(task_fails_and_is_repaired)
{
    struct rig *rig = new_rig(3);
    const struct sim_framework *framework;
    const struct sim_task *task = NULL;
    struct sim_task_view view;

    deploy_quietly(rig);
    framework = sim_framework_next(rig->sim, false, NULL);
    while ((task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
        sim_task_look(task, &view);
        if (strcmp(view.info->name, "metadata") == 0)
            break;
    }
    ck_assert_ptr_nonnull(task);
    rig_say(rig, "-- a metadata service fails");
    ck_assert_int_eq(sim_task_fail(rig->sim, view.info->task_id->value), 0);
    rig_run(rig, NULL, QM_SECONDS(1));
    ck_assert_uint_eq(rig_running(rig, "metadata", NULL), 2);
    ck_assert(rig_run(rig, eleven_run, MINUTES(5)));
    end_story(rig, "task-repaired");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stories");
    TCase *tcase = tcase_create("stories");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, first_deployment);
    tcase_add_test(tcase, upgrade);
    tcase_add_test(tcase, shut_down_and_back);
    tcase_add_test(tcase, shut_down_taken_back);
    tcase_add_test(tcase, host_too_small);
    tcase_add_test(tcase, agent_lost_and_back);
    tcase_add_test(tcase, agent_back_under_new_id);
    tcase_add_test(tcase, unknown_tasks_adopted);
    tcase_add_test(tcase, one_agent_upgraded);
    tcase_add_test(tcase, two_agents_upgraded);
    tcase_add_test(tcase, saves_fail);
    tcase_add_test(tcase, device_appears);
    tcase_add_test(tcase, pause_and_resume);
    tcase_add_test(tcase, task_fails_and_is_repaired);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
