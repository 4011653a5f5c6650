/* The operator's orders: pause with an end, rollback, versions in between, steps, hosts. */
#include <stdio.h>
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
    kit_deploy(&k, three, "RMD");
    kit_wait(&k, 20000);
    kit_forget(&k);
}

static void teardown(void)
{
    kit_deinit(&k);
}

static int order(struct qm_command command)
{
    struct qm_fact fact = {.type = QM_FACT_COMMAND, .command = command};
    int result = kit_tell(&k, fact);

    kit_drain(&k);
    return result;
}

static int order_about(enum qm_command_type type, const char *subject)
{
    return order((struct qm_command){.type = type, .subject = subject});
}

static int post(const char *version, bool force)
{
    return order(
        (struct qm_command){.type = QM_COMMAND_SET_TARGET, .version = version, .force = force});
}

/* Ends what was killed, offers everything, lets it run, waits for min_ready. */
static void go_on(unsigned times)
{
    static size_t answered;

    if (k.n_kills < answered)
        answered = 0;
    for (unsigned i = 0; i < times; i++) {
        for (; answered < k.n_kills; answered++)
            kit_status_as(&k, k.kills[answered].id, k.kills[answered].agent, QM_TASK_KILLED,
                          QM_SOURCE_EXECUTOR, -1);
        kit_drain(&k);
        kit_rounds(&k, 1, three);
        kit_wait(&k, 1100);
    }
}

static enum qm_plan_kind kind(void)
{
    struct qm_plan_view *v;
    enum qm_plan_kind result;

    ck_assert_int_eq(qm_plan_view_new(k.p, &v), 0);
    result = v->kind;
    qm_plan_view_free(v);
    return result;
}

static size_t on_host(const char *host)
{
    struct qm_cluster_view *v;
    size_t n = 0;

    ck_assert_int_eq(qm_cluster_view_new(k.p, &v), 0);
    for (size_t i = 0; i < v->n_hosts; i++)
        for (size_t t = 0; strcmp(v->hosts[i].name, host) == 0 && t < v->hosts[i].n_tasks; t++)
            n += strcmp(v->hosts[i].tasks[t].service, "prober") != 0;
    qm_cluster_view_free(v);
    return n;
}

static bool host_known(const char *host)
{
    struct qm_cluster_view *v;
    bool known = false;

    ck_assert_int_eq(qm_cluster_view_new(k.p, &v), 0);
    for (size_t i = 0; i < v->n_hosts; i++)
        known |= strcmp(v->hosts[i].name, host) == 0;
    qm_cluster_view_free(v);
    return known;
}

START_TEST(pause_ends_by_itself)
{
    struct qm_cluster_view *v;

    ck_assert_int_eq(order((struct qm_command){.type = QM_COMMAND_PAUSE,
                                               .reason = "kernel update",
                                               .source = "alice",
                                               .expires = k.now + 60000}),
                     0);
    post("1.1.6", false);
    kit_wait(&k, 50000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_PAUSED);
    kit_crash(&k);
    kit_subscribe(&k);
    ck_assert_int_eq(qm_cluster_view_new(k.p, &v), 0);
    ck_assert_uint_ge(v->n_events, 2);
    ck_assert_str_eq(v->events[v->n_events - 2].why, "kernel update");
    ck_assert_str_eq(v->events[v->n_events - 2].source, "alice");
    qm_cluster_view_free(v);
    kit_wait(&k, 11000);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), QM_E_CONFLICT); /* it is over */
}
END_TEST

START_TEST(rollback_goes_back_in_reverse)
{
    size_t before;

    ck_assert_int_eq(order_about(QM_COMMAND_ROLLBACK, NULL), QM_E_CONFLICT);
    post("1.1.6", false);
    go_on(9);
    ck_assert_uint_ge(k.n_kills, 3);
    before = k.n_kills;
    ck_assert_int_eq(order_about(QM_COMMAND_ROLLBACK, NULL), 0);
    ck_assert_int_eq(kind(), QM_PLAN_ROLLBACK);
    go_on(30);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
    ck_assert_str_eq(qm_planner_target(k.p), "1.1.5");
    /* Registries last; a floating instance's old task may end beside the first of them. */
    for (size_t i = before + 1; i < k.n_kills; i++)
        ck_assert_msg(strncmp(k.kills[i - 1].id, "registry", 8) != 0 ||
                          (strncmp(k.kills[i].id, "data", 4) != 0 &&
                           strncmp(k.kills[i].id, "metadata", 8) != 0),
                      "%s stops after %s", k.kills[i].id, k.kills[i - 1].id);
}
END_TEST

START_TEST(rollback_survives_a_crash)
{
    post("1.1.6", false);
    go_on(2);
    ck_assert_int_eq(post("1.1.5", false), 0);
    ck_assert_int_eq(kind(), QM_PLAN_ROLLBACK);
    kit_crash(&k);
    ck_assert_int_eq(kind(), QM_PLAN_ROLLBACK);
    ck_assert_int_eq(post("1.1.7", false), QM_E_CONFLICT);
}
END_TEST

START_TEST(third_version_only_before_anything_moved)
{
    post("1.1.6", false);
    ck_assert_int_eq(post("1.1.7", false), 0); /* a typo, put right */
    go_on(2);
    ck_assert_int_eq(post("1.1.8", false), QM_E_CONFLICT);
    ck_assert(strstr(qm_planner_refusal(k.p), "1.1.7") != NULL);
    ck_assert(strstr(qm_planner_refusal(k.p), "1.1.5") != NULL);
    ck_assert_str_eq(qm_planner_target(k.p), "1.1.7");
    ck_assert_int_eq(post("1.1.7", false), 0);
    ck_assert_int_eq(post("1.1.8", true), 0);
    ck_assert_str_eq(qm_planner_refusal(k.p), "");
}
END_TEST

START_TEST(lower_major_needs_force)
{
    ck_assert_int_eq(post("0.9", false), QM_E_CONFLICT);
    ck_assert_str_eq(qm_planner_target(k.p), "1.1.5");
    ck_assert_int_eq(post("0.9", true), 0);
}
END_TEST

START_TEST(restart_keeps_rule_5)
{
    struct qm_command command = {.type = QM_COMMAND_STEP_RESTART, .subject = "data.h1"};
    struct qm_reason why;

    ck_assert_int_eq(order_about(QM_COMMAND_STEP_RESTART, "data.h9"), QM_E_UNKNOWN);
    kit_status(&k, kit_task(&k, "data", "h2"), QM_TASK_UNREACHABLE);
    kit_drain(&k);
    ck_assert_int_eq(order(command), 0);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert(qm_command_held(k.p, &command, &why));
    ck_assert_int_eq(why.code, QM_WHY_MAX_UNAVAILABLE);
    ck_assert_str_eq(why.blocker, "data.h2");
    kit_crash(&k); /* the order is not lost */
    kit_subscribe(&k);
    for (const char *const *h = three; *h; h++) {
        static const char *const services[] = {"registry", "metadata",   "data",
                                               "api",      "webconsole", "prober"};

        for (size_t s = 0; s < 6; s++)
            if (kit_task(&k, services[s], *h)[0])
                kit_status(&k, kit_task(&k, services[s], *h), QM_TASK_RUNNING);
        kit_offer(&k, *h);
        kit_drain(&k);
        kit_report(&k, *h, "RMD");
    }
    kit_drain(&k);
    kit_wait(&k, 5000);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert(strncmp(k.kills[0].id, "data.h1", 7) == 0);
    go_on(2);
    ck_assert_str_eq(kit_launched(&k, "data", "h1")->version, "1.1.5");
    ck_assert_uint_eq(k.n_kills, 1);
}
END_TEST

START_TEST(replace_moves_floating_ones_only)
{
    char before[160], after[160];

    ck_assert_int_eq(order_about(QM_COMMAND_STEP_REPLACE, "data.h1"), QM_E_CONFLICT);
    ck_assert(strstr(qm_planner_refusal(k.p), "belongs to its host") != NULL);
    snprintf(before, sizeof(before), "%s", kit_task(&k, "api", ""));
    ck_assert_int_eq(order_about(QM_COMMAND_STEP_REPLACE, "api.1"), 0);
    ck_assert_uint_eq(k.n_kills, 0);
    go_on(3);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_str_eq(k.kills[0].id, before);
    snprintf(after, sizeof(after), "%s", kit_task(&k, "api", ""));
    ck_assert_str_ne(before, after);
    ck_assert_str_eq(kit_launched(&k, "api", "")->version, "1.1.5");
}
END_TEST

START_TEST(skip_takes_what_is_down_out_of_rule_5)
{
    ck_assert_int_eq(order_about(QM_COMMAND_STEP_SKIP, "data.h2"), QM_E_CONFLICT);
    kit_status(&k, kit_task(&k, "registry", "h2"), QM_TASK_UNREACHABLE);
    kit_drain(&k);
    post("1.1.6", false);
    kit_wait(&k, 3000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(order((struct qm_command){
                         .type = QM_COMMAND_STEP_SKIP, .subject = "registry.h2", .plan = 99}),
                     QM_E_STALE);
    ck_assert_int_eq(order_about(QM_COMMAND_STEP_SKIP, "registry.h2"), 0);
    kit_wait(&k, 100);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_int_eq(kit_why(&k, "registry.h2").code, QM_WHY_UNREACHABLE);
}
END_TEST

START_TEST(drain_empties_a_host_and_keeps_it_empty)
{
    size_t before = on_host("h3");

    ck_assert_uint_ge(before, 3);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_DRAIN, "nowhere"), QM_E_UNKNOWN);
    ck_assert_int_eq(order((struct qm_command){.type = QM_COMMAND_HOST_DRAIN,
                                               .subject = "h3",
                                               .reason = "new disks",
                                               .expires = k.now + 3600000}),
                     0);
    go_on(8);
    ck_assert_uint_eq(on_host("h3"), 0);
    ck_assert(kit_task(&k, "prober", "h3")[0]);
    ck_assert_int_eq(kit_why(&k, "data.h3").code, QM_WHY_DRAINED);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_FORGET, "h3"), QM_E_CONFLICT);
    kit_forget(&k);
    kit_crash(&k);
    kit_subscribe(&k);
    kit_wait(&k, 1000);
    go_on(2);
    ck_assert_ptr_null(kit_launched(&k, "data", "h3"));
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_READMIT, "h3"), 0);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_READMIT, "h3"), QM_E_CONFLICT);
}
END_TEST

START_TEST(drain_ends_in_time)
{
    ck_assert_int_eq(order((struct qm_command){.type = QM_COMMAND_HOST_DRAIN,
                                               .subject = "h3",
                                               .expires = k.now + 100000}),
                     0);
    go_on(6);
    ck_assert_uint_eq(on_host("h3"), 0);
    kit_wait(&k, 100000);
    go_on(3);
    ck_assert_uint_ge(on_host("h3"), 3);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_READMIT, "h3"), QM_E_CONFLICT);
}
END_TEST

START_TEST(drain_keeps_rule_5)
{
    struct qm_command command = {.type = QM_COMMAND_HOST_DRAIN, .subject = "h3"};
    struct qm_reason why;

    kit_status(&k, kit_task(&k, "data", "h2"), QM_TASK_UNREACHABLE);
    kit_drain(&k);
    ck_assert_int_eq(qm_host_safe_to_stop(k.p, "h3", &why), QM_E_CONFLICT);
    ck_assert_int_eq(why.code, QM_WHY_FAILURE_DOMAIN);
    ck_assert_str_eq(why.subject, "h2");
    ck_assert_str_eq(why.blocker, "data.h2");
    ck_assert_int_eq(order(command), 0);
    ck_assert(qm_command_held(k.p, &command, &why));
    kit_wait(&k, 10000);
    for (size_t i = 0; i < k.n_kills; i++)
        ck_assert(strncmp(k.kills[i].id, "data", 4) != 0);
}
END_TEST

START_TEST(forgotten_host_holds_nothing)
{
    struct qm_reason why;

    ck_assert_int_eq(qm_host_safe_to_stop(k.p, "h3", &why), 0);
    ck_assert_int_eq(qm_host_safe_to_stop(k.p, "h9", &why), QM_E_UNKNOWN);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_FORGET, "h2"), QM_E_CONFLICT);
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost = {.agent_id = "a-h2"}});
    for (int i = 0; i < 3; i++) {
        static const char *const services[] = {"registry", "metadata", "data"};

        kit_status(&k, kit_task(&k, services[i], "h2"), QM_TASK_UNREACHABLE);
    }
    kit_drain(&k);
    ck_assert_int_eq(qm_host_safe_to_stop(k.p, "h3", &why), QM_E_CONFLICT);
    ck_assert_int_eq(order_about(QM_COMMAND_HOST_FORGET, "h2"), 0);
    kit_wait(&k, 100);
    ck_assert(!host_known("h2"));
    ck_assert_int_eq(qm_host_safe_to_stop(k.p, "h3", &why), 0);
    kit_crash(&k);
    ck_assert(!host_known("h2"));
}
END_TEST

START_TEST(remedies_are_curl_lines)
{
    struct qm_reason why = {.code = QM_WHY_UNREACHABLE, .subject = "h2"};
    char line[300];

    qm_reason_remedy(&why, "http://x:1", "data.h2", "h2", line, sizeof(line));
    ck_assert_msg(strncmp(line, "curl -X POST http://x:1/v1/hosts/h2/forget  # ", 46) == 0, "%s",
                  line);
    why = (struct qm_reason){.code = QM_WHY_MAX_UNAVAILABLE, .blocker = "data.h3"};
    qm_reason_remedy(&why, "http://x:1", "data.h2", "h2", line, sizeof(line));
    ck_assert_msg(strstr(line, "/v1/plan/steps/data.h3/skip") != NULL, "%s", line);
    why = (struct qm_reason){.code = QM_WHY_MIN_READY};
    ck_assert_uint_eq(qm_reason_remedy(&why, "http://x:1", "data.h2", "h2", line, sizeof(line)), 0);
    ck_assert_str_eq(line, "");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-verbs");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, pause_ends_by_itself);
    tcase_add_test(tcase, rollback_goes_back_in_reverse);
    tcase_add_test(tcase, rollback_survives_a_crash);
    tcase_add_test(tcase, third_version_only_before_anything_moved);
    tcase_add_test(tcase, lower_major_needs_force);
    tcase_add_test(tcase, restart_keeps_rule_5);
    tcase_add_test(tcase, replace_moves_floating_ones_only);
    tcase_add_test(tcase, skip_takes_what_is_down_out_of_rule_5);
    tcase_add_test(tcase, drain_empties_a_host_and_keeps_it_empty);
    tcase_add_test(tcase, drain_ends_in_time);
    tcase_add_test(tcase, drain_keeps_rule_5);
    tcase_add_test(tcase, forgotten_host_holds_nothing);
    tcase_add_test(tcase, remedies_are_curl_lines);
    return unit_run("planner-verbs", tcase);
}
