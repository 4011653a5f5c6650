/* Deployment and shut down: order, barriers, bootstrap, what waits for what. */
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "unit.h"

static const char *const one[] = {"h1", NULL};
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

START_TEST(prober_needs_no_target)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "prober"), 1);
    ck_assert_str_eq(kit_launched(&k, "prober", "h1")->executor, k.launches[0].id);
    ck_assert_uint_eq(k.n_launches, 1);
}
END_TEST

START_TEST(order_and_barriers)
{
    kit_hosts(&k, three, "RMD");
    kit_forget(&k);
    kit_post(&k, "1.1.5");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_REVIVE], 1);
    for (int i = 0; i < 3; i++)
        kit_offer(&k, three[i]);
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "registry"), 3);
    ck_assert_uint_eq(k.n_launches, 3);
    ck_assert_int_eq(kit_why(&k, "metadata.h1").code, QM_WHY_PHASE);
    ck_assert_str_eq(kit_why(&k, "metadata.h1").subject, "registry");
    kit_status(&k, kit_launched(&k, "registry", "h1")->id, QM_TASK_RUNNING);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 3); /* one of three is no majority */
    kit_status(&k, kit_launched(&k, "registry", "h2")->id, QM_TASK_RUNNING);
    kit_drain(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "metadata", "h1"));
    ck_assert_uint_eq(kit_count(&k, "api"), 1);
    ck_assert_uint_eq(kit_count(&k, "webconsole"), 1);
    ck_assert_ptr_null(kit_launched(&k, "data", ""));
    kit_status(&k, kit_launched(&k, "metadata", "h1")->id, QM_TASK_RUNNING);
    kit_drain(&k);
    for (int i = 0; i < 3; i++)
        kit_offer(&k, three[i]);
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "data"), 3);
    ck_assert_uint_eq(kit_count(&k, "metadata"), 3);
}
END_TEST

START_TEST(api_holds_nobody)
{
    kit_hosts(&k, one, "RMD");
    kit_post(&k, "1.1.5");
    for (int i = 0; i < 4; i++) {
        kit_offer(&k, "h1");
        kit_drain(&k);
        for (size_t n = 0; n < k.n_launches; n++)
            if (strcmp(k.launches[n].service, "api") != 0)
                kit_status(&k, k.launches[n].id, QM_TASK_RUNNING);
        kit_drain(&k);
    }
    ck_assert_ptr_nonnull(kit_launched(&k, "data", "h1"));
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_IN_PROGRESS);
}
END_TEST

START_TEST(bootstrap_first_and_alone)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_rounds(&k, 1, three);
    kit_report(&k, "h1", "rmd");
    kit_report(&k, "h2", "Bmd");
    kit_report(&k, "h3", "rmd");
    kit_post(&k, "1.1.5");
    kit_forget(&k);
    for (int i = 0; i < 3; i++)
        kit_offer(&k, three[i]);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_str_eq(k.launches[0].host, "h2");
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_BOOTSTRAP_FIRST);
    kit_healthy(&k, k.launches[0].id, false);
    kit_drain(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1); /* RUNNING is not enough */
    kit_healthy(&k, k.launches[0].id, true);
    kit_drain(&k);
    kit_offer(&k, "h1");
    kit_offer(&k, "h3");
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "registry"), 3);
}
END_TEST

START_TEST(second_bootstrap_is_not_started)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_rounds(&k, 1, three);
    kit_report(&k, "h1", "R");
    kit_report(&k, "h2", "B");
    kit_report(&k, "h3", "R");
    kit_post(&k, "1.1.5");
    kit_rounds(&k, 3, three);
    ck_assert_uint_eq(kit_count(&k, "registry"), 2);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_SECOND_BOOTSTRAP);
}
END_TEST

START_TEST(waits_for_reports_at_most_half_a_minute)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_rounds(&k, 1, three);
    kit_report(&k, "h1", "RMD");
    kit_post(&k, "1.1.5");
    kit_drain(&k);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_PROBING);
    kit_forget(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    kit_wait(&k, 31000);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "registry"), 1);
}
END_TEST

START_TEST(no_registry_device)
{
    struct qm_plan_view *v;

    kit_hosts(&k, one, "MD");
    kit_post(&k, "1.1.5");
    kit_rounds(&k, 3, one);
    ck_assert_int_eq(qm_plan_view_new(k.p, &v), 0);
    ck_assert_int_eq(v->reason.code, QM_WHY_NO_REGISTRY_DEVICE);
    qm_plan_view_free(v);
    ck_assert_int_eq(kit_why(&k, "metadata.h1").code, QM_WHY_NO_REGISTRY_DEVICE);
    ck_assert_uint_eq(kit_count(&k, "metadata"), 0);
    kit_report(&k, "h1", "MDR");
    kit_rounds(&k, 4, one);
    ck_assert_uint_eq(kit_count(&k, "data"), 1);
}
END_TEST

START_TEST(kind_without_devices_is_a_warning)
{
    struct qm_plan_view *v;

    kit_deploy(&k, one, "RD");
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    ck_assert_int_eq(qm_plan_view_new(k.p, &v), 0);
    for (size_t i = 0; i < v->n_phases; i++)
        if (strcmp(v->phases[i].service, "metadata") == 0) {
            ck_assert_str_eq(v->phases[i].warning, "no metadata device");
            ck_assert_int_eq(v->phases[i].status, QM_STATUS_COMPLETE);
        }
    qm_plan_view_free(v);
}
END_TEST

START_TEST(same_version_changes_nothing)
{
    uint64_t revision;

    kit_deploy(&k, one, "RMD");
    revision = qm_planner_revision(k.p);
    kit_forget(&k);
    ck_assert_int_eq(kit_post(&k, "1.1.5"), 0);
    kit_drain(&k);
    ck_assert_uint_eq(qm_planner_revision(k.p), revision);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_SAVE], 0);
    ck_assert_int_eq(kit_post(&k, "1.1.5; rm"), QM_E_INVALID);
    ck_assert_str_eq(qm_planner_target(k.p), "1.1.5");
}
END_TEST

START_TEST(shut_down_after_its_grace)
{
    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    ck_assert_int_eq(kit_post(&k, ""), 0);
    kit_drain(&k);
    ck_assert_int_eq(kit_why(&k, "data.h1").code, QM_WHY_SHUTDOWN_GRACE);
    kit_wait(&k, 9900);
    ck_assert_uint_eq(k.n_kills, 0);
    kit_wait(&k, 200);
    ck_assert_uint_eq(k.n_kills, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(strncmp(k.kills[i].id, "data.", 5) == 0);
        kit_status_as(&k, k.kills[i].id, k.kills[i].agent, QM_TASK_KILLED, QM_SOURCE_EXECUTOR, -1);
    }
    kit_drain(&k);
    ck_assert_uint_eq(k.n_kills, 6);
    ck_assert(strncmp(k.kills[5].id, "metadata.", 9) == 0);
    for (int round = 0; round < 8; round++) {
        for (size_t i = 3; i < k.n_kills; i++)
            kit_status_as(&k, k.kills[i].id, k.kills[i].agent, QM_TASK_KILLED, QM_SOURCE_EXECUTOR,
                          -1);
        kit_drain(&k);
    }
    ck_assert_uint_eq(k.n_kills, 11);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    ck_assert_str_eq(qm_planner_target(k.p), "");
    ck_assert_str_ne(kit_task(&k, "prober", "h1"), "");
    kit_rounds(&k, 2, three);
    ck_assert_uint_eq(k.n_launches, 0);
}
END_TEST

START_TEST(shut_down_is_taken_back)
{
    kit_deploy(&k, one, "RMD");
    kit_forget(&k);
    kit_post(&k, "");
    kit_wait(&k, 5000);
    kit_post(&k, "1.1.5");
    kit_wait(&k, 30000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
}
END_TEST

START_TEST(kills_are_repeated)
{
    kit_deploy(&k, one, "R");
    kit_forget(&k);
    kit_post(&k, "");
    kit_wait(&k, 40000);
    ck_assert_uint_ge(k.n_kills, 4); /* api, webconsole and registry wait for each other */
    ck_assert_str_eq(k.kills[0].id, k.kills[1].id);
    ck_assert_str_ne(k.kills[0].agent, "");
}
END_TEST

START_TEST(no_target_is_not_shut_down)
{
    kit_hosts(&k, one, "RMD");
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    kit_wait(&k, 60000);
    ck_assert_uint_eq(k.n_kills, 0);
}
END_TEST

START_TEST(too_small_for_metadata)
{
    static const struct qm_range ports[] = {{8888, 8889}, {21000, 21100}};
    static const struct qm_resource small[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 8000},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = ports, .n_ranges = 2},
    };
    struct qm_reason why;
    char text[256];

    kit_deploy(&k, one, "R");
    kit_report(&k, "h1", "RMD");
    kit_drain(&k);
    kit_offer_as(&k, "small", "a-h1", "h1", small, 4, "");
    kit_drain(&k);
    why = kit_why(&k, "metadata.h1");
    ck_assert_int_eq(why.code, QM_WHY_MEM);
    ck_assert_uint_eq(why.have, 8000);
    ck_assert_uint_eq(why.want, 8192);
    qm_reason_format(&why, text, sizeof(text));
    ck_assert_str_eq(text, "mem: 8000 MiB offered, 8192 MiB needed");
    ck_assert_ptr_nonnull(kit_launched(&k, "data", "h1")); /* what fits starts */
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-deploy");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, prober_needs_no_target);
    tcase_add_test(tcase, order_and_barriers);
    tcase_add_test(tcase, api_holds_nobody);
    tcase_add_test(tcase, bootstrap_first_and_alone);
    tcase_add_test(tcase, second_bootstrap_is_not_started);
    tcase_add_test(tcase, waits_for_reports_at_most_half_a_minute);
    tcase_add_test(tcase, no_registry_device);
    tcase_add_test(tcase, kind_without_devices_is_a_warning);
    tcase_add_test(tcase, same_version_changes_nothing);
    tcase_add_test(tcase, shut_down_after_its_grace);
    tcase_add_test(tcase, shut_down_is_taken_back);
    tcase_add_test(tcase, kills_are_repeated);
    tcase_add_test(tcase, no_target_is_not_shut_down);
    tcase_add_test(tcase, too_small_for_metadata);
    return unit_run("planner-deploy", tcase);
}
