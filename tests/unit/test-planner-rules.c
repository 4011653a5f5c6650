/* The rollout's own rules: budget, time-out, windows, canary, limits, pauses between domains. */
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "rule_window.h"
#include "unit.h"

#define MONDAY ((qm_time)4 * 24 * 3600 * 1000) /* 1970-01-05 */
#define HOURS(n) ((qm_duration)((n) * 3600000.0))

static const char *const three[] = {"h1", "h2", "h3", NULL};
static struct kit k;

static void setup(void)
{
    k.allocator = NULL;
}

static void teardown(void)
{
    kit_deinit(&k);
}

static struct qm_reason plan_reason(void)
{
    struct qm_plan_view *view;
    struct qm_reason reason;

    ck_assert_int_eq(qm_plan_view_new(k.p, &view), 0);
    reason = view->reason;
    ck_assert(reason.code == QM_WHY_NOTHING || view->status != QM_STATUS_COMPLETE);
    qm_plan_view_free(view);
    return reason;
}

/* What we kill ends. */
static void end_killed(void)
{
    for (size_t i = 0; i < k.n_kills; i++)
        kit_status(&k, k.kills[i].id, QM_TASK_KILLED);
    kit_drain(&k);
}

static void begin_upgrade(const char *version)
{
    kit_forget(&k);
    ck_assert_int_eq(kit_post(&k, version), 0);
    kit_drain(&k);
    kit_wait(&k, 5000);
}

/* Offers of all hosts; what is launched ends so, or runs. True: something was launched. */
static bool launch_and(enum qm_task_state state)
{
    size_t from = k.n_launches;

    for (size_t i = 0; three[i]; i++)
        kit_offer(&k, three[i]);
    kit_drain(&k);
    for (size_t i = from; i < k.n_launches; i++)
        kit_status(&k, k.launches[i].id, state);
    kit_drain(&k);
    return k.n_launches > from;
}

static void go_on(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        size_t from = k.n_kills;

        launch_and(QM_TASK_RUNNING);
        kit_wait(&k, 6000);
        for (size_t n = from; n < k.n_kills; n++)
            kit_status(&k, k.kills[n].id, QM_TASK_KILLED);
        kit_drain(&k);
    }
}

/* Kills are repeated until the end is proven: tasks are counted. "" is any service. */
static size_t kills_of(const char *service)
{
    size_t n = 0;

    for (size_t i = 0; i < k.n_kills; i++) {
        bool again = false;

        for (size_t j = 0; j < i; j++)
            again |= strcmp(k.kills[i].id, k.kills[j].id) == 0;
        n += !again && strncmp(k.kills[i].id, service, strlen(service)) == 0;
    }
    return n;
}

START_TEST(window_words)
{
    static const char *const good[] = {"Sat 22:00-06:00 +02:00", "Mon-Fri 01:00-05:00 Z",
                                       "daily 00:00-24:00 UTC", "Sun-Mon 10:00-11:30 -05:30"};
    static const char *const bad[] = {"",
                                      "Sat",
                                      "Sat 22:00-06:00",
                                      "Sat 22:00-22:00 Z",
                                      "Sat 25:00-06:00 Z",
                                      "sat 22:00-06:00 Z",
                                      "Sat 22:00-06:00 Z ",
                                      "Sat 22:00-06:00 +2",
                                      "Sat 2:00-06:00 Z",
                                      "Sat 24:00-06:00 Z",
                                      "Sat 22:60-06:00 Z"};
    struct qm_window window;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(qm_window_parse(good[i], &window), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!qm_window_parse(bad[i], &window), "%s", bad[i]);
}
END_TEST

/* When each window opens next, in hours; 0 is now. */
START_TEST(window_times)
{
    static const struct {
        const char *text;
        double at, wait;
    } cases[] = {
        {"Sat 22:00-06:00 Z", 0, 142},     {"Sat 22:00-06:00 Z", 142, 0},
        {"Sat 22:00-06:00 Z", 149.5, 0},   {"Sat 22:00-06:00 Z", 150, 160},
        {"Sat 22:00-06:00 +02:00", 0, 140}, {"Sat 22:00-06:00 -02:00", 0, 144},
        {"Mon 00:00-01:00 +02:00", 0, 166}, {"Mon-Wed 08:00-09:00 Z", 9, 23},
        {"Mon-Wed 08:00-09:00 Z", 57, 119}, {"Sun 23:00-02:00 Z", 1, 0},
        {"Sun-Mon 23:00-02:00 Z", 25.5, 0}, {"daily 00:00-24:00 Z", 100, 0},
        {"daily 08:00-09:00 Z", 164, 12},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qm_window window;

        ck_assert(qm_window_parse(cases[i].text, &window));
        for (int week = 0; week < 2; week++)
            ck_assert_msg(qm_windows_open_in(&window, 1,
                                             MONDAY + HOURS(cases[i].at + 168 * week * 2900)) ==
                              HOURS(cases[i].wait),
                          "case %zu: %s", i, cases[i].text);
    }
    ck_assert_uint_eq(qm_windows_open_in(NULL, 0, 5), 0);
}
END_TEST

START_TEST(one_failure_is_borne)
{
    kit_init(&k, NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    ck_assert_uint_eq(kills_of(""), 1);
    end_killed();
    ck_assert(launch_and(QM_TASK_FAILED));
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
    go_on(60);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
}
END_TEST

/* Three failures before RUNNING: paused by name, and the instance is put back. */
static void spend_budget(void)
{
    begin_upgrade("1.1.6");
    end_killed();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
        ck_assert(launch_and(QM_TASK_FAILED));
        ck_assert_str_eq(k.launches[k.n_launches - 1].version, "1.1.6");
        kit_wait(&k, 300000);
    }
    ck_assert_int_eq(plan_reason().code, QM_WHY_FAILURES);
}

START_TEST(over_budget_pauses_and_puts_back)
{
    struct qm_reason reason;

    kit_init(&k, NULL);
    kit_deploy(&k, three, "RMD");
    spend_budget();
    reason = plan_reason();
    ck_assert_str_eq(reason.subject, "registry.h1");
    ck_assert_uint_eq(reason.have, 3);
    ck_assert_uint_eq(reason.want, 2);
    ck_assert(launch_and(QM_TASK_RUNNING));
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->version, "1.1.5");
    go_on(20);
    ck_assert_uint_eq(kills_of(""), 1); /* nothing else was touched */
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_WAITING);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_drain(&k);
    go_on(60);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), QM_E_CONFLICT);
}
END_TEST

START_TEST(pause_outlives_a_crash)
{
    kit_init(&k, NULL);
    kit_deploy(&k, three, "RMD");
    spend_budget();
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_FAILURES);
    ck_assert_str_eq(plan_reason().subject, "registry.h1");
    kit_forget(&k);
    kit_report(&k, "h1", "RMD");
    kit_wait(&k, 120000);
    ck_assert(launch_and(QM_TASK_RUNNING));
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->version, "1.1.5");
}
END_TEST

/* What got to RUNNING may have written in its own way: it is repaired at its own version. */
START_TEST(what_ran_is_not_put_back)
{
    kit_init(&k, "rollout.failures_per_instance", "0", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    end_killed();
    ck_assert(launch_and(QM_TASK_RUNNING));
    kit_status(&k, kit_launched(&k, "registry", "h1")->id, QM_TASK_FAILED);
    kit_drain(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_FAILURES);
    kit_wait(&k, 60000);
    ck_assert(launch_and(QM_TASK_RUNNING));
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->version, "1.1.6");
}
END_TEST

START_TEST(another_version_ends_the_pause)
{
    kit_init(&k, NULL);
    kit_deploy(&k, three, "RMD");
    spend_budget();
    begin_upgrade("1.1.7");
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
    go_on(60);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    for (size_t i = 0; i < k.n_launches; i++)
        ck_assert_str_ne(k.launches[i].version, "1.1.6");
}
END_TEST

/* Trouble of Mesos, and what was not ours, are no failures. */
START_TEST(trouble_is_no_failure)
{
    kit_init(&k, "rollout.failures_per_instance", "0", "rollout.failures_total", "0", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    end_killed();
    ck_assert(launch_and(QM_TASK_DROPPED));
    kit_wait(&k, 60000);
    launch_and(QM_TASK_STAGING);
    kit_status_as(&k, kit_launched(&k, "registry", "h1")->id, "a-h1", QM_TASK_FAILED,
                  QM_SOURCE_AGENT, 1 /* EXECUTOR_TERMINATED */);
    kit_drain(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
    kit_status(&k, kit_task(&k, "data", "h3"), QM_TASK_FAILED); /* at its old version: repair */
    kit_drain(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
}
END_TEST

START_TEST(a_step_that_is_not_ready_in_time)
{
    kit_init(&k, "rollout.failures_per_instance", "1", "rollout.step_timeout_s", "100", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    end_killed();
    launch_and(QM_TASK_STAGING);
    kit_forget(&k);
    kit_wait(&k, 199000);
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
    kit_wait(&k, 5000);
    ck_assert_int_eq(plan_reason().code, QM_WHY_FAILURES);
    ck_assert_uint_ge(kills_of("registry.h1"), 1);
    end_killed();
    kit_wait(&k, 60000);
    ck_assert(launch_and(QM_TASK_RUNNING));
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->version, "1.1.5");
}
END_TEST

/* Replaying a journal takes what it takes: a task that runs is not killed for being slow. */
START_TEST(the_slow_are_not_killed)
{
    kit_init(&k, "rollout.failures_per_instance", "0", "rollout.step_timeout_s", "100", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    end_killed();
    launch_and(QM_TASK_STARTING);
    kit_healthy(&k, kit_launched(&k, "registry", "h1")->id, false);
    kit_forget(&k);
    kit_wait(&k, 600000);
    ck_assert_int_eq(plan_reason().code, QM_WHY_FAILURES);
    ck_assert_uint_eq(k.n_kills, 0);
}
END_TEST

START_TEST(window_holds_until_it_opens)
{
    qm_time open;

    kit_init(&k, "rollout.window", "Sat 22:00-06:00 Z", NULL);
    kit_deploy(&k, three, "RMD"); /* deployments need none */
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    begin_upgrade("1.1.6");
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(plan_reason().code, QM_WHY_WINDOW);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_WINDOW);
    open = k.now + plan_reason().want;
    ck_assert_uint_eq((open - MONDAY) % HOURS(168), HOURS(142));
    kit_status(&k, kit_task(&k, "data", "h3"), QM_TASK_FAILED); /* repair goes on */
    kit_drain(&k);
    kit_wait(&k, 60000);
    ck_assert(launch_and(QM_TASK_RUNNING));
    kit_wait(&k, open - k.now - 1000);
    ck_assert_uint_eq(k.n_kills, 0);
    kit_wait(&k, 2000);
    ck_assert_uint_eq(kills_of(""), 1);
}
END_TEST

START_TEST(canary_soaks)
{
    kit_init(&k, "rollout.canary", "true", "rollout.canary_soak_s", "1000", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    go_on(10);
    ck_assert_uint_eq(kills_of("registry"), 1);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_CANARY);
    kit_wait(&k, 1000000);
    ck_assert_uint_eq(kills_of("registry"), 2);
}
END_TEST

START_TEST(canary_waits_for_resume)
{
    kit_init(&k, "rollout.canary", "true", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    go_on(10);
    kit_wait(&k, HOURS(100));
    ck_assert_uint_eq(kills_of("registry"), 1);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_drain(&k);
    go_on(40);
    ck_assert_uint_eq(kills_of("registry"), 3);
    ck_assert_uint_eq(kills_of("metadata"), 1); /* each service has its own */
}
END_TEST

START_TEST(limits)
{
    kit_init(&k, "rollout.limit_hosts", "h[23]\nh2", "rollout.limit_services", "reg*", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    go_on(10);
    ck_assert_uint_eq(kills_of(""), 1);
    ck_assert_str_eq(k.kills[0].agent, "a-h2");
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_LIMIT_HOSTS);
}
END_TEST

START_TEST(limit_of_instances)
{
    kit_init(&k, "rollout.limit_instances", "2", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("1.1.6");
    go_on(20);
    ck_assert_uint_eq(kills_of("registry"), 2);
    ck_assert_int_eq(kit_why(&k, "registry.h3").code, QM_WHY_LIMIT_INSTANCES);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_drain(&k);
    go_on(20);
    ck_assert_uint_eq(kills_of("registry"), 3);
}
END_TEST

START_TEST(pause_between_domains)
{
    kit_init(&k, "rollout.pause_between_domains_s", "1000", NULL);
    kit_deploy(&k, three, "RMD"); /* each host is its own domain */
    begin_upgrade("1.1.6");
    go_on(10);
    ck_assert_uint_eq(kills_of(""), 1);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_DOMAIN_PAUSE);
    kit_wait(&k, 1000000);
    ck_assert_uint_eq(kills_of(""), 2);
}
END_TEST

static size_t images_live(void)
{
    size_t n = 0;

    for (size_t i = 0; three[i]; i++)
        n += kit_task(&k, "image", three[i])[0] != '\0';
    return n;
}

START_TEST(image_first)
{
    const struct kit_launch *first;

    kit_init(&k, "rollout.image_first", "true", "rollout.image_parallel", "2", NULL);
    kit_deploy(&k, three, "RMD");
    ck_assert_uint_eq(kit_count(&k, "image"), 0); /* not for deployments */
    begin_upgrade("1.1.6");
    launch_and(QM_TASK_RUNNING);
    ck_assert_uint_eq(kit_count(&k, "image"), 2);
    ck_assert_uint_eq(images_live(), 2);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_IMAGE);
    first = kit_launched(&k, "image", "");
    ck_assert_str_eq(first->version, "1.1.6");
    kit_status(&k, first->id, QM_TASK_FINISHED);
    kit_drain(&k);
    ck_assert_uint_eq(kit_why(&k, "registry.h1").have, 1);
    ck_assert_uint_eq(kit_why(&k, "registry.h1").want, 3);
    launch_and(QM_TASK_RUNNING);
    ck_assert_uint_eq(kit_count(&k, "image"), 3);
    for (size_t i = 0; three[i]; i++)
        if (kit_task(&k, "image", three[i])[0])
            kit_status(&k, kit_task(&k, "image", three[i]), QM_TASK_FINISHED);
    kit_drain(&k);
    ck_assert_uint_eq(kills_of("registry"), 1);
    go_on(60);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    ck_assert_uint_eq(kit_count(&k, "image"), 3);
}
END_TEST

/* Fails everywhere: paused by name, nothing was stopped; a crash forgets neither. */
START_TEST(image_that_is_missing)
{
    kit_init(&k, "rollout.image_first", "true", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("9.9.9");
    for (int i = 0; i < 2; i++) {
        launch_and(QM_TASK_FAILED);
        kit_wait(&k, 20000);
    }
    ck_assert_int_eq(plan_reason().code, QM_WHY_IMAGE_FAILED);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_WAITING);
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_IMAGE_FAILED);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_post(&k, "1.1.5"), 0); /* back: nothing is to be done */
    kit_drain(&k);
    ck_assert_int_eq(plan_reason().code, QM_WHY_NOTHING);
}
END_TEST

/* What fails before the images are ready is repaired at what it ran. */
START_TEST(repair_does_not_wait_for_images)
{
    kit_init(&k, "rollout.image_first", "true", NULL);
    kit_deploy(&k, three, "RMD");
    begin_upgrade("9.9.9");
    kit_status(&k, kit_task(&k, "registry", "h2"), QM_TASK_FAILED);
    kit_drain(&k);
    kit_wait(&k, 30000);
    launch_and(QM_TASK_STAGING);
    ck_assert_str_eq(kit_launched(&k, "registry", "h2")->version, "1.1.5");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-rules");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, window_words);
    tcase_add_test(tcase, window_times);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, one_failure_is_borne);
    tcase_add_test(tcase, over_budget_pauses_and_puts_back);
    tcase_add_test(tcase, pause_outlives_a_crash);
    tcase_add_test(tcase, what_ran_is_not_put_back);
    tcase_add_test(tcase, another_version_ends_the_pause);
    tcase_add_test(tcase, trouble_is_no_failure);
    tcase_add_test(tcase, a_step_that_is_not_ready_in_time);
    tcase_add_test(tcase, the_slow_are_not_killed);
    tcase_add_test(tcase, window_holds_until_it_opens);
    tcase_add_test(tcase, canary_soaks);
    tcase_add_test(tcase, canary_waits_for_resume);
    tcase_add_test(tcase, limits);
    tcase_add_test(tcase, limit_of_instances);
    tcase_add_test(tcase, pause_between_domains);
    tcase_add_test(tcase, image_first);
    tcase_add_test(tcase, image_that_is_missing);
    tcase_add_test(tcase, repair_does_not_wait_for_images);
    return unit_run("planner-rules", tcase);
}
