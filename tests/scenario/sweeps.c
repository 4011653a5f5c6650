/*
 * Sweeps: a crash after every single action, a failing save at every single save, many hours of
 * nothing to do. Wherever the cut falls, the end is the same and nothing is doubled.
 */
#include "scenario.h"

#include <stdlib.h>

static const char *const storage[] = {"registry", "metadata", "data"};

/* Fails with the story that led here. */
#define expect(rig, condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            story_show(&(rig)->story, 200);                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

/* Every place was launched exactly `times` times. */
static void expect_launches(struct rig *rig, unsigned times, long cut)
{
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < rig->options.n_agents; k++)
            expect(rig, judge_launches(rig->judge, storage[i], rig->agents[k].hostname) == times,
                   "cut %ld: %s was launched %u times on %s, not %u", cut, storage[i],
                   judge_launches(rig->judge, storage[i], rig->agents[k].hostname),
                   rig->agents[k].hostname, times);
    expect(rig, judge_launches(rig->judge, "api", NULL) == times, "cut %ld: api launched %u times",
           cut, judge_launches(rig->judge, "api", NULL));
}

/* Posts when nobody crashed over it; after a crash before the answer, an operator posts again. */
static void post_stubbornly(struct rig *rig, const char *version)
{
    rig_post(rig, version);
    if (rig_run(rig, rig_plan_complete, MINUTES(20)))
        return;
    if (strcmp(qm_planner_target(rig->planner), version) != 0)
        rig_post(rig, version);
    rig_run(rig, rig_plan_complete, MINUTES(20));
}

static void expect_end(struct rig *rig, const char *version, unsigned services, long cut)
{
    expect(rig,
           rig_plan_complete(rig) && rig_running(rig, NULL, version) == services &&
               rig_running(rig, NULL, NULL) == services,
           "cut %ld: %u of %u services run at %s, %u in all; %s", cut,
           rig_running(rig, NULL, version), services, version, rig_running(rig, NULL, NULL),
           rig_verdict(rig));
    expect(rig, rig_verdict(rig)[0] == '\0', "cut %ld: %s", cut, rig_verdict(rig));
}

START_TEST(crash_after_every_action_of_a_deployment)
{
    long cut = 0;

    for (bool cut_off = true; cut_off; cut++) {
        struct rig *rig = new_rig_with((struct rig_options){0}, 3);

        rig->crash_after = cut;
        post_stubbornly(rig, "1.1.5");
        cut_off = rig->crash_after < 0; /* it fell into this run */
        expect_end(rig, "1.1.5", 11, cut);
        expect_launches(rig, 1, cut);
        end_rig(rig);
        ck_assert_int_lt(cut, 5000);
    }
    ck_assert_int_gt(cut, 30);
}
END_TEST

START_TEST(crash_after_every_action_of_an_upgrade)
{
    long cut = 0;

    for (bool cut_off = true; cut_off; cut++) {
        struct rig *rig = new_rig_with((struct rig_options){0}, 3);

        post_stubbornly(rig, "1.1.5");
        rig->crash_after = cut;
        post_stubbornly(rig, "1.1.6");
        cut_off = rig->crash_after < 0;
        expect_end(rig, "1.1.6", 11, cut);
        expect_launches(rig, 2, cut);
        end_rig(rig);
        ck_assert_int_lt(cut, 5000);
    }
    ck_assert_int_gt(cut, 30);
}
END_TEST

START_TEST(every_save_of_a_deployment_fails_once)
{
    unsigned saves = 0, at = 0;

    do {
        struct rig *rig = new_rig_with((struct rig_options){0}, 3);

        rig->fail_save_at = ++at;
        post_stubbornly(rig, "1.1.5");
        saves = rig->saves;
        expect_end(rig, "1.1.5", 11, (long)at);
        expect_launches(rig, 1, (long)at);
        end_rig(rig);
    } while (at < saves && at < 500);
    ck_assert_uint_gt(saves, 3);
}
END_TEST

START_TEST(slow_saves)
{
    static const qm_duration takes[] = {1, 30, 300, 3000};

    for (size_t i = 0; i < sizeof(takes) / sizeof(*takes); i++) {
        struct rig *rig = new_rig_with((struct rig_options){.save_takes = takes[i]}, 3);

        post_stubbornly(rig, "1.1.5");
        post_stubbornly(rig, "1.1.6");
        expect_end(rig, "1.1.6", 11, (long)takes[i]);
        end_rig(rig);
    }
}
END_TEST

/* Offers are not kept for so long: nothing can start until saves are faster again. */
START_TEST(saves_slower_than_offers_are_kept)
{
    struct rig *rig = new_rig_with((struct rig_options){.save_takes = 7000}, 3);

    rig_post(rig, "1.1.5");
    rig_run(rig, NULL, MINUTES(5));
    rig->options.save_takes = 20;
    rig_run(rig, rig_plan_complete, MINUTES(20));
    expect_end(rig, "1.1.5", 11, 0);
    end_rig(rig);
}
END_TEST

START_TEST(memory_does_not_grow_with_time)
{
    struct rig *rig = new_rig_with((struct rig_options){0}, 3);
    size_t before;

    post_stubbornly(rig, "1.1.5");
    rig_run(rig, NULL, MINUTES(60));
    before = rig->live_bytes;
    rig_run(rig, NULL, MINUTES(600));
    ck_assert_msg(rig->live_bytes <= before + before / 10, "%zu bytes grew to %zu in ten hours",
                  before, rig->live_bytes);
    expect_end(rig, "1.1.5", 11, 0);
    end_rig(rig);
}
END_TEST

START_TEST(memory_does_not_grow_with_upgrades)
{
    struct rig *rig = new_rig_with((struct rig_options){0}, 3);
    size_t before = 0;
    char version[32];

    for (int i = 0; i < 60; i++) {
        snprintf(version, sizeof(version), "2.0.%02d", i);
        post_stubbornly(rig, version);
        if (i == 30)
            before = rig->live_bytes;
    }
    ck_assert_msg(rig->live_bytes <= before + before / 5, "%zu bytes grew to %zu in 30 upgrades",
                  before, rig->live_bytes);
    expect_end(rig, version, 11, 0);
    end_rig(rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweeps");
    TCase *tcase = tcase_create("sweeps");

    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, crash_after_every_action_of_a_deployment);
    tcase_add_test(tcase, crash_after_every_action_of_an_upgrade);
    tcase_add_test(tcase, every_save_of_a_deployment_fails_once);
    tcase_add_test(tcase, slow_saves);
    tcase_add_test(tcase, saves_slower_than_offers_are_kept);
    tcase_add_test(tcase, memory_does_not_grow_with_time);
    tcase_add_test(tcase, memory_does_not_grow_with_upgrades);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
