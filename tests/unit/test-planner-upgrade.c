/* Upgrades: order, rule 5, min_ready, surge, pause; repair beside them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "unit.h"

static const char *const one[] = {"h1", NULL};
static const char *const two[] = {"h1", "h2", NULL};
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

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Ends what was killed, offers everything, lets it run, waits for min_ready. */
static void go_on(const char *const *hosts, size_t *answered)
{
    for (; *answered < k.n_kills; (*answered)++)
        kit_status_as(&k, k.kills[*answered].id, k.kills[*answered].agent, QM_TASK_KILLED,
                      QM_SOURCE_EXECUTOR, -1);
    kit_drain(&k);
    kit_rounds(&k, 1, hosts);
    kit_wait(&k, 1100);
}

START_TEST(one_at_a_time_in_order)
{
    static const char *const order[] = {"registry.h1", "registry.h2", "registry.h3",
                                        "metadata.h1", "metadata.h2", "metadata.h3",
                                        "data.h1",     "data.h2",     "data.h3"};
    size_t answered = 0, stored = 0;

    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    for (int i = 0; i < 30; i++) {
        ck_assert_uint_le(k.n_kills - answered, 2); /* a step's, and one whose successor runs */
        go_on(three, &answered);
    }
    ck_assert_uint_eq(k.n_kills, 11);
    for (size_t i = 0; i < 11; i++) {
        if (starts_with(k.kills[i].id, "api.") || starts_with(k.kills[i].id, "webconsole."))
            continue;
        ck_assert_msg(starts_with(k.kills[i].id, order[stored]), "kill %zu is %s, not %s", i,
                      k.kills[i].id, order[stored]);
        stored++;
    }
    ck_assert_uint_eq(stored, 9);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    for (size_t i = 0; i < k.n_launches; i++)
        ck_assert_str_eq(k.launches[i].version, "1.1.6");
}
END_TEST

START_TEST(one_and_two_hosts_can_be_upgraded)
{
    static const char *const *const clusters[] = {one, two};
    static const size_t tasks[] = {5, 8};

    for (int c = 0; c < 2; c++) {
        size_t answered = 0;

        kit_deinit(&k);
        k.allocator = NULL;
        kit_init(&k, NULL);
        kit_deploy(&k, clusters[c], "RMD");
        kit_forget(&k);
        kit_post(&k, "1.1.6");
        kit_drain(&k);
        for (int i = 0; i < 30; i++)
            go_on(clusters[c], &answered);
        ck_assert_uint_eq(k.n_kills, tasks[c]);
        ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    }
}
END_TEST

START_TEST(nothing_is_stopped_before_the_target_is_saved)
{
    kit_deploy(&k, three, "RMD");
    k.hold_saves = true;
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_wait(&k, 3000);
    ck_assert_uint_eq(k.n_kills, 0);
    while (k.save_pending) {
        kit_saved(&k);
        kit_drain(&k);
    }
    ck_assert_uint_eq(k.n_kills, 1);
}
END_TEST

START_TEST(held_while_one_is_down)
{
    struct qm_reason why;

    kit_deploy(&k, three, "RMD");
    kit_status(&k, kit_task(&k, "registry", "h3"), QM_TASK_FAILED);
    kit_drain(&k);
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_wait(&k, 3000);
    ck_assert_uint_eq(k.n_kills, 0);
    why = kit_why(&k, "registry.h1");
    ck_assert_int_eq(why.code, QM_WHY_MAX_UNAVAILABLE);
    ck_assert_uint_eq(why.have, 1);
    ck_assert_uint_eq(why.want, 1);
    kit_wait(&k, 15000);
    kit_rounds(&k, 1, three); /* what is down comes first, straight at the target */
    ck_assert_str_eq(kit_launched(&k, "registry", "h3")->version, "1.1.6");
    kit_wait(&k, 1100);
    ck_assert_uint_eq(k.n_kills, 1);
}
END_TEST

START_TEST(registry_majority_with_a_higher_limit)
{
    size_t registries = 0;

    kit_deinit(&k);
    k.allocator = NULL;
    kit_init(&k, "services.registry.max_unavailable", "3", NULL);
    kit_deploy(&k, three, "R");
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_wait(&k, 3000);
    for (size_t i = 0; i < k.n_kills; i++)
        registries += starts_with(k.kills[i].id, "registry.");
    ck_assert_uint_eq(registries, 1);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_REGISTRY_MAJORITY);
    ck_assert_uint_eq(kit_why(&k, "registry.h2").want, 2);
}
END_TEST

START_TEST(one_failure_domain_at_a_time)
{
    static const struct qm_range ports[] = {{80, 80}, {8888, 8889}, {21000, 21100}};
    static const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = ports, .n_ranges = 3},
    };
    struct qm_reason why;

    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer_as(&k, "z1", "a-h1", "h1", resources, 4, "east");
    kit_offer_as(&k, "z2", "a-h2", "h2", resources, 4, "west");
    kit_offer_as(&k, "z3", "a-h3", "h3", resources, 4, "east");
    kit_drain(&k);
    for (size_t i = 0; i < 3; i++)
        kit_status_as(&k, k.launches[i].id, k.launches[i].agent, QM_TASK_RUNNING,
                      QM_SOURCE_EXECUTOR, -1);
    for (int i = 0; i < 3; i++)
        kit_report(&k, three[i], "RMD");
    kit_post(&k, "1.1.5");
    kit_drain(&k);
    for (int round = 0; round < 5; round++) {
        size_t from = k.n_launches;
        char id[32];

        for (int i = 0; i < 3; i++) {
            snprintf(id, sizeof(id), "r%d-%d", round, i);
            kit_offer_as(&k, id,
                         i == 0   ? "a-h1"
                         : i == 1 ? "a-h2"
                                  : "a-h3",
                         three[i], resources, 4, i == 1 ? "west" : "east");
        }
        kit_drain(&k);
        for (size_t i = from; i < k.n_launches; i++)
            kit_status_as(&k, k.launches[i].id, k.launches[i].agent, QM_TASK_RUNNING,
                          QM_SOURCE_EXECUTOR, -1);
        kit_drain(&k);
    }
    kit_wait(&k, 3000);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    kit_status(&k, kit_task(&k, "data", "h2"), QM_TASK_FAILED); /* something in the west is down */
    kit_drain(&k);
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_wait(&k, 1000);
    ck_assert_uint_eq(k.n_kills, 1); /* the registry in the west: its domain is touched already */
    ck_assert(starts_with(k.kills[0].id, "registry.h2"));
    why = kit_why(&k, "registry.h1");
    ck_assert_int_eq(why.code, QM_WHY_MAX_UNAVAILABLE);
}
END_TEST

START_TEST(min_ready_is_waited_for)
{
    struct qm_reason why;
    size_t answered = 0;

    kit_deinit(&k);
    k.allocator = NULL;
    kit_init(&k, "services.registry.min_ready_s", "60", NULL);
    kit_deploy(&k, two, "R");
    kit_wait(&k, 60000);
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    go_on(two, &answered);
    why = kit_why(&k, "registry.h1");
    ck_assert_int_eq(why.code, QM_WHY_MIN_READY);
    ck_assert_uint_eq(why.want, 60000);
    kit_wait(&k, 57000);
    ck_assert_uint_eq(k.n_kills, 1);
    kit_wait(&k, 3000);
    ck_assert_uint_eq(k.n_kills, 2);
}
END_TEST

START_TEST(floating_runs_twice_before_the_old_one_stops)
{
    size_t answered = 0;
    char old[160];

    kit_deploy(&k, three, "R");
    strcpy(old, kit_task(&k, "api", ""));
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    while (!kit_launched(&k, "api", ""))
        go_on(three, &answered);
    ck_assert_uint_eq(kit_count(&k, "api"), 1);
    for (size_t i = 0; i < k.n_kills; i++)
        if (strcmp(k.kills[i].id, old) == 0)
            return; /* after its successor was launched, see above */
    go_on(three, &answered);
    ck_assert(starts_with(k.kills[k.n_kills - 1].id, "api.") ||
              starts_with(k.kills[k.n_kills - 2].id, "api."));
}
END_TEST

START_TEST(paused_means_quiet)
{
    size_t answered = 0, kills;

    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_PAUSE), 0);
    go_on(three, &answered);
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->version, "1.1.6"); /* finished */
    kills = k.n_kills;
    kit_wait(&k, 60000);
    ck_assert_uint_eq(k.n_kills, kills);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_WAITING);
    kit_status(&k, kit_task(&k, "data", "h2"), QM_TASK_FAILED);
    kit_wait(&k, 15000);
    kit_rounds(&k, 1, three);
    ck_assert_str_eq(kit_launched(&k, "data", "h2")->version, "1.1.5"); /* repair goes on */
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_wait(&k, 5000);
    ck_assert_uint_gt(k.n_kills, kills);
}
END_TEST

START_TEST(repair_during_an_upgrade_takes_the_recorded_version)
{
    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    kit_drain(&k);
    kit_status(&k, kit_task(&k, "data", "h3"), QM_TASK_FAILED); /* its phase is far */
    kit_wait(&k, 15000);
    kit_offer(&k, "h3");
    kit_drain(&k);
    ck_assert_str_eq(kit_launched(&k, "data", "h3")->version, "1.1.5");
}
END_TEST

START_TEST(back_off_doubles_and_is_forgotten)
{
    qm_duration last = 0;

    kit_deploy(&k, one, "R");
    for (int i = 0; i < 4; i++) {
        struct qm_reason why;

        kit_status(&k, kit_task(&k, "registry", "h1"), QM_TASK_FAILED);
        kit_drain(&k);
        why = kit_why(&k, "registry.h1");
        ck_assert_int_eq(why.code, QM_WHY_BACKOFF);
        ck_assert_uint_eq(why.have, (uint64_t)i + 1);
        ck_assert_uint_gt(why.want, last + last / 2);
        last = why.want;
        kit_wait(&k, last + 1);
        kit_rounds(&k, 1, one);
    }
    kit_wait(&k, 700000);
    kit_status(&k, kit_task(&k, "registry", "h1"), QM_TASK_FAILED);
    kit_drain(&k);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code,
                     QM_WHY_NO_OFFER); /* stable for long: at once */
}
END_TEST

START_TEST(version_changed_before_anything_was_complete)
{
    size_t answered = 0;

    kit_hosts(&k, three, "RMD");
    kit_post(&k, "1.1.5");
    kit_rounds(&k, 1, three);
    ck_assert_uint_eq(kit_count(&k, "registry"), 3);
    kit_forget(&k);
    kit_post(&k, "1.1.6");
    for (int i = 0; i < 20; i++)
        go_on(three, &answered);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    for (size_t i = 0; i < k.n_launches; i++)
        ck_assert_str_eq(k.launches[i].version, "1.1.6");
    ck_assert_uint_eq(k.n_kills, 3); /* only what ran already */
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-upgrade");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_at_a_time_in_order);
    tcase_add_test(tcase, one_and_two_hosts_can_be_upgraded);
    tcase_add_test(tcase, nothing_is_stopped_before_the_target_is_saved);
    tcase_add_test(tcase, held_while_one_is_down);
    tcase_add_test(tcase, registry_majority_with_a_higher_limit);
    tcase_add_test(tcase, one_failure_domain_at_a_time);
    tcase_add_test(tcase, min_ready_is_waited_for);
    tcase_add_test(tcase, floating_runs_twice_before_the_old_one_stops);
    tcase_add_test(tcase, paused_means_quiet);
    tcase_add_test(tcase, repair_during_an_upgrade_takes_the_recorded_version);
    tcase_add_test(tcase, back_off_doubles_and_is_forgotten);
    tcase_add_test(tcase, version_changed_before_anything_was_complete);
    return unit_run("planner-upgrade", tcase);
}
