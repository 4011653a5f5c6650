/* Orders to stop: what ends them before the task has ended. */
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "unit.h"

static const char *const three[] = {"h1", "h2", "h3", NULL};

static struct kit k;

static void setup(void)
{
    k.allocator = NULL;
    kit_init(&k, NULL);
}

static void teardown(void)
{
    kit_deinit(&k);
}

static void lose(const char *task_id, const char *agent)
{
    kit_status_as(&k, task_id, agent, QM_TASK_UNREACHABLE, QM_SOURCE_MASTER, -1);
    kit_drain(&k);
}

START_TEST(what_comes_back_is_decided_on_anew)
{
    char h1[160], h2[160];

    kit_deploy(&k, three, "RMD");
    strcpy(h1, kit_task(&k, "registry", "h1"));
    strcpy(h2, kit_task(&k, "registry", "h2"));
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_str_eq(k.kills[0].id, h1);
    lose(h1, "a-h1");
    kit_status(&k, h2, QM_TASK_FAILED);
    kit_drain(&k);
    kit_forget(&k);
    kit_healthy(&k, h1, true); /* the kill never reached it */
    kit_drain(&k);
    kit_wait(&k, 7000); /* longer than kills are repeated */
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_stage(&k, h1), QM_STAGE_HEALTHY);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_MAX_UNAVAILABLE);
}
END_TEST

START_TEST(a_kill_on_its_way_is_no_failure)
{
    char h1[160];

    kit_deploy(&k, three, "RMD");
    strcpy(h1, kit_task(&k, "registry", "h1"));
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_DISCONNECTED});
    kit_drain(&k);
    kit_subscribe(&k);
    kit_healthy(&k, h1, true);
    kit_status(&k, h1, QM_TASK_KILLED);
    kit_drain(&k);
    ck_assert_int_ne(kit_why(&k, "registry.h1").code, QM_WHY_BACKOFF);
}
END_TEST

START_TEST(a_version_ends_the_wish_to_shut_down)
{
    char registry[160];

    kit_deploy(&k, three, "RMD");
    strcpy(registry, kit_task(&k, "registry", "h2"));
    lose(registry, "a-h2");
    kit_forget(&k);
    kit_post(&k, "");
    for (int i = 0; i < 20; i++) {
        kit_wait(&k, 2000);
        for (size_t n = 0; n < k.n_kills; n++)
            kit_status_as(&k, k.kills[n].id, k.kills[n].agent, QM_TASK_KILLED, QM_SOURCE_EXECUTOR,
                          -1);
        kit_forget(&k);
    }
    ck_assert_str_eq(kit_task(&k, "registry", "h1"), "");
    kit_post(&k, "1.1.5");
    kit_drain(&k);
    kit_forget(&k);
    kit_healthy(&k, registry, true);
    kit_wait(&k, 7000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_stage(&k, registry), QM_STAGE_HEALTHY);
}
END_TEST

START_TEST(orders_not_given_out_are_recalled)
{
    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    kit_post(&k, "");
    kit_drain(&k);
    k.hold_saves = true;
    kit_wait(&k, 10100); /* it begins, and its kills wait for the save */
    ck_assert_uint_eq(k.n_kills, 0);
    kit_post(&k, "1.1.5");
    k.hold_saves = false;
    kit_saved(&k);
    kit_wait(&k, 7000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
}
END_TEST

START_TEST(a_launch_that_nobody_starts_is_taken_back)
{
    char lost[160];

    kit_hosts(&k, three, "RMD");
    kit_post(&k, "1.1.5");
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "registry", "h1"));
    strcpy(lost, kit_launched(&k, "registry", "h1")->id);
    kit_forget(&k);
    kit_status(&k, lost, QM_TASK_STAGING); /* the master's word, again and again */
    kit_wait(&k, 1799000);
    ck_assert_uint_eq(k.n_kills, 0);
    kit_wait(&k, 2000);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_str_eq(k.kills[0].id, lost);
    kit_status(&k, lost, QM_TASK_DROPPED); /* the agent cannot find it */
    kit_drain(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "registry", "h1"));
    ck_assert_str_ne(kit_launched(&k, "registry", "h1")->id, lost);
}
END_TEST

START_TEST(a_slow_start_is_waited_for)
{
    char slow[160];

    kit_hosts(&k, three, "RMD");
    kit_post(&k, "1.1.5");
    kit_offer(&k, "h1");
    kit_drain(&k);
    strcpy(slow, kit_launched(&k, "registry", "h1")->id);
    kit_forget(&k);
    kit_status(&k, slow, QM_TASK_STARTING); /* its agent has it */
    kit_wait(&k, 3600000);
    ck_assert_uint_eq(k.n_kills, 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-stops");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_comes_back_is_decided_on_anew);
    tcase_add_test(tcase, a_kill_on_its_way_is_no_failure);
    tcase_add_test(tcase, a_version_ends_the_wish_to_shut_down);
    tcase_add_test(tcase, orders_not_given_out_are_recalled);
    tcase_add_test(tcase, a_launch_that_nobody_starts_is_taken_back);
    tcase_add_test(tcase, a_slow_start_is_waited_for);
    return unit_run("planner-stops", tcase);
}
