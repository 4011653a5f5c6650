/*
 * Stories of upgrades that go wrong, and of those that keep to rules: each is compared byte for byte
 * with tests/scenario/NAME.txt, and judged by the invariants on the way.
 */
#include "scenario.h"

#include <string.h>

#define IMAGE "quobyte/quobyte-server"

static bool plan_held(struct rig *rig, enum qm_reason_code code)
{
    struct qm_plan_view *view;
    bool held;

    if (qm_plan_view_new(rig->planner, &view) != 0)
        return false;
    held = view->paused && view->reason.code == code;
    qm_plan_view_free(view);
    return held;
}

static bool image_failed(struct rig *rig)
{
    return plan_held(rig, QM_WHY_IMAGE_FAILED);
}

static bool over_budget(struct rig *rig)
{
    return plan_held(rig, QM_WHY_FAILURES);
}

static bool eleven_run(struct rig *rig)
{
    return rig_running(rig, NULL, NULL) == 11;
}

/* A wrong version, posted by mistake: nothing is stopped for it; the right one corrects it. */
START_TEST(wrong_version_corrected)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    ck_assert_int_eq(sim_image_missing(rig->sim, IMAGE ":9.9.9", true), 0);
    ck_assert_int_eq(rig_post(rig, "9.9.9"), 0);
    ck_assert(rig_run(rig, image_failed, MINUTES(10)));
    rig_run(rig, NULL, MINUTES(10));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 11);
    post_and_complete(rig, "1.1.6");
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    ck_assert_uint_eq(judge_launches(rig->judge, "registry", NULL), 6);
    end_story(rig, "wrong-version-corrected");
}
END_TEST

static bool one_is_new(struct rig *rig)
{
    return rig_running(rig, "registry", "1.1.6") == 1;
}

/* The image registry goes away in the middle, and nothing is cached: the instance is put back. */
START_TEST(image_gone_midway)
{
    struct rig *rig = new_rig(3);

    deploy_quietly(rig);
    ck_assert_int_eq(rig_post(rig, "1.1.6"), 0);
    ck_assert(rig_run(rig, one_is_new, MINUTES(5)));
    rig_say(rig, "-- the image is gone");
    ck_assert_int_eq(sim_image_missing(rig->sim, IMAGE ":1.1.6", true), 0);
    ck_assert(rig_run(rig, over_budget, MINUTES(10)));
    ck_assert(rig_run(rig, eleven_run, MINUTES(10)));
    rig_run(rig, NULL, MINUTES(10));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.5"), 10);
    rig_say(rig, "-- the image is back");
    ck_assert_int_eq(sim_image_missing(rig->sim, IMAGE ":1.1.6", false), 0);
    ck_assert_int_eq(rig_command(rig, QM_COMMAND_RESUME), 0);
    ck_assert(rig_run(rig, rig_plan_complete, MINUTES(30)));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    end_story(rig, "image-gone-midway");
}
END_TEST

/* One of each service, an hour's soak, and no step outside the night. */
START_TEST(canary_in_the_night)
{
    static const struct rig_setting settings[] = {{"rollout.canary", "true"},
                                                  {"rollout.canary_soak_s", "3600"},
                                                  {"rollout.window", "daily 22:00-06:00 Z"}};
    struct rig_agent agents[] = {rig_agent_with("agent-1", true), rig_agent_with("agent-2", false),
                                 rig_agent_with("agent-3", false)};
    struct rig *rig = new_rig_with((struct rig_options){.agents = agents,
                                                        .n_agents = 3,
                                                        .settings = settings,
                                                        .n_settings = 3},
                                   0);

    deploy_quietly(rig);
    ck_assert_int_eq(rig_post(rig, "1.1.6"), 0);
    ck_assert(rig_run(rig, rig_plan_complete, MINUTES(60 * 30)));
    ck_assert_uint_eq(rig_running(rig, NULL, "1.1.6"), 11);
    end_story(rig, "canary-in-the-night");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rollouts");
    TCase *tcase = tcase_create("rollouts");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, wrong_version_corrected);
    tcase_add_test(tcase, image_gone_midway);
    tcase_add_test(tcase, canary_in_the_night);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
